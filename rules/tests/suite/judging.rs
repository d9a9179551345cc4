//! What rules say of events: failure policies, typologies, dated tables, rates. On payments, which need no windows.

use sluice_model::{
    Action, Alert, Cause, EventTime, FailureCause, Hash256, Key, KeyKind, PaymentEvent, PaymentPast, Role,
    RuleBundle, RuleFile, Severity, StatusSet, Versions,
};
use sluice_rules::{Backtest, EvalError, Facts, Judgement, Labels, NO_WINDOWS, RuleSet};

fn rule(id: &str, more: &str, body: &str) -> String {
    format!(
        "rule {id} #{{ title: \"Rule {id}\", key: \"payment\", severity: \"low\", typology: \"t\", speaks: \"every event\",\n\
         regulation: #{{ text: \"t\", source: \"s\", date: \"2026-01-01\" }}, {more} }};\n{body}"
    )
}

fn set(files: &[(&str, &str)]) -> RuleSet {
    let file = |(path, text): &(&str, &str)| RuleFile { path: (*path).to_owned(), text: (*text).to_owned() };
    RuleSet::compile(&RuleBundle::new(files.iter().map(file).collect()))
        .unwrap_or_else(|found| panic!("{found}"))
}

fn payment(at: &str, amount: &str, currency: &str, country: Option<&str>) -> PaymentEvent {
    serde_json::from_value(serde_json::json!({
        "event_id": "1", "type": "payment", "status": "completed", "occurred_at": at,
        "amount": { "value": amount, "currency": currency }, "debtor": { "country": country },
    }))
    .unwrap()
}

fn judge(set: &RuleSet, event: &PaymentEvent, prior: StatusSet) -> Vec<(String, Judgement)> {
    let plan = set.plan(KeyKind::Payment);
    let facts = Facts {
        event,
        amount: event.amount,
        role: Role::NONE,
        past: &PaymentPast { prior, ..PaymentPast::default() },
        matches: &[],
        screening_failed: false,
        profile: None,
    };
    let mut out = Vec::new();
    plan.judge(&facts, &NO_WINDOWS, &[], &mut out);
    out.into_iter().map(|j| (plan.rules[j.rule].meta.id.clone(), j)).collect()
}

fn ids(judged: &[(String, Judgement)]) -> Vec<&str> {
    judged.iter().map(|(id, _)| id.as_str()).collect()
}

#[test]
fn a_rule_that_always_fails_speaks_by_its_policy_and_the_others_go_on() {
    let failing = rule(
        "A",
        "action: \"alert\", on_error: \"hold\"",
        "condition amount / hkd(1) / (1 - 1) > 1;\nreason `x`;",
    );
    let sound = rule("B", "action: \"alert\"", "condition amount > hkd(1);\nreason `over ${amount}`;");
    let set = set(&[("a.rhai", &failing), ("b.rhai", &sound)]);
    let judged = judge(&set, &payment("2026-03-02T00:00:00Z", "5.00", "HKD", None), StatusSet::EMPTY);
    assert_eq!(ids(&judged), ["A", "B"]);
    let (a, b) = (&judged[0].1.finding, &judged[1].1.finding);
    assert_eq!(
        (a.action, a.error, a.reason.as_str()),
        (Action::Hold, Some(FailureCause::Input), "Rule A could not be judged: division by zero")
    );
    assert_eq!((b.action, b.error, b.reason.as_str()), (Action::Alert, None, "over HK$5.00"));
}

#[test]
fn a_script_that_costs_too_much_fails_alone() {
    let dear = rule(
        "A",
        "action: \"alert\"",
        "fn f(l) { let n = 0; for a in l { for b in l { for c in l { for d in l { n += 1; } } } } n }\n\
         condition f([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]) > 0;\nreason `x`;",
    );
    let set = set(&[("a.rhai", &dear)]);
    let judged = judge(&set, &payment("2026-03-02T00:00:00Z", "5.00", "HKD", None), StatusSet::EMPTY);
    assert_eq!(judged[0].1.finding.error, Some(FailureCause::Rule));
    assert_eq!(
        judged[0].1.finding.reason,
        "Rule A could not be judged: the rule exceeded its limit of operations"
    );
}

