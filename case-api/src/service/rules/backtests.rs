//! Back-tests: what a version would have said of the recent past, beside what is in force. Run aside, one at a time,
//! never on a payment's path; the result is kept with the version, for whoever approves it.

use std::sync::Arc;

use serde_json::json;
use tokio::task::spawn_blocking;

use super::{super::Service, VersionError, leaf};
use crate::{
    domain::{Actor, BacktestReport, VersionRefusal, VersionState, bundle_of},
    limits::{BACKTEST_EVENTS_MAX, BACKTEST_TIME_MAX},
    ports::Bounds,
    stamp::Stamp,
    store::StoreError,
};

impl Service {
    /// Begin a back-test of a version; its report is kept when it ends.
    pub(crate) async fn begin_backtest(
        self: &Arc<Self>,
        version_id: &str,
        by: &Actor,
    ) -> Result<(), VersionError> {
        let version = self.store.rule_version(version_id).await?.ok_or(VersionError::NoVersion)?;
        if version.state == VersionState::Draft {
            return Err(VersionRefusal::WrongState(version.state, "backtest").into());
        }
        let active = self.store.rules_in_force().await?.ok_or(VersionError::NoVersion)?;
        let before = bundle_of(&self.store.rule_files(&active.version_id).await?);
        let after = bundle_of(&self.store.rule_files(version_id).await?);
        let turn = Turn::take(self, version_id)?;
        let (service, by) = (Arc::clone(self), by.clone());
        tokio::spawn(async move {
            let history = Arc::clone(&service.ports.history);
            let bounds = Bounds { events_max: BACKTEST_EVENTS_MAX, time_max: BACKTEST_TIME_MAX };
            let outcome = match spawn_blocking(move || history.backtest(&before, &after, bounds)).await {
                Ok(past) => past.map(|past| (past.report, past.complete)).map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            let report = BacktestReport::new(&by, Stamp(service.now()), active.version_id, outcome);
            if let Err(error) = service.keep_backtest(&turn.version_id, &report, &by).await {
                tracing::error!(%error, "a back-test ended and could not be kept");
            }
        });
        Ok(())
    }

    /// Keep a version's report; what was in its place before is in the evidence log.
    async fn keep_backtest(
        &self,
        version_id: &str,
        report: &BacktestReport,
        by: &Actor,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        tx.put_backtest(version_id, report).await?;
        let about = json!({ "actor": by, "version_id": version_id, "report": report });
        leaf(&mut tx, "backtest_rules", &by.name, version_id, &about).await?;
        tx.commit().await
    }

    /// Whether the version is being back-tested now.
    pub(crate) fn is_backtesting(&self, version_id: &str) -> bool {
        self.backtesting.lock().is_ok_and(|running| running.as_deref() == Some(version_id))
    }
}

/// The one back-test that runs; over once dropped.
struct Turn {
    service: Arc<Service>,
    version_id: String,
}

impl Turn {
    fn take(service: &Arc<Service>, version_id: &str) -> Result<Self, VersionError> {
        let poisoned = |_| VersionError::Store(StoreError::Corrupt("turn"));
        let mut running = service.backtesting.lock().map_err(poisoned)?;
        if let Some(other) = &*running {
            return Err(VersionRefusal::Backtesting(other.clone()).into());
        }
        *running = Some(version_id.to_owned());
        Ok(Self { service: Arc::clone(service), version_id: version_id.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Ok(mut running) = self.service.backtesting.lock() {
            *running = None;
        }
    }
}
