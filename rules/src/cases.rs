//! Cases: payments in, alerts out, in the file beside each rule; and which conditions, of rules and of windows' filters, they never tried.
//!
//! Windows are the core's, and rules must not know the core: whoever runs cases hands in a [`CaseEngine`].

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_model::{
    Action, Alert, EventTime, KeyKind, ListMatch, PartyMatch, PaymentEvent, PaymentPast, Role, RuleBundle,
    RuleFile, Span, StatusSet,
};

use crate::{Diagnostics, Facts, Judgement, NO_WINDOWS, RuleSet, SHADOW_FOLDER, lower::Probe, shadow};

/// How a case file's name ends.
pub const CASES_SUFFIX: &str = ".cases.toml";
/// Payments that one case may have, repeats counted.
const PAYMENTS_MAX: usize = 10_000;

/// Runs events through windows and rules, from nothing: the core does it.
pub trait CaseEngine {
    /// The alerts of the events, under the rules.
    ///
    /// # Errors
    /// When the engine cannot run them; in words.
    fn run(&self, rules: &Arc<RuleSet>, events: &[PaymentEvent]) -> Result<Vec<Alert>, String>;
}

/// What a run of all cases came to.
#[derive(Debug, Default, Serialize)]
pub struct TestReport {
    /// Case by case.
    pub cases: Vec<CaseReport>,
    /// Rule by rule: which conditions were tried.
    pub coverage: Vec<Coverage>,
    /// Rules without cases.
    pub untested: Vec<String>,
}

/// What one case came to.
#[derive(Debug, Serialize)]
pub struct CaseReport {
    /// The case file.
    pub file: String,
    /// The line on which the case begins.
    pub line: usize,
    /// What it is called.
    pub name: String,
    /// What went otherwise than it says; empty: it passed.
    pub failures: Vec<String>,
}

/// Which conditions of a rule its cases tried.
#[derive(Debug, Serialize)]
pub struct Coverage {
    /// The rule's id.
    pub rule: String,
    /// Its file.
    pub file: String,
    /// Conditions, those of the windows' filters too: what `&&`, `||` and `!` are made of, and what `if` asks.
    pub conditions: usize,
    /// How many of them a case asked at all.
    pub conditions_tried: usize,
    /// Ways to go, two for each condition: met and not met.
    pub branches: usize,
    /// How many of them a case went.
    pub tried: usize,
    /// Those that no case went.
    pub missing: Vec<MissingBranch>,
}

/// A way that no case went.
#[derive(Debug, Serialize)]
pub struct MissingBranch {
    /// Where the condition is.
    pub line: usize,
    /// Where the condition is.
    pub column: usize,
    /// Whether it was never met, or always.
    pub never: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    /// What every payment says unless it says otherwise.
    #[serde(default)]
    payment: toml::Table,
    #[serde(default, rename = "case")]
    cases: Vec<toml::Spanned<Case>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    payments: Vec<toml::Table>,
    alerts: Vec<ExpectedAlert>,
}

#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
struct ExpectedAlert {
    /// On which payment, from 1.
    on: usize,
    /// Which rule; needed where the file holds several.
    rule: Option<String>,
    key: Option<String>,
    action: Option<Action>,
    /// A part of it.
    reason: Option<String>,
    /// Whether the rule failed and its failure policy applies.
    #[serde(default)]
    error: bool,
}

/// A payment of a case, with what screening is to say of it.
struct Step {
    event: PaymentEvent,
    matches: Option<f64>,
    screening_failed: bool,
}

/// Run every case. The rules run as they are written, without a company's own parameters; those of a candidate in
/// `shadow/` with the cases there, as if they were in force.
///
/// # Errors
/// When the rules do not check.
pub fn run_cases(
    bundle: &RuleBundle,
    cases: &[RuleFile],
    engine: &dyn CaseEngine,
) -> Result<TestReport, Diagnostics> {
    let (live, candidate) = shadow::split(bundle);
    let (beside, cases): (Vec<RuleFile>, Vec<RuleFile>) = cases.iter().cloned().partition(shadow::is_shadow);
    let mut report = run_in_force(&live, &cases, |_| true, engine)?;
    if let Some(candidate) = candidate {
        let of = run_in_force(&candidate, &beside, |path| path.starts_with(SHADOW_FOLDER), engine)?;
        report.cases.extend(of.cases);
        report.coverage.extend(of.coverage);
        report.untested.extend(of.untested);
    }
    Ok(report)
}

