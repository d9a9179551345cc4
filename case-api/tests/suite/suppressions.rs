//! A false positive is suppressed by two people, applied by the engine, and every step leaves evidence.

use std::sync::atomic::Ordering;

use crate::support::{Answer, Side, held_alert, record, start};
use axum::body::Body;
use serde_json::{Value, json};
use sluice_case_api::{domain::Role, ports::Record};
use sluice_model::{Control, Key, KeyKind, Span};

async fn post(side: &Side, key: &str, path: &str, body: &Value) -> Answer {
    let request = side.request("POST", path, key).header("content-type", "application/json");
    side.send(request.body(Body::from(body.to_string())).unwrap()).await
}

fn wanted() -> Value {
    json!({
        "case_id": "CASE-000001", "party": {"kind": "account", "value": "012-345-678901"}, "list": "house",
        "entry_id": "H-17", "disposition": "FP-DOB", "reason": "born 1990, the listed man 1951", "days": 30,
    })
}

async fn side_with_a_match() -> Side {
    let side = Side::new().await;
    let (alert, _) = held_alert(1, "C-1");
    side.say([record(alert)]).await;
    side
}

#[tokio::test]
async fn one_proposes_another_approves_and_the_engine_applies_it() {
    let side = side_with_a_match().await;
    let analyst = side.key("ana", &[Role::Analyst]);
    let mlro = side.key("mia", &[Role::Mlro]);
    let proposed = post(&side, &analyst, "/v1/suppressions", &wanted()).await;
    assert_eq!(proposed.status, 201, "{}", proposed.text());
    let id = proposed.json()["suppression_id"].as_str().unwrap().to_owned();
    assert_eq!(proposed.json()["in_force"], false);
    assert!(side.world.controls().is_empty(), "a proposal changes nothing");
    post(&side, &analyst, "/v1/suppressions", &wanted()).await.is_problem(409);

    let approve = format!("/v1/suppressions/{id}/approve");
    post(&side, &analyst, &approve, &json!({})).await.is_problem(403);
    let approved = post(&side, &mlro, &approve, &json!({})).await.json();
    assert_eq!((&approved["in_force"], &approved["control"]), (&json!(true), &json!("delivered")));
    post(&side, &mlro, &approve, &json!({})).await.is_problem(409);
    let [Control::Suppress(order)] = &side.world.controls()[..] else { panic!("one suppression") };
    assert_eq!(order.party, Key { kind: KeyKind::Account, value: "012-345-678901".into() });
    assert_eq!((order.list.as_str(), order.entry_id.as_str()), ("house", "H-17"));
    assert_eq!((order.approver.as_str(), order.expires_at), ("mia", start().plus(Span::days(30))));

    side.world.entry_content.store(1, Ordering::SeqCst);
    let listed = side.get("/v1/suppressions?state=approved").await.json();
    assert_eq!(
        (&listed["items"][0]["in_force"], &listed["items"][0]["entry_changed"]),
        (&json!(false), &json!(true))
    );
    side.world.entry_content.store(0, Ordering::SeqCst);

    let revoke = format!("/v1/suppressions/{id}/revoke");
    post(&side, &analyst, &revoke, &json!({"reason": "seen again"})).await.is_problem(403);
    let revoked = post(&side, &mlro, &revoke, &json!({"reason": "seen again"})).await.json();
    assert_eq!((&revoked["state"], &revoked["control"]), (&json!("revoked"), &json!("delivered")));
    assert!(matches!(&side.world.controls()[1], Control::Unsuppress(ended) if ended == order));

    let trail = side.get("/v1/audit").await.json();
    let acts: Vec<_> =
        trail["items"].as_array().unwrap().iter().map(|e| e["act"].as_str().unwrap()).collect();
    for act in ["propose_suppression", "approve_suppression", "revoke_suppression"] {
        assert_eq!(acts.iter().filter(|a| **a == act).count(), 1, "{act} is one leaf: {acts:?}");
    }
    let case = side.get("/v1/cases/CASE-000001").await.json();
    assert!(case["timeline"].to_string().contains("approve_suppression"));
    assert!(side.get("/v1/cases/CASE-000001/evidence").await.text().contains("propose_suppression"));
}

