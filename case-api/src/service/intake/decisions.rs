//! An answer that a payment service was given.

use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Decision, Hash256, Outcome};

use super::Batch;
use crate::{
    domain::held_by_decision,
    service::ENGINE,
    store::{Entry, StoreError},
    words,
};

impl Batch<'_> {
    /// Take in an answer. One that differs from the one before corrects it: both are kept.
    pub(super) async fn decision(&mut self, decision: &Decision) -> Result<(), StoreError> {
        let hash = Hash256::of(&serde_json::to_vec(decision)?).to_string();
        let before = match self.tx.decision(&decision.event_id).await? {
            Some((known, _)) if known == hash => return Ok(()),
            Some((_, leaf)) => Some(leaf),
            None => self.tx.decision_of_older_versions(&decision.event_id).await?,
        };
        if decision.decision != Outcome::Allow && decision.alerts.is_empty() {
            self.hold(&held_by_decision(decision, self.tx.now)).await?;
        }
        let case_id = match decision.alerts.first() {
            Some(alert) => self.tx.case_of_alert(&alert.to_string()).await?,
            None => self.tx.case_of_payment(&decision.payment_id).await?,
        };
        let entry = Entry {
            kind: Kind::Decision,
            act: words::outcome(decision.decision),
            actor: ENGINE,
            about: &decision.event_id,
            case_id: case_id.as_deref(),
        };
        let leaf = self.tx.leaf(entry, &json!({ "decision": decision, "corrects": before })).await?;
        if let (Some(before), Some(case_id)) = (before, &case_id) {
            let said = json!({
                "payment_id": decision.payment_id, "decision": words::outcome(decision.decision), "corrects": before,
            });
            self.tx.note(case_id, ENGINE, "corrected", &said, leaf).await?;
        }
        self.tx.put_decision(&decision.event_id, &hash, leaf).await?;
        self.consumed.decisions += 1;
        Ok(())
    }
}
