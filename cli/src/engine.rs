//! `sluice engine`: the stages of the partitions that this process owns, over Kafka.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use sluice_core::Layout;
use sluice_http::{
    metrics::{Registry, timed},
    serve::{Limits, serve},
};
use sluice_log::{
    LogError,
    kafka::{KafkaLog, KafkaOptions, KafkaSource, Member, Ownership, Topics},
};
use sluice_model::Topic;
use sluice_runtime::{
    Host, HostMetrics, HostParts, SourceParts, Sources, SystemClock, limits::SNAPSHOT_EVERY_RECORDS,
};
use tokio::{net::TcpListener, sync::oneshot};

use crate::{
    brokers::{self, Brokers},
    config::ConfigFile,
    failure::Failure,
    folders, metrics,
    process::{LogLines, Signals, write_log_lines},
    snapshots,
};

/// The group in which engines share the partitions.
const GROUP: &str = "sluice.engines";
/// How long one look at the group takes at most.
const MEMBER_POLL: Duration = Duration::from_millis(200);

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    #[command(flatten)]
    brokers: Brokers,
    /// This process's name among the engines: the same after a restart, so that it finds its partitions again, and no
    /// other's at the same time. [default: the machine's name]
    #[arg(long, value_name = "NAME", env = "SLUICE_INSTANCE")]
    instance: Option<String>,
    /// Where snapshots of state are kept. Engines that share the folder find each other's when partitions move.
    #[arg(long, value_name = "DIR", default_value = "sluice-engine-data")]
    data: PathBuf,
    /// Where snapshots are kept instead: s3://BUCKET/PREFIX, with credentials, region and endpoint from the environment
    /// (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL), or file:///FOLDER.
    #[arg(long, value_name = "URL", env = "SLUICE_SNAPSHOTS")]
    snapshots: Option<String>,
    /// The folder of list versions, the same for all engines. Without it, a screening that is ordered fails closed.
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// The folder of sources: NAME.toml says which topic of others is taken in, and how its records are read.
    #[arg(long, value_name = "DIR")]
    sources: Option<PathBuf>,
    /// The machine's clock is right, however far it is from the newest payment: sources take in under it.
    #[arg(long, requires = "sources")]
    accept_clock: bool,
    /// The address for /healthz, /readyz and /metrics; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8041")]
    listen: SocketAddr,
    /// Keep a snapshot of each stage's state after so many records.
    #[arg(long, value_name = "RECORDS", default_value_t = SNAPSHOT_EVERY_RECORDS)]
    snapshot_every: u64,
    /// How log lines are written to standard error. Which of them: SLUICE_LOG.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log: LogLines,
    /// Print one line of JSON when the process has joined.
    #[arg(long)]
    json: bool,
}

/// What this process does.
struct Works {
    host: Arc<Host>,
    sources: Arc<Sources>,
    registry: Registry,
}

/// Run the command.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    write_log_lines(args.log)?;
    let options = args.brokers.options(&brokers::instance(args.instance.as_deref()))?;
    let partitions = Topics::new(&options).and_then(|topics| topics.check()).map_err(brokers::failed)?;
    let (log, layout) = (KafkaLog::open(options.clone()), Layout::of_stages(partitions));
    let log = Arc::new(log.map_err(brokers::failed)?);
    let host = Arc::new(Host::new(HostParts {
        log: Arc::clone(&log) as _,
        snapshots: snapshots::open(args.snapshots.as_deref(), &args.data)?,
        library: folders::open_lists(args.lists.as_deref())?.library,
        layout,
        snapshot_every_records: args.snapshot_every,
    }));
    let sources = match &args.sources {
        None => Sources::default(),
        Some(folder) => {
            let join = {
                let log = Arc::clone(&log);
                move |name: &str, topic: &str| KafkaSource::join(&log, name, topic)
            };
            let clock = Arc::new(SystemClock);
            let parts = SourceParts { log, layout, clock, accept_clock: args.accept_clock };
            Sources::start(&parts, folder, join).map_err(|error| Failure::User(error.into()))?
        }
    };
    let (sources, registry) = (Arc::new(sources), metrics::registry()?);
    HostMetrics::register(&registry, Arc::clone(&host), Arc::clone(&sources))?;
    let works = Arc::new(Works { host, sources, registry });
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    tokio.block_on(run_until_asked(&args, options, works))
}

