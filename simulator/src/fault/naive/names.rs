//! Published alerts, by what identifies each in the model.

use std::collections::BTreeMap;

use sluice_core::Published;
use sluice_model::{Action, Alert, AlertId, Key, KeyKind};

use super::words::ModelAlert;
use crate::fault::history::History;

/// What each published alert is, by what identifies it. An event that is judged twice, its id forgotten in between, may have been
/// answered otherwise: two alerts of one id.
pub(super) struct Names(BTreeMap<AlertId, Vec<ModelAlert>>);

impl Names {
    /// Those of everything that was published.
    pub(super) fn of_log(log: &History) -> Self {
        let mut names = BTreeMap::<_, Vec<_>>::new();
        for published in log.everything() {
            if let Published::Alert(alert) = published {
                names.entry(alert.alert_id).or_default().push(said(alert));
            }
        }
        Self(names)
    }

    /// The last alert of that id.
    pub(super) fn of(&self, id: AlertId) -> ModelAlert {
        self.0.get(&id).and_then(|alerts| alerts.last().cloned()).unwrap_or_else(|| ModelAlert {
            rule: format!("unknown {}", id.short()),
            key: Key { kind: KeyKind::Payment, value: String::new() },
            event: String::new(),
            action: Action::Alert,
        })
    }

    /// The alerts of these ids.
    pub(super) fn all(&self, ids: &[AlertId]) -> Vec<ModelAlert> {
        ids.iter().map(|id| self.of(*id)).collect()
    }

    /// Why a payment stands where it does: an alert, which asked for that, or a case.
    pub(super) fn because(&self, text: &str) -> String {
        let alerts = self.0.iter().find(|(id, _)| id.to_string() == text).map(|(_, alerts)| alerts);
        let hardest = alerts.and_then(|alerts| alerts.iter().max_by_key(|said| said.outcome()));
        hardest.map_or_else(|| text.to_owned(), ToString::to_string)
    }
}

/// What identifies an alert in the model.
pub(super) fn said(alert: &Alert) -> ModelAlert {
    ModelAlert {
        rule: alert.rule_id.clone(),
        key: alert.key.clone(),
        event: alert.event_id.clone(),
        action: alert.action,
    }
}
