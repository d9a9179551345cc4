//! Which keys are frozen, and by which cases. A key thaws when every case that froze it has ended its freeze.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sluice_model::{Freeze, Key, KeyKind, PaymentEvent};

/// The keys that are frozen now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Freezes(BTreeMap<KeyKind, BTreeMap<String, BTreeSet<String>>>);

impl Freezes {
    /// Freeze a key for a case.
    pub fn freeze(&mut self, order: &Freeze) {
        let keys = self.0.entry(order.key.kind).or_default();
        keys.entry(order.key.value.clone()).or_default().insert(order.case_id.clone());
    }

    /// End a case's freeze of a key.
    pub fn unfreeze(&mut self, order: &Freeze) {
        let Some(keys) = self.0.get_mut(&order.key.kind) else { return };
        let Some(cases) = keys.get_mut(&order.key.value) else { return };
        cases.remove(&order.case_id);
        if cases.is_empty() {
            keys.remove(&order.key.value);
        }
    }

    /// The first frozen key that an event touches, with the first of the cases that froze it.
    pub fn touched(&self, event: &PaymentEvent) -> Option<(Key, &str)> {
        self.0.iter().find_map(|(kind, keys)| {
            event.keys(*kind).into_iter().find_map(|(value, _)| {
                let case = keys.get(value)?.first()?;
                Some((Key { kind: *kind, value: value.to_owned() }, case.as_str()))
            })
        })
    }
}
