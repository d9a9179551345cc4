//! The vocabulary that every other crate speaks: events, parties, money, time, keys, alerts, decisions and
//! control records.
//!
//! **Invariant.** No I/O, no clock, no random source, no floats for money. Types here are parsed, never
//! validated later: a value that exists is a value that holds.

#![warn(unreachable_pub)]

mod alert;
mod control;
mod decision;
mod decode;
mod event;
mod hash;
pub mod identifier;
mod key;
pub mod limits;
mod method;
mod money;
mod observation;
mod proxy;
mod record;
mod rollout;
mod screening;
mod spelling;
mod status;
mod time;
mod topic;
mod wording;

pub use alert::{Action, Alert, AlertId, Cause, Severity, Versions, WindowValue};
pub use control::{
    Control, Freeze, ListSet, Quarantine, Release, RuleBundle, RuleFile, Screening, SetStreamTime,
    Suppression, Unfreeze, Unnamed,
};
pub use decision::{DeadLetter, Decision, HoldOutcome, HoldRecord, Outcome, RefusedEvent};
pub use decode::EventOfJson;
pub use event::{
    AsGiven, Attributes, BOOKING_DATE, Card, Device, Direction, EventType, Merchant, Party, PaymentEvent,
    Proxy, RelatedParty, Role,
};
pub use hash::Hash256;
pub use key::{Key, KeyKind, Keys, add_key};
pub use method::{METHODS, Method, MethodGroup};
pub use money::{Currency, Money, MoneyError};
pub use observation::{FailureCause, Observation, RuleFailure};
pub use record::{EventRecord, PaymentRecord};
pub use rollout::{NextOrder, Ordered, Prepared, RuleSets};
pub use screening::{EntryKind, ListMatch, NotScreened, PartyMatch, Reason, WhyNotScreened};
pub use status::{Counted, PaymentPast, PaymentStatus, StatusSet};
pub use time::{EventTime, Span, TimeError, date_with_offset};
pub use topic::{Partition, Topic};
pub use wording::without_values;

/// The version of the engine that judges: it is in every alert, and a change of judgement changes it.
pub const ENGINE_VERSION: &str = env!("CARGO_PKG_VERSION");
