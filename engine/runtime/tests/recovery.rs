//! What is durable is judged once, however the process ends.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;

use common::{Mood, payment, records, rules, start};
use proptest::prelude::*;
use serde_json::Value;
use sluice_core::{Engine, EngineConfig, NoLists, Output, Stage};
use sluice_log::{Log, ReadLimit, Snapshots, Topic};
use sluice_model::{Alert, PaymentRecord};

/// The alerts that an undisturbed engine gives for the payments on a log.
fn replayed(log: &dyn Log) -> Vec<Value> {
    let mut engine = Engine::new(EngineConfig::default(), std::sync::Arc::new(NoLists));
    let everything = ReadLimit { records: usize::MAX, bytes: usize::MAX };
    let mut output = Output::default();
    for record in log.read(Topic::Payments.partition(0), 0, everything).unwrap() {
        engine.apply(
            record.offset,
            &serde_json::from_slice::<PaymentRecord>(&record.value).unwrap(),
            &mut output,
        );
    }
    output.alerts.iter().map(|alert| serde_json::to_value(alert).unwrap()).collect()
}

/// A run of events, some again and some in conflict, cut into processes.
fn processes() -> impl Strategy<Value = Vec<Vec<(u8, u8, bool)>>> {
    let event = (0_u8..40, 0_u8..4, any::<bool>());
    prop::collection::vec(prop::collection::vec(event, 0..25), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_alert_comes_once_across_restarts(processes in processes()) {
        let folder = tempfile::tempdir().unwrap();
        let tokio = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for events in processes {
            let running = start(folder.path());
            tokio.block_on(async {
                for (id, customer, large) in events {
                    let value = if large { "1500.00" } else { "15.00" };
                    running.post_json("/v1/events", &payment(&id.to_string(), &format!("C-{customer}"), value)).await;
                }
            });
            let log = running.stop();
            prop_assert_eq!(records(&*log, Topic::Alerts), replayed(&*log));
        }
    }
}

/// Copy a folder as a crash leaves it: whatever the files hold at that moment.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_start_from_a_snapshot_and_one_from_the_log_agree() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    for n in 0..50 {
        running.post_json("/v1/events", &payment(&n.to_string(), "C-1", "15.00")).await;
    }
    drop(running.stop());
    let snapshots = sluice_log::FileSnapshots::new(folder.path().join("snapshots"));
    assert_eq!(snapshots.offsets("engine").unwrap().len(), 1);
    let bare = tempfile::tempdir().unwrap();
    copy(&folder.path().join("log"), &bare.path().join("log"));
    let torn = tempfile::tempdir().unwrap();
    copy(folder.path(), torn.path());
    for entry in std::fs::read_dir(torn.path().join("snapshots/engine")).unwrap() {
        std::fs::write(entry.unwrap().path(), b"torn").unwrap();
    }
    let mut alerts = Vec::new();
    for folder in [folder.path(), bare.path(), torn.path()] {
        let running = start(folder);
        // The same event again is a duplicate, a new one is the 51st within the hour.
        running.post_json("/v1/events", &payment("7", "C-1", "15.00")).await;
        running.post_json("/v1/events", &payment("50", "C-1", "15.00")).await;
        alerts.push(records(&*running.stop(), Topic::Alerts));
    }
    assert_eq!(alerts[0].len(), 49, "from the third payment on");
    assert_eq!(alerts[0], alerts[1]);
    assert_eq!(alerts[0], alerts[2]);
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_not_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    *running.mood.lock().unwrap() = Mood::LosesAnAnswer;
    let answer = running.post_json("/v1/decisions", &payment("1", "C-1", "5000.00")).await;
    assert_eq!(answer.json["decision"], "hold", "answered once the log was asked");
    assert_eq!(*running.mood.lock().unwrap(), Mood::Good, "an answer was lost");
    let log = running.stop();
    for topic in [Topic::Alerts, Topic::Holds, Topic::Decisions] {
        assert_eq!(records(&*log, topic).len(), 1, "{topic:?}");
    }
}

#[tokio::test]
async fn a_commit_that_was_aborted_is_made_again_from_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    for n in 1..=2 {
        running.post_json("/v1/decisions", &payment(&n.to_string(), "C-1", "15.00")).await;
    }
    *running.mood.lock().unwrap() = Mood::FailsACommit;
    // The third of a customer: its windows grow again with the state.
    let answer = running.post_json("/v1/decisions", &payment("3", "C-1", "15.00")).await;
    assert_eq!(answer.json["alerts"].as_array().map(Vec::len), Some(1), "{}", answer.json);
    assert_eq!(*running.mood.lock().unwrap(), Mood::Good, "a commit failed");
    let log = running.stop();
    assert_eq!(records(&*log, Topic::Alerts).len(), 1);
    assert_eq!(records(&*log, Topic::Decisions).len(), 3);
}

#[tokio::test]
async fn an_alert_names_where_its_event_stands() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    for n in 0..4 {
        running.post_json("/v1/decisions", &payment(&n.to_string(), "C-1", "15.00")).await;
    }
    let stored = running.log.read(Topic::Alerts.partition(0), 0, ReadLimit::default()).unwrap();
    assert_eq!(stored.len(), 2);
    for (stored, n) in stored.iter().zip([2, 3]) {
        let alert: Alert = serde_json::from_slice(&stored.value).unwrap();
        let offset = alert.offset.unwrap();
        let judged = running.log.read(Topic::Payments.partition(0), offset, ReadLimit::records(1)).unwrap();
        let PaymentRecord::Event(record) = serde_json::from_slice(&judged[0].value).unwrap() else {
            panic!("not an event")
        };
        assert_eq!((judged[0].offset, &record.event.event_id), (offset, &n.to_string()));
    }
}

#[tokio::test]
async fn rules_change_in_flight_with_their_windows_filled_from_history() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path());
    for n in 0..5 {
        running.post_json("/v1/events", &payment(&n.to_string(), "C-1", "15.00")).await;
    }
    // Another window, and another threshold on the one before.
    let mut bundle = rules();
    for file in &mut bundle.files {
        file.text = file
            .text
            .replace("value: 1, unit: \"hours\"", "value: 2, unit: \"hours\"")
            .replace(">= 3", ">= 6");
    }
    assert!(running.runtime.put_rules_in_force(&bundle).unwrap());
    assert!(!running.runtime.put_rules_in_force(&bundle).unwrap(), "in force already");
    assert_eq!(running.runtime.status().rules.hash(), bundle.hash());
    running.post_json("/v1/events", &payment("5", "C-1", "15.00")).await;
    let alerts = records(&*running.stop(), Topic::Alerts);
    assert_eq!(alerts.len(), 4, "three under the old rules, the sixth payment under the new");
    assert_eq!(alerts[3]["windows"]["payments"], 6, "history counts");
}
