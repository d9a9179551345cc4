//! The windows of one key: exact over (t − W, t] of event time, for events that come late too, at a cost that
//! does not grow with the window.
//!
//! # How it works
//!
//! Each **stream** of a key is a ring of samples in time order; ties are in the order of the log. All windows of
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
//! *Lazily*: an event touches the streams that it enters, and no other; a window is read when a rule that is being
//! judged reaches it, and only then does its cursor let go of what has become too old. What is read never changes
//! what is held. Windows that leave the event out (`before`) are read before its sample enters, the others after.
//!
//! What else a window measures is worked out from its samples as long as they are few, so that a quiet key holds
//! nothing but its samples. Beyond `cursor::SMALL` the cursor keeps **tallies**: a sum, a monotonic queue, a sorted
//! multiset, that every sample entering or leaving adjusts.
//!
//! *Late* (before `latest`): the sample is inserted near the end of the ring, into those windows that still reach
//! it. The event itself is judged at its own time, over samples that are neither later than it nor yet to be
//! logged: the cursor is walked back and its tally with it, read, and walked forward again, or its window is looked at
//! anew, whichever is less. Where both are far, samples are summed up in **runs**, and the window is read from those.
//!
//! Samples stay for the longest window on their stream and [`DEDUPE_HORIZON`] beyond: an accepted event is never
//! later than that. What must outlive them (first and last seen, lifetime sums, values seen before) is folded
//! into the stream's memory when they go.
//!
//! Everything but samples and memory is derived: a snapshot carries those two, and cursors and tallies grow back
//! when the stream is next looked at, runs when a late event next asks.
//!
//! **Invariants.** A key's state depends on its own records alone, in their order in the log, and not on what was
//! read. A cursor that is read is exact at `latest`. No hash map's order is ever read.
//!
//! [`DEDUPE_HORIZON`]: sluice_model::limits::DEDUPE_HORIZON

mod cursor;
mod forerunners;
mod measure;
mod memory;
#[cfg(test)]
mod oracle;
mod packed;
#[cfg(test)]
mod past_properties;
mod plan;
#[cfg(test)]
mod properties;
mod runs;
mod samples;
mod series;

use std::{cell::RefCell, collections::BTreeSet};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use sluice_model::{EventTime, WindowValue};
use sluice_rules::Windows;

use measure::{PastTally, View};
pub use plan::WindowPlan;
use samples::Sample;
use series::{Arrival, Series};

/// The state of one key: its samples, and its windows over them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyWindows {
    /// The time of the newest event.
    latest: EventTime,
    /// Those streams of the plan that an event entered, by their place in it, in order: most keys never feed most
    /// streams.
    series: Vec<(usize, Series)>,
}

/// The values of a plan's windows at one event, as far as they were read. Reused between events.
#[derive(Debug, Default)]
pub struct Values {
    values: Vec<Option<WindowValue>>,
    /// Those that are there.
    read: Vec<usize>,
    /// What windows that are read at several past times keep from one to the next, until another event enters.
    past: FxHashMap<usize, Option<PastTally>>,
}

/// One key's windows at one event.
pub struct Reading<'a> {
    plan: &'a WindowPlan,
    at: EventTime,
    late: bool,
    samples: &'a [(usize, i64)],
    state: RefCell<(&'a mut KeyWindows, &'a mut Values)>,
}

impl Default for KeyWindows {
    fn default() -> Self {
        Self::new()
    }
}

impl KeyWindows {
    /// A key that nothing is known of. Allocates nothing.
    pub fn new() -> Self {
        Self { latest: EventTime::from_micros(i64::MIN), series: Vec::new() }
    }

