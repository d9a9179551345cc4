//! What windows measure. Each measure is either read straight off its samples or kept up to date by a tally; both
//! give the same value, bit for bit: whatever is added up is a whole number until it is read.

mod benford;
mod counted;
mod days;
mod extremes;
mod past;
mod ranked;
mod share;
mod spread;
mod tally;

use std::ops::Range;

use sluice_model::{EventTime, WindowValue};
use sluice_rules::Measure;
use smallvec::SmallVec;

pub(super) use self::{
    benford::Digits,
    past::{PastTally, read_runs},
    spread::Spread,
    tally::{Tally, TallyKind},
};
use super::{
    memory::SampleSummary,
    samples::{Sample, Samples},
};

/// Up to this many samples a window is measured by looking at them all; beyond, tallies are kept. They go again
/// when no more than a quarter is left, so that building them is paid for by the samples that came and went.
pub(super) const SMALL: u32 = 32;
/// No value: an empty window has no minimum, no first, no last.
const NOTHING: WindowValue = WindowValue::Nothing(());

/// What a window holds at one event.
pub(super) struct View<'a> {
    pub samples: &'a Samples,
    /// Which of them are inside.
    pub range: Range<usize>,
    /// What samples that went have left, where the window includes them.
    pub past: Option<&'a SampleSummary>,
    /// The event's time.
    pub at: EventTime,
    /// The event's own sample, if it has one.
    pub own: Option<i64>,
}

impl View<'_> {
    /// A window that holds nothing, at an event that does not enter it.
    pub(super) const EMPTY: Self =
        Self { samples: &Samples::EMPTY, range: 0..0, past: None, at: EventTime::from_micros(0), own: None };

    /// A window's value: from its tally, where there is one.
    pub(super) fn read(&self, measure: Measure, tally: Option<&Tally>) -> WindowValue {
        match measure {
            Measure::Count | Measure::DistinctNew => whole(self.count()),
            Measure::First => self.first().map_or(NOTHING, |at| seconds(at.micros())),
            Measure::Last => self.last().map_or(NOTHING, |at| seconds(at.micros())),
            Measure::TimeSince => self.last().map_or(NOTHING, |last| seconds(self.at.since(last).micros())),
            _ => match tally {
                Some(Tally::Sum(sum)) if measure == Measure::Sum => self.sum(*sum),
                Some(tally) => tally.read(measure, self),
                None if measure == Measure::Sum => self.sum(self.values().map(i128::from).sum()),
                None => self.read_fresh(measure),
            },
        }
    }

    /// Worked out from the samples.
    fn read_fresh(&self, measure: Measure) -> WindowValue {
        match (measure, self.own) {
            (Measure::Sum, _) => self.sum(self.values().map(i128::from).sum()),
            (Measure::Average, _) => self.average(self.values().map(i128::from).sum()),
            (Measure::Min, _) => self.extreme(measure, self.values().min()),
            (Measure::Max, _) => self.extreme(measure, self.values().max()),
            (Measure::Distinct, _) => {
                let mut values = self.sorted();
                values.dedup();
                whole(values.len() as u64)
            }
            (Measure::Median, _) => ranked::median(&*self.sorted()),
            (Measure::Percentile(percent), _) => ranked::percentile(&*self.sorted(), percent),
            (Measure::Similar { percent }, Some(own)) => {
                let near = ranked::similar(own, percent);
                whole(self.values().filter(|value| near.contains(value)).count() as u64)
            }
            (Measure::Occurrences, Some(own)) => {
                whole(self.values().filter(|value| *value == own).count() as u64)
            }
            (Measure::Similar { .. } | Measure::Occurrences, None) => whole(0),
            (measure, _) => {
                TallyKind::of(measure).map_or(NOTHING, |kind| kind.over(self.inside()).read(measure, self))
            }
        }
    }

    fn inside(&self) -> impl DoubleEndedIterator<Item = Sample> + '_ {
        self.samples.range(self.range.clone())
    }

    fn values(&self) -> impl Iterator<Item = i64> + '_ {
        self.inside().map(|sample| sample.value)
    }

    fn sorted(&self) -> SmallVec<[i64; SMALL as usize]> {
        let mut values: SmallVec<_> = self.values().collect();
        values.sort_unstable();
        values
    }

    fn count(&self) -> u64 {
        self.range.len() as u64 + self.past.map_or(0, |past| past.count)
    }

    fn first(&self) -> Option<EventTime> {
        let oldest = || self.inside().next().map(|sample| sample.at);
        self.past.map(|past| past.first).or_else(oldest)
    }

    fn last(&self) -> Option<EventTime> {
        let newest = self.inside().next_back().map(|sample| sample.at);
        newest.or(self.past.map(|past| past.last))
    }

    /// Stops at the ends of `i64`: beyond them, a comparison with any threshold still comes out right.
    fn sum(&self, inside: i128) -> WindowValue {
        let sum = self.total(inside).clamp(i64::MIN.into(), i64::MAX.into());
        WindowValue::Int(sum as i64)
    }

    fn average(&self, inside: i128) -> WindowValue {
        match self.count() {
            0 => NOTHING,
            count => WindowValue::Float(self.total(inside) as f64 / count as f64),
        }
    }

    fn total(&self, inside: i128) -> i128 {
        inside + self.past.map_or(0, |past| past.sum)
    }

    /// The least or greatest, those inside and those that went.
    fn extreme(&self, measure: Measure, inside: Option<i64>) -> WindowValue {
        let least = measure == Measure::Min;
        let past = self.past.map(|past| if least { past.min } else { past.max });
        let both = inside.into_iter().chain(past);
        let extreme = if least { both.min() } else { both.max() };
        extreme.map_or(NOTHING, WindowValue::Int)
    }
}

fn whole(count: u64) -> WindowValue {
    WindowValue::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

fn seconds(micros: i64) -> WindowValue {
    WindowValue::Int(micros.div_euclid(1_000_000))
}
