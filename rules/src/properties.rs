//! Random conditions over random events: what is lowered says what the interpreter says, errors included.

use std::sync::Arc;

use proptest::prelude::*;
use sluice_model::{KeyKind, ListMatch, Money, PartyMatch, PaymentEvent, PaymentPast, Role, WindowValue};

use crate::{
    EvalError, Facts,
    check::{Checker, Used, WindowName},
    env::Env,
    functions::FUNCTIONS,
    lower::Lowering,
    parameter::Parameter,
    place::{Place, Source},
    reference::Reference,
    schema::Schema,
    syntax,
    types::{Type, Unit},
};

const TABLES: [(&str, &str); 3] = [
    (
        "reference/high_risk.toml",
        "about = \"x\"\n[[version]]\neffective = \"2026-01-01\"\nsource = \"x\"\nvalues = [\"KP\", \"IR\"]\n",
    ),
    (
        "reference/tiers.toml",
        "about = \"x\"\ncolumns = { day = \"HKD\", word = \"text\" }\n[[version]]\neffective = \"2026-01-01\"\n\
         source = \"x\"\nrows = { fps = { day = 20, word = \"mobile\" } }\n",
    ),
    (
        "reference/rates.toml",
        "about = \"x\"\n[[rate]]\neffective = \"2026-01-01\"\nsource = \"x\"\nhkd_for_one = { USD = \"7.80\" }\n",
    ),
];

/// What precedes every random condition.
const PREAMBLE: &str = "
parameter limit #{ value: 20, unit: \"HKD\", range: [1, 100], owner: \"x\", why: \"x\" };
parameter part #{ value: 80, unit: \"percent\", range: [1, 100], owner: \"x\", why: \"x\" };
parameter some #{ value: 3, unit: \"payments\", range: [1, 100], owner: \"x\", why: \"x\" };
parameter words #{ value: [\"KP\", \"mobile\", \"A\"], unit: \"list\", owner: \"x\", why: \"x\" };
fn twice(x) { x + x }
fn largest(list) { let most = hkd(0); for item in list { if item > most { most = item; } } most }
";

const WINDOWS: [(&str, Type, bool); 5] = [
    ("total", Type::HKD, false),
    ("biggest", Type::HKD, true),
    ("payments", Type::WHOLE, false),
    ("usual", Type::Number { unit: Unit::Money(sluice_model::Currency::HKD), whole: false }, true),
    ("quiet", Type::SECONDS, true),
];

fn pick(choices: &'static [&'static str]) -> BoxedStrategy<String> {
    prop::sample::select(choices).prop_map(str::to_owned).boxed()
}

fn infix(
    a: BoxedStrategy<String>,
    signs: &'static [&'static str],
    b: BoxedStrategy<String>,
) -> BoxedStrategy<String> {
    (a, prop::sample::select(signs), b).prop_map(|(a, sign, b)| format!("({a} {sign} {b})")).boxed()
}

/// Whole amounts.
fn amount(depth: u32) -> BoxedStrategy<String> {
    let leaf = pick(&[
        "amount",
        "total",
        "biggest",
        "limit",
        "hkd(0)",
        "hkd(7)",
        "(biggest ?? hkd(1))",
        "(own.balance_after ?? limit)",
        "own.balance_after",
        "(total ?? hkd(2))",
        "lookup(tiers, method ?? \"none\", \"day\")",
        "twice(amount)",
        "largest([amount, total])",
    ]);
    if depth == 0 {
        return leaf;
    }
    let inner = || amount(depth - 1);
    prop_oneof![
        3 => leaf,
        2 => infix(inner(), &["+", "-", "%"], inner()),
        1 => infix(inner(), &["*"], count(depth - 1)),
        1 => inner().prop_map(|a| format!("(-{a})")),
        1 => inner().prop_map(|a| format!("abs({a})")),
        1 => (inner(), inner(), any::<bool>()).prop_map(|(a, b, least)| format!("{}({a}, {b})", if least { "min" } else { "max" })),
        1 => (truth(depth - 1), inner(), inner()).prop_map(|(c, a, b)| format!("(if {c} {{ {a} }} else {{ {b} }})")),
    ]
    .boxed()
}

