//! The Merkle tree of RFC 6962, section 2.1: appending, roots, inclusion and consistency proofs, and their
//! verification by the algorithms of RFC 9162, sections 2.1.3.2 and 2.1.4.2.
//!
//! Storage is the caller's. The hashes of complete subtrees are written once, in the order in which they are
//! completed, so that a flat table (position → hash) holds the tree and only ever grows: 2n − popcount(n)
//! hashes for n leaves. A [`Plan`] names the positions a proof needs, for callers whose storage is asynchronous.

use std::collections::{BTreeMap, HashMap};

use sha2::{Digest, Sha256};
use sluice_model::Hash256;

/// A leaf's hash: SHA-256(0x00 ‖ data).
pub fn leaf_hash(data: &[u8]) -> Hash256 {
    Hash256(Sha256::new_with_prefix([0x00]).chain_update(data).finalize().into())
}

/// An inner node's hash: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash256, right: &Hash256) -> Hash256 {
    let mut input = [0x01; 65];
    input[1..33].copy_from_slice(&left.0);
    input[33..].copy_from_slice(&right.0);
    Hash256::of(&input)
}

/// The root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Hash256 {
    Hash256::of(&[])
}

/// How many hashes a tree of `size` leaves has stored.
pub fn stored(size: u64) -> u64 {
    2 * size - u64::from(size.count_ones())
}

/// Where the hash of the `n`th complete subtree of 2^`level` leaves is stored.
fn position(level: u32, n: u64) -> u64 {
    let last_leaf = ((n + 1) << level) - 1;
    stored(last_leaf) + u64::from(level)
}

/// A growing tree: its size and the hashes of its complete subtrees, largest first. Everything else is in the
/// caller's storage.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tree {
    size: u64,
    peaks: Vec<Hash256>,
}

impl Tree {
    /// The tree without leaves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree of `size` leaves again, from what was stored: it reads the positions of [`Plan::root`].
    pub fn restore(size: u64, nodes: &(impl Nodes + ?Sized)) -> Result<Self, MissingNode> {
        let peaks = subtrees(0, size).map(|at| nodes.get(at)).collect::<Result<_, _>>()?;
        Ok(Self { size, peaks })
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Append a leaf's hash. `store` is given each hash to keep with its position: the leaf's own and those of
    /// the subtrees that it completes. The leaf's index.
    pub fn append(&mut self, leaf: Hash256, mut store: impl FnMut(u64, Hash256)) -> u64 {
        let index = self.size;
        let at = stored(index);
        let mut hash = leaf;
        store(at, hash);
        for level in 1..=u64::from(index.trailing_ones()) {
            let Some(left) = self.peaks.pop() else { break };
            hash = node_hash(&left, &hash);
            store(at + level, hash);
        }
        self.peaks.push(hash);
        self.size += 1;
        index
    }

    /// The root over all leaves so far.
    pub fn root(&self) -> Hash256 {
        fold(&self.peaks).unwrap_or_else(empty_root)
    }
}

/// The stored hashes of a tree, by position.
pub trait Nodes {
    /// The hash at a position.
    fn get(&self, position: u64) -> Result<Hash256, MissingNode>;
}

/// A hash that a proof needs is not in storage: the stored tree is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the evidence log has no hash at position {0}: its storage is damaged")]
pub struct MissingNode(pub u64);

impl Nodes for [Hash256] {
    fn get(&self, position: u64) -> Result<Hash256, MissingNode> {
        let index = usize::try_from(position).map_err(|_| MissingNode(position))?;
        <[Hash256]>::get(self, index).copied().ok_or(MissingNode(position))
    }
}

impl Nodes for BTreeMap<u64, Hash256> {
    fn get(&self, position: u64) -> Result<Hash256, MissingNode> {
        BTreeMap::get(self, &position).copied().ok_or(MissingNode(position))
    }
}

impl<S: std::hash::BuildHasher> Nodes for HashMap<u64, Hash256, S> {
    fn get(&self, position: u64) -> Result<Hash256, MissingNode> {
        HashMap::get(self, &position).copied().ok_or(MissingNode(position))
    }
}

/// What a proof is made of, before any hash is read: ranges of leaves, from the leaf up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Plan(Vec<(u64, u64)>);

impl Plan {
    /// The root of a tree of `size` leaves: what [`Tree::restore`] reads.
    pub fn root(size: u64) -> Self {
        Self(vec![(0, size)])
    }

