//! Published vectors: RFC 6962 trees, and a checkpoint with a C2SP tlog-proof made by other tools.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::path::PathBuf;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use sluice_evidence::{Checkpoint, Plan, Signer, Tree, VerifierKey, Zeroizing, merkle};
use sluice_model::Hash256;

/// A file of the shared samples, unless they are not there.
fn sample(name: &str) -> Option<Value> {
    let shared = std::env::var_os("SLUICE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = shared.join("samples/merkle").join(name);
    if !path.exists() {
        println!("left out: {name} (no ../shared)");
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

fn hash(value: &Value) -> Hash256 {
    value.as_str().unwrap().parse().unwrap()
}

fn hashes(value: &Value) -> Vec<Hash256> {
    value.as_array().unwrap().iter().map(hash).collect()
}

/// The tree over the reference leaves of Certificate Transparency's own tests.
#[test]
fn the_eight_leaf_root_is_the_published_one() {
    let mut tree = Tree::new();
    for leaf in
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    {
        tree.append(merkle::leaf_hash(&hex::decode(leaf).unwrap()), |_, _| {});
    }
    assert_eq!(tree.root().to_string(), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

#[test]
fn rfc6962_vectors_hold() {
    let Some(vectors) = sample("rfc6962_vectors.json") else { return };
    let (mut tree, mut nodes) = (Tree::new(), Vec::new());
    let leaves = vectors["leaves_hex"].as_array().unwrap();
    for (size, leaf) in leaves.iter().enumerate() {
        assert_eq!(tree.root(), hash(&vectors["roots"][size.to_string()]));
        let data = hex::decode(leaf.as_str().unwrap()).unwrap();
        tree.append(merkle::leaf_hash(&data), |_, hash| nodes.push(hash));
    }
    assert_eq!(tree.root(), hash(&vectors["roots"][leaves.len().to_string()]));

    let inclusion = vectors["inclusion"].as_array().unwrap();
    for proof in inclusion {
        let (index, size) = (proof["index"].as_u64().unwrap(), proof["size"].as_u64().unwrap());
        let path = hashes(&proof["path"]);
        assert_eq!(Plan::inclusion(index, size).unwrap().path(&nodes[..]).unwrap(), path);
        assert!(merkle::verify_inclusion(
            index,
            size,
            &hash(&proof["leaf_hash"]),
            &path,
            &hash(&proof["root"])
        ));
    }
    let consistency = vectors["consistency"].as_array().unwrap();
    for proof in consistency {
        let (old, new) = (proof["m"].as_u64().unwrap(), proof["n"].as_u64().unwrap());
        let path = hashes(&proof["proof"]);
        assert_eq!(Plan::consistency(old, new).unwrap().path(&nodes[..]).unwrap(), path);
        let (old_root, new_root) = (hash(&proof["root_m"]), hash(&proof["root_n"]));
        assert!(merkle::verify_consistency((old, &old_root), (new, &new_root), &path));
    }
    println!("{} inclusion and {} consistency proofs", inclusion.len(), consistency.len());
    assert!(inclusion.len() > 30 && consistency.len() > 20);
}

#[test]
fn a_checkpoint_and_a_tlog_proof_by_other_tools_verify() {
    let Some(vectors) = sample("checkpoint_and_proof.json") else { return };
    let text = |name: &str| vectors[name].as_str().unwrap();
    let mut seed = [0; 32];
    hex::decode_to_slice(text("seed_hex"), &mut seed).unwrap();
    let key: VerifierKey = text("vkey").parse().unwrap();
    let signer = Signer::from_seed(key.name(), Zeroizing::new(seed)).unwrap();
    assert_eq!(signer.verifier(), key);

    let (head, note) = text("tlog_proof_leaf5").split_once("\n\n").unwrap();
    assert_eq!(note, text("checkpoint"));
    let checkpoint = Checkpoint::parse(key.open(note).unwrap()).unwrap();
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("c2sp.org/tlog-proof@v1"));
    let index = lines.next().unwrap().strip_prefix("index ").unwrap().parse().unwrap();
    let path: Vec<Hash256> =
        lines.map(|line| Hash256(STANDARD.decode(line).unwrap().try_into().unwrap())).collect();
    let leaf = merkle::leaf_hash(&hex::decode(text("leaf5_data_hex")).unwrap());
    assert!(merkle::verify_inclusion(index, checkpoint.size, &leaf, &path, &checkpoint.root));
}
