//! Two rule sets over the same events in one pass: the candidate beside the active set, in shadow, so that what both
//! have in common is evaluated once. Rule and version say which alerts are whose.

use std::collections::BTreeSet;

use sluice_model::{Alert, KeyKind, Observation, RuleBundle};

use crate::{Rule, RuleSet, reference::Reference, shadow::in_shadow};

/// An active set and a candidate, as one set.
pub struct SideBySide {
    /// The active set, and what differs of the candidate below `shadow/`.
    pub bundle: RuleBundle,
    /// Id and version of the active rules that the candidate does not have, or not so.
    lost: BTreeSet<(String, String)>,
}

impl SideBySide {
    /// Both as one; `None` where one pass would not say what two say. Windows are shared by what their filters ask, so
    /// both must read the same tables; and a rule that is in shadow already could not be known from the candidate's.
    pub fn of(active: (&RuleBundle, &RuleSet), candidate: (&RuleBundle, &RuleSet)) -> Option<Self> {
        let tables = |bundle: &RuleBundle| -> Vec<_> {
            bundle.files.iter().filter(|file| Reference::is_at(&file.path)).cloned().collect()
        };
        let one_pass = tables(active.0) == tables(candidate.0)
            && rules(active.1).chain(rules(candidate.1)).all(|rule| !rule.meta.shadow);
        let kept: BTreeSet<_> = rules(candidate.1).map(named).collect();
        let lost = rules(active.1).map(named).filter(|rule| !kept.contains(rule)).collect();
        one_pass.then(|| Self { bundle: in_shadow(active.0, candidate.0), lost })
    }

    /// Enter what an engine reported under both into the alerts of the active set and of the candidate.
    pub fn enter(&self, alerts: Vec<Alert>, observations: Vec<Observation>, into: &mut [Vec<Alert>; 2]) {
        let [active, candidate] = into;
        for alert in alerts {
            if !self.lost.contains(&(alert.rule_id.clone(), alert.rule_version.clone())) {
                candidate.push(alert.clone());
            }
            active.push(alert);
        }
        candidate.extend(observations.into_iter().filter_map(|observed| match observed {
            Observation::Shadow(alert) => Some(*alert),
            Observation::Failure(_) => None,
        }));
    }
}

fn rules(set: &RuleSet) -> impl Iterator<Item = &Rule> {
    KeyKind::ALL.into_iter().flat_map(|kind| &set.plan(kind).rules)
}

fn named(rule: &Rule) -> (String, String) {
    (rule.meta.id.clone(), rule.content.short())
}
