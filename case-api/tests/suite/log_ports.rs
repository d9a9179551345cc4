//! The feeds and the way of control records over a log, without an engine beside it.

use std::sync::Arc;

use crate::support::{alert, start};
use serde_json::json;
use sluice_case_api::{
    LogControls, LogFeed,
    ports::{ControlSink as _, Feed as _, PortError, Record, Topic},
};
use sluice_log::{
    Claim, Commit, EmbeddedLog, Log, Partition, Record as Stored, Topic as LogTopic, Transaction,
};
use sluice_model::{Alert, Control, EventRecord, PaymentRecord};

const PAYMENTS: Partition = LogTopic::Payments.partition(0);
const ALERTS: Partition = LogTopic::Alerts.partition(0);

fn open(folder: &std::path::Path) -> Arc<dyn Log> {
    Arc::new(EmbeddedLog::open(folder).unwrap())
}

fn stored(value: &impl serde::Serialize) -> Stored {
    Stored::new("", serde_json::to_vec(value).unwrap())
}

fn event(id: &str) -> PaymentRecord {
    let event = serde_json::from_value(json!({ "event_id": id, "occurred_at": start() })).unwrap();
    PaymentRecord::Event(EventRecord {
        received_at: start(),
        awaited: false,
        late_reason: None,
        event: Arc::new(event),
    })
}

fn control() -> Control {
    Control::Activate { rules: sluice_model::Hash256::of(b"rules") }
}

/// An alert that names where its event stands.
fn of(offset: Option<u64>) -> Alert {
    Alert { offset, ..alert(1, "C-1") }
}

#[test]
fn an_alert_comes_with_the_event_that_it_judged() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append(
        PAYMENTS,
        [event("E-0"), PaymentRecord::Control(control()), event("E-2")].map(|r| stored(&r)).into(),
    )
    .unwrap();
    // None of them is an event: a rescreening's, a control record's, one that the log does not hold.
    let alerts = [Some(2), Some(0), None, Some(1), Some(3)].map(|offset| stored(&of(offset)));
    log.append(ALERTS, alerts.into()).unwrap();
    let feed = LogFeed { log, partition_of: |_: &str| PAYMENTS };
    let judged = |from, max| -> Vec<Option<String>> {
        let items = feed.read(Topic::Alerts, from, max).unwrap();
        assert!(items.iter().zip(from..).all(|(item, offset)| item.offset == offset));
        let event = |record| match record {
            Record::Alert(_, event) => event.map(|event| event.event_id.clone()),
            other => panic!("{other:?}"),
        };
        items.into_iter().map(|item| event(item.record)).collect()
    };
    assert_eq!(judged(0, 2), [Some("E-2".to_owned()), Some("E-0".to_owned())]);
    assert_eq!(judged(2, 10), [None, None, None]);
    assert_eq!(feed.end(Topic::Alerts).unwrap(), 5);
}

#[test]
fn what_cannot_be_read_is_named_by_its_place_alone() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    log.append(PAYMENTS, vec![Stored::new("", "\"CHAN Tai Man\"")]).unwrap();
    log.append(ALERTS, vec![stored(&of(Some(0))), Stored::new("", "\"CHAN Tai Man\"")]).unwrap();
    let feed = LogFeed { log, partition_of: |_: &str| PAYMENTS };
    for (at, place) in [(0, "record 0 of sluice.payments/0"), (1, "record 1 of sluice.alerts/0")] {
        let error = feed.read(Topic::Alerts, at, 1).unwrap_err();
        assert_eq!(error.to_string(), format!("{place} cannot be read"));
    }
}

fn append(log: &dyn Log, control: Control, come: Commit, claim: Option<Claim>) -> Result<u64, PortError> {
    let transaction = Transaction::append(PAYMENTS, vec![stored(&PaymentRecord::Control(control))]);
    let transaction = Transaction { commits: vec![come], claim, ..transaction };
    Ok(log.transact(transaction)?[0].offsets[0])
}

#[test]
fn of_two_processes_that_share_an_outbox_the_one_that_took_over_delivers() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let process = || {
        let writer = Arc::clone(&log);
        LogControls::shared(Arc::clone(&log), move |control, come, claim| {
            append(&*writer, control, come, claim)
        })
    };
    let (one, other) = (process(), process());
    assert!(one.append(1, &control()).is_err(), "it has not taken over");
    one.take_over().unwrap();
    one.append(1, &control()).unwrap();
    other.take_over().unwrap();
    assert!(one.append(2, &control()).is_err(), "it was replaced");
    other.append(2, &control()).unwrap();
    assert_eq!(log.end(PAYMENTS).unwrap(), 2);
}

#[test]
fn the_log_remembers_how_far_the_case_side_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path());
    let writer = Arc::clone(&log);
    let append = move |control, come, claim| append(&*writer, control, come, claim);
    let controls = LogControls::new(Arc::clone(&log), append);
    assert_eq!(controls.append(17, &control()).unwrap(), 0);
    assert_eq!(controls.append(18, &control()).unwrap(), 1);
    controls.note_leaves(230).unwrap();
    let marks = LogTopic::Control.partition(0);
    assert_eq!(log.committed("cases.outbox", marks).unwrap(), 19);
    assert_eq!(log.committed("cases.leaves", marks).unwrap(), 230);
}
