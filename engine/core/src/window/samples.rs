//! Samples in time order; ties in the order of the log.

use std::{collections::VecDeque, ops::Range};

use sluice_model::EventTime;

use super::runs::{Parts, Runs};

/// Up to this many samples, spare room is not given back.
const SPARE: usize = 32;

/// What one event left in one stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Sample {
    /// The event's own time.
    pub at: EventTime,
    /// Minor units, a count of 1, or the hash of a text.
    pub value: i64,
}

/// Samples in time order, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    ring: VecDeque<Sample>,
    /// Derived; there once a late event has asked for it.
    runs: Option<Box<Runs>>,
}

impl Samples {
    /// None.
    pub(super) const EMPTY: Self = Self { ring: VecDeque::new(), runs: None };

    pub(super) fn with_capacity(samples: usize) -> Self {
        Self { ring: VecDeque::with_capacity(samples), runs: None }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.ring.len()
    }

    /// Where a sample of that time belongs: after all that are not later.
    #[inline]
    pub(super) fn place(&self, at: EventTime) -> usize {
        match self.ring.back() {
            Some(newest) if newest.at > at => self.ring.partition_point(|sample| sample.at <= at),
            _ => self.ring.len(),
        }
    }

    #[inline]
    pub(super) fn insert(&mut self, place: usize, sample: Sample) {
        if self.ring.len() == self.ring.capacity() {
            // By a quarter: memory per sample matters more than the copying, which stays amortised O(1).
            self.ring.reserve_exact((self.ring.len() / 4).max(2));
        }
        self.ring.insert(place, sample);
        if let Some(runs) = &mut self.runs {
            runs.insert(&self.ring, place);
        }
    }

    pub(super) fn remove(&mut self, place: usize) {
        if let Some(runs) = &mut self.runs {
            runs.remove(&self.ring, place);
        }
        self.ring.remove(place);
    }

    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<Sample> {
        self.ring.get(place).copied()
    }

    #[inline]
    pub(super) fn range(&self, range: Range<usize>) -> impl DoubleEndedIterator<Item = Sample> + '_ {
        self.ring.range(range).copied()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Sample> + '_ {
        self.ring.iter().copied()
    }

    /// Take out every sample after a moment.
    pub(super) fn truncate_after(&mut self, at: EventTime) {
        self.ring.truncate(self.place(at));
        self.runs = None;
    }

    /// Sum samples up in runs, those of different values too if they are counted.
    pub(super) fn sum_up(&mut self, counts_values: bool) {
        self.runs.get_or_insert_default().catch_up(&self.ring, counts_values);
    }

    /// Forget the summaries: others will be asked for.
    pub(super) fn forget_runs(&mut self) {
        self.runs = None;
    }

    /// These samples, as far as whole runs go; nothing until they are summed up.
    pub(super) fn parts(&self, range: Range<usize>) -> Option<Parts<'_>> {
        Some(self.runs.as_ref()?.parts(range))
    }

    /// How many different values these samples have, which are all there are since the time of the first.
    pub(super) fn distinct(&self, range: Range<usize>) -> Option<usize> {
        self.runs.as_ref()?.distinct(&self.ring, range)
    }

    /// Take out the oldest sample, if it is not after `until`.
    #[inline]
    pub(super) fn pop_until(&mut self, until: EventTime) -> Option<Sample> {
        let oldest = self.ring.pop_front_if(|sample| sample.at <= until)?;
        if let Some(runs) = &mut self.runs {
            runs.pop(oldest);
        }
        if self.ring.capacity() > SPARE && self.ring.len() < self.ring.capacity() / 4 {
            self.ring.shrink_to(self.ring.len() * 2);
        }
        Some(oldest)
    }
}
