//! Tallies: what is kept of a window's samples, so that reading it does not look at them.

use sluice_model::WindowValue;
use sluice_rules::Measure;

use super::{
    NOTHING, View,
    benford::Digits,
    counted::Counted,
    days::Days,
    extremes::Extremes,
    ranked::{self, Ranked},
    share::Share,
    spread::Spread,
    whole,
};
use crate::window::samples::Sample;

/// Which tally a measure needs. Measures share them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TallyKind {
    Sum,
    Spread,
    Share { low: i64, high: i64 },
    Digits,
    Days { utc_offset_hours: i64 },
    Least,
    Greatest,
    Counted,
    Ranked,
}

/// Follows samples as they enter and leave. All but [`Extremes`] take any order.
#[derive(Clone, Debug)]
pub(crate) enum Tally {
    Sum(i128),
    Spread(Spread),
    Share(Share),
    Digits(Box<Digits>),
    Days(Days),
    Extremes(Extremes),
    Counted(Counted),
    Ranked(Ranked),
}

impl TallyKind {
    /// The kind that a measure needs, if any: counts, firsts and lasts are read off the cursor.
    pub(crate) fn of(measure: Measure) -> Option<Self> {
        match measure {
            Measure::Sum | Measure::Average => Some(Self::Sum),
            Measure::StdDev => Some(Self::Spread),
            Measure::ShareWithin { low, high } => Some(Self::Share { low, high }),
            Measure::Benford => Some(Self::Digits),
            Measure::DayTotal { utc_offset_hours, .. } => Some(Self::Days { utc_offset_hours }),
            Measure::Min => Some(Self::Least),
            Measure::Max => Some(Self::Greatest),
            Measure::Distinct | Measure::Occurrences => Some(Self::Counted),
            Measure::Median | Measure::Percentile(_) | Measure::Similar { .. } => Some(Self::Ranked),
            Measure::Count | Measure::First | Measure::Last | Measure::TimeSince | Measure::DistinctNew => {
                None
            }
        }
    }

    /// A tally of these samples.
    pub(crate) fn over(self, samples: impl Iterator<Item = Sample>) -> Tally {
        let mut tally = match self {
            Self::Sum => Tally::Sum(0),
            Self::Spread => Tally::Spread(Spread::default()),
            Self::Share { low, high } => Tally::Share(Share::below(low, high)),
            Self::Digits => Tally::Digits(Box::default()),
            Self::Days { utc_offset_hours } => Tally::Days(Days::at(utc_offset_hours)),
            Self::Least => Tally::Extremes(Extremes::least()),
            Self::Greatest => Tally::Extremes(Extremes::greatest()),
            Self::Counted => Tally::Counted(Counted::default()),
            Self::Ranked => Tally::Ranked(Ranked::default()),
        };
        samples.for_each(|sample| tally.add(sample));
        tally
    }
}

impl Tally {
    /// A sample enters.
    pub(crate) fn add(&mut self, sample: Sample) {
        let value = sample.value;
        match self {
            Self::Sum(sum) => *sum += i128::from(value),
            Self::Spread(spread) => spread.add(value),
            Self::Share(share) => share.add(value),
            Self::Digits(digits) => digits.add(value),
            Self::Days(days) => days.add(sample),
            Self::Extremes(extremes) => extremes.add(sample),
            Self::Counted(counted) => counted.add(value),
            Self::Ranked(ranked) => ranked.add(value),
        }
    }

    /// A sample leaves; for [`Extremes`], the oldest one.
    pub(crate) fn remove(&mut self, sample: Sample) {
        let value = sample.value;
        match self {
            Self::Sum(sum) => *sum -= i128::from(value),
            Self::Spread(spread) => spread.remove(value),
            Self::Share(share) => share.remove(value),
            Self::Digits(digits) => digits.remove(value),
            Self::Days(days) => days.remove(sample),
            Self::Extremes(extremes) => extremes.let_go(sample.at),
            Self::Counted(counted) => counted.remove(value),
            Self::Ranked(ranked) => ranked.remove(value),
        }
    }

    /// The measure, as far as the tally shows it.
    pub(super) fn read(&self, measure: Measure, view: &View<'_>) -> WindowValue {
        match (self, measure, view.own) {
            (Self::Sum(sum), Measure::Sum, _) => view.sum(*sum),
            (Self::Sum(sum), ..) => view.average(*sum),
            (Self::Spread(spread), ..) => spread.deviation(view.count()),
            (Self::Share(share), ..) => share.of(view.count()),
            (Self::Digits(digits), ..) => digits.chi_square(),
            (Self::Days(days), Measure::DayTotal { rank, .. }, _) => days.total(rank),
            (Self::Extremes(extremes), ..) => view.extreme(measure, extremes.value()),
            (Self::Counted(counted), Measure::Distinct, _) => whole(counted.distinct()),
            (Self::Counted(counted), _, Some(own)) => whole(counted.occurrences(own)),
            (Self::Ranked(ranked), Measure::Median, _) => ranked::median(ranked),
            (Self::Ranked(ranked), Measure::Percentile(percent), _) => ranked::percentile(ranked, percent),
            (Self::Ranked(ranked), Measure::Similar { percent }, Some(own)) => {
                let near = ranked::similar(own, percent);
                whole((ranked.up_to(*near.end()) - ranked.below(*near.start())) as u64)
            }
            // An event that does not enter the stream has no value of its own: nothing is like it.
            (Self::Counted(_) | Self::Ranked(_), ..) => whole(0),
            (Self::Days(_), ..) => NOTHING,
        }
    }
}
