//! A compiled rule set: one plan for each kind of key.

use std::{collections::BTreeMap, sync::Arc};

use sluice_model::{Currency, EventTime, Hash256, KeyKind, RuleBundle};

use crate::{
    DescribedTypology, Description, Diagnostics, Plan, Rule,
    compile::{self, Mode},
    lower::Probes,
    reference::Reference,
    shadow,
    types::Type,
};

/// Rules, parameters and reference tables, checked and compiled. Immutable, and shared between threads.
#[derive(Debug)]
pub struct RuleSet {
    hash: Hash256,
    plans: [Plan; KeyKind::ALL.len()],
    descriptions: Vec<Description>,
    warnings: Diagnostics,
    probes: BTreeMap<String, Probes>,
    /// Rule or typology id → file.
    files: BTreeMap<String, String>,
    reference: Arc<Reference>,
}

impl RuleSet {
    /// A set that watches nothing.
    pub fn empty() -> Self {
        Self {
            hash: RuleBundle::default().hash(),
            plans: Default::default(),
            descriptions: Vec::new(),
            warnings: Diagnostics::default(),
            probes: BTreeMap::new(),
            files: BTreeMap::new(),
            reference: Arc::default(),
        }
    }

    /// Compile rules (`*.rhai`), parameters (`parameters.toml`) and reference tables (`reference/*.toml`);
    /// every error at once, or the set. Cases (`*.cases.toml`) are left to the tests.
    pub fn compile(bundle: &RuleBundle) -> Result<Self, Diagnostics> {
        Self::made(bundle, Mode::Native)
    }

    /// The same, with nothing lowered: what benches and tests compare with.
    pub fn compile_interpreted(bundle: &RuleBundle) -> Result<Self, Diagnostics> {
        Self::made(bundle, Mode::Interpreted)
    }

    fn made(bundle: &RuleBundle, mode: Mode) -> Result<Self, Diagnostics> {
        let (live, candidate) = shadow::split(bundle);
        Ok(Self::of(bundle.hash(), compile::compile(&live, candidate.as_ref(), mode)?))
    }

    /// The rules of a bundle as they are written, whatever folder they are in, noting what every condition comes to.
    pub(crate) fn probed_as_in_force(bundle: &RuleBundle) -> Result<Self, Diagnostics> {
        Ok(Self::of(bundle.hash(), compile::compile(bundle, None, Mode::Probed)?))
    }

    fn of(hash: Hash256, compiled: compile::Compilation) -> Self {
        let compile::Compilation { plans, descriptions, warnings, probes, files, reference } = compiled;
        Self { hash, plans, descriptions, warnings, probes, files, reference }
    }

    /// The bundle's hash.
    pub fn hash(&self) -> Hash256 {
        self.hash
    }

    /// What is watched on a kind of key. [`KeyKind::Payment`] is judged at home, without windows.
    pub fn plan(&self, kind: KeyKind) -> &Plan {
        &self.plans[kind as usize]
    }

    /// The attributes of events that rules may read, by name.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        fn of(plan: &Plan) -> Option<&BTreeMap<String, Type>> {
            plan.rules.iter().find_map(Rule::declared_attributes)
        }
        // One reference for the whole set: the first rule that has a condition knows it.
        self.plans.iter().find_map(of).into_iter().flat_map(|declared| declared.keys().map(String::as_str))
    }

    /// Whether any rule watches the kind.
    pub fn watches(&self, kind: KeyKind) -> bool {
        !self.plan(kind).rules.is_empty()
    }

    /// What each rule is, for people.
    pub fn descriptions(&self) -> &[Description] {
        &self.descriptions
    }

    /// What each typology is, for people.
    pub fn typologies(&self) -> impl Iterator<Item = DescribedTypology> {
        self.plans
            .iter()
            .flat_map(|plan| plan.rules.iter().filter_map(move |rule| DescribedTypology::of(rule, plan)))
    }

    /// What deserves a look, though it loads.
    pub fn warnings(&self) -> &Diagnostics {
        &self.warnings
    }

    /// The currencies that have no rate at a time: rules that ask for an amount fail on them, by their policy. None where
    /// there are no rules to ask.
    pub fn currencies_without_rate(&self, at: EventTime) -> Vec<Currency> {
        let asked = !self.files.is_empty();
        Currency::all().filter(|currency| asked && !self.reference.has_rate(*currency, at)).collect()
    }

    /// Every rule and typology with its file.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// The rules and typologies of one file.
    pub(crate) fn ids_in(&self, path: &str) -> Vec<String> {
        self.files.iter().filter(|(_, file)| *file == path).map(|(id, _)| id.clone()).collect()
    }

    pub(crate) fn probes(&self, rule: &str) -> Option<&Probes> {
        self.probes.get(rule)
    }
}
