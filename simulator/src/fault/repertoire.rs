//! The rules and lists that simulations choose from, and the library that stages look them up in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use sluice_core::{Library, Unavailable};
use sluice_lists::{Entry, ListVersion, Screener, Settings};
use sluice_model::{EntryKind, Hash256, KeyKind, RuleBundle, RuleFile, Screening};
use sluice_rules::RuleSet;

use super::script::{NAMES, Repertoire};

/// Looks up the simulation's lists and rules, and remembers what it has compiled.
pub struct SimLibrary {
    repertoire: Repertoire,
    rules: Mutex<BTreeMap<Hash256, Option<Arc<RuleSet>>>>,
    screeners: Mutex<BTreeMap<String, Arc<Screener>>>,
}

impl SimLibrary {
    /// A library of everything a simulation may name.
    pub fn new() -> Self {
        let rules = [BASE, RAISED, WIDENED].map(rule_bundle).to_vec();
        let lists = [&NAMES[2..3], &NAMES[6..7], &NAMES[0..0]].map(list_version).to_vec();
        Self {
            repertoire: Repertoire {
                contents: contents(&rules),
                rules,
                lists: lists.into_iter().flatten().collect(),
            },
            rules: Mutex::default(),
            screeners: Mutex::default(),
        }
    }

    /// What scripts choose from.
    pub fn repertoire(&self) -> &Repertoire {
        &self.repertoire
    }
}

impl Default for SimLibrary {
    fn default() -> Self {
        Self::new()
    }
}

impl Library for SimLibrary {
    fn screener(&self, screening: &Screening) -> Result<Arc<Screener>, Unavailable> {
        let name = format!("{:?}", screening.lists);
        let mut screeners = self.screeners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(screener) = screeners.get(&name) {
            return Ok(Arc::clone(screener));
        }
        let find =
            |hash: &Hash256| self.repertoire.lists.iter().find(|version| version.hash() == *hash).cloned();
        let versions: Option<Vec<_>> = screening.lists.values().map(find).collect();
        let versions =
            versions.ok_or_else(|| Unavailable("a version of the simulation is unknown".into()))?;
        let screener = Arc::new(Screener::build(&versions, Settings::default()));
        screeners.insert(name, Arc::clone(&screener));
        Ok(screener)
    }

    fn rules(&self, bundle: &RuleBundle) -> Option<Arc<RuleSet>> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.entry(bundle.hash()).or_insert_with(|| RuleSet::compile(bundle).ok().map(Arc::new)).clone()
    }
}

const HITS: (&str, &str) = ("hits.rhai", include_str!("rules/hits.rhai"));
const ACCOUNTS: (&str, &str) = ("accounts.rhai", include_str!("rules/accounts.rhai"));
const CUSTOMERS: (&str, &str) = ("customers.rhai", include_str!("rules/customers.rhai"));
const SHADOWED: (&str, &str) = ("shadowed.rhai", include_str!("rules/shadowed.rhai"));

/// Windows on accounts and customers, a rule without any, and one in shadow that often fails.
const BASE: &[(&str, &str)] = &[HITS, ACCOUNTS, CUSTOMERS, SHADOWED];
/// The same with a parameter raised: windows are kept.
const RAISED: &[(&str, &str)] =
    &[HITS, ("accounts.rhai", include_str!("rules/accounts-raised.rhai")), CUSTOMERS, SHADOWED];
/// With windows that the base does not have: they must be filled from the past.
const WIDENED: &[(&str, &str)] = &[HITS, ACCOUNTS, ("widened.rhai", include_str!("rules/widened.rhai"))];

fn rule_bundle(files: &[(&str, &str)]) -> RuleBundle {
    let file = |(path, text): &(&str, &str)| RuleFile { path: (*path).to_owned(), text: (*text).to_owned() };
    RuleBundle::new(files.iter().map(file).collect())
}

/// The content of every rule, each once.
fn contents(bundles: &[RuleBundle]) -> Vec<Hash256> {
    let sets = bundles.iter().filter_map(|bundle| RuleSet::compile(bundle).ok());
    let of = |set: RuleSet| -> Vec<Hash256> {
        KeyKind::ALL
            .into_iter()
            .flat_map(|kind| set.plan(kind).rules.iter().map(|rule| rule.content))
            .collect()
    };
    let all: BTreeSet<Hash256> = sets.flat_map(of).collect();
    all.into_iter().collect()
}

fn list_version(names: &[&str]) -> Option<Arc<ListVersion>> {
    let entries =
        names.iter().enumerate().map(|(i, name)| Entry::new(format!("SIM-{i}"), EntryKind::Person, *name));
    ListVersion::new("simulated", entries.collect()).ok().map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_set_of_the_simulation_compiles() {
        for bundle in &SimLibrary::new().repertoire().rules {
            if let Err(diagnostics) = RuleSet::compile(bundle) {
                panic!("{diagnostics}");
            }
        }
    }
}
