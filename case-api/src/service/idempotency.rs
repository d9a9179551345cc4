//! A request or a form that is sent twice is one: its claim, and the answer that is given again.

use std::{collections::HashSet, sync::PoisonError};

use super::Service;
use crate::{
    limits::IDEMPOTENCY_LIFE,
    store::{Answer, Claim, KeptClaim, StoreError},
};

/// What became of a claim.
#[derive(Clone, Debug)]
pub(crate) enum ClaimOutcome {
    /// Nobody ran it: run it.
    Run,
    /// It ran: give this answer again.
    Again(Answer),
    /// The key was used for another request.
    Other,
    /// It is running at this moment.
    Running,
}

impl Service {
    /// Claim an `Idempotency-Key`, or a form. The turn is held as long as the request runs.
    pub(crate) async fn claim(&self, claim: &Claim) -> Result<(ClaimOutcome, Option<Turn<'_>>), StoreError> {
        let turn = self.running.take(claim);
        let mut tx = self.store.begin(self.now()).await?;
        tx.forget_claims_before(tx.now.minus(IDEMPOTENCY_LIFE)).await?;
        let kept = tx.kept_claim(claim).await?;
        let claimed = claimed(kept, claim, &self.instance, turn.is_none())?;
        if let ClaimOutcome::Run = claimed {
            tx.put_claim(claim, &self.instance).await?;
            tx.commit().await?;
        } else {
            tx.give_up().await?;
        }
        Ok((claimed, turn))
    }

    pub(crate) async fn keep_answer(&self, claim: &Claim, answer: &Answer) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        tx.keep_answer(claim, answer.status, &answer.content_type, &answer.body).await?;
        tx.commit().await
    }

    /// Give a claim up: the request did nothing, or may run again.
    pub(crate) async fn disclaim(&self, claim: &Claim) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        tx.forget_claim(claim).await?;
        tx.commit().await
    }
}

/// What becomes of a claim. `is_running`: whether a request of this process holds it at this moment. What else was left
/// without an answer died with its process, was given up by its client, or met a full disk; what it did was rolled back, or
/// kept together with its answer.
fn claimed(
    kept: Option<KeptClaim>,
    claim: &Claim,
    instance: &str,
    is_running: bool,
) -> Result<ClaimOutcome, StoreError> {
    let Some(kept) = kept else { return Ok(ClaimOutcome::Run) };
    if kept.fingerprint != claim.fingerprint {
        return Ok(ClaimOutcome::Other);
    }
    let runs = kept.instance == instance && is_running;
    Ok(match kept.answer()? {
        Some(answer) => ClaimOutcome::Again(answer),
        None if runs => ClaimOutcome::Running,
        None => ClaimOutcome::Run,
    })
}

/// The claims whose requests are under way in this process. In memory: a claim must not outlive its request, whatever
/// becomes of the disk or of the client.
#[derive(Default)]
pub(crate) struct Turns(std::sync::Mutex<HashSet<(String, String)>>);

/// A claim that is under way until this is dropped.
pub(crate) struct Turn<'a>(&'a Turns, (String, String));

impl Turns {
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
