//! Alerts become cases, officers act, the engine applies it, and the evidence holds.

use std::sync::{Arc, atomic::Ordering};

use crate::support::{Side, World, alert, held_alert, record, start};
use serde_json::json;
use sluice_case_api::{domain::Role, ports::Record};
use sluice_model::{Control, HoldOutcome, HoldRecord, Key, KeyKind, Severity, Span};

#[tokio::test]
async fn alerts_on_one_subject_and_typology_join_one_case() {
    let side = Side::new().await;
    let mut other = alert(3, "C-1");
    other.typology = "fan_in".into();
    side.say([alert(1, "C-1"), alert(2, "C-1"), other, alert(4, "C-2")].map(record)).await;
    let cases = side.get("/v1/cases").await.json();
    let cases: Vec<_> = cases["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (&c["typology"], &c["subjects"][0], &c["alerts"]))
        .collect();
    assert_eq!(
        cases,
        [
            (&json!("structuring"), &json!("C-2"), &json!(1)),
            (&json!("fan_in"), &json!("C-1"), &json!(1)),
            (&json!("structuring"), &json!("C-1"), &json!(2)),
        ]
    );
}

#[tokio::test]
async fn a_case_grows_with_its_alerts_subjects_and_severity() {
    let side = Side::new().await;
    let mut low = alert(1, "C-1");
    low.severity = Severity::Low;
    let mut both = alert(2, "C-1");
    both.subjects.push("C-2".into());
    side.say([low, both, alert(3, "C-2")].map(record)).await;
    let case = side.get("/v1/cases/CASE-000001").await.json();
    assert_eq!(case["subjects"], json!(["C-1", "C-2"]));
    assert_eq!((&case["alerts"], &case["severity"]), (&json!(3), &json!("high")));
    assert_eq!(side.get("/v1/cases").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_alert_after_closing_opens_a_case_that_names_the_one_before() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    let close = json!({"action": "close", "disposition": "EXP-BUSINESS", "reason": "a wholesaler"});
    assert_eq!(side.act(&side.key, "CASE-000001", close).await.json()["state"], "CLOSED");
    side.say([record(alert(2, "C-1"))]).await;
    let case = side.get("/v1/cases/CASE-000002").await.json();
    assert_eq!(case["previous_case_id"], "CASE-000001");
    assert_eq!(case["state"], "NEW");
    assert_eq!(side.get("/v1/cases/CASE-000001").await.json()["alerts"], 1);
}

#[tokio::test]
async fn each_record_is_taken_in_once_over_restarts_and_redelivery() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.db");
    let world = Arc::new(World::default());
    let (held, hold) = held_alert(1, "C-1");
    for n in 0..5 {
        let side = Side::on_file(Arc::clone(&world), &path).await;
        // The engine may say again what it said before a crash of its own.
        side.say([record(held.clone()), Record::Hold(hold.clone()), record(alert(n + 10, "C-2"))]).await;
    }
    let side = Side::on_file(world, &path).await;
    let ids = |list: &serde_json::Value| list["items"].as_array().unwrap().len();
    assert_eq!(ids(&side.get("/v1/alerts").await.json()), 6);
    assert_eq!(ids(&side.get("/v1/holds").await.json()), 1);
    assert_eq!(ids(&side.get("/v1/cases").await.json()), 2);
    // Six alerts and one hold, and nothing else, are in the evidence.
    assert_eq!(side.get("/v1/evidence").await.json()["size"], 7);
}

#[tokio::test]
async fn a_hold_whose_alert_nobody_has_read_has_a_case_all_the_same() {
    let side = Side::new().await;
    let (held, hold) = held_alert(1, "C-1");
    side.say([Record::Hold(hold)]).await;
    assert_eq!(side.get("/v1/holds").await.json()["items"][0]["case_id"], "CASE-000001");
    let case = side.get("/v1/cases/CASE-000001").await.json();
    assert_eq!((&case["typology"], &case["subjects"][0]), (&json!("not_decided"), &json!("payment:P-1")));
    side.say([record(held)]).await;
    assert_eq!(side.get("/v1/cases/CASE-000002").await.json()["typology"], "sanctions");
    // Both are on the log: however far ahead one feed is, the hold finds its alert's case.
    let side = Side::new().await;
    let (held, hold) = held_alert(1, "C-1");
    for n in 100..1_000 {
        side.world.say(record(alert(n, "C-9")));
    }
    side.world.say(record(held));
    side.say([Record::Hold(hold)]).await;
    assert_eq!(side.get("/v1/holds").await.json()["items"][0]["case_id"], "CASE-000002");
}

#[tokio::test]
async fn a_freeze_reaches_the_log_and_its_end_waits_for_the_last_case() {
    let side = Side::new().await;
    let mut other = alert(2, "C-1");
    other.typology = "fan_in".into();
    side.say([alert(1, "C-1"), other].map(record)).await;
    let freeze = json!({"action": "freeze", "reason": "mule"});
    for case in ["CASE-000001", "CASE-000002"] {
        let done = side.act(&side.key, case, freeze.clone()).await.json();
        assert_eq!(done["control"], "delivered");
        side.act(&side.key, case, freeze.clone()).await.is_problem(422);
    }
    let unfreeze = json!({"action": "unfreeze", "reason": "cleared"});
    side.world.pass(Span::hours(1));
    assert_eq!(side.act(&side.key, "CASE-000001", unfreeze.clone()).await.json()["control"], "delivered");
    assert_eq!(side.act(&side.key, "CASE-000002", unfreeze).await.json()["control"], "delivered");
    let key = Key { kind: KeyKind::Customer, value: "C-1".into() };
    let said: Vec<_> = side.world.controls();
    assert!(matches!(&said[0], Control::Freeze(f) if f.key == key && f.case_id == "CASE-000001"));
    assert!(matches!(&said[1], Control::Freeze(f) if f.case_id == "CASE-000002"));
    // Each end names the case and the freeze that it ends: the engine rejects until the last one.
    for (end, case) in [(2, "CASE-000001"), (3, "CASE-000002")] {
        assert!(matches!(&said[end], Control::Unfreeze(f)
            if f.key == key && f.case_id == case && f.frozen_at == Some(start())));
    }
    assert_eq!(said.len(), 4);
}

#[tokio::test]
async fn an_end_of_a_freeze_does_not_end_one_that_was_ordered_since() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    let act = async |act: serde_json::Value| side.act(&side.key, "CASE-000001", act).await;
    let frozen_at = async || {
        let case = side.get("/v1/cases/CASE-000001").await.json();
        case["freezes"].as_array().unwrap().last().unwrap()["frozen_at"].clone()
    };
    act(json!({"action": "freeze", "reason": "mule"})).await;
    let seen = frozen_at().await;
    act(json!({"action": "unfreeze", "reason": "cleared"})).await;
    side.world.pass(Span::minutes(1));
    act(json!({"action": "freeze", "reason": "mule after all"})).await;
    // However it is written, it is the freeze that is in force already.
    let again = json!({"action": "freeze", "key": {"kind": "customer", "value": " C-1 "}, "reason": "mule"});
    act(again).await.is_problem(422);
    // Whoever looked before sees another freeze than the one in force.
    act(json!({"action": "unfreeze", "frozen_at": seen, "reason": "cleared"})).await.is_problem(409);
    let unnamed = act(json!({"action": "unfreeze", "reason": "cleared"})).await;
    unnamed.is_problem(422);
    assert!(unnamed.text().contains("frozen_at"), "{}", unnamed.text());
    let named = act(json!({"action": "unfreeze", "frozen_at": frozen_at().await, "reason": "cleared"})).await;
    assert_eq!(named.json()["control"], "delivered");
}

