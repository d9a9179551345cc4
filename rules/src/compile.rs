//! From a bundle of files to plans: parse, check, share what is common, lower.

use std::{collections::BTreeMap, sync::Arc};

use sluice_model::{Hash256, KeyKind, RuleBundle};

use crate::{
    Diagnostic, Diagnostics, Plan, Rule, RuleMeta, Stream, Window, WindowUnit,
    check::{Checker, Used, WindowName},
    explain::Description,
    fields::Fields,
    limits,
    lower::{Lowering, Probes, Words},
    meta,
    parameter::{Overlay, Parameter},
    place::{Place, Source, nearest},
    plan::{ConditionProgram, Judge, SampleOf, StreamProgram, WeightsProgram},
    reference::Reference,
    schema::Schema,
    syntax::{self, Declarations},
    template::Template,
    tree::Term,
    types::Type,
    window::{Context, DeclaredWindow, StreamDefinition},
};

/// A compiled bundle.
pub(crate) struct Compilation {
    /// By kind of key, as [`KeyKind::ALL`].
    pub plans: [Plan; KeyKind::ALL.len()],
    /// What each rule is, for people.
    pub descriptions: Vec<Description>,
    /// What deserves a look.
    pub warnings: Diagnostics,
    /// The probes of each rule's condition, where they were asked for.
    pub probes: BTreeMap<String, Probes>,
    /// Rule or typology id → file.
    pub files: BTreeMap<String, String>,
    /// Tables and rates.
    pub reference: Arc<Reference>,
}

/// A rule whose windows are in their plan and whose expressions are checked.
struct CheckedRule {
    meta: RuleMeta,
    file: String,
    parameters: Vec<Parameter>,
    condition: Term,
    reason: Template,
    windows: Vec<(String, usize)>,
    units: BTreeMap<String, WindowUnit>,
    tables: Vec<Hash256>,
    source: Hash256,
}

/// Plans while rules are added.
#[derive(Default)]
struct PlanBuilder {
    streams: Vec<(Hash256, StreamDefinition)>,
    windows: Vec<Window>,
    rules: Vec<CheckedRule>,
    typologies: Vec<Typology>,
}

/// A checked typology.
struct Typology {
    meta: RuleMeta,
    file: String,
    weights: Vec<(String, i64)>,
    alert_at: i64,
    hold_at: Option<i64>,
    source: Hash256,
}

/// How rules are made ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    /// To judge.
    Native,
    /// To judge, noting what every condition comes to.
    Probed,
    /// Nothing lowered: everything in the interpreter, to compare with.
    Interpreted,
}

/// Compile; every error at once, or the plans. The rules of a candidate that differ from those in force are judged
/// beside them, in shadow.
pub(crate) fn compile(
    bundle: &RuleBundle,
    candidate: Option<&RuleBundle>,
    mode: Mode,
) -> Result<Compilation, Diagnostics> {
    let live = Compiler::read(bundle, Default::default(), mode);
    let Some(candidate) = candidate else { return live.finish() };
    // Windows are placed after those in force, and shared with them.
    let shared = live.builders.each_ref().map(PlanBuilder::without_rules);
    let beside = Compiler::read(candidate, shared, mode).finish();
    match (live.finish(), beside) {
        (Ok(live), Ok(beside)) => Ok(live.beside(beside)),
        (Err(mut found), Err(more)) => {
            // A file that both have is wrong once.
            let new: Vec<Diagnostic> = more.0.into_iter().filter(|one| !found.0.contains(one)).collect();
            found.0.extend(new);
            Err(found)
        }
        (Err(found), Ok(_)) | (Ok(_), Err(found)) => Err(found),
    }
}

impl Compilation {
    /// With what differs of a candidate in shadow.
    fn beside(mut self, candidate: Self) -> Self {
        let mut differs = Vec::new();
        for (plan, candidate) in self.plans.iter_mut().zip(candidate.plans) {
            differs.extend(plan.judge_beside(candidate));
        }
        let described = candidate.descriptions.into_iter().filter(|one| differs.contains(&one.id));
        self.descriptions.extend(described.map(|one| Description { shadow: true, candidate: true, ..one }));
        let new: Vec<Diagnostic> =
            candidate.warnings.0.into_iter().filter(|one| !self.warnings.0.contains(one)).collect();
        self.warnings.0.extend(new);
        for (id, file) in candidate.files {
            self.files.entry(id).or_insert(file);
        }
        self
    }
}

