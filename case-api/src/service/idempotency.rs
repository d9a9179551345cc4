//! A request or a form that is sent twice is one: its claim, and the answer that is given again.

use std::{collections::HashSet, sync::PoisonError};

use super::Service;
use crate::store::{Answer, Claim, Claimed, StoreError};

impl Service {
    /// Claim an `Idempotency-Key`, or a form. The turn is held as long as the request runs.
    pub async fn claim(&self, claim: &Claim) -> Result<(Claimed, Option<Turn<'_>>), StoreError> {
        let turn = self.running.take(claim);
        let claimed = self.store.claim(claim, &self.instance, turn.is_none(), self.now()).await?;
        Ok((claimed, turn))
    }

    /// Keep an answer for a claim.
    pub async fn keep_answer(&self, claim: &Claim, answer: &Answer) -> Result<(), StoreError> {
        self.store.keep_answer(claim, answer, self.now()).await
    }

    /// Give a claim up: the request did nothing, or may run again.
    pub async fn disclaim(&self, claim: &Claim) -> Result<(), StoreError> {
        self.store.disclaim(claim, self.now()).await
    }
}

/// The claims whose requests are under way in this process. In memory: a claim must not outlive its request, whatever
/// becomes of the disk or of the client.
#[derive(Default)]
pub struct Running(std::sync::Mutex<HashSet<(String, String)>>);

/// A claim that is under way until this is dropped.
pub struct Turn<'a>(&'a Running, (String, String));

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
