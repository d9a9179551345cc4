//! Runtimes over engines of other processes: several of them over one log that is divided, whose stages a host drives.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use common::{NOW, payment, rules};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sluice_core::Layout;
use sluice_log::{EmbeddedLog, FileSnapshots, Log, ReadLimit, Record, Topic};
use sluice_model::{Control, EventTime, PaymentRecord, Release};
use sluice_runtime::{CachingLibrary, Clock, Engines, Host, HostParts, Outbox, Parts, Runtime, Webhooks};
use tower::ServiceExt;

const LAYOUT: Layout = Layout::of_stages(3);

/// A clock whose time of day stands still.
struct Ticking(Instant);

impl Clock for Ticking {
    fn now(&self) -> EventTime {
        NOW.parse().unwrap()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// A log, and the stages over it.
struct Deployment {
    log: Arc<EmbeddedLog>,
    host: Host,
}

impl Deployment {
    fn new(folder: &Path) -> Self {
        let log = Arc::new(EmbeddedLog::open(&folder.join("log")).unwrap());
        let host = Host::new(HostParts {
            log: Arc::clone(&log) as _,
            snapshots: Arc::new(FileSnapshots::new(folder.join("snapshots"))),
            library: Arc::new(CachingLibrary::without_lists()),
            layout: LAYOUT,
            snapshot_every_records: 1_000,
        });
        Self { log, host }
    }

    /// Every partition is driven here from now on.
    fn start(&self) {
        (0..3).for_each(|index| self.host.start(Topic::Payments.partition(index)).unwrap());
        self.host.start(Topic::Control.partition(0)).unwrap();
    }

    /// A process that takes events in.
    fn process(&self) -> (Runtime, Router) {
        let runtime = Runtime::start(Parts {
            log: Arc::clone(&self.log) as _,
            engines: Engines::Elsewhere(LAYOUT),
            library: Arc::new(CachingLibrary::without_lists()),
            clock: Arc::new(Ticking(Instant::now())),
            accept_clock: false,
            webhooks: Webhooks::default(),
            zone: sluice_codec::Zone::default(),
            registry: sluice_http::metrics::Registry::new(),
        });
        let runtime = runtime.unwrap();
        let router = runtime.router();
        (runtime, router)
    }

    /// The payments of every partition.
    fn payments(&self) -> Vec<PaymentRecord> {
        let mut payments = Vec::new();
        for index in 0..3 {
            let mut next = 0;
            loop {
                let stored =
                    self.log.read(Topic::Payments.partition(index), next, ReadLimit::default()).unwrap();
                let Some(last) = stored.last() else { break };
                next = last.offset + 1;
                payments.extend(stored.iter().map(|stored| serde_json::from_slice(&stored.value).unwrap()));
            }
        }
        payments
    }
}

async fn post(router: &Router, path: &str, key: Option<&str>, body: impl Into<Body>) -> (StatusCode, Value) {
    let request = Request::post(path).header("content-type", "application/json");
    let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
    let answer = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

async fn decide(router: &Router, event: &Value) -> (StatusCode, Value) {
    post(router, "/v1/decisions?deadline_ms=30000", None, event.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_come_from_engines_of_other_processes_whoever_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let deployment = Deployment::new(folder.path());
    deployment.start();
    let (one, ask_one) = deployment.process();
    let (other, ask_other) = deployment.process();
    assert!(one.put_rules_in_force(&rules()).unwrap());
    assert!(!one.put_rules_in_force(&rules()).unwrap());

    // Payments of every partition, and a rule over one customer's, wherever they are.
    let mut outcomes = Vec::new();
    for (number, value) in ["10.00", "1000.00", "999.99", "5000.00", "20.00", "30.00"].into_iter().enumerate()
    {
        let event = payment(&number.to_string(), "C-1", value);
        let (status, answer) = decide(if number % 2 == 0 { &ask_one } else { &ask_other }, &event).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["deadline_passed"], false);
        outcomes.push(answer["decision"].as_str().unwrap().to_owned());
        // Asked again, of either: the answer that was given.
        for ask in [&ask_one, &ask_other] {
            assert_eq!(decide(ask, &event).await, (StatusCode::OK, answer.clone()));
        }
    }
    assert_eq!(outcomes, ["allow", "hold", "allow", "hold", "allow", "allow"]);
    let alerts = deployment.log.read(Topic::Alerts.partition(0), 0, ReadLimit::default()).unwrap();
    let of = |rule: &str| {
        alerts.iter().filter(|stored| String::from_utf8_lossy(&stored.value).contains(rule)).count()
    };
    assert_eq!((of("\"T01\""), of("\"T02\"")), (2, 4));

    // What engines refuse is told to whoever waits.
    let (status, problem) = decide(&ask_other, &payment("0", "C-1", "11.00")).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::CONFLICT, Some("conflict")));

    // An order goes by the control topic, and applies to a payment of another partition.
    let held = alerts.iter().map(|stored| serde_json::from_slice::<Value>(&stored.value).unwrap());
    let held: Vec<_> = held.filter(|alert| alert["payment_id"] == "P-1").collect();
    let release = Control::Release(Release {
        payment_id: "P-1".into(),
        case_id: "CASE-1".into(),
        at: NOW.parse().unwrap(),
        alerts: Some(held.iter().map(|alert| alert["alert_id"].as_str().unwrap().parse().unwrap()).collect()),
    });
    other.control(release, Outbox::default()).unwrap();
    let dispositions = Topic::Holds.partition(0);
    let mut next = 0;
    let released = loop {
        assert!(deployment.log.wait(dispositions, next, Duration::from_secs(60)).unwrap());
        let stored = deployment.log.read(dispositions, next, ReadLimit::default()).unwrap();
        next = stored.last().unwrap().offset + 1;
        let said = stored.iter().map(|stored| serde_json::from_slice::<Value>(&stored.value).unwrap());
        if let Some(released) = said.into_iter().find(|said| said["state"] == "released") {
            break released;
        }
    };
    assert_eq!((&released["payment_id"], &released["because"]), (&json!("P-1"), &json!("CASE-1")));
    one.stop().unwrap();
    other.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_engine_means_an_answer_by_policy_in_time_and_the_same_one_after() {
    let folder = tempfile::tempdir().unwrap();
    let deployment = Deployment::new(folder.path());
    deployment.start();
    let (one, ask_one) = deployment.process();
    let (other, ask_other) = deployment.process();
    one.put_rules_in_force(&rules()).unwrap();
    deployment.host.stop_all();
    let event = payment("1", "C-1", "10.00");
    let (status, answer) = post(&ask_one, "/v1/decisions?deadline_ms=1", None, event.to_string()).await;
    assert_eq!(
        (status, &answer["decision"], &answer["deadline_passed"]),
        (StatusCode::OK, &json!("hold"), &json!(true))
    );
    // The record of it lies behind the payment, on its partition.
    one.stop().unwrap();
    let records = deployment.payments();
    let is_event = |record: &PaymentRecord| matches!(record, PaymentRecord::Event(_));
    let is_deadline =
        |record: &PaymentRecord| matches!(record, PaymentRecord::Control(Control::Deadline { .. }));
    let event_at = records.iter().position(is_event).unwrap();
    assert!(records.iter().position(is_deadline).unwrap() > event_at);

    deployment.start();
    let (status, again) = decide(&ask_other, &event).await;
    assert_eq!(status, StatusCode::OK);
    let same = ["decision", "alerts", "deadline_passed", "payment_id"];
    assert!(same.iter().all(|field| again[*field] == answer[*field]), "{again} is not {answer}");
    other.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_one_process_answered_is_not_done_again_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let deployment = Deployment::new(folder.path());
    deployment.start();
    let (one, ask_one) = deployment.process();
    let (other, ask_other) = deployment.process();
    one.put_rules_in_force(&rules()).unwrap();
    // The other follows what was answered, a moment later: of what was answered a hundred requests ago it does nothing.
    let body = |number: usize| payment(&number.to_string(), "C-1", "10.00").to_string();
    let key = |number: usize| format!("key-{number}");
    let mut answers = Vec::new();
    let known = loop {
        let number = answers.len();
        assert!(number < 5_000, "it does not follow");
        answers.push(post(&ask_one, "/v1/events", Some(&key(number)), body(number)).await);
        assert_eq!((answers[number].0, &answers[number].1["pending"]), (StatusCode::ACCEPTED, &json!(1)));
        let Some(before) = number.checked_sub(100) else { continue };
        let records = deployment.payments().len();
        let again = post(&ask_other, "/v1/events", Some(&key(before)), body(before)).await;
        assert_eq!(again, answers[before]);
        if deployment.payments().len() == records {
            break before;
        }
    };
    assert_eq!(
        post(&ask_other, "/v1/events", Some(&key(known)), body(known + 1)).await.0,
        StatusCode::UNPROCESSABLE_ENTITY,
        "the key is another request's"
    );
    one.stop().unwrap();
    other.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_in_before_a_rule_is_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let deployment = Deployment::new(folder.path());
    // Ordered, and with no partition yet: nobody gives it to them.
    let ordered = [Control::Prepare(rules()), Control::Activate { rules: rules().hash() }];
    let stored = ordered.iter().map(|order| Record::new("", serde_json::to_vec(order).unwrap())).collect();
    deployment.log.append(Topic::Control.partition(0), stored).unwrap();
    let (process, ask) = deployment.process();
    // It has looked at the orders.
    process.wait_until_live().unwrap();
    let event = payment("1", "C-1", "10.00");
    for path in ["/v1/events", "/v1/decisions"] {
        let (status, problem) = post(&ask, path, None, event.to_string()).await;
        assert_eq!((status, &problem["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("no_rules")));
    }
    assert!(
        process.not_ready().iter().any(|why| why.contains("no rule is in force")),
        "{:?}",
        process.not_ready()
    );
    assert_eq!(deployment.payments(), []);
    deployment.start();
    let answer = loop {
        match decide(&ask, &event).await {
            (StatusCode::SERVICE_UNAVAILABLE, _) => {}
            answer => break answer,
        }
    };
    assert_eq!((answer.0, &answer.1["decision"]), (StatusCode::OK, &json!("allow")));
    process.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_taken_in_as_far_as_engines_follow() {
    let folder = tempfile::tempdir().unwrap();
    let deployment = Deployment::new(folder.path());
    deployment.start();
    let (process, ask) = deployment.process();
    process.put_rules_in_force(&rules()).unwrap();
    let lines: Vec<String> = (0..20_000)
        .map(|n| payment(&n.to_string(), &format!("C-{}", n % 500), "10.00").to_string())
        .collect();
    let request = Request::post("/v1/events").header("content-type", "application/x-ndjson");
    let answer = ask.clone().oneshot(request.body(Body::from(lines.join("\n"))).unwrap()).await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let taken_in = deployment.payments().iter().filter(|r| matches!(r, PaymentRecord::Event(_))).count();
    assert_eq!(taken_in, 20_000);
    process.stop().unwrap();
}
