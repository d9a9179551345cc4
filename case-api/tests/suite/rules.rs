//! The life of a rule set: proposed, checked, tested, approved by another person, in force, taken back.

use crate::support::{Answer, PASSWORD, Side, alert, bundle, large, record};
use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};
use sluice_case_api::domain::{Role, Roles};
use sluice_case_api::{
    limits::{FAILING_KEYS_BEFORE_PROPOSAL, SHADOW_ALERTS_KEPT},
    ports::Record,
};
use sluice_core::{Engine, EngineConfig, NoLists, Stage};
use sluice_model::{
    Action, Control, EventRecord, FailureCause, Hash256, Observation, PaymentEvent, PaymentRecord,
    RuleBundle, RuleFailure, RuleFile,
};
use sluice_rules::in_shadow;
use std::{path::Path, sync::atomic::Ordering};

/// A side with a rule set in force, and the keys of an author and of two who approve.
struct Desk {
    side: Side,
    ivan: String,
    mei: String,
    max: String,
}

impl Desk {
    async fn new() -> Self {
        let side = Side::new().await;
        side.begin_with(&large(8000)).await;
        let (ivan, mei) = (side.key("ivan", &[Role::Investigator]), side.key("mei", &[Role::Mlro]));
        let max = side.key("max", &[Role::Mlro]);
        Self { side, ivan, mei, max }
    }

    async fn propose(&self, key: &str, files: &[RuleFile], why: &str) -> Answer {
        self.side.post(key, "/v1/rules/versions", json!({ "rationale": why, "files": files })).await
    }

    async fn act(&self, key: &str, id: &str, action: &str) -> Answer {
        let act = json!({ "action": action, "reason": "because" });
        self.side.post(key, &format!("/v1/rules/versions/{id}/actions"), act).await
    }

    async fn state(&self, id: &str) -> String {
        let version = self.side.get(&format!("/v1/rules/versions/{id}")).await.json();
        version["state"].as_str().unwrap().to_owned()
    }

    async fn status(&self) -> Value {
        self.side.get("/v1/rules/status").await.json()
    }