/// Plain whole numbers.
fn count(depth: u32) -> BoxedStrategy<String> {
    let leaf = pick(&[
        "payments",
        "some",
        "0",
        "1",
        "-2",
        "9223372036854775807",
        "hour",
        "screening.matches",
        "related_party_count",
        "len(method ?? \"\")",
    ]);
    if depth == 0 {
        return leaf;
    }
    prop_oneof![3 => leaf, 2 => infix(count(depth - 1), &["+", "-", "*", "%"], count(depth - 1))].boxed()
}

/// Plain decimal numbers.
fn ratio(depth: u32) -> BoxedStrategy<String> {
    let leaf = pick(&[
        "part",
        "0.5",
        "screening.score",
        "percent(30)",
        "likeness(method ?? \"\", \"mobile\")",
        "name_likeness(debtor.name ?? \"\", creditor.name ?? \"\")",
    ]);
    if depth == 0 {
        return leaf;
    }
    prop_oneof![
        2 => leaf,
        2 => infix(amount(depth - 1), &["/"], amount(depth - 1)),
        1 => infix(count(depth - 1), &["/"], count(depth - 1)),
        1 => infix(ratio(depth - 1), &["+", "-", "*", "/"], ratio(depth - 1)),
    ]
    .boxed()
}

/// Decimal amounts.
fn mean(depth: u32) -> BoxedStrategy<String> {
    let leaf = pick(&["usual", "(usual ?? limit)"]);
    if depth == 0 {
        return leaf;
    }
    prop_oneof![
        leaf,
        infix(amount(depth - 1), &["*"], ratio(depth - 1)),
        infix(amount(depth - 1), &["/"], count(depth - 1)),
    ]
    .boxed()
}

fn text(depth: u32) -> BoxedStrategy<String> {
    let leaf = pick(&[
        "debtor.country",
        "counterparty.account",
        "(method ?? \"none\")",
        "method",
        "\"KP\"",
        "\"mobile\"",
        "weekday",
        "date",
        "status",
        "lookup(tiers, method ?? \"none\", \"word\")",
        "to_upper(channel ?? \"kp\")",
    ]);
    if depth == 0 {
        return leaf;
    }
    prop_oneof![
        4 => leaf,
        1 => (truth(depth - 1), text(depth - 1), text(depth - 1)).prop_map(|(c, a, b)| format!("(if {c} {{ {a} }} else {{ {b} }})")),
    ]
    .boxed()
}

fn truth(depth: u32) -> BoxedStrategy<String> {
    const SIGNS: &[&str] = &["<", "<=", ">", ">=", "==", "!="];
    let leaf = pick(&[
        "is_debtor",
        "is_creditor",
        "true",
        "false",
        "has(biggest)",
        "has(debtor.country)",
        "has(own.balance_after)",
        "any_in(countries, high_risk)",
        "any_in(countries, words)",
        "(\"HK\" in countries)",
        "(quiet >= hours(2))",
        "((quiet ?? days(1)) > minutes(5))",
        "!has(counterparty.name)",
        "has(method)",
    ]);
    if depth == 0 {
        return leaf;
    }
    let next = depth - 1;
    prop_oneof![
        2 => leaf,
        3 => infix(amount(next), SIGNS, amount(next)),
        1 => infix(amount(next), &["<", ">="], mean(next)),
        1 => infix(count(next), SIGNS, count(next)),
        1 => infix(ratio(next), &["<", ">"], ratio(next)),
        2 => infix(text(next), &["==", "!="], text(next)),
        1 => text(next).prop_map(|t| format!("({t} in [\"KP\", \"A\", \"mobile\"])")),
        1 => text(next).prop_map(|t| format!("({t} in words)")),
        1 => text(next).prop_map(|t| format!("({t} in high_risk)")),
        1 => (text(next), text(next)).prop_map(|(a, b)| format!("starts_with({a}, {b})")),
        1 => (text(next), text(next)).prop_map(|(a, b)| format!("contains({a}, {b})")),
        3 => infix(truth(next), &["&&", "||"], truth(next)),
        1 => truth(next).prop_map(|a| format!("(!{a})")),
        1 => (truth(next), truth(next), truth(next)).prop_map(|(c, a, b)| format!("(if {c} {{ {a} }} else {{ {b} }})")),
    ]
    .boxed()
}

fn sometimes(choices: &'static [&'static str]) -> BoxedStrategy<Option<String>> {
    prop::option::of(prop::sample::select(choices).prop_map(str::to_owned)).boxed()
}

