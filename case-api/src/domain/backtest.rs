//! What a back-test of a version came to, cut to what its page shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_rules::{Backtest, Counts, Line};

use super::Actor;
use crate::{limits::BACKTEST_SHOWN, stamp::Stamp};

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
    /// By whom, when, against which version. `outcome`: the comparison and whether it is complete, or why there is none.
    pub fn new(by: &Actor, at: Stamp, base: String, outcome: Result<(Backtest, bool), String>) -> Self {
        let (report, complete, failed) = match outcome {
            Ok((report, complete)) => (report, complete, None),
            Err(why) => (Backtest::compare(0, &[], &[], None), false, Some(why)),
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_adds_up_its_rules() {
        let counts = |n| Alerts {
            active: n,
            candidate: 10 * n,
            appears: 100 * n,
            disappears: 1_000 * n,
            changes: 10_000 * n,
        };
        let report = BacktestReport {
            by: "ines".to_owned(),
            at: Stamp::from(1),
            base: "RV-1".to_owned(),
            events: 3,
            complete: true,
            failed: None,
            rules: [("A".to_owned(), counts(2)), ("B".to_owned(), counts(3))].into(),
            keys: Vec::new(),
            appears: Vec::new(),
            disappears: Vec::new(),
        };
        assert_eq!(report.sum(), counts(5));
    }
}