    /// See what was ordered into force as far as it goes.
    async fn advance(&self) {
        for _ in 0..3 {
            self.side.api.advance().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_proposal_goes_live_once_another_person_approves_and_comes_back_in_one_act() {
    let desk = Desk::new().await;
    assert_eq!(desk.status().await["in_force"]["version_id"], "RV-000001");
    let proposed = desk.propose(&desk.ivan, &large(5000), "多宗 7,000 元的個案沒有發現").await;
    assert_eq!(proposed.status, 201, "{}", proposed.text());
    let proposed = proposed.json();
    assert_eq!((&proposed["state"], &proposed["author"]), (&json!("CHECKED"), &json!("ivan")));
    assert_eq!((&proposed["report"]["cases"], &proposed["report"]["rules"]), (&json!(2), &json!(1)));
    assert_eq!(proposed["hash"], bundle(&large(5000)).hash().to_string());

    // What it changes, as text and as parameters.
    let detail = desk.side.get("/v1/rules/versions/RV-000002").await.json();
    let parameter =
        json!({"rule": "LARGE", "parameter": "most", "before": "HK$8,000.00", "after": "HK$5,000.00"});
    assert_eq!(detail["changes"]["parameters"], json!([parameter]));
    assert!(
        detail["changes"]["files"][1]["diff"].as_str().unwrap().contains("+parameter most #{ value: 5000")
    );

    // Four eyes: not the author, not somebody who may only write, and not before it is approved.
    desk.act(&desk.mei, "RV-000002", "activate").await.is_problem(409);
    desk.act(&desk.ivan, "RV-000002", "approve").await.is_problem(403);
    let reader = desk.side.key("ann", &[Role::Analyst]);
    desk.act(&reader, "RV-000002", "approve").await.is_problem(403);
    desk.propose(&reader, &large(4000), "x").await.is_problem(403);
    assert_eq!(desk.act(&desk.mei, "RV-000002", "approve").await.json()["state"], "APPROVED");
    assert!(desk.side.world.controls().is_empty(), "approved is not in force");

    // Two control records, the second once the windows are filled; how far the filling is can be read.
    desk.side.world.unfilled.store(7, Ordering::SeqCst);
    assert_eq!(desk.act(&desk.mei, "RV-000002", "activate").await.json()["state"], "PREPARING");
    desk.advance().await;
    assert_eq!(desk.status().await["filling"], json!({"applied": 3, "of": 10}));
    assert_eq!(desk.state("RV-000002").await, "PREPARING");
    assert!(matches!(desk.side.world.controls().as_slice(), [Control::Prepare(_)]));
    desk.side.world.unfilled.store(0, Ordering::SeqCst);
    desk.advance().await;
    let hash = bundle(&large(5000)).hash();
    let controls = desk.side.world.controls();
    assert!(
        matches!(controls.as_slice(), [Control::Prepare(_), Control::Activate { rules }] if *rules == hash)
    );
    assert_eq!(desk.state("RV-000002").await, "ACTIVE");
    assert_eq!(desk.state("RV-000001").await, "RETIRED");
    assert_eq!(desk.side.world.rules.lock().unwrap().hash(), hash);

    // Rolling back is one act, by one who may approve.
    let back = json!({"reason": "it drowns the queue"});
    desk.side.post(&desk.ivan, "/v1/rules/rollback", back.clone()).await.is_problem(403);
    assert_eq!(
        desk.side.post(&desk.mei, "/v1/rules/rollback", back.clone()).await.json()["version_id"],
        "RV-000001"
    );
    desk.advance().await;
    assert_eq!(desk.side.world.rules.lock().unwrap().hash(), bundle(&large(8000)).hash());
    assert_eq!(
        (desk.state("RV-000001").await, desk.state("RV-000002").await),
        ("ACTIVE".into(), "RETIRED".into())
    );
    desk.side.post(&desk.mei, "/v1/rules/rollback", back).await.is_problem(404);

    // Every act is a leaf, and the audit trail shows it.
    let audit = desk.side.get("/v1/audit?limit=100").await.json();
    let acts: Vec<(String, String)> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .filter(|line| line["about"].as_str().unwrap().starts_with("RV-"))
        .map(|line| (line["act"].as_str().unwrap().to_owned(), line["actor"].as_str().unwrap().to_owned()))
        .collect();
    let expected = [
        ("rules_in_force", "folder"),
        ("propose_rules", "ivan"),
        ("approve_rules", "mei"),
        ("activate_rules", "mei"),
        ("rules_in_force", "engine"),
        ("activate_rules", "mei"),
        ("rules_in_force", "engine"),
    ];
    assert_eq!(acts, expected.map(|(act, actor)| (act.to_owned(), actor.to_owned())));
}

#[tokio::test]
async fn nobody_approves_his_own_whatever_his_roles_and_an_author_may_take_his_back() {
    let desk = Desk::new().await;
    desk.propose(&desk.mei, &large(5000), "mine").await;
    desk.act(&desk.mei, "RV-000002", "approve").await.is_problem(403);
    assert_eq!(desk.act(&desk.max, "RV-000002", "approve").await.status, 200);
    desk.propose(&desk.ivan, &large(6000), "mine").await;
    assert_eq!(desk.act(&desk.ivan, "RV-000003", "reject").await.json()["state"], "REJECTED");
    for action in ["approve", "activate", "reject"] {
        desk.act(&desk.max, "RV-000003", action).await.is_problem(409);
    }
}

#[tokio::test]
async fn what_does_not_check_or_fails_a_case_becomes_no_version() {
    let desk = Desk::new().await;
    let mut files = large(5000);
    files[1].text = files[1].text.replace("amount >= most", "amuont >= most");
    let refused = desk.propose(&desk.ivan, &files, "a slip").await;
    refused.is_problem(422);
    let found = refused.json();
    let first = &found["diagnostics"][0];
    assert_eq!((&first["file"], &first["line"]), (&json!("large.rhai"), &json!(7)), "{found}");
    assert!(first["help"].as_str().unwrap().contains("amount"), "{first}");
    let rendered = found["rendered"].as_str().unwrap();
    assert!(rendered.contains("large.rhai:7:11") && rendered.contains("^^^^^^"), "{rendered}");

    // The rule says 5,000, its cases say 8,000.
    let files = vec![large(8000)[0].clone(), large(5000)[1].clone()];
    let refused = desk.propose(&desk.ivan, &files, "cases forgotten").await;
    refused.is_problem(422);
    assert_eq!(refused.json()["cases"][0]["name"], "just below");

    for (files, why) in [
        (json!([]), "nothing"),
        (json!([{"path": "../x.rhai", "text": ""}]), "out of the folder"),
        (json!([{"path": "x.txt", "text": ""}]), "no rule"),
        (json!([{"path": "p.toml", "text": ""}, {"path": "p.toml", "text": " "}]), "twice"),
        (json!(large(8000)), "what is in force"),
    ] {
        let proposal = json!({ "rationale": why, "files": files });
        desk.side.post(&desk.ivan, "/v1/rules/versions", proposal).await.is_problem(422);
    }
    desk.propose(&desk.ivan, &large(5000), " ").await.is_problem(422);
    assert_eq!(desk.side.get("/v1/rules/versions").await.json()["items"].as_array().unwrap().len(), 1);
}

/// A draft that names a rule which does not check.
fn slip() -> Vec<RuleFile> {
    let mut files = large(5000);
    files[1].text = files[1].text.replace("amount >= most", "amuont >= most");
    files
}

#[tokio::test]
async fn a_draft_may_be_wrong_until_its_author_submits_it() {
    let desk = Desk::new().await;
    let save = async |key: &str, files: &[RuleFile]| {
        let body = json!({ "rationale": "still writing", "files": files }).to_string();
        let request = desk.side.request("PUT", "/v1/rules/versions/RV-000002", key);
        let request = request.header("content-type", "application/json").body(body.into()).unwrap();
        desk.side.send(request).await
    };
    let draft = json!({ "rationale": "a first try", "files": slip(), "draft": true });
    let kept = desk.side.post(&desk.ivan, "/v1/rules/versions", draft).await;
    assert_eq!((kept.status.as_u16(), &kept.json()["state"]), (201, &json!("DRAFT")), "{}", kept.text());
    let problems = kept.json()["report"]["problems"].as_str().unwrap().to_owned();
    assert!(problems.contains("large.rhai:7:11") && problems.contains("^^^^^^"), "{problems}");
    assert_eq!(desk.side.get("/v1/rules/versions/RV-000002").await.json()["state"], "DRAFT");

    // Nobody decides on a draft, nobody else writes on it, and it is not submitted as it is.
    for action in ["approve", "shadow", "activate"] {
        desk.act(&desk.mei, "RV-000002", action).await.is_problem(409);
    }
    desk.act(&desk.mei, "RV-000002", "reject").await.is_problem(403);
    save(&desk.mei, &large(5000)).await.is_problem(403);
    let submit = json!({ "action": "submit" });
    let actions = "/v1/rules/versions/RV-000002/actions";
    desk.side.post(&desk.mei, actions, submit.clone()).await.is_problem(403);
    let refused = desk.side.post(&desk.ivan, actions, submit.clone()).await;
    refused.is_problem(422);
    assert_eq!(refused.json()["diagnostics"][0]["line"], 7);
    assert_eq!(desk.state("RV-000002").await, "DRAFT");

    let saved = save(&desk.ivan, &large(5000)).await.json();
    assert_eq!((&saved["report"]["problems"], &saved["report"]["cases"]), (&json!(""), &json!(2)), "{saved}");
    assert_eq!(saved["hash"], bundle(&large(5000)).hash().to_string());
    desk.side.post(&desk.mei, actions, submit.clone()).await.is_problem(403);
    assert_eq!(desk.side.post(&desk.ivan, actions, submit.clone()).await.json()["state"], "CHECKED");
    // From here on nothing changes it.
    save(&desk.ivan, &large(4000)).await.is_problem(409);
    desk.side.post(&desk.ivan, actions, submit.clone()).await.is_problem(409);
    assert_eq!(desk.act(&desk.mei, "RV-000002", "approve").await.json()["state"], "APPROVED");

    // A draft on a set that is no longer in force is saved again first.
    let draft = json!({ "rationale": "later", "files": large(6000), "draft": true });
    assert_eq!(desk.side.post(&desk.ivan, "/v1/rules/versions", draft).await.status, 201);
    desk.side.begin_with(&large(9000)).await;
    desk.side.post(&desk.ivan, "/v1/rules/versions/RV-000003/actions", submit).await.is_problem(409);
    assert_eq!(desk.act(&desk.ivan, "RV-000003", "reject").await.json()["state"], "REJECTED");

    let audit = desk.side.get("/v1/audit?limit=100").await.json();
    let acts = audit["items"].as_array().unwrap().iter().rev();
    let acts: Vec<_> = acts.filter(|line| line["about"] == "RV-000002").map(|line| &line["act"]).collect();
    assert_eq!(acts, ["draft_rules", "draft_rules", "submit_rules", "approve_rules"]);
}

#[tokio::test]
async fn a_version_is_judged_in_shadow_beside_what_is_in_force_before_anybody_approves_it() {
    let desk = Desk::new().await;
    let judged = |live: u32, beside: u32| in_shadow(&bundle(&large(live)), &bundle(&large(beside))).hash();
    let engine = || desk.side.world.rules.lock().unwrap().hash();
    desk.propose(&desk.ivan, &large(5000), "is it too many?").await;
    desk.propose(&desk.ivan, &large(6000), "or this?").await;

    desk.side.world.unfilled.store(7, Ordering::SeqCst);
    assert_eq!(desk.act(&desk.ivan, "RV-000002", "shadow").await.json()["state"], "SHADOWING");
    desk.advance().await;
    desk.act(&desk.mei, "RV-000003", "shadow").await.is_problem(409);
    assert_eq!(engine(), bundle(&large(8000)).hash(), "not before its windows are filled");
    desk.side.world.unfilled.store(0, Ordering::SeqCst);
    desk.advance().await;
    assert_eq!((desk.state("RV-000002").await, engine()), ("SHADOW".into(), judged(8000, 5000)));
    let status = desk.status().await;
    assert_eq!(status["in_force"]["version_id"], "RV-000001", "{status}");
    assert_eq!(status["in_shadow"]["version_id"], "RV-000002");
    assert_eq!(desk.side.world.controls().len(), 2, "a prepare and one activate");

    // One at a time: the next takes its place.
    desk.act(&desk.ivan, "RV-000003", "shadow").await;
    desk.advance().await;
    assert_eq!(engine(), judged(8000, 6000));
    assert_eq!(
        (desk.state("RV-000002").await, desk.state("RV-000003").await),
        ("CHECKED".into(), "SHADOW".into())
    );

    // Approved, it goes on in shadow until it is put in force.
    desk.act(&desk.ivan, "RV-000003", "approve").await.is_problem(403);
    desk.act(&desk.mei, "RV-000003", "approve").await;
    assert_eq!(desk.status().await["in_shadow"]["version_id"], "RV-000003");
    desk.act(&desk.mei, "RV-000003", "activate").await;
    desk.advance().await;
    assert_eq!((desk.state("RV-000003").await, engine()), ("ACTIVE".into(), bundle(&large(6000)).hash()));
    assert_eq!(desk.status().await["in_shadow"], Value::Null);
    // What was written for another set is not judged beside this one.
    desk.act(&desk.ivan, "RV-000002", "shadow").await.is_problem(409);

    // Rejected, it leaves the engine.
    desk.propose(&desk.ivan, &large(7000), "and this?").await;
    desk.act(&desk.ivan, "RV-000004", "shadow").await;
    desk.advance().await;
    assert_eq!(engine(), judged(6000, 7000));
    assert_eq!(desk.act(&desk.mei, "RV-000004", "reject").await.json()["state"], "REJECTED");
    desk.advance().await;
    assert_eq!(engine(), bundle(&large(6000)).hash());
    assert_eq!(desk.status().await["in_force"]["version_id"], "RV-000003");

    // A folder that is saved ends it too.
    desk.propose(&desk.ivan, &large(7000), "once more").await;
    desk.act(&desk.ivan, "RV-000005", "shadow").await;
    desk.advance().await;
    desk.side.begin_with(&large(9000)).await;
    desk.advance().await;
    assert_eq!(
        (desk.state("RV-000005").await, desk.status().await["in_shadow"].clone()),
        ("CHECKED".into(), Value::Null)
    );
}

#[tokio::test]
async fn a_version_is_back_tested_aside_and_what_it_came_to_is_kept_with_it() {
    let desk = Desk::new().await;
    desk.propose(&desk.ivan, &large(6000), "more is seen").await;
    let path = "/v1/rules/versions/RV-000002";
    assert_eq!(desk.side.get(path).await.json()["backtest"], Value::Null);
    let reader = desk.side.key("ann", &[Role::Analyst]);
    desk.side.post(&reader, &format!("{path}/backtest"), json!({})).await.is_problem(403);
    assert_eq!(desk.side.post(&desk.ivan, &format!("{path}/backtest"), json!({})).await.status, 202);
    // It runs in a task of its own, which this one lets run.
    let report = loop {
        let version = desk.side.get(path).await.json();
        if version["backtesting"] == json!(false) {
            break version["backtest"].clone();
        }
        tokio::task::yield_now().await;
    };
    let counts = json!({"active": 2, "candidate": 4, "appears": 2, "disappears": 0, "changes": 2});
    assert_eq!((&report["rules"]["LARGE"], &report["events"]), (&counts, &json!(6)), "{report}");
    assert_eq!((&report["by"], &report["base"]), (&json!("ivan"), &json!("RV-000001")));
    assert_eq!(report["appears"][0]["event_id"], "E-6", "{report}");
    assert_eq!(report["failed"], Value::Null);

    // A draft is not: it need not even check.
    let draft = json!({ "rationale": "a first try", "files": slip(), "draft": true });
    desk.side.post(&desk.ivan, "/v1/rules/versions", draft).await;
    desk.side.post(&desk.ivan, "/v1/rules/versions/RV-000003/backtest", json!({})).await.is_problem(409);
    desk.side.post(&desk.ivan, "/v1/rules/versions/RV-000009/backtest", json!({})).await.is_problem(404);
    let audit = desk.side.get("/v1/audit?limit=100").await.json();
    let acts = audit["items"].as_array().unwrap().iter().rev();
    let acts: Vec<_> = acts.filter(|line| line["about"] == "RV-000002").map(|line| &line["act"]).collect();
    assert_eq!(acts, ["propose_rules", "backtest_rules"]);
}

#[tokio::test]
async fn an_approved_set_that_was_overtaken_is_not_put_in_force() {
    let desk = Desk::new().await;
    for (n, most) in [(2, 5000), (3, 6000)] {
        desk.propose(&desk.ivan, &large(most), "better").await;
        desk.act(&desk.mei, &format!("RV-00000{n}"), "approve").await;
    }
    desk.act(&desk.mei, "RV-000002", "activate").await;
    desk.act(&desk.mei, "RV-000003", "activate").await.is_problem(409);
    desk.advance().await;
    // It would silently take back what came in between.
    desk.act(&desk.mei, "RV-000003", "activate").await.is_problem(409);
    assert_eq!(desk.state("RV-000002").await, "ACTIVE");

    // A folder that is saved while a version is on its way wins, and is told as what it is.
    desk.propose(&desk.ivan, &large(7000), "better still").await;
    desk.act(&desk.mei, "RV-000004", "approve").await;
    desk.act(&desk.mei, "RV-000004", "activate").await;
    desk.side.begin_with(&large(9000)).await;
    desk.advance().await;
    assert_eq!(desk.status().await["in_force"]["origin"], "folder");
    assert_eq!(desk.state("RV-000004").await, "APPROVED");
}

#[tokio::test]
async fn a_proposal_may_name_one_file_remove_one_or_be_the_whole_set() {
    let desk = Desk::new().await;
    let parameters = "[LARGE.most]\nvalue = 9000\nwhy = \"Reviewed.\"\nowner = \"Head\"\n";
    let one = json!({ "rationale": "one file", "files": [{"path": "parameters.toml", "text": parameters}] });
    assert_eq!(desk.side.post(&desk.ivan, "/v1/rules/versions", one).await.status, 201);
    let detail = desk.side.get("/v1/rules/versions/RV-000002").await.json();
    assert_eq!(detail["files"].as_array().unwrap().len(), 3);
    assert_eq!(detail["changes"]["parameters"][0]["parameter"], "most");
    let without = json!({ "rationale": "no cases", "removed": ["large.cases.toml"] });
    let kept = desk.side.post(&desk.ivan, "/v1/rules/versions", without).await.json();
    assert_eq!(kept["report"]["untested"], json!(["LARGE"]));
    let whole = json!({ "rationale": "only", "whole": true, "files": [large(100)[1]] });
    assert_eq!(desk.side.post(&desk.ivan, "/v1/rules/versions", whole).await.status, 201);
}

#[tokio::test]
async fn a_proposal_sent_twice_under_one_key_is_kept_once() {
    let desk = Desk::new().await;
    let body = json!({ "rationale": "once", "files": large(5000) }).to_string();
    let send = async || {
        let request = desk
            .side
            .request("POST", "/v1/rules/versions", &desk.ivan)
            .header("content-type", "application/json")
            .header("idempotency-key", "p-1");
        desk.side.send(request.body(body.clone().into()).unwrap()).await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!((first.status, again.status), (first.status, first.status));
    assert_eq!(first.json(), again.json());
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(desk.side.get("/v1/rules/versions").await.json()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn versions_on_their_way_go_on_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.db");
    let world = {
        let side = Side::on_file(Default::default(), &path).await;
        side.begin_with(&large(8000)).await;
        let (ivan, mei) = (side.key("ivan", &[Role::Investigator]), side.key("mei", &[Role::Mlro]));
        let proposal = json!({ "rationale": "better", "files": large(5000) });
        side.post(&ivan, "/v1/rules/versions", proposal).await;
        let act = |action: &str| json!({ "action": action, "reason": "because" });
        side.post(&mei, "/v1/rules/versions/RV-000002/actions", act("approve")).await;
        // The log cannot be reached: the order is kept.
        side.world.sink_broken.store(true, Ordering::SeqCst);
        assert_eq!(
            side.post(&mei, "/v1/rules/versions/RV-000002/actions", act("activate")).await.status,
            200
        );
        side.world
    };
    world.sink_broken.store(false, Ordering::SeqCst);
    let side = Side::on_file(world, &path).await;
    for _ in 0..3 {
        side.api.deliver().await.unwrap();
        side.api.advance().await.unwrap();
    }
    assert_eq!(side.world.rules.lock().unwrap().hash(), bundle(&large(5000)).hash());
    assert_eq!(side.get("/v1/rules/status").await.json()["in_force"]["version_id"], "RV-000002");
}

#[tokio::test]
async fn a_rule_in_shadow_is_noted_and_alerts_nobody() {
    let side = Side::new().await;
    let noted = |n| Record::Observation(Observation::Shadow(Box::new(alert(n, "C-1"))));
    side.say([noted(1), noted(2), noted(2), record(alert(3, "C-1"))]).await;
    let alerts = side.get("/v1/alerts").await.json();
    assert_eq!(alerts["items"].as_array().unwrap().len(), 1, "{alerts}");
    assert_eq!(side.get("/v1/cases").await.json()["items"].as_array().unwrap().len(), 1);
    let shadow = side.get("/v1/rules/R01/shadow").await.json();
    let items = shadow["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "the same twice is one: {shadow}");
    assert_eq!((&items[0]["event_id"], &items[0]["shadow"]), (&json!("E-2"), &json!(true)));
    let rule = side.get("/v1/rules").await.json()["items"][0].clone();
    assert_eq!((&rule["id"], &rule["counts"]["shadow_alerts"]), (&json!("R01"), &json!(2)), "{rule}");
    assert_eq!(rule["counts"]["alerts"], 1);
}

#[tokio::test]
async fn of_what_was_said_in_shadow_the_newest_is_kept() {
    let side = Side::new().await;
    let kept = u32::try_from(SHADOW_ALERTS_KEPT).unwrap();
    let noted = |n| Record::Observation(Observation::Shadow(Box::new(alert(n, "C-1"))));
    side.say((0..kept + 3).map(noted)).await;
    let rule = side.get("/v1/rules").await.json()["items"][0].clone();
    assert_eq!(rule["counts"]["shadow_alerts"], kept);
    let newest = side.get("/v1/rules/R01/shadow?limit=1").await.json();
    assert_eq!(newest["items"][0]["event_id"], format!("E-{}", kept + 2));
}

/// The content of R01 as the world has it in force.
fn failing() -> Hash256 {
    format!("0123456789ab{:052}", 0).parse().unwrap()
}

/// A failure of R01, by its own fault, on an event and a key of its own.
fn failed(n: u32, on_error: Action) -> RuleFailure {
    let alert = alert(n, "C-1");
    RuleFailure {
        rule_id: "R01".into(),
        rule: failing(),
        event_id: alert.event_id,
        payment_id: alert.payment_id,
        occurred_at: alert.occurred_at,
        on_error,
        reason: "the rule exceeded its limit of operations".into(),
        cause: FailureCause::Rule,
        key: Hash256::of(n.to_be_bytes().as_slice()),
    }
}

fn noted(failure: RuleFailure) -> Record {
    Record::Observation(Observation::Failure(failure))
}

fn failure(n: u32, on_error: Action) -> Record {
    noted(failed(n, on_error))
}

/// As many keys as propose a quarantine.
fn limit() -> u32 {
    u32::try_from(FAILING_KEYS_BEFORE_PROPOSAL).unwrap()
}

async fn counts(side: &Side) -> Value {
    side.get("/v1/rules").await.json()["items"][0]["counts"].clone()
}

async fn alerts(side: &Side) -> Vec<Value> {
    side.get("/v1/alerts").await.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_rule_that_fails_by_its_own_fault_on_many_keys_is_proposed_for_quarantine_and_its_owner_alerted() {
    for (on_error, proposed) in [(Action::Alert, true), (Action::Hold, false)] {
        let side = Side::new().await;
        let failure = |n| failure(n, on_error);
        side.say((1..limit()).map(failure)).await;
        // The same keys again are no others.
        side.say((1..limit()).map(failure)).await;
        assert!(alerts(&side).await.is_empty());
        // Once at the limit; the failures after it add nothing but their count.
        side.say((limit()..3 * limit()).map(failure)).await;
        side.api.deliver().await.unwrap();
        assert_eq!(side.world.controls(), [], "the engine is told nothing");
        let alerts = alerts(&side).await;
        let [told] = alerts.as_slice() else { panic!("{alerts:?}") };
        assert_eq!((&told["subjects"], &told["typology"]), (&json!(["rule:R01"]), &json!("rule_failure")));
        let reason = told["reason"].as_str().unwrap();
        let says = if proposed { "quarantine is proposed" } else { "goes on holding" };
        assert!(reason.contains("Head of monitoring") && reason.contains(says), "{reason}");
        let counts = counts(&side).await;
        assert_eq!(
            (&counts["failures"], &counts["failing_keys"]),
            (&json!(4 * limit() - 2), &json!(limit()))
        );
        assert_eq!(counts["proposed_at"].is_string(), proposed, "{counts}");
        assert_eq!(counts["quarantined_at"], Value::Null);
        let audit = side.get("/v1/audit?limit=10").await.json();
        let acts: Vec<_> = audit["items"].as_array().unwrap().iter().map(|entry| &entry["act"]).collect();
        assert_eq!(acts.contains(&&json!("propose_quarantine")), proposed, "{acts:?}");
    }
}

/// Whoever sends events can make input fail on as many keys as there are; it comes to nothing but a count.
#[tokio::test]
async fn failures_of_the_input_never_propose_anything() {
    let side = Side::new().await;
    let mut state = 7_u64;
    let mut roll = |below: u32| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(state >> 33).unwrap() % below
    };
    let mut own = std::collections::BTreeSet::new();
    // In any mixture with failures of the rule's own, on keys of any kind: only the rule's own count, each key once.
    for n in 0..10 * limit() {
        let key = roll(5 * limit());
        let cause = match roll(100) {
            0..9 if own.len() + 1 < FAILING_KEYS_BEFORE_PROPOSAL as usize => FailureCause::Rule,
            _ => FailureCause::Input,
        };
        if cause == FailureCause::Rule {
            own.insert(key);
        }
        let key = Hash256::of(key.to_be_bytes().as_slice());
        side.say([noted(RuleFailure { cause, key, ..failed(n, Action::Alert) })]).await;
    }
    side.api.deliver().await.unwrap();
    let counts = counts(&side).await;
    assert_eq!((&counts["failures"], &counts["failing_keys"]), (&json!(10 * limit()), &json!(own.len())));
    assert!(!own.is_empty() && counts["proposed_at"].is_null(), "{counts}");
    assert!(side.world.controls().is_empty() && alerts(&side).await.is_empty());
}

#[tokio::test]
async fn a_proposed_quarantine_is_ordered_or_declined_and_lifted_by_who_approves_rules() {
    let desk = Desk::new().await;
    let side = &desk.side;
    let fail = async |from: u32, to: u32| {
        side.say((from..to).map(|n| failure(n, Action::Alert))).await;
        side.api.deliver().await.unwrap();
    };
    let act = async |key: &str, act: &str, version: &str, reason: &str| {
        let now = counts(side).await;
        let seen = [&now["quarantined_at"], &now["proposed_at"]].into_iter().find(|at| at.is_string());
        let since = seen.cloned().unwrap_or_else(|| json!("2026-01-01T00:00:00Z"));
        let body = json!({ "version": version, "since": since, "reason": reason });
        side.post(key, &format!("/v1/rules/R01/quarantine{act}"), body).await
    };
    let version = failing().short();
    let acted = |control: Value| match control {
        Value::Null => json!({ "rule_id": "R01", "version": version }),
        control => json!({ "rule_id": "R01", "version": version, "control": control }),
    };
    for what in ["", "/decline", "/lift"] {
        act(&desk.mei, what, &version, "too early").await.is_problem(409);
    }
    fail(0, limit() + 3).await;
    for what in ["", "/decline"] {
        act(&desk.ivan, what, &version, "he proposes, and approves nothing").await.is_problem(403);
        act(&desk.mei, what, &version, "  ").await.is_problem(422);
        act(&desk.mei, what, "ba9876543210", "another version").await.is_problem(409);
    }
    assert!(!side.world.is_quarantined("R01"), "nobody has ordered it");

    // Declined: the engine is told nothing, and it takes as many further keys to propose it again.
    let declined = act(&desk.mei, "/decline", &version, "one corridor, looked at").await;
    assert_eq!((declined.status.as_u16(), declined.json()), (200, acted(Value::Null)));
    act(&desk.mei, "", &version, "declined already").await.is_problem(409);
    fail(0, limit()).await;
    fail(limit(), 2 * limit() - 1).await;
    assert_eq!((counts(side).await["proposed_at"].is_null(), alerts(side).await.len()), (true, 1));
    fail(2 * limit() - 1, 2 * limit()).await;
    assert_eq!((counts(side).await["proposed_at"].is_null(), alerts(side).await.len()), (false, 2));
    assert_eq!(counts(side).await["proposed_version"], json!(version));
    assert!(side.world.controls().is_empty());

    // Ordered, then lifted: it is proposed again after as many keys, the old ones too; any number of times.
    for round in 3..5 {
        let ordered = act(&desk.mei, "", &version, "its text does not fit").await;
        assert_eq!((ordered.status.as_u16(), ordered.json()), (200, acted(json!("delivered"))));
        assert!(side.world.is_quarantined("R01"));
        let now = counts(side).await;
        assert!(now["quarantined_at"].is_string() && now["proposed_at"].is_null(), "{now}");
        fail(3 * limit(), 5 * limit()).await;
        assert_eq!(alerts(side).await.len(), round - 1, "what is in quarantine is not proposed");
        act(&desk.mei, "", &version, "twice").await.is_problem(409);
        // Who looked at another quarantine than the one in force ends nothing.
        let earlier = json!({ "version": version, "since": "2026-01-01T00:00:00Z", "reason": "an old page" });
        side.post(&desk.mei, "/v1/rules/R01/quarantine/lift", earlier).await.is_problem(409);
        assert!(side.world.is_quarantined("R01"));
        act(&desk.ivan, "/lift", &version, "not his to lift").await.is_problem(403);
        act(&desk.mei, "/lift", "ba9876543210", "another version").await.is_problem(409);
        let lifted = act(&desk.mei, "/lift", &version, "匯率已補上").await;
        assert_eq!((lifted.status.as_u16(), lifted.json()), (200, acted(json!("delivered"))));
        assert!(!side.world.is_quarantined("R01"));
        act(&desk.mei, "/lift", &version, "twice").await.is_problem(409);
        let now = counts(side).await;
        assert_eq!((&now["quarantined_at"], &now["failing_keys"]), (&Value::Null, &json!(0)));
        fail(0, limit() - 1).await;
        assert_eq!(alerts(side).await.len(), round - 1);
        // An event fails once: the last is a new one.
        let last = 1_000 * u32::try_from(round).unwrap();
        fail(last, last + 1).await;
        assert_eq!(alerts(side).await.len(), round);
    }
    let audit = side.get("/v1/audit?limit=100").await.json();
    let by = |act: &str| -> Vec<(String, String)> {
        let of = audit["items"].as_array().unwrap().iter().filter(|entry| entry["act"] == act);
        of.map(|entry| (entry["actor"].as_str().unwrap().into(), entry["about"].as_str().unwrap().into()))
            .collect()
    };
    let mei = || ("mei".to_owned(), "R01".to_owned());
    assert_eq!(by("propose_quarantine"), vec![("engine".to_owned(), "R01".to_owned()); 4]);
    assert_eq!(by("decline_quarantine"), [mei()]);
    assert_eq!((by("quarantine_rule"), by("lift_quarantine")), (vec![mei(); 2], vec![mei(); 2]));
}

#[tokio::test]
async fn the_rules_page_orders_declines_and_lifts_a_quarantine_for_who_may() {
    let side = Side::new().await;
    let fail = async |from: u32, to: u32| {
        side.say((from..to).map(|n| failure(n, Action::Alert))).await;
        side.api.deliver().await.unwrap();
    };
    fail(0, limit()).await;
    for (user, role, may) in [("ivan", Role::Investigator, false), ("mei", Role::Mlro, true)] {
        side.api.put_user(user, PASSWORD, Roles::new([role]), "root").await.unwrap();
        let body = json!({ "user": user, "password": PASSWORD });
        let sign_in = Request::post("/v1/sessions").header(header::CONTENT_TYPE, "application/json");
        let session = side.send(sign_in.body(Body::from(body.to_string())).unwrap()).await;
        let cookie = session.header("set-cookie").split(';').next().unwrap().to_owned();
        let csrf = session.json()["csrf_token"].as_str().unwrap().to_owned();
        let page = async |path: &str| {
            let request = Request::get(path).header(header::COOKIE, &cookie);
            side.send(request.body(Body::empty()).unwrap()).await.text()
        };
        let has = async |ids: [&str; 3]| {
            let page = page("/rules/R01").await;
            ids.map(|id| page.contains(&format!("id=\"{id}\"")))
        };
        let act = async |act: &str, reason: &str| {
            let shown = page("/rules/R01").await;
            let since =
                shown.split_once(r#"name="since" value=""#).map(|(_, rest)| rest.split('"').next().unwrap());
            let since = since.unwrap_or("2026-01-01T00:00:00Z");
            let form = format!(
                "csrf={csrf}&once={reason}&version={}&since={since}&reason={reason}",
                failing().short()
            );
            let request = Request::post(format!("/rules/R01/quarantine{act}"))
                .header(header::COOKIE, &cookie)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            side.send(request.body(Body::from(form)).unwrap()).await
        };
        assert!(page("/rules").await.contains("quarantine proposed"));
        assert_eq!(has(["proposed", "quarantine", "decline"]).await, [true, may, may]);
        if !may {
            assert_eq!(act("", "mine").await.status, 403);
            assert_eq!(act("/decline", "mine").await.status, 403);
            continue;
        }
        let refused = act("/decline", "").await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(refused.text().contains("Not done: a text is empty"), "{}", refused.text());
        assert_eq!(act("/decline", "looked").await.status, 303);
        assert_eq!(has(["proposed", "quarantine", "quarantined"]).await, [false; 3]);
        fail(limit(), 2 * limit()).await;
        let done = act("", "broken").await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/rules/R01"));
        // The same form sent twice is one act.
        assert_eq!(act("", "broken").await.status, 303);
        assert_eq!(has(["proposed", "quarantined", "lift"]).await, [false, true, true]);
        assert_eq!(act("/lift", "mended").await.status, 303);
        assert_eq!(has(["proposed", "quarantined", "lift"]).await, [false; 3]);
    }
}

/// The shipped rules, and 130 payments of 1.00 of one payer in a currency that has no rate on their day.
fn attack() -> sluice_core::Output {
    fn collect(root: &Path, folder: &Path, files: &mut Vec<RuleFile>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.push(RuleFile { path: name, text: std::fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let (root, mut files) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs"), Vec::new());
    collect(&root, &root, &mut files);
    let rules = RuleBundle::new(files);
    let activate = Control::Activate { rules: rules.hash() };
    let mut engine = Engine::new(EngineConfig::default(), std::sync::Arc::new(NoLists));
    let mut output = sluice_core::Output::default();
    for control in [Control::Prepare(rules), activate] {
        engine.apply(0, &PaymentRecord::Control(control), &mut output);
    }
    for n in 0..130 {
        let event: PaymentEvent = serde_json::from_value(json!({
            "event_id": format!("X{n}"), "type": "payment", "status": "completed",
            "occurred_at": format!("2023-11-20T{:02}:{:02}:00Z", 8 + n / 60, n % 60),
            "amount": { "value": "1.00", "currency": "EGP" },
            "debtor": { "customer_id": "MALLORY", "account": "012-345-678", "name": "Mallory" },
            "creditor": { "customer_id": format!("V{n}"), "account": format!("024-{n}"), "name": format!("Victor {n}") },
        }))
        .unwrap();
        let (received_at, event) = (event.occurred_at, event.into());
        let record = EventRecord { received_at, awaited: false, late_reason: None, event };
        engine.apply(0, &PaymentRecord::Event(record), &mut output);
    }
    output
}

#[tokio::test]
async fn payments_in_a_currency_without_a_rate_propose_no_quarantine() {
    let output = attack();
    let failed: std::collections::BTreeSet<&str> = output
        .observations
        .iter()
        .map(|observed| match observed {
            Observation::Failure(failure) => failure.rule_id.as_str(),
            Observation::Shadow(_) => panic!("nothing is in shadow"),
        })
        .collect();
    assert!(failed.len() >= 25 && output.observations.len() > 130 * 25, "{failed:?}");
    let side = Side::new().await;
    side.say(output.observations.into_iter().map(Record::Observation)).await;
    side.api.deliver().await.unwrap();
    assert!(side.world.controls().is_empty() && alerts(&side).await.is_empty());
    let audit = side.get("/v1/audit?limit=1000").await.json();
    let about = |entry: &&Value| entry["act"].as_str().is_some_and(|act| act.contains("quarantine"));
    assert_eq!(audit["items"].as_array().unwrap().iter().find(about), None);
}