#[tokio::test]
async fn control_records_wait_for_the_log_in_order() {
    let side = Side::new().await;
    side.say([alert(1, "C-1"), alert(2, "C-2")].map(record)).await;
    side.world.sink_broken.store(true, Ordering::SeqCst);
    for case in ["CASE-000001", "CASE-000002"] {
        let done = side.act(&side.key, case, json!({"action": "freeze", "reason": "mule"})).await;
        assert_eq!(done.status, 200);
        assert_eq!(done.json()["control"], "pending");
    }
    assert!(side.world.controls().is_empty());
    side.world.sink_broken.store(false, Ordering::SeqCst);
    side.api.deliver().await.unwrap();
    side.api.deliver().await.unwrap();
    let said = side.world.controls();
    assert!(matches!(said.as_slice(), [Control::Freeze(a), Control::Freeze(b)]
        if a.case_id == "CASE-000001" && b.case_id == "CASE-000002"));
}

#[tokio::test]
async fn a_release_is_proposed_by_one_and_confirmed_by_another() {
    let side = Side::new().await;
    let (held, hold) = held_alert(1, "C-1");
    let id = held.alert_id;
    side.say([record(held), Record::Hold(hold.clone())]).await;
    let release = json!({"action": "release", "alerts": [id], "reason": "another man"});
    let (analyst, ivan, mlro) = (
        side.key("ann", &[Role::Analyst]),
        side.key("ivan", &[Role::Investigator]),
        side.key("mei", &[Role::Mlro]),
    );
    side.act(&analyst, "CASE-000001", release.clone()).await.is_problem(403);
    assert_eq!(side.act(&ivan, "CASE-000001", release.clone()).await.json()["hold"], "proposed");
    side.act(&ivan, "CASE-000001", release.clone()).await.is_problem(403);
    assert!(side.world.controls().is_empty());
    assert_eq!(side.act(&mlro, "CASE-000001", release.clone()).await.json()["hold"], "cleared");
    assert!(matches!(side.world.controls().as_slice(), [Control::Release(r)]
        if r.payment_id == "P-1" && r.alerts == Some(vec![id])));
    side.act(&mlro, "CASE-000001", release).await.is_problem(422);
    // The engine says that it let the payment go.
    let released =
        HoldRecord { state: HoldOutcome::Released, because: "CASE-000001".into(), alerts: vec![id], ..hold };
    side.say([Record::Hold(released)]).await;
    let hold = &side.get("/v1/holds").await.json()["items"][0];
    assert_eq!(
        (&hold["state"], &hold["proposed_by"], &hold["cleared_by"]),
        (&json!("released"), &json!("ivan"), &json!("mei"))
    );
}

