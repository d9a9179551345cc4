//! What is noted of rules beside their alerts: what those in shadow would have said, and how often one failed.

use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Action, Observation, RuleFailure};

use super::Batch;
use crate::{
    domain::{counts_towards_quarantine, owners_alert, proposes_quarantine},
    service::ENGINE,
    store::{Entry, StoreError},
};

impl Batch<'_> {
    /// Take in something noted of a rule.
    pub(super) async fn observation(&mut self, observed: &Observation) -> Result<(), StoreError> {
        match observed {
            Observation::Shadow(alert) => {
                self.consumed.shadow_alerts += self.tx.add_shadow_alert(alert).await?;
                Ok(())
            }
            Observation::Failure(failure) => self.failure(failure).await,
        }
    }

    /// Count a failure. Where as many keys failed by the rule's own fault as the limit says, its owner is alerted, and the
    /// quarantine of a rule whose policy is to alert is proposed; one whose policy is to hold goes on holding, since
    /// letting go is for people to decide.
    async fn failure(&mut self, failure: &RuleFailure) -> Result<(), StoreError> {
        self.consumed.failures += 1;
        self.tx.count_failure(failure).await?;
        if !self.is_time_to_propose(failure).await? {
            return Ok(());
        }
        let holds = failure.on_error == Action::Hold;
        if !holds {
            self.propose_quarantine(failure).await?;
        }
        let alert = owners_alert(failure, holds, &(self.owners)(&failure.rule_id));
        self.alert(&alert, None).await
    }

    /// Note the key of a failure that is the rule's own. `true` once: when as many keys have failed as propose a
    /// quarantine, since the last that was declined or lifted. From then on no key is noted until somebody acts, so what
    /// is kept is bounded.
    async fn is_time_to_propose(&mut self, failure: &RuleFailure) -> Result<bool, StoreError> {
        let rule = failure.rule.to_string();
        let declined = self.tx.declined_at(&rule).await?;
        if !counts_towards_quarantine(failure, self.tx.failing_keys(&rule).await?, declined) {
            return Ok(false);
        }
        self.tx.note_failing_key(failure).await?;
        Ok(proposes_quarantine(self.tx.failing_keys(&rule).await?, declined))
    }

    /// Propose that a rule's failures be alerted seldom, for a person to decide. The engine hears nothing of it.
    async fn propose_quarantine(&mut self, failure: &RuleFailure) -> Result<(), StoreError> {
        self.tx.add_quarantine_proposal(failure).await?;
        let entry = Entry {
            kind: Kind::Configuration,
            act: "propose_quarantine",
            actor: ENGINE,
            about: &failure.rule_id,
            case_id: None,
        };
        let keys = self.tx.failing_keys(&failure.rule.to_string()).await?;
        self.tx.leaf(entry, &json!({ "failure": failure, "keys": keys })).await?;
        Ok(())
    }
}
