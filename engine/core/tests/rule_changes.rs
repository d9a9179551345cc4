//! Rules that follow others: what was said stays said, windows hold the past, and keys that only the coming rules watch are
//! asked. Driven by the worker, as in the service.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use serde_json::{Value, json};
use sluice_core::{
    Engine, EngineConfig, Home, HomeOutput, Library, NoLists, Offset, Output, Step, Worker, WorkerConfig,
};
use sluice_model::{
    Control, EventRecord, EventTime, KeyKind, PaymentEvent, PaymentRecord, RuleBundle, RuleFile, Span,
};

/// A rule that counts the payments of a key over a length of time, and says how many from the first on.
fn counts(id: &str, key: &str, length: &str, speaks: &str) -> RuleFile {
    let text = format!(
        r#"rule {id} #{{ title: "{id}", key: "{key}", severity: "high", action: "alert", typology: "test",
            regulation: #{{ text: "a test", source: "https://example.com", date: "2026-01-01" }},
            speaks: "{speaks}" }};
        window payments #{{ measure: "count", length: "{length}" }};
        condition payments >= 1;
        reason `${{payments}} paid`;"#
    );
    RuleFile { path: format!("{id}.rhai"), text }
}

fn bundle(files: &[RuleFile]) -> RuleBundle {
    RuleBundle::new(files.to_vec())
}

fn prepare(rules: &RuleBundle) -> PaymentRecord {
    PaymentRecord::Control(Control::Prepare(rules.clone()))
}

fn activate(rules: &RuleBundle) -> PaymentRecord {
    PaymentRecord::Control(Control::Activate { rules: rules.hash() })
}

/// A payment of one customer, from one device, so many minutes after the first.
fn payment(minute: i64) -> PaymentRecord {
    event(&format!("E{minute}"), minute, json!({}))
}

fn event(id: &str, minute: i64, more: Value) -> PaymentRecord {
    let at = "2026-11-20T08:00:00Z".parse::<EventTime>().unwrap().plus(Span::minutes(minute));
    let mut body = json!({
        "event_id": id, "type": "payment", "status": "completed", "occurred_at": at.to_string(),
        "amount": { "value": "100.00", "currency": "HKD" },
        "debtor": { "customer_id": "C-1", "account": "A-1" }, "device": { "id": "D-1" },
    });
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    let event: PaymentEvent = serde_json::from_value(body).unwrap();
    PaymentRecord::Event(EventRecord {
        received_at: at,
        awaited: false,
        late_reason: None,
        event: event.into(),
    })
}

fn payments(minutes: std::ops::Range<i64>) -> Vec<PaymentRecord> {
    minutes.map(payment).collect()
}

/// What a worker makes of the records, in batches of so many; `cut`: it loses its state there, and grows it again.
fn drive(records: &[PaymentRecord], batch_records_max: usize, cut: Option<Offset>) -> Output {
    drive_watched(records, batch_records_max, cut, |_| ())
}

/// The same, watched before each step.
fn drive_watched(
    records: &[PaymentRecord],
    batch_records_max: usize,
    cut: Option<Offset>,
    mut watch: impl FnMut(&Worker<Engine>),
) -> Output {
    let log: Vec<(Offset, PaymentRecord)> = (0..).zip(records.iter().cloned()).collect();
    let library: Arc<dyn Library> = Arc::new(NoLists);
    let fresh = || Engine::new(EngineConfig { shards: 3 }, Arc::new(NoLists) as Arc<dyn Library>);
    let config = WorkerConfig { batch_records_max, snapshot_every_records: 4 };
    let mut worker = Worker::new(config, library, 0, fresh);
    let (mut output, mut snapshots, mut cut) = (Output::default(), Vec::new(), cut);
    let end = log.len() as Offset;
    loop {
        watch(&worker);
        match worker.step().unwrap() {
            Step::Restore { at_most } => {
                let kept = snapshots.iter().rev().filter(|(offset, _)| *offset <= at_most);
                let kept: Vec<Vec<u8>> = kept.map(|(_, bytes): &(Offset, Vec<u8>)| bytes.clone()).collect();
                worker.restored(kept, 0).unwrap();
            }
            Step::Read { from, limit } => {
                if worker.is_live() && worker.committed_offset() == end {
                    return output;
                }
                let read: Vec<_> =
                    log.iter().skip(usize::try_from(from).unwrap()).take(limit).cloned().collect();
                worker.records(&read).unwrap();
            }
            Step::Commit(batch) => {
                if cut.is_some_and(|cut| batch.to > cut) {
                    cut = None;
                    worker.aborted(batch.from);
                    continue;
                }
                output.alerts.extend(batch.output.alerts);
                output.observations.extend(batch.output.observations);
                worker.committed().unwrap();
            }
            Step::Save { offset, bytes } => snapshots.push((offset, bytes)),
            Step::Await => panic!("nothing is to be waited for"),
        }
    }
}

