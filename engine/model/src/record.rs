//! The records of the payments log.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Control, EventTime, PaymentEvent};

/// One record of the payments log: an event, or a change that later events apply.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentRecord {
    /// A payment event.
    Event(EventRecord),
    /// A control record.
    Control(Control),
}

impl PaymentRecord {
    /// The payment that it is about; `None` for a change of everything.
    pub fn payment_id(&self) -> Option<&str> {
        match self {
            Self::Event(record) => Some(record.event.payment_id()),
            Self::Control(control) => control.payment_id(),
        }
    }
}

/// An event as it was taken in.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EventRecord {
    /// Stamped once, by the source; the core has no other clock.
    pub received_at: EventTime,
    /// Whether somebody waits for the decision.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub awaited: bool,
    /// Why an event older than the dedupe horizon is let in all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_reason: Option<String>,
    /// The event.
    pub event: Arc<PaymentEvent>,
}
