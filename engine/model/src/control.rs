//! Control records: what officers and configuration change, written into the logs so that a replay applies
//! each change where it happened.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{AlertId, EventTime, Hash256, Key, PaymentEvent, Span};

/// Each list source with the version that is active: `ofac-sdn` → content hash.
pub type ListSet = BTreeMap<String, Hash256>;

/// A change that the stages apply from its place in the log on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "snake_case")]
pub enum Control {
    /// Screen against these versions with these settings.
    Screening(Screening),
    /// A rule set to make ready: shards fill its windows from history, aside.
    Prepare(RuleBundle),
    /// The prepared rule set judges from here on.
    Activate {
        /// The bundle's hash.
        rules: Hash256,
    },
    /// Reject every payment of a key.
    Freeze(Freeze),
    /// End a freeze.
    Unfreeze(Unfreeze),
    /// Let a held payment go.
    Release(Release),
    /// A known false positive: this customer is not this entry.
    Suppress(Suppression),
    /// End a suppression before its time.
    Unsuppress(Suppression),
    /// The failures of a rule are alerted seldom; it judges on: see decision 0506.
    Quarantine(Quarantine),
    /// The failures of a quarantined rule are alerted like any other's again.
    LiftQuarantine(Quarantine),
    /// A payment somebody waits for was not decided in time; the answer is by policy.
    Deadline {
        /// The payment.
        payment_id: String,
        /// The event that asked.
        event_id: String,
        /// The event itself, whom the alert is about; absent in records of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        event: Option<Arc<PaymentEvent>>,
    },
    /// Stream time is set back, after events were taken in under a clock that was ahead.
    SetStreamTime(SetStreamTime),
}

impl Control {
    /// The payment that an order is about; `None` for what changes all of them.
    pub fn payment_id(&self) -> Option<&str> {
        match self {
            Self::Release(Release { payment_id, .. }) | Self::Deadline { payment_id, .. } => Some(payment_id),
            _ => None,
        }
    }

    /// Whether keys apply it too, and not homes alone.
    pub const fn is_for_keys(&self) -> bool {
        matches!(
            self,
            Self::Prepare(_)
                | Self::Activate { .. }
                | Self::Quarantine(_)
                | Self::LiftQuarantine(_)
                | Self::SetStreamTime(_)
        )
    }
}

/// What screening runs against.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Screening {
    /// The active versions. Empty: screening is off, and everything that shows state says so.
    pub lists: ListSet,
    /// From 0 to 1; `None`: the matcher's documented default.
    pub threshold: Option<f64>,
    /// When each source was last known to be current: fetched, or found unchanged.
    #[serde(default)]
    pub checked_at: BTreeMap<String, EventTime>,
    /// How old `checked_at` of a source may be when an event occurs; beyond it nothing counts as screened. `None`: no
    /// limit.
    #[serde(default)]
    pub age_max: Option<Span>,
    /// What is done with a payment one of whose sides has no name at all.
    #[serde(default)]
    pub unnamed: Unnamed,
}

/// What is done with a payment that moves money and names nobody on one of its sides. A name that is there but cannot
/// be read is always held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unnamed {
    /// It goes on: the source is not bound to carry names.
    Accept,
    /// It goes on with an alert.
    Alert,
    /// It is held.
    #[default]
    Hold,
}

/// The files of a rule set: rules (`*.rhai`) and reference data (`*.toml`), by path, in order.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RuleBundle {
    /// Sorted by path, so that the hash is of the content alone.
    pub files: Vec<RuleFile>,
}

/// One file of a rule set.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RuleFile {
    /// Relative to the rules' folder, with `/`.
    pub path: String,
    /// The file's text.
    pub text: String,
}

impl RuleBundle {
    /// A bundle of files in any order.
    pub fn new(mut files: Vec<RuleFile>) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }

    /// The hash of every path and text.
    pub fn hash(&self) -> Hash256 {
        Hash256::of_parts(self.files.iter().flat_map(|f| [f.path.as_bytes(), f.text.as_bytes()]))
    }
}

/// A freeze of a key.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Freeze {
    /// The customer, account or other key.
    pub key: Key,
    /// The case in which it was decided.
    pub case_id: String,
    /// When it was ordered.
    pub at: EventTime,
}

/// The end of one freeze: of the one that the officer saw, not of one ordered since.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Unfreeze {
    /// The customer, account or other key.
    pub key: Key,
    /// The case in which it was frozen.
    pub case_id: String,
    /// When the end was ordered.
    pub at: EventTime,
    /// When the freeze that ends was ordered. `None`, in records of older versions: whenever it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen_at: Option<EventTime>,
}

/// Stream time is set back to what it would be without the events of a wrong clock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SetStreamTime {
    /// The latest event time that counts as seen from here on; never later than the one that is active.
    pub to: EventTime,
    /// Why.
    pub reason: String,
    /// When it was ordered.
    pub at: EventTime,
}

/// The release of a held payment, from the alerts named.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Release {
    /// The payment.
    pub payment_id: String,
    /// The case in which it was decided.
    pub case_id: String,
    /// When it was ordered.
    pub at: EventTime,
    /// The alerts that the officer saw: what else holds the payment keeps it. `None`, in records of older versions:
    /// all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Vec<AlertId>>,
}

/// That a rule's failures be alerted seldom, or the end of that. A mended rule has another content and is another rule.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quarantine {
    /// The hash of the rule's content, parameters included.
    pub rule: Hash256,
    /// Its id, for people.
    pub rule_id: String,
    /// When it was ordered.
    pub at: EventTime,
}

/// A false positive that officers have decided: bound to customer, entry and entry content, and it expires.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Suppression {
    /// The customer, or what [`Party::identity`](crate::Party::identity) and
    /// [`Party::institution`](crate::Party::institution) say of others. A name alone is nobody in particular.
    pub party: Key,
    /// The list source.
    pub list: String,
    /// The entry on that list.
    pub entry_id: String,
    /// The hash of the entry's content: the suppression ends when the entry changes.
    pub entry_hash: Hash256,
    /// Why: the discriminator that tells them apart.
    pub reason: String,
    /// Who approved.
    pub approver: String,
    /// When it ends, in event time.
    pub expires_at: EventTime,
}
