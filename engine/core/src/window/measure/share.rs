//! The share of samples in a band.

use std::ops::RangeInclusive;

use sluice_model::WindowValue;

use super::NOTHING;

/// How many samples lie in the band.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    band: RangeInclusive<i64>,
    within: u64,
}

impl Share {
    pub(crate) fn within(band: RangeInclusive<i64>) -> Self {
        Self { band, within: 0 }
    }

    /// Of the band from `low` to below `high`.
    pub(crate) fn below(low: i64, high: i64) -> Self {
        Self::within(high.checked_sub(1).map_or(RangeInclusive::new(1, 0), |last| low..=last))
    }

    pub(crate) fn add(&mut self, value: i64) {
        self.within += u64::from(self.band.contains(&value));
    }

    pub(crate) fn remove(&mut self, value: i64) {
        self.within -= u64::from(self.band.contains(&value));
    }

    /// Samples in order enter.
    pub(crate) fn add_all(&mut self, sorted: &[i64]) {
        let below = sorted.partition_point(|value| value < self.band.start());
        let up_to = sorted.partition_point(|value| value <= self.band.end());
        self.within += up_to.saturating_sub(below) as u64;
    }

    pub(crate) fn count(&self) -> u64 {
        self.within
    }

    /// From 0 to 1.
    pub(crate) fn of(&self, count: u64) -> WindowValue {
        match count {
            0 => NOTHING,
            _ => WindowValue::Float(self.within as f64 / count as f64),
        }
    }
}
