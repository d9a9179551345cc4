//! The HTTP contract: who may ask, how refusals look, pages of lists, answers given twice.

use crate::support::{Answer, PASSWORD, Side, alert, record};
use axum::{
    body::Body,
    http::{Request, header},
};
use serde_json::json;
use sluice_case_api::domain::{Role, Roles};
use sluice_model::Span;

async fn bare(side: &Side, method: &str, path: &str) -> Answer {
    side.send(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn nobody_reads_or_writes_without_a_key() {
    let side = Side::new().await;
    for path in [
        "alerts",
        "cases",
        "cases/CASE-000001",
        "cases/CASE-000001/evidence",
        "holds",
        "lists",
        "rules",
        "rules/status",
        "rules/versions",
        "rules/versions/RV-000001",
        "customers",
        "audit",
        "evidence",
    ] {
        bare(&side, "GET", &format!("/v1/{path}")).await.is_problem(401);
    }
    for path in [
        "events",
        "screenings",
        "cases/CASE-000001/actions",
        "rules/versions",
        "rules/versions/RV-000001/actions",
        "rules/rollback",
        "rules/R01/quarantine",
        "rules/R01/quarantine/decline",
        "rules/R01/quarantine/lift",
    ] {
        bare(&side, "POST", &format!("/v1/{path}")).await.is_problem(401);
    }
    for bad in ["", "slk_", "slk_00_11", "nonsense"] {
        side.send(side.request("GET", "/healthz", bad).body(Body::empty()).unwrap()).await.is_problem(401);
    }
    for path in [
        "/",
        "/alerts",
        "/cases",
        "/cases/CASE-000001",
        "/holds",
        "/rules",
        "/rules/propose",
        "/lists",
        "/audit",
    ] {
        let answer = bare(&side, "GET", path).await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/signin"), "{path}");
    }
    for path in ["/healthz", "/readyz", "/metrics", "/openapi.json", "/signin"] {
        assert_eq!(bare(&side, "GET", path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn roles_bound_what_keys_may_do() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    let service = side.key("psp", &[Role::Service]);
    let auditor = side.key("aud", &[Role::Auditor]);
    let send = async |method: &str, path: &str, key: &str| {
        side.send(side.request(method, path, key).body(Body::empty()).unwrap()).await
    };
    assert_eq!(send("POST", "/v1/events", &service).await.status, 202);
    send("POST", "/v1/events", &auditor).await.is_problem(403);
    send("GET", "/v1/audit", &service).await.is_problem(403);
    assert_eq!(send("GET", "/v1/audit", &auditor).await.status, 200);
    for key in [&service, &auditor] {
        assert_eq!(send("GET", "/v1/alerts", key).await.status, 200);
        side.act(key, "CASE-000001", json!({"action": "comment", "text": "x"})).await.is_problem(403);
    }
}

#[tokio::test]
async fn a_stored_key_works_until_it_is_revoked_and_is_not_stored_in_clear() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.db");
    let side = Side::on_file(Default::default(), &path).await;
    let key = side.api.add_key("psp", Roles::new([Role::Service]), "root").await.unwrap();
    let read = async || side.send(side.request("GET", "/v1/alerts", &key).body(Body::empty()).unwrap()).await;
    assert_eq!(read().await.status, 200);
    let id = key.split('_').nth(1).unwrap();
    assert!(side.api.revoke_key(id, "root").await.unwrap());
    read().await.is_problem(401);
    // It may hold the sign that parts it from the id.
    let secret = key.splitn(3, '_').nth(2).unwrap().as_bytes();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|w| w == secret));
    }
}

#[tokio::test]
async fn refusals_are_problem_details() {
    let side = Side::new().await;
    side.get("/v1/nothing").await.is_problem(404);
    side.get("/v1/alerts/00").await.is_problem(404);
    side.get("/v1/cases/x").await.is_problem(404);
    side.get("/v1/cases/x/evidence").await.is_problem(404);
    side.get("/v1/alerts?cursor=x").await.is_problem(400);
    side.get("/v1/alerts?limit=x").await.is_problem(400);
    for (method, path) in [("DELETE", "/v1/alerts"), ("GET", "/v1/events"), ("PUT", "/v1/cases/x/actions")] {
        side.send(side.request(method, path, &side.key).body(Body::empty()).unwrap()).await.is_problem(405);
    }
    let post = |kind: &str, body: &'static str| {
        let request = side.request("POST", "/v1/screenings", &side.key).header(header::CONTENT_TYPE, kind);
        side.send(request.body(Body::from(body)).unwrap())
    };
    post("application/json", "{").await.is_problem(400);
    post("application/json", r#"{"nom":"x"}"#).await.is_problem(422);
    post("application/json", r#"{"name":" "}"#).await.is_problem(422);
    post("text/plain", r#"{"name":"x"}"#).await.is_problem(415);
    let large =
        side.request("POST", "/v1/screenings", &side.key).header(header::CONTENT_TYPE, "application/json");
    side.send(large.body(Body::from(vec![b' '; 8 * 1024 * 1024 + 1])).unwrap()).await.is_problem(413);
}

#[tokio::test]
async fn a_refusal_says_in_a_word_what_it_is() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    for (method, path, code) in [
        ("GET", "/v1/nothing", "not_found"),
        ("GET", "/v1/cases/x", "not_found"),
        ("GET", "/v1/alerts?cursor=x", "bad_request"),
        ("DELETE", "/v1/alerts", "method_not_allowed"),
        ("POST", "/v1/screenings", "unsupported"),
    ] {
        let request = side.request(method, path, &side.key).body(Body::empty()).unwrap();
        assert_eq!(side.send(request).await.json()["code"], code, "{method} {path}");
    }
    assert_eq!(bare(&side, "GET", "/v1/alerts").await.json()["code"], "not_signed_in");
    let (reader, analyst) = (side.key("aud", &[Role::Auditor]), side.key("ann", &[Role::Analyst]));
    for (key, text, code) in [
        (&reader, "x", "not_allowed"),
        (&analyst, " ", "bad_text"),
        (&"sk_x_y".to_owned(), "x", "unknown_key"),
    ] {
        let said = side.act(key, "CASE-000001", json!({"action": "comment", "text": text})).await;
        assert_eq!(said.json()["code"], code);
    }
}

/// Whoever misspells a filter must not take the whole list for what was asked for.
#[tokio::test]
async fn a_parameter_or_a_value_that_is_not_known_is_refused_by_name() {
    let side = Side::new().await;
    let key = side.key("aud", &[Role::Auditor]);
    let read =
        async |path: &str| side.send(side.request("GET", path, &key).body(Body::empty()).unwrap()).await;
    for (path, code, named) in [
        ("/v1/alerts?severty=high", "unknown_parameter", "`severty`"),
        ("/v1/alerts?severity=HIGH", "unknown_value", "severity"),
        ("/v1/alerts?state=opened", "unknown_value", "state"),
        ("/v1/alerts/1?verbose=1", "unknown_parameter", "takes none"),
        ("/v1/cases?severity=4", "unknown_value", "severity"),
        ("/v1/cases?limit=3&state=Open", "unknown_value", "state"),
        ("/v1/holds?state=frozen", "unknown_value", "state"),
        ("/v1/holds?payment=P1", "unknown_parameter", "state"),
        ("/v1/suppressions?state=open", "unknown_value", "state"),
        ("/v1/customers?name=x", "unknown_parameter", "limit"),
        ("/v1/audit?actors=x", "unknown_parameter", "`actors`"),
    ] {
        let answer = read(path).await;
        answer.is_problem(400);
        assert_eq!(answer.json()["code"], code, "{path}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(named), "{path}");
    }
    for path in
        ["/v1/alerts?state=open&severity=high&limit=1", "/v1/holds?state=waiting", "/v1/audit?all=true"]
    {
        assert_eq!(read(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn pages_cover_a_list_once() {
    let side = Side::new().await;
    side.say((0..2_300).map(|n| record(alert(n, &format!("C-{}", n % 7))))).await;
    let first = side.get("/v1/alerts?limit=999999").await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 1_000, "limits are clamped");
    let (mut seen, mut cursor) = (std::collections::BTreeSet::new(), String::new());
    loop {
        let page = side.get(&format!("/v1/alerts?limit=700&cursor={cursor}")).await.json();
        for item in page["items"].as_array().unwrap() {
            assert!(seen.insert(item["alert_id"].to_string()));
        }
        // What arrives meanwhile stands before the pages already read.
        side.say([record(alert(10_000 + u32::try_from(seen.len()).unwrap(), "C-1"))]).await;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 2_300);
}

#[tokio::test]
async fn alerts_are_filtered_and_keep_their_contract() {
    let side = Side::new().await;
    side.say([alert(1, "C-1"), alert(2, "C-2")].map(record)).await;
    let list = side.get("/v1/alerts?subject=C-2").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let mut item = list["items"][0].clone();
    assert_eq!(item.as_object_mut().unwrap().remove("case_id").unwrap(), "CASE-000002");
    assert_eq!(item, serde_json::to_value(alert(2, "C-2")).unwrap());
    for (filter, count) in [
        ("severity=high", 2),
        ("severity=low", 0),
        ("rule_id=R01", 2),
        ("state=open", 2),
        ("state=CLOSED", 0),
        ("payment_id=P-1", 1),
    ] {
        let list = side.get(&format!("/v1/alerts?{filter}")).await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), count, "{filter}");
    }
}

#[tokio::test]
async fn one_idempotency_key_is_one_request() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    let send = async |key: &str, by: &str, text: &str| {
        let request = side
            .request("POST", "/v1/cases/CASE-000001/actions", by)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key);
        let body = json!({"action": "comment", "text": text}).to_string();
        side.send(request.body(Body::from(body)).unwrap()).await
    };
    let comments = async || {
        let case = side.get("/v1/cases/CASE-000001").await.json();
        case["timeline"].as_array().unwrap().iter().filter(|t| t["kind"] == "comment").count()
    };
    let first = send("k1", &side.key, "hello").await;
    let again = send("k1", &side.key, "hello").await;
    assert_eq!(first.status, 200);
    assert_eq!((again.status, &again.bytes), (first.status, &first.bytes));
    assert_eq!(again.header("idempotency-replayed"), "true");
    assert_eq!(comments().await, 1);
    send("k1", &side.key, "goodbye").await.is_problem(422);
    send("k2", &side.key, "hello").await;
    send("k1", &side.key("other", &[Role::Analyst]), "hello").await;
    assert_eq!(comments().await, 3, "another key, and another actor's same key, are other requests");
    // A refusal is an answer too.
    send("k3", &side.key, "").await.is_problem(422);
    assert_eq!(send("k3", &side.key, "").await.header("idempotency-replayed"), "true");
    side.world.pass(Span::days(2));
    send("k1", &side.key, "hello").await;
    assert_eq!(comments().await, 4, "a key is remembered for a day");
    send(&"k".repeat(300), &side.key, "x").await.is_problem(400);
}

/// Sign in by the API; the cookie and the form token.
async fn sign_in(side: &Side, user: &str, password: &str) -> Answer {
    let body = json!({"user": user, "password": password}).to_string();
    let request = Request::post("/v1/sessions").header(header::CONTENT_TYPE, "application/json");
    side.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn a_session_reads_with_its_cookie_and_writes_with_its_token() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    side.api.put_user("ann", PASSWORD, Roles::new([Role::Analyst]), "root").await.unwrap();
    let signed_in = sign_in(&side, "ann", PASSWORD).await;
    assert_eq!(signed_in.status, 201);
    let cookie = signed_in.header("set-cookie").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let csrf = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    let get = async |path: &str| {
        side.send(Request::get(path).header(header::COOKIE, &cookie).body(Body::empty()).unwrap()).await
    };
    let comment = async |token: &str| {
        let request = Request::post("/v1/cases/CASE-000001/actions")
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-csrf-token", token);
        side.send(request.body(Body::from(r#"{"action":"comment","text":"seen"}"#)).unwrap()).await
    };
    assert_eq!(get("/v1/alerts").await.status, 200);
    comment("").await.is_problem(403);
    comment("guess").await.is_problem(403);
    assert_eq!(comment(&csrf).await.status, 200);

    // A form of another site, with the cookie but without the token.
    let form = Request::post("/cases/CASE-000001/actions")
        .header(header::COOKIE, &cookie)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let forged = form.body(Body::from("csrf=x&once=1&action=comment&text=forged")).unwrap();
    assert_eq!(side.send(forged).await.status, 403);

    side.world.pass(Span::hours(3));
    get("/v1/alerts").await.is_problem(401);
}

#[tokio::test]
async fn a_form_that_is_sent_twice_is_one_act_and_one_that_was_refused_may_be_sent_again() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    side.api.put_user("ann", PASSWORD, Roles::new([Role::Analyst]), "root").await.unwrap();
    let signed_in = sign_in(&side, "ann", PASSWORD).await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let csrf = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    let comment = async |text: &str| {
        let form = Request::post("/cases/CASE-000001/actions")
            .header(header::COOKIE, &cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let body = format!("csrf={csrf}&once=1&action=comment&text={text}");
        side.send(form.body(Body::from(body)).unwrap()).await.status.as_u16()
    };
    assert_eq!([comment("").await, comment("seen").await, comment("seen").await], [422, 303, 303]);
    let case = side.get("/v1/cases/CASE-000001").await.json();
    let comments = case["timeline"].as_array().unwrap().iter().filter(|line| line["kind"] == "comment");
    assert_eq!(comments.count(), 1);
}

#[tokio::test]
async fn a_session_needs_its_token_for_every_method_that_may_change_something() {
    let side = Side::new().await;
    side.api.put_user("ann", PASSWORD, Roles::new([Role::Mlro]), "root").await.unwrap();
    let signed_in = sign_in(&side, "ann", PASSWORD).await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let csrf = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    let send = async |method: &str, path: &str, token: Option<&str>| {
        let mut request = Request::builder().method(method).uri(path).header(header::COOKIE, &cookie);
        if let Some(token) = token {
            request = request.header("x-csrf-token", token);
        }
        side.send(request.body(Body::empty()).unwrap()).await
    };
    // Those of HTTP, and one that a later route might be given: whatever is not known to be safe is not.
    for method in ["POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "PURGE"] {
        for path in ["/v1/cases/CASE-000001/actions", "/v1/alerts", "/v1/nothing"] {
            send(method, path, None).await.is_problem(403);
            send(method, path, Some("guess")).await.is_problem(403);
            // With it the request reaches the routes, which know nothing of it.
            assert_ne!(send(method, path, Some(&csrf)).await.status, 403, "{method} {path}");
        }
    }
    for method in ["GET", "HEAD"] {
        assert_eq!(send(method, "/v1/alerts", None).await.status, 200, "{method}");
    }
}

#[tokio::test]
async fn changed_roles_and_passwords_end_old_sessions() {
    let side = Side::new().await;
    side.api.put_user("ann", PASSWORD, Roles::new([Role::Analyst]), "root").await.unwrap();
    let signed_in = sign_in(&side, "ann", PASSWORD).await;
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    side.api.put_user("ann", "another password", Roles::new([Role::Auditor]), "root").await.unwrap();
    let old = Request::get("/v1/alerts").header(header::COOKIE, &cookie).body(Body::empty()).unwrap();
    side.send(old).await.is_problem(401);
    sign_in(&side, "ann", PASSWORD).await.is_problem(401);
    assert_eq!(sign_in(&side, "ann", "another password").await.status, 201);
}

async fn sign_in_from(
    side: &Side,
    address: &str,
    device: Option<&str>,
    user: &str,
    password: &str,
) -> Answer {
    let body = json!({"user": user, "password": password}).to_string();
    let mut request = Request::post("/v1/sessions").header(header::CONTENT_TYPE, "application/json");
    if let Some(device) = device {
        request = request.header(header::COOKIE, device);
    }
    let address: std::net::SocketAddr = format!("{address}:1000").parse().unwrap();
    let mut request = request.body(Body::from(body)).unwrap();
    request.extensions_mut().insert(axum::extract::ConnectInfo(address));
    side.send(request).await
}

/// What a browser keeps of a sign-in to be known again.
fn device_of(answer: &Answer) -> Option<String> {
    let cookies = answer.headers.get_all(header::SET_COOKIE).iter().map(|v| v.to_str().unwrap());
    let device = cookies.into_iter().find(|cookie| cookie.starts_with("sluice_device="))?;
    assert!(device.contains("HttpOnly") && device.contains("SameSite=Strict"), "{device}");
    Some(device.split(';').next().unwrap().to_owned())
}

#[tokio::test]
async fn guessing_is_slowed_where_it_happens_and_nobody_else_waits() {
    let side = Side::new().await;
    for name in ["ann", "bo"] {
        side.api.put_user(name, PASSWORD, Roles::new([Role::Analyst]), "root").await.unwrap();
    }
    let (stranger, office) = ("203.0.113.9", "198.51.100.1");
    let known = device_of(&sign_in_from(&side, office, None, "ann", PASSWORD).await).unwrap();
    let leaves = side.get("/v1/evidence").await.json()["size"].clone();
    for _ in 0..5 {
        sign_in_from(&side, stranger, None, "ann", "a wrong password").await.is_problem(401);
    }
    sign_in_from(&side, stranger, None, "ann", PASSWORD).await.is_problem(429);
    assert_eq!(sign_in_from(&side, office, None, "ann", PASSWORD).await.status, 201, "elsewhere she may");
    let again = sign_in_from(&side, stranger, Some(&known), "ann", PASSWORD).await;
    assert_eq!(again.status, 201, "in a known browser she may, even from there");
    assert_eq!(device_of(&again), None, "it is known already");
    sign_in_from(&side, stranger, Some(&known), "bo", "a wrong password").await.is_problem(401);
    assert_eq!(sign_in_from(&side, stranger, None, "bo", PASSWORD).await.status, 201);
    sign_in_from(&side, stranger, None, "nobody", PASSWORD).await.is_problem(401);
    side.world.pass(Span::minutes(15));
    assert_eq!(sign_in_from(&side, stranger, None, "ann", PASSWORD).await.status, 201);
    // A stolen browser does not let anybody guess on.
    for _ in 0..5 {
        sign_in_from(&side, stranger, Some(&known), "ann", "a wrong password").await.is_problem(401);
    }
    sign_in_from(&side, stranger, Some(&known), "ann", PASSWORD).await.is_problem(429);
    assert!(leaves.as_u64().unwrap() < 10);
}

#[tokio::test]
async fn four_hundred_failures_are_one_leaf() {
    let side = Side::new().await;
    side.api.put_user("ann", PASSWORD, Roles::new([Role::Analyst]), "root").await.unwrap();
    let size = async || side.get("/v1/evidence").await.json()["size"].as_u64().unwrap();
    let before = size().await;
    let mut tried = 0;
    for n in 0..400 {
        let name = if n % 3 == 0 { "ann".to_owned() } else { format!("nobody{n}") };
        let answer = sign_in_from(&side, "203.0.113.9", None, &name, "a wrong password").await;
        tried += usize::from(answer.status == 401);
        assert!([401, 429].contains(&answer.status.as_u16()));
    }
    assert!(tried <= 30, "{tried} passwords were looked at");
    assert_eq!(size().await, before, "nobody took a turn at the writer");
    side.world.pass(Span::minutes(5));
    side.api.tidy().await.unwrap();
    side.api.tidy().await.unwrap();
    assert_eq!(size().await, before + 1);
    let audit = side.get("/v1/audit").await.text();
    assert!(audit.contains("sign_ins_failed") && !audit.contains("nobody"));
}

#[tokio::test]
async fn every_page_renders_with_strict_headers_and_nothing_inline() {
    let side = Side::new().await;
    for full in [false, true] {
        if full {
            let (held, hold) = crate::support::held_alert(1, "C-1");
            let event = crate::support::event(&held);
            let alert =
                sluice_case_api::ports::Record::Alert(Box::new(held), Some(std::sync::Arc::new(event)));
            side.say([alert, sluice_case_api::ports::Record::Hold(hold)]).await;
            side.act(&side.key, "CASE-000001", json!({"action": "freeze", "reason": "<b>mule</b>"})).await;
            side.world.lists.lock().unwrap().push(crate::support::list());
        }
        let paths = [
            "/alerts",
            "/cases",
            "/cases?state=CLOSED",
            "/holds",
            "/rules",
            "/lists",
            "/audit?all=true",
            "/signin",
        ];
        for path in paths.into_iter().chain(full.then_some("/cases/CASE-000001")) {
            let page = side.get(path).await;
            assert_eq!(page.status, 200, "{path}");
            assert_eq!(page.header("x-frame-options"), "DENY");
            assert_eq!(page.header("cache-control"), "no-store");
            let policy = page.header("content-security-policy");
            assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
            let html = page.text();
            for inline in [" style=", "<script>", " onclick", "<style", "javascript:"] {
                assert!(!html.contains(inline), "{path} has {inline}");
            }
            assert!(!html.contains("<b>mule</b>"), "{path} escapes what officers write");
            assert_eq!(html.contains("Screening is off"), !full && path != "/signin", "{path}");
        }
    }
    let case = side.get("/cases/CASE-000001").await.text();
    for shown in ["陳大文", "HKD 7,800.00", "&#60;b&#62;mule", "peter ~ piotr, two letters apart", "94.1 %"]
    {
        assert!(case.contains(shown), "the case page shows {shown}");
    }
}

#[tokio::test]
async fn a_quiet_refresh_sends_nothing() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    let html = side.get("/alerts").await.text();
    let seen = html.split("seen=").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let refresh = async || {
        let request =
            side.request("GET", &format!("/alerts?seen={seen}"), &side.key).header("hx-request", "true");
        side.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    assert_eq!(refresh().await, 204);
    side.say([record(alert(2, "C-1"))]).await;
    assert_eq!(refresh().await, 200);
}

#[tokio::test]
async fn screening_off_is_said_everywhere() {
    let side = Side::new().await;
    assert_eq!(side.get("/healthz").await.json()["screening"], "off");
    let post = async || {
        let request = side
            .request("POST", "/v1/screenings", &side.key)
            .header(header::CONTENT_TYPE, "application/json");
        side.send(request.body(Body::from(r#"{"name":"Peter Orlov"}"#)).unwrap()).await.json()
    };
    assert_eq!(post().await["screening"], "off");
    side.world.lists.lock().unwrap().push(crate::support::list());
    let screened = post().await;
    assert_eq!((&screened["screening"], &screened["matches"][0]["entry_id"]), (&json!("on"), &json!("H-17")));
    assert_eq!(side.get("/healthz").await.json()["screening"], "on");
}

#[tokio::test]
async fn a_name_that_cannot_be_screened_is_refused_and_never_clear() {
    let side = Side::new().await;
    side.world.lists.lock().unwrap().push(crate::support::list());
    for (name, says) in
        [("...", "no letter"), (" ", "1 to 2000 characters"), (&"x".repeat(2_001), "1 to 2000")]
    {
        let request = side.request("POST", "/v1/screenings", &side.key);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let answer = side.send(request.body(Body::from(json!({ "name": name }).to_string())).unwrap()).await;
        answer.is_problem(422);
        assert!(answer.text().contains(says), "{}", answer.text());
    }
}

#[tokio::test]
async fn metrics_count_what_was_taken_in() {
    let side = Side::new().await;
    side.say([record(alert(1, "C-1"))]).await;
    let metrics = bare(&side, "GET", "/metrics").await.text();
    for line in
        ["sluice_cases_recorded_total{what=\"alert\"} 1", "sluice_cases_open 1", "sluice_evidence_leaves 1"]
    {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
}