/// The same of one bundle, all of whose rules are in force; coverage is reported of the `wanted` files.
fn run_in_force(
    bundle: &RuleBundle,
    cases: &[RuleFile],
    wanted: impl Fn(&str) -> bool,
    engine: &dyn CaseEngine,
) -> Result<TestReport, Diagnostics> {
    let files = bundle.files.iter().filter(|f| f.path.rsplit('/').next() != Some("parameters.toml"));
    let rules = Arc::new(RuleSet::probed_as_in_force(&RuleBundle::new(files.cloned().collect()))?);
    let mut report = TestReport::default();
    for file in cases {
        let rule_file = format!("{}.rhai", file.path.trim_end_matches(CASES_SUFFIX));
        let ids = rules.ids_in(&rule_file);
        if ids.is_empty() {
            report.fail(file, 0, "", format!("there is no rule file {rule_file} beside these cases"));
            continue;
        }
        match toml::from_str::<CaseFile>(&file.text) {
            Ok(parsed) => {
                let others = Marks::of_all_but(&rules, &ids);
                for case in parsed.cases {
                    let line = file.text[..case.span().start].matches('\n').count() + 1;
                    let case = case.into_inner();
                    let failures = run_case(&parsed.payment, &case, &ids, &rules, engine);
                    let report_of_case =
                        CaseReport { file: file.path.clone(), line, name: case.name, failures };
                    report.cases.push(report_of_case);
                }
                others.restore();
            }
            Err(error) => {
                let line = error.span().map_or(0, |s| file.text[..s.start].matches('\n').count() + 1);
                report.fail(file, line, "", error.message().to_owned());
            }
        }
    }
    for (id, path) in rules.files().iter().filter(|(_, path)| wanted(path)) {
        let tested =
            cases.iter().any(|c| c.path.trim_end_matches(CASES_SUFFIX) == path.trim_end_matches(".rhai"));
        if !tested {
            report.untested.push(id.clone());
        }
        report.coverage.extend(rules.coverage(id, path));
    }
    Ok(report)
}

/// What the conditions of some rules came to so far. The cases of one rule run all of them; each is covered by its own.
struct Marks<'a>(Vec<(&'a Probe, bool, bool)>);

impl<'a> Marks<'a> {
    fn of_all_but(rules: &'a RuleSet, ids: &[String]) -> Self {
        let others = rules.files().keys().filter(|id| !ids.contains(id)).filter_map(|id| rules.probes(id));
        let marks = |probe: &'a Arc<Probe>| {
            (&**probe, probe.met.load(Ordering::Relaxed), probe.unmet.load(Ordering::Relaxed))
        };
        Self(others.flat_map(|probes| probes.0.iter().map(marks)).collect())
    }

    fn restore(self) {
        for (probe, met, unmet) in self.0 {
            probe.met.store(met, Ordering::Relaxed);
            probe.unmet.store(unmet, Ordering::Relaxed);
        }
    }
}

impl TestReport {
    fn fail(&mut self, file: &RuleFile, line: usize, name: &str, failure: String) {
        let (file, name) = (file.path.clone(), name.to_owned());
        self.cases.push(CaseReport { file, line, name, failures: vec![failure] });
    }

    /// Whether every case passed.
    pub fn passed(&self) -> bool {
        self.cases.iter().all(|case| case.failures.is_empty())
    }
}

impl RuleSet {
    fn coverage(&self, id: &str, file: &str) -> Option<Coverage> {
        let probes = &self.probes(id)?.0;
        let mut missing = Vec::new();
        for probe in probes {
            for (seen, never) in [(&probe.met, true), (&probe.unmet, false)] {
                if !seen.load(Ordering::Relaxed) {
                    missing.push(MissingBranch { line: probe.at.line, column: probe.at.column, never });
                }
            }
        }
        let conditions = probes.len();
        let asked =
            |probe: &&Arc<Probe>| probe.met.load(Ordering::Relaxed) || probe.unmet.load(Ordering::Relaxed);
        let conditions_tried = probes.iter().filter(asked).count();
        let branches = conditions * 2;
        let tried = branches - missing.len();
        let (rule, file) = (id.to_owned(), file.to_owned());
        Some(Coverage { rule, file, conditions, conditions_tried, branches, tried, missing })
    }
}

fn run_case(
    defaults: &toml::Table,
    case: &Case,
    ids: &[String],
    rules: &Arc<RuleSet>,
    engine: &dyn CaseEngine,
) -> Vec<String> {
    let steps = match steps(defaults, &case.payments) {
        Ok(steps) => steps,
        Err(failure) => return vec![failure],
    };
    let at_home = rules.plan(KeyKind::Payment).rules.iter().any(|r| ids.contains(&r.meta.id));
    let alerts = if at_home {
        judged_at_home(rules, &steps)
    } else if steps.iter().any(|s| s.matches.is_some() || s.screening_failed) {
        return vec!["`matches` and `screening_failed` are for rules on `payment`".to_owned()];
    } else {
        let events: Vec<_> = steps.iter().map(|s| s.event.clone()).collect();
        match engine.run(rules, &events) {
            Ok(alerts) => alerts.iter().map(AlertSummary::of).collect(),
            Err(failure) => return vec![failure],
        }
    };
    let mut alerts: Vec<AlertSummary> = alerts.into_iter().filter(|a| ids.contains(&a.rule)).collect();
    let mut failures = Vec::new();
    for expected in &case.alerts {
        let event_id = event_id(expected.on);
        match alerts.iter().position(|s| expected.is_met_by(s, &event_id)) {
            Some(found) => {
                alerts.remove(found);
            }
            None => {
                let near = alerts.iter().find(|s| s.event_id == event_id);
                let instead = near.map_or("there was none".to_owned(), |s| format!("there was: {s}"));
                failures.push(format!("expected an alert on payment {} {expected}; {instead}", expected.on));
            }
        }
    }
    failures.extend(alerts.iter().map(|s| format!("not expected: on payment {}, {s}", s.event_id)));
    failures
}

