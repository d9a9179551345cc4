//! What officers are asked beside cases: configurations that are less, dead letters, invented people.

use crate::support::{Answer, PASSWORD, Side, list};
use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::{Value, json};
use sluice_case_api::domain::{Role, Roles};
use sluice_model::{Control, Hash256, Screening};

fn lesser() -> Control {
    Control::Screening(Screening::default())
}

fn lost() -> Vec<String> {
    vec!["the list house is gone".to_owned()]
}

async fn acts(side: &Side) -> Vec<String> {
    let audit = side.get("/v1/audit?limit=1000").await.json();
    let acts =
        audit["items"].as_array().unwrap().iter().map(|entry| entry["act"].as_str().unwrap().to_owned());
    acts.collect()
}

#[tokio::test]
async fn less_takes_two_persons_and_leaves_a_leaf_each() {
    let side = Side::new().await;
    let (ann, ivan, mei) = (
        side.key("ann", &[Role::Analyst]),
        side.key("ivan", &[Role::Investigator]),
        side.key("mei", &[Role::Mlro]),
    );
    let act = async |key: &str, action: &str| {
        let body = json!({"action": action, "reason": "the publisher ended it"});
        side.post(key, "/v1/configuration/CFG-000001/actions", body).await
    };
    act(&ivan, "propose").await.is_problem(404);
    for _ in 0..3 {
        side.api.configuration_is_less("screening", &lost(), Some(&lesser())).await.unwrap();
    }
    let found = side.get("/v1/configuration").await.json();
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "found once");
    assert_eq!((&found["items"][0]["state"], &found["items"][0]["lost"]), (&json!("found"), &json!(lost())));
    act(&ann, "propose").await.is_problem(403);
    act(&mei, "approve").await.is_problem(409);
    assert_eq!(act(&mei, "propose").await.json()["state"], "proposed");
    act(&mei, "approve").await.is_problem(403);
    assert_eq!(act(&mei, "reject").await.json()["state"], "found");
    assert_eq!(act(&ivan, "propose").await.json()["state"], "proposed");
    act(&ivan, "approve").await.is_problem(403);
    assert!(side.world.controls().is_empty(), "nothing became less yet");
    assert_eq!(act(&mei, "approve").await.json()["state"], "approved");
    assert!(matches!(side.world.controls().as_slice(), [Control::Screening(_)]));
    act(&mei, "approve").await.is_problem(409);
    let said = acts(&side).await;
    let expected = ["approve", "propose", "reject", "propose"].map(|act| format!("{act}_configuration"));
    assert_eq!(said[..4], expected);
    assert_eq!(said[4], "configuration_less");
}

#[tokio::test]
async fn what_is_back_needs_nobody_and_what_cannot_be_read_cannot_be_approved() {
    let side = Side::new().await;
    side.api.configuration_is_less("screening", &lost(), Some(&lesser())).await.unwrap();
    side.api.configuration_is_whole("rules").await.unwrap();
    side.api.configuration_is_whole("screening").await.unwrap();
    side.api.configuration_is_whole("screening").await.unwrap();
    assert_eq!(side.get("/v1/configuration").await.json()["items"][0]["state"], "ended");
    assert_eq!(acts(&side).await, ["configuration_whole", "configuration_less"]);
    let propose = json!({"action": "propose", "reason": "x"});
    side.post(&side.key, "/v1/configuration/CFG-000001/actions", propose.clone()).await.is_problem(409);
    side.api.configuration_is_less("screening", &["the folder is gone".to_owned()], None).await.unwrap();
    side.post(&side.key, "/v1/configuration/CFG-000002/actions", propose).await.is_problem(409);
    let page = side.get("/lists").await.text();
    assert!(
        page.contains("Less is configured than is in force") && page.contains("mend the folder"),
        "{page}"
    );
}

#[tokio::test]
async fn a_list_version_that_comes_into_force_is_a_leaf() {
    let side = Side::new().await;
    side.world.lists.lock().unwrap().push(list());
    assert_eq!(side.api.record_lists().await.unwrap(), 1);
    assert_eq!(side.api.record_lists().await.unwrap(), 0, "once");
    side.world.lists.lock().unwrap()[0].version = Hash256::of(b"house, the next").to_string();
    side.world.lists.lock().unwrap()[0].fetched = true;
    assert_eq!(side.api.record_lists().await.unwrap(), 1);
    side.world.lists.lock().unwrap().clear();
    assert_eq!(side.api.record_lists().await.unwrap(), 1, "its end too");
    assert_eq!(acts(&side).await, ["list_ended", "list_version", "list_version"]);
    let audit = side.get("/v1/audit").await.json();
    let by: Vec<_> =
        audit["items"].as_array().unwrap().iter().map(|e| e["actor"].as_str().unwrap()).collect();
    assert_eq!(by, ["engine", "fetcher", "folder"]);
}

