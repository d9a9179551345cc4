//! What stages produce. Gathered over a batch, then committed with the batch's offset in one transaction.

use sluice_model::{Alert, Control, DeadLetter, Decision, Disposition};

use crate::wire::{Copy, KeyedRecord, VerdictRecord};

/// What became of the events of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Judged.
    pub events: u64,
    /// Same id, same content: nothing new.
    pub duplicates: u64,
    /// Sent to the dead letters by the home.
    pub dead_letters: u64,
}

impl Counts {
    /// These and those of another stretch.
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.duplicates += other.duplicates;
        self.dead_letters += other.dead_letters;
    }
}

/// What a home produces.
#[derive(Debug, Default)]
pub struct HomeOutput {
    /// One for each key that a rule watches.
    pub copies: Vec<Copy>,
    /// Alerts of rules that need no window.
    pub alerts: Vec<Alert>,
    /// Holds, refusals, releases.
    pub dispositions: Vec<Disposition>,
    /// For the gathering of decisions.
    pub verdicts: Vec<VerdictRecord>,
    /// What could not be judged.
    pub dead_letters: Vec<DeadLetter>,
    /// What became of the events.
    pub counts: Counts,
}

/// What a shard produces.
#[derive(Debug, Default)]
pub struct ShardOutput {
    /// Alerts of rules on this shard's keys.
    pub alerts: Vec<Alert>,
    /// Holds and refusals: a hold speaks at once.
    pub dispositions: Vec<Disposition>,
    /// For the gathering of decisions.
    pub verdicts: Vec<VerdictRecord>,
}

/// What gathering produces.
#[derive(Debug, Default)]
pub struct GatherOutput {
    /// One for each event that somebody waits for.
    pub decisions: Vec<Decision>,
}

/// What the composite engine produces: everything but what stays inside it.
#[derive(Debug, Default)]
pub struct Output {
    /// In the order of the records that caused them; at one record, the home's first, then key by key.
    pub alerts: Vec<Alert>,
    /// Holds, refusals, releases.
    pub dispositions: Vec<Disposition>,
    /// What could not be judged.
    pub dead_letters: Vec<DeadLetter>,
    /// One for each event that somebody waits for.
    pub decisions: Vec<Decision>,
    /// What became of the events.
    pub counts: Counts,
}

/// What the control stage produces, in the order of the orders.
#[derive(Debug, Default)]
pub struct DistributorOutput {
    /// Each with where it goes.
    pub routed: Vec<Routed>,
}

/// Where a control record goes.
#[derive(Clone, PartialEq, Debug)]
pub enum Routed {
    /// To every payments partition.
    Homes(Control),
    /// To the payments partition of one payment.
    HomeOf {
        /// The payment.
        payment_id: String,
        /// The order about it.
        control: Control,
    },
    /// To every keyed partition.
    Shards(KeyedRecord),
}