/// An institution's rates stand in a file of their own beside those that ship.
#[test]
fn rates_of_several_files_add_up() {
    let rates = |day: &str, rates: &str| {
        format!(
            "about = \"x\"\n[[rate]]\neffective = \"{day}\"\nsource = \"s\"\nhkd_for_one = {{ {rates} }}\n"
        )
    };
    let over = rule("B", "action: \"alert\"", "condition amount >= hkd(1);\nreason `${amount}`;");
    let set = set(&[
        ("b.rhai", &over),
        ("core/reference/rates.toml", &rates("2026-01-01", "USD = \"7.80\", JPY = \"0.05\", EGP = \"0.15\"")),
        ("own/reference/rates.toml", &rates("2026-01-01", "USD = \"7.70\"")),
        ("own/2/reference/rates.toml", &rates("2026-06-01", "EGP = \"0.10\"")),
    ]);
    let said = |at: &str, currency: &str| {
        let judged = judge(&set, &payment(at, "1000.00", currency, None), StatusSet::EMPTY);
        judged[0].1.finding.reason.clone()
    };
    assert_eq!(said("2026-01-02T00:00:00Z", "USD"), "HK$7,700.00", "of one day, the last by path");
    assert_eq!(said("2026-01-02T00:00:00Z", "JPY"), "HK$50.00");
    assert_eq!(said("2026-01-02T00:00:00Z", "EGP"), "HK$150.00");
    assert_eq!(said("2026-06-02T00:00:00Z", "EGP"), "HK$100.00");
}

/// The whole table, so that a new error is thought about: what the values of an event decide is the input's.
#[test]
fn only_what_no_event_could_avoid_is_the_rules_own_fault() {
    let name = || "x".to_owned();
    for error in [
        EvalError::Missing(name()),
        EvalError::Mistyped(name()),
        EvalError::NoRate(sluice_model::Currency::USD),
        EvalError::NotInForce(name()),
        EvalError::ScreeningFailed,
        EvalError::Overflow,
        EvalError::DivisionByZero,
    ] {
        assert_eq!(error.cause(), FailureCause::Input, "{error}");
    }
    for error in [EvalError::Limit("operations"), EvalError::Failed(name())] {
        assert_eq!(error.cause(), FailureCause::Rule, "{error}");
    }
}

#[test]
fn a_typology_fails_by_its_members() {
    let no_rate = rule("A", "action: \"alert\"", "condition amount >= hkd(1);\nreason `x`;");
    let dear = rule(
        "B",
        "action: \"alert\"",
        "fn f(l) { let n = 0; for a in l { for b in l { for c in l { for d in l { n += 1; } } } } n }\n\
         condition (purpose ?? \"\") == \"dear\"\n\
         && f([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]) > 0;\nreason `x`;",
    );
    let typology = "typology T #{ title: \"T\", key: \"payment\", severity: \"medium\", typology: \"t\", speaks: \"every event\",
        regulation: #{ text: \"t\", source: \"s\", date: \"2026-01-01\" }, alert_at: 40, weights: #{ A: 40, B: 40 } };";
    let set = set(&[("a.rhai", &no_rate), ("b.rhai", &dear), ("t.rhai", typology)]);
    let causes = |currency: &str, purpose: &str| -> Vec<_> {
        let mut event = payment("2026-03-02T00:00:00Z", "5.00", currency, None);
        event.purpose = Some(purpose.into());
        judge(&set, &event, StatusSet::EMPTY).into_iter().map(|(id, j)| (id, j.finding.error)).collect()
    };
    let (input, own) = (Some(FailureCause::Input), Some(FailureCause::Rule));
    let said = |id: &str, cause| (id.to_owned(), cause);
    assert_eq!(causes("HKD", ""), [said("A", None), said("T", None)]);
    assert_eq!(causes("EUR", ""), [said("A", input), said("T", input)]);
    assert_eq!(causes("EUR", "dear"), [said("A", input), said("B", own), said("T", own)]);
}

#[test]
fn a_payment_is_judged_once() {
    let any = rule("A", "action: \"alert\"", "condition true;\nreason `x`;");
    let set = set(&[("a.rhai", &any)]);
    let event = payment("2026-03-02T00:00:00Z", "5.00", "HKD", None);
    assert_eq!(judge(&set, &event, StatusSet::EMPTY).len(), 1);
    assert_eq!(judge(&set, &event, StatusSet::SETTLED).len(), 0);
}

