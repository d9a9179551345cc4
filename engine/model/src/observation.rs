//! What is noted of rules beside their alerts: what a rule in shadow would have alerted, and that a rule could not be
//! evaluated. Nobody is alerted by an observation and no payment waits for one.

use serde::{Deserialize, Serialize};

use crate::{Action, Alert, EventTime, Hash256};

/// One thing noted of one rule. The JSON says which under `observed`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "observed", rename_all = "snake_case")]
pub enum Observation {
    /// What a rule in shadow would have alerted: an alert in everything but its effect.
    Shadow(Box<Alert>),
    /// A rule could not be evaluated; its failure policy was applied.
    Failure(RuleFailure),
}

/// A rule that could not be evaluated on one event of one key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RuleFailure {
    /// The rule's id.
    pub rule_id: String,
    /// The hash of the rule's content, parameters included.
    pub rule: Hash256,
    /// The event.
    pub event_id: String,
    /// Its payment.
    pub payment_id: String,
    /// The event's own time.
    pub occurred_at: EventTime,
    /// What the rule's failure policy asks for.
    pub on_error: Action,
    /// Why, without a value of the event.
    pub reason: String,
    /// Whose fault it is.
    #[serde(default)]
    pub cause: FailureCause,
    /// A hash of the key that was judged, so that failures on different keys can be counted apart.
    #[serde(default)]
    pub key: Hash256,
}

/// Whose fault it is that a rule could not be evaluated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The event, or what is known about it, lacks what the rule needs: a field, a rate, a reference row; or a number in
    /// it is too large. It never counts towards quarantine: whoever sends events can cause it.
    #[default]
    Input,
    /// The rule itself: a limit of the interpreter, an expression that cannot be evaluated.
    Rule,
}

impl FailureCause {
    /// As it is written: in JSON and on metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Rule => "rule",
        }
    }
}
