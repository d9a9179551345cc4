//! Tables of numbers, kept dense: lists by number, and numbers by hash.

use rustc_hash::FxHasher;

/// Lists of numbers, one for each key; keys count from 0.
#[derive(Default)]
pub(super) struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    /// Of pairs whose items rise from pair to pair; a pair said twice running counts once.
    pub(super) fn build(pairs: &[(u32, u32)], keys: usize) -> Self {
        let mut starts = vec![0; keys + 1];
        for (key, _) in pairs {
            starts[*key as usize + 1] += 1;
        }
        for i in 0..keys {
            starts[i + 1] += starts[i];
        }
        let mut items = vec![0; pairs.len()];
        let mut next = starts.clone();
        for (key, item) in pairs {
            let at = &mut next[*key as usize];
            items[*at as usize] = *item;
            *at += 1;
        }
        Self { starts, items }
    }

    pub(super) fn get(&self, key: u32) -> &[u32] {
        let key = key as usize;
        &self.items[self.starts[key] as usize..self.starts[key + 1] as usize]
    }
}

/// From a hash to the numbers that were entered under it.
#[derive(Default)]
pub(super) struct Hashed {
    /// Where the hashes that begin with these bits stand.
    starts: Vec<u32>,
    items: Vec<(u32, u32)>,
    shift: u32,
}

/// More buckets than this would not be found faster.
const BUCKET_BITS_MAX: u32 = 22;

impl Hashed {
    pub(super) fn build(mut items: Vec<(u32, u32)>) -> Self {
        items.sort_unstable();
        items.dedup();
        items.shrink_to_fit();
        let bits = items.len().max(2).ilog2().min(BUCKET_BITS_MAX);
        let shift = 32 - bits;
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for (hash, _) in &items {
            starts[(hash >> shift) as usize + 1] += 1;
        }
        for i in 0..1 << bits {
            starts[i + 1] += starts[i];
        }
        Self { starts, items, shift }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn get(&self, hash: u32) -> impl Iterator<Item = u32> {
        let found = if self.items.is_empty() {
            &[][..]
        } else {
            let bucket = (hash >> self.shift) as usize;
            &self.items[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
        };
        found.iter().filter(move |(h, _)| *h == hash).map(|(_, number)| *number)
    }
}

/// The hashes of a key with up to `edits` (0, 1 or 2) letters deleted. Two keys within so many edits share one.
pub(super) fn deletions(key: &[u8], edits: usize, each: &mut impl FnMut(u32)) {
    each(hash(key.iter().copied()));
    if edits == 0 {
        return;
    }
    let without = |i: usize, j: usize| {
        key.iter().enumerate().filter(move |(at, _)| *at != i && *at != j).map(|(_, c)| *c)
    };
    for i in 0..key.len() {
        each(hash(without(i, i)));
        if edits > 1 {
            for j in i + 1..key.len() {
                each(hash(without(i, j)));
            }
        }
    }
}

pub(super) fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    use std::hash::Hasher;
    let mut hasher = FxHasher::default();
    let (mut word, mut filled) = (0_u64, 0);
    for byte in bytes {
        word = word << 8 | u64::from(byte);
        filled += 1;
        if filled % 8 == 0 {
            hasher.write_u64(word);
            word = 0;
        }
    }
    hasher.write_u64(word ^ filled << 56);
    (hasher.finish().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}
