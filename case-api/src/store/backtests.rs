//! What back-tests of versions came to: the newest of each.

use serde_json::json;

use super::{Store, StoreError};
use crate::domain::{Actor, BacktestReport};
use sluice_model::EventTime;

impl Store {
    /// Keep a version's report; what stood in its place before is in the evidence log.
    pub async fn keep_backtest(
        &self,
        version_id: &str,
        report: &BacktestReport,
        by: &Actor,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        sqlx::query(
            "INSERT INTO rule_backtests (version_id, body) VALUES ($1, $2)
             ON CONFLICT (version_id) DO UPDATE SET body = excluded.body",
        )
        .bind(version_id)
        .bind(serde_json::to_string(report)?)
        .execute(tx.sql())
        .await?;
        let about = json!({ "actor": by, "version_id": version_id, "report": report });
        tx.rules_leaf("backtest_rules", &by.name, version_id, &about).await?;
        tx.commit().await
    }

    /// What the last back-test of a version came to.
    pub async fn backtest(&self, version_id: &str) -> Result<Option<BacktestReport>, StoreError> {
        let body: Option<String> =
            sqlx::query_scalar("SELECT body FROM rule_backtests WHERE version_id = $1")
                .bind(version_id)
                .fetch_optional(&self.readers)
                .await?;
        body.map(|body| Ok(serde_json::from_str(&body)?)).transpose()
    }
}
