//! Snapshots outlive an upgrade: one of each format that is read, as the engine of its time wrote it, gives the state that
//! the records give. After a change of the format: `SLUICE_WRITE_SNAPSHOT=engine/core/tests/formats/v<n>.snapshot`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use sluice_core::{
    Engine, EngineConfig, Layout, Library, NoLists, Offset, Publication, Published, Stage, Step, Worker,
    WorkerConfig,
};
use sluice_model::{
    AlertId, Control, EventRecord, EventTime, Freeze, Key, KeyKind, PaymentEvent, PaymentRecord, Release,
    RuleBundle, RuleFile, Screening, Span, Topic,
};

/// Formats that are read.
const FORMATS: &[&str] = &["v9", "v10"];

fn rules() -> RuleBundle {
    let meta = r#"severity: "high", typology: "test",
        regulation: #{ text: "a test", source: "https://example.com", date: "2026-01-01" },"#;
    let large = format!(
        r#"rule T01 #{{ title: "Large", key: "payment", action: "hold", speaks: "every event", {meta} }};
        parameter most #{{ value: 1000, unit: "HKD", range: [1, 100000], owner: "test", why: "a test" }};
        condition amount >= most;
        reason "large";"#
    );
    let often = format!(
        r#"rule T02 #{{ title: "Often", key: "customer", action: "alert", speaks: "every event", {meta} }};
        window payments #{{ measure: "count", length: "1h" }};
        condition payments >= 3;
        reason `${{payments}} payments`;"#
    );
    let often_once = format!(
        r#"rule T03 #{{ title: "Once", key: "account", action: "alert", speaks: "once per 1h", {meta} }};
        window payments #{{ measure: "count", length: "1h" }};
        condition payments >= 2;
        reason "again";"#
    );
    let files = [("T01", large), ("T02", often), ("T03", often_once)];
    RuleBundle::new(files.map(|(id, text)| RuleFile { path: format!("{id}.rhai"), text }).to_vec())
}

fn at(minute: i64) -> EventTime {
    "2026-11-20T08:00:00Z".parse::<EventTime>().unwrap().plus(Span::minutes(minute))
}

