//! The shipped rules under a payer who makes them fail: whatever currency 130 payments of 1.00 are in, no rule goes off, each
//! payment is alerted or held by policy, and what follows is found as if they had not been.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, fs, path::Path, sync::Arc};

use serde_json::json;
use sluice_core::{Engine, EngineConfig, NoLists, Output, Stage};
use sluice_model::{
    Action, Alert, Control, EventRecord, EventTime, FailureCause, Hash256, Observation, PaymentEvent,
    PaymentRecord, Quarantine, RuleBundle, RuleFailure, RuleFile, Span,
};

/// It has no rate before 2025.
const CURRENCY: &str = "ZWG";
const START: &str = "2024-11-20T08:00:00Z";
const ATTACK: i64 = 130;

fn packs() -> RuleBundle {
    fn collect(root: &Path, folder: &Path, files: &mut Vec<RuleFile>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.push(RuleFile { path: name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/packs");
    let mut files = Vec::new();
    collect(&root, &root, &mut files);
    files.retain(|file| !file.path.ends_with(".cases.toml"));
    RuleBundle::new(files)
}

fn payment(
    id: &str,
    minute: i64,
    amount: &str,
    currency: &str,
    debtor: &str,
    creditor: &str,
) -> PaymentRecord {
    let at = START.parse::<EventTime>().unwrap().plus(Span::minutes(minute));
    let party = |name: &str| json!({ "customer_id": name, "account": format!("012-{name}"), "name": format!("Party {name}") });
    let event: PaymentEvent = serde_json::from_value(json!({
        "event_id": id, "type": "payment", "status": "completed", "occurred_at": at.to_string(),
        "amount": { "value": amount, "currency": currency }, "debtor": party(debtor), "creditor": party(creditor),
    }))
    .unwrap();
    PaymentRecord::Event(EventRecord {
        received_at: at,
        awaited: true,
        late_reason: None,
        event: event.into(),
    })
}

/// One payer, ever other payees.
fn attack() -> Vec<PaymentRecord> {
    (0..ATTACK).map(|n| payment(&format!("X{n}"), n, "1.00", CURRENCY, "MALLORY", &format!("V{n}"))).collect()
}

/// Others, after it: many pay one account, which sends it on.
fn crime() -> Vec<PaymentRecord> {
    let from = ATTACK + 10;
    let pay_in = |n: i64| payment(&format!("I{n}"), from + n, "7900.00", "HKD", &format!("P{n}"), "MULE");
    let send_on =
        |n: i64| payment(&format!("O{n}"), from + 20 + n, "19000.00", "HKD", "MULE", &format!("Q{n}"));
    (0..12).map(pay_in).chain((0..4).map(send_on)).collect()
}

fn run(records: &[PaymentRecord]) -> Output {
    let mut engine = Engine::new(EngineConfig { shards: 3 }, Arc::new(NoLists));
    let mut output = Output::default();
    records.iter().for_each(|record| engine.apply(0, record, &mut output));
    output
}

fn in_force() -> Vec<PaymentRecord> {
    let rules = packs();
    let activate = Control::Activate { rules: rules.hash() };
    [Control::Prepare(rules), activate].map(PaymentRecord::Control).into()
}

fn failures(output: &Output) -> Vec<&RuleFailure> {
    output
        .observations
        .iter()
        .filter_map(|observed| match observed {
            Observation::Failure(failure) => Some(failure),
            Observation::Shadow(_) => None,
        })
        .collect()
}

/// What is said of the crime's own payments.
fn of_crime(output: &Output) -> Vec<Alert> {
    let own = |alert: &&Alert| alert.event_id.starts_with(['I', 'O']);
    output.alerts.iter().filter(own).cloned().collect()
}

#[test]
fn payments_in_a_currency_without_a_rate_switch_no_rule_off() {
    let calm = run(&[in_force(), crime()].concat());
    let attacked = run(&[in_force(), attack(), crime()].concat());
    let failures = failures(&attacked);
    let failed: BTreeSet<&str> = failures.iter().map(|failure| failure.rule_id.as_str()).collect();
    assert!(failed.len() >= 25, "{failed:?}");
    assert!(
        failures.iter().all(|failure| failure.cause == FailureCause::Input),
        "none is a rule's own fault"
    );
    // Every payment is told, to the last.
    for n in 0..ATTACK {
        let event = format!("X{n}");
        let of = |alert: &&Alert| alert.event_id == event && alert.reason.contains("no rate for ZWG");
        assert!(attacked.alerts.iter().any(|alert| of(&alert)), "{event} passed in silence");
    }
    assert!(!of_crime(&calm).is_empty());
    assert_eq!(of_crime(&attacked), of_crime(&calm));
}

/// Were every rule that failed put in quarantine by somebody, what is found would be the same, and held the same.
#[test]
fn rules_in_quarantine_find_what_they_would_have_found() {
    let first = run(&[in_force(), attack()].concat());
    let at = START.parse().unwrap();
    let contents: BTreeSet<(Hash256, String)> =
        failures(&first).iter().map(|failure| (failure.rule, failure.rule_id.clone())).collect();
    let order =
        |(rule, rule_id)| PaymentRecord::Control(Control::Quarantine(Quarantine { rule, rule_id, at }));
    let orders: Vec<_> = contents.into_iter().map(order).collect();
    assert!(orders.len() >= 25);
    let calm = run(&[in_force(), crime()].concat());
    let all = run(&[in_force(), attack(), orders.clone(), crime()].concat());
    assert_eq!(of_crime(&all), of_crime(&calm));
    // Under the orders, the attack is alerted less and held as before; each failure is noted.
    let quiet = run(&[in_force(), orders, attack(), crime()].concat());
    assert_eq!(of_crime(&quiet), of_crime(&calm));
    assert_eq!(failures(&quiet).len(), failures(&run(&[in_force(), attack(), crime()].concat())).len());
    let held = |output: &Output| -> Vec<String> {
        let holds = output.alerts.iter().filter(|alert| alert.action != Action::Alert);
        holds.map(|alert| format!("{} {}", alert.rule_id, alert.event_id)).collect()
    };
    let loud = run(&[in_force(), attack(), crime()].concat());
    assert_eq!(held(&quiet), held(&loud));
    let of_attack =
        |output: &Output| output.alerts.iter().filter(|alert| alert.event_id.starts_with('X')).count();
    assert!(of_attack(&quiet) < of_attack(&loud), "{} of {}", of_attack(&quiet), of_attack(&loud));
    // One failing rule says "could not be judged" of a payer once a day.
    let mut said = BTreeSet::new();
    for alert in
        quiet.alerts.iter().filter(|a| a.event_id.starts_with('X') && a.key.value.contains("MALLORY"))
    {
        if alert.failed_by.is_some() && alert.action == Action::Alert {
            assert!(
                said.insert((alert.rule_id.clone(), alert.key.clone())),
                "{} said it twice",
                alert.rule_id
            );
        }
    }
    assert!(!said.is_empty());
}