fn event() -> BoxedStrategy<PaymentEvent> {
    let money = || {
        prop::option::of((
            prop_oneof![0..10_000_i64, Just(i64::MAX)],
            prop::sample::select(&["HKD", "USD", "JPY"][..]),
        ))
    };
    (
        (money(), money()),
        (sometimes(&["KP", "HK", "SG"]), sometimes(&["A", "B"]), sometimes(&["fps", "card"]), sometimes(&["kp", "web"])),
        (sometimes(&["X", "Y"]), prop::sample::select(&["2026-03-02T08:00:00Z", "2025-12-31T20:00:00Z"][..])),
    )
        .prop_map(|((amount, balance), (country, account, method, channel), (name, at))| {
            let money = |given: Option<(i64, &str)>| given.map(|(minor, code)| Money::new(minor, code.parse().unwrap()));
            let mut event: PaymentEvent = serde_json::from_value(serde_json::json!({
                "event_id": "1", "type": "payment", "status": "completed", "occurred_at": at,
                "debtor": { "account": "D", "country": country }, "creditor": { "account": account, "name": name },
                "method": method, "channel": channel,
            }))
            .unwrap();
            event.amount = money(amount);
            if let Some(debtor) = &mut event.debtor {
                debtor.balance_after = money(balance);
            }
            event
        })
        .boxed()
}

fn window_value(of: &Type, optional: bool) -> BoxedStrategy<WindowValue> {
    let nothing = if optional { 1 } else { 0 };
    let whole = matches!(of, Type::Number { whole: true, .. });
    let value = if whole {
        prop_oneof![8 => 0..5_000_i64, 1 => Just(i64::MAX), 1 => Just(0)].prop_map(WindowValue::Int).boxed()
    } else {
        prop_oneof![Just(0.0), 0.0..5_000.0_f64].prop_map(WindowValue::Float).boxed()
    };
    prop_oneof![4 => value, nothing => Just(WindowValue::Nothing(()))].boxed()
}

fn windows() -> BoxedStrategy<Vec<WindowValue>> {
    WINDOWS.iter().map(|(_, of, optional)| window_value(of, *optional)).collect::<Vec<_>>().boxed()
}

/// What a condition comes to, lowered and whole in the interpreter, for the same event; nothing where it does not check.
fn both_ways(
    condition: &str,
    event: &PaymentEvent,
    values: &[WindowValue],
    role: Role,
    failed: bool,
    score: Option<f64>,
) -> Option<Result<bool, EvalError>> {
    let mut found = Vec::new();
    let mut reference = Reference::default();
    for (path, text) in TABLES {
        reference.add(&Source { path, text }, &mut found);
    }
    let reference = Arc::new(reference);
    let text = format!("{PREAMBLE}condition {condition};");
    let source = Source { path: "random.rhai", text: &text };
    let file = syntax::parse(&source, &mut found).unwrap_or_else(|| panic!("{text}\n{found:?}"));
    let parameters: Vec<_> =
        file.parameters.iter().filter_map(|p| Parameter::read(&source, p, &mut found)).collect();
    assert_eq!(found, [], "{text}");
    let names: Vec<_> = WINDOWS
        .iter()
        .enumerate()
        .map(|(slot, (name, of, optional))| WindowName {
            name: (*name).to_owned(),
            slot,
            of: of.clone(),
            optional: *optional,
            at: Place::default(),
        })
        .collect();
    let mut used = Used::default();
    let schema = Schema { key: KeyKind::Account, reference: &reference };
    let mut checker =
        Checker::new(&source, schema, &parameters, &names, &file.functions, &mut used, &mut found);
    let Some(term) = checker.truth(&file.conditions[0]) else {
        // The one thing that random conditions do and the checker knows better.
        assert!(found.iter().any(|d| d.message == "this divides by zero"), "{condition}: {found:?}");
        return None;
    };
    let script = checker.interpreted(&file.conditions[0], term.clone());
    let matches: Vec<PartyMatch> = score
        .map(|score| PartyMatch {
            role: "debtor".to_owned(),
            name: "X".to_owned(),
            party: None,
            matches: vec![ListMatch {
                score,
                list: "l".to_owned(),
                version: "v".to_owned(),
                entry_id: "1".to_owned(),
                name: "X".to_owned(),
                reasons: Vec::new(),
            }],
        })
        .into_iter()
        .collect();
    let facts = Facts {
        event,
        amount: event.amount,
        role,
        past: &PaymentPast::default(),
        matches: &matches,
        screening_failed: failed,
        profile: None,
    };
    let env = Env { facts: &facts, windows: &values, reference: &reference };
    let native = Lowering::default().truth(&term)(&env).map_err(|error| *error);
    let interpreted = Lowering::default().truth(&script)(&env).map_err(|error| *error);
    assert_eq!(native, interpreted, "{condition}");
    Some(native)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lowered_says_what_the_interpreter_says(
        condition in truth(3),
        event in event(),
        values in windows(),
        (debtor, creditor) in any::<(bool, bool)>(),
        failed in prop::bool::weighted(0.1),
        score in prop::option::of(0.5..1.0_f64),
    ) {
        let role = match (debtor, creditor) {
            (true, false) => Role::DEBTOR,
            (true, true) => Role::DEBTOR.and(Role::CREDITOR),
            _ => Role::CREDITOR,
        };
        both_ways(&condition, &event, &values, role, failed, score);
    }
}

