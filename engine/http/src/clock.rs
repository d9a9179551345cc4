//! The one place where a service reads the time. What is stamped with it travels in records, leaves and rows.

use std::time::Duration;

use sluice_model::EventTime;

/// Tells the time. A port, so that tests can turn it.
pub trait Clock: Send + Sync {
    /// Now, as the machine's clock gives it.
    fn now(&self) -> EventTime;

    /// How long ago some fixed moment lies. It goes on evenly, whatever is done to the machine's time: what
    /// [`Clock::now`] is held against.
    fn elapsed(&self) -> Duration;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> EventTime {
        EventTime::from_micros(jiff::Timestamp::now().as_microsecond())
    }

    /// Since the machine was started, its sleep included: `std`'s clock is stopped meanwhile, and a laptop that is
    /// opened again would look like one whose time was changed.
    #[cfg(target_os = "linux")]
    fn elapsed(&self) -> Duration {
        let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Duration::new(since.tv_sec.unsigned_abs(), u32::try_from(since.tv_nsec).unwrap_or(0))
    }

    #[cfg(not(target_os = "linux"))]
    fn elapsed(&self) -> Duration {
        static BEGAN: std::sync::LazyLock<std::time::Instant> =
            std::sync::LazyLock::new(std::time::Instant::now);
        BEGAN.elapsed()
    }
}