/// What an alert says, as far as cases ask.
struct AlertSummary {
    rule: String,
    event_id: String,
    key: String,
    action: Action,
    reason: String,
    error: bool,
}

impl AlertSummary {
    fn of(alert: &Alert) -> Self {
        Self {
            rule: alert.rule_id.clone(),
            event_id: alert.event_id.clone(),
            key: alert.key.value.clone(),
            action: alert.action,
            reason: alert.reason.clone(),
            error: alert.failed_by.is_some(),
        }
    }
}

impl std::fmt::Display for AlertSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {} ({:?}): {}", self.rule, self.key, self.action, self.reason)
    }
}

impl ExpectedAlert {
    fn is_met_by(&self, alert: &AlertSummary, event_id: &str) -> bool {
        alert.event_id == event_id
            && self.rule.as_ref().is_none_or(|rule| *rule == alert.rule)
            && self.key.as_ref().is_none_or(|key| *key == alert.key)
            && self.action.is_none_or(|action| action == alert.action)
            && self.reason.as_ref().is_none_or(|part| alert.reason.contains(part))
            && self.error == alert.error
    }
}

impl std::fmt::Display for ExpectedAlert {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut wants = Vec::new();
        wants.extend(self.rule.as_ref().map(|rule| format!("of {rule}")));
        wants.extend(self.key.as_ref().map(|key| format!("on {key}")));
        wants.extend(self.action.map(|action| format!("asking for {action:?}")));
        wants.extend(self.reason.as_ref().map(|part| format!("saying {part:?}")));
        wants.extend(self.error.then(|| "by the failure policy".to_owned()));
        f.write_str(&wants.join(", "))
    }
}

/// Rules on `payment` have no windows: they are judged here, with matches as the case says.
fn judged_at_home(rules: &RuleSet, steps: &[Step]) -> Vec<AlertSummary> {
    let plan = rules.plan(KeyKind::Payment);
    let mut prior: BTreeMap<&str, StatusSet> = BTreeMap::new();
    let mut alerts = Vec::new();
    for step in steps {
        let event = &step.event;
        let matches: Vec<PartyMatch> = step.matches.iter().map(|score| met(event, *score)).collect();
        let past = prior.entry(event.payment_id()).or_default();
        let facts = Facts {
            event,
            amount: event.amount,
            role: Role::NONE,
            past: &PaymentPast { prior: *past, ..PaymentPast::default() },
            matches: &matches,
            screening_failed: step.screening_failed,
            profile: None,
        };
        let mut judgements: Vec<Judgement> = Vec::new();
        plan.judge(&facts, &NO_WINDOWS, &[], &mut judgements);
        alerts.extend(judgements.into_iter().map(|judgement| AlertSummary {
            rule: plan.rules[judgement.rule].meta.id.clone(),
            event_id: event.event_id.clone(),
            key: event.payment_id().to_owned(),
            action: judgement.finding.action,
            error: judgement.finding.error.is_some(),
            reason: judgement.finding.reason,
        }));
        *past = past.with(event.status);
    }
    alerts
}

/// A match of the debtor, as a case asks for it.
fn met(event: &PaymentEvent, score: f64) -> PartyMatch {
    let name = event.debtor.as_ref().and_then(|p| p.name.clone()).unwrap_or_default();
    let found = ListMatch {
        score,
        list: "case".to_owned(),
        version: "case".to_owned(),
        entry_id: "1".to_owned(),
        name: name.clone(),
        reasons: Vec::new(),
    };
    PartyMatch { role: "debtor".to_owned(), name, party: None, matches: vec![found] }
}

fn event_id(number: usize) -> String {
    number.to_string()
}

