//! What the case side does: each act loads what it needs, has `domain` decide, and commits rows, evidence leaf, control
//! record and answer in one transaction. A file for each thing that is acted on.
//!
//! **Invariant.** Nothing else calls the store: the API and the console ask here.

mod alerts;
mod case_files;
mod cases;
mod configurations;
mod dead_letters;
mod error;
mod evidence;
mod idempotency;
mod intake;
mod lead;
mod outbox;
mod quarantine;
mod readiness;
mod rules;
mod screening;
mod stream_time;
mod suppressions;
mod users;

use std::{collections::HashMap, sync::Mutex, time::Duration};

use sluice_model::EventTime;
use tokio::sync::Semaphore;

pub(crate) use cases::ActOutcome;
pub(crate) use error::ActError;
pub use error::WorkError;
pub(crate) use idempotency::{ClaimOutcome, Turns};
pub use intake::IntakeCounts;
pub(crate) use quarantine::{QuarantineOrder, QuarantineOutcome};
pub(crate) use rules::{Filling, ProposeError, RulesStatus, VersionError, VersionOutcome};
pub(crate) use screening::ScreeningAnswer;
pub(crate) use stream_time::StreamTimeSet;
pub(crate) use suppressions::{NewSuppression, SuppressionNow};

pub(crate) use crate::store::{
    AlertFilter, Answer, AuditEntry, CaseFilter, ChainStatus, Claim, Configuration, HourCount, NewSession,
    PROPOSAL, Page, RuleCounts, RuleVersion, ShadowAlert, StoreError, StoredAlert, Subject,
    SuppressionFilter, SuppressionRow, TimelineEntry, name_of, random,
};

use self::lead::Lead;
use crate::{
    health::Health,
    limits::TRIALS_AT_ONCE,
    metrics::Metrics,
    ports::{Catalogue, Ports, Topic},
    store::Store,
};

/// Who acts when the engine does.
const ENGINE: &str = "engine";

/// The acts of the case side, and what only memory holds of them.
pub(crate) struct Service {
    store: Store,
    ports: Ports,
    pub(crate) metrics: Metrics,
    /// Whether the work behind the pages goes on.
    health: Health,
    /// Turns at trying a proposed rule set.
    trying: Semaphore,
    /// The version that is being back-tested: one at a time.
    backtesting: Mutex<Option<String>>,
    /// One delivery of the outbox at a time, so that control records arrive in order.
    delivering: tokio::sync::Mutex<()>,
    /// Whether other processes serve the same store.
    is_shared: bool,
    /// The record of each feed that waits for an alert, and since when by the monotonic clock.
    waiting: Mutex<HashMap<Topic, (u64, Duration)>>,
    /// Whether this process does the work behind the pages.
    lead: Lead,
    /// Claims of an `Idempotency-Key` under way.
    running: Turns,
    /// Names this process among those that used the same store.
    instance: String,
}

impl Service {
    /// Over a store and what the rest of Sluice offers.
    pub(crate) fn new(
        store: Store,
        ports: Ports,
        metrics: Metrics,
        is_shared: bool,
    ) -> Result<Self, StoreError> {
        let health = Health::new(ports.clock.now());
        Ok(Self {
            store,
            ports,
            metrics,
            health,
            trying: Semaphore::new(TRIALS_AT_ONCE),
            backtesting: Mutex::new(None),
            delivering: tokio::sync::Mutex::new(()),
            is_shared,
            waiting: Mutex::default(),
            lead: Lead::default(),
            running: Turns::default(),
            instance: hex::encode(random::<8>()?),
        })
    }

    /// The time of an act.
    pub(crate) fn now(&self) -> EventTime {
        self.ports.clock.now()
    }

    /// What the engine judges and screens with at this moment.
    pub(crate) fn catalogue(&self) -> &dyn Catalogue {
        &*self.ports.catalogue
    }
}

/// How metrics name what came of an act.
fn outcome<T, E>(done: &Result<T, E>) -> &'static str {
    if done.is_ok() { "done" } else { "refused" }
}