impl Compiler {
    /// Read and check a bundle, its windows placed after those that are there already.
    fn read(bundle: &RuleBundle, builders: [PlanBuilder; KeyKind::ALL.len()], mode: Mode) -> Self {
        let mut found = Vec::new();
        let mut reference = Reference::default();
        let mut overlay = Overlay::default();
        let mut rules = Vec::new();
        for file in &bundle.files {
            let source = Source { path: &file.path, text: &file.text };
            let name = file.path.rsplit('/').next().unwrap_or_default();
            if name.ends_with(".cases.toml") {
                // Cases are the tests' business.
            } else if name.ends_with(".rhai") {
                rules.push(source);
            } else if name == "parameters.toml" {
                overlay.add(&source, &mut found);
            } else if Reference::is_at(&file.path) {
                reference.add(&source, &mut found);
            }
        }
        let mut compiler = Compiler {
            reference: Arc::new(reference),
            overlay,
            ids: BTreeMap::new(),
            builders,
            descriptions: Vec::new(),
            found,
            mode,
        };
        let mut weighed = Vec::new();
        for source in &rules {
            let Some(file) = syntax::parse(source, &mut compiler.found) else { continue };
            compiler.file(source, &file);
            if !file.typologies.is_empty() {
                weighed.push((source, file));
            }
        }
        for (source, file) in &weighed {
            compiler.typologies(source, file);
        }
        compiler
    }
}

struct Compiler {
    reference: Arc<Reference>,
    overlay: Overlay,
    /// Rule id → file.
    ids: BTreeMap<String, String>,
    builders: [PlanBuilder; KeyKind::ALL.len()],
    descriptions: Vec<Description>,
    found: Vec<Diagnostic>,
    mode: Mode,
}

impl Compiler {
    /// Take in a rule file; one that holds typologies only is left for later.
    fn file(&mut self, source: &Source<'_>, file: &Declarations) {
        match (file.rules.as_slice(), file.typologies.is_empty()) {
            ([rule], true) => {
                self.rule(source, file, rule);
            }
            ([], false) => {}
            ([], true) => {
                let diagnostic = source.error(Place::default(), "the file declares no rule");
                self.found.push(diagnostic.help("write: rule R01 #{ title: \"…\", … };"));
            }
            ([_, second, ..], true) => {
                let message = "a second rule in one file";
                self.found.push(source.error(second.at, message).help("give each rule a file of its own"));
            }
            ([rule, ..], false) => {
                self.found.push(source.error(rule.at, "a file holds a rule or typologies, not both"));
            }
        }
    }

    /// Claim an id, once.
    fn claim(&mut self, id: &str, source: &Source<'_>, at: rhai::Position) {
        if let Some(other) = self.ids.insert(id.to_owned(), source.path.to_owned()) {
            let message = format!("a second rule has the id `{id}`; the first is in {other}");
            self.found.push(source.error(at, message).help("every rule's id is its own"));
        }
    }

