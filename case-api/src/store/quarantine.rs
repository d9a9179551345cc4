//! A rule that fails by its own fault on many keys is proposed for quarantine, where its failures are alerted seldom and it
//! judges on. A person orders that, declines it, or lifts it; nothing that events do does.

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Control, EventTime, FailureCause, Hash256, Quarantine, RuleFailure};

use super::{ActError, Claim, ENGINE, Entry, Store, StoreError, Tx, acts::check_text};
use crate::{
    domain::{Actor, Permission, Refusal},
    limits::FAILING_KEYS_BEFORE_PROPOSAL,
};

/// What a person does about a rule that fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuarantineAct {
    /// Do what is proposed: its failures are alerted seldom from the order's place in the log on.
    Order,
    /// Leave it as it is. It is not proposed again until as many further keys have failed.
    Decline,
    /// End a quarantine: its failures are alerted like any other's, and keys count anew.
    Lift,
}

/// What was done about a rule that fails.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct QuarantineActed {
    /// The rule.
    pub rule_id: String,
    /// The version that it was done about.
    pub version: String,
    /// Whether the engine has the order: `delivered`, or `pending` while the log cannot be reached. Absent where the
    /// engine need not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<&'static str>,
    /// The control record's place in the outbox.
    #[serde(skip)]
    pub outbox: Option<i64>,
}

impl QuarantineAct {
    /// Its name in the audit trail, in metrics, and where the same request is to be run once.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "quarantine_rule",
            Self::Decline => "decline_quarantine",
            Self::Lift => "lift_quarantine",
        }
    }
}

impl Store {
    /// Act on the quarantine that is proposed, or stands, `since` the time that the officer saw. With a claim, the answer is
    /// stored in the same transaction.
    #[expect(clippy::too_many_arguments, reason = "who does what to what, why, when, and under which claim")]
    pub async fn act_on_quarantine(
        &self,
        act: QuarantineAct,
        rule_id: &str,
        version: &str,
        since: EventTime,
        reason: &str,
        actor: &Actor,
        claim: Option<&Claim>,
        now: EventTime,
    ) -> Result<QuarantineActed, ActError> {
        if !actor.roles.allow(Permission::ApproveRules) {
            return Err(Refusal::NotAllowed.into());
        }
        check_text(reason)?;
        let mut tx = self.begin(now).await?;
        let (standing, refusal) = match act {
            QuarantineAct::Lift => {
                (tx.quarantined(rule_id).await?, "this version of the rule is not in quarantine since then")
            }
            QuarantineAct::Order | QuarantineAct::Decline => (
                tx.proposed(rule_id).await?,
                "no quarantine of this version of the rule is proposed since then",
            ),
        };
        let seen = standing.into_iter().find(|(rule, at)| rule.short() == version && *at == since.micros());
        let (rule, _) = seen.ok_or(Refusal::Conflict(refusal))?;
        let order = Quarantine { rule, rule_id: rule_id.to_owned(), at: now };
        let entry = Entry {
            kind: Kind::Configuration,
            act: act.name(),
            actor: &actor.name,
            about: rule_id,
            case_id: None,
        };
        tx.leaf(entry, &json!({ "actor": actor, "order": order, "since": since, "reason": reason })).await?;
        let outbox = match act {
            QuarantineAct::Order => Some(tx.order_quarantine(order).await?),
            QuarantineAct::Decline => tx.decline_quarantine(rule).await.map(|()| None)?,
            QuarantineAct::Lift => Some(tx.lift_quarantine(order).await?),
        };
        let control = outbox.map(|_| "pending");
        let (rule_id, version) = (rule_id.to_owned(), version.to_owned());
        let acted = QuarantineActed { rule_id, version, control, outbox };
        if let Some(claim) = claim {
            let answer = serde_json::to_vec(&acted).map_err(StoreError::from)?;
            tx.keep_answer(claim, 200, "application/json", &answer).await?;
        }
        tx.commit().await?;
        Ok(acted)
    }
}

