//! What every handler shares.

use std::{
    collections::HashSet,
    sync::{OnceLock, PoisonError},
};

use axum::Router;
use sluice_model::EventTime;
use tokio::sync::{Mutex, Semaphore};

use crate::{
    auth::{Limiter, MemoryKeys, Tally, Turns},
    health::Health,
    limits::{SIGN_INS_AT_ONCE, SIGN_INS_WAITING_MAX, TRIALS_AT_ONCE},
    metrics::Metrics,
    ports::Ports,
    store::{Claim, Claimed, Store, StoreError},
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
    /// Claims of an `Idempotency-Key` under way.
    pub(crate) running: Running,
    /// Whether the work behind the pages goes on.
    pub(crate) health: Health,
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
        let health = Health::new(ports.clock.now());
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
            running: Running::default(),
            health,
            instance: hex::encode(crate::store::random::<8>()?),
            secure_cookies: secure,
        })
    }

    pub(crate) fn now(&self) -> EventTime {
        self.ports.clock.now()
    }

    /// Claim an `Idempotency-Key`, or a form. The turn is held as long as the request runs.
    pub(crate) async fn claim(&self, claim: &Claim) -> Result<(Claimed, Option<Turn<'_>>), StoreError> {
        let turn = self.running.take(claim);
        let claimed = self.store.claim(claim, &self.instance, turn.is_none(), self.now()).await?;
        Ok((claimed, turn))
    }
}

/// The claims whose requests are under way in this process. In memory: a claim must not outlive its request, whatever
/// becomes of the disk or of the client.
#[derive(Default)]
pub(crate) struct Running(std::sync::Mutex<HashSet<(String, String)>>);

/// A claim that is under way until this is dropped.
pub(crate) struct Turn<'a>(&'a Running, (String, String));

impl Running {
    /// The turn of a claim; `None` where another request has it.
    fn take(&self, claim: &Claim) -> Option<Turn<'_>> {
        let key = (claim.actor.clone(), claim.key.clone());
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(key.clone()).then(|| Turn(self, key))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}
