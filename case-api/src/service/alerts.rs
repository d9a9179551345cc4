//! Alerts as they were taken in.

use sluice_model::EventTime;

use super::Service;
use crate::store::{AlertFilter, HourCount, Page, StoreError, StoredAlert};

impl Service {
    /// Alerts, newest first.
    pub(crate) async fn alerts(
        &self,
        filter: &AlertFilter,
        page: Page,
    ) -> Result<(Vec<StoredAlert>, Option<i64>), StoreError> {
        self.store.alerts(filter, page).await
    }

    pub(crate) async fn alert(&self, alert_id: &str) -> Result<Option<StoredAlert>, StoreError> {
        self.store.alert(alert_id).await
    }

    /// Alerts by severity and hour.
    pub(crate) async fn alerts_by_hour(&self, since: EventTime) -> Result<Vec<HourCount>, StoreError> {
        self.store.alerts_by_hour(since).await
    }

    /// The rules that ever alerted, for filters.
    pub(crate) async fn alerting_rules(&self) -> Result<Vec<String>, StoreError> {
        self.store.alerting_rules().await
    }
}
