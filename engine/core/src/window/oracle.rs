//! What windows must say, in the plainest way there is: a list of all that was logged, looked through anew for
//! every window of every event.

use std::collections::{BTreeMap, BTreeSet};

use sluice_model::{EventTime, WindowValue};
use sluice_rules::{Length, Measure, Window};

/// One stream of one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Oracle {
    /// Samples in the order of the log, but for those that were taken back.
    samples: Vec<(EventTime, i64)>,
    /// All of them: which values were seen before is not unsaid.
    seen: Vec<(EventTime, i64)>,
}

impl Oracle {
    pub(super) fn push(&mut self, at: EventTime, value: i64) {
        self.samples.push((at, value));
        self.seen.push((at, value));
    }

    /// The newest sample of that time and value goes, as if it had never come.
    pub(super) fn take_back(&mut self, at: EventTime, value: i64) {
        if let Some(place) = self.samples.iter().rposition(|sample| *sample == (at, value)) {
            self.samples.remove(place);
        }
    }

    /// The value of a window at an event; `own` is its sample, which `self` does not hold yet.
    pub(super) fn value(&self, window: &Window, at: EventTime, own: Option<i64>) -> WindowValue {
        let asks_what_is_new = match window.measure {
            Measure::DistinctNew => true,
            Measure::Distinct => window.length == Length::Ever,
            _ => false,
        };
        let samples = if asks_what_is_new { &self.seen } else { &self.samples };
        let mut earlier: Vec<(EventTime, i64)> = samples.iter().copied().filter(|(t, _)| *t <= at).collect();
        if let Some(own) = own.filter(|_| !window.before && window.measure != Measure::TimeSince) {
            earlier.push((at, own));
        }
        earlier.sort_by_key(|(t, _)| *t);
        let (before, inside): (Vec<_>, Vec<_>) =
            earlier.into_iter().partition(|(t, _)| !is_inside(window.length, *t, at));
        measure(window.measure, &before, &inside, at, own)
    }
}

fn is_inside(length: Length, sample: EventTime, at: EventTime) -> bool {
    match length {
        Length::Span(span) => at.since(sample) < span,
        Length::Day { utc_offset_hours } => sample >= at.day_start(utc_offset_hours),
        Length::Year { utc_offset_hours } => sample >= at.year_start(utc_offset_hours),
        Length::Ever => true,
    }
}

fn measure(
    measure: Measure,
    before: &[(EventTime, i64)],
    inside: &[(EventTime, i64)],
    at: EventTime,
    own: Option<i64>,
) -> WindowValue {
    let mut values: Vec<i64> = inside.iter().map(|(_, value)| *value).collect();
    values.sort_unstable();
    let n = values.len();
    let mean = || values.iter().map(|v| *v as f64).sum::<f64>() / n as f64;
    let int = |value: Option<i64>| value.map_or(WindowValue::Nothing(()), WindowValue::Int);
    let float = |value: Option<f64>| value.map_or(WindowValue::Nothing(()), WindowValue::Float);
    let count = |n: usize| WindowValue::Int(n as i64);
    let seconds = |at: Option<&(EventTime, i64)>| int(at.map(|(at, _)| at.micros().div_euclid(1_000_000)));
    let near = |own: i64, v: i64, percent: i64| {
        100 * (i128::from(v) - i128::from(own)).abs() <= i128::from(percent) * i128::from(own).abs()
    };
    match measure {
        Measure::Count => count(n),
        Measure::Sum => int(Some(values.iter().sum())),
        Measure::Average => float((n > 0).then(mean)),
        Measure::Min => int(values.first().copied()),
        Measure::Max => int(values.last().copied()),
        Measure::Distinct => count(values.iter().collect::<BTreeSet<_>>().len()),
        Measure::First => seconds(inside.first()),
        Measure::Last => seconds(inside.last()),
        Measure::TimeSince => int(inside.last().map(|(t, _)| at.since(*t).micros() / 1_000_000)),
        Measure::StdDev => float((n > 1).then(|| {
            let mean = mean();
            (values.iter().map(|v| (*v as f64 - mean).powi(2)).sum::<f64>() / (n - 1) as f64).sqrt()
        })),
        Measure::Median => float((n > 0).then(|| (values[(n - 1) / 2] as f64 + values[n / 2] as f64) / 2.0)),
        Measure::Percentile(percent) => {
            let enough =
                |v: i64| values.iter().filter(|w| **w <= v).count() * 100 >= n * usize::from(percent);
            int(values.iter().copied().find(|v| enough(*v)))
        }
        Measure::ShareWithin { low, high } => {
            let within = values.iter().filter(|v| low <= **v && **v < high).count();
            float((n > 0).then(|| within as f64 / n as f64))
        }
        Measure::Similar { percent } => {
            count(own.map_or(0, |own| values.iter().filter(|v| near(own, **v, percent)).count()))
        }
        Measure::Occurrences => count(own.map_or(0, |own| values.iter().filter(|v| **v == own).count())),
        Measure::DistinctNew => {
            let known: BTreeSet<i64> = before.iter().map(|(_, v)| *v).collect();
            count(values.iter().filter(|v| !known.contains(v)).collect::<BTreeSet<_>>().len())
        }
        Measure::DayTotal { rank, utc_offset_hours } => {
            let mut days: BTreeMap<EventTime, i64> = BTreeMap::new();
            for (at, value) in inside {
                *days.entry(at.day_start(utc_offset_hours)).or_default() += value;
            }
            let mut totals: Vec<i64> = days.into_values().collect();
            totals.sort_unstable();
            int(totals.into_iter().rev().nth(rank - 1))
        }
        Measure::Benford => {
            let digits: Vec<u32> = values
                .iter()
                .filter(|v| **v != 0)
                .filter_map(|v| v.unsigned_abs().to_string().chars().next()?.to_digit(10))
                .collect();
            let n = digits.len() as f64;
            float((n > 0.0).then(|| {
                (1..=9)
                    .map(|d| {
                        let expected = n * (1.0 + 1.0 / f64::from(d)).log10();
                        let seen = digits.iter().filter(|x| **x == d).count() as f64;
                        (seen - expected).powi(2) / expected
                    })
                    .sum()
            }))
        }
    }
}