async fn sign_in(side: &Side, user: &str) -> Answer {
    let body = json!({"user": user, "password": PASSWORD}).to_string();
    let request = Request::post("/v1/sessions").header(header::CONTENT_TYPE, "application/json");
    side.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn invented_people_sign_in_to_a_demonstration_only() {
    let side = Side::new().await;
    for name in ["ada", "real"] {
        side.api.put_user(name, PASSWORD, Roles::new([Role::Mlro]), "test").await.unwrap();
    }
    assert_eq!(side.api.disable_demo_people().await.unwrap(), 0);
    side.api.mark_demo_people(&["ada"]).await.unwrap();
    let signed_in = sign_in(&side, "ada").await;
    assert_eq!(signed_in.status, 201);
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    // The next start is no demonstration.
    assert_eq!(side.api.disable_demo_people().await.unwrap(), 1);
    sign_in(&side, "ada").await.is_problem(401);
    let old = Request::get("/v1/alerts").header(header::COOKIE, &cookie).body(Body::empty()).unwrap();
    side.send(old).await.is_problem(401);
    assert_eq!(sign_in(&side, "real").await.status, 201);
    assert!(acts(&side).await.contains(&"disable_demo_user".to_owned()));
}

fn letter(id: u32, original: &str) -> Value {
    json!({"id": id.to_string(), "received_at": crate::support::start(), "source": "http", "code": "malformed",
           "reason": "line 1, column 2: not JSON", "original": original})
}

#[tokio::test]
async fn dead_letters_are_read_mended_and_sent_again_by_those_who_may() {
    let side = Side::new().await;
    *side.world.letters.lock().unwrap() = vec![letter(0, "{CHAN Tai Man"), letter(1, "good")];
    for (role, may) in
        Role::ALL.map(|role| (role, [Role::Investigator, Role::Mlro, Role::Service].contains(&role)))
    {
        let key = side.key("k", &[role]);
        let send = side.post(&key, "/v1/dead-letters/1/resubmit", json!({"reason": "x"})).await;
        for path in ["/v1/dead-letters", "/dead-letters", "/dead-letters/0"] {
            let read = side.send(side.request("GET", path, &key).body(Body::empty()).unwrap()).await;
            assert_eq!(read.status, if may { 200 } else { 403 }, "{role:?} {path}");
            assert!(may || !read.text().contains("CHAN"), "personal data is for those who may");
        }
        assert_eq!(send.status, if may { 202 } else { 403 }, "{role:?}");
    }
    let before = acts(&side).await;
    let send = async |id: u32, body: Value| {
        side.post(&side.key, &format!("/v1/dead-letters/{id}/resubmit"), body).await.status.as_u16()
    };
    assert_eq!(send(0, json!({"reason": "as it is"})).await, 422);
    assert_eq!(send(0, json!({"reason": "the comma was missing", "event": "good"})).await, 202);
    assert_eq!(send(9, json!({"reason": "x"})).await, 404);
    let after = acts(&side).await;
    assert_eq!(after[..after.len() - before.len()], ["resubmit_dead_letter", "resubmit_refused"]);
    let page = side.get("/dead-letters/0").await.text();
    assert!(
        page.contains("{CHAN Tai Man") && page.contains("Sent again by <b>tests</b>"),
        "the original is kept"
    );
    assert!(!side.get("/v1/audit").await.text().contains("CHAN"));
}

#[tokio::test]
async fn a_letter_is_mended_on_its_page() {
    let side = Side::new().await;
    *side.world.letters.lock().unwrap() = vec![letter(0, "bad\nlines")];
    side.api.put_user("ivan", PASSWORD, Roles::new([Role::Investigator]), "test").await.unwrap();
    let signed_in = sign_in(&side, "ivan").await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let csrf = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    let send = async |csrf: &str, event: &str| {
        let form = format!("csrf={csrf}&reason=mended&event={event}");
        let request = Request::post("/dead-letters/0")
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        side.send(request.body(Body::from(form)).unwrap()).await
    };
    assert_eq!(send("forged", "good").await.status, 403);
    // Unchanged but for the line ends that a browser sends: the original goes, and is refused as before.
    let refused = send(&csrf, "bad%0D%0Alines").await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("it still cannot be read"));
    let sent = send(&csrf, "good").await;
    assert_eq!((sent.status.as_u16(), sent.header("location")), (303, "/dead-letters/0?sent=1"));
    assert_eq!(acts(&side).await[..2], ["resubmit_dead_letter", "resubmit_refused"]);
}