#[test]
fn typologies_weigh_and_never_soften() {
    let over = |id: &str, more: &str, hkd: i64| {
        rule(id, more, &format!("condition amount > hkd({hkd});\nreason `x`;"))
    };
    let (a, b) = (over("A", "action: \"alert\"", 10), over("B", "action: \"reject\"", 100));
    let hidden = over("C", "action: \"alert\", shadow: true", 10);
    let typology = "typology T #{ title: \"T\", key: \"payment\", severity: \"medium\", typology: \"t\", speaks: \"every event\",
        regulation: #{ text: \"t\", source: \"s\", date: \"2026-01-01\" },
        alert_at: 40, hold_at: 70, weights: #{ A: 40, B: 35, C: 90 } };";
    let set = set(&[("a.rhai", &a), ("b.rhai", &b), ("c.rhai", &hidden), ("t.rhai", typology)]);
    let at = "2026-03-02T00:00:00Z";
    let said = |amount: &str| judge(&set, &payment(at, amount, "HKD", None), StatusSet::EMPTY);
    assert_eq!(ids(&said("5.00")), [""; 0]);
    let soft = said("50.00");
    assert_eq!(ids(&soft), ["A", "C", "T"]);
    assert_eq!((soft[2].1.finding.action, soft[2].1.finding.severity), (Action::Alert, Severity::Medium));
    assert_eq!(soft[2].1.finding.reason, "T: score 40 of 40 from A (40)");
    let hard = said("500.00");
    assert_eq!(hard[3].1.finding.action, Action::Reject, "B asks to reject, and a hold does not soften it");
}

#[test]
fn tables_and_rates_are_those_in_force_at_the_events_time() {
    let countries = "about = \"x\"\n[[version]]\neffective = \"2026-01-01\"\nsource = \"s\"\nvalues = [\"XA\"]\n\
                     [[version]]\neffective = \"2026-06-19\"\nsource = \"s\"\nvalues = [\"XB\"]\n";
    let rates = "about = \"x\"\n[[rate]]\neffective = \"2026-01-01\"\nsource = \"s\"\nhkd_for_one = { USD = \"7.80\", JPY = \"0.05\" }\n\
                 [[rate]]\neffective = \"2026-06-01\"\nsource = \"s\"\nhkd_for_one = { USD = \"8.00\" }\n";
    let listed = rule("A", "action: \"alert\"", "condition any_in(countries, listed);\nreason `x`;");
    let over = rule("B", "action: \"alert\"", "condition amount >= hkd(8000);\nreason `${amount}`;");
    let set = set(&[
        ("a.rhai", &listed),
        ("b.rhai", &over),
        ("reference/listed.toml", countries),
        ("reference/rates.toml", rates),
    ]);
    let said = |at: &str, amount: &str, currency: &str, country: &str| {
        let judged = judge(&set, &payment(at, amount, currency, Some(country)), StatusSet::EMPTY);
        judged.into_iter().map(|(id, j)| format!("{id} {}", j.finding.reason)).collect::<Vec<_>>()
    };
    // Days begin at midnight in Hong Kong, eight hours before they do in Greenwich.
    assert_eq!(said("2026-06-18T15:59:59Z", "1.00", "HKD", "XA"), ["A x"]);
    assert_eq!(said("2026-06-18T16:00:00Z", "1.00", "HKD", "XA"), [""; 0]);
    assert_eq!(said("2026-06-18T16:00:00Z", "1.00", "HKD", "XB"), ["A x"]);
    assert_eq!(said("2026-05-31T15:59:59Z", "1000.00", "USD", "HK"), [""; 0]);
    assert_eq!(said("2026-05-31T16:00:00Z", "1000.00", "USD", "HK"), ["B HK$8,000.00"]);
    assert_eq!(said("2026-07-01T00:00:00Z", "159999", "JPY", "HK"), [""; 0]);
    assert_eq!(said("2026-07-01T00:00:00Z", "160000", "JPY", "HK"), ["B HK$8,000.00"]);
    assert_eq!(
        said("2025-07-01T00:00:00Z", "1.00", "USD", "HK"),
        [
            "A Rule A could not be judged: reference table `listed` has nothing in force at the time of the event",
            "B Rule B could not be judged: no rate for USD on the day of the event",
        ]
    );
}

