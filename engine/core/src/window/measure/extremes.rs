//! The least or greatest of a window, by a monotonic queue: a sample that a newer one matches or beats can never
//! be the extreme again, so it is not kept. What is left is in order of value as well as time.

use std::collections::VecDeque;

use sluice_model::{EventTime, WindowValue};
use sluice_rules::Measure;

use super::View;
use crate::window::samples::Sample;

/// The samples that no newer one matches or beats, oldest first: the first of them is the extreme.
#[derive(Clone, Debug)]
pub(crate) struct Extremes {
    /// Whether one value matches or beats another.
    beats: fn(i64, i64) -> bool,
    unbeaten: VecDeque<Sample>,
}

impl Extremes {
    pub(crate) fn least() -> Self {
        Self { beats: |a, b| a <= b, unbeaten: VecDeque::new() }
    }

    pub(crate) fn greatest() -> Self {
        Self { beats: |a, b| a >= b, unbeaten: VecDeque::new() }
    }

    /// A sample enters, late or not.
    pub(crate) fn add(&mut self, sample: Sample) {
        let mut place = match self.unbeaten.back() {
            Some(newest) if newest.at > sample.at => self.unbeaten.partition_point(|s| s.at <= sample.at),
            _ => self.unbeaten.len(),
        };
        if self.unbeaten.get(place).is_some_and(|newer| (self.beats)(newer.value, sample.value)) {
            return;
        }
        while place > 0 && (self.beats)(sample.value, self.unbeaten[place - 1].value) {
            place -= 1;
            self.unbeaten.remove(place);
        }
        self.unbeaten.insert(place, sample);
    }

    /// Samples up to that time leave. Ties leave together.
    pub(crate) fn let_go(&mut self, until: EventTime) {
        while self.unbeaten.pop_front_if(|oldest| oldest.at <= until).is_some() {}
    }

    pub(crate) fn value(&self) -> Option<i64> {
        self.unbeaten.front().map(|extreme| extreme.value)
    }

    /// The extreme at a late event. As long as the extreme of all samples held (from `held` on) is not later than
    /// the event, it stands, and only what the window had let go of is looked at. Else one that it has beaten
    /// may be what is asked for, and the whole view is looked at: among n samples in no particular order, k of
    /// them later than the event, that happens to k events in n.
    pub(crate) fn read_late(&self, held: usize, measure: Measure, view: &View<'_>) -> WindowValue {
        let known = self.unbeaten.front().filter(|extreme| extreme.at <= view.at);
        let unknown = match known {
            Some(_) => view.range.start..held,
            None => view.range.clone(),
        };
        let values = view.samples.range(unknown).chain(known.copied()).map(|sample| sample.value);
        view.extreme(measure, values.reduce(|a, b| if (self.beats)(a, b) { a } else { b }))
    }
}
