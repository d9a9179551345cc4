//! What travels between stages.

use std::{hash::Hasher, sync::Arc};

use crate::Offset;
use serde::{Deserialize, Serialize};
use sluice_model::{
    AlertId, Control, EventTime, Hash256, Key, ListSet, NotScreened, Outcome, PartyMatch, PaymentEvent,
    PaymentPast, Release, Role,
};

/// One record of `sluice.keyed`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyedRecord {
    /// An event, for a key that a rule watches.
    Event(Box<KeyedEvent>),
    /// A change of rules.
    Control(Control),
}

/// An event as one key sees it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct KeyedEvent {
    /// The key that is to judge it.
    pub key: Key,
    /// The sides that the key is on.
    pub role: Role,
    /// What the payment has been through.
    pub past: PaymentPast,
    /// Whether somebody waits for the decision.
    pub awaited: bool,
    /// The offset of the event in its partition of `sluice.payments`.
    pub offset: Offset,
    /// The event.
    pub event: Arc<PaymentEvent>,
    /// What screening found.
    pub screened: Arc<Screened>,
}

/// The result of screening one event, with the versions under which it was screened.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Screened {
    /// The versions in force.
    pub lists: Arc<ListSet>,
    /// The version of the suppressions; `None` before the first.
    pub suppressions: Option<Hash256>,
    /// The parties that match an entry, suppressed matches left out.
    pub matches: Vec<PartyMatch>,
    /// What could not be screened: never "no match".
    pub not_screened: Vec<NotScreened>,
}

impl Screened {
    /// Whether anything could not be screened.
    pub fn failed(&self) -> bool {
        !self.not_screened.is_empty()
    }
}

/// One record of `sluice.verdicts`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictRecord {
    /// What the home or one key says of an event.
    Verdict(Verdict),
    /// An event that was judged already is asked for again.
    Again {
        /// The latest event time that the home has seen.
        at: EventTime,
        /// The payment.
        payment_id: String,
        /// The event that asks.
        event_id: String,
        /// Its offset in its partition of `sluice.payments`.
        offset: Offset,
    },
    /// The deadline of an event passed.
    Deadline {
        /// The payment.
        payment_id: String,
        /// The event that asked.
        event_id: String,
        /// The alert of the answer by policy, which holds the payment; absent for records of older versions.
        found: Option<VerdictFinding>,
    },
    /// An officer released the payment.
    Released(Release),
    /// Stream time is set back.
    StreamTime {
        /// The latest event time that counts as seen.
        to: EventTime,
    },
}

impl VerdictRecord {
    /// The payment that it is about; `None` for what changes all of them.
    pub fn payment_id(&self) -> Option<&str> {
        match self {
            Self::Verdict(verdict) => Some(&verdict.payment_id),
            Self::Again { payment_id, .. } | Self::Deadline { payment_id, .. } => Some(payment_id),
            Self::Released(order) => Some(&order.payment_id),
            Self::StreamTime { .. } => None,
        }
    }
}

/// What the home or one key says of an event. Sent when somebody waits, or when the payment must not go on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// The payment judged.
    pub payment_id: String,
    /// The event judged.
    pub event_id: String,
    /// Its offset in its partition of `sluice.payments`.
    pub offset: Offset,
    /// The event's own time; from the home, the latest of any so far.
    pub at: EventTime,
    /// Whether somebody waits for the decision.
    pub awaited: bool,
    /// Whose verdict it is.
    pub from: Speaker,
    /// allow, hold or reject.
    pub outcome: Outcome,
    /// The alerts behind it.
    pub found: Vec<VerdictFinding>,
}

/// One alert behind a verdict.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VerdictFinding {
    /// The alert.
    pub alert_id: AlertId,
    /// What it asks for.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
}

/// Who a verdict is from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The payment's home, which asked this many keys.
    Home {
        /// How many verdicts of keys will follow.
        asked: u32,
    },
    /// A key that was asked.
    Key(Key),
}

/// The partition, of `partitions`, that owns an id or a key. Stable for ever: it is part of what the logs mean.
pub fn partition_of(text: &str, partitions: u32) -> u32 {
    // FNV-1a: specified, tiny, and even enough to spread keys over partitions.
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    hasher.write(text.as_bytes());
    // A multiply-shift of the mixed hash; the low bits of FNV alone are weak.
    let mixed = (hasher.finish() ^ (hasher.finish() >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u32::try_from((u128::from(mixed) * u128::from(partitions)) >> 64).unwrap_or(0)
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logs that were written are read by it: these never change.
    #[test]
    fn a_partition_is_the_same_for_ever() {
        for (text, of_4, of_4096) in
            [("", 2, 2135), ("P-1", 2, 2237), ("C-100021", 0, 108), ("香港", 2, 2741)]
        {
            assert_eq!((partition_of(text, 4), partition_of(text, 4096)), (of_4, of_4096), "{text:?}");
        }
        assert_eq!(partition_of("P-1", 1), 0);
    }
}
