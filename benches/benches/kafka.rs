//! Engines over Apache Kafka, with the broker on the same cores: from payments on the topic to committed alerts, beside the
//! composite engine over the same events; and decisions asked of a process whose engines are elsewhere. Not a criterion suite:
//! each is one run of a whole deployment.
//!
//! `cargo bench -p sluice-benches --features kafka --bench kafka`; `SLUICE_KAFKA_EVENTS` says how many payments.

use std::{
    error::Error,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, http::Request};
use sluice_codec::Zone;
use sluice_core::{Distributor, Engine, EngineConfig, Gather, Home, Layout, Shard, Stage};
use sluice_driver::records;
use sluice_log::{
    FileSnapshots, Log, Topic, Transaction,
    kafka::{KafkaLog, KafkaOptions, TopicLayout, Topics, testing::Brokers},
};
use sluice_model::{Control, EventRecord, PaymentEvent, PaymentRecord, RuleBundle};
use sluice_runtime::{
    CachingLibrary, Clock, Engines, Host, HostParts, Parts, Runtime, SystemClock, Webhooks, limits,
    read_rules,
};
use sluice_simulator::traffic::{Config, Traffic};
use tower::ServiceExt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Done<T> = Result<T, Box<dyn Error>>;

/// Payments where nothing is said.
const EVENTS: usize = 100_000;
/// Payments of one transaction on their way in.
const REQUEST_RECORDS: usize = 1_000;
/// Who ask for decisions at once, when as many are asked as can be answered.
const CLIENTS: usize = 64;
/// How long decisions are asked for.
const ASKED_FOR: Duration = Duration::from_secs(10);

/// Topics of their own on a broker, and the stages of all their partitions in this process.
struct Deployment {
    log: Arc<KafkaLog>,
    layout: Layout,
    host: Host,
    _snapshots: tempfile::TempDir,
}

