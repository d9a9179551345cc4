//! An alert opens a case or joins one.

use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Alert, PaymentEvent};

use super::Batch;
use crate::{
    domain::{Case, joins, subjects},
    service::ENGINE,
    store::{Entry, StoreError},
};

impl Batch<'_> {
    /// Take in an alert that is not known yet.
    pub(super) async fn alert(
        &mut self,
        alert: &Alert,
        event: Option<&PaymentEvent>,
    ) -> Result<(), StoreError> {
        let id = alert.alert_id.to_string();
        if self.tx.knows_alert(&id).await? {
            return Ok(());
        }
        let subjects = subjects(alert);
        let case = match self.open_case(alert, &subjects).await? {
            Some(case) => case,
            None => self.new_case(alert, &subjects[0]).await?,
        };
        let case_id = case.case_id.as_str();
        self.tx.add_alert(case_id, alert, event, &subjects[0]).await?;
        self.tx.put_case(&case.joined_by(alert, self.tx.now)).await?;
        for subject in &subjects {
            self.tx.add_case_subject(case_id, subject).await?;
            self.tx.see_subject(subject, event).await?;
        }
        let entry =
            Entry { kind: Kind::Alert, act: "alert", actor: ENGINE, about: &id, case_id: Some(case_id) };
        let leaf = self.tx.leaf(entry, &json!({ "alert": alert, "event": event })).await?;
        let said = json!({ "alert_id": id, "rule_id": alert.rule_id, "reason": alert.reason });
        self.tx.note(case_id, ENGINE, "alert", &said, leaf).await?;
        self.tx.adopt_holds(case_id, &id).await?;
        self.consumed.alerts += 1;
        Ok(())
    }

    /// The case that the alert joins.
    async fn open_case(&mut self, alert: &Alert, subjects: &[String]) -> Result<Option<Case>, StoreError> {
        let mut open = Vec::new();
        for subject in subjects {
            open.extend(self.tx.oldest_open_case(&alert.typology, subject).await?);
        }
        match joins(open) {
            Some(case_id) => self.tx.case(&case_id).await,
            None => Ok(None),
        }
    }

    /// The case that the alert opens.
    async fn new_case(&mut self, alert: &Alert, subject: &str) -> Result<Case, StoreError> {
        let previous = self.tx.last_case(&alert.typology, subject).await?;
        let case = self.tx.add_case(Case::opened_by(alert, previous, self.tx.now)).await?;
        self.consumed.cases += 1;
        Ok(case)
    }
}
