//! `sluice evidence` through the binary: exit codes, JSON, and an alert evaluated again from its bundle.

use std::{
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use serde_json::{Value, json};
use sluice_core::{Engine, EngineConfig, NoLists, Stage};
use sluice_evidence::{
    Body, Bundle, Contributing, Expanded, Kind, Leaf, LoggedRecord, Plan, Salt, Signer, Tree, Zeroizing,
};
use sluice_model::{Alert, Control, EventTime, PaymentRecord, RuleBundle, RuleFile};
use tempfile::TempDir;

/// Three payments of one customer within a day are an alert.
const RULE: &str = r#"
rule T01 #{
    title: "Three payments in a day", about: "For the test.", key: "customer", severity: "low", action: "alert",
    typology: "velocity", regulation: #{ text: "none", source: "none", date: "2026-01-01" }, speaks: "every event",
};
parameter within #{ value: 1, unit: "days", range: [1, 30], owner: "test", why: "test" };
parameter payments_min #{ value: 3, unit: "payments", range: [2, 20], owner: "test", why: "test" };
window payments #{ measure: "count", role: "debtor", length: within };
condition is_debtor && payments >= payments_min;
reason `${payments} payments within ${within}`;
"#;

fn signer() -> Signer {
    Signer::from_seed("evidence.example", Zeroizing::new([7; 32])).unwrap()
}

/// What stands in the payments log: the rule, then payments of two customers by turns.
fn log() -> Vec<PaymentRecord> {
    let rules = RuleBundle::new(vec![RuleFile { path: "T01.rhai".into(), text: RULE.into() }]);
    let activate = Control::Activate { rules: rules.hash() };
    let mut log = vec![PaymentRecord::Control(Control::Prepare(rules)), PaymentRecord::Control(activate)];
    for n in 0..10 {
        let at = EventTime::from_micros(1_763_600_000_000_000 + n * 60_000_000).to_string();
        let record = json!({"event": {"received_at": at, "event": {
            "event_id": format!("E{n}"), "type": "payment", "status": "completed", "occurred_at": at,
            "amount": {"value": "10.00", "currency": "HKD"}, "debtor": {"customer_id": format!("C{}", n % 2)},
        }}});
        log.push(serde_json::from_value(record).unwrap());
    }
    log
}

/// What the engine says of a log.
fn alerts(log: &[PaymentRecord]) -> Vec<Alert> {
    let mut engine = Engine::new(EngineConfig::default(), Arc::new(NoLists));
    let mut output = Default::default();
    for (offset, record) in (0..).zip(log) {
        engine.apply(offset, record, &mut output);
    }
    output.alerts
}

/// A sealed bundle with one alert, and the log records that it rests on.
fn bundle(log: &[PaymentRecord], alert: &Alert) -> Vec<u8> {
    let mut contributing = Contributing::to(alert);
    let numbered = || (0..).zip(log);
    numbered().for_each(|(offset, record)| contributing.survey(offset, record));
    let chosen = numbered().filter(|(offset, record)| contributing.has(*offset, record));
    let records: Vec<LoggedRecord> = chosen
        .map(|(offset, record)| LoggedRecord::new(offset, &serde_json::to_string(record).unwrap()).unwrap())
        .collect();
    let expanded = Expanded::new("sluice.payments", 0, records);

    let mut tree = Tree::new();
    let mut nodes = Vec::new();
    let body = Body::new(alert, Salt([1; 16])).unwrap();
    let body = body.with("events", &expanded.stretch().unwrap()).unwrap();
    let leaf = Leaf::new(Kind::Alert, alert.alert_id.to_string(), alert.occurred_at, &body);
    let index = tree.append(leaf.hash(), |_, hash| nodes.push(hash));
    let mut bundle = Bundle::new("case-1", signer().checkpoint(&tree), &signer());
    let path = Plan::inclusion(index, tree.size()).unwrap().path(&nodes[..]).unwrap();
    bundle.record(index, leaf, Some(body), path);
    bundle.stretch(expanded);
    bundle.seal(&signer()).unwrap()
}

fn sluice(arguments: &[&str], file: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluice")).arg("evidence").args(arguments).arg(file).output().unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn verify_tells_what_holds_by_its_exit_code_and_report() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("case-1.json");
    let log = log();
    let bytes = bundle(&log, &alerts(&log)[0]);
    std::fs::write(&file, &bytes).unwrap();
    let key = signer().verifier().to_string();

    let given = sluice(&["verify", "--json", "--key", &key], &file);
    assert_eq!(given.status.code(), Some(0));
    assert_eq!(
        (&json_of(&given)["verified"], &json_of(&given)["trust"]),
        (&json!(true), &json!("given key"))
    );
    let alone = sluice(&["verify"], &file);
    assert_eq!(alone.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&alone.stdout).contains("self-signed only"));

    let other =
        Signer::from_seed("evidence.example", Zeroizing::new([8; 32])).unwrap().verifier().to_string();
    assert_eq!(sluice(&["verify", "--key", &other], &file).status.code(), Some(2));
    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let cut = sluice(&["verify", "--json"], &file);
    assert_eq!((cut.status.code(), &json_of(&cut)["verified"]), (Some(2), &json!(false)));
    assert_eq!(sluice(&["verify"], &folder.path().join("absent")).status.code(), Some(1));
    assert_eq!(sluice(&["verify", "--key", "no key"], &file).status.code(), Some(1));
}

#[test]
fn replay_evaluates_an_alert_again_from_its_own_records() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("case-1.json");
    let log = log();
    let raised = alerts(&log);
    assert_eq!(raised.len(), 6, "three of each customer");
    for alert in &raised {
        std::fs::write(&file, bundle(&log, alert)).unwrap();
        let again = sluice(&["replay", "--json"], &file);
        assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
        assert_eq!(json_of(&again), json!({"same": 1, "differ": {}, "not_evaluated": 0}));
    }

    let mut changed = raised[3].clone();
    changed.reason = "another reason".into();
    std::fs::write(&file, bundle(&log, &changed)).unwrap();
    let again = sluice(&["replay", "--json"], &file);
    assert_eq!(again.status.code(), Some(2));
    assert_eq!(json_of(&again)["differ"][changed.alert_id.to_string()], json!(["reason"]));

    let mut invented = raised[3].clone();
    invented.alert_id = Default::default();
    std::fs::write(&file, bundle(&log, &invented)).unwrap();
    let again = sluice(&["replay", "--json"], &file);
    assert_eq!(
        (again.status.code(), &json_of(&again)["differ"][invented.alert_id.to_string()]),
        (Some(2), &json!([]))
    );
}