    /// The path from leaf `index` to the root of the tree of `size` leaves; `None` when it has no such leaf.
    pub fn inclusion(index: u64, size: u64) -> Option<Self> {
        if index >= size {
            return None;
        }
        let (mut low, mut high) = (0, size);
        let mut ranges = Vec::new();
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                ranges.push((middle, high));
                high = middle;
            } else {
                ranges.push((low, middle));
                low = middle;
            }
        }
        ranges.reverse();
        Some(Self(ranges))
    }

    /// What shows that the tree of `new` leaves begins with the tree of `old` leaves; `None` when it is smaller.
    pub fn consistency(old: u64, new: u64) -> Option<Self> {
        if old > new {
            return None;
        }
        let (mut low, mut high) = (0, new);
        let mut ranges = Vec::new();
        while old != 0 && old != high {
            let middle = low + split(high - low);
            if old <= middle {
                ranges.push((middle, high));
                high = middle;
            } else {
                ranges.push((low, middle));
                low = middle;
            }
        }
        if low != 0 {
            ranges.push((low, high));
        }
        ranges.reverse();
        Some(Self(ranges))
    }

    /// The positions to read.
    pub fn positions(&self) -> Vec<u64> {
        self.0.iter().flat_map(|&(low, high)| subtrees(low, high)).collect()
    }

    /// The proof's hashes, from storage that has those positions.
    pub fn path(&self, nodes: &(impl Nodes + ?Sized)) -> Result<Vec<Hash256>, MissingNode> {
        let hash = |&(low, high): &(u64, u64)| {
            let parts = subtrees(low, high).map(|at| nodes.get(at)).collect::<Result<Vec<_>, _>>()?;
            Ok(fold(&parts).unwrap_or_else(empty_root))
        };
        self.0.iter().map(hash).collect()
    }
}

/// Whether `path` leads from the leaf's hash at `index` to the `root` of the tree of `size` leaves.
pub fn verify_inclusion(index: u64, size: u64, leaf: &Hash256, path: &[Hash256], root: &Hash256) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `path` shows that the tree with root `new` only adds leaves to the tree with root `old`.
pub fn verify_consistency(
    (old_size, old): (u64, &Hash256),
    (new_size, new): (u64, &Hash256),
    path: &[Hash256],
) -> bool {
    if old_size == 0 || old_size == new_size {
        let same = if old_size == new_size { old == new } else { *old == empty_root() };
        return path.is_empty() && same;
    }
    if old_size > new_size {
        return false;
    }
    let start = if old_size.is_power_of_two() { Some(old) } else { None };
    let mut hashes = start.into_iter().chain(path);
    let Some(&first) = hashes.next() else { return false };
    let shift = (old_size - 1).trailing_ones();
    let (mut at, mut last) = ((old_size - 1) >> shift, (new_size - 1) >> shift);
    let (mut older, mut newer) = (first, first);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            older = node_hash(hash, &older);
            newer = node_hash(hash, &newer);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            newer = node_hash(&newer, hash);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && older == *old && newer == *new
}

/// The largest power of two below `n`, for n > 1: where RFC 6962 splits a tree.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// The positions of the complete subtrees that make up leaves `low..high`, largest first. `low` is a multiple
/// of the largest of them, as every range of a proof is.
fn subtrees(mut low: u64, high: u64) -> impl Iterator<Item = u64> {
    std::iter::from_fn(move || {
        let level = (high - low).checked_ilog2()?;
        let at = position(level, low >> level);
        low += 1 << level;
        Some(at)
    })
}

/// One hash over complete subtrees, largest first; `None` over nothing.
fn fold(peaks: &[Hash256]) -> Option<Hash256> {
    let (last, rest) = peaks.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}
