//! A rule that failed again and again judges no more, until an officer lifts that or the rule changes. Its failures count
//! anew from the lift on.

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Control, EventTime, Hash256, Quarantine, RuleFailure};

use super::{ActError, Claim, ENGINE, Entry, Store, StoreError, Tx, acts::check_text};
use crate::{
    auth::Actor,
    domain::{Permission, Refusal},
};

/// A quarantine that was lifted.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct QuarantineLifted {
    /// The rule.
    pub rule_id: String,
    /// The version that judges again.
    pub version: String,
    /// Whether the engine has the change: `delivered`, or `pending` while the log cannot be reached.
    pub control: &'static str,
    /// The control record's place in the outbox.
    #[serde(skip)]
    pub outbox: i64,
}

impl Store {
    /// Let a quarantined version of a rule judge again. With a claim, the answer is stored in the same transaction.
    pub async fn lift_quarantine(
        &self,
        rule_id: &str,
        version: &str,
        reason: &str,
        actor: &Actor,
        claim: Option<&Claim>,
        now: EventTime,
    ) -> Result<QuarantineLifted, ActError> {
        if !actor.roles.allow(Permission::ApproveRules) {
            return Err(Refusal::NotAllowed.into());
        }
        check_text(reason)?;
        let mut tx = self.begin(now).await?;
        let standing = tx.quarantined(rule_id).await?;
        let rule = standing.into_iter().find(|rule| rule.short() == version);
        let rule = rule.ok_or(Refusal::Conflict("this version of the rule is not in quarantine"))?;
        let outbox = tx.lift_quarantine(rule, rule_id, reason, actor).await?;
        let (rule_id, version) = (rule_id.to_owned(), version.to_owned());
        let lifted = QuarantineLifted { rule_id, version, control: "pending", outbox };
        if let Some(claim) = claim {
            let answer = serde_json::to_vec(&lifted).map_err(StoreError::from)?;
            tx.keep_answer(claim, 200, "application/json", &answer).await?;
        }
        tx.commit().await?;
        Ok(lifted)
    }
}

impl Tx<'_> {
    /// How often a rule failed since its quarantine was last lifted; ever, where none was.
    pub(super) async fn failures_that_count(&mut self, rule: Hash256) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT f.failures - COALESCE(l.failures, 0) FROM rule_failures f LEFT JOIN rule_lifts l ON l.rule = f.rule
             WHERE f.rule = $1",
        )
        .bind(rule.to_string())
        .fetch_one(self.sql())
        .await?)
    }

    /// Let a rule judge no more, from the place of the order in the log on.
    pub(super) async fn quarantine(
        &mut self,
        failure: &RuleFailure,
        failures: i64,
    ) -> Result<(), StoreError> {
        let order = Quarantine { rule: failure.rule, rule_id: failure.rule_id.clone(), at: self.now };
        self.control(&Control::Quarantine(order)).await?;
        sqlx::query("UPDATE rule_failures SET quarantined_at = $2 WHERE rule = $1")
            .bind(failure.rule.to_string())
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        let entry = Entry {
            kind: Kind::Configuration,
            act: "quarantine_rule",
            actor: ENGINE,
            about: &failure.rule_id,
            case_id: None,
        };
        self.leaf(entry, &json!({ "failure": failure, "failures": failures })).await?;
        Ok(())
    }

    /// The contents of a rule that judge no more.
    async fn quarantined(&mut self, rule_id: &str) -> Result<Vec<Hash256>, StoreError> {
        let rules: Vec<String> = sqlx::query_scalar(
            "SELECT rule FROM rule_failures WHERE rule_id = $1 AND quarantined_at IS NOT NULL",
        )
        .bind(rule_id)
        .fetch_all(self.sql())
        .await?;
        rules.iter().map(|rule| rule.parse().map_err(|_| StoreError::Corrupt("rule hash"))).collect()
    }

    async fn lift_quarantine(
        &mut self,
        rule: Hash256,
        rule_id: &str,
        reason: &str,
        actor: &Actor,
    ) -> Result<i64, StoreError> {
        let order = Quarantine { rule, rule_id: rule_id.to_owned(), at: self.now };
        sqlx::query(
            "INSERT INTO rule_lifts (rule, failures) SELECT rule, failures FROM rule_failures WHERE rule = $1
             ON CONFLICT (rule) DO UPDATE SET failures = excluded.failures",
        )
        .bind(rule.to_string())
        .execute(self.sql())
        .await?;
        sqlx::query("UPDATE rule_failures SET quarantined_at = NULL WHERE rule = $1")
            .bind(rule.to_string())
            .execute(self.sql())
            .await?;
        let entry = Entry {
            kind: Kind::Configuration,
            act: "lift_quarantine",
            actor: &actor.name,
            about: rule_id,
            case_id: None,
        };
        self.leaf(entry, &json!({ "actor": actor, "order": order, "reason": reason })).await?;
        self.control(&Control::LiftQuarantine(order)).await
    }
}
