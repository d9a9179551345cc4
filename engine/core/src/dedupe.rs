//! Which ids have been seen, exactly, within a horizon of stream time.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use sluice_model::{EventTime, Hash256, PaymentEvent, Span, limits::DEDUPE_HORIZON};

/// Ids are forgotten an hour of stream time at a time.
const BUCKET: Span = Span::hours(1);

/// 128 bits of the SHA-256 of an id: no two ids share it.
type IdHash = u128;

/// What an event id means now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Novelty {
    /// Never seen within the horizon.
    New,
    /// Seen with the same content.
    Duplicate,
    /// Seen with other content.
    Conflict,
}

/// The ids of the last [`DEDUPE_HORIZON`] of stream time, each with its content's hash.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Dedupe {
    content: HashMap<IdHash, u64, rustc_hash::FxBuildHasher>,
    by_hour: BTreeMap<i64, Vec<IdHash>>,
    stream_time: EventTime,
}

impl Dedupe {
    /// The latest event time accepted so far.
    pub(crate) fn stream_time(&self) -> EventTime {
        self.stream_time
    }

    /// Whether an event of this time is older than what is remembered. Before the first event nothing is.
    pub(crate) fn is_too_old(&self, at: EventTime) -> bool {
        !self.content.is_empty() && at <= self.stream_time.minus(DEDUPE_HORIZON)
    }

    /// Count nothing after this time as seen: what was taken in under a clock that was ahead does not make the present
    /// too old. Ids stay known until the stream has passed them.
    pub(crate) fn set_back(&mut self, to: EventTime) {
        self.stream_time = self.stream_time.min(to);
    }

    /// What the event's id means, and remember it if it is new.
    pub(crate) fn see(&mut self, event: &PaymentEvent) -> Novelty {
        let (id, content) = (id_hash(&event.event_id), event.content_hash());
        match self.content.get(&id) {
            Some(held) if *held == content => return Novelty::Duplicate,
            Some(_) => return Novelty::Conflict,
            None => {}
        }
        self.content.insert(id, content);
        let advanced = event.occurred_at > self.stream_time;
        self.stream_time = self.stream_time.max(event.occurred_at);
        // By the hour of the stream, not of the event: one let in although it is too old is remembered as long.
        self.by_hour.entry(self.stream_time.micros().div_euclid(BUCKET.micros())).or_default().push(id);
        if advanced {
            self.forget();
        }
        Novelty::New
    }

    /// Forget the hours that lie wholly beyond the horizon: an event of theirs would be too old.
    fn forget(&mut self) {
        let oldest = self.stream_time.minus(DEDUPE_HORIZON).micros().div_euclid(BUCKET.micros());
        while let Some(hour) = self.by_hour.first_entry().filter(|hour| *hour.key() < oldest) {
            for id in hour.remove() {
                self.content.remove(&id);
            }
        }
    }
}

/// 128 bits of the SHA-256 of a text.
pub(crate) fn id_hash(text: &str) -> IdHash {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Hash256::of(text.as_bytes()).0[..16]);
    u128::from_le_bytes(bytes)
}
