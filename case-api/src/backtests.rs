//! Back-tests: what a version would have said of the recent past, beside what is in force. Run aside, one at a time,
//! never on a payment's path; the result is kept with the version, for whoever approves it.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use crate::{
    app::App,
    domain::{Actor, BacktestReport, VersionRefusal, VersionState, bundle_of},
    limits::{BACKTEST_EVENTS_MAX, BACKTEST_TIME_MAX},
    ports::Bounds,
    stamp::Stamp,
    store::{StoreError, VersionError},
};

/// Begin a back-test of a version; its report is kept when it ends.
pub async fn begin(app: &Arc<App>, version_id: &str, by: &Actor) -> Result<(), VersionError> {
    let version = app.store.rule_version(version_id).await?.ok_or(VersionError::NoVersion)?;
    if version.state == VersionState::Draft {
        return Err(VersionRefusal::WrongState(version.state, "backtest").into());
    }
    let active = app.store.rules_in_force().await?.ok_or(VersionError::NoVersion)?;
    let before = bundle_of(&app.store.rule_files(&active.version_id).await?);
    let after = bundle_of(&app.store.rule_files(version_id).await?);
    let turn = Turn::take(app, version_id)?;
    let (app, by) = (Arc::clone(app), by.clone());
    tokio::spawn(async move {
        let history = Arc::clone(&app.ports.history);
        let bounds = Bounds { events_max: BACKTEST_EVENTS_MAX, time_max: BACKTEST_TIME_MAX };
        let outcome = match spawn_blocking(move || history.backtest(&before, &after, bounds)).await {
            Ok(past) => past.map(|past| (past.report, past.complete)).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let report = BacktestReport::new(&by, Stamp(app.now()), active.version_id, outcome);
        if let Err(error) = app.store.keep_backtest(&turn.version_id, &report, &by, app.now()).await {
            tracing::error!(%error, "a back-test ended and could not be kept");
        }
    });
    Ok(())
}

/// Whether the version is being back-tested now.
pub fn runs(app: &App, version_id: &str) -> bool {
    app.backtesting.lock().is_ok_and(|running| running.as_deref() == Some(version_id))
}

/// The one back-test that runs; over once dropped.
struct Turn {
    app: Arc<App>,
    version_id: String,
}

impl Turn {
    fn take(app: &Arc<App>, version_id: &str) -> Result<Self, VersionError> {
        let poisoned = |_| VersionError::Store(StoreError::Corrupt("turn"));
        let mut running = app.backtesting.lock().map_err(poisoned)?;
        if let Some(other) = &*running {
            return Err(VersionRefusal::Backtesting(other.clone()).into());
        }
        *running = Some(version_id.to_owned());
        Ok(Self { app: Arc::clone(app), version_id: version_id.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Ok(mut running) = self.app.backtesting.lock() {
            *running = None;
        }
    }
}