/// The payments of a case as events.
fn steps(defaults: &toml::Table, payments: &[toml::Table]) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    let mut at: Option<EventTime> = None;
    for (row, payment) in payments.iter().enumerate() {
        let mut fields = defaults.clone();
        merge(&mut fields, payment);
        let wrong = |what: &str| format!("payment {}: {what}", row + 1);
        let span = |fields: &mut toml::Table, name: &str| {
            fields.remove(name).map(|v| {
                v.as_str()
                    .and_then(|text| text.parse::<Span>().ok())
                    .ok_or_else(|| wrong(&format!("`{name}` is no length of time")))
            })
        };
        let after = span(&mut fields, "after").transpose()?;
        let every = span(&mut fields, "every").transpose()?.unwrap_or(Span::ZERO);
        let times = match fields.remove("times") {
            None => 1,
            Some(v) => v
                .as_integer()
                .and_then(|n| usize::try_from(n).ok())
                .ok_or_else(|| wrong("`times` is a number"))?,
        };
        let given = fields.remove("at").map(|v| v.to_string().trim_matches('"').to_owned());
        let first = match (given, after, at) {
            (Some(text), None, _) => {
                text.parse().map_err(|_| wrong("`at` is no moment (2026-03-02T08:00:00Z)"))?
            }
            (None, Some(after), Some(at)) => at.plus(after),
            (None, None, Some(at)) => at,
            (Some(_), Some(_), _) => return Err(wrong("it says both `at` and `after`")),
            (None, _, None) => return Err(wrong("the first payment says `at` which moment it was")),
        };
        let matches = fields.remove("matches").and_then(|v| v.as_float());
        let screening_failed = fields.remove("screening_failed").and_then(|v| v.as_bool()).unwrap_or(false);
        if steps.len() + times > PAYMENTS_MAX {
            return Err(format!("a case may have {PAYMENTS_MAX} payments"));
        }
        let mut moment = first;
        for repeat in 0..times {
            if repeat > 0 {
                moment = moment.plus(every);
            }
            let event = event(&fields, steps.len() + 1, moment).map_err(|error| wrong(&error))?;
            steps.push(Step { event, matches, screening_failed });
        }
        at = Some(moment);
    }
    Ok(steps)
}

fn event(fields: &toml::Table, number: usize, at: EventTime) -> Result<PaymentEvent, String> {
    let mut event = serde_json::to_value(fields).map_err(|error| error.to_string())?;
    let Value::Object(object) = &mut event else { return Err("not an event".to_owned()) };
    object.insert("event_id".to_owned(), event_id(number).into());
    object.insert("occurred_at".to_owned(), at.to_string().into());
    object.entry("type").or_insert_with(|| "payment".into());
    spell_out_money(&mut event);
    serde_json::from_value(event).map_err(|error| error.to_string())
}

/// `"1000.00 HKD"` for `{ value = "1000.00", currency = "HKD" }`, where money is meant.
fn spell_out_money(value: &mut Value) {
    let Value::Object(object) = value else { return };
    for (name, inner) in object.iter_mut() {
        match inner {
            Value::String(text) if name == "amount" || name == "balance_after" => {
                if let Some((amount, currency)) = text.split_once(' ') {
                    *inner = serde_json::json!({ "value": amount, "currency": currency });
                }
            }
            Value::Object(_) => spell_out_money(inner),
            _ => {}
        }
    }
}

/// What `over` says comes before what `under` says, field by field.
fn merge(under: &mut toml::Table, over: &toml::Table) {
    for (name, value) in over {
        match (under.get_mut(name), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            _ => {
                under.insert(name.clone(), value.clone());
            }
        }
    }
}

impl std::fmt::Display for TestReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let failed: Vec<_> = self.cases.iter().filter(|c| !c.failures.is_empty()).collect();
        for case in &failed {
            writeln!(f, "{}:{}: {}", case.file, case.line, case.name)?;
            case.failures.iter().try_for_each(|failure| writeln!(f, "    {failure}"))?;
        }
        for coverage in self.coverage.iter().filter(|c| !c.missing.is_empty()) {
            let Coverage { rule, file, conditions, conditions_tried, branches, tried, .. } = coverage;
            writeln!(
                f,
                "{rule}: {conditions_tried} of {conditions} conditions and {tried} of {branches} branches tried"
            )?;
            for MissingBranch { line, column, never } in &coverage.missing {
                let what = if *never { "never met" } else { "always met" };
                writeln!(f, "    {file}:{line}:{column}: {what} in the cases")?;
            }
        }
        if !self.untested.is_empty() {
            writeln!(f, "without cases: {}", self.untested.join(", "))?;
        }
        let sum = |of: fn(&Coverage) -> usize| self.coverage.iter().map(of).sum::<usize>();
        let (conditions, asked) = (sum(|c| c.conditions), sum(|c| c.conditions_tried));
        let (branches, tried) = (sum(|c| c.branches), sum(|c| c.tried));
        let passed = self.cases.len() - failed.len();
        write!(
            f,
            "{passed} of {} cases passed; {asked} of {conditions} conditions and {tried} of {branches} branches tried",
            self.cases.len()
        )
    }
}