    /// Take in an event's samples: into which streams of the plan, and what. Then every window can be read at the
    /// event's time.
    ///
    /// Exact for an event that comes up to `DEDUPE_HORIZON` late. One that comes later still (sent again with a
    /// reason) is judged by the samples that are left.
    pub fn observe<'a>(
        &'a mut self,
        plan: &'a WindowPlan,
        at: EventTime,
        samples: &'a [(usize, i64)],
        values: &'a mut Values,
    ) -> Reading<'a> {
        let late = at < self.latest;
        self.latest = self.latest.max(at);
        values.forget(plan.windows().len());
        values.past.clear();
        for &(stream, value) in samples {
            let arrival = Arrival { at, value: Some(value), latest: self.latest, late };
            self.series_of(stream).enter(plan, &plan.streams()[stream], arrival, value, values);
        }
        Reading { plan, at, late, samples, state: RefCell::new((self, values)) }
    }

    /// Whether the key has had an event after this time.
    pub fn is_late(&self, at: EventTime) -> bool {
        at < self.latest
    }

    /// Take out a sample, as if it had never entered; what is no longer held, or outlives its sample, stays.
    pub fn take_back(&mut self, plan: &WindowPlan, stream: usize, at: EventTime, value: i64) {
        if let Ok(place) = self.series.binary_search_by_key(&stream, |(held, _)| *held) {
            let series = &mut self.series[place].1;
            series.take_back(plan.stretches_of(&plan.streams()[stream]), Sample { at, value });
        }
    }

    /// The first so many times at which these streams have samples later than an event.
    pub fn later(&self, streams: &[usize], at: EventTime, most: usize) -> impl Iterator<Item = EventTime> {
        let held = self.series.iter().filter(|(stream, _)| streams.contains(stream));
        // No more of one stream than of all: a busy key has a million.
        let times: BTreeSet<EventTime> = held.flat_map(|(_, series)| series.later(at).take(most)).collect();
        times.into_iter().take(most)
    }

    /// Read the windows at another time than the newest event's, for an event that has entered.
    pub fn read_at<'a>(
        &'a mut self,
        plan: &'a WindowPlan,
        at: EventTime,
        samples: &'a [(usize, i64)],
        values: &'a mut Values,
    ) -> Reading<'a> {
        values.forget(plan.windows().len());
        let late = at < self.latest;
        Reading { plan, at, late, samples, state: RefCell::new((self, values)) }
    }

    fn series_of(&mut self, stream: usize) -> &mut Series {
        let place = self.series.binary_search_by_key(&stream, |(held, _)| *held).unwrap_or_else(|place| {
            // One by one: there are few, and memory per key matters more than the copying.
            self.series.reserve_exact(1);
            self.series.insert(place, (stream, Series::default()));
            place
        });
        &mut self.series[place].1
    }

    /// Count nothing after this time as seen: it was taken in under a clock that was ahead, and everything since would
    /// come later than samples are kept for.
    pub fn set_back(&mut self, to: EventTime) {
        if self.latest > to {
            self.latest = to;
            self.series.iter_mut().for_each(|(_, series)| series.set_back(to));
        }
    }

    /// Change to a plan that the old one covers (see [`WindowPlan::covers`]): samples stay. Under any other plan, a
    /// key starts anew and is filled by replay; without that, streams whose definition survives keep what they hold.
    pub fn migrate(&mut self, old: &WindowPlan, new: &WindowPlan) {
        let held = std::mem::take(&mut self.series).into_iter();
        self.series = held
            .filter_map(|(place, mut series)| {
                let place = new.position(old.streams().get(place)?.id)?;
                series.fit(&new.streams()[place]);
                Some((place, series))
            })
            .collect();
        self.series.sort_unstable_by_key(|(place, _)| *place);
    }
}

impl Values {
    /// Of so many windows, none has been read.
    fn forget(&mut self, windows: usize) {
        self.read.drain(..).for_each(|slot| self.values[slot] = None);
        self.values.resize(windows.max(self.values.len()), None);
    }

    fn keep(&mut self, slot: usize, value: WindowValue) {
        self.values[slot] = Some(value);
        self.read.push(slot);
    }
}

impl Windows for Reading<'_> {
    fn value(&self, slot: usize) -> WindowValue {
        let (key, values) = &mut *self.state.borrow_mut();
        if let Some(known) = values.values[slot] {
            return known;
        }
        let window = &self.plan.windows()[slot];
        let value = match key.series.binary_search_by_key(&window.stream, |(held, _)| *held) {
            Ok(place) => {
                let own = self.samples.iter().find(|(stream, _)| *stream == window.stream);
                let value = own.map(|(_, value)| *value);
                let arrival = Arrival { at: self.at, value, latest: key.latest, late: self.late };
                let series = &mut key.series[place].1;
                match self.late {
                    true => series.read(self.plan, window, arrival, values.past.entry(slot).or_default()),
                    false => series.read(self.plan, window, arrival, &mut None),
                }
            }
            Err(_) => View::EMPTY.read(window.measure, None),
        };
        values.keep(slot, value);
        value
    }
}