impl Tx<'_> {
    /// Note the key of a failure that is the rule's own. `true` once: when as many keys have failed as propose a
    /// quarantine, since the last that was declined or lifted. From then on no key is noted until somebody acts, so what
    /// is kept is bounded.
    pub(super) async fn is_time_to_propose(&mut self, failure: &RuleFailure) -> Result<bool, StoreError> {
        if failure.cause != FailureCause::Rule {
            return Ok(false);
        }
        let rule = failure.rule.to_string();
        let due = FAILING_KEYS_BEFORE_PROPOSAL + self.declined_at(&rule).await?;
        if self.failing_keys(&rule).await? >= due {
            return Ok(false);
        }
        sqlx::query(
            "INSERT INTO rule_failing_keys (rule, rule_id, failing_key) VALUES ($1, $2, $3)
             ON CONFLICT (rule, failing_key) DO NOTHING",
        )
        .bind(&rule)
        .bind(&failure.rule_id)
        .bind(failure.key.to_string())
        .execute(self.sql())
        .await?;
        Ok(self.failing_keys(&rule).await? == due)
    }

    /// On how many keys a content failed by its own fault, since its quarantine was last lifted.
    async fn failing_keys(&mut self, rule: &str) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT COUNT(*) FROM rule_failing_keys WHERE rule = $1")
            .bind(rule)
            .fetch_one(self.sql())
            .await?)
    }

    /// How many had failed when its quarantine was last declined.
    async fn declined_at(&mut self, rule: &str) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT COALESCE(MAX(declined_keys), 0) FROM quarantine_proposals WHERE rule = $1",
        )
        .bind(rule)
        .fetch_one(self.sql())
        .await?)
    }

    /// Propose that a rule's failures be alerted seldom, for a person to decide. The engine hears nothing of it.
    pub(super) async fn propose_quarantine(&mut self, failure: &RuleFailure) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO quarantine_proposals (rule, rule_id, proposed_at, declined_keys) VALUES ($1, $2, $3, 0)
             ON CONFLICT (rule) DO UPDATE SET proposed_at = excluded.proposed_at",
        )
        .bind(failure.rule.to_string())
        .bind(&failure.rule_id)
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        let entry = Entry {
            kind: Kind::Configuration,
            act: "propose_quarantine",
            actor: ENGINE,
            about: &failure.rule_id,
            case_id: None,
        };
        let keys = self.failing_keys(&failure.rule.to_string()).await?;
        self.leaf(entry, &json!({ "failure": failure, "keys": keys })).await?;
        Ok(())
    }

    /// The contents of a rule whose quarantine is proposed, and since when.
    async fn proposed(&mut self, rule_id: &str) -> Result<Vec<(Hash256, i64)>, StoreError> {
        self.contents(
            "SELECT rule, proposed_at FROM quarantine_proposals WHERE rule_id = $1 AND proposed_at IS NOT NULL",
            rule_id,
        )
        .await
    }

    /// The contents of a rule that are in quarantine, and since when.
    async fn quarantined(&mut self, rule_id: &str) -> Result<Vec<(Hash256, i64)>, StoreError> {
        self.contents(
            "SELECT rule, quarantined_at FROM rule_failures WHERE rule_id = $1 AND quarantined_at IS NOT NULL",
            rule_id,
        )
        .await
    }

    async fn contents(&mut self, of: &'static str, rule_id: &str) -> Result<Vec<(Hash256, i64)>, StoreError> {
        let rules: Vec<(String, i64)> = sqlx::query_as(of).bind(rule_id).fetch_all(self.sql()).await?;
        let read =
            |(rule, at): (String, i64)| Ok((rule.parse().map_err(|_| StoreError::Corrupt("rule hash"))?, at));
        rules.into_iter().map(read).collect()
    }

    async fn order_quarantine(&mut self, order: Quarantine) -> Result<i64, StoreError> {
        let rule = order.rule.to_string();
        sqlx::query("UPDATE rule_failures SET quarantined_at = $2 WHERE rule = $1")
            .bind(&rule)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        self.end_proposal(&rule).await?;
        self.control(&Control::Quarantine(order)).await
    }

    /// The keys that failed stay known, so that it takes others to propose it again.
    async fn decline_quarantine(&mut self, rule: Hash256) -> Result<(), StoreError> {
        let rule = rule.to_string();
        let keys = self.failing_keys(&rule).await?;
        sqlx::query("UPDATE quarantine_proposals SET declined_keys = $2 WHERE rule = $1")
            .bind(&rule)
            .bind(keys)
            .execute(self.sql())
            .await?;
        self.end_proposal(&rule).await
    }

    async fn end_proposal(&mut self, rule: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE quarantine_proposals SET proposed_at = NULL WHERE rule = $1")
            .bind(rule)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    async fn lift_quarantine(&mut self, order: Quarantine) -> Result<i64, StoreError> {
        let rule = order.rule.to_string();
        for forget in [
            "UPDATE rule_failures SET quarantined_at = NULL WHERE rule = $1",
            "DELETE FROM quarantine_proposals WHERE rule = $1",
            "DELETE FROM rule_failing_keys WHERE rule = $1",
        ] {
            sqlx::query(forget).bind(&rule).execute(self.sql()).await?;
        }
        self.control(&Control::LiftQuarantine(order)).await
    }
}
