//! Decisions while a file is posted: the whole runtime over a log on disk, without a socket. Not a criterion suite:
//! what matters is the slowest answers, not the mean.
//!
//! `cargo bench -p sluice-benches --bench decisions`; `SLUICE_FILE_EVENTS` says how long the file is.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, body::Body, http::Request};
use sluice_codec::Zone;
use sluice_log::{EmbeddedLog, FileSnapshots, Log};
use sluice_model::PaymentEvent;
use sluice_runtime::{
    CachingLibrary, Clock, Engines, Parts, Runtime, SystemClock, Webhooks, limits, read_rules,
};
use sluice_simulator::traffic::{Config, Traffic};
use tower::ServiceExt;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The file that starved decisions.
const FILE_EVENTS: usize = 190_000;
/// Events of one body: what fits in the largest.
const BODY_EVENTS: usize = 9_000;
/// Decisions asked for each second.
const DECISIONS_EVERY: Duration = Duration::from_millis(20);

fn ndjson(events: &[PaymentEvent]) -> String {
    events.iter().filter_map(|event| serde_json::to_string(event).ok()).map(|line| line + "\n").collect()
}

fn request(path: &str, kind: &str, body: String) -> Request<Body> {
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = axum::http::Method::POST;
    *request.uri_mut() = path.parse().unwrap_or_default();
    request
        .headers_mut()
        .insert("content-type", kind.parse().unwrap_or(axum::http::HeaderValue::from_static("")));
    request
}

async fn ask(router: &Router, event: &PaymentEvent) -> (Duration, bool) {
    let began = Instant::now();
    let body = serde_json::to_string(event).unwrap_or_default();
    let answer = router.clone().oneshot(request("/v1/decisions", "application/json", body)).await;
    let text = match answer {
        Ok(answer) => axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default(),
        Err(never) => match never {},
    };
    (began.elapsed(), String::from_utf8_lossy(&text).contains("\"deadline_passed\":false"))
}

fn percentile(sorted: &[Duration], of_thousand: usize) -> Duration {
    sorted.get(sorted.len().saturating_sub(1) * of_thousand / 1_000).copied().unwrap_or_default()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted: usize =
        std::env::var("SLUICE_FILE_EVENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(FILE_EVENTS);
    let folder = tempfile::tempdir()?;
    let rules = read_rules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs"))?;
    let log: Arc<dyn Log> = Arc::new(EmbeddedLog::open(&folder.path().join("log"))?);
    let runtime = Runtime::start(Parts {
        log,
        engines: Engines::Here {
            snapshots: Arc::new(FileSnapshots::new(folder.path().join("snapshots"))),
            snapshot_every_records: limits::SNAPSHOT_EVERY_RECORDS,
        },
        library: Arc::new(CachingLibrary::without_lists()),
        clock: Arc::new(SystemClock),
        accept_clock: false,
        webhooks: Webhooks::default(),
        zone: Zone::default(),
        registry: sluice_http::metrics::Registry::new(),
    })?;
    runtime.put_rules_in_force(&rules)?;
    let router = runtime.router();
    // Of the last days, so that nothing is too old, and none in the future.
    let start = SystemClock.now().minus(sluice_model::Span::days(2));
    let day = Config { events_per_day: wanted as u64 * 2, ..Config::spanning(1_000_000, 1, start) };
    let mut events: Vec<PaymentEvent> =
        Traffic::new(day).map(|labelled| labelled.event).take(wanted * 2).collect();
    let asked = events.split_off(wanted.min(events.len()));
    let file: Vec<String> = events.chunks(BODY_EVENTS).map(ndjson).collect();

    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let is_posted = Arc::new(AtomicBool::new(false));
    let (mut took, posted, bodies) = tokio.block_on(async {
        let post = {
            let (router, is_posted) = (router.clone(), Arc::clone(&is_posted));
            tokio::spawn(async move {
                let (began, mut told_to_come_back) = (Instant::now(), 0);
                for body in file {
                    loop {
                        let answer = router
                            .clone()
                            .oneshot(request("/v1/events", "application/x-ndjson", body.clone()))
                            .await;
                        match answer {
                            Ok(answer) if answer.status().is_success() => break,
                            Ok(_) => told_to_come_back += 1,
                            Err(never) => match never {},
                        }
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
                is_posted.store(true, Ordering::Relaxed);
                (began.elapsed(), told_to_come_back)
            })
        };
        let mut every = tokio::time::interval(DECISIONS_EVERY);
        let mut asking = tokio::task::JoinSet::new();
        for event in asked {
            if is_posted.load(Ordering::Relaxed) {
                break;
            }
            every.tick().await;
            let router = router.clone();
            asking.spawn(async move { ask(&router, &event).await });
        }
        let took = asking.join_all().await;
        let (posted, told) = post.await.unwrap_or_default();
        (took, posted, told)
    });
    runtime.stop()?;
    took.sort_unstable();
    let late = took.iter().filter(|(_, in_time)| !in_time).count();
    let times: Vec<Duration> = took.iter().map(|(took, _)| *took).collect();
    println!(
        "{wanted} events posted in {posted:.1?} ({:.0} a second, told to come back {bodies} times); {} decisions \
         meanwhile: p50 {:.1?}, p99 {:.1?}, slowest {:.1?}; {late} not decided in time",
        wanted as f64 / posted.as_secs_f64(),
        times.len(),
        percentile(&times, 500),
        percentile(&times, 990),
        percentile(&times, 1_000),
    );
    Ok(())
}