/// Take part until somebody asks the process to end, or it cannot go on.
async fn run_until_asked(args: &Args, options: KafkaOptions, works: Arc<Works>) -> Result<ExitCode, Failure> {
    let mut signals = Signals::new()?;
    let listener = TcpListener::bind(args.listen).await;
    let listener =
        listener.map_err(|error| Failure::user(format!("cannot listen on {}: {error}", args.listen)))?;
    let url = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel::<()>();
    let router = timed(router(Arc::clone(&works)), &works.registry)?;
    let server =
        tokio::spawn(serve(listener, router, Limits::of_this_process(), async { drop(stopped.await) }));

    let stopping = Arc::new(AtomicBool::new(false));
    let (ended, mut has_ended) = oneshot::channel();
    let member = {
        let (host, stopping) = (Arc::clone(&works.host), Arc::clone(&stopping));
        thread::Builder::new().name("member".into()).spawn(move || {
            let _ = ended.send(take_part(&options, &host, &stopping));
        })?
    };
    if args.json {
        println!("{}", serde_json::json!({"ready": true, "url": url}));
    } else {
        println!("this engine takes part; {url}/readyz says whether it has what it owns");
    }
    let result = tokio::select! {
        () = signals.next() => Ok(()),
        result = &mut has_ended => result.unwrap_or(Ok(())),
    };
    // A person who asks twice does not want to wait. What is durable stays durable.
    let patience = tokio::spawn(async move {
        signals.next().await;
        std::process::exit(130);
    });
    stopping.store(true, Ordering::Relaxed);
    let _ = tokio::task::spawn_blocking(move || {
        works.sources.stop();
        let _ = member.join();
        works.host.stop_all();
    })
    .await;
    drop(stop);
    let _ = server.await;
    patience.abort();
    result.map(|()| ExitCode::SUCCESS).map_err(brokers::failed)
}

/// Be a member until the process is to end.
fn take_part(options: &KafkaOptions, host: &Arc<Host>, stopping: &AtomicBool) -> Result<(), LogError> {
    let hosting = Arc::clone(host);
    let on_ownership = move |ownership| match ownership {
        Ownership::Given(partition) => {
            if let Err(error) = hosting.start(partition) {
                tracing::error!(%error, %partition, "the stages of a partition could not be started");
            }
        }
        Ownership::Taken(partition) => hosting.stop(partition),
    };
    let topics = [Topic::Payments, Topic::Control];
    let member = Member::join(options, GROUP, &topics, Box::new(on_ownership))?;
    while !stopping.load(Ordering::Relaxed) {
        member.poll(MEMBER_POLL)?;
    }
    // Stages let their partitions go before the group gives them to others.
    host.stop_all();
    Ok(())
}

/// Whether the process lives, whether all that it owns has caught up, and what it is measured by.
fn router(works: Arc<Works>) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok"))
        .route("/readyz", get(ready))
        .route("/metrics", get(measured))
        .with_state(works)
}

async fn measured(State(works): State<Arc<Works>>) -> Response {
    works.registry.answer().unwrap_or_else(|error| {
        tracing::error!(%error, "the metrics could not be gathered");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    })
}

async fn ready(State(works): State<Arc<Works>>) -> impl IntoResponse {
    let hosted = works.host.hosted();
    let behind = hosted.iter().filter(|stage| !stage.is_live || stage.trouble.is_some());
    let mut reasons: Vec<String> = behind
        .map(|stage| {
            let why = stage.trouble.as_deref().unwrap_or("what was committed before is applied again");
            format!("{} of {}: {why}", stage.stage, stage.partition)
        })
        .collect();
    let waiting = works.sources.progress().into_iter();
    reasons.extend(waiting.filter_map(|source| Some(format!("source {}: {}", source.name, source.trouble?))));
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, axum::Json(serde_json::json!({"stages": hosted.len(), "not_ready": reasons})))
}
