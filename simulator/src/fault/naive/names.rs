//! Published alerts, by what identifies each in the model.

use std::collections::BTreeMap;

use sluice_core::Published;
use sluice_model::{Action, Alert, AlertId, Key, KeyKind};

use super::words::ModelAlert;
use crate::fault::history::History;

/// What each published alert is, by what identifies it.
pub(super) struct Names(BTreeMap<AlertId, ModelAlert>);

impl Names {
    /// Those of everything that was published.
    pub(super) fn of_log(log: &History) -> Self {
        let alerts = log.everything().filter_map(|published| match published {
            Published::Alert(alert) => Some((alert.alert_id, said(alert))),
            _ => None,
        });
        Self(alerts.collect())
    }

    /// The alert of that id.
    pub(super) fn of(&self, id: AlertId) -> ModelAlert {
        self.0.get(&id).cloned().unwrap_or_else(|| ModelAlert {
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

    /// Why a payment stands where it does: an alert, or a case.
    pub(super) fn because(&self, text: &str) -> String {
        let alert = self.0.iter().find(|(id, _)| id.to_string() == text);
        alert.map_or_else(|| text.to_owned(), |(_, said)| said.to_string())
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
