//! `sluice up`: ingest, engine, case API and console in one process, on embedded stores.

mod args;
mod callers;
mod catalogue;
mod config;
mod config_report;
mod demo;
mod history;
mod integrity;
mod lists_in_force;
mod people;
mod ready;
mod room;
mod rules_in_force;
mod secrets;
mod shipped;

use std::{path::Path, process::ExitCode, sync::Arc, time::Duration};

use sluice_case_api::{
    CaseApi, LogControls, LogFeed, Options, Ports,
    domain::{Role, Roles},
    ports::PortError,
    store::Database,
};
use sluice_core::CaseRunner;
use sluice_http::{
    metrics::{Registry, timed},
    serve::{Limits, serve},
};
use sluice_log::{EmbeddedLog, FileSnapshots, Log, LogError};
use sluice_runtime::{Parts, Runtime, SystemClock, Webhooks};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub(crate) use self::args::Args;
use self::{config::Config, config_report::ConfigReport, people::Person};
use crate::{
    failure::Failure,
    metrics,
    process::{Signals, write_log_lines},
};

/// The case database, in the data folder.
const CASES: &str = "cases.sqlite";
/// How long requests under way may take once the process is to end.
const REQUESTS_FINISH_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    write_log_lines(args.log)?;
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    tokio.block_on(async {
        let mut signals = Signals::new()?;
        let running = Running::start(&args, metrics::registry()?).await?;
        running.print_ready(args.json)?;
        let ended = tokio::select! {
            () = signals.next() => Ok(()),
            reason = running.engine_stopped() => Err(reason),
        };
        // A person who asks twice does not want to wait. What is durable stays durable.
        let patience = tokio::spawn(async move {
            signals.next().await;
            std::process::exit(130);
        });
        let stopped = running.stop().await;
        patience.abort();
        match ended {
            Ok(()) => stopped.map(|()| ExitCode::SUCCESS),
            Err(reason) => Err(Failure::Internal(anyhow::anyhow!("the engine has stopped: {reason}"))),
        }
    })
}

/// Everything that runs.
pub(crate) struct Running {
    runtime: Arc<Runtime>,
    cases: CaseApi,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    url: String,
    people: Vec<Person>,
    api_key: String,
    configured: Arc<ConfigReport>,
    demo: bool,
    rules_watched: bool,
}

impl Running {
    /// Start it. `registry`: where everything is measured.
    pub(crate) async fn start(args: &Args, registry: Registry) -> Result<Self, Failure> {
        let data = args.data();
        let mut config = Config::read(args, &data, &registry)?;
        let configured = Arc::new(ConfigReport::default());
        let listener = TcpListener::bind(args.listen)
            .await
            .map_err(|error| Failure::user(format!("cannot listen on {}: {error}", args.listen)))?;
        registry.register(Box::new(config.room.clone()))?;
        let path = data.join(CASES);
        let cases = args.database(&path)?;
        let webhooks = std::mem::take(&mut config.webhooks);
        let (runtime, log) = start_engine(&data, cases, &config, webhooks, &registry).await?;
        // The engine in this process is handed what it has to apply: it writes the payments log.
        let engine = Arc::clone(&runtime);
        let append = move |control, come| engine.control(control, Some(come)).map_err(failed);
        let ports = Ports {
            feed: Arc::new(LogFeed(Arc::clone(&log))),
            control: Arc::new(LogControls { log: Arc::clone(&log), append }),
            catalogue: Arc::new(catalogue::InForce::new(&runtime, &config, &configured)),
            cases: Arc::new(CaseRunner),
            history: Arc::new(history::OwnLog {
                log,
                runtime: Arc::clone(&runtime),
                library: Arc::clone(&config.library),
            }),
            clock: Arc::new(SystemClock),
        };
        let signer = secrets::signer(&data)?;
        let options = Options { registry: registry.clone(), ..Options::default() };
        let cases = CaseApi::open(cases, signer, ports, options).await?;
        if let Some(against) = runtime.accepted_clock() {
            cases.record_accepted_clock(&against.to_string()).await?;
        }
        let library = Arc::clone(&config.library);
        let rules_watched = config.rules.watched;
        let mut lists = lists_in_force::Keeper::new(config.lists, &runtime, &library, &configured, &cases);
        lists.begin().await?;
        let mut rules = rules_in_force::Keeper::new(config.rules, &runtime, &configured, &cases);
        rules.begin().await?;
        let people = people::put(&cases, args.demo).await?;
        let lasting = lasting(&cases, args.demo, rules_watched).await?;
        lasting.iter().for_each(|notice| tracing::warn!("{notice}"));
        configured.update(|now| now.lasting = lasting);
        let api_key = cases.memory_key("process", Roles::new(Role::ALL))?;

        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopping) = watch::channel(false);
        // Beside sign-in, not behind it.
        let router = cases.router(callers::with_callers(runtime.router())).merge(runtime.webhook_router());
        let router = timed(router, &registry)?;
        let mut tasks = vec![
            tokio::spawn(serve(listener, router, Limits::of_this_process(), asked(stopping.clone()))),
            tokio::spawn({
                let (cases, stopping) = (cases.clone(), asked(stopping.clone()));
                async move { cases.run(stopping).await }
            }),
        ];
        if args.demo {
            tasks.push(tokio::spawn(demo::traffic(Arc::clone(&runtime), asked(stopping.clone()))));
        }
        tasks.push(tokio::spawn(lists.run(asked(stopping.clone()))));
        tasks.push(tokio::spawn(rules.run(asked(stopping))));
        let demo = args.demo;
        Ok(Self { runtime, cases, stop, tasks, url, people, api_key, configured, demo, rules_watched })
    }

    async fn engine_stopped(&self) -> String {
        let runtime = Arc::clone(&self.runtime);
        let waited = tokio::task::spawn_blocking(move || runtime.wait_until_stopped()).await;
        waited.unwrap_or_else(|error| error.to_string())
    }

    /// Answer the requests under way, judge all that is durable, keep a snapshot, close.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        self.stop.send_replace(true);
        let finish = async {
            for task in &mut self.tasks {
                let _ = task.await;
            }
        };
        if tokio::time::timeout(REQUESTS_FINISH_WITHIN, finish).await.is_err() {
            tracing::warn!("requests under way were cut off");
            self.tasks.iter().for_each(JoinHandle::abort);
        }
        if tokio::time::timeout(REQUESTS_FINISH_WITHIN, self.cases.close()).await.is_err() {
            tracing::warn!("the case database was not closed; the next start reads what it left");
        }
        let runtime = self.runtime;
        Ok(tokio::task::spawn_blocking(move || runtime.stop()).await??)
    }
}

