//! Which keys are frozen, and by which cases. A key thaws when every case that froze it has ended its freeze.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_model::{EventTime, Freeze, Key, KeyKind, PaymentEvent, Unfreeze};

/// The keys that are frozen now.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Freezes(BTreeMap<KeyKind, BTreeMap<String, BTreeMap<String, EventTime>>>);

impl Freezes {
    /// Freeze a key for a case.
    pub fn freeze(&mut self, order: &Freeze) {
        let keys = self.0.entry(order.key.kind).or_default();
        let cases = keys.entry(order.key.value.clone()).or_default();
        let newest = cases.entry(order.case_id.clone()).or_insert(order.at);
        *newest = order.at.max(*newest);
    }

    /// End a case's freeze of a key, unless the case froze it again since the freeze that the officer saw.
    pub fn unfreeze(&mut self, order: &Unfreeze) {
        let Some(keys) = self.0.get_mut(&order.key.kind) else { return };
        let Some(cases) = keys.get_mut(&order.key.value) else { return };
        let is_newer = |at: &EventTime| order.frozen_at.is_some_and(|seen| *at > seen);
        if cases.get(&order.case_id).is_some_and(|at| !is_newer(at)) {
            cases.remove(&order.case_id);
        }
        if cases.is_empty() {
            keys.remove(&order.key.value);
        }
    }

    /// The first frozen key that an event touches, with the first of the cases that froze it.
    pub fn touched(&self, event: &PaymentEvent) -> Option<(Key, &str)> {
        self.0.iter().find_map(|(kind, keys)| {
            event.keys(*kind).into_iter().find_map(|(value, _)| {
                let (case, _) = keys.get(value)?.first_key_value()?;
                Some((Key { kind: *kind, value: value.to_owned() }, case.as_str()))
            })
        })
    }
}
