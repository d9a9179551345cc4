//! What stages produce. Gathered over a batch, then committed with the batch's offset in one transaction.

use sluice_model::{Alert, DeadLetter, Decision, Hash256, HoldRecord, Observation};

use crate::{
    Offset,
    publication::Published,
    wire::{KeyedEvent, KeyedRecord, VerdictRecord},
};

/// What became of the events of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Judged.
    pub events: u64,
    /// Sent to the dead letters by the home.
    pub dead_letters: u64,
    /// Judged, at a status to which their payment may not come from the one it had.
    pub illegal_statuses: u64,
}

impl Counts {
    /// These and those of another stretch.
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.dead_letters += other.dead_letters;
        self.illegal_statuses += other.illegal_statuses;
    }
}

/// What became of the known parties when a new version of a list was put in force.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RescreenReport {
    /// The list source.
    pub list: String,
    /// The new version.
    pub version: Hash256,
    /// Entries that were new or changed.
    pub entries: usize,
    /// Known parties compared with them.
    pub checked: usize,
    /// Alerts raised.
    pub alerts: usize,
    /// Sightings of parties that are not known, for want of room: they were not compared.
    pub left_out: u64,
}

/// What a home produces.
#[derive(Clone, Debug, Default)]
pub struct HomeOutput {
    /// One for each key that a rule watches.
    pub keyed: Vec<KeyedEvent>,
    /// Alerts of rules that need no window.
    pub alerts: Vec<Alert>,
    /// What is noted of those rules.
    pub observations: Vec<Observation>,
    /// Holds, refusals, releases.
    pub holds: Vec<HoldRecord>,
    /// For the gathering of decisions.
    pub verdicts: Vec<VerdictRecord>,
    /// What could not be judged.
    pub dead_letters: Vec<DeadLetter>,
    /// What became of the known parties.
    pub rescreened: Vec<RescreenReport>,
    /// The offsets of events that came before with the same content: nothing new. Not published.
    pub duplicates: Vec<Offset>,
    /// What became of the events.
    pub counts: Counts,
}

/// What a shard produces.
#[derive(Clone, Debug, Default)]
pub struct ShardOutput {
    /// Alerts of rules on this shard's keys.
    pub alerts: Vec<Alert>,
    /// What is noted of those rules.
    pub observations: Vec<Observation>,
    /// Holds and refusals: a hold applies at once.
    pub holds: Vec<HoldRecord>,
    /// For the gathering of decisions.
    pub verdicts: Vec<VerdictRecord>,
}

/// What gathering produces.
#[derive(Clone, Debug, Default)]
pub struct GatherOutput {
    /// One for each event that somebody waits for.
    pub decisions: Vec<Decision>,
    /// What orders to release came to.
    pub holds: Vec<HoldRecord>,
}

/// What the composite engine produces: everything but what stays inside it.
#[derive(Clone, Debug, Default)]
pub struct Output {
    /// In the order of the records that caused them; at one record, the home's first, then key by key.
    pub alerts: Vec<Alert>,
    /// What rules in shadow would have alerted, and which rules failed; in the same order.
    pub observations: Vec<Observation>,
    /// Holds, refusals, releases.
    pub holds: Vec<HoldRecord>,
    /// What could not be judged.
    pub dead_letters: Vec<DeadLetter>,
    /// One for each event that somebody waits for.
    pub decisions: Vec<Decision>,
    /// What became of the known parties.
    pub rescreened: Vec<RescreenReport>,
    /// The offsets of events that came before with the same content, in order. Not published.
    pub duplicates: Vec<Offset>,
    /// What became of the events.
    pub counts: Counts,
}

/// What the control stage produces, in the order of the orders.
#[derive(Clone, Debug, Default)]
pub struct DistributorOutput {
    /// Each order, for the homes or keys that apply it.
    pub orders: Vec<Published>,
}

impl HomeOutput {
    /// All that is published of it.
    pub(crate) fn published(self) -> impl Iterator<Item = Published> {
        let keyed = self.keyed.into_iter().map(|event| Published::Keyed(KeyedRecord::Event(Box::new(event))));
        keyed
            .chain(self.alerts.into_iter().map(Published::alert))
            .chain(self.observations.into_iter().map(Published::Observation))
            .chain(self.holds.into_iter().map(Published::Hold))
            .chain(self.dead_letters.into_iter().map(Published::DeadLetter))
            .chain(self.verdicts.into_iter().map(Published::Verdict))
    }
}

impl ShardOutput {
    /// All that is published of it.
    pub(crate) fn published(self) -> impl Iterator<Item = Published> {
        let alerts = self.alerts.into_iter().map(Published::alert);
        alerts
            .chain(self.observations.into_iter().map(Published::Observation))
            .chain(self.holds.into_iter().map(Published::Hold))
            .chain(self.verdicts.into_iter().map(Published::Verdict))
    }
}

impl GatherOutput {
    /// All that is published of it.
    pub(crate) fn published(self) -> impl Iterator<Item = Published> {
        let decisions = self.decisions.into_iter().map(Published::Decision);
        decisions.chain(self.holds.into_iter().map(Published::Hold))
    }
}

impl Output {
    /// All that is published of it.
    pub(crate) fn published(self) -> impl Iterator<Item = Published> {
        let alerts = self.alerts.into_iter().map(Published::alert);
        alerts
            .chain(self.observations.into_iter().map(Published::Observation))
            .chain(self.holds.into_iter().map(Published::Hold))
            .chain(self.dead_letters.into_iter().map(Published::DeadLetter))
            .chain(self.decisions.into_iter().map(Published::Decision))
    }
}
