//! The tree and the notes against two independent implementations: `ct-merkle` and `signed_note`.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::{BTreeMap, HashMap};

use ct_merkle::{
    ConsistencyProof, InclusionProof, RootHash, indices_for_consistency_proof,
    mem_backed_tree::MemoryBackedTree,
};
use proptest::prelude::*;
use sha2::Sha256;
use signed_note::{Note, StandardVerifier, Verifier as _, VerifierList};
use sluice_evidence::{Plan, Signer, Tree, Zeroizing, merkle};
use sluice_model::Hash256;

type Peer = MemoryBackedTree<Sha256, Vec<u8>>;

/// Both trees over the same leaves, with ours' stored nodes.
fn trees(size: u64) -> (Tree, Vec<Hash256>, Peer) {
    let (mut tree, mut nodes, mut peer) = (Tree::new(), Vec::new(), Peer::new());
    for n in 0..size {
        let data = n.to_be_bytes().repeat(n as usize % 5);
        tree.append(merkle::leaf_hash(&data), |_, hash| nodes.push(hash));
        peer.push(data);
    }
    (tree, nodes, peer)
}

fn bytes(path: &[Hash256]) -> Vec<u8> {
    path.iter().flat_map(|h| h.0).collect()
}

const SIZE: u64 = 70;

#[test]
fn roots_agree() {
    for size in 0..SIZE {
        let (tree, nodes, peer) = trees(size);
        assert_eq!(tree.root().0.as_slice(), peer.root().as_bytes().as_slice(), "size {size}");
        assert_eq!(nodes.len() as u64, merkle::stored(size));
        assert_eq!(Tree::restore(size, &nodes[..]).unwrap(), tree);
    }
}

/// Every leaf of every size: the paths agree byte for byte, and no other leaf, index or size fits.
#[test]
fn inclusion_proofs_agree() {
    let (_, nodes, _) = trees(SIZE);
    for size in 1..SIZE {
        let (tree, _, peer) = trees(size);
        for index in 0..size {
            let path = Plan::inclusion(index, size).unwrap().path(&nodes[..]).unwrap();
            assert_eq!(
                bytes(&path),
                peer.prove_inclusion(index as usize).as_bytes(),
                "leaf {index} of {size}"
            );
            let leaf = merkle::leaf_hash(peer.get(index as usize).unwrap());
            assert!(merkle::verify_inclusion(index, size, &leaf, &path, &tree.root()));
            let theirs = InclusionProof::<Sha256>::from_bytes(bytes(&path));
            peer.root().verify_inclusion(peer.get(index as usize).unwrap(), index, &theirs).unwrap();

            let other = merkle::leaf_hash(b"another");
            assert!(!merkle::verify_inclusion(index, size, &other, &path, &tree.root()));
            for wrong in (0..=size).filter(|&i| i != index) {
                assert!(!merkle::verify_inclusion(wrong, size, &leaf, &path, &tree.root()));
            }
            if let Some((_, shorter)) = path.split_last() {
                assert!(!merkle::verify_inclusion(index, size, &leaf, shorter, &tree.root()));
            }
            let longer = [path.as_slice(), &[other]].concat();
            assert!(!merkle::verify_inclusion(index, size, &leaf, &longer, &tree.root()));
        }
    }
}