impl Deployment {
    fn new(brokers: &Brokers, namespace: &str, partitions: u32) -> Done<Self> {
        let mut options: KafkaOptions = brokers.options(namespace);
        if let Ok(text) = std::env::var("SLUICE_KAFKA_PROPERTIES") {
            let properties = text.split(',').filter_map(|one| one.split_once('='));
            options.properties.extend(properties.map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        let topics = Topics::new(&options)?;
        topics.apply(&topics.plan(TopicLayout { partitions, replication: 1 })?)?;
        let (log, layout) = (Arc::new(KafkaLog::open(options)?), Layout::of_stages(partitions));
        let snapshots = tempfile::tempdir()?;
        let host = Host::new(HostParts {
            log: Arc::clone(&log) as _,
            snapshots: Arc::new(FileSnapshots::new(snapshots.path())),
            library: Arc::new(CachingLibrary::without_lists()),
            layout,
            snapshot_every_records: limits::SNAPSHOT_EVERY_RECORDS,
        });
        Ok(Self { log, layout, host, _snapshots: snapshots })
    }

    fn start(&self) -> Done<()> {
        for index in 0..self.layout.partitions(Topic::Payments) {
            self.host.start(Topic::Payments.partition(index))?;
        }
        Ok(self.host.start(Topic::Control.partition(0))?)
    }

    /// Have every partition hold the rules before any payment.
    fn order(&self, rules: &RuleBundle) -> Done<()> {
        self.host.start(Topic::Control.partition(0))?;
        let orders = [Control::Prepare(rules.clone()), Control::Activate { rules: rules.hash() }];
        let stored = orders.iter().map(|order| records::json("", order)).collect::<Result<_, _>>()?;
        self.log.append(Topic::Control.partition(0), stored)?;
        self.wait_for(Distributor::NAME, Topic::Control)
    }

    fn send(&self, events: &[PaymentRecord]) -> Done<()> {
        for part in events.chunks(REQUEST_RECORDS) {
            let mut transaction = Transaction::default();
            for index in 0..self.layout.partitions(Topic::Payments) {
                let partition = Topic::Payments.partition(index);
                let is_here = |record: &&PaymentRecord| {
                    self.layout.partition(Topic::Payments, record.payment_id().unwrap_or_default())
                        == partition
                };
                let stored = part.iter().filter(is_here).map(records::payment).collect::<Result<_, _>>()?;
                transaction.appends.extend(Transaction::append(partition, stored).appends);
            }
            self.log.transact(transaction)?;
        }
        Ok(())
    }

    fn wait_for(&self, stage: &str, topic: Topic) -> Done<()> {
        for index in 0..self.layout.partitions(topic) {
            let partition = topic.partition(index);
            while self.log.lag(stage, partition)? > 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }

    fn wait_until_all_is_judged(&self) -> Done<()> {
        self.wait_for(Home::NAME, Topic::Payments)?;
        self.wait_for(Shard::NAME, Topic::Keyed)?;
        self.wait_for(Gather::NAME, Topic::Verdicts)
    }
}

fn record(event: PaymentEvent) -> PaymentRecord {
    let received_at = event.occurred_at;
    PaymentRecord::Event(EventRecord { received_at, awaited: false, late_reason: None, event: event.into() })
}

#[expect(clippy::print_stdout, reason = "this is what it is run for")]
fn judged(brokers: &Brokers, rules: &RuleBundle, events: &[PaymentRecord]) -> Done<()> {
    let library = Arc::new(CachingLibrary::without_lists());
    let mut engine = Engine::new(EngineConfig::default(), library);
    let orders = [Control::Prepare(rules.clone()), Control::Activate { rules: rules.hash() }];
    let mut output = Default::default();
    for (offset, order) in (0..).zip(orders.map(PaymentRecord::Control)) {
        engine.apply(offset, &order, &mut output);
    }
    // As a replay does: from their bytes.
    let stored = events.iter().map(records::payment).collect::<Result<Vec<_>, _>>()?;
    let began = Instant::now();
    for (offset, stored) in (2..).zip(&stored) {
        engine.apply(offset, &serde_json::from_slice(&stored.value)?, &mut output);
    }
    let alone = events.len() as f64 / began.elapsed().as_secs_f64();
    println!("composite engine, one thread: {alone:.0} events/s, {} alerts", output.alerts.len());
    for partitions in [1, 2] {
        let deployment = Deployment::new(brokers, &format!("judged-{partitions}"), partitions)?;
        deployment.order(rules)?;
        deployment.send(events)?;
        let began = Instant::now();
        deployment.start()?;
        deployment.wait_until_all_is_judged()?;
        let rate = events.len() as f64 / began.elapsed().as_secs_f64();
        println!(
            "{partitions} partitions over Kafka: {rate:.0} events/s to committed alerts, {:.0} % of it",
            100.0 * rate / alone
        );
        deployment.host.stop_all();
    }
    Ok(())
}

async fn ask(router: &Router, number: usize) -> (Duration, bool) {
    let body = serde_json::json!({
        "event_id": format!("D-{number}"), "payment_id": format!("D-{number}"), "occurred_at": SystemClock.now().to_string(),
        "amount": { "value": "100.00", "currency": "HKD" }, "method": "fps", "status": "authorized",
        "debtor": { "customer_id": format!("C-{}", number % 5_000), "name": "Payer", "account": format!("A-{}", number % 5_000) },
        "creditor": { "name": "Payee", "account": format!("B-{}", number % 9_973) },
    });
    let began = Instant::now();
    let request = Request::post("/v1/decisions?deadline_ms=30000").header("content-type", "application/json");
    let Ok(request) = request.body(Body::from(body.to_string())) else { return (began.elapsed(), false) };
    let text = match router.clone().oneshot(request).await {
        Ok(answer) => axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default(),
        Err(never) => match never {},
    };
    (began.elapsed(), String::from_utf8_lossy(&text).contains("\"deadline_passed\":false"))
}

fn percentiles(mut took: Vec<(Duration, bool)>) -> String {
    took.sort_unstable();
    let of = |thousand: usize| took[(took.len() - 1) * thousand / 1_000].0.as_secs_f64() * 1_000.0;
    let late = took.iter().filter(|(_, is_decided)| !is_decided).count();
    format!(
        "{} asked, {late} not decided; p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms",
        took.len(),
        of(500),
        of(990),
        of(1_000)
    )
}

#[expect(clippy::print_stdout, reason = "this is what it is run for")]
fn decided(brokers: &Brokers, rules: &RuleBundle) -> Done<()> {
    let deployment = Deployment::new(brokers, "decided", 2)?;
    deployment.order(rules)?;
    deployment.start()?;
    let runtime = Runtime::start(Parts {
        log: Arc::clone(&deployment.log) as _,
        engines: Engines::Elsewhere(deployment.layout),
        library: Arc::new(CachingLibrary::without_lists()),
        clock: Arc::new(SystemClock),
        accept_clock: false,
        webhooks: Webhooks::default(),
        zone: Zone::default(),
        registry: sluice_http::metrics::Registry::new(),
    })?;
    runtime.wait_until_live()?;
    let router = runtime.router();
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let highest = tokio.block_on(async {
        let mut took = Vec::new();
        for number in 0..200 {
            took.push(ask(&router, number).await);
        }
        println!("decisions one after another: {}", percentiles(took.split_off(50)));
        let began = Instant::now();
        let clients = (0..CLIENTS).map(|client| {
            let router = router.clone();
            tokio::spawn(async move {
                let mut took = Vec::new();
                while began.elapsed() < ASKED_FOR {
                    took.push(ask(&router, 1_000_000 * (client + 1) + took.len()).await);
                }
                took
            })
        });
        let clients: Vec<_> = clients.collect();
        let mut took = Vec::new();
        for client in clients {
            took.extend(client.await.unwrap_or_default());
        }
        let highest = took.len() as f64 / began.elapsed().as_secs_f64();
        println!("decisions by {CLIENTS} clients: {highest:.0} a second; {}", percentiles(took));
        highest
    });
    for share in [0.5, 0.25] {
        let every = Duration::from_secs_f64(1.0 / (highest * share));
        let took = tokio.block_on(async {
            let (began, mut under_way, mut tick) = (Instant::now(), Vec::new(), tokio::time::interval(every));
            while began.elapsed() < ASKED_FOR {
                tick.tick().await;
                let (router, number) =
                    (router.clone(), (100.0 / share) as usize * 1_000_000 + under_way.len());
                under_way.push(tokio::spawn(async move { ask(&router, number).await }));
            }
            let mut took = Vec::new();
            for asked in under_way {
                took.extend(asked.await);
            }
            took
        });
        println!("decisions at {:.0} a second, open loop: {}", highest * share, percentiles(took));
    }
    runtime.stop()?;
    deployment.host.stop_all();
    Ok(())
}

fn main() -> Done<()> {
    let wanted = std::env::var("SLUICE_KAFKA_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(EVENTS);
    let Some(brokers) = Brokers::start(1, &[]) else { return Err("there is no Kafka here".into()) };
    let rules = read_rules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs"))?;
    let start = SystemClock.now().minus(sluice_model::Span::days(2));
    let traffic = Traffic::new(Config::spanning(wanted as u64, 1, start)).take(wanted);
    let events: Vec<_> = traffic.map(|labelled| record(labelled.event)).collect();
    if std::env::var_os("SLUICE_DECISIONS_ONLY").is_none() {
        judged(&brokers, &rules, &events)?;
    }
    decided(&brokers, &rules)
}
