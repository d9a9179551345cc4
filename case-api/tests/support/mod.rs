//! A case side over memory: feeds that tests fill, a control sink they can read and break, a clock they can turn.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[cfg(feature = "postgres")]
pub mod cluster;
pub mod place;
pub mod small_disk;

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use place::Place;
use serde_json::Value;
use sluice_case_api::{
    CaseApi, Options, Ports, Signer, Zeroizing,
    domain::{Role, Roles},
    ports::{
        ActiveList, ActiveRule, BacktestRun, Bounds, Catalogue, Clock, ControlSink, Feed, History, Item,
        NameAnswer, PortError, Prepared, Record, RuleSets, Screening, Topic,
    },
};
use sluice_core::CaseRunner;
use sluice_model::{
    Action, Alert, Cause, Control, EventTime, Hash256, HoldOutcome, HoldRecord, Key, KeyKind, ListMatch,
    PartyMatch, PaymentEvent, Reason, RuleBundle, RuleFile, Severity, Span, Versions, WindowValue,
};
use sluice_rules::{Backtest, CaseEngine, RuleSet};
use tower::ServiceExt;

/// The only password in tests.
pub const PASSWORD: &str = "a password for tests";

/// Everything a test may reach.
#[derive(Default)]
pub struct World {
    pub feeds: Mutex<HashMap<&'static str, Vec<Record>>>,
    pub controls: Mutex<Vec<Control>>,
    pub sink_broken: AtomicBool,
    /// The feeds cannot be read, or give nothing although there is something.
    pub feeds_broken: AtomicBool,
    pub feeds_silent: AtomicBool,
    pub lists: Mutex<Vec<ActiveList>>,
    /// What every page says.
    pub notices: Mutex<Vec<String>>,
    /// What could not be taken in.
    pub letters: Mutex<Vec<Value>>,
    /// What entry H-17 says, counted up.
    pub entry_content: AtomicI64,
    /// The rule set that the engine judges by.
    pub rules: Mutex<RuleBundle>,
    /// The one it was told to make ready, and how far its windows are filled, of ten.
    pub prepared: Mutex<Option<RuleBundle>>,
    pub unfilled: AtomicU64,
    now: AtomicI64,
}

impl World {
    pub fn say(&self, record: Record) {
        let topic = match record {
            Record::Alert(..) => Topic::Alerts,
            Record::Hold(_) => Topic::Holds,
            Record::Decision(_) => Topic::Decisions,
            Record::Observation(_) => Topic::Observations,
        };
        self.feeds.lock().unwrap().entry(topic.name()).or_default().push(record);
    }

    pub fn pass(&self, span: Span) {
        self.now.fetch_add(span.micros(), Ordering::SeqCst);
    }

    /// Whether the engine was told so last.
    pub fn is_quarantined(&self, rule_id: &str) -> bool {
        let said = |control: &Control| match control {
            Control::Quarantine(order) if order.rule_id == rule_id => Some(true),
            Control::LiftQuarantine(order) if order.rule_id == rule_id => Some(false),
            _ => None,
        };
        self.controls.lock().unwrap().iter().rev().find_map(said).unwrap_or_default()
    }

    pub fn controls(&self) -> Vec<Control> {
        self.controls.lock().unwrap().clone()
    }
}

impl Feed for World {
    fn read(&self, topic: Topic, from: u64, max: usize) -> Result<Vec<Item>, PortError> {
        if self.feeds_broken.load(Ordering::SeqCst) {
            return Err(PortError("record 7 of the feed cannot be read".into()));
        }
        if self.feeds_silent.load(Ordering::SeqCst) {
            return Ok(Vec::new());
        }
        let feeds = self.feeds.lock().unwrap();
        let records = feeds.get(topic.name()).map(Vec::as_slice).unwrap_or_default();
        let items = (0u64..).zip(records).skip(usize::try_from(from).unwrap()).take(max);
        Ok(items.map(|(offset, record)| Item { offset, record: record.clone() }).collect())
    }

    fn end(&self, topic: Topic) -> Result<u64, PortError> {
        let feeds = self.feeds.lock().unwrap();
        Ok(feeds.get(topic.name()).map_or(0, Vec::len) as u64)
    }
}

impl ControlSink for World {
    fn append(&self, _: u64, control: &Control) -> Result<u64, PortError> {
        if self.sink_broken.load(Ordering::SeqCst) {
            return Err(PortError("the log cannot be reached".into()));
        }
        match control {
            Control::Prepare(bundle) => *self.prepared.lock().unwrap() = Some(bundle.clone()),
            Control::Activate { rules } => {
                let prepared = self.prepared.lock().unwrap().take_if(|bundle| bundle.hash() == *rules);
                prepared.into_iter().for_each(|bundle| *self.rules.lock().unwrap() = bundle);
            }
            _ => {}
        }
        let mut controls = self.controls.lock().unwrap();
        controls.push(control.clone());
        Ok(controls.len() as u64 - 1)
    }

