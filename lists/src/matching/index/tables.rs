//! Tables of numbers, kept dense: lists by number, and numbers by hash.

use std::hash::Hasher;

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

/// From a hash to the numbers that were entered under it, and to few others: whoever asks compares what it gets.
#[derive(Default)]
pub(super) struct Hashed {
    /// Where the hashes that begin with these bits stand.
    starts: Vec<u32>,
    /// A number each, below as many of the hash's further bits as there is room for.
    items: Vec<u32>,
    bucket_bits: u32,
    numbers: u32,
}

/// More buckets than this would not be found faster.
const BUCKET_BITS_MAX: u32 = 22;

impl Hashed {
    pub(super) fn build(mut pairs: Vec<(u32, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let bucket_bits = pairs.len().max(2).ilog2().min(BUCKET_BITS_MAX);
        let most = pairs.iter().map(|(_, number)| *number).max().unwrap_or(0);
        let numbers = u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
        let mut table =
            Self { starts: vec![0; (1 << bucket_bits) + 1], items: Vec::new(), bucket_bits, numbers };
        for (hash, _) in &pairs {
            let bucket = table.bucket(*hash);
            table.starts[bucket + 1] += 1;
        }
        for i in 0..1 << bucket_bits {
            table.starts[i + 1] += table.starts[i];
        }
        table.items = pairs.iter().map(|(hash, number)| table.mark(*hash) | number).collect();
        table
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn get(&self, hash: u32) -> impl Iterator<Item = u32> {
        let found = if self.items.is_empty() {
            &[][..]
        } else {
            let bucket = self.bucket(hash);
            &self.items[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
        };
        let (mark, numbers) = (self.mark(hash), self.numbers);
        found.iter().filter(move |item| *item & !numbers == mark).map(move |item| item & numbers)
    }

    fn bucket(&self, hash: u32) -> usize {
        (hash >> (32 - self.bucket_bits)) as usize
    }

    /// What stands above a number: the hash without the bits that name the bucket.
    fn mark(&self, hash: u32) -> u32 {
        (hash << self.bucket_bits) & !self.numbers
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
    // Every bit as good as the others.
    (hasher.finish().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn deletions_are_the_hashes_of_what_is_left(
            key in prop::collection::vec(any::<u8>(), 0..12),
            edits in 0..3_usize,
        ) {
            let mut left = vec![key.clone()];
            let mut wanted = vec![hash(key.iter().copied())];
            for _ in 0..edits {
                let shorter = |key: &Vec<u8>| {
                    let without = |at| [&key[..at], &key[at + 1..]].concat();
                    (0..key.len()).map(without).collect::<Vec<_>>()
                };
                left = left.iter().flat_map(shorter).collect();
                wanted.extend(left.iter().map(|key| hash(key.iter().copied())));
            }
            let mut found = Vec::new();
            deletions(&key, edits, &mut |hash| found.push(hash));
            wanted.sort_unstable();
            wanted.dedup();
            found.sort_unstable();
            found.dedup();
            prop_assert_eq!(found, wanted);
        }

        #[test]
        fn whatever_was_entered_is_found(
            pairs in prop::collection::vec((any::<u32>(), 0..100_000_u32), 0..50),
        ) {
            let table = Hashed::build(pairs.clone());
            for (hash, number) in pairs {
                prop_assert!(table.get(hash).any(|found| found == number));
            }
        }
    }
}
