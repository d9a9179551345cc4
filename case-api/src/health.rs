//! Whether the work behind the pages goes on: what each part of it did last, for whoever asks whether the process is
//! ready. It keeps what is reported and judges it by the limits; it reads no clock.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use sluice_model::EventTime;

use crate::{
    limits::{FEED_STALLED_AFTER, LEAVES_NOTED_EVERY, PROBE_EVERY},
    ports::Topic,
};

/// A part of the work.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Work {
    /// Taking in a feed.
    Feed(Topic),
    /// Delivering control records.
    Outbox,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Feed(topic) => write!(f, "the feed of {}", topic.name()),
            Self::Outbox => f.write_str("the outbox"),
        }
    }
}

/// What became of each part.
pub(crate) struct Health {
    state: Mutex<State>,
    /// What the writer's last probe found, and when; held while it is made, so that there is one at a time.
    pub probe: tokio::sync::Mutex<Option<(EventTime, Option<String>)>>,
}

struct State {
    /// Why the last attempt failed.
    failed: HashMap<Work, String>,
    /// When a feed last moved, or was level with its source.
    moved: HashMap<Topic, EventTime>,
    /// Where a feed was when it was last asked about.
    seen: HashMap<Topic, u64>,
    opened: EventTime,
    leaves: u64,
    leaves_at: Option<EventTime>,
}

impl Health {
    /// Nothing has been done yet, at `now`.
    pub(crate) fn new(now: EventTime) -> Self {
        let state = State {
            failed: HashMap::new(),
            moved: HashMap::new(),
            seen: HashMap::new(),
            opened: now,
            leaves: 0,
            leaves_at: None,
        };
        Self { state: Mutex::new(state), probe: tokio::sync::Mutex::default() }
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What became of an attempt.
    pub(crate) fn note(&self, work: Work, error: Option<&impl fmt::Display>) {
        self.state(|state| match error {
            Some(error) => state.failed.insert(work, error.to_string()),
            None => state.failed.remove(&work),
        });
    }

    /// Why a part of the work cannot go on, if one cannot.
    pub(crate) fn failure(&self) -> Option<String> {
        self.state(|state| {
            let first = state.failed.iter().min_by_key(|(work, _)| work.to_string());
            first.map(|(work, error)| format!("{work} does not advance: {error}"))
        })
    }

    /// A feed moved, or is level with its source.
    pub(crate) fn moved(&self, topic: Topic, now: EventTime) {
        self.state(|state| state.moved.insert(topic, now));
    }

    /// A feed is at `next` and its source at `end`: whether it has not advanced for too long.
    pub(crate) fn stalled(&self, topic: Topic, next: u64, end: u64, now: EventTime) -> Option<String> {
        let moved = self.state(|state| {
            // Another process may move it.
            if state.seen.insert(topic, next).is_some_and(|before| before != next) {
                state.moved.insert(topic, now);
            }
            state.moved.get(&topic).copied().unwrap_or(state.opened)
        });
        let still = now.since(moved);
        (next < end && still > FEED_STALLED_AFTER).then(|| {
            let seconds = still.micros() / 1_000_000;
            format!("{} is at {next} of {end} and has not advanced for {seconds} s", Work::Feed(topic))
        })
    }

    /// Whether a probe of that time still counts.
    pub(crate) fn counts(at: EventTime, now: EventTime) -> bool {
        // A clock that was set back makes it count no longer.
        at <= now && now.since(at) < PROBE_EVERY
    }

    /// Whether it is time to note on the log that there are so many leaves.
    pub(crate) fn leaves_are_due(&self, leaves: u64, now: EventTime) -> bool {
        self.state(|state| {
            let rested = state.leaves_at.is_none_or(|at| at > now || now.since(at) >= LEAVES_NOTED_EVERY);
            leaves != state.leaves && rested
        })
    }

    /// It was noted.
    pub(crate) fn leaves_noted(&self, leaves: u64, now: EventTime) {
        self.state(|state| (state.leaves, state.leaves_at) = (leaves, Some(now)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feed_that_does_not_advance_behind_its_source_is_reported_and_one_that_is_level_is_not() {
        let at = |seconds| EventTime::from_micros(1_000_000 * seconds);
        let health = Health::new(at(0));
        let stalled = |next, end, seconds| health.stalled(Topic::Alerts, next, end, at(seconds)).is_some();
        let limit = FEED_STALLED_AFTER.micros() / 1_000_000;
        assert!(!stalled(5, 9, limit));
        assert!(stalled(5, 9, limit + 1));
        assert!(!stalled(9, 9, 9 * limit), "there is nothing to read");
        health.moved(Topic::Alerts, at(9 * limit));
        assert!(!stalled(9, 12, 10 * limit));
        assert!(stalled(9, 12, 10 * limit + 1));
        assert!(!stalled(10, 12, 10 * limit + 2), "another process has moved it");
        assert!(stalled(10, 12, 11 * limit + 3));
        assert!(health.stalled(Topic::Decisions, 0, 1, at(limit + 1)).is_some(), "each for itself");
    }

    #[test]
    fn what_failed_last_is_reported_until_it_succeeds() {
        let health = Health::new(EventTime::from_micros(0));
        assert_eq!(health.failure(), None);
        health.note(Work::Outbox, Some(&"no space"));
        assert_eq!(health.failure().as_deref(), Some("the outbox does not advance: no space"));
        health.note(Work::Outbox, None::<&String>);
        assert_eq!(health.failure(), None);
    }
}
