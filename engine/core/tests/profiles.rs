//! A customer's profile is the newest `customer` event of that customer, by its own time: through snapshots, and whatever
//! comes late.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use serde_json::json;
use sluice_core::{Engine, EngineConfig, Format, Library, NoLists, Output, Stage};
use sluice_model::{
    Control, EventRecord, EventTime, PaymentEvent, PaymentRecord, RuleBundle, RuleFile, SetStreamTime, Span,
};

const RULE: &str = r#"rule R #{ title: "R", key: "customer", severity: "high", action: "alert", typology: "test",
    regulation: #{ text: "a test", source: "https://example.com", date: "2026-01-01" }, speaks: "every event" };
condition true;
reason `${profile.segment ?? "unknown"}`;"#;

const SCHEMA: &str = "[profile]\nsegment = { type = \"text\", about = \"A test.\" }\n";

fn at(minute: i64) -> EventTime {
    "2026-11-20T08:00:00Z".parse::<EventTime>().unwrap().plus(Span::minutes(minute))
}

fn record(event: serde_json::Value, received_at: EventTime) -> PaymentRecord {
    let event: PaymentEvent = serde_json::from_value(event).unwrap();
    PaymentRecord::Event(EventRecord { received_at, awaited: false, late_reason: None, event: event.into() })
}

/// What is known of a customer from a minute on.
fn profile(customer: &str, segment: &str, minute: i64) -> PaymentRecord {
    let event = json!({
        "event_id": format!("{customer}-{segment}"), "type": "customer", "occurred_at": at(minute).to_string(),
        "debtor": { "customer_id": customer }, "attributes": { "segment": segment },
    });
    record(event, at(minute))
}

fn payment(customer: &str, minute: i64) -> PaymentRecord {
    let event = json!({
        "event_id": format!("{customer}-{minute}"), "type": "payment", "status": "completed",
        "occurred_at": at(minute).to_string(), "amount": { "value": "1.00", "currency": "HKD" },
        "debtor": { "customer_id": customer },
    });
    record(event, at(minute))
}

/// What the rule says of each payment's customer: the same through a snapshot at any place.
fn segments(records: &[PaymentRecord]) -> Vec<String> {
    let rules = RuleBundle::new(vec![
        RuleFile { path: "r.rhai".into(), text: RULE.into() },
        RuleFile { path: "reference/schema.toml".into(), text: SCHEMA.into() },
    ]);
    let activate = Control::Activate { rules: rules.hash() };
    let controls = [Control::Prepare(rules), activate].map(PaymentRecord::Control);
    let records = [&controls[..], records].concat();
    let library: Arc<dyn Library> = Arc::new(NoLists);
    let mut told: Option<Vec<String>> = None;
    for cut in 0..=records.len() {
        let (mut engine, mut output) =
            (Engine::new(EngineConfig { shards: 2 }, Arc::clone(&library)), Output::default());
        for (i, record) in records.iter().enumerate() {
            if i == cut {
                engine = Engine::restore(&engine.snapshot().unwrap(), Format::CURRENT, &library).unwrap();
            }
            engine.apply(0, record, &mut output);
        }
        let reasons: Vec<String> = output.alerts.into_iter().map(|alert| alert.reason).collect();
        assert_eq!(told.get_or_insert(reasons.clone()), &reasons, "restored at {cut}");
    }
    told.unwrap()
}

#[test]
fn a_profile_outlives_a_restore() {
    let records = [profile("C-1", "retail", 0), payment("C-1", 1), payment("C-2", 2), payment("C-1", 3)];
    assert_eq!(segments(&records), ["retail", "unknown", "retail"]);
}

/// What a wrong clock brought is no reason to keep it for as long as the clock was ahead.
#[test]
fn a_profile_of_the_future_gives_way_once_stream_time_is_set_back() {
    let set_back = SetStreamTime { to: at(5), reason: "a wrong clock".to_owned(), at: at(5) };
    let records = [
        profile("C-1", "right", 1),
        profile("C-1", "wrong", 2_000),
        profile("C-2", "right", 4),
        PaymentRecord::Control(Control::SetStreamTime(set_back)),
        // Of before that moment: it is as old as it was.
        profile("C-2", "older", 3),
        payment("C-2", 6),
        profile("C-1", "mended", 6),
        payment("C-1", 7),
    ];
    assert_eq!(segments(&records), ["right", "mended"]);
}

#[test]
fn an_older_profile_never_replaces_a_newer_one() {
    let records = [
        profile("C-1", "newer", 10),
        payment("C-1", 11),
        // Sent late: it says what was known before.
        profile("C-1", "older", 5),
        payment("C-1", 12),
        // Of the same moment, what was logged later counts.
        profile("C-1", "corrected", 10),
        payment("C-1", 13),
        profile("C-1", "newest", 20),
        payment("C-1", 21),
    ];
    assert_eq!(segments(&records), ["newer", "newer", "corrected", "newest"]);
}