    fn note_leaves(&self, _: u64) -> Result<(), PortError> {
        Ok(())
    }
}

impl Catalogue for World {
    fn lists(&self) -> Vec<ActiveList> {
        self.lists.lock().unwrap().clone()
    }

    fn notices(&self) -> Vec<String> {
        self.notices.lock().unwrap().clone()
    }

    fn rules(&self) -> Vec<ActiveRule> {
        let of = |id, title| ActiveRule { quarantined: self.is_quarantined(id), ..rule(id, title) };
        vec![
            of("R01", "Payments kept just below the reporting line"),
            of("R60", "A party on a sanctions list"),
        ]
    }

    fn rule_sets(&self) -> RuleSets {
        let unfilled = self.unfilled.load(Ordering::SeqCst);
        let prepared = self.prepared.lock().unwrap().as_ref().map(RuleBundle::hash);
        let prepared =
            prepared.map(|rules| Prepared { rules, ready: unfilled == 0, applied: 10 - unfilled, of: 10 });
        RuleSets { in_force: self.rules.lock().unwrap().hash(), prepared }
    }

    fn screen(&self, screening: &Screening) -> Result<NameAnswer, PortError> {
        if !screening.name.contains(char::is_alphabetic) {
            return Ok(NameAnswer::NotScreened("it has no letter that can be compared"));
        }
        let known = screening.name.to_lowercase().contains("orlov");
        Ok(NameAnswer::Matches(if known { vec![list_match()] } else { Vec::new() }))
    }

    fn entry_hash(
        &self,
        list: &str,
        version: Option<&str>,
        entry_id: &str,
    ) -> Result<Option<Hash256>, PortError> {
        // The version of the tests' matches is the first; the active one may have moved on.
        let content = if version.is_some() { 0 } else { self.entry_content.load(Ordering::SeqCst) };
        let known = (list, entry_id) == ("house", "H-17");
        Ok(known.then(|| Hash256::of(format!("H-17 as of {content}").as_bytes())))
    }
}

impl History for World {
    /// The past are payments of 4,500 to 9,500 dollars.
    fn backtest(
        &self,
        active: &RuleBundle,
        candidate: &RuleBundle,
        _: Bounds,
    ) -> Result<BacktestRun, PortError> {
        let payments: Vec<PaymentEvent> = (4..10)
            .map(|thousands| {
                serde_json::from_value(serde_json::json!({
                    "event_id": format!("E-{thousands}"), "occurred_at": start(), "type": "payment",
                    "amount": {"value": format!("{thousands}500.00"), "currency": "HKD"},
                }))
                .unwrap()
            })
            .collect();
        let said = |rules: &RuleBundle| {
            let rules = Arc::new(RuleSet::compile(rules).map_err(|_| PortError("does not check".into()))?);
            CaseRunner.run(&rules, &payments).map_err(PortError)
        };
        let report = Backtest::compare(6, &said(active)?, &said(candidate)?, None);
        Ok(BacktestRun { report, complete: true })
    }
}

impl Clock for World {
    fn now(&self) -> EventTime {
        EventTime::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_micros(self.now.load(Ordering::SeqCst).unsigned_abs())
    }
}

fn rule(id: &str, title: &str) -> ActiveRule {
    ActiveRule {
        id: id.into(),
        title: title.into(),
        key: KeyKind::Customer,
        severity: Severity::High,
        action: Action::Alert,
        typology: "structuring".into(),
        regulation: "JFIU indicators".into(),
        version: "0123456789ab".into(),
        shadow: false,
        candidate: false,
        quarantined: false,
        units: Default::default(),
        owners: vec!["Head of monitoring".into()],
        file: format!("pack/{id}.rhai"),
        text: "meta(#{ id: \"".to_owned() + id + "\" });\n",
    }
}

/// A rule that holds payments of `most` dollars and more, with its cases.
pub fn large(most: u32) -> Vec<RuleFile> {
    let text = format!(
        r#"rule LARGE #{{
    title: "Large", key: "payment", severity: "high", action: "hold", typology: "large",
    regulation: #{{ text: "a test", source: "https://example.com", date: "2026-01-01" }},
    speaks: "every event",
}};
parameter most #{{ value: {most}, unit: "HKD", range: [1, 100000], owner: "MLRO", why: "A test." }};
condition amount >= most;
reason `${{most}} or more`;
"#
    );
    let cases = format!(
        r#"[[case]]
name = "at the line"
payments = [{{ at = "2026-03-02T08:00:00Z", amount = "{most}.00 HKD" }}]
alerts = [{{ on = 1, action = "hold" }}]

[[case]]
name = "just below"
payments = [{{ at = "2026-03-02T08:00:00Z", amount = "{}.99 HKD" }}]
alerts = []
"#,
        most - 1
    );
    vec![
        RuleFile { path: "large.cases.toml".into(), text: cases },
        RuleFile { path: "large.rhai".into(), text },
    ]
}

