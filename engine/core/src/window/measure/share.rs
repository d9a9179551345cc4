//! The share of samples in a band.

use std::ops::Range;

use sluice_model::WindowValue;

use super::NOTHING;

/// How many samples lie in the band.
#[derive(Clone, Debug)]
pub(crate) struct Share {
    band: Range<i64>,
    within: u64,
}

impl Share {
    pub(crate) fn within(band: Range<i64>) -> Self {
        Self { band, within: 0 }
    }

    pub(crate) fn add(&mut self, value: i64) {
        self.within += u64::from(self.band.contains(&value));
    }

    pub(crate) fn remove(&mut self, value: i64) {
        self.within -= u64::from(self.band.contains(&value));
    }

    /// From 0 to 1.
    pub(crate) fn of(&self, count: u64) -> WindowValue {
        match count {
            0 => NOTHING,
            _ => WindowValue::Float(self.within as f64 / count as f64),
        }
    }
}
