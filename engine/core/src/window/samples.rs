//! Samples in time order; ties in the order of the log.

use std::{collections::VecDeque, ops::Range};

use sluice_model::EventTime;

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
pub(super) struct Samples(VecDeque<Sample>);

impl Samples {
    /// None.
    pub(super) const EMPTY: Self = Self(VecDeque::new());

    pub(super) fn with_capacity(samples: usize) -> Self {
        Self(VecDeque::with_capacity(samples))
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where a sample of that time belongs: after all that are not later.
    #[inline]
    pub(super) fn place(&self, at: EventTime) -> usize {
        match self.0.back() {
            Some(newest) if newest.at > at => self.0.partition_point(|sample| sample.at <= at),
            _ => self.0.len(),
        }
    }

    #[inline]
    pub(super) fn insert(&mut self, place: usize, sample: Sample) {
        if self.0.len() == self.0.capacity() {
            // By a quarter: memory per sample matters more than the copying, which stays amortised O(1).
            self.0.reserve_exact((self.0.len() / 4).max(2));
        }
        self.0.insert(place, sample);
    }

    pub(super) fn remove(&mut self, place: usize) {
        self.0.remove(place);
    }

    #[inline]
    pub(super) fn get(&self, place: usize) -> Option<Sample> {
        self.0.get(place).copied()
    }

    #[inline]
    pub(super) fn range(&self, range: Range<usize>) -> impl DoubleEndedIterator<Item = Sample> + '_ {
        self.0.range(range).copied()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = Sample> + '_ {
        self.0.iter().copied()
    }

    /// Take out every sample after a moment.
    pub(super) fn truncate_after(&mut self, at: EventTime) {
        self.0.truncate(self.place(at));
    }

    /// Take out the oldest sample, if it is not after `until`.
    #[inline]
    pub(super) fn pop_until(&mut self, until: EventTime) -> Option<Sample> {
        let oldest = self.0.pop_front_if(|sample| sample.at <= until)?;
        if self.0.capacity() > SPARE && self.0.len() < self.0.capacity() / 4 {
            self.0.shrink_to(self.0.len() * 2);
        }
        Some(oldest)
    }
}
