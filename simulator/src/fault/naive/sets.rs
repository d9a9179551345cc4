//! The simulation's rule sets: which rules each has, which is in force, and which are in quarantine.

use sluice_model::{Hash256, KeyKind, RuleBundle};

use super::{features::Features, rules::Rule};

/// A rule set by its hash, and what its rules are called where their content counts.
#[derive(Clone)]
pub struct SetOfRules {
    /// The hash of the files.
    pub hash: Hash256,
    /// In the order in which they judge.
    pub rules: Vec<(Hash256, Rule)>,
}

/// Every rule set that compiles.
#[derive(Default)]
pub struct Book(pub Vec<SetOfRules>);

/// What is in force at one place of the log.
#[derive(Clone, Default)]
pub(super) struct InForce {
    active: Vec<(Hash256, Rule)>,
    prepared: Option<SetOfRules>,
    quarantined: Vec<Hash256>,
}

impl InForce {
    /// Make rules ready; whatever was ready before is not any more, even where these do not compile.
    pub(super) fn prepare(&mut self, bundle: &RuleBundle, book: &Book, features: &Features) {
        let hash = bundle.hash();
        let found = book.0.iter().find(|set| set.hash == hash).cloned();
        if found.is_none() {
            features.met("rules: do not compile");
        }
        if self.prepared.is_some() {
            features.met("rules: prepared and abandoned");
        }
        self.prepared = found;
    }

    /// Put the rules in force that are ready, if they are the ones named. Windows need no more than what was seen.
    pub(super) fn activate(&mut self, rules: Hash256, features: &Features) {
        if self.prepared.as_ref().is_none_or(|set| set.hash != rules) {
            return;
        }
        let Some(set) = self.prepared.take() else { return };
        if !self.active.is_empty() {
            features.met("rules: taken over");
            let has = |rules: &[(Hash256, Rule)], id| rules.iter().any(|(_, rule)| rule.id == id);
            if set.rules.iter().any(|(_, rule)| !has(&self.active, rule.id)) {
                features.met("rules: taken over with other windows");
            }
        }
        self.active = set.rules;
    }

    /// A person puts a rule in quarantine: its failures are told seldom.
    pub(super) fn quarantine(&mut self, rule: Hash256) {
        if !self.quarantined.contains(&rule) {
            self.quarantined.push(rule);
        }
    }

    /// A person lifts it.
    pub(super) fn lift(&mut self, rule: Hash256, features: &Features) {
        if self.quarantined.contains(&rule) {
            features.met("quarantine: lifted");
        }
        self.quarantined.retain(|held| *held != rule);
    }

    /// Whether a rule is in quarantine.
    pub(super) fn is_quarantined(&self, rule: Hash256) -> bool {
        self.quarantined.contains(&rule)
    }

    /// The rules in force on a kind of key.
    pub(super) fn on(&self, kind: KeyKind) -> Vec<(Hash256, Rule)> {
        self.active.iter().filter(|(_, rule)| rule.key == kind).copied().collect()
    }

    /// Whether a rule in force, or one made ready, watches a kind of key.
    pub(super) fn watches(&self, kind: KeyKind, features: &Features) -> bool {
        let watches = |rules: &[(Hash256, Rule)]| rules.iter().any(|(_, rule)| rule.key == kind);
        let active = watches(&self.active);
        let prepared = self.prepared.as_ref().is_some_and(|set| watches(&set.rules));
        if prepared && !active {
            features.met("rules: keys asked for prepared rules alone");
        }
        active || prepared
    }
}