/// What judges of these files.
pub fn bundle(files: &[RuleFile]) -> RuleBundle {
    RuleBundle::new(files.iter().filter(|f| !f.path.ends_with(".cases.toml")).cloned().collect())
}

/// An active list, so that screening is on.
pub fn list() -> ActiveList {
    ActiveList {
        source: "house".into(),
        version: Hash256::of(b"house").to_string(),
        entries: 2,
        names: 3,
        published: Some("2026-11-01".into()),
        fetched_at: None,
        checked_at: None,
        fetched: false,
        rescreened: None,
    }
}

/// An invented match, explained.
pub fn list_match() -> ListMatch {
    let reason = |step: &str, text: &str, weight| Reason { step: step.into(), text: text.into(), weight };
    ListMatch {
        score: 0.9412,
        list: "house".into(),
        version: Hash256::of(b"house").to_string(),
        entry_id: "H-17".into(),
        name: "ORLOV Piotr".into(),
        reasons: vec![
            reason("token", "orlov = orlov, exactly", 0.61),
            reason("token", "peter ~ piotr, two letters apart", 0.33),
            reason("country", "the payment says HK, the list RU", -0.05),
        ],
    }
}

/// The moment at which every test begins.
pub fn start() -> EventTime {
    "2026-11-20T08:30:00Z".parse().unwrap()
}

/// An alert of rule R01 on a customer; `n` makes it one of its own.
pub fn alert(n: u32, customer: &str) -> Alert {
    let key = Key { kind: KeyKind::Customer, value: customer.into() };
    let cause = Cause::Event { event_id: format!("E-{n}") };
    Alert {
        alert_id: Alert::id(Hash256::of(b"R01"), &key, &cause),
        rule_id: "R01".into(),
        rule_version: "0123456789ab".into(),
        typology: "structuring".into(),
        key,
        subjects: vec![customer.into()],
        event_id: format!("E-{n}"),
        offset: None,
        payment_id: format!("P-{n}"),
        occurred_at: start(),
        severity: Severity::High,
        action: Action::Alert,
        reason: "3 payments of 7,200 to 7,999.99 in 24 hours, 23,400.00 in all".into(),
        failed_by: None,
        windows: [
            ("count_24h".to_owned(), WindowValue::Int(3)),
            ("sum_24h".to_owned(), WindowValue::Int(2_340_000)),
        ]
        .into(),
        matches: Vec::new(),
        cause,
        versions: Versions::default(),
    }
}

/// A sanctions alert that holds its payment, with the hold.
pub fn held_alert(n: u32, customer: &str) -> (Alert, HoldRecord) {
    let mut alert = alert(n, customer);
    alert.alert_id = Hash256::of_parts([b"R60".as_slice(), alert.event_id.as_bytes()]);
    alert.rule_id = "R60".into();
    alert.typology = "sanctions".into();
    alert.severity = Severity::Critical;
    alert.action = Action::Hold;
    alert.reason = "the creditor meets ORLOV Piotr on house, score 0.94".into();
    alert.matches = vec![PartyMatch {
        role: "creditor".into(),
        name: "Peter Orlov".into(),
        party: Some(Key { kind: KeyKind::Account, value: "012-345-678901".into() }),
        matches: vec![list_match()],
    }];
    let hold = HoldRecord {
        payment_id: alert.payment_id.clone(),
        event_id: alert.event_id.clone(),
        state: HoldOutcome::Held,
        because: alert.alert_id.to_string(),
        at: alert.occurred_at,
        alerts: Vec::new(),
    };
    (alert, hold)
}

pub fn record(alert: Alert) -> Record {
    Record::Alert(Box::new(alert), None)
}

/// The event behind an alert, with names in two scripts.
pub fn event(alert: &Alert) -> PaymentEvent {
    serde_json::from_value(serde_json::json!({
        "event_id": alert.event_id, "payment_id": alert.payment_id, "occurred_at": alert.occurred_at,
        "method": "fps", "direction": "outbound", "amount": {"value": "7800.00", "currency": "HKD"},
        "debtor": {"customer_id": alert.subjects[0], "name": "CHAN Tai Man", "name_local": "陳大文", "country": "HK"},
        "creditor": {"name": "Harbour Trading Ltd", "account": "012-345-678901", "country": "SG"},
        "remittance": "invoice 88",
    }))
    .unwrap()
}