/// Every pair of sizes: the proofs agree, and no other pair of roots fits.
#[test]
fn consistency_proofs_agree() {
    let (_, nodes, _) = trees(SIZE);
    let roots: Vec<Hash256> = (0..=SIZE).map(|n| trees(n).0.root()).collect();
    for new in 0..=SIZE {
        let (_, _, peer) = trees(new);
        for old in 0..=new {
            let path = Plan::consistency(old, new).unwrap().path(&nodes[..]).unwrap();
            let (old_root, new_root) = (&roots[old as usize], &roots[new as usize]);
            assert!(merkle::verify_consistency((old, old_root), (new, new_root), &path), "{old} to {new}");
            if old > 0 && old < new {
                let theirs = peer.prove_consistency((new - old) as usize);
                assert_eq!(bytes(&path), theirs.as_bytes(), "{old} to {new}");
                assert!(!merkle::verify_consistency((old, new_root), (new, new_root), &path));
                assert!(!merkle::verify_consistency((old, old_root), (new, old_root), &path));
                assert!(!merkle::verify_consistency((old, old_root), (new, new_root), &path[1..]));
                assert_eq!(path.len(), indices_for_consistency_proof(old, new - old).len());
                let before = RootHash::<Sha256>::new(old_root.0.into(), old);
                let ours = ConsistencyProof::try_from_bytes(bytes(&path)).unwrap();
                peer.root().verify_consistency(&before, &ours).unwrap();
            }
        }
    }
    let proof = Plan::consistency(3, 5).unwrap().path(&nodes[..]).unwrap();
    assert!(!merkle::verify_consistency((5, &roots[5]), (3, &roots[3]), &proof), "a tree never shrinks");
    assert!(
        !merkle::verify_consistency((8, &roots[8]), (5, &roots[8]), &[]),
        "nor keeps its root as it shrinks"
    );
    for path in [&proof[..], &[]] {
        assert!(!merkle::verify_consistency((5, &roots[5]), (3, &roots[5]), path));
        assert!(!merkle::verify_consistency((5, &roots[5]), (5, &roots[4]), path), "one size has one root");
        assert!(!merkle::verify_consistency((0, &roots[1]), (5, &roots[5]), path), "nothing has one root");
    }
    assert!(!merkle::verify_consistency((0, &roots[0]), (5, &roots[5]), &proof), "nothing needs no proof");
    assert_eq!(Plan::consistency(3, 2), None);
    assert_eq!(Plan::inclusion(3, 3), None);
}

/// Storage that has the positions of a plan, and nothing else, is enough for it; with any of them gone, nothing is made up.
#[test]
fn a_plan_names_what_it_reads() {
    let (_, nodes, _) = trees(SIZE);
    let inclusion = (0..SIZE).map(|index| Plan::inclusion(index, SIZE).unwrap());
    let consistency = (1..SIZE).map(|old| Plan::consistency(old, SIZE).unwrap());
    for plan in inclusion.chain(consistency).chain([Plan::root(SIZE)]) {
        let whole = plan.path(&nodes[..]).unwrap();
        let held = || plan.positions().into_iter().map(|at| (at, nodes[at as usize]));
        let (mut sorted, mut hashed): (BTreeMap<_, _>, HashMap<_, _>) = (held().collect(), held().collect());
        assert_eq!(plan.path(&sorted).unwrap(), whole);
        assert_eq!(plan.path(&hashed).unwrap(), whole);
        for gone in plan.positions() {
            let hash = (sorted.remove(&gone).unwrap(), hashed.remove(&gone).unwrap());
            assert!(plan.path(&sorted).is_err() && plan.path(&hashed).is_err(), "{gone}");
            sorted.insert(gone, hash.0);
            hashed.insert(gone, hash.1);
        }
    }
}

proptest! {
    /// Far beyond what fits in memory: the positions that a proof needs are stored, within bounds, and few.
    #[test]
    fn plans_stay_within_the_tree(size in 1..u64::MAX / 4, index in any::<u64>(), old in any::<u64>()) {
        let (index, old) = (index % size, old % size);
        for plan in [Plan::inclusion(index, size).unwrap(), Plan::consistency(old, size).unwrap()] {
            let positions = plan.positions();
            prop_assert!(positions.iter().all(|&p| p < merkle::stored(size)));
            prop_assert!(positions.len() <= 3 * 64);
        }
    }

    #[test]
    fn notes_agree(seed in any::<[u8; 32]>(), size in 0..20u64) {
        let signer = Signer::from_seed("evidence.example/log", Zeroizing::new(seed)).unwrap();
        let note = signer.checkpoint(&trees(size).0);
        let theirs = StandardVerifier::new(&signer.verifier().to_string()).unwrap();
        prop_assert_eq!(theirs.name(), "evidence.example/log");
        let known = VerifierList::new(vec![Box::new(theirs)]);
        let (verified, unknown) = Note::from_bytes(note.as_bytes()).unwrap().verify(&known).unwrap();
        prop_assert_eq!((verified.len(), unknown.len()), (1, 0));
    }
}
