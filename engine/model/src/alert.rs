//! An alert: one rule's judgement of one key at one cause. Immutable; the same id wherever it is seen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EventTime, FailureCause, Hash256, Key, PartyMatch};

/// The hash of the rule's content, the key and the cause.
pub type AlertId = Hash256;

/// How grave the rule holds its finding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is what it says")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// Every severity, from the slightest on.
    pub const ALL: [Self; 4] = [Self::Low, Self::Medium, Self::High, Self::Critical];

    /// As it is written: in rules, in JSON, on pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// What the rule asks for. Ordered: a softer finding never lowers a harder one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is what it says")]
pub enum Action {
    Alert,
    Hold,
    Reject,
}

impl Action {
    /// Every action, from the softest on.
    pub const ALL: [Self; 3] = [Self::Alert, Self::Hold, Self::Reject];

    /// As it is written: in rules, in JSON, on pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Hold => "hold",
            Self::Reject => "reject",
        }
    }
}

/// What made the rule alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Cause {
    /// An event was judged.
    Event {
        /// The event.
        event_id: String,
    },
    /// A new list version was compared with a known party.
    Rescreen {
        /// The list source.
        list: String,
        /// The version's content hash.
        version: String,
        /// The entry that matches.
        entry_id: String,
        /// The party that it matches.
        party: String,
    },
}

/// The value of one declared window, as the rule saw it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum WindowValue {
    /// A count, a sum in minor units, a time in seconds.
    Int(i64),
    /// A ratio, a mean, a deviation.
    Float(f64),
    /// A window with nothing in it has no minimum, no first, no last.
    Nothing(()),
}

/// What was in force when the judgement was made.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Versions {
    /// The rule's content hash, without its parameters.
    pub rule: String,
    /// The hash of the parameters' values.
    pub parameters: String,
    /// Each list source with its version.
    pub lists: BTreeMap<String, String>,
    /// The version of the suppressions that were in force; empty where there never was one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub suppressions: String,
    /// The engine that judged.
    pub engine: String,
}

/// One rule's judgement. The JSON shape is a contract: replay's output, `sluice.alerts` and the API carry it alike.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Alert {
    /// The hash of the rule's content (parameters included), the key and the cause.
    pub alert_id: AlertId,
    /// The rule's id: `R01`.
    pub rule_id: String,
    /// The hash of the rule's content, parameters included, shortened for people.
    pub rule_version: String,
    /// The pattern of laundering it points to: `structuring`.
    pub typology: String,
    /// What was watched.
    pub key: Key,
    /// The customers (or, failing them, accounts or names) that a case is about.
    pub subjects: Vec<String>,
    /// The event that was judged; empty for a rescreening.
    pub event_id: String,
    /// The offset of that event in its partition of `sluice.payments`. Absent for a rescreening, for an answer by
    /// deadline, and in alerts of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// Its payment.
    pub payment_id: String,
    /// The event's own time.
    pub occurred_at: EventTime,
    /// How grave.
    pub severity: Severity,
    /// What the rule asks for.
    pub action: Action,
    /// In words, made from the parameters and values.
    pub reason: String,
    /// Where the rule could not be judged and its failure policy applies: whose fault that is. Absent where the rule was
    /// judged, and in alerts of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_by: Option<FailureCause>,
    /// The declared windows' values.
    pub windows: BTreeMap<String, WindowValue>,
    /// The list matches that it rests on.
    pub matches: Vec<PartyMatch>,
    /// What made the rule alert.
    pub cause: Cause,
    /// What was in force.
    pub versions: Versions,
}

impl Alert {
    /// The id of an alert: a hash over the rule's content (parameters included), the key and the cause.
    pub fn id(rule_content: Hash256, key: &Key, cause: &Cause) -> AlertId {
        let kind = key.kind.name().as_bytes();
        let (tag, parts): (&[u8], [&str; 4]) = match cause {
            Cause::Event { event_id } => (b"event", [event_id, "", "", ""]),
            Cause::Rescreen { list, version, entry_id, party } => {
                (b"rescreen", [list, version, entry_id, party])
            }
        };
        let fixed = [b"sluice/alert/v1".as_slice(), &rule_content.0, kind, key.value.as_bytes(), tag];
        Hash256::of_parts(fixed.into_iter().chain(parts.iter().map(|p| p.as_bytes())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_alert_of_a_failed_rule_says_so_and_older_ones_are_read() {
        let written = |failed_by: &str| {
            format!(
                r#"{{"alert_id":"{}","rule_id":"R01","rule_version":"1","typology":"t","key":{{"kind":"account","value":"A"}},"subjects":["A"],"event_id":"E","payment_id":"P","occurred_at":"2026-11-20T08:30:00Z","severity":"low","action":"alert","reason":"it could not be judged"{failed_by},"windows":{{}},"matches":[],"cause":{{"kind":"event","event_id":"E"}},"versions":{{"rule":"","parameters":"","lists":{{}},"engine":""}}}}"#,
                Hash256::of(b"id")
            )
        };
        let by_rule = r#","failed_by":"rule""#;
        for (text, failed_by) in [("", None), (by_rule, Some(FailureCause::Rule))] {
            let alert: Alert = serde_json::from_str(&written(text)).unwrap();
            assert_eq!(alert.failed_by, failed_by);
            assert_eq!(serde_json::to_string(&alert).unwrap(), written(text));
        }
    }

    #[test]
    fn names_are_those_of_json() {
        let json = |value: serde_json::Result<serde_json::Value>| value.unwrap().as_str().unwrap().to_owned();
        for severity in Severity::ALL {
            assert_eq!(json(serde_json::to_value(severity)), severity.name());
        }
        for action in Action::ALL {
            assert_eq!(json(serde_json::to_value(action)), action.name());
        }
    }
}
