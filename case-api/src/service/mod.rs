//! What the case side does: each act loads what it needs, has `domain` decide, and commits rows, evidence leaf, control
//! record and answer in one transaction. A file for each thing that is acted on.
//!
//! **Invariant.** Nothing else calls the store: the API and the console ask here.

mod cases;
mod configurations;
mod error;
mod idempotency;
mod intake;
mod outbox;
mod quarantine;
mod rules;
mod stream_time;
mod suppressions;

use std::sync::Mutex;

use sluice_model::EventTime;
use tokio::sync::Semaphore;

pub use cases::Acted;
pub use error::{ActError, WorkError};
pub use idempotency::Running;
pub use intake::Consumed;
pub use quarantine::{QuarantineActed, QuarantineOrder};
pub use rules::{Filling, ProposeError, RulesStatus, VersionActed, VersionError};
pub use stream_time::StreamTimeSet;
pub use suppressions::{NewSuppression, SuppressionNow};

use crate::{
    health::Health,
    limits::TRIALS_AT_ONCE,
    metrics::Metrics,
    ports::Ports,
    store::{Store, StoreError, random},
};

/// Who acts when the engine does.
const ENGINE: &str = "engine";

/// The acts of the case side, and what only memory holds of them.
pub struct Service {
    pub(crate) store: Store,
    pub(crate) ports: Ports,
    pub(crate) metrics: Metrics,
    /// Whether the work behind the pages goes on.
    pub(crate) health: Health,
    /// Turns at trying a proposed rule set.
    trying: Semaphore,
    /// The version that is being back-tested: one at a time.
    backtesting: Mutex<Option<String>>,
    /// One delivery of the outbox at a time, so that control records arrive in order.
    delivering: tokio::sync::Mutex<()>,
    /// Claims of an `Idempotency-Key` under way.
    running: Running,
    /// Names this process among those that used the same store.
    instance: String,
}

impl Service {
    /// Over a store and what the rest of Sluice offers.
    pub fn new(store: Store, ports: Ports, metrics: Metrics) -> Result<Self, StoreError> {
        let health = Health::new(ports.clock.now());
        Ok(Self {
            store,
            ports,
            metrics,
            health,
            trying: Semaphore::new(TRIALS_AT_ONCE),
            backtesting: Mutex::new(None),
            delivering: tokio::sync::Mutex::new(()),
            running: Running::default(),
            instance: hex::encode(random::<8>()?),
        })
    }

    /// The time of an act.
    pub fn now(&self) -> EventTime {
        self.ports.clock.now()
    }
}

/// How metrics name what came of an act.
fn outcome<T, E>(done: &Result<T, E>) -> &'static str {
    if done.is_ok() { "done" } else { "refused" }
}
