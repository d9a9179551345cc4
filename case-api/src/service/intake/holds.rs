//! A payment is held, refused or let go: whoever answers for it has it in a case.

use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{HoldOutcome, HoldRecord};

use super::Batch;
use crate::{
    domain::{HoldState, settle, unexplained},
    service::ENGINE,
    store::{Entry, StoreError},
};

impl Batch<'_> {
    /// Take in a hold or refusal, or what came of an order to release.
    pub(super) async fn hold_record(&mut self, said: &HoldRecord) -> Result<(), StoreError> {
        if said.state == HoldOutcome::Released || !said.alerts.is_empty() {
            return self.answer(said).await;
        }
        self.hold(said).await
    }

    /// Record a hold or refusal that is not known yet.
    pub(super) async fn hold(&mut self, said: &HoldRecord) -> Result<(), StoreError> {
        if self.tx.knows_hold(&said.payment_id, &said.because).await? {
            return Ok(());
        }
        let state = HoldState::kept(said);
        let act = if state == HoldState::Rejected { "reject" } else { "hold" };
        let case_id = match self.tx.case_of_alert(&said.because).await? {
            Some(case_id) => case_id,
            None => self.case_without_alert(said).await?,
        };
        self.tx.add_hold(said, state, &case_id).await?;
        let leaf = self.hold_leaf(said, act, Some(&case_id)).await?;
        self.tx.note(&case_id, ENGINE, act, &json!({ "payment_id": said.payment_id }), leaf).await?;
        self.consumed.holds += u64::from(state == HoldState::Held);
        Ok(())
    }

    /// Open a case for a payment that the engine keeps for an alert that nobody has read: it must not wait unseen.
    async fn case_without_alert(&mut self, said: &HoldRecord) -> Result<String, StoreError> {
        let alert = unexplained(said);
        self.alert(&alert, None).await?;
        let case_id = self.tx.case_of_alert(&alert.alert_id.to_string()).await?;
        case_id.ok_or(StoreError::Corrupt("case of an alert"))
    }

    /// What came of an order: the engine says which alerts it let go, or which still hold the payment.
    async fn answer(&mut self, said: &HoldRecord) -> Result<(), StoreError> {
        let moved = said.state == HoldOutcome::Released;
        if !moved {
            // What holds it is known already, unless this record came before the others.
            for alert in &said.alerts {
                let hold = HoldRecord { because: alert.to_string(), alerts: Vec::new(), ..said.clone() };
                self.hold(&hold).await?;
            }
        }
        let holds = self.tx.holds_on(&said.payment_id).await?;
        let settled = settle(&holds, said);
        for hold in settled.released {
            self.tx.set_released(hold).await?;
        }
        let act = if moved { "released" } else { "still_held" };
        let leaf = self.hold_leaf(said, act, settled.cases.first().map(String::as_str)).await?;
        let line = json!({ "payment_id": said.payment_id, "alerts": said.alerts });
        for case_id in &settled.cases {
            self.tx.note(case_id, ENGINE, act, &line, leaf).await?;
        }
        Ok(())
    }

    async fn hold_leaf(
        &mut self,
        said: &HoldRecord,
        act: &str,
        case_id: Option<&str>,
    ) -> Result<i64, StoreError> {
        let entry = Entry { kind: Kind::Hold, act, actor: ENGINE, about: &said.payment_id, case_id };
        // The name that readers of evidence know.
        self.tx.leaf(entry, &json!({ "disposition": said })).await
    }
}
