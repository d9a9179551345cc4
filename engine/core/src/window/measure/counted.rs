//! Different values, and how often each occurs.

use rustc_hash::FxHashMap;

/// How often each value occurs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted(FxHashMap<i64, u32>);

impl Counted {
    pub(crate) fn add(&mut self, value: i64) {
        *self.0.entry(value).or_default() += 1;
    }

    pub(crate) fn remove(&mut self, value: i64) {
        if let Some(count) = self.0.get_mut(&value) {
            *count -= 1;
            if *count == 0 {
                self.0.remove(&value);
            }
        }
    }

    pub(crate) fn distinct(&self) -> u64 {
        self.0.len() as u64
    }

    pub(crate) fn occurrences(&self, value: i64) -> u64 {
        self.0.get(&value).copied().unwrap_or(0).into()
    }
}
