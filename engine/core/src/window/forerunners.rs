//! When each sample's value was there before: its **forerunner**. A value's first sample inside a window is the one whose
//! forerunner is older than the window, so that counting those counts different values.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use sluice_model::EventTime;

use super::samples::Sample;

/// The forerunner of a sample that has none.
const NEVER: EventTime = EventTime::from_micros(i64::MIN);

/// A sample whose forerunner has become another.
pub(super) struct Link {
    pub place: usize,
    pub was: EventTime,
    pub is: EventTime,
}

/// The forerunners of one stream's samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Forerunners {
    /// Of each sample held, the newest ones excepted that came since a late event asked.
    times: VecDeque<EventTime>,
    /// When each value was there last, among these.
    last: FxHashMap<i64, EventTime>,
}

impl Forerunners {
    pub(super) fn times(&self) -> &VecDeque<EventTime> {
        &self.times
    }

    /// Take in the samples that have come since.
    pub(super) fn catch_up(&mut self, samples: &VecDeque<Sample>) {
        for sample in samples.range(self.times.len()..) {
            self.times.push_back(self.last.insert(sample.value, sample.at).unwrap_or(NEVER));
        }
    }

    /// Let go of the oldest sample.
    pub(super) fn pop(&mut self, Sample { at, value }: Sample) {
        if self.times.pop_front().is_some() && self.last.get(&value) == Some(&at) {
            self.last.remove(&value);
        }
    }

    /// Its forerunner, and the sample that it is the forerunner of now.
    pub(super) fn insert(
        &mut self,
        samples: &VecDeque<Sample>,
        place: usize,
        Sample { at, value }: Sample,
    ) -> Option<(EventTime, Option<Link>)> {
        if place >= self.times.len() {
            return None;
        }
        let known = self.times.len() + 1;
        let last = self.last.get(&value).copied().unwrap_or(NEVER);
        let (forerunner, next) = if last <= at {
            self.last.insert(value, at);
            (last, None)
        } else {
            let earlier = samples.range(..place).rev().find(|sample| sample.value == value);
            (earlier.map_or(NEVER, |sample| sample.at), next_of(samples, place, known, value))
        };
        self.times.insert(place, forerunner);
        let link =
            next.map(|place| Link { place, was: std::mem::replace(&mut self.times[place], at), is: at });
        Some((forerunner, link))
    }

    /// Its forerunner, and the sample that it was the forerunner of, by its place before it is removed.
    pub(super) fn remove(
        &mut self,
        samples: &VecDeque<Sample>,
        place: usize,
        Sample { value, .. }: Sample,
    ) -> Option<(EventTime, Option<Link>)> {
        let next = next_of(samples, place, self.times.len(), value);
        let is = *self.times.get(place)?;
        match next {
            Some(_) => {}
            None if is == NEVER => drop(self.last.remove(&value)),
            None => drop(self.last.insert(value, is)),
        }
        let link = next.map(|place| Link { place, was: std::mem::replace(&mut self.times[place], is), is });
        self.times.remove(place);
        Some((is, link))
    }
}

fn next_of(samples: &VecDeque<Sample>, place: usize, known: usize, value: i64) -> Option<usize> {
    let later = samples.range((place + 1).min(known)..known);
    later.zip(place + 1..).find(|(sample, _)| sample.value == value).map(|(_, next)| next)
}
