//! A runtime on a log in a folder of its own, driven over its router without a socket.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test uses its part")]

use std::{
    ops::Range,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use sluice_log::{
    Claim, Done, EmbeddedLog, EmbeddedOptions, FileSnapshots, Log, LogError, Offsets, Partition, ReadLimit,
    StoredRecord, Topic, Transaction,
};
use sluice_model::{EventTime, RuleBundle, RuleFile, Span};
use sluice_runtime::{CachingLibrary, Clock, Engines, Parts, Runtime, Webhooks};
use tower::ServiceExt;

/// The time at which everything is taken in.
pub const NOW: &str = "2026-11-20T10:00:00Z";

/// A clock that stands still at [`NOW`], unless a test sets it.
#[derive(Default)]
pub struct StoppedClock {
    set_by_seconds: AtomicI64,
}

impl StoppedClock {
    /// One that is off by so much.
    pub fn off_by(span: Span) -> Arc<Self> {
        let clock = Arc::new(Self::default());
        clock.set(span);
        clock
    }

    /// Set the machine's time so far from [`NOW`].
    pub fn set(&self, by: Span) {
        self.set_by_seconds.store(by.micros() / 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for StoppedClock {
    fn now(&self) -> EventTime {
        let now: EventTime = NOW.parse().unwrap();
        now.plus(Span::seconds(self.set_by_seconds.load(Ordering::SeqCst)))
    }

    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
}

/// Under a paused clock: as long as this is kept, no wait ends because of its time, however slow the machine is.
pub fn no_time_passes() -> mpsc::Sender<()> {
    let (kept, until_dropped) = mpsc::channel::<()>();
    // The clock is not advanced while something blocks.
    drop(tokio::task::spawn_blocking(move || until_dropped.recv()));
    kept
}

/// What a log does on the way to the real one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mood {
    /// All that is asked.
    #[default]
    Good,
    /// It refuses orders.
    RefusesOrders,
    /// It commits the engine's next batch and says that it did not.
    LosesAnAnswer,
    /// It does not commit the engine's next batch, and says so.
    FailsACommit,
    /// It commits nothing of the engine, and says so: the engine stands still.
    FailsCommits,
    /// It takes so many more pieces of bodies and is full then, but for the engine.
    FillsUp(usize),
}

/// A log that fails as a test wants.
pub struct Moody {
    log: Arc<EmbeddedLog>,
    pub mood: Arc<Mutex<Mood>>,
}

impl Log for Moody {
    fn submit(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        if let Mood::FillsUp(left) = &mut *self.mood.lock().unwrap() {
            match left.checked_sub(1) {
                Some(less) => *left = less,
                None => {
                    done(Err(LogError::Full { folder: "log".into() }));
                    return Ok(());
                }
            }
        }
        self.log.submit(transaction, done)
    }

    fn submit_waiting(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        let failed = || LogError::Storage { folder: "log".into(), reason: "as the test wants".into() };
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::RefusesOrders if transaction.commits.is_empty() => {
                done(Err(failed()));
                Ok(())
            }
            Mood::FailsACommit if !transaction.commits.is_empty() => {
                *self.mood.lock().unwrap() = Mood::Good;
                done(Err(failed()));
                Ok(())
            }
            Mood::FailsCommits if !transaction.commits.is_empty() => {
                done(Err(failed()));
                Ok(())
            }
            Mood::LosesAnAnswer if !transaction.commits.is_empty() => {
                let mood = Arc::clone(&self.mood);
                let lost = move |result: Result<Offsets, LogError>| {
                    result.unwrap();
                    *mood.lock().unwrap() = Mood::Good;
                    done(Err(failed()));
                };
                self.log.submit_waiting(transaction, Box::new(lost))
            }
            _ => self.log.submit_waiting(transaction, done),
        }
    }

    fn read(&self, partition: Partition, from: u64, limit: ReadLimit) -> Result<Vec<StoredRecord>, LogError> {
        self.log.read(partition, from, limit)
    }

    fn newest(&self, partition: Partition, limit: usize) -> Result<Vec<StoredRecord>, LogError> {
        self.log.newest(partition, limit)
    }

    fn bounds(&self, partition: Partition) -> Result<Range<u64>, LogError> {
        self.log.bounds(partition)
    }

    fn wait(&self, partition: Partition, from: u64, timeout: Duration) -> Result<bool, LogError> {
        self.log.wait(partition, from, timeout)
    }

    fn committed(&self, consumer: &str, partition: Partition) -> Result<u64, LogError> {
        self.log.committed(consumer, partition)
    }

    fn claim(&self, consumer: &str, partition: Partition) -> Result<Claim, LogError> {
        self.log.claim(consumer, partition)
    }

    fn release(&self, claim: &Claim) -> Result<(), LogError> {
        self.log.release(claim)
    }
}

/// A runtime with its log.
pub struct Running {
    pub log: Arc<EmbeddedLog>,
    pub mood: Arc<Mutex<Mood>>,
    pub registry: sluice_http::metrics::Registry,
    pub runtime: Runtime,
    pub router: Router,
}

/// Every payment of 1,000 and more is held; a customer's third payment within an hour is alerted.
pub fn rules() -> RuleBundle {
    let meta = r#"severity: "high", typology: "test", speaks: "every event",
        regulation: #{ text: "a test", source: "https://example.com", date: "2026-01-01" },"#;
    let large = format!(
        r#"rule T01 #{{ title: "Large", about: "A large payment.", key: "payment", action: "hold", {meta} }};
        parameter most #{{ value: 1000, unit: "HKD", range: [1, 100000], owner: "test", why: "a test" }};
        condition amount >= most;
        reason `${{most}} or more`;"#
    );
    let third = format!(
        r#"rule T02 #{{ title: "Third", about: "Many payments.", key: "customer", action: "alert", {meta} }};
        parameter within #{{ value: 1, unit: "hours", range: [1, 24], owner: "test", why: "a test" }};
        window payments #{{ measure: "count", role: "debtor", length: within }};
        condition is_debtor && payments >= 3;
        reason `${{payments}} payments within ${{within}}`;"#
    );
    let file = |path: &str, text: String| RuleFile { path: path.into(), text };
    RuleBundle::new(vec![file("T01.rhai", large), file("T02.rhai", third)])
}

/// Start on a folder, with the rules in force.
pub fn start(folder: &Path) -> Running {
    start_with(folder, EmbeddedOptions::default())
}

/// Start with other limits of the log.
pub fn start_with(folder: &Path, options: EmbeddedOptions) -> Running {
    begin(folder, options, Arc::default(), false, Webhooks::default())
}

/// Start under a clock of the test's; `accept_clock`: somebody confirmed it.
pub fn start_under(folder: &Path, clock: Arc<StoppedClock>, accept_clock: bool) -> Running {
    begin(folder, EmbeddedOptions::default(), clock, accept_clock, Webhooks::default())
}

/// Start with those who send webhooks.
pub fn start_for(folder: &Path, webhooks: Webhooks) -> Running {
    begin(folder, EmbeddedOptions::default(), Arc::default(), false, webhooks)
}

fn begin(
    folder: &Path,
    options: EmbeddedOptions,
    clock: Arc<StoppedClock>,
    accept_clock: bool,
    webhooks: Webhooks,
) -> Running {
    let log = Arc::new(EmbeddedLog::open_with(&folder.join("log"), options).unwrap());
    let moody = Arc::new(Moody { log: Arc::clone(&log), mood: Arc::default() });
    let mood = Arc::clone(&moody.mood);
    let registry = sluice_http::metrics::Registry::new();
    let runtime = Runtime::start(Parts {
        log: moody,
        engines: Engines::Here {
            snapshots: Arc::new(FileSnapshots::new(folder.join("snapshots"))),
            snapshot_every_records: sluice_runtime::limits::SNAPSHOT_EVERY_RECORDS,
        },
        library: Arc::new(CachingLibrary::without_lists()),
        clock,
        accept_clock,
        webhooks,
        zone: sluice_codec::Zone::default(),
        registry: registry.clone(),
    })
    .unwrap();
    sluice_rules::RuleSet::compile(&rules()).unwrap_or_else(|error| panic!("{error:?}"));
    runtime.put_rules_in_force(&rules()).unwrap();
    let router = runtime.router().merge(runtime.webhook_router());
    Running { log, mood, runtime, router, registry }
}

/// A payment by a customer.
pub fn payment(id: &str, customer: &str, value: &str) -> Value {
    json!({
        "event_id": id, "payment_id": format!("P-{id}"), "occurred_at": "2026-11-20T09:59:00Z",
        "amount": {"value": value, "currency": "HKD"},
        "debtor": {"customer_id": customer, "name": "Payer"}, "creditor": {"name": "Payee"},
    })
}

/// An answer: status, headers and JSON.
pub struct Answered {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub json: Value,
}

impl Running {
    /// Post a body.
    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Answered {
        self.send(Request::post(path).header("content-type", content_type).body(body.into()).unwrap()).await
    }

    /// Post one JSON value.
    pub async fn post_json(&self, path: &str, value: &Value) -> Answered {
        self.post(path, "application/json", value.to_string()).await
    }

    /// Get a path.
    pub async fn get(&self, path: &str) -> Answered {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Send any request.
    pub async fn send(&self, request: Request<Body>) -> Answered {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answered { status: parts.status, headers: parts.headers, json }
    }

    /// Judge all that is durable, end, and leave the log.
    pub fn stop(self) -> Arc<EmbeddedLog> {
        self.runtime.stop().unwrap();
        self.log
    }
}

/// Everything on a topic, as JSON.
pub fn records(log: &dyn Log, topic: Topic) -> Vec<Value> {
    let stored =
        log.read(topic.partition(0), 0, ReadLimit { records: usize::MAX, bytes: usize::MAX }).unwrap();
    stored.iter().map(|record| serde_json::from_slice(&record.value).unwrap()).collect()
}