/// The runtime's routes, as far as tests ask for them: every letter can be mended to `"good"`, and only to that.
fn ingest(world: Arc<World>) -> Router {
    use axum::{
        Json,
        extract::{Path, Query},
        response::IntoResponse,
        routing::{get, post},
    };
    let listed = Arc::clone(&world);
    let list = async move |Query(page): Query<HashMap<String, usize>>| {
        let letters = listed.letters.lock().unwrap().clone();
        let from = page.get("cursor").copied().unwrap_or_default();
        let items: Vec<Value> =
            letters.into_iter().skip(from).take(page.get("limit").copied().unwrap_or(100)).collect();
        Json(serde_json::json!({"items": items, "next_cursor": null}))
    };
    let send = async move |Path(id): Path<usize>, Json(said): Json<Value>| {
        let letters = world.letters.lock().unwrap();
        match letters.get(id) {
            None => {
                (StatusCode::NOT_FOUND, Json(serde_json::json!({"detail": "no such letter"}))).into_response()
            }
            Some(letter) if *said.get("event").unwrap_or(&letter["original"]) == "good" => {
                (StatusCode::ACCEPTED, Json(serde_json::json!({"accepted": 1}))).into_response()
            }
            Some(_) => {
                let detail = serde_json::json!({"detail": "it still cannot be read"});
                (StatusCode::UNPROCESSABLE_ENTITY, Json(detail)).into_response()
            }
        }
    };
    Router::new()
        .route("/v1/events", post(async || StatusCode::ACCEPTED))
        .route("/v1/dead-letters", get(list))
        .route("/v1/dead-letters/{id}/resubmit", post(send))
}

/// A case side over a world.
pub struct Side {
    pub world: Arc<World>,
    pub api: CaseApi,
    pub router: Router,
    pub key: String,
}

impl Side {
    pub async fn new() -> Self {
        Self::at(Arc::new(World::default()), &Place::fresh()).await
    }

    /// Over the database that belongs to a path.
    pub async fn on_file(world: Arc<World>, path: &Path) -> Self {
        Self::at(world, &Place::of(path)).await
    }

    pub async fn at(world: Arc<World>, place: &Place) -> Self {
        if world.now() < start() {
            world.now.store(start().micros(), Ordering::SeqCst);
        }
        let ports = Ports {
            feed: Arc::clone(&world) as _,
            control: Arc::clone(&world) as _,
            catalogue: Arc::clone(&world) as _,
            cases: Arc::new(CaseRunner),
            history: Arc::clone(&world) as _,
            clock: Arc::clone(&world) as _,
        };
        let signer = Signer::from_seed("test.example/evidence", Zeroizing::new([7; 32])).unwrap();
        let api = CaseApi::open(place.database(), signer, ports, Options::default()).await.unwrap();
        let ingest = ingest(Arc::clone(&world));
        let router = api.router(ingest);
        let key = api.memory_key("tests", Roles::new(Role::ALL)).unwrap();
        Self { world, api, router, key }
    }

    /// A key with these roles.
    pub fn key(&self, name: &str, roles: &[Role]) -> String {
        self.api.memory_key(name, Roles::new(roles.iter().copied())).unwrap()
    }

    /// Take in all that the feeds hold.
    pub async fn drain(&self) {
        while self.api.consume().await.unwrap().records > 0 {}
    }

    pub async fn say(&self, records: impl IntoIterator<Item = Record>) {
        for record in records {
            self.world.say(record);
        }
        self.drain().await;
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path, &self.key).body(Body::empty()).unwrap()).await
    }

    pub fn request(&self, method: &str, path: &str, key: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header(header::AUTHORIZATION, format!("Bearer {key}"))
    }

    /// POST a body by a key.
    pub async fn post(&self, key: &str, path: &str, body: Value) -> Answer {
        let request = self
            .request("POST", path, key)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    /// Begin with this rule set in force, as a folder's.
    pub async fn begin_with(&self, files: &[RuleFile]) {
        *self.world.rules.lock().unwrap() = bundle(files);
        self.api.record_rules("folder", files, 1).await.unwrap();
    }

    /// Do an act by a key.
    pub async fn act(&self, key: &str, case_id: &str, act: Value) -> Answer {
        self.post(key, &format!("/v1/cases/{case_id}/actions"), act).await
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.bytes.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("not JSON: {}", self.text()))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }

    /// The answer is a problem of that status.
    pub fn is_problem(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["type"].is_string() && problem["code"].is_string());
    }
}
