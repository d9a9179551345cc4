//! The windows of one key: exact over (t − W, t] of event time, for events that come late too, at a cost that
//! does not grow with the window.
//!
//! # How it works
//!
//! Each **stream** of a key is a ring of samples in time order; ties stand in the order of the log. All windows of
//! one length over it share a **cursor**: how many of the newest samples are inside.
//!
//! ```text
//!   oldest                                    newest
//!   [ · · · · | · · · · · · · · · | · · · · · · · ]      `latest` is the time of the key's newest event
//!     kept for        30 d: inside = 16
//!     late events     24 h: inside = 7  └───────────
//! ```
//!
//! *On time* (at or after `latest`): every cursor lets go of what has become too old, the sample is pushed, and
//! every cursor takes it in. Each sample enters and leaves each window once: amortised O(1), whatever the window
//! holds. A count is the cursor itself; a first or last is one look into the ring.
//!
//! What else a window measures is worked out from its samples as long as they are few, so that a quiet key holds
//! nothing but its samples. Beyond `cursor::SMALL` the cursor keeps **tallies**: a sum, a monotonic queue, a sorted
//! multiset, that every sample entering or leaving adjusts.
//!
//! *Late* (before `latest`): the sample is inserted near the end of the ring, into those windows that still reach
//! it. The event itself is judged at its own time, over samples that are neither later than it nor yet to be
//! logged: the cursor is walked back and its tally with it, read, and walked forward again. That costs as much as
//! the event is late, or as a fresh look at its window, whichever is less.
//!
//! Samples stay for the longest window on their stream and [`DEDUPE_HORIZON`] beyond: an accepted event is never
//! later than that. What must outlive them (first and last seen, lifetime sums, values seen before) is folded
//! into the stream's memory when they go.
//!
//! Everything but samples and memory is derived: a snapshot carries those two, and cursors and tallies grow back
//! at the key's next event.
//!
//! **Invariants.** A key's state depends on its own records alone, in their order in the log. After each event
//! every cursor is exact at `latest`. No hash map's order is ever read.
//!
//! [`DEDUPE_HORIZON`]: sluice_model::limits::DEDUPE_HORIZON

mod cursor;
mod measure;
mod memory;
#[cfg(test)]
mod oracle;
mod packed;
mod plan;
#[cfg(test)]
mod properties;
mod samples;
mod series;

use serde::{Deserialize, Serialize};
use sluice_model::{EventTime, WindowValue};

use cursor::Cursor;
pub use plan::WindowPlan;
use series::{Arrival, Series};

/// The state of one key: its samples, and its windows over them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyWindows {
    /// The time of the newest event.
    latest: EventTime,
    /// One for each stream of the plan; none before the first event.
    series: Box<[Series]>,
    /// One for each stretch of the plan; none until the next event after a restore or a change of plan.
    #[serde(skip)]
    cursors: Box<[Cursor]>,
}

impl Default for KeyWindows {
    fn default() -> Self {
        Self::new()
    }
}

impl KeyWindows {
    /// A key that nothing is known of. Allocates nothing.
    pub fn new() -> Self {
        Self { latest: EventTime::from_micros(i64::MIN), series: Box::default(), cursors: Box::default() }
    }

    /// Take in an event's samples (`samples[i]` is the one for the plan's stream `i`) and read every window at the
    /// event's time into `values`, in the order of the rules' plan.
    ///
    /// Exact for an event that comes up to `DEDUPE_HORIZON` late. One that comes later still (sent again with a
    /// reason) is judged by the samples that are left.
    pub fn observe(
        &mut self,
        plan: &WindowPlan,
        at: EventTime,
        samples: &[Option<i64>],
        values: &mut Vec<WindowValue>,
    ) {
        let late = at < self.latest;
        self.latest = self.latest.max(at);
        self.grow_cursors(plan);
        values.resize(plan.windows(), WindowValue::Nothing(()));
        for (i, (stream, series)) in plan.streams().iter().zip(&mut self.series).enumerate() {
            let value = samples.get(i).copied().flatten();
            if value.is_none() && series.is_untouched() {
                stream.untouched.iter().for_each(|(slot, value)| values[*slot] = *value);
                continue;
            }
            let arrival = Arrival { at, value, latest: self.latest, late };
            let stretches = &plan.stretches()[stream.stretches.clone()];
            let cursors = &mut self.cursors[stream.stretches.clone()];
            series.observe(stream, stretches, cursors, arrival, values);
            series.forget(stream, stretches, cursors, self.latest);
        }
    }

    /// Change to a plan that the old one covers (see [`WindowPlan::covers`]): samples stay. Under any other plan, a
    /// key starts anew and is filled by replay; without that, streams whose definition survives keep what they hold.
    pub fn migrate(&mut self, old: &WindowPlan, new: &WindowPlan) {
        let mut held = std::mem::take(&mut self.series);
        let mut keep = |id| old.position(id).and_then(|i| held.get_mut(i)).map(std::mem::take);
        self.series = new.streams().iter().map(|stream| keep(stream.id).unwrap_or_default()).collect();
        for (stream, series) in new.streams().iter().zip(&mut self.series) {
            series.fit(stream);
        }
        self.cursors = Box::default();
    }

    /// Cursors and tallies are derived: they grow at the first event, after a restore and after a change of plan.
    fn grow_cursors(&mut self, plan: &WindowPlan) {
        if self.cursors.len() == plan.stretches().len() && self.series.len() == plan.streams().len() {
            return;
        }
        let mut series = std::mem::take(&mut self.series).into_vec();
        series.resize_with(plan.streams().len(), Series::default);
        let mut cursors = Vec::with_capacity(plan.stretches().len());
        for (stream, series) in plan.streams().iter().zip(&mut series) {
            series.fit(stream);
            let stretches = &plan.stretches()[stream.stretches.clone()];
            let cursor = |s| Cursor::over(series.source(s), s.opens(self.latest), &s.tallies);
            cursors.extend(stretches.iter().map(cursor));
        }
        self.series = series.into();
        self.cursors = cursors.into();
    }
}
