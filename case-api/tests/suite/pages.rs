//! The console's main pages as they are rendered, in golden files: with long and Chinese names, and empty.

use crate::support::{PASSWORD, Side, alert, event, held_alert, large, list, record};
use axum::{body::Body, http::Request};
use serde_json::json;
use sluice_case_api::{
    domain::{Role, Roles},
    limits::SUBJECTS_NAMED,
    ports::Record,
};
use sluice_model::{FailureCause, PaymentEvent};

/// A name as long as they come.
const LONG: &str = "Krung Thep Mahanakhon Amon Rattanakosin Mahinthara Ayutthaya Mahadilok Phop Noppharat \
                    Ratchathani Burirom Trading and Shipping (Hong Kong) Company Limited";

/// A page without what differs from one run, or one release, to the next.
fn steady(page: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut page = page.replace(&format!("-{version}."), "-VERSION.");
    for (before, after) in [("name=\"once\" value=\"", "\""), ("root <span class=\"mono\">", "<")] {
        let mut parts = page.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        page = parts.fold(first, |page, part| {
            let at = part.find(after).unwrap();
            format!("{page}{before}…{}", &part[at..])
        });
    }
    page.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn is_golden(name: &str, page: &str) {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(format!("page_{name}"), steady(page));
    });
}

/// What a page says between its navigation and its end.
async fn main_of(side: &Side, key: &str, path: &str) -> String {
    let answer = side.send(side.request("GET", path, key).body(Body::empty()).unwrap()).await;
    let page = answer.text();
    assert_eq!(answer.status, 200, "{page}");
    let main = page.split_once("<main").unwrap().1.rsplit_once("</main>").unwrap().0;
    format!("<main{main}</main>")
}

/// The event behind an alert, to a creditor with the longest of names.
fn long_named(alert: &sluice_model::Alert) -> PaymentEvent {
    let mut event = event(alert);
    event.creditor.as_mut().unwrap().name = Some(LONG.to_owned());
    event
}

/// An alert of a rule that failed; and a payment held for a list match.
async fn busy() -> Side {
    let side = Side::new().await;
    side.world.lists.lock().unwrap().push(list());
    let (held, hold) = held_alert(2, "C-1001");
    let mut failed = alert(3, "C-1001");
    failed.failed_by = Some(FailureCause::Input);
    failed.reason = "Just below could not be judged: no rate for USD on the day of the event".into();
    failed.windows.clear();
    let behind = |alert: &sluice_model::Alert| Some(long_named(alert).into());
    let records = [
        Record::Alert(Box::new(failed.clone()), behind(&failed)),
        Record::Alert(Box::new(held.clone()), behind(&held)),
        Record::Hold(hold),
    ];
    side.say(records).await;
    side
}

#[tokio::test]
async fn the_lists_of_alerts_cases_and_holds() {
    let side = busy().await;
    let whole = side.get("/alerts").await.text();
    is_golden("alerts", &whole);
    for page in ["cases", "holds"] {
        is_golden(page, &main_of(&side, &side.key, &format!("/{page}")).await);
    }
    let empty = Side::new().await;
    is_golden("alerts_empty", &empty.get("/alerts").await.text());
    for page in ["cases", "holds", "suppressions"] {
        is_golden(&format!("{page}_empty"), &main_of(&empty, &empty.key, &format!("/{page}")).await);
    }
}

#[tokio::test]
async fn a_case_as_an_mlro_and_as_an_auditor_see_it() {
    let side = busy().await;
    let mlro = side.key("mei", &[Role::Mlro]);
    let freeze =
        json!({"action": "freeze", "key": {"kind": "customer", "value": "C-1001"}, "reason": "資金來源不明"});
    assert_eq!(side.act(&mlro, "CASE-000002", freeze).await.status, 200);
    is_golden("case", &main_of(&side, &mlro, "/cases/CASE-000002").await);
    let auditor = side.key("aud", &[Role::Auditor]);
    is_golden("case_of_a_failed_rule", &main_of(&side, &auditor, "/cases/CASE-000001").await);
}

#[tokio::test]
async fn a_case_of_many_subjects_takes_one_row_and_its_page_names_all() {
    let side = Side::new().await;
    let mut of_many = alert(1, "C-1");
    of_many.subjects = (1..=SUBJECTS_NAMED + 2).map(|n| format!("C-{n}")).collect();
    let (named, last) =
        (of_many.subjects[SUBJECTS_NAMED - 1].clone(), of_many.subjects.last().unwrap().clone());
    side.say([record(of_many)]).await;
    let list = main_of(&side, &side.key, "/cases").await;
    assert!(list.contains(&named) && list.contains("and 2 more") && !list.contains(&last), "{list}");
    let page = main_of(&side, &side.key, "/cases/CASE-000001").await;
    assert!(page.contains("and 2 more") && page.contains(&format!("subject={last}")), "{page}");
}

#[tokio::test]
async fn a_version_of_the_rules() {
    let side = Side::new().await;
    side.begin_with(&large(8000)).await;
    let (author, mlro) = (side.key("ivan", &[Role::Investigator]), side.key("mei", &[Role::Mlro]));
    let proposal = json!({"rationale": "多宗 7,000 元的個案沒有發現", "files": large(5000)});
    assert_eq!(side.post(&author, "/v1/rules/versions", proposal).await.status, 201);
    is_golden("rule_version", &main_of(&side, &mlro, "/rules/versions/RV-000002").await);
}

#[tokio::test]
async fn suppressions() {
    let side = busy().await;
    let analyst = side.key("ana", &[Role::Analyst]);
    let wanted = json!({
        "case_id": "CASE-000002", "party": {"kind": "account", "value": "012-345-678901"}, "list": "house",
        "entry_id": "H-17", "disposition": "FP-DOB", "reason": "born 1990, the listed man 1951", "days": 30,
    });
    assert_eq!(side.post(&analyst, "/v1/suppressions", wanted).await.status, 201);
    let mlro = side.key("mei", &[Role::Mlro]);
    is_golden("suppressions", &main_of(&side, &mlro, "/suppressions").await);
}

#[tokio::test]
async fn signing_in() {
    let side = Side::new().await;
    side.api.put_user("ann", PASSWORD, Roles::new([Role::Analyst]), "tests").await.unwrap();
    let request = Request::get("/signin").body(Body::empty()).unwrap();
    is_golden("sign_in", &side.send(request).await.text());
    let form = Request::post("/signin").header("content-type", "application/x-www-form-urlencoded");
    let refused = side.send(form.body(Body::from("user=ann&password=wrong")).unwrap()).await;
    assert_eq!(refused.status, 401);
    is_golden("sign_in_refused", &refused.text());
}
