//! What back-tests of versions came to: the newest of each.

use super::{Store, StoreError, Tx};
use crate::domain::BacktestReport;

impl Store {
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

impl Tx<'_> {
    /// Keep a version's report in the place of the one before.
    pub(crate) async fn put_backtest(
        &mut self,
        version_id: &str,
        report: &BacktestReport,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO rule_backtests (version_id, body) VALUES ($1, $2)
             ON CONFLICT (version_id) DO UPDATE SET body = excluded.body",
        )
        .bind(version_id)
        .bind(serde_json::to_string(report)?)
        .execute(self.sql())
        .await?;
        Ok(())
    }
}