/// Rule, event and reason of each alert: the same for any size of batch, and through a loss of state at any place.
fn said(records: &[PaymentRecord]) -> Vec<(String, String, String)> {
    let of = |output: Output| -> Vec<_> {
        output.alerts.into_iter().map(|alert| (alert.rule_id, alert.event_id, alert.reason)).collect()
    };
    let once = of(drive(records, 2, None));
    for batch in [1, 3, 100] {
        assert_eq!(of(drive(records, batch, None)), once, "batches of {batch}");
    }
    for cut in 0..records.len() as Offset {
        assert_eq!(of(drive(records, 2, Some(cut))), once, "state lost at {cut}");
    }
    once
}

fn alert(rule: &str, event: &str, reason: &str) -> (String, String, String) {
    (rule.into(), event.into(), reason.into())
}

/// The successor whose windows are taken over knows nothing of what was said: that stays.
#[test]
fn what_was_said_stays_said_when_new_rules_are_taken_over() {
    let before = bundle(&[counts("R", "customer", "1h", "once per 24h")]);
    // The same rule with another window, which must be filled from the past; and one that is new.
    let after = bundle(&[
        counts("R", "customer", "6h", "once per 24h"),
        counts("NEW", "customer", "6h", "every event"),
    ]);
    let day = 24 * 60;
    let records = [
        &[prepare(&before), activate(&before)][..],
        &payments(0..3),
        &[prepare(&after)],
        &payments(3..5),
        &[activate(&after)],
        &payments(5..7),
        &[payment(day + 1)],
    ]
    .concat();
    let said = said(&records);
    assert_eq!(
        said,
        [
            alert("R", "E0", "1 paid"),
            // What it watched before it was in force is in its window.
            alert("NEW", "E5", "6 paid"),
            alert("NEW", "E6", "7 paid"),
            alert("NEW", "E1441", "1 paid"),
            alert("R", "E1441", "1 paid"),
        ]
    );
}

#[test]
fn it_is_told_how_far_the_windows_of_prepared_rules_are_filled() {
    let before = bundle(&[counts("R", "customer", "1h", "every event")]);
    let longer = bundle(&[counts("R", "customer", "6h", "every event")]);
    let shorter = bundle(&[counts("R", "customer", "30m", "every event")]);
    let fillings = |next: &RuleBundle| {
        let records = [
            &[prepare(&before), activate(&before)][..],
            &payments(0..6),
            &[prepare(next)],
            &payments(6..12),
            &[activate(next)],
            &payments(12..13),
        ]
        .concat();
        let mut fillings = Vec::new();
        drive_watched(&records, 2, None, |worker| fillings.push(worker.filling()));
        assert_eq!(
            (fillings[0], fillings.last()),
            (None, Some(&None)),
            "nothing is filled once they are in force"
        );
        let of_next = fillings.into_iter().flatten().filter(|(rules, ..)| *rules == next.hash());
        of_next.map(|(_, filled, all)| (filled, all)).collect::<Vec<_>>()
    };
    let told = fillings(&longer);
    assert!(told[0].0 == 0 && told.iter().all(|(filled, all)| filled <= all) && told.is_sorted(), "{told:?}");
    assert!(told.iter().any(|(filled, all)| filled == all), "{told:?}");
    assert_eq!(fillings(&shorter), [], "what is held covers them");
}

