//! Back-tests: what a version would have said of the recent past, beside what is in force. Run aside, one at a time,
//! never on a payment's path; the result is kept with the version, for whoever approves it.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use sluice_rules::{Backtest, Counts, Line};
use tokio::task::spawn_blocking;

use crate::{
    app::App,
    auth::Actor,
    domain::{VersionRefusal, VersionState},
    limits::{BACKTEST_EVENTS_MAX, BACKTEST_SHOWN, BACKTEST_TIME_MAX},
    ports::{Bounds, Past},
    stamp::Stamp,
    store::{StoreError, VersionError},
    trial::bundle_of,
};

/// What a back-test of a version came to.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct BacktestReport {
    /// Who asked for it.
    pub by: String,
    /// When it ended.
    pub at: Stamp,
    /// The version in force that it was held against.
    pub base: String,
    /// Events of the log that were judged, windows empty at the first.
    pub events: u64,
    /// Whether that is all that was asked for; otherwise time ran out.
    pub complete: bool,
    /// Why there is no result, if there is none.
    pub failed: Option<String>,
    /// By rule: how many alerts.
    pub rules: BTreeMap<String, Alerts>,
    /// By customer, account or other key, the most changed first: how many alerts. The most changed only.
    pub keys: Vec<(String, Alerts)>,
    /// Alerts that appear, the first of them.
    pub appears: Vec<Example>,
    /// Alerts that disappear, the first of them.
    pub disappears: Vec<Example>,
}

/// Alerts counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Alerts {
    /// Of what is in force.
    pub active: usize,
    /// Of the version.
    pub candidate: usize,
    /// Of the version alone.
    pub appears: usize,
    /// Of what is in force alone.
    pub disappears: usize,
    /// Of both, otherwise.
    pub changes: usize,
}

/// One alert.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Example {
    /// The rule.
    pub rule: String,
    /// The key: `account 012-345`.
    pub key: String,
    /// The event.
    pub event_id: String,
    /// Its time.
    pub occurred_at: Stamp,
    /// In words.
    pub reason: String,
}

impl From<Counts> for Alerts {
    fn from(counts: Counts) -> Self {
        let Counts { active, candidate, appears, disappears, changes } = counts;
        Self { active, candidate, appears, disappears, changes }
    }
}

impl From<Line> for Example {
    fn from(line: Line) -> Self {
        let Line { rule, key, event_id, occurred_at, reason, .. } = line;
        Self { rule, key, event_id, occurred_at: Stamp(occurred_at), reason }
    }
}

impl BacktestReport {
    fn new(by: &Actor, at: Stamp, base: String, outcome: Result<Past, String>) -> Self {
        let empty = Backtest::compare(0, &[], &[], None);
        let (past, failed) = match outcome {
            Ok(past) => (past, None),
            Err(why) => (Past { report: empty, complete: false }, Some(why)),
        };
        let Past { report, complete } = past;
        let shown = |lines: Vec<Line>| lines.into_iter().take(BACKTEST_SHOWN).map(Example::from).collect();
        Self {
            by: by.name.clone(),
            at,
            base,
            events: report.events,
            complete,
            failed,
            rules: report.rules.into_iter().map(|(rule, counts)| (rule, counts.into())).collect(),
            keys: report
                .keys
                .into_iter()
                .take(BACKTEST_SHOWN)
                .map(|(key, counts)| (key, counts.into()))
                .collect(),
            appears: shown(report.appears),
            disappears: shown(report.disappears),
        }
    }

    /// Of all rules together.
    pub fn sum(&self) -> Alerts {
        self.rules.values().fold(Alerts::default(), |sum, of| Alerts {
            active: sum.active + of.active,
            candidate: sum.candidate + of.candidate,
            appears: sum.appears + of.appears,
            disappears: sum.disappears + of.disappears,
            changes: sum.changes + of.changes,
        })
    }
}

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
            Ok(past) => past.map_err(|error| error.to_string()),
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
