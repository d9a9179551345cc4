//! The rules and lists that simulations choose from, and the library that stages look them up in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use sluice_core::{Library, Unavailable};
use sluice_lists::{Entry, ListVersion, Screener, Settings};
use sluice_model::{EntryKind, Hash256, KeyKind, RuleBundle, RuleFile, Screening};
use sluice_rules::RuleSet;

use super::{
    naive::{Book, SetOfRules, rules as stated},
    script::{NAMES, Repertoire},
};

/// Looks up the simulation's lists and rules, and remembers what it has compiled.
pub struct SimLibrary {
    repertoire: Repertoire,
    /// What the rules say, stated by hand.
    book: Book,
    rules: Mutex<BTreeMap<Hash256, Option<Arc<RuleSet>>>>,
    screeners: Mutex<BTreeMap<String, Arc<Screener>>>,
}

impl SimLibrary {
    /// A library of everything a simulation may name.
    pub fn new() -> Self {
        let rules: Vec<RuleBundle> = SETS.iter().map(|(files, _)| rule_bundle(files)).collect();
        let lists = [&NAMES[2..3], &NAMES[6..7], &NAMES[0..0]].map(list_version).to_vec();
        Self {
            book: book(&rules),
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

    /// What the rules say, stated by hand.
    pub fn book(&self) -> &Book {
        &self.book
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

macro_rules! files {
    ($($name:ident = $file:literal),*) => {
        $(const $name: (&str, &str) = ($file, include_str!(concat!("rules/", $file)));)*
    };
}

files!(
    HITS = "hits.rhai",
    DEAR = "dear.rhai",
    PLACES = "places.rhai",
    RETURNED = "returned.rhai",
    ACCOUNTS = "accounts.rhai",
    ACCOUNTS_RAISED = "accounts-raised.rhai",
    CUSTOMERS = "customers.rhai",
    YOUNG = "young.rhai",
    SHADOWED = "shadowed.rhai",
    WIDENED = "widened.rhai",
    DEVICES = "devices.rhai"
);

const RATES: (&str, &str) = ("reference/rates.toml", include_str!("rules/rates.toml"));

/// The files of a rule set, and what its rules say.
type Set = (&'static [(&'static str, &'static str)], &'static [stated::Rule]);

const SETS: [Set; 4] = [
    // Windows on accounts and customers, rules without any, one that reads a profile, and one in shadow that often fails.
    (
        &[HITS, DEAR, PLACES, RETURNED, ACCOUNTS, CUSTOMERS, YOUNG, SHADOWED, RATES],
        &[
            stated::HIT,
            stated::DEAR,
            stated::PLACE,
            stated::RETURNED,
            stated::ACCOUNTS,
            stated::CUSTOMERS,
            stated::YOUNG,
            stated::SHADOWED,
        ],
    ),
    // The same with a parameter raised: windows are kept.
    (
        &[HITS, DEAR, PLACES, RETURNED, ACCOUNTS_RAISED, CUSTOMERS, YOUNG, SHADOWED, RATES],
        &[
            stated::HIT,
            stated::DEAR,
            stated::PLACE,
            stated::RETURNED,
            stated::ACCOUNTS_RAISED,
            stated::CUSTOMERS,
            stated::YOUNG,
            stated::SHADOWED,
        ],
    ),
    // With windows that the first does not have, on a kind of key too that nobody watched: filled from the past.
    (
        &[HITS, DEAR, ACCOUNTS, WIDENED, DEVICES, RATES],
        &[stated::HIT, stated::DEAR, stated::ACCOUNTS, stated::WIDENED, stated::DEVICES],
    ),
    // What does not compile.
    (&[("broken.rhai", "rule BROKEN #{")], &[]),
];

/// What the rules of each bundle that compiles say, with the content under which each is known.
fn book(bundles: &[RuleBundle]) -> Book {
    let of = |(bundle, (_, rules)): (&RuleBundle, &Set)| {
        let set = RuleSet::compile(bundle).ok()?;
        let content = |rule: &stated::Rule| {
            let compiled = set.plan(rule.key).rules.iter().find(|compiled| compiled.meta.id == rule.id)?;
            Some((compiled.content, *rule))
        };
        Some(SetOfRules { hash: set.hash(), rules: rules.iter().filter_map(content).collect() })
    };
    Book(bundles.iter().zip(&SETS).filter_map(of).collect())
}

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
    fn every_rule_of_the_simulation_is_stated_by_hand() {
        let library = SimLibrary::new();
        let compiled = library.repertoire().rules.iter().filter_map(|bundle| RuleSet::compile(bundle).ok());
        let counts: Vec<usize> = compiled
            .map(|set| KeyKind::ALL.into_iter().map(|kind| set.plan(kind).rules.len()).sum())
            .collect();
        let stated: Vec<usize> = library.book().0.iter().map(|set| set.rules.len()).collect();
        assert_eq!(stated, counts);
        assert_eq!(stated, [8, 8, 5], "the last set of the repertoire does not compile, the others do");
    }
}
