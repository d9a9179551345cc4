//! What a window held at a past time, among many samples: from the summaries of their runs, and from one past time to the next
//! by what came and went in between.

use std::ops::Range;

use sluice_model::WindowValue;
use sluice_rules::Measure;

use super::{
    Tally, TallyKind, View, benford::Digits, days::Days, ranked, share::Share, spread::Spread, whole,
};
use crate::window::{
    runs::{Parts, Run},
    samples::{Sample, Samples},
};

/// A tally of one window's samples at a past time.
#[derive(Clone, Debug)]
pub(crate) struct PastTally {
    measure: Measure,
    own: Option<i64>,
    range: Range<usize>,
    tally: Tally,
}

/// So many samples come and go sooner than runs are looked through.
const NEAR: usize = if cfg!(test) { 8 } else { 1_024 };

impl PastTally {
    /// Of no samples; `None` for a measure whose tally takes samples only one by one.
    fn of(measure: Measure, own: Option<i64>) -> Option<Self> {
        let tally = match (TallyKind::of(measure)?, measure, own) {
            (TallyKind::Sum, ..) => Tally::Sum(0),
            (TallyKind::Spread, ..) => Tally::Spread(Spread::default()),
            (TallyKind::Digits, ..) => Tally::Digits(Box::<Digits>::default()),
            (TallyKind::Days { utc_offset_hours }, ..) => Tally::Days(Days::at(utc_offset_hours)),
            (TallyKind::Share { low, high }, ..) => Tally::Share(Share::below(low, high)),
            (_, Measure::Similar { percent }, Some(own)) => {
                Tally::Share(Share::within(ranked::similar(own, percent)))
            }
            (_, Measure::Occurrences, Some(own)) => Tally::Share(Share::within(own..=own)),
            _ => return None,
        };
        Some(Self { measure, own, range: 0..0, tally })
    }

    /// A measure over the view's samples: what a tally says that follows them from one reading to the next, if one can.
    fn read(kept: &mut Option<Self>, measure: Measure, view: &View<'_>) -> Option<WindowValue> {
        let past = match kept {
            Some(past) => past,
            None => kept.insert(Self::of(measure, view.own)?),
        };
        past.follow(view.samples, &view.range)?;
        Some(match (&past.tally, measure) {
            (Tally::Share(share), Measure::Similar { .. } | Measure::Occurrences) => whole(share.count()),
            (tally, _) => view.read(measure, Some(tally)),
        })
    }

    fn follow(&mut self, samples: &Samples, to: &Range<usize>) -> Option<()> {
        let from = &self.range;
        let moved = from.start.abs_diff(to.start) + from.end.abs_diff(to.end);
        let forward = from.start <= to.start && from.end <= to.end && to.start < from.end;
        if forward && moved <= NEAR {
            samples.range(from.end..to.end).for_each(|sample| self.tally.add(sample));
            samples.range(from.start..to.start).for_each(|sample| self.tally.remove(sample));
        } else {
            self.tally = Self::of(self.measure, self.own)?.tally;
            self.enter(samples, samples.parts(to.clone())?);
        }
        self.range = to.clone();
        Some(())
    }

    fn enter(&mut self, samples: &Samples, parts: Parts<'_>) {
        let mut enter = |range: Range<usize>| samples.range(range).for_each(|sample| self.tally.add(sample));
        enter(parts.head.clone());
        enter(parts.tail.clone());
        let mut start = parts.head.end;
        for run in parts.runs() {
            let end = start + run.len;
            if !self.tally.add_run(run) {
                samples.range(start..end).for_each(|sample| self.tally.add(sample));
            }
            start = end;
        }
    }
}

impl Tally {
    /// A run of samples enters, if the tally takes its summary.
    fn add_run(&mut self, run: &Run) -> bool {
        match self {
            Self::Sum(sum) => *sum += run.sum,
            Self::Spread(spread) => spread.add_all(&run.spread),
            Self::Share(share) => share.add_all(&run.sorted),
            Self::Digits(digits) => digits.add_all(&run.digits),
            Self::Days(days) => return days.add_all(run.times, run.len as u32, run.sum),
            Self::Extremes(_) | Self::Counted(_) | Self::Ranked(_) => return false,
        }
        true
    }
}

/// A measure over the view's samples, from the summaries of their runs: `None` where samples are not summed up. What is kept
/// serves the same window again at the same event, until another sample enters.
pub(crate) fn read_runs(
    kept: &mut Option<PastTally>,
    measure: Measure,
    view: &View<'_>,
) -> Option<WindowValue> {
    PastTally::read(kept, measure, view).or_else(|| look(measure, view))
}

