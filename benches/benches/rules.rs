//! Rules: one condition, and thirty rules over twelve windows, lowered, in the plain interpreter, and written by
//! hand in Rust. Budgets: 50 ns a lowered condition, 2 µs an event for thirty rules. Windows are read elsewhere:
//! here their values are given.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sluice_model::{KeyKind, PaymentEvent, PaymentPast, Role, RuleBundle, RuleFile, WindowValue};
use sluice_rules::{Facts, RuleSet};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RULES: usize = 30;
const WINDOWS: usize = 12;

const EVENT: &str = r#"{"event_id":"01JD8W3Z5Q2M7K4N6P8R0T1V3X","payment_id":"P-000000077","type":"payment","status":"completed","occurred_at":"2026-11-20T08:30:00.123Z","method":"fps","channel":"mobile","direction":"outbound","amount":{"value":"7800.00","currency":"HKD"},"debtor":{"customer_id":"C-1001","name":"CHAN Tai Man","account":"012-345-678901","country":"HK"},"creditor":{"name":"WONG Mei Ling","account":"024-111-222333","country":"HK"}}"#;

/// The condition of a structuring rule: seven comparisons, two of them on windows.
fn rule(number: usize) -> RuleFile {
    let hours = number % (WINDOWS / 2) + 1;
    let text = format!(
        "rule B{number} #{{ title: \"Bench {number}\", key: \"account\", severity: \"low\", action: \"alert\",
            typology: \"bench\", regulation: #{{ text: \"t\", source: \"s\", date: \"2026-01-01\" }}, speaks: \"every event\" }};
        parameter threshold #{{ value: 8000, unit: \"HKD\", range: [1, 10000], owner: \"o\", why: \"w\" }};
        parameter near #{{ value: 90, unit: \"percent\", range: [1, 100], owner: \"o\", why: \"w\" }};
        parameter payments_min #{{ value: {min}, unit: \"payments\", range: [1, 100], owner: \"o\", why: \"w\" }};
        window payments #{{ measure: \"count\", role: \"debtor\", length: \"{hours}h\",
            where: amount >= threshold * near && amount < threshold }};
        window total #{{ measure: \"sum\", of: amount, role: \"debtor\", length: \"{hours}h\" }};
        condition is_debtor && amount >= threshold * near && amount < threshold
            && has(counterparty.country) && counterparty.country == \"HK\"
            && total >= threshold && payments >= payments_min;
        reason `${{payments}} payments of ${{total}}`;",
        min = number % 7 + 20,
    );
    RuleFile { path: format!("b{number}.rhai"), text }
}

fn bundle(rules: usize) -> RuleBundle {
    RuleBundle::new((0..rules).map(rule).collect())
}

/// The same condition as a programmer would write it.
fn by_hand(facts: &Facts<'_>, windows: &[WindowValue], total: usize, payments: usize, least: i64) -> bool {
    let Some(amount) = facts.event.amount else { return false };
    let country = facts.event.creditor.as_ref().and_then(|p| p.country.as_deref());
    let value = |window: usize| if let WindowValue::Int(n) = windows[window] { n } else { 0 };
    facts.role.is_debtor()
        && amount.minor as f64 >= 800_000.0 * 0.9
        && amount.minor < 800_000
        && country == Some("HK")
        && value(total) >= 800_000
        && value(payments) >= least
}

fn judged(c: &mut Criterion, name: &str, rules: usize) {
    let Ok(event) = serde_json::from_str::<PaymentEvent>(EVENT) else { return };
    let facts = Facts {
        event: &event,
        amount: event.amount,
        role: Role::DEBTOR,
        past: &PaymentPast::default(),
        matches: &[],
        screening_failed: false,
        profile: None,
    };
    let bundle = bundle(rules);
    let mut group = c.benchmark_group(name);
    for (how, set) in
        [("native", RuleSet::compile(&bundle)), ("interpreted", RuleSet::compile_interpreted(&bundle))]
    {
        let Ok(set) = set else { return };
        let plan = set.plan(KeyKind::Account);
        // Just below the line: every part of every condition is looked at, and nothing is found.
        let values: Vec<_> = plan
            .windows
            .iter()
            .map(|w| WindowValue::Int(if w.measure == sluice_rules::Measure::Count { 19 } else { 900_000 }))
            .collect();
        let (mut samples, mut failures, mut out) = (Vec::new(), Vec::new(), Vec::new());
        group.bench_function(format!("{how}/admit"), |b| {
            b.iter(|| plan.admit(black_box(&facts), &mut samples, &mut failures));
        });
        group.bench_function(format!("{how}/judge"), |b| {
            b.iter(|| {
                out.clear();
                plan.judge(black_box(&facts), black_box(&values.as_slice()), &[], &mut out);
            });
        });
        assert!(out.is_empty());
    }
    let values: Vec<_> =
        (0..WINDOWS).map(|i| WindowValue::Int(if i % 2 == 0 { 19 } else { 900_000 })).collect();
    group.bench_function("by_hand/judge", |b| {
        b.iter(|| {
            (0..rules)
                .filter(|i| {
                    let slot = i % (WINDOWS / 2) * 2;
                    by_hand(black_box(&facts), black_box(&values), slot + 1, slot, 20 + (i % 7) as i64)
                })
                .count()
        });
    });
    group.finish();
}

fn one(c: &mut Criterion) {
    judged(c, "rules/one_condition", 1);
}

fn thirty(c: &mut Criterion) {
    judged(c, "rules/thirty_rules_twelve_windows", RULES);
}

fn compile(c: &mut Criterion) {
    let bundle = bundle(RULES);
    c.bench_function("rules/compile_thirty", |b| b.iter(|| RuleSet::compile(black_box(&bundle)).is_ok()));
}

criterion_group!(benches, one, thirty, compile);
criterion_main!(benches);
