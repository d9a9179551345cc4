//! What is answered to whoever waits for a payment, and what is published of holds and refusals.

use serde::{Deserialize, Serialize};

use crate::{AlertId, EventTime};

/// The answer to a payment service. Ordered: reject > hold > allow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is what it says")]
pub enum Outcome {
    #[default]
    Allow,
    Hold,
    Reject,
}

impl Outcome {
    /// Every outcome, from the softest on.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Hold, Self::Reject];

    /// As it is written: in JSON, on pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Hold => "hold",
            Self::Reject => "reject",
        }
    }
}

impl From<crate::Action> for Outcome {
    fn from(action: crate::Action) -> Self {
        match action {
            crate::Action::Alert => Self::Allow,
            crate::Action::Hold => Self::Hold,
            crate::Action::Reject => Self::Reject,
        }
    }
}

/// The answer for one event of a payment, once every verdict is in or the deadline has passed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// The payment decided.
    pub payment_id: String,
    /// The event that asked.
    pub event_id: String,
    /// allow, hold or reject.
    pub decision: Outcome,
    /// The alerts behind it, in order.
    pub alerts: Vec<AlertId>,
    /// Why, in words that may be shown to an officer, never to a customer.
    pub reasons: Vec<String>,
    /// Whether the deadline passed before every verdict was in; the answer is then by policy.
    pub deadline_passed: bool,
    /// The question that it answers: the offset of the event that asked in its partition of `sluice.payments`. Absent in
    /// answers to clients, which are the same however often they ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// What becomes of a payment that is not let through at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is what it says")]
pub enum HoldOutcome {
    Held,
    Rejected,
    Released,
}

impl From<Outcome> for HoldOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Allow => Self::Released,
            Outcome::Hold => Self::Held,
            Outcome::Reject => Self::Rejected,
        }
    }
}

/// A hold, refusal or release of a payment, as it is published for payment services. (How a case closes is its
/// disposition, another thing.)
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HoldRecord {
    /// The payment.
    pub payment_id: String,
    /// The event that was judged; for a release, empty.
    pub event_id: String,
    /// What becomes of it.
    pub state: HoldOutcome,
    /// The alert that holds it, or the case that released it.
    pub because: String,
    /// The event's own time; for a release, when it was ordered.
    pub at: EventTime,
    /// After an order to release: the alerts that were released, or, where the payment stays held, those that still
    /// hold it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<AlertId>,
}

/// What could not be taken in, with the reason and the original bytes: nothing is lost.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeadLetter {
    /// When its source handed it over.
    pub received_at: EventTime,
    /// Where it came from: `http`, a file's name.
    pub source: String,
    /// Which kind of refusal: `malformed`, `far_future`, `too_old`, `conflict`, `too_large`.
    pub code: String,
    /// Why, without personal data.
    pub reason: String,
    /// The bytes as they came.
    #[serde(with = "bytes_as_text")]
    pub original: Vec<u8>,
    /// The event, where one was refused that is in the payments log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<RefusedEvent>,
}

/// An event that the home refused to judge.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct RefusedEvent {
    /// Its offset in its partition of `sluice.payments`.
    pub offset: u64,
    /// Its id.
    pub event_id: String,
    /// [`PaymentEvent::content_hash`](crate::PaymentEvent::content_hash).
    pub content: u64,
}

/// UTF-8 as text, anything else as hexadecimal after `hex:`, so that a person can read what can be read.
mod bytes_as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.starts_with("hex:") => s.serialize_str(text),
            _ => s.serialize_str(&format!("hex:{}", hex::encode(bytes))),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(d)?;
        match text.strip_prefix("hex:") {
            Some(digits) => hex::decode(digits).map_err(de::Error::custom),
            None => Ok(text.into_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_json() {
        for outcome in Outcome::ALL {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.name());
        }
    }
}
