//! What is noted of rules beside their alerts: what those in shadow would have alerted, and how often one failed.

use serde::Serialize;
use sluice_model::{Alert, RuleFailure};
use sqlx::FromRow;

use super::{Page, Store, StoreError, Tx, columns::stamp_or_null, sql::query};
use crate::limits::SHADOW_ALERTS_KEPT;

/// What a rule in shadow would have said. JSON: the alert's own fields, and `"shadow": true`.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct ShadowAlert {
    /// Its place in the order of recording.
    #[serde(skip)]
    pub seq: i64,
    /// The alert that it would have been.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub alert: Alert,
    /// Always: nobody was alerted, and no payment held.
    pub shadow: bool,
}

/// What is noted of one rule, under all its versions.
#[derive(Clone, Debug, Default, Serialize, FromRow, utoipa::ToSchema)]
pub struct RuleCounts {
    /// The rule.
    pub rule_id: String,
    /// Alerts that it raised.
    pub alerts: i64,
    /// What it would have said in shadow, as far as it is kept.
    pub shadow_alerts: i64,
    /// Events on which it could not be evaluated, whosever fault it was.
    pub failures: i64,
    /// Different keys on which it failed by its own fault, as far as they are kept: they propose its quarantine.
    pub failing_keys: i64,
    /// Why, the last time.
    pub last_failure: Option<String>,
    /// Since when its quarantine is proposed, and nobody has ordered or declined it.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub proposed_at: Option<i64>,
    /// Of which version.
    pub proposed_version: Option<String>,
    /// Since when it is quarantined: it judges on, and its failures are alerted seldom. Absent once that is lifted.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub quarantined_at: Option<i64>,
}

impl RuleCounts {
    /// Those of one rule; zeros where nothing was noted.
    pub fn of(all: &[Self], rule_id: &str) -> Self {
        let found = all.iter().find(|counts| counts.rule_id == rule_id).cloned();
        found.unwrap_or_else(|| Self { rule_id: rule_id.to_owned(), ..Self::default() })
    }
}

#[derive(FromRow)]
struct Row {
    seq: i64,
    body: String,
}

impl Store {
    /// What is noted of each rule that ever alerted, would have alerted, or failed.
    pub async fn rule_counts(&self) -> Result<Vec<RuleCounts>, StoreError> {
        Ok(query(
            "SELECT ids.rule_id AS rule_id,
                    (SELECT COUNT(*) FROM alerts a WHERE a.rule_id = ids.rule_id) AS alerts,
                    (SELECT COUNT(*) FROM shadow_alerts s WHERE s.rule_id = ids.rule_id) AS shadow_alerts,
                    (SELECT CAST(COALESCE(SUM(f.failures), 0) AS BIGINT) FROM rule_failures f WHERE f.rule_id = ids.rule_id) AS failures,
                    (SELECT f.reason FROM rule_failures f WHERE f.rule_id = ids.rule_id
                     ORDER BY f.last_at DESC LIMIT 1) AS last_failure,
                    (SELECT COUNT(*) FROM rule_failing_keys k WHERE k.rule_id = ids.rule_id) AS failing_keys,
                    (SELECT MAX(p.proposed_at) FROM rule_failures p WHERE p.rule_id = ids.rule_id) AS proposed_at,
                    (SELECT SUBSTR(p.rule, 1, 12) FROM rule_failures p
                     WHERE p.rule_id = ids.rule_id AND p.proposed_at IS NOT NULL
                     ORDER BY p.proposed_at DESC LIMIT 1) AS proposed_version,
                    (SELECT MAX(f.quarantined_at) FROM rule_failures f WHERE f.rule_id = ids.rule_id) AS quarantined_at
             FROM (SELECT rule_id FROM alerts UNION SELECT rule_id FROM shadow_alerts
                   UNION SELECT rule_id FROM rule_failures) ids
             ORDER BY ids.rule_id",
        )
        .fetch_all(&mut self.read().await?)
        .await?)
    }

    /// What a rule in shadow would have said, newest first.
    pub async fn shadow_alerts(
        &self,
        rule_id: &str,
        page: Page,
    ) -> Result<(Vec<ShadowAlert>, Option<i64>), StoreError> {
        let rows: Vec<Row> = query(
            "SELECT seq, body FROM shadow_alerts WHERE rule_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3",
        )
        .bind(rule_id)
        .bind(page.before())
        .bind(page.fetch())
        .fetch_all(&mut self.read().await?)
        .await?;
        let (rows, next) = page.cut(rows, |row| row.seq);
        let read = |row: Row| {
            let alert = serde_json::from_str(&row.body)?;
            Ok(ShadowAlert { seq: row.seq, alert, shadow: true })
        };
        Ok((rows.into_iter().map(read).collect::<Result<_, StoreError>>()?, next))
    }
}

impl Tx<'_> {
    /// Keep what a rule in shadow would have alerted, and of each rule only the newest; how many are new.
    pub(crate) async fn add_shadow_alert(&mut self, alert: &Alert) -> Result<u64, StoreError> {
        let added = query(
            "INSERT INTO shadow_alerts (alert_id, rule_id, occurred_at, recorded_at, body)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (alert_id) DO NOTHING",
        )
        .bind(alert.alert_id.to_string())
        .bind(&alert.rule_id)
        .bind(alert.occurred_at.micros())
        .bind(self.now.micros())
        .bind(serde_json::to_string(alert)?)
        .execute(self.sql())
        .await?;
        query(
            "DELETE FROM shadow_alerts WHERE rule_id = $1 AND seq <= (
                 SELECT seq FROM shadow_alerts WHERE rule_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET $2)",
        )
        .bind(&alert.rule_id)
        .bind(SHADOW_ALERTS_KEPT)
        .execute(self.sql())
        .await?;
        Ok(added)
    }

    /// Count a failure of a rule's content.
    pub(crate) async fn count_failure(&mut self, failure: &RuleFailure) -> Result<(), StoreError> {
        query(
            "INSERT INTO rule_failures (rule, rule_id, failures, reason, first_at, last_at)
             VALUES ($1, $2, 1, $3, $4, $4)
             ON CONFLICT (rule) DO UPDATE SET failures = rule_failures.failures + 1, reason = excluded.reason,
                                              last_at = excluded.last_at",
        )
        .bind(failure.rule.to_string())
        .bind(&failure.rule_id)
        .bind(&failure.reason)
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        Ok(())
    }
}
