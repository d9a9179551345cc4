//! Totals of civil days: how much went on the busiest day, on the second busiest, and so on.

use std::collections::BTreeMap;

use sluice_model::{EventTime, WindowValue};

use super::NOTHING;
use crate::window::samples::Sample;

/// Of each day that has samples: how many, and their sum.
#[derive(Clone, Debug)]
pub(crate) struct Days {
    utc_offset_hours: i64,
    by_start: BTreeMap<EventTime, (u32, i128)>,
}

impl Days {
    pub(crate) fn at(utc_offset_hours: i64) -> Self {
        Self { utc_offset_hours, by_start: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, sample: Sample) {
        self.enter(sample.at, 1, sample.value.into());
    }

    /// Samples enter that lie between two times, if those are one day.
    pub(crate) fn add_all(&mut self, times: (EventTime, EventTime), samples: u32, sum: i128) -> bool {
        let one_day = times.0.day_start(self.utc_offset_hours) == times.1.day_start(self.utc_offset_hours);
        if one_day {
            self.enter(times.0, samples, sum);
        }
        one_day
    }

    fn enter(&mut self, at: EventTime, samples: u32, sum: i128) {
        let (count, total) = self.by_start.entry(at.day_start(self.utc_offset_hours)).or_default();
        *count += samples;
        *total += sum;
    }

    pub(crate) fn remove(&mut self, sample: Sample) {
        let day = sample.at.day_start(self.utc_offset_hours);
        if let Some((count, total)) = self.by_start.get_mut(&day) {
            *count -= 1;
            *total -= i128::from(sample.value);
            if *count == 0 {
                self.by_start.remove(&day);
            }
        }
    }

    /// The total of the day of that rank, from 1 for the greatest; it stops at the ends of `i64`, as sums do.
    pub(crate) fn total(&self, rank: usize) -> WindowValue {
        let mut totals: Vec<i128> = self.by_start.values().map(|(_, total)| *total).collect();
        match rank.checked_sub(1).filter(|place| *place < totals.len()) {
            None => NOTHING,
            Some(place) => {
                let (_, total, _) = totals.select_nth_unstable_by(place, |a, b| b.cmp(a));
                WindowValue::Int((*total).clamp(i64::MIN.into(), i64::MAX.into()) as i64)
            }
        }
    }
}