/// Whoever prepares other rules before the first were put in force means the second: their windows are filled, the
/// first's no more; and to put the first in force now changes nothing.
#[test]
fn a_successor_for_rules_that_are_no_longer_prepared_is_dropped() {
    let first = bundle(&[counts("R", "customer", "1h", "every event")]);
    let second = bundle(&[counts("R", "customer", "6h", "every event")]);
    let third = bundle(&[counts("R", "account", "12h", "every event")]);
    // Every 40 minutes: an hour holds two, half a day all of them.
    let payments = |places: std::ops::Range<i64>| places.map(|n| payment(40 * n)).collect::<Vec<_>>();
    for abandoned in [vec![], vec![activate(&second)]] {
        let records = [
            &[prepare(&first), activate(&first)][..],
            &payments(0..4),
            &[prepare(&second)],
            &payments(4..6),
            &[prepare(&third)],
            &payments(6..8),
            &abandoned,
            &payments(8..9),
            &[activate(&third)],
            &payments(9..11),
        ]
        .concat();
        let counted: Vec<String> = said(&records).into_iter().map(|(.., reason)| reason).collect();
        let expected = [1, 2, 2, 2, 2, 2, 2, 2, 2, 10, 11].map(|n| format!("{n} paid"));
        assert_eq!(counted, expected);
    }
}

/// A home asks the keys that prepared rules watch from their record on, so that the logs of shards hold what a successor
/// is to be filled with.
#[test]
fn keys_that_only_prepared_rules_watch_are_asked() {
    let active = bundle(&[counts("R", "customer", "1h", "every event")]);
    let prepared =
        bundle(&[counts("R", "customer", "1h", "every event"), counts("D", "device", "1h", "every event")]);
    let mut home = Home::new(Arc::new(NoLists));
    let mut n = 0;
    let mut asked = |home: &mut Home| -> Vec<KeyKind> {
        let mut out = HomeOutput::default();
        n += 1;
        let PaymentRecord::Event(event) = payment(n) else { panic!("an event") };
        home.apply_event(0, &event, None, &mut out);
        out.keyed.iter().map(|event| event.key.kind).collect()
    };
    let apply = |home: &mut Home, record: PaymentRecord| {
        let PaymentRecord::Control(control) = record else { panic!("a control record") };
        home.apply_control(&control, &mut HomeOutput::default());
    };
    apply(&mut home, prepare(&active));
    assert_eq!(asked(&mut home), [KeyKind::Customer], "prepared, and nothing in force yet");
    apply(&mut home, activate(&active));
    assert_eq!(asked(&mut home), [KeyKind::Customer]);
    apply(&mut home, prepare(&prepared));
    assert_eq!(asked(&mut home), [KeyKind::Customer, KeyKind::Device]);
    // Others are prepared in their place: theirs are asked.
    apply(&mut home, prepare(&bundle(&[counts("A", "account", "1h", "every event")])));
    assert_eq!(asked(&mut home), [KeyKind::Customer, KeyKind::Account]);
}

/// In the whole engine the device's window holds what came before its rule was in force, and after it was prepared.
#[test]
fn a_rule_on_a_new_kind_of_key_knows_the_past() {
    let active = bundle(&[counts("R", "customer", "1h", "every event")]);
    let next = bundle(&[counts("D", "device", "6h", "every event")]);
    let records = [
        &[prepare(&active), activate(&active)][..],
        &payments(0..2),
        &[prepare(&next)],
        &payments(2..4),
        &[activate(&next)],
        &payments(4..6),
    ]
    .concat();
    let device: Vec<_> = said(&records).into_iter().filter(|(rule, ..)| rule == "D").collect();
    assert_eq!(device, [alert("D", "E4", "5 paid"), alert("D", "E5", "6 paid")]);
}

/// The statuses that a payment has had travel with its keyed events.
#[test]
fn a_payment_counts_once_whatever_its_statuses() {
    let rules = bundle(&[counts("R", "account", "1h", "every event")]);
    let mut records = vec![prepare(&rules), activate(&rules)];
    for payment in 0..3 {
        for (i, status) in ["authorized", "captured", "completed"].iter().enumerate() {
            let id = format!("P{payment}-{status}");
            let more = json!({ "payment_id": format!("P{payment}"), "status": status });
            records.push(event(&id, payment * 5 + i as i64, more));
        }
    }
    let said = said(&records);
    assert_eq!(
        said,
        [
            alert("R", "P0-authorized", "1 paid"),
            alert("R", "P1-authorized", "2 paid"),
            alert("R", "P2-authorized", "3 paid"),
        ]
    );
}