#[test]
fn a_rules_version_follows_text_parameters_and_tables() {
    let text = rule(
        "A",
        "action: \"alert\"",
        "parameter limit #{ value: 5, unit: \"HKD\", range: [1, 9], owner: \"o\", why: \"w\" };\n\
         condition amount > limit && any_in(countries, listed);\nreason `x`;",
    );
    let table = |value: &str| {
        format!(
            "about = \"x\"\n[[version]]\neffective = \"2026-01-01\"\nsource = \"s\"\nvalues = [\"{value}\"]\n"
        )
    };
    let version = |files: &[(&str, &str)]| {
        let set = set(files);
        let rule = &set.plan(KeyKind::Payment).rules[0];
        (rule.source, rule.parameters, rule.content)
    };
    let overlay = "[A.limit]\nvalue = 6\nwhy = \"w\"\nowner = \"o\"\n";
    let (a, b) = (table("XA"), table("XB"));
    let plain = version(&[("a.rhai", &text), ("reference/listed.toml", &a)]);
    let moved = version(&[("a.rhai", &text), ("reference/listed.toml", &a), ("parameters.toml", overlay)]);
    let relisted = version(&[("a.rhai", &text), ("reference/listed.toml", &b)]);
    assert_eq!(plain.0, moved.0);
    assert_ne!(plain.1, moved.1);
    assert_ne!(plain.2, moved.2);
    assert_eq!((plain.0, plain.1), (relisted.0, relisted.1));
    assert_ne!(plain.2, relisted.2);
}

fn alert(rule: &str, key: &str, event: &str, action: Action) -> Alert {
    let key = Key { kind: KeyKind::Account, value: key.to_owned() };
    let cause = Cause::Event { event_id: event.to_owned() };
    Alert {
        alert_id: Alert::id(Hash256::of(rule.as_bytes()), &key, &cause),
        rule_id: rule.to_owned(),
        rule_version: String::new(),
        typology: String::new(),
        key,
        subjects: Vec::new(),
        event_id: event.to_owned(),
        offset: None,
        payment_id: event.to_owned(),
        occurred_at: EventTime::default(),
        severity: Severity::Low,
        action,
        reason: "because <of> it".to_owned(),
        failed_by: None,
        windows: std::collections::BTreeMap::new(),
        matches: Vec::new(),
        cause,
        versions: Versions::default(),
    }
}

struct Known;

impl Labels for Known {
    fn total(&self) -> usize {
        2
    }

    fn found_by(&self, alert: &Alert) -> Vec<usize> {
        if alert.key.value == "guilty" { vec![0] } else { Vec::new() }
    }
}

#[test]
fn a_backtest_tells_what_appears_disappears_and_changes() {
    let active = [
        alert("R1", "guilty", "1", Action::Alert),
        alert("R1", "other", "2", Action::Alert),
        alert("R2", "other", "3", Action::Alert),
    ];
    let candidate = [
        alert("R1", "guilty", "1", Action::Alert),
        alert("R2", "other", "3", Action::Hold),
        alert("R2", "other", "4", Action::Alert),
        alert("R2", "guilty", "5", Action::Alert),
    ];
    let report = Backtest::compare(9, &active, &candidate, Some(&Known));
    assert_eq!((report.above, report.below, report.lost, report.changes.len()), (2, 2, 1, 1));
    assert_eq!(report.disappears[0].event_id, "2");
    assert_eq!(report.rules["R2"].candidate, 3);
    assert_eq!(report.keys[0].0, "account other");
    let [before, after] = report.quality.unwrap();
    assert_eq!((before.precision, before.recall), (Some(1.0 / 3.0), Some(0.5)));
    assert_eq!((after.precision, after.recall), (Some(0.5), Some(0.5)));
    let page = report.html();
    assert!(page.contains("because &lt;of&gt; it") && !page.contains("<of>"));
    assert!(Backtest::compare(9, &active, &active, None).is_empty());
}
