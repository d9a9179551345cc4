//! The share of samples in a band.

use std::ops::Range;

use sluice_model::WindowValue;

use super::NOTHING;

/// How many samples lie in the band.
#[derive(Clone, Debug)]
pub struct Share {
    band: Range<i64>,
    within: u64,
}

impl Share {
    pub fn within(band: Range<i64>) -> Self {
        Self { band, within: 0 }
    }

    pub fn add(&mut self, value: i64) {
        self.within += u64::from(self.band.contains(&value));
    }

    pub fn remove(&mut self, value: i64) {
        self.within -= u64::from(self.band.contains(&value));
    }

    /// From 0 to 1.
    pub fn of(&self, count: u64) -> WindowValue {
        match count {
            0 => NOTHING,
            _ => WindowValue::Float(self.within as f64 / count as f64),
        }
    }
}
