//! The one place in the engine where time is read. What is stamped here travels in the records.

use sluice_model::EventTime;

/// Tells the time of taking in.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> EventTime;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> EventTime {
        EventTime::from_micros(jiff::Timestamp::now().as_microsecond())
    }
}
