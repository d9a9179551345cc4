//! What the case side asks of the rest of Sluice: feeds to read, a place for control records, what is loaded.
//!
//! `cli` wires these to the log and the runtime; tests wire them to memory. All calls may block: they are made
//! on threads that may.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
pub use sluice_http::{Clock, SystemClock};
use sluice_model::{
    Action, Alert, Control, Decision, EventTime, Hash256, HoldRecord, KeyKind, ListMatch, Observation,
    PaymentEvent, RuleBundle, Severity,
};
pub use sluice_model::{Prepared, RuleSets};
use sluice_rules::{Backtest, CaseEngine, Description, Rule};

pub use crate::domain::Topic;

/// Why a port could not do what was asked. The text is for operators and holds no personal data.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct PortError(pub String);

/// One record of a feed.
#[derive(Clone, Debug)]
pub enum Record {
    /// A rule's judgement, with the event that it judged where the source has it at hand.
    Alert(Box<Alert>, Option<Arc<PaymentEvent>>),
    /// A hold, refusal or release of a payment.
    Hold(HoldRecord),
    /// An answer to a payment service.
    Decision(Decision),
    /// Something noted of a rule.
    Observation(Observation),
}

/// A record with its place in its feed.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its offset; the next read begins at `offset + 1`.
    pub offset: u64,
    /// What it says.
    pub record: Record,
}

/// Ordered, durable streams that can be read again from any offset.
pub trait Feed: Send + Sync {
    /// At most `max` records of the topic at or after `from`, in order; empty when there are none yet.
    fn read(&self, topic: Topic, from: u64, max: usize) -> Result<Vec<Item>, PortError>;

    /// The offset after the topic's last record: a reader at it has read everything.
    fn end(&self, topic: Topic) -> Result<u64, PortError>;
}

/// Where control records go. Once `append` returns, the log whose engine applies the record has it on disk.
pub trait ControlSink: Send + Sync {
    /// This process appends from now on: no other that shares the outbox does any more.
    fn take_over(&self) -> Result<(), PortError> {
        Ok(())
    }

    /// Append one record, the `seq`th of the outbox; its offset where orders are kept. The log remembers with it
    /// how far the outbox has come, so that an older copy of the outbox is recognised. After a crash the last one may
    /// be appended again: a freeze, unfreeze or release that comes twice in a row does what it does once.
    fn append(&self, seq: u64, control: &Control) -> Result<u64, PortError>;

    /// Have the log remember that the evidence log holds so many leaves: an older copy of the case database is
    /// recognised by that.
    fn note_leaves(&self, leaves: u64) -> Result<(), PortError>;
}

/// What screening says of a name.
#[derive(Clone, PartialEq, Debug)]
pub enum NameAnswer {
    /// What it meets, best first. None: it is clear.
    Matches(Vec<ListMatch>),
    /// It cannot be screened whole, and is not clear. Why, in a few words.
    NotScreened(&'static str),
}

/// What the engine judges and screens with at this moment.
pub trait Catalogue: Send + Sync {
    /// The active version of each list source; empty: screening is off.
    fn lists(&self) -> Vec<ActiveList>;
    /// The active rules.
    fn rules(&self) -> Vec<ActiveRule>;
    /// The rule sets in force and made ready.
    fn rule_sets(&self) -> RuleSets;
    /// What a name meets on the active lists.
    fn screen(&self, screening: &Screening) -> Result<NameAnswer, PortError>;
    /// The hash of an entry's content: in one version of a list, or (`None`) in the one that is active. `None` where
    /// the entry is not on it.
    fn entry_hash(
        &self,
        list: &str,
        version: Option<&str>,
        entry_id: &str,
    ) -> Result<Option<Hash256>, PortError>;
    /// What everybody who works here has to know, in sentences: a demonstration, rules from a watched folder, an old list.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
    /// The latest event time that the engine has applied.
    fn stream_time(&self) -> Option<EventTime> {
        None
    }
    /// Why the engine cannot take traffic, if it cannot.
    fn not_ready(&self) -> Option<String> {
        None
    }
}

/// An active version of a list source.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ActiveList {
    /// The source: `ofac-sdn`.
    pub source: String,
    /// The version's content hash.
    pub version: String,
    /// Entries in it.
    pub entries: u64,
    /// Names in it, aliases included.
    pub names: u64,
    /// The publisher's own date, where the list says one.
    pub published: Option<String>,
    /// When it was activated or fetched, RFC 3339.
    pub fetched_at: Option<String>,
    /// When it was last known to be current, RFC 3339: imported, or found unchanged.
    pub checked_at: Option<String>,
    /// Whether it came from its official address, not from a file that somebody imported.
    pub fetched: bool,
    /// What its activation meant for parties already known, if it was activated since this process started.
    pub rescreened: Option<RescreeningCounts>,
}