fn event(n: i64, customer: &str, amount: &str, more: Value) -> PaymentRecord {
    let mut body = json!({
        "event_id": format!("E{n}"), "payment_id": format!("P{n}"), "type": "payment", "status": "authorized",
        "occurred_at": at(n).to_string(), "amount": { "value": amount, "currency": "HKD" },
        "debtor": { "customer_id": customer, "account": format!("A-{customer}"), "name": "CHAN Tai Man" },
        "creditor": { "account": "A-SHOP", "name": "Shop Ltd" },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let event: PaymentEvent = serde_json::from_value(body).unwrap();
    PaymentRecord::Event(EventRecord {
        received_at: event.occurred_at,
        awaited: true,
        late_reason: None,
        event: event.into(),
    })
}

/// What the snapshot stands for: rules, a freeze, payments that count, one that is held, one that was asked for.
fn before() -> Vec<PaymentRecord> {
    let rules = rules();
    let freeze = Freeze {
        key: Key { kind: KeyKind::Customer, value: "C-9".into() },
        case_id: "CASE-1".into(),
        at: at(0),
    };
    let controls = [
        Control::Screening(Screening::default()),
        Control::Prepare(rules.clone()),
        Control::Activate { rules: rules.hash() },
        Control::Freeze(freeze),
    ];
    let events = [
        event(1, "C-1", "10.00", json!({})),
        event(2, "C-1", "20.00", json!({})),
        event(3, "C-2", "5000.00", json!({})),
        event(4, "C-3", "6000.00", json!({})),
        event(5, "C-3", "7.00", json!({ "type": "customer", "amount": null, "creditor": null })),
    ];
    controls.into_iter().map(PaymentRecord::Control).chain(events).collect()
}

/// What shows whether the state is the same: the third payment within the hour, the answer of one that is asked again,
/// what follows in a held payment, its release, a frozen customer, another amount under a known payment.
fn after(held: AlertId) -> Vec<PaymentRecord> {
    let release =
        Release { payment_id: "P4".into(), case_id: "CASE-2".into(), at: at(20), alerts: Some(vec![held]) };
    vec![
        event(10, "C-1", "30.00", json!({})),
        event(2, "C-1", "20.00", json!({})),
        event(11, "C-2", "5000.00", json!({ "payment_id": "P3", "status": "completed" })),
        PaymentRecord::Control(Control::Release(release)),
        event(12, "C-3", "6000.00", json!({ "payment_id": "P4", "status": "completed" })),
        event(13, "C-9", "1.00", json!({})),
        event(14, "C-1", "900.00", json!({ "payment_id": "P1", "status": "captured" })),
        event(15, "C-1", "900.00", json!({ "event_id": "E1" })),
    ]
}

fn worker(committed: Offset) -> Worker<Engine> {
    let library: Arc<dyn Library> = Arc::new(NoLists);
    let fresh = || Engine::new(EngineConfig { shards: 2 }, Arc::new(NoLists) as Arc<dyn Library>);
    let config = WorkerConfig { batch_records_max: 3, snapshot_every_records: u64::MAX };
    Worker::new(config, library, committed, fresh)
}

/// What a worker publishes of a log from its committed offset on, begun with these snapshots.
fn publishes(
    log: &[(Offset, PaymentRecord)],
    committed: Offset,
    snapshots: Vec<Vec<u8>>,
) -> (Worker<Engine>, Vec<Publication>) {
    let mut worker = worker(committed);
    let mut published = Vec::new();
    let is_begun_with = snapshots.len();
    loop {
        match worker.step().unwrap() {
            Step::Restore { .. } => {
                let refused = worker.restored(snapshots.clone(), 0).unwrap();
                assert!(refused.is_empty() || is_begun_with == 0, "{refused:?}");
            }
            Step::Read { from, limit } => {
                assert!(is_begun_with == 0 || from >= committed, "what the snapshot stands for is not read");
                let start = usize::try_from(from).unwrap();
                let records = &log[start.min(log.len())..log.len().min(start + limit)];
                if records.is_empty() && worker.is_live() {
                    return (worker, published);
                }
                worker.records(records).unwrap();
            }
            Step::Commit(batch) => {
                published.extend(Engine::publish(batch.output, &Layout::SINGLE));
                worker.committed().unwrap();
            }
            Step::Save { .. } | Step::Await => panic!("nothing else is to be done"),
        }
    }
}

fn by_topic(published: Vec<Publication>) -> Vec<(Topic, Vec<Published>)> {
    let of = |topic| published.iter().filter(move |p| p.partition.topic == topic).map(|p| p.record.clone());
    Topic::ALL.into_iter().map(|topic| (topic, of(topic).collect())).collect()
}

#[test]
fn a_snapshot_of_each_format_that_is_read_is_the_state_of_its_records() {
    let mut log: Vec<(Offset, PaymentRecord)> = (0..).zip(before()).collect();
    let committed = log.len() as Offset;
    let (mut grown, published) = publishes(&log, 0, Vec::new());
    let held = published.iter().find_map(|published| match &published.record {
        Published::Alert(alert) if alert.payment_id == "P4" => Some(alert.alert_id),
        _ => None,
    });
    if let Some(path) = std::env::var_os("SLUICE_WRITE_SNAPSHOT") {
        grown.want_snapshot();
        let Step::Save { bytes, .. } = grown.step().unwrap() else { panic!("a snapshot was wanted") };
        std::fs::write(path, bytes).unwrap();
    }
    log.extend((committed..).zip(after(held.unwrap())));
    let (_, expected) = publishes(&log, committed, Vec::new());
    let topics: Vec<_> = by_topic(expected.clone()).into_iter().filter(|(_, all)| !all.is_empty()).collect();
    assert_eq!(topics.len(), 4, "decisions, alerts, holds and dead letters: {topics:#?}");
    for format in FORMATS {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/formats/{format}.snapshot"));
        let snapshot = std::fs::read(&file).unwrap();
        let (_, published) = publishes(&log, committed, vec![snapshot]);
        assert_eq!(by_topic(published), by_topic(expected.clone()), "{format}");
    }
}

#[test]
fn a_snapshot_of_an_unknown_format_says_so() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats/v10.snapshot");
    let mut bytes = std::fs::read(file).unwrap();
    bytes[11] = 7;
    let mut worker = worker(9);
    worker.step().unwrap();
    let refused = worker.restored([bytes], 0).unwrap();
    assert_eq!(refused[0].to_string(), "snapshot format 7, and this engine reads 9 to 10");
}
