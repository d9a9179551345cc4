//! The rules in force, and those prepared to follow them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sluice_model::{Hash256, RuleBundle};
use sluice_rules::RuleSet;

use crate::{Library, SnapshotError};

/// A rule set with the files it was made from.
#[derive(Clone)]
pub(crate) struct Edition {
    bundle: Arc<RuleBundle>,
    /// The compiled rules.
    pub set: Arc<RuleSet>,
}

/// The rules in force, and those prepared to follow them.
#[derive(Clone)]
pub struct Rulebook {
    active: Edition,
    prepared: Option<Edition>,
    /// The contents of rules whose failures are alerted seldom, sorted; see `noise.rs`.
    quarantined: Vec<Hash256>,
}

/// A rulebook as a snapshot carries it: sources, compiled anew on restore.
#[derive(Serialize, Deserialize)]
pub struct Sources {
    active: RuleBundle,
    prepared: Option<RuleBundle>,
    quarantined: Vec<Hash256>,
}

impl Edition {
    fn compile(bundle: &RuleBundle, library: &dyn Library) -> Option<Self> {
        Some(Self { bundle: Arc::new(bundle.clone()), set: library.rules(bundle)? })
    }
}

impl Rulebook {
    /// No rules.
    pub fn empty() -> Self {
        let active = Edition { bundle: Arc::default(), set: Arc::new(RuleSet::empty()) };
        Self { active, prepared: None, quarantined: Vec::new() }
    }

    /// The rules in force.
    pub fn active(&self) -> &Arc<RuleSet> {
        &self.active.set
    }

    /// The files that the rules in force were made from.
    pub fn files(&self) -> &Arc<RuleBundle> {
        &self.active.bundle
    }

    /// The rules prepared to follow.
    pub fn prepared(&self) -> Option<&Arc<RuleSet>> {
        self.prepared.as_ref().map(|edition| &edition.set)
    }

    /// Make rules ready. Who writes the record has compiled them already; should they not compile here, nothing
    /// is prepared, and the activation that follows changes nothing: the last good set stays.
    pub fn prepare(&mut self, bundle: &RuleBundle, library: &dyn Library) {
        self.prepared = Edition::compile(bundle, library);
    }

    /// Put the prepared rules in force, if they are the ones named. Whether anything changed.
    pub fn activate(&mut self, rules: Hash256) -> bool {
        match self.prepared.take_if(|edition| edition.set.hash() == rules) {
            Some(edition) => {
                self.active = edition;
                true
            }
            None => false,
        }
    }

    /// The contents of rules in quarantine.
    pub fn quarantined(&self) -> &[Hash256] {
        &self.quarantined
    }

    /// Whether a content is in quarantine.
    pub fn is_quarantined(&self, rule: Hash256) -> bool {
        self.quarantined.binary_search(&rule).is_ok()
    }

    /// Let a rule's failures be alerted seldom, in this set and in every other that has it unchanged. It judges on.
    pub fn quarantine(&mut self, rule: Hash256) {
        if let Err(at) = self.quarantined.binary_search(&rule) {
            self.quarantined.insert(at, rule);
        }
    }

    /// Let a quarantined rule's failures be alerted as those of any other.
    pub fn lift_quarantine(&mut self, rule: Hash256) {
        self.quarantined.retain(|quarantined| *quarantined != rule);
    }

    /// A rulebook in which the prepared rules are in force already.
    pub fn successor(&self) -> Self {
        let active = self.prepared.clone().unwrap_or_else(|| self.active.clone());
        Self { active, prepared: None, quarantined: self.quarantined.clone() }
    }

    /// What a snapshot carries.
    pub fn sources(&self) -> Sources {
        Sources {
            active: (*self.active.bundle).clone(),
            prepared: self.prepared.as_ref().map(|edition| (*edition.bundle).clone()),
            quarantined: self.quarantined.clone(),
        }
    }

    /// The rulebook of a snapshot.
    pub fn restore(sources: &Sources, library: &dyn Library) -> Result<Self, SnapshotError> {
        let compile = |bundle| Edition::compile(bundle, library).ok_or(SnapshotError::Rules);
        Ok(Self {
            active: compile(&sources.active)?,
            prepared: sources.prepared.as_ref().map(compile).transpose()?,
            quarantined: sources.quarantined.clone(),
        })
    }
}