/// What a new version of a list meant for parties already known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RescreeningCounts {
    /// Parties compared.
    pub checked: u64,
    /// Entries that were new or changed.
    pub entries: u64,
    /// Alerts raised.
    pub alerts: u64,
    /// Sightings of parties that are not known, for want of room.
    pub left_out: u64,
}

/// An active rule, as an officer reads it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ActiveRule {
    /// `R01`.
    pub id: String,
    /// What it looks for.
    pub title: String,
    /// The kind of key it watches.
    #[schema(value_type = String)]
    pub key: KeyKind,
    /// How grave a finding is.
    #[schema(value_type = String)]
    pub severity: Severity,
    /// What a finding asks for.
    #[schema(value_type = String)]
    pub action: Action,
    /// The pattern of laundering it points to.
    pub typology: String,
    /// The source in law or guidance.
    pub regulation: String,
    /// The hash of its content, parameters included, shortened.
    pub version: String,
    /// Whether it only records what it would have done.
    pub shadow: bool,
    /// Whether it is judged in shadow beside the rules in force, as what may follow them.
    pub candidate: bool,
    /// Whether it is in quarantine: it judges on, and its failures are alerted seldom.
    pub quarantined: bool,
    /// What the values of its windows count: a currency's code (minor units of it), `seconds`, or `moment`
    /// (seconds since 1970). A plain number where a window is not named here.
    pub units: BTreeMap<String, String>,
    /// Who answers for its parameters.
    pub owners: Vec<String>,
    /// The file it is in.
    pub file: String,
    /// The file's text.
    pub text: String,
}

impl ActiveRule {
    /// A rule with what is described of it, where that is at hand, and the text of its file.
    pub fn of(rule: &Rule, description: Option<&Description>, text: String, quarantined: bool) -> Self {
        let meta = &rule.meta;
        let regulation: Vec<_> =
            meta.regulation.iter().map(|r| format!("{} ({})", r.text, r.source)).collect();
        let parameters = description.into_iter().flat_map(|described| &described.parameters);
        let mut owners: Vec<String> = parameters.map(|parameter| parameter.owner.clone()).collect();
        owners.sort();
        owners.dedup();
        Self {
            id: meta.id.clone(),
            title: meta.title.clone(),
            key: meta.key,
            severity: meta.severity,
            action: meta.action,
            typology: meta.typology.clone(),
            regulation: regulation.join("; "),
            version: rule.content.short(),
            shadow: meta.shadow,
            candidate: meta.candidate,
            quarantined,
            units: rule.units.iter().map(|(window, unit)| (window.clone(), unit.to_string())).collect(),
            owners,
            file: rule.file.clone(),
            text,
        }
    }
}

/// A party to screen.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Screening {
    /// The name, in any script.
    #[schema(min_length = 1)]
    pub name: String,
    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    #[serde(default)]
    pub birth_date: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[serde(default)]
    pub country: Option<String>,
    /// The most matches to return; 10 where it is not said.
    #[serde(default)]
    pub limit: Option<usize>,
}

/// The past that rule sets are held against.
pub trait History: Send + Sync {
    /// What `candidate` would have said of the newest events of the log, beside what `active` would have.
    fn backtest(
        &self,
        active: &RuleBundle,
        candidate: &RuleBundle,
        bounds: Bounds,
    ) -> Result<BacktestRun, PortError>;
}

/// How much of the past may be judged again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    /// The newest records of the log, that many at most.
    pub events_max: u64,
    /// How long it may take; what was judged by then is the result.
    pub time_max: Duration,
}

/// What a back-test came to.
#[derive(Debug)]
pub struct BacktestRun {
    /// The comparison.
    pub report: Backtest,
    /// Whether all that was asked for was judged.
    pub complete: bool,
}

/// Everything that `cli` hands in.
#[derive(Clone)]
pub struct Ports {
    /// Alerts, holds and decisions.
    pub feed: Arc<dyn Feed>,
    /// Where freezes and releases go.
    pub control: Arc<dyn ControlSink>,
    /// Rules and lists in force.
    pub catalogue: Arc<dyn Catalogue>,
    /// What cases of proposed rules run through.
    pub cases: Arc<dyn CaseEngine + Send + Sync>,
    /// What back-tests of proposed rules run over.
    pub history: Arc<dyn History>,
    /// The time of acts.
    pub clock: Arc<dyn Clock>,
}
