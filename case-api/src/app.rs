//! What every handler shares.

use std::sync::OnceLock;

use axum::Router;
use sluice_model::EventTime;
use tokio::sync::{Mutex, Semaphore};

use crate::{
    auth::{Limiter, MemoryKeys, Tally, Turns},
    limits::{SIGN_INS_AT_ONCE, SIGN_INS_WAITING_MAX, TRIALS_AT_ONCE},
    metrics::Metrics,
    ports::Ports,
    store::{Store, StoreError},
};

/// The case side's state: the store, the ports, and what only memory holds.
pub struct App {
    pub(crate) store: Store,
    pub(crate) ports: Ports,
    pub(crate) metrics: Metrics,
    pub(crate) limiter: Limiter,
    pub(crate) keys: MemoryKeys,
    /// Failed sign-ins that are not written down yet.
    pub(crate) failed: Tally,
    /// Turns at hashing a password, for those who signed in from the same browser before.
    pub(crate) hashing: Turns,
    /// The same for everybody else.
    pub(crate) hashing_for_strangers: Turns,
    /// Turns at trying a proposed rule set.
    pub(crate) trying: Semaphore,
    /// The version that is being back-tested: one at a time.
    pub(crate) backtesting: std::sync::Mutex<Option<String>>,
    /// The runtime's routes, without sign-in.
    pub(crate) ingest: OnceLock<Router>,
    /// One delivery of the outbox at a time, so that control records arrive in order.
    pub(crate) delivering: Mutex<()>,
    /// Names this process among those that used the same store.
    pub(crate) instance: String,
    /// Whether cookies are for HTTPS only.
    pub(crate) secure_cookies: bool,
}

impl App {
    pub(crate) fn new(
        store: Store,
        ports: Ports,
        metrics: Metrics,
        secure: bool,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            store,
            ports,
            metrics,
            limiter: Limiter::default(),
            keys: MemoryKeys::default(),
            failed: Tally::default(),
            hashing: Turns::new(SIGN_INS_AT_ONCE, SIGN_INS_WAITING_MAX),
            hashing_for_strangers: Turns::new(SIGN_INS_AT_ONCE, SIGN_INS_WAITING_MAX),
            trying: Semaphore::new(TRIALS_AT_ONCE),
            backtesting: std::sync::Mutex::new(None),
            ingest: OnceLock::new(),
            delivering: Mutex::new(()),
            instance: hex::encode(crate::store::random::<8>()?),
            secure_cookies: secure,
        })
    }

    pub(crate) fn now(&self) -> EventTime {
        self.ports.clock.now()
    }
}
