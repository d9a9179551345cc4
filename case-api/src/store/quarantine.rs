//! The rows of rules that fail by their own fault: the keys that failed, what is proposed, what is in quarantine.

use sluice_model::{EventTime, Hash256, RuleFailure};

use super::{StoreError, Tx, sql::query};

impl Tx<'_> {
    /// On how many keys a content failed by its own fault, since its quarantine was last lifted.
    pub(crate) async fn failing_keys(&mut self, rule: &str) -> Result<i64, StoreError> {
        Ok(query("SELECT COUNT(*) FROM rule_failing_keys WHERE rule = $1")
            .bind(rule)
            .value(self.sql())
            .await?)
    }

    /// How many had failed when its quarantine was last declined.
    pub(crate) async fn declined_at(&mut self, rule: &str) -> Result<i64, StoreError> {
        Ok(query("SELECT COALESCE(MAX(declined_keys), 0) FROM rule_failures WHERE rule = $1")
            .bind(rule)
            .value(self.sql())
            .await?)
    }

    /// Note the key of a failure, once.
    pub(crate) async fn note_failing_key(&mut self, failure: &RuleFailure) -> Result<(), StoreError> {
        query(
            "INSERT INTO rule_failing_keys (rule, rule_id, failing_key) VALUES ($1, $2, $3)
             ON CONFLICT (rule, failing_key) DO NOTHING",
        )
        .bind(failure.rule.to_string())
        .bind(&failure.rule_id)
        .bind(failure.key.to_string())
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// Keep that a quarantine is proposed.
    pub(crate) async fn add_quarantine_proposal(&mut self, failure: &RuleFailure) -> Result<(), StoreError> {
        query("UPDATE rule_failures SET proposed_at = $2 WHERE rule = $1")
            .bind(failure.rule.to_string())
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// The contents of a rule whose quarantine is proposed, and since when.
    pub(crate) async fn proposed_quarantines(
        &mut self,
        rule_id: &str,
    ) -> Result<Vec<(Hash256, EventTime)>, StoreError> {
        self.contents(
            "SELECT rule, proposed_at FROM rule_failures WHERE rule_id = $1 AND proposed_at IS NOT NULL",
            rule_id,
        )
        .await
    }

    /// The contents of a rule that are in quarantine, and since when.
    pub(crate) async fn quarantines(
        &mut self,
        rule_id: &str,
    ) -> Result<Vec<(Hash256, EventTime)>, StoreError> {
        self.contents(
            "SELECT rule, quarantined_at FROM rule_failures WHERE rule_id = $1 AND quarantined_at IS NOT NULL",
            rule_id,
        )
        .await
    }

    async fn contents(
        &mut self,
        of: &'static str,
        rule_id: &str,
    ) -> Result<Vec<(Hash256, EventTime)>, StoreError> {
        let rules: Vec<(String, i64)> = query(of).bind(rule_id).fetch_all(self.sql()).await?;
        let read = |(rule, at): (String, i64)| {
            Ok((rule.parse().map_err(|_| StoreError::Corrupt("rule hash"))?, EventTime::from_micros(at)))
        };
        rules.into_iter().map(read).collect()
    }

    /// A rule is in quarantine from now on, and no more proposed for it.
    pub(crate) async fn begin_quarantine(&mut self, rule: Hash256) -> Result<(), StoreError> {
        let rule = rule.to_string();
        query("UPDATE rule_failures SET quarantined_at = $2 WHERE rule = $1")
            .bind(&rule)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        self.end_proposal(&rule).await
    }

    /// The keys that failed stay known, so that it takes others to propose it again.
    pub(crate) async fn decline_quarantine(&mut self, rule: Hash256) -> Result<(), StoreError> {
        let rule = rule.to_string();
        let keys = self.failing_keys(&rule).await?;
        query("UPDATE rule_failures SET declined_keys = $2 WHERE rule = $1")
            .bind(&rule)
            .bind(keys)
            .execute(self.sql())
            .await?;
        self.end_proposal(&rule).await
    }

    async fn end_proposal(&mut self, rule: &str) -> Result<(), StoreError> {
        query("UPDATE rule_failures SET proposed_at = NULL WHERE rule = $1")
            .bind(rule)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// A rule is in quarantine no more, and its keys count anew.
    pub(crate) async fn end_quarantine(&mut self, rule: Hash256) -> Result<(), StoreError> {
        let rule = rule.to_string();
        for forget in [
            "UPDATE rule_failures SET quarantined_at = NULL, proposed_at = NULL, declined_keys = 0 WHERE rule = $1",
            "DELETE FROM rule_failing_keys WHERE rule = $1",
        ] {
            query(forget).bind(&rule).execute(self.sql()).await?;
        }
        Ok(())
    }
}