    fn rule(&mut self, source: &Source<'_>, file: &Declarations, block: &syntax::Block) -> Option<()> {
        self.claim(&block.name, source, block.at);
        let mut fields = Fields::of(source, "rule", block, meta::RULE, &mut self.found);
        let meta = RuleMeta::read(&block.name, &mut fields, true);
        let about = fields.text("about").unwrap_or_default().to_owned();

        let mut parameters = Vec::new();
        for declared in &file.parameters {
            let read = Parameter::read(source, declared, &mut self.found);
            if parameters.iter().any(|p: &Parameter| p.name == declared.name) {
                self.found.push(source.error(declared.at, format!("a second parameter `{}`", declared.name)));
            }
            parameters.extend(read);
        }
        self.overlay.apply(&block.name, &mut parameters, &mut self.found);
        let meta = meta?;
        let reference = Arc::clone(&self.reference);
        let schema = Schema { key: meta.key, reference: &reference };
        let mut used = Used::default();
        let declared = self.windows(source, file, &meta, schema, &parameters, &mut used);
        let (names, slots) = self.place(&meta, &declared);

        let functions = &file.functions;
        let mut checker =
            Checker::new(source, schema, &parameters, &names, functions, &mut used, &mut self.found);
        let condition = match file.conditions.as_slice() {
            [condition] => checker.truth(condition),
            [] => {
                let diagnostic = source.error(block.at, format!("rule `{}` has no condition", block.name));
                checker.found.push(diagnostic.help("write: condition payments >= payments_min;"));
                None
            }
            [_, second, ..] => {
                checker.found.push(source.error(second.start_position(), "a second condition"));
                None
            }
        };
        if let Some(condition) = &condition {
            condition.implied(true, &mut checker.known);
        }
        let condition = match (condition, file.conditions.as_slice()) {
            (Some(term), [expr]) if self.mode == Mode::Interpreted => Some(checker.interpreted(expr, term)),
            (condition, _) => condition,
        };
        let reason = match file.reasons.as_slice() {
            [reason] => Template::read(&mut checker, reason),
            [] => {
                checker.found.push(
                    source
                        .error(block.at, format!("rule `{}` gives no reason", block.name))
                        .help("write: reason `${payments} payments within ${within}`;"),
                );
                None
            }
            [_, second, ..] => {
                checker.found.push(source.error(second.start_position(), "a second reason"));
                None
            }
        };
        self.unused(source, &parameters, &names, &used);
        let (condition, reason) = (condition?, reason?);
        self.descriptions.push(Description::new(
            source,
            &meta,
            about,
            &parameters,
            &declared,
            &slots,
            &condition,
            &reason,
            &used,
            &reference,
        ));
        let tables = used.tables.iter().map(|t| reference.tables[*t].hash).collect();
        let windows = names.iter().map(|n| (n.name.clone(), n.slot)).collect();
        let units = names.iter().filter_map(|n| Some((n.name.clone(), WindowUnit::of(&n.of)?))).collect();
        let (file, source) = (source.path.to_owned(), Hash256::of(source.text.as_bytes()));
        let checked =
            CheckedRule { condition, reason, windows, units, tables, file, source, parameters, meta };
        self.builders[checked.meta.key as usize].rules.push(checked);
        Some(())
    }

    /// Check a rule's windows.
    fn windows(
        &mut self,
        source: &Source<'_>,
        file: &Declarations,
        meta: &RuleMeta,
        schema: Schema<'_>,
        parameters: &[Parameter],
        used: &mut Used,
    ) -> Vec<DeclaredWindow> {
        let context = Context {
            source,
            schema,
            parameters,
            functions: &file.functions,
            statuses: meta.statuses,
            events: meta.events,
            interpreted: self.mode == Mode::Interpreted,
        };
        if let Some(first) = file.windows.first()
            && meta.key == KeyKind::Payment
        {
            let diagnostic =
                source.error(first.at, "a rule on `payment` is judged at home and has no windows");
            self.found
                .push(diagnostic.help("watch a customer, account, card, device, merchant, ip or party"));
            return Vec::new();
        }
        if let Some(extra) = file.windows.get(limits::WINDOWS_MAX) {
            self.found
                .push(source.error(extra.at, format!("a rule may declare {} windows", limits::WINDOWS_MAX)));
        }
        let mut declared: Vec<DeclaredWindow> = Vec::new();
        for block in &file.windows {
            let read = DeclaredWindow::read(&context, block, used, &mut self.found);
            let taken = declared.iter().any(|d| d.name == block.name)
                || parameters.iter().any(|p| p.name == block.name)
                || schema.field(&block.name).is_some()
                || Schema::is_root(&block.name);
            if taken {
                let message = format!("`{}` already means something", block.name);
                self.found.push(source.error(block.at, message).help("take another name"));
            }
            declared.extend(read);
        }
        for parameter in parameters {
            if schema.field(&parameter.name).is_some() || Schema::is_root(&parameter.name) {
                let message = format!("`{}` is a field of the event", parameter.name);
                self.found.push(source.error(parameter.at, message).help("take another name"));
            }
        }
        declared
    }

    /// Give each window its place in the plan of its kind of key, shared with equal ones.
    fn place(&mut self, meta: &RuleMeta, declared: &[DeclaredWindow]) -> (Vec<WindowName>, Vec<usize>) {
        let builder = &mut self.builders[meta.key as usize];
        let mut names = Vec::new();
        for window in declared {
            let id = window.stream.id(meta.key);
            // What a filter came to is reported of the rule whose cases tried it.
            let id = match self.mode {
                Mode::Probed => Hash256::of_parts([id.0.as_slice(), meta.id.as_bytes()]),
                _ => id,
            };
            let stream = builder.streams.iter().position(|(held, _)| *held == id).unwrap_or_else(|| {
                builder.streams.push((id, window.stream.clone()));
                builder.streams.len() - 1
            });
            let planned =
                Window { stream, measure: window.measure, length: window.length, before: window.before };
            let slot = builder.windows.iter().position(|held| *held == planned).unwrap_or_else(|| {
                builder.windows.push(planned);
                builder.windows.len() - 1
            });
            names.push(WindowName {
                name: window.name.clone(),
                slot,
                of: window.of.clone(),
                optional: window.optional,
                at: window.at,
            });
        }
        let slots = names.iter().map(|n| n.slot).collect();
        (names, slots)
    }