/// What no tally follows.
fn look(measure: Measure, view: &View<'_>) -> Option<WindowValue> {
    if measure == Measure::Distinct {
        return Some(whole(view.samples.distinct(view.range.clone())? as u64));
    }
    let parts = view.samples.parts(view.range.clone())?;
    let ends = || view.samples.range(parts.head.clone()).chain(view.samples.range(parts.tail.clone()));
    let ends = || ends().map(|Sample { value, .. }| value);
    let in_order = || {
        let mut loose: Vec<i64> = ends().collect();
        loose.sort_unstable();
        loose
    };
    Some(match (measure, view.own) {
        (Measure::Min, _) => view
            .extreme(measure, parts.runs().filter_map(|run| run.sorted.first().copied()).chain(ends()).min()),
        (Measure::Max, _) => view
            .extreme(measure, parts.runs().filter_map(|run| run.sorted.last().copied()).chain(ends()).max()),
        (Measure::Median, _) => ranked::median(&SortedRuns::of(&parts, &in_order())),
        (Measure::Percentile(percent), _) => {
            ranked::percentile(&SortedRuns::of(&parts, &in_order()), percent)
        }
        (Measure::Similar { .. } | Measure::Occurrences, None) => whole(0),
        _ => return None,
    })
}

/// Several sorted lists as one.
struct SortedRuns<'a>(Vec<&'a [i64]>);

impl<'a> SortedRuns<'a> {
    fn of(parts: &'a Parts<'_>, loose: &'a [i64]) -> Self {
        Self(parts.runs().map(|run| &*run.sorted).chain([loose]).filter(|run| !run.is_empty()).collect())
    }
}

impl ranked::Ranks for SortedRuns<'_> {
    fn count(&self) -> usize {
        self.0.iter().map(|run| run.len()).sum()
    }

    /// Halves the values that come into question until one is left; each list shrinks to what lies between.
    fn at(&self, mut rank: usize) -> i64 {
        let mut lists = self.0.clone();
        let mut least = lists.iter().filter_map(|list| list.first()).min().copied().unwrap_or(0);
        let mut greatest = lists.iter().filter_map(|list| list.last()).max().copied().unwrap_or(0);
        let mut halves = Vec::with_capacity(lists.len());
        while least < greatest {
            let middle = least.midpoint(greatest - 1);
            halves
                .extend(lists.iter().map(|list| list.split_at(list.partition_point(|held| *held <= middle))));
            let lower: usize = halves.iter().map(|(lower, _)| lower.len()).sum();
            lists.clear();
            if rank < lower {
                greatest = middle;
                lists.extend(halves.drain(..).map(|(lower, _)| lower).filter(|list| !list.is_empty()));
            } else {
                rank -= lower;
                least = middle + 1;
                lists.extend(halves.drain(..).map(|(_, upper)| upper).filter(|list| !list.is_empty()));
            }
        }
        least
    }

    fn at_and_next(&self, rank: usize) -> (i64, i64) {
        let value = self.at(rank);
        let upper = || self.0.iter().map(|list| &list[list.partition_point(|held| *held <= value)..]);
        let up_to = self.count() - upper().map(<[i64]>::len).sum::<usize>();
        let next = if rank + 1 < up_to { None } else { upper().filter_map(|list| list.first()).min() };
        (value, next.copied().unwrap_or(value))
    }
}

#[cfg(test)]
mod tests {
    use sluice_model::EventTime;

    use super::*;

    /// What comes late costs no look at each sample, whatever is measured.
    #[test]
    fn every_measure_is_answered_from_runs() {
        let mut samples = Samples::default();
        for n in 0..100 {
            samples.insert(samples.len(), Sample { at: EventTime::from_micros(n), value: n % 7 });
        }
        samples.sum_up(true);
        for measure in [
            Measure::Sum,
            Measure::Average,
            Measure::Min,
            Measure::Max,
            Measure::Distinct,
            Measure::StdDev,
            Measure::Median,
            Measure::Percentile(90),
            Measure::ShareWithin { low: 2, high: 5 },
            Measure::Similar { percent: 20 },
            Measure::Occurrences,
            Measure::DayTotal { rank: 1, utc_offset_hours: 8 },
            Measure::Benford,
        ] {
            for own in [None, Some(3)] {
                let at = EventTime::from_micros(89);
                let view = View { samples: &samples, range: 10..90, past: None, at, own };
                let expected = Some(view.read(measure, None));
                assert_eq!(read_runs(&mut None, measure, &view), expected, "{measure:?} of {own:?}");
            }
        }
    }
}
