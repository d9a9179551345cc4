//! Order statistics: median, percentiles, how many lie in a range. A sorted multiset in blocks: entering and
//! leaving move half a block, a rank walks the blocks. With 50,000 samples that is some 150 steps through memory
//! that stays in cache, and eight to sixteen bytes a sample; a balanced tree takes more of both.

use std::ops::RangeInclusive;

use sluice_model::WindowValue;

use super::NOTHING;

/// A block that has grown to this many values is split.
const BLOCK_MAX: usize = 512;

/// Values in order, each as often as it occurs.
pub(super) trait Ranks {
    fn count(&self) -> usize;
    /// The value with so many before it; `rank < count`.
    fn at(&self, rank: usize) -> i64;
    /// The value with so many before it and the next, where there is one.
    fn at_and_next(&self, rank: usize) -> (i64, i64) {
        (self.at(rank), self.at((rank + 1).min(self.count() - 1)))
    }
}

/// The mean of the middle two, or the middle one.
pub(super) fn median(values: &(impl Ranks + ?Sized)) -> WindowValue {
    match values.count() {
        0 => NOTHING,
        count => {
            let (low, next) = values.at_and_next((count - 1) / 2);
            let high = if count % 2 == 0 { next } else { low };
            WindowValue::Float((i128::from(low) + i128::from(high)) as f64 / 2.0)
        }
    }
}

/// The least value at or below which this percentage of values lies (nearest rank).
pub(super) fn percentile(values: &(impl Ranks + ?Sized), percent: u8) -> WindowValue {
    match values.count() {
        0 => NOTHING,
        count => {
            let rank = (count * usize::from(percent)).div_ceil(100).clamp(1, count);
            WindowValue::Int(values.at(rank - 1))
        }
    }
}

/// The values within ±`percent` of one's own.
pub(super) fn similar(own: i64, percent: i64) -> RangeInclusive<i64> {
    let margin = i128::from(own.unsigned_abs()) * i128::from(percent.max(0)) / 100;
    let margin = i64::try_from(margin).unwrap_or(i64::MAX);
    own.saturating_sub(margin)..=own.saturating_add(margin)
}

impl Ranks for [i64] {
    fn count(&self) -> usize {
        self.len()
    }

    fn at(&self, rank: usize) -> i64 {
        self[rank]
    }
}

/// Values in order, in blocks that are never empty.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranked {
    blocks: Vec<Vec<i64>>,
    count: usize,
}

impl Ranked {
    pub(crate) fn add(&mut self, value: i64) {
        self.count += 1;
        let place = self.block_of(value).min(self.blocks.len().saturating_sub(1));
        let Some(block) = self.blocks.get_mut(place) else {
            self.blocks.push(vec![value]);
            return;
        };
        let within = block.partition_point(|held| *held < value);
        block.insert(within, value);
        if block.len() >= BLOCK_MAX {
            let upper = block.split_off(BLOCK_MAX / 2);
            block.shrink_to(BLOCK_MAX / 2);
            self.blocks.insert(place + 1, upper);
        }
    }

    pub(crate) fn remove(&mut self, value: i64) {
        let place = self.block_of(value);
        let Some(block) = self.blocks.get_mut(place) else { return };
        if let Ok(within) = block.binary_search(&value) {
            block.remove(within);
            self.count -= 1;
            self.merge(place);
        }
    }

    /// How many values are less.
    pub(crate) fn below(&self, value: i64) -> usize {
        let place = self.block_of(value);
        let within = self.blocks.get(place).map_or(0, |block| block.partition_point(|held| *held < value));
        self.before(place) + within
    }

    /// How many values are not greater.
    pub(crate) fn up_to(&self, value: i64) -> usize {
        value.checked_add(1).map_or(self.count, |next| self.below(next))
    }

    /// The first block with a value that is not less.
    fn block_of(&self, value: i64) -> usize {
        self.blocks.partition_point(|block| block.last().is_some_and(|greatest| *greatest < value))
    }

    fn before(&self, place: usize) -> usize {
        self.blocks[..place].iter().map(Vec::len).sum()
    }

    /// A block that has become small joins the next one, if both together are small.
    fn merge(&mut self, place: usize) {
        if self.blocks[place].is_empty() {
            self.blocks.remove(place);
        } else if place + 1 < self.blocks.len()
            && self.blocks[place].len() + self.blocks[place + 1].len() < BLOCK_MAX / 4
        {
            let next = self.blocks.remove(place + 1);
            self.blocks[place].extend(next);
        }
    }
}

impl Ranks for Ranked {
    fn count(&self) -> usize {
        self.count
    }

    fn at(&self, mut rank: usize) -> i64 {
        for block in &self.blocks {
            match block.get(rank) {
                Some(value) => return *value,
                None => rank -= block.len(),
            }
        }
        // Not reached for a rank below the count.
        0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Wide and narrow ranges of values, so that blocks split, merge and hold long runs of one value.
        #[test]
        fn blocks_hold_what_a_sorted_list_holds(
            steps in prop::collection::vec((any::<bool>(), any::<bool>(), 0i64..5_000), 0..4_000),
        ) {
            let (mut ranked, mut sorted) = (Ranked::default(), Vec::new());
            for (enters, narrow, value) in steps {
                let value = if narrow { value % 3 } else { value };
                if enters || sorted.len() < 1_200 {
                    sorted.insert(sorted.partition_point(|held| *held < value), value);
                    ranked.add(value);
                } else {
                    let value = sorted.remove(value as usize % sorted.len());
                    ranked.remove(value);
                }
            }
            prop_assert_eq!(ranked.count(), sorted.len());
            prop_assert!((0..sorted.len()).all(|rank| ranked.at(rank) == sorted[rank]));
            for value in [i64::MIN, 0, 1, 2, 3, 777, 4_999, i64::MAX] {
                prop_assert_eq!(ranked.below(value), sorted.partition_point(|held| *held < value));
                prop_assert_eq!(ranked.up_to(value), sorted.partition_point(|held| *held <= value));
            }
        }
    }
}