/// A second alert that holds the payment of `held_alert(1, …)`, with its hold.
fn further_hold(n: u32, typology: &str) -> (sluice_model::Alert, HoldRecord) {
    let (_, first) = held_alert(1, "C-1");
    let (mut alert, _) = held_alert(n, "C-1");
    alert.payment_id = "P-1".into();
    alert.typology = typology.into();
    let hold = HoldRecord { because: alert.alert_id.to_string(), ..first };
    (alert, hold)
}

#[tokio::test]
async fn an_order_names_its_own_alerts_and_what_holds_the_payment_besides_is_said() {
    let side = Side::new().await;
    let (first, hold) = held_alert(1, "C-1");
    let (second, other) = further_hold(2, "corridor");
    let ids = [first.alert_id, second.alert_id];
    side.say([record(first), record(second), Record::Hold(hold.clone()), Record::Hold(other)]).await;
    let release = json!({"action": "release", "payment_id": "P-1", "alerts": ids, "reason": "another man"});
    let done = side.act(&side.key, "CASE-000001", release.clone()).await.json();
    assert_eq!((&done["alerts"], &done["still_held_by"]), (&json!([ids[0]]), &json!([ids[1]])));
    let orders = || {
        let named = |control: &Control| match control {
            Control::Release(release) => release.alerts.clone(),
            _ => None,
        };
        side.world.controls().iter().filter_map(named).collect::<Vec<_>>()
    };
    assert_eq!(orders(), [vec![ids[0]]], "what the other case holds is not this case's to let go");
    // The engine lets go the one and says that the other holds it still.
    let answer = |state, alerts: &[_]| HoldRecord {
        state,
        alerts: alerts.to_vec(),
        event_id: String::new(),
        ..hold.clone()
    };
    side.say([Record::Hold(answer(HoldOutcome::Held, &ids[1..]))]).await;
    let state =
        async |case: &str| side.get(&format!("/v1/cases/{case}")).await.json()["holds"][0]["state"].clone();
    assert_eq!((state("CASE-000001").await, state("CASE-000002").await), (json!("released"), json!("held")));
    let case = side.get("/v1/cases/CASE-000001").await.json();
    let told = case["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&told["kind"], &told["body"]["alerts"]), (&json!("still_held"), &json!([ids[1]])));
    let done = side.act(&side.key, "CASE-000002", release).await.json();
    assert_eq!((&done["alerts"], &done["still_held_by"]), (&json!([ids[1]]), &json!(null)));
    side.say([Record::Hold(answer(HoldOutcome::Released, &ids[1..]))]).await;
    assert_eq!(state("CASE-000002").await, "released");
}

#[tokio::test]
async fn a_hold_that_comes_between_page_and_click_stays() {
    let side = Side::new().await;
    let (first, hold) = held_alert(1, "C-1");
    let seen = first.alert_id;
    side.say([record(first), Record::Hold(hold.clone())]).await;
    // Meanwhile a further alert of the same case holds the same payment.
    let (second, other) = further_hold(2, "sanctions");
    let newer = second.alert_id;
    side.say([record(second), Record::Hold(other)]).await;
    let unnamed = json!({"action": "release", "payment_id": "P-1", "reason": "another man"});
    let refused = side.act(&side.key, "CASE-000001", unnamed).await;
    refused.is_problem(422);
    assert!(refused.text().contains("alerts"), "{}", refused.text());
    let stranger = json!({"action": "release", "payment_id": "P-1", "alerts": [alert(9, "C-9").alert_id], "reason": "x"});
    side.act(&side.key, "CASE-000001", stranger).await.is_problem(422);
    assert!(side.world.controls().is_empty());
    let release = json!({"action": "release", "alerts": [seen], "reason": "another man"});
    let done = side.act(&side.key, "CASE-000001", release).await.json();
    assert_eq!((&done["alerts"], &done["still_held_by"]), (&json!([seen]), &json!([newer])));
    assert!(
        matches!(side.world.controls().as_slice(), [Control::Release(r)] if r.alerts == Some(vec![seen]))
    );
    let page = side.get("/cases/CASE-000001?done=release-part").await.text();
    assert!(page.contains("Another alert still holds the payment"));
    assert!(page.contains(&format!("name=\"alerts\" value=\"{newer}\"")), "the page orders what it shows");
    // One that the case side has not even read: the engine answers with what holds the payment, and it is held here.
    let (third, _) = further_hold(3, "sanctions");
    let answer = HoldRecord {
        because: third.alert_id.to_string(),
        event_id: String::new(),
        alerts: vec![newer, third.alert_id],
        ..hold
    };
    side.say([Record::Hold(answer)]).await;
    let holds = side.get("/v1/holds").await.json();
    let states: Vec<_> =
        holds["items"].as_array().unwrap().iter().map(|h| (&h["state"], h["case_id"].is_string())).collect();
    assert_eq!(states, [(&json!("held"), true), (&json!("held"), true), (&json!("released"), true)]);
}

#[tokio::test]
async fn a_confirmation_is_of_what_was_proposed() {
    let side = Side::new().await;
    let (first, hold) = held_alert(1, "C-1");
    let proposed = first.alert_id;
    side.say([record(first), Record::Hold(hold)]).await;
    let (ivan, mei) = (side.key("ivan", &[Role::Investigator]), side.key("mei", &[Role::Mlro]));
    let release = |alerts: &[sluice_model::AlertId]| json!({"action": "release", "alerts": alerts, "reason": "another man"});
    assert_eq!(side.act(&ivan, "CASE-000001", release(&[proposed])).await.json()["hold"], "proposed");
    let (second, other) = further_hold(2, "sanctions");
    let newer = second.alert_id;
    side.say([record(second), Record::Hold(other)]).await;
    let page = side.get("/cases/CASE-000001").await.text();
    assert!(page.contains("P-1: what ivan proposed (1 of 2 alerts)"));
    // The MLRO's page shows both; what she confirms is what the proposer saw.
    let done = side.act(&mei, "CASE-000001", release(&[proposed, newer])).await.json();
    assert_eq!(done["hold"], "cleared");
    assert_eq!((&done["alerts"], &done["still_held_by"]), (&json!([proposed]), &json!([newer])));
    let done = side.act(&mei, "CASE-000001", release(&[proposed, newer])).await.json();
    assert_eq!((&done["alerts"], &done["still_held_by"]), (&json!([newer]), &json!(null)), "by herself");
}

#[tokio::test]
async fn a_refusal_too_binds_a_payment_until_it_is_ended() {
    let side = Side::new().await;
    let (alert, hold) = held_alert(1, "C-1");
    let id = alert.alert_id;
    side.say([record(alert), Record::Hold(HoldRecord { state: HoldOutcome::Rejected, ..hold })]).await;
    let release = json!({"action": "release", "alerts": [id], "reason": "the freeze has ended"});
    assert_eq!(side.act(&side.key, "CASE-000001", release).await.json()["hold"], "cleared");
    assert!(matches!(side.world.controls().as_slice(), [Control::Release(r)] if r.alerts == Some(vec![id])));
}

#[tokio::test]
async fn an_answer_by_deadline_is_a_hold_with_a_case_and_its_correction_is_a_leaf_too() {
    let side = Side::new().await;
    let (mut late, hold) = held_alert(1, "C-1");
    late.rule_id = "ENGINE-DEADLINE".into();
    late.typology = "not_decided".into();
    late.matches.clear();
    let decision = |decision, alerts: &[_], deadline_passed| sluice_model::Decision {
        payment_id: "P-1".into(),
        event_id: "E-1".into(),
        decision,
        alerts: alerts.to_vec(),
        reasons: Vec::new(),
        deadline_passed,
        offset: None,
    };
    let id = late.alert_id;
    let allowed = decision(sluice_model::Outcome::Allow, &[], false);
    let corrected = decision(sluice_model::Outcome::Hold, &[id], true);
    side.say([
        Record::Decision(allowed.clone()),
        record(late),
        Record::Hold(hold),
        // Asked again: the same answer is no correction.
        Record::Decision(allowed),
    ])
    .await;
    side.say([Record::Decision(corrected.clone()), Record::Decision(corrected)]).await;
    let page = side.get("/cases/CASE-000001").await.text();
    assert!(page.contains("Not decided in time") && page.contains("corrected what was answered"), "{page}");
    let audit = side.get("/v1/audit?all=true").await.json();
    let leaves: Vec<_> = audit["items"].as_array().unwrap().iter().filter(|e| e["about"] == "E-1").collect();
    let said: Vec<_> = leaves.iter().map(|e| e["act"].as_str().unwrap()).collect();
    assert_eq!(said, ["hold", "allow"], "both answers are kept, the newest first");
    let bundle = side.get("/v1/cases/CASE-000001/evidence").await.text();
    assert!(bundle.contains("corrects"), "the second says which it corrects");
    // An answer that names no alert, as older versions wrote them, has a case as well.
    let mut bare = decision(sluice_model::Outcome::Hold, &[], true);
    (bare.payment_id, bare.event_id) = ("P-2".into(), "E-2".into());
    side.say([Record::Decision(bare)]).await;
    let hold = side.get("/v1/holds").await.json()["items"][0].clone();
    assert_eq!(
        (&hold["payment_id"], &hold["state"], &hold["case_id"]),
        (&json!("P-2"), &json!("held"), &json!("CASE-000002"))
    );
}

#[tokio::test]
async fn a_case_that_found_nothing_leaves_no_money_behind() {
    let side = Side::new().await;
    let (held, hold) = held_alert(1, "C-1");
    side.say([record(held), Record::Hold(hold)]).await;
    let close = |code: &str| json!({"action": "close", "disposition": code, "discriminator": "born 1961", "reason": "another man"});
    side.act(&side.key, "CASE-000001", close("FP-DOB")).await.is_problem(409);
    side.act(&side.key, "CASE-000001", json!({"action": "release", "reason": "another man"})).await;
    side.act(&side.key, "CASE-000001", json!({"action": "freeze", "reason": "wait"})).await;
    side.act(&side.key, "CASE-000001", close("FP-DOB")).await.is_problem(409);
    side.act(&side.key, "CASE-000001", json!({"action": "unfreeze", "reason": "enough"})).await;
    assert_eq!(side.act(&side.key, "CASE-000001", close("FP-DOB")).await.json()["state"], "CLOSED");

    let (held, hold) = held_alert(2, "C-2");
    side.say([record(held), Record::Hold(hold)]).await;
    assert_eq!(side.act(&side.key, "CASE-000002", close("TFS-MATCH")).await.json()["state"], "CLOSED");
}

#[tokio::test]
async fn a_false_positive_needs_a_discriminator_and_texts_have_limits() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    let close = json!({"action": "close", "disposition": "FP-NAME", "reason": "another man"});
    let refused = side.act(&side.key, "CASE-000001", close).await;
    refused.is_problem(422);
    assert!(refused.text().contains("discriminator"));
    for text in [String::new(), "  ".into(), "x".repeat(4_001)] {
        side.act(&side.key, "CASE-000001", json!({"action": "comment", "text": text})).await.is_problem(422);
    }
    side.act(&side.key, "CASE-000001", json!({"action": "assign", "to": "nobody here"}))
        .await
        .is_problem(422);
    side.act(&side.key, "CASE-000009", json!({"action": "comment", "text": "x"})).await.is_problem(404);
    side.act(&side.key, "CASE-000001", json!({"action": "abolish"})).await.is_problem(422);
    assert_eq!(side.get("/v1/cases/CASE-000001").await.json()["timeline"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_case_is_due_by_its_state_and_sooner_with_a_list_match() {
    let side = Side::new().await;
    let (held, _) = held_alert(1, "C-1");
    side.say([record(alert(2, "C-2")), record(held)]).await;
    let due = async |case: &str| side.get(&format!("/v1/cases/{case}")).await.json()["due_at"].clone();
    let at = |span: Span| json!(start().plus(span).to_string());
    assert_eq!(due("CASE-000001").await, at(Span::hours(24)));
    assert_eq!(due("CASE-000002").await, at(Span::hours(1)));
    side.act(&side.key, "CASE-000001", json!({"action": "escalate", "reason": "odd"})).await;
    assert_eq!(due("CASE-000001").await, at(Span::days(5)));
}

#[tokio::test]
async fn the_bundle_of_a_case_verifies_and_a_changed_store_shows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.db");
    let side = Side::on_file(Arc::new(World::default()), &path).await;
    let (held, hold) = held_alert(1, "C-1");
    side.say([record(alert(7, "C-9")), record(held), Record::Hold(hold)]).await;
    side.act(&side.key, "CASE-000002", json!({"action": "comment", "text": "陳大文 is not Piotr"})).await;
    side.act(&side.key, "CASE-000002", json!({"action": "release", "reason": "another man"})).await;

    let bundle = side.get("/v1/cases/CASE-000002/evidence").await;
    let verifier = side.get("/v1/evidence").await.json()["verifier"].as_str().unwrap().parse().unwrap();
    let report = sluice_evidence::verify(&bundle.bytes, Some(&verifier));
    assert!(report.holds(), "{report:?}");
    for act in ["alert", "hold", "comment", "release"] {
        assert!(bundle.text().contains(&format!("\"id\":\"{act}:")), "{act} is in the bundle");
    }
    let mut broken = bundle.bytes.clone();
    let at = bundle.text().find("Piotr").unwrap();
    broken[at] = b'B';
    assert!(!sluice_evidence::verify(&broken, Some(&verifier)).holds());

    // Whoever can write to the database cannot rewrite what was said.
    let page = async || side.get("/cases/CASE-000002").await.text();
    assert!(page().await.contains("in the evidence log, unchanged"));
    let rewrite =
        "UPDATE leaves SET body = replace(body, 'another man', 'the same man') WHERE act = 'release'";
    crate::support::place::Place::of(&path).execute(rewrite, rewrite).await;
    assert!(page().await.contains("not what the evidence log committed to"));
}
