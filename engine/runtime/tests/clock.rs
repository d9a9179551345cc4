//! What a wrong clock does: nothing is taken in under it, and what it did before can be undone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use axum::http::StatusCode;
use common::{NOW, Running, StoppedClock, payment, records, start_under};
use serde_json::{Value, json};
use sluice_log::{Log, Topic};
use sluice_model::{Control, EventTime, SetStreamTime, Span};
use sluice_runtime::Outbox;

fn end(running: &Running) -> u64 {
    running.log.end(Topic::Payments.partition(0)).unwrap()
}

fn at(mut event: Value, at: EventTime) -> Value {
    event["occurred_at"] = json!(at);
    event
}

fn now() -> EventTime {
    NOW.parse().unwrap()
}

async fn is_refused(running: &Running) {
    let before = end(running);
    let letters = records(&*running.log, Topic::DeadLetters).len();
    for path in ["/v1/events", "/v1/decisions", "/v1/dead-letters/0/resubmit"] {
        let body =
            if path.contains("dead") { json!({"reason": "a test"}) } else { payment("9", "C-9", "1.00") };
        let answer = running.post_json(path, &body).await;
        assert_eq!(
            (answer.status, &answer.json["code"]),
            (StatusCode::SERVICE_UNAVAILABLE, &json!("clock")),
            "{path}"
        );
        let broken = running.post("/v1/events", "application/json", "broken").await;
        assert_eq!(broken.json["code"], "clock", "no dead letter is stamped either");
    }
    assert_eq!(end(running), before);
    assert_eq!(records(&*running.log, Topic::DeadLetters).len(), letters);
    assert!(running.runtime.not_ready().join("; ").contains("clock"), "{:?}", running.runtime.not_ready());
}

async fn is_taken(running: &Running, id: &str) {
    let answer = running.post_json("/v1/events", &payment(id, "C-1", "1.00")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(running.runtime.not_ready(), Vec::<String>::new());
}

#[tokio::test]
async fn a_clock_that_jumps_while_it_runs_is_refused_until_it_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(StoppedClock::default());
    let running = start_under(folder.path(), Arc::clone(&clock), false);
    is_taken(&running, "1").await;
    for by in [Span::days(400), Span::days(-400), Span::minutes(2)] {
        clock.set(by);
        is_refused(&running).await;
        clock.set(Span::ZERO);
        is_taken(&running, "1").await;
    }
}

#[tokio::test]
async fn a_start_far_from_the_log_is_refused_until_somebody_confirms_it() {
    let folder = tempfile::tempdir().unwrap();
    let running = start_under(folder.path(), Arc::default(), false);
    is_taken(&running, "1").await;
    // The newest event counts, whatever orders stand behind it.
    let order = SetStreamTime { to: now(), reason: "a test".into(), at: now() };
    running.runtime.control(Control::SetStreamTime(order), Outbox::default()).unwrap();
    drop(running.stop());
    for by in [Span::days(400), Span::days(-1)] {
        let running = start_under(folder.path(), StoppedClock::off_by(by), false);
        assert_eq!(running.runtime.accepted_clock(), None);
        is_refused(&running).await;
        drop(running.stop());
    }
    let running = start_under(folder.path(), StoppedClock::off_by(Span::days(29)), false);
    assert_eq!(running.runtime.not_ready(), Vec::<String>::new(), "a service may have been off");
    drop(running.stop());
    let running = start_under(folder.path(), StoppedClock::off_by(Span::days(31)), true);
    assert!(
        running.runtime.accepted_clock().unwrap().to_string().contains("31d past"),
        "what there is to record"
    );
    assert_eq!(
        running.post_json("/v1/events", &payment("2", "C-1", "1.00")).await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn what_a_wrong_clock_did_is_told_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let ahead = Span::days(400);
    let running = start_under(folder.path(), StoppedClock::off_by(ahead), true);
    let event = at(payment("1", "C-1", "1.00"), now().plus(ahead));
    assert_eq!(running.post_json("/v1/decisions", &event).await.status, StatusCode::OK);
    drop(running.stop());

    let running = start_under(folder.path(), Arc::default(), true);
    assert_eq!(running.runtime.status().stream_time, Some(now().plus(ahead)));
    let decide =
        async |n: u32| running.post_json("/v1/decisions", &payment(&n.to_string(), "C-1", "1.00")).await;
    for n in 100..200 {
        assert_eq!(running.runtime.not_ready(), Vec::<String>::new(), "few refusals say nothing");
        assert_eq!(decide(n).await.json["code"], "too_old");
    }
    std::iter::repeat_with(|| running.runtime.not_ready().join("; "))
        .find(|reasons| reasons.contains("100 of the last 100 events were refused"))
        .unwrap();
    let order = SetStreamTime { to: now(), reason: "a clock was ahead".into(), at: now() };
    running.runtime.control(Control::SetStreamTime(order), Outbox::default()).unwrap();
    assert_eq!(decide(200).await.json["decision"], "allow");
    std::iter::repeat_with(|| running.runtime.not_ready()).find(Vec::is_empty).unwrap();
    assert!(running.runtime.status().stream_time.unwrap() <= now());
}
