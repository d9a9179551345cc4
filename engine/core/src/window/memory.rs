//! What a stream knows beyond its samples: what those that went have left, and when each value was first seen.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sluice_model::EventTime;

use super::{
    packed,
    samples::{Sample, Samples},
};

/// Up to this many values, looking through them all is as fast as an index.
const UNINDEXED: usize = 32;

/// What outlives the samples. Allocated only where a window asks for it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Memory {
    /// What the samples that went have left.
    pub past: Option<SampleSummary>,
    /// When each value was first seen.
    pub sightings: Sightings,
}

/// What samples that went have left: enough for the lifetime of count, sum, mean, extremes, first and last.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct SampleSummary {
    pub count: u64,
    pub sum: i128,
    pub min: i64,
    pub max: i64,
    pub first: EventTime,
    pub last: EventTime,
}

impl Memory {
    /// Fold in a sample that goes.
    pub(super) fn fold(&mut self, Sample { at, value }: Sample) {
        let one = SampleSummary { count: 1, sum: value.into(), min: value, max: value, first: at, last: at };
        self.past = Some(self.past.map_or(one, |past| past.and(one)));
    }
}

impl SampleSummary {
    fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }
}

/// Every value that was ever seen, in the order of its first time. A value is new to a window exactly when its
/// first sighting lies inside: counting new values is counting sightings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Sightings {
    #[serde(with = "packed")]
    firsts: Samples,
    /// Derived; there once the values are many.
    #[serde(skip)]
    index: Option<FxHashMap<i64, EventTime>>,
}

/// What a sample changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sighted {
    /// Nothing: the value had been seen by then.
    Before,
    /// The value was never seen before.
    New,
    /// A late sample: the value's first sighting moved back from this time.
    Moved(EventTime),
}

impl Sightings {
    /// The first sightings, oldest first.
    pub(super) fn firsts(&self) -> &Samples {
        &self.firsts
    }

    /// See a value.
    pub(super) fn see(&mut self, sample: Sample) -> Sighted {
        let seen = self.first_of(sample.value);
        match seen {
            Some(first) if first <= sample.at => return Sighted::Before,
            Some(first) => self.take_out(Sample { at: first, value: sample.value }),
            None => {}
        }
        self.firsts.insert(self.firsts.place(sample.at), sample);
        if let Some(index) = &mut self.index {
            index.insert(sample.value, sample.at);
        }
        seen.map_or(Sighted::New, Sighted::Moved)
    }

    /// Forget the values that were first seen after a moment.
    pub(super) fn truncate_after(&mut self, at: EventTime) {
        self.firsts.truncate_after(at);
        self.index = None;
    }

    fn first_of(&mut self, value: i64) -> Option<EventTime> {
        if self.firsts.len() <= UNINDEXED {
            return self.firsts.iter().find(|first| first.value == value).map(|first| first.at);
        }
        let firsts = &self.firsts;
        let index =
            self.index.get_or_insert_with(|| firsts.iter().map(|first| (first.value, first.at)).collect());
        index.get(&value).copied()
    }

    fn take_out(&mut self, first: Sample) {
        let ties = self.firsts.place(first.at);
        if let Some(place) = (0..ties).rev().find(|place| self.firsts.get(*place) == Some(first)) {
            self.firsts.remove(place);
        }
    }
}