/// What holds as long as the process runs and everybody has to know.
async fn lasting(cases: &CaseApi, demo: bool, rules_watched: bool) -> Result<Vec<String>, Failure> {
    let mut notices = Vec::new();
    if demo {
        notices
            .push("This is a demonstration: its people, its list and its payments are invented.".to_owned());
    } else if cases.disable_demo_people().await? > 0 {
        notices.push(
            "This data folder is a demonstration's: what is in it is invented, and its people cannot sign in without \
             --demo."
                .to_owned(),
        );
    }
    if rules_watched && !demo {
        notices.push(
            "For development: rules come from a watched folder, and whoever saves a file there changes what judges, \
             without anybody's approval."
                .to_owned(),
        );
    }
    Ok(notices)
}

/// Open the log and have the engine judge by what it says.
async fn start_engine(
    data: &Path,
    cases: Database<'_>,
    config: &Config,
    webhooks: Webhooks,
    registry: &Registry,
) -> Result<(Arc<Runtime>, Arc<dyn Log>), Failure> {
    let log = EmbeddedLog::open(&data.join("log")).map_err(|error| match error {
        LogError::InUse { .. } | LogError::Format { .. } | LogError::Full { .. } => user(error),
        other => integrity::damaged_log(other),
    })?;
    let snapshots = FileSnapshots::new(data.join("snapshots"));
    integrity::check(data, cases, &log, &snapshots, config.accept_loss).await?;
    let log: Arc<dyn Log> = Arc::new(log);
    let runtime = Arc::new(Runtime::start(Parts {
        log: Arc::clone(&log),
        snapshots: Arc::new(snapshots),
        library: Arc::clone(&config.library),
        clock: Arc::new(SystemClock),
        accept_clock: config.accept_clock,
        webhooks,
        zone: config.zone.clone(),
        registry: registry.clone(),
        snapshot_every_records: config.snapshot_every,
    })?);
    let engine = Arc::clone(&runtime);
    tokio::task::spawn_blocking(move || engine.wait_until_live()).await??;
    Ok((runtime, log))
}

/// An error as the case side reads it.
fn failed(error: impl std::fmt::Display) -> PortError {
    PortError(error.to_string())
}

fn user(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::User(error.into())
}

/// Ready when the process is to end.
async fn asked(mut stopping: watch::Receiver<bool>) {
    // The sender is gone: the process ends too.
    let _ = stopping.wait_for(|asked| *asked).await;
}
