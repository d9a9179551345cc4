//! Signed bodies, which nobody signs in to send.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, path::Path};

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use common::{Answered, Running, records, start_for};
use serde_json::json;
use sluice_log::{Log, Topic};
use sluice_model::limits::EVENT_BYTES_MAX;
use sluice_runtime::Webhooks;

const PSP: &str = r#"
secrets = [{ env = "PSP" }]
[signature]
header = "X-Signature"
algorithm = "hmac-sha256"
encoding = "hex"
signs = "{timestamp}.{body}"
timestamp = { header = "X-Timestamp" }
[fields]
event_id = "/id"
occurred_at = "/at"
"amount.value" = "/amount"
"amount.currency" = { constant = "HKD" }
[[only]]
column = "/kind"
in = ["paid"]
"#;

/// The time here, as the sender writes it; and long enough before.
const NOW: &str = "1795168800";
const BEFORE: &str = "1795168499";
const PAID: &str = r#"{"id":"1","at":"2026-11-20T09:59:00Z","kind":"paid","amount":"10.00"}"#;
const PAID_SIGNED: &str = "5566454a1a0d8cf6c7691d1270c746e6d026c3d8fc40a4daf64e2e5de9a4d7a8";
const PAID_SIGNED_BEFORE: &str = "9033e9fabfa600bf6b14256d5132eed26010ca38d018ae799811e39ad1ef2d50";
const FEE: &str = r#"{"id":"1","at":"2026-11-20T09:59:00Z","kind":"fee","amount":"10.00"}"#;
const FEE_SIGNED: &str = "80346a3795c11a89ba1654af3372334e409b8a9663dcdebd59a6d4b4ce18417d";
const ODD: &str = r#"{"id":"1","at":"soon","kind":"paid","amount":"10.00"}"#;
const ODD_SIGNED: &str = "9572729432fa8d3aab41087b95ef7704b434673b8bc8e4434095503f8b3cffc8";

/// A runtime for a sender whose secret is `s3cret`.
fn start(folder: &Path, file: &str) -> Running {
    let senders = folder.join("webhooks");
    fs::create_dir_all(&senders).unwrap();
    fs::write(senders.join("psp.toml"), file).unwrap();
    let env = |name: &str| (name == "PSP").then(|| "s3cret".to_owned());
    start_for(folder, Webhooks::read(&senders, env).unwrap())
}

async fn post(running: &Running, body: impl Into<Body>, headers: &[(&str, &str)]) -> Answered {
    let request = headers
        .iter()
        .fold(Request::post("/v1/webhooks/psp"), |request, (name, value)| request.header(*name, *value));
    running.send(request.body(body.into()).unwrap()).await
}

async fn signed(running: &Running, body: &'static str, at: &str, signature: &str) -> Answered {
    post(running, body, &[("x-timestamp", at), ("x-signature", signature)]).await
}

#[tokio::test]
async fn a_webhook_is_believed_by_its_signature_alone() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path(), PSP);
    let answer = signed(&running, PAID, NOW, PAID_SIGNED).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json, json!({"accepted": 1, "passed_over": 0, "refused": 0}));
    // Sent again, it is taken in again, and counts once.
    assert_eq!(signed(&running, PAID, NOW, PAID_SIGNED).await.status, StatusCode::OK);
    let left_out = signed(&running, FEE, NOW, FEE_SIGNED).await;
    assert_eq!(left_out.json, json!({"accepted": 0, "passed_over": 1, "refused": 0}));

    let end = running.log.end(Topic::Payments.partition(0)).unwrap();
    for (answer, code) in [
        (signed(&running, FEE, NOW, PAID_SIGNED).await, "not_signed"),
        (signed(&running, PAID, BEFORE, PAID_SIGNED).await, "not_signed"),
        (signed(&running, PAID, BEFORE, PAID_SIGNED_BEFORE).await, "outside_window"),
        (post(&running, PAID, &[("x-timestamp", NOW)]).await, "not_signed"),
        (
            post(
                &running,
                PAID,
                &[("x-timestamp", NOW), ("x-signature", PAID_SIGNED), ("x-signature", PAID_SIGNED)],
            )
            .await,
            "not_signed",
        ),
    ] {
        assert_eq!((answer.status, &answer.json["code"]), (StatusCode::UNAUTHORIZED, &json!(code)));
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    let large = post(&running, vec![b' '; EVENT_BYTES_MAX + 1], &[]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(
        running.post("/v1/webhooks/other", "application/json", PAID).await.status,
        StatusCode::NOT_FOUND
    );
    let log = running.stop();
    assert_eq!(log.end(Topic::Payments.partition(0)).unwrap(), end);
    assert_eq!(records(&*log, Topic::DeadLetters).len(), 0);
}

#[tokio::test]
async fn a_signed_webhook_that_cannot_be_read_is_a_dead_letter_and_can_be_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path(), PSP);
    let answer = signed(&running, ODD, NOW, ODD_SIGNED).await;
    assert_eq!(
        (answer.status, answer.json),
        (StatusCode::OK, json!({"accepted": 0, "passed_over": 0, "refused": 1}))
    );
    let letters = running.get("/v1/dead-letters").await;
    let letter = &letters.json["items"][0];
    assert_eq!((&letter["source"], &letter["original"]), (&json!("webhook:psp"), &json!(ODD)));
    let path = format!("/v1/dead-letters/{}/resubmit", letter["id"].as_str().unwrap());
    let reason = json!({"reason": "the mapping is mended"});
    assert_eq!(running.post_json(&path, &reason).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    drop(running.stop());
    let mended = PSP.replace("\"/at\"", "{ column = \"/at\", lookup = { soon = \"2026-11-20T09:59:00Z\" } }");
    let running = start(folder.path(), &mended);
    let answer = running.post_json(&path, &reason).await;
    assert_eq!((answer.status, &answer.json["accepted"]), (StatusCode::ACCEPTED, &json!(1)));
}

#[tokio::test]
async fn a_callback_of_ecommpay_is_taken_in_and_what_is_not_json_refused() {
    let folder = tempfile::tempdir().unwrap();
    let running = start(folder.path(), "format = \"ecommpay\"\nsecrets = [{ env = \"PSP\" }]");
    let unsigned = post(&running, r#"{"payment":{"id":"1"},"signature":"AAAA"}"#, &[]).await;
    assert_eq!((unsigned.status, &unsigned.json["code"]), (StatusCode::UNAUTHORIZED, &json!("not_signed")));
    let not_json = post(&running, r#"{"project_id": 0123}"#, &[]).await;
    assert_eq!((not_json.status, &not_json.json["code"]), (StatusCode::BAD_REQUEST, &json!("malformed")));
    assert_eq!(not_json.json["detail"], "the body is not JSON: invalid number at line 1 column 17");
}
