//! What back-tests of versions came to: the newest of each.

use super::{Store, StoreError, Tx, sql::query};
use crate::domain::BacktestReport;

impl Store {
    /// What the last back-test of a version came to.
    pub async fn backtest(&self, version_id: &str) -> Result<Option<BacktestReport>, StoreError> {
        let body: Option<Option<String>> = query("SELECT backtest FROM rule_versions WHERE version_id = $1")
            .bind(version_id)
            .value_or_none(&mut self.read().await?)
            .await?;
        body.flatten().map(|body| Ok(serde_json::from_str(&body)?)).transpose()
    }
}

impl Tx<'_> {
    /// Keep a version's report in the place of the one before.
    pub(crate) async fn put_backtest(
        &mut self,
        version_id: &str,
        report: &BacktestReport,
    ) -> Result<(), StoreError> {
        query("UPDATE rule_versions SET backtest = $2 WHERE version_id = $1")
            .bind(version_id)
            .bind(serde_json::to_string(report)?)
            .execute(self.sql())
            .await?;
        Ok(())
    }
}