#[tokio::test]
async fn nobody_approves_what_they_proposed_and_a_proposal_can_be_refused() {
    let side = side_with_a_match().await;
    let mlro = side.key("mia", &[Role::Mlro]);
    post(&side, &mlro, "/v1/suppressions", &wanted()).await;
    post(&side, &mlro, "/v1/suppressions/SUP-000001/approve", &json!({})).await.is_problem(403);
    let refused =
        post(&side, &mlro, "/v1/suppressions/SUP-000001/revoke", &json!({"reason": "not sure"})).await.json();
    assert_eq!((&refused["state"], &refused["control"]), (&json!("revoked"), &Value::Null));
    assert!(side.world.controls().is_empty(), "the engine never knew of it");
    // What was refused may be proposed anew.
    assert_eq!(post(&side, &mlro, "/v1/suppressions", &wanted()).await.status, 201);
}

#[tokio::test]
async fn only_a_match_that_the_case_shows_and_that_is_still_so_is_suppressed() {
    let side = side_with_a_match().await;
    let with = |field: &str, value: Value| {
        let mut body = wanted();
        body[field] = value;
        body
    };
    for (body, status) in [
        (with("entry_id", json!("H-18")), 422),
        (with("party", json!({"kind": "customer", "value": "C-1"})), 422),
        (with("disposition", json!("FP-LISTSTALE")), 422),
        (with("days", json!(366)), 422),
        (with("days", json!(0)), 422),
        (with("reason", json!("  ")), 422),
        (with("case_id", json!("CASE-000009")), 404),
    ] {
        post(&side, &side.key, "/v1/suppressions", &body).await.is_problem(status);
    }
    let auditor = side.key("otto", &[Role::Auditor]);
    post(&side, &auditor, "/v1/suppressions", &wanted()).await.is_problem(403);
    side.world.entry_content.store(1, Ordering::SeqCst);
    post(&side, &side.key, "/v1/suppressions", &wanted()).await.is_problem(409);
}

#[tokio::test]
async fn closing_as_a_false_positive_proposes_for_every_match() {
    let side = side_with_a_match().await;
    let close = |code: &str, days: u32| {
        json!({"action": "close", "disposition": code, "discriminator": "born 1990", "reason": "another man",
               "suppress_days": days})
    };
    side.act(&side.key, "CASE-000001", close("DUP", 30)).await.is_problem(422);
    side.act(&side.key, "CASE-000001", close("FP-DOB", 400)).await.is_problem(422);
    assert_eq!(side.act(&side.key, "CASE-000001", close("FP-DOB", 30)).await.json()["state"], "CLOSED");
    let listed = side.get("/v1/suppressions?case_id=CASE-000001").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed["items"][0]["state"], &listed["items"][0]["reason"]),
        (&json!("proposed"), &json!("born 1990"))
    );
}

#[tokio::test]
async fn what_expired_before_it_was_approved_is_not_approved() {
    let side = side_with_a_match().await;
    post(&side, &side.key("ana", &[Role::Analyst]), "/v1/suppressions", &wanted()).await;
    side.world.pass(Span::days(30));
    post(&side, &side.key, "/v1/suppressions/SUP-000001/approve", &json!({})).await.is_problem(409);
}

#[tokio::test]
async fn a_true_match_ends_what_was_suppressed_of_the_party() {
    let side = side_with_a_match().await;
    let mlro = side.key("mia", &[Role::Mlro]);
    post(&side, &side.key("ana", &[Role::Analyst]), "/v1/suppressions", &wanted()).await;
    post(&side, &mlro, "/v1/suppressions/SUP-000001/approve", &json!({})).await;
    // Another case meets the same party on its own.
    let (mut alert, hold) = held_alert(2, "C-2");
    alert.matches[0].matches[0].entry_id = "H-18".into();
    side.say([record(alert), Record::Hold(hold)]).await;
    let close = json!({"action": "close", "disposition": "TFS-MATCH", "reason": "the same passport"});
    let closed = side.act(&mlro, "CASE-000002", close).await.json();
    assert_eq!((&closed["state"], &closed["control"]), (&json!("CLOSED"), &json!("delivered")));
    let listed = side.get("/v1/suppressions").await.json();
    let ended = &listed["items"][0];
    assert_eq!((&ended["state"], &ended["ended_by"]), (&json!("revoked"), &json!("mia")));
    assert_eq!(ended["end_reason"], "CASE-000002 found a true match");
    let controls = side.world.controls();
    let [Control::Suppress(order), Control::Unsuppress(ended)] = &controls[..] else {
        panic!("the engine applies the end of what it knew: {controls:?}")
    };
    assert_eq!(order, ended);
}