#[test]
fn every_sort_of_error_is_the_same_both_ways() {
    let event: PaymentEvent = serde_json::from_str(
        r#"{"event_id":"1","type":"payment","status":"completed","occurred_at":"2020-01-01T00:00:00Z",
            "amount":{"value":"1.00","currency":"USD"},"debtor":{"account":"D"},"creditor":{"account":"A"}}"#,
    )
    .unwrap();
    let values = [
        WindowValue::Int(i64::MAX),
        WindowValue::Nothing(()),
        WindowValue::Int(0),
        WindowValue::Nothing(()),
        WindowValue::Nothing(()),
    ];
    for condition in [
        "amount > limit",                              // no rate in 2020
        "biggest > limit",                             // an empty window
        "total + total > limit",                       // overflow
        "1 / payments > 0.5",                          // division by zero
        "payments % 0 == 1",                           // remainder by zero
        "\"KP\" in high_risk",                         // nothing in force in 2020
        "screening.score > 0.5",                       // screening failed
        "method == \"fps\"",                           // a field that is missing
        "total - (-total) > limit",                    // overflow by subtraction
        "abs(payments - 9223372036854775807 - 2) > 1", // the least whole number has no positive
    ] {
        both_ways(condition, &event, &values, Role::DEBTOR, true, None);
    }
}

#[test]
fn every_function_is_lowered_and_interpreted() {
    let event: PaymentEvent = serde_json::from_str(
        r#"{"event_id":"1","type":"payment","status":"completed","occurred_at":"2026-03-02T08:00:00Z","method":"fps",
            "amount":{"value":"20.00","currency":"HKD"},"debtor":{"account":"D","country":"KP"},
            "creditor":{"account":"A","name":"CHAN Tai Man"}}"#,
    )
    .unwrap();
    let values = [
        WindowValue::Int(2_000),
        WindowValue::Int(1_500),
        WindowValue::Int(3),
        WindowValue::Float(1_000.0),
        WindowValue::Int(7_200),
    ];
    for function in FUNCTIONS {
        let condition = match function.name {
            "has" => "has(method)",
            "min" => "min(total, biggest) == hkd(15)",
            "max" => "max(total, biggest) == hkd(20)",
            "abs" => "abs(payments - 5) == 2",
            "hkd" => "amount == hkd(20)",
            "percent" => "percent(80) == 0.8",
            "minutes" => "quiet == minutes(120)",
            "hours" => "quiet == hours(2)",
            "days" => "quiet < days(1)",
            "amount_in" => "amount_in(\"HKD\") == hkd(20)",
            "lookup" => "lookup(tiers, method ?? \"none\", \"day\") == hkd(20)",
            "any_in" => "any_in(countries, high_risk) && any_in(countries, words)",
            "likeness" => "likeness(method ?? \"none\", \"fps\") > 0.99",
            "name_likeness" => "name_likeness(creditor.name ?? \"\", \"Tai Man Chan\") > 0.99",
            "starts_with" => "starts_with(method ?? \"none\", \"f\")",
            "ends_with" => "ends_with(method ?? \"none\", \"s\")",
            "contains" => "contains(method ?? \"none\", \"p\")",
            "to_upper" => "to_upper(method ?? \"none\") == \"FPS\"",
            "to_lower" => "to_lower(\"KP\") == \"kp\"",
            "len" => "len(method ?? \"none\") == 3",
            other => panic!("write a condition that calls `{other}`"),
        };
        let value = both_ways(condition, &event, &values, Role::DEBTOR, false, None);
        assert_eq!(value, Some(Ok(true)), "{condition}");
    }
}