    /// A window that nobody reads costs memory for nothing; a parameter that nobody reads misleads.
    fn unused(&mut self, source: &Source<'_>, parameters: &[Parameter], windows: &[WindowName], used: &Used) {
        for window in windows.iter().filter(|w| !used.windows.contains(&w.name)) {
            let diagnostic = source.error(window.at, format!("nothing reads the window `{}`", window.name));
            self.found.push(diagnostic.help("use it in the condition or the reason, or take it out"));
        }
        for parameter in parameters.iter().filter(|p| !used.parameters.contains(&p.name)) {
            let diagnostic =
                source.error(parameter.at, format!("nothing reads the parameter `{}`", parameter.name));
            self.found.push(diagnostic.help("use it, or take it out: officers will think that it matters"));
        }
    }

    fn typologies(&mut self, source: &Source<'_>, file: &Declarations) {
        for block in &file.typologies {
            self.claim(&block.name, source, block.at);
            let mut fields = Fields::of(source, "typology", block, meta::TYPOLOGY, &mut self.found);
            let meta = RuleMeta::read(&block.name, &mut fields, false);
            let alert_at = whole(&mut fields, "alert_at");
            let hold_at = fields.expr("hold_at").is_some().then(|| whole(&mut fields, "hold_at")).flatten();
            let weights = weights(&mut fields);
            if let (Some(alert_at), Some(hold_at)) = (alert_at, hold_at)
                && hold_at < alert_at
            {
                fields.error("hold_at", "the score to hold at lies below the score to alert at");
            }
            let (Some(meta), Some(alert_at), Some(weights)) = (meta, alert_at, weights) else { continue };
            let builder = &mut self.builders[meta.key as usize];
            let known: Vec<&str> = builder.rules.iter().map(|r| r.meta.id.as_str()).collect();
            for (rule, _, at) in &weights {
                if !known.contains(&rule.as_str()) {
                    let message = format!("no rule `{rule}` watches the key `{}`", meta.key.name());
                    self.found.push(source.error(*at, message).perhaps(nearest(rule, known.iter().copied())));
                }
            }
            let reachable: i64 = weights.iter().map(|(_, weight, _)| weight).sum();
            if reachable < alert_at {
                let message = format!("the weights come to {reachable} and can never reach {alert_at}");
                self.found.push(source.error(block.at, message));
            }
            let weights = weights.into_iter().map(|(rule, weight, _)| (rule, weight)).collect();
            let (file, source) = (source.path.to_owned(), Hash256::of(source.text.as_bytes()));
            builder.typologies.push(Typology { meta, file, weights, alert_at, hold_at, source });
        }
    }

    fn finish(mut self) -> Result<Compilation, Diagnostics> {
        let ids: Vec<&str> = self.ids.keys().map(String::as_str).collect();
        self.overlay.finish(&ids, &mut self.found);
        if ids.len() > limits::RULES_MAX {
            let nowhere = Source { path: "", text: "" };
            let message = format!("the set holds {} rules; {} are allowed", ids.len(), limits::RULES_MAX);
            self.found.push(nowhere.error(Place::default(), message));
        }
        let mut found = Diagnostics(self.found);
        found.0.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
        found.0.dedup();
        if found.has_errors() {
            return Err(found);
        }
        let mut probes = BTreeMap::new();
        let reference = &self.reference;
        let probing = self.mode == Mode::Probed;
        let plans = self.builders.map(|builder| builder.build(reference, probing.then_some(&mut probes)));
        Ok(Compilation {
            plans,
            descriptions: self.descriptions,
            warnings: found,
            probes,
            files: self.ids,
            reference: self.reference,
        })
    }
}

/// A whole number that must be there.
fn whole(fields: &mut Fields<'_>, name: &str) -> Option<i64> {
    match fields.required(name)? {
        rhai::Expr::IntegerConstant(n, _) if *n > 0 => Some(*n),
        _ => {
            fields.error(name, format!("`{name}` is a whole number above zero"));
            None
        }
    }
}

/// `weights: #{ R05: 50, R08: 30 }`.
fn weights(fields: &mut Fields<'_>) -> Option<Vec<(String, i64, rhai::Position)>> {
    let rhai::Expr::Map(entries, _) = fields.required("weights")? else {
        fields.error("weights", "weights are a map: #{ R05: 50, R08: 30 }");
        return None;
    };
    let mut weights = Vec::new();
    for (rule, weight) in &entries.0 {
        match weight {
            rhai::Expr::IntegerConstant(n, _) if *n > 0 => {
                weights.push((rule.name.to_string(), *n, rule.pos))
            }
            other => {
                let diagnostic =
                    fields.source.error(other.start_position(), "a weight is a whole number above zero");
                fields.found.push(diagnostic);
            }
        }
    }
    Some(weights)
}

impl PlanBuilder {
    /// The windows alone, for rules that are to share them.
    fn without_rules(&self) -> Self {
        Self { streams: self.streams.clone(), windows: self.windows.clone(), ..Self::default() }
    }

    fn build(self, reference: &Arc<Reference>, mut probes: Option<&mut BTreeMap<String, Probes>>) -> Plan {
        let mut filters: Vec<Probes> = Vec::new();
        let streams: Vec<_> = self
            .streams
            .into_iter()
            .map(|(id, definition)| {
                let mut own = Probes::default();
                let mut lowering = Lowering { probes: probes.is_some().then_some(&mut own) };
                let program = definition.lower(reference, &mut lowering);
                filters.push(own);
                Stream { id, program }
            })
            .collect();
        let mut rules: Vec<Rule> = Vec::new();
        for rule in self.rules {
            let mut own = Probes::default();
            let mut lowering = Lowering { probes: probes.is_some().then_some(&mut own) };
            let condition = lowering.truth(&rule.condition);
            let mut under: Vec<usize> =
                rule.windows.iter().map(|(_, slot)| self.windows[*slot].stream).collect();
            under.sort_unstable();
            under.dedup();
            if let Some(probes) = probes.as_deref_mut() {
                own.0.extend(under.iter().flat_map(|stream| filters[*stream].0.iter().cloned()));
                own.0.sort_by_key(|probe| (probe.at.line, probe.at.column));
                probes.insert(rule.meta.id.clone(), own);
            }
            let parameters = Parameter::hash(&rule.parameters);
            let parts = [rule.source, parameters].into_iter().chain(rule.tables).map(|h| h.0);
            let parts: Vec<[u8; 32]> = parts.collect();
            rules.push(Rule {
                content: Hash256::of_parts(parts.iter().map(<[u8; 32]>::as_slice)),
                file: rule.file,
                source: rule.source,
                parameters,
                units: rule.units,
                judge: Arc::new(Judge::Condition(ConditionProgram {
                    condition,
                    reason: rule.reason.lower(),
                    windows: rule.windows,
                    streams: under,
                    reference: Arc::clone(reference),
                })),
                meta: rule.meta,
            });
        }
        for typology in self.typologies {
            let place = |id: &String| rules.iter().position(|r| r.meta.id == *id);
            let weights: Vec<(usize, i64)> =
                typology.weights.iter().filter_map(|(id, weight)| Some((place(id)?, *weight))).collect();
            let members = weights.iter().map(|(rule, _)| rules[*rule].content.0);
            let parts: Vec<[u8; 32]> = std::iter::once(typology.source.0)
                .chain(std::iter::once(Hash256::of(typology.meta.id.as_bytes()).0))
                .chain(members)
                .collect();
            rules.push(Rule {
                content: Hash256::of_parts(parts.iter().map(<[u8; 32]>::as_slice)),
                file: typology.file,
                source: typology.source,
                parameters: Parameter::hash(&[]),
                units: BTreeMap::new(),
                judge: Arc::new(Judge::Weights(WeightsProgram {
                    weights,
                    alert_at: typology.alert_at,
                    hold_at: typology.hold_at,
                })),
                meta: typology.meta,
            });
        }
        Plan { streams, windows: self.windows, rules }
    }
}

impl StreamDefinition {
    fn lower(&self, reference: &Arc<Reference>, lowering: &mut Lowering<'_>) -> StreamProgram {
        let value = match &self.value {
            None => SampleOf::Event,
            Some(term) if matches!(term.of, Type::Number { .. }) => SampleOf::Number(lowering.whole(term)),
            Some(term) => SampleOf::Text(Words::of(lowering, term)),
        };
        StreamProgram {
            role: self.role,
            statuses: self.statuses,
            events: self.events,
            filter: self.filter.as_ref().map(|filter| lowering.truth(filter)),
            value,
            reference: Arc::clone(reference),
        }
    }
}
