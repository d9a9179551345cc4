//! `sluice up`: ingest, engine, case API and console in one process, on embedded stores. And what of it `sluice api` serves too,
//! over engines of other processes.

mod args;
mod behind;
mod callers;
mod catalogue;
mod config;
mod config_report;
mod demo;
mod history;
pub(crate) mod integrity;
mod lists_in_force;
mod people;
mod ready;
mod room;
mod rules_in_force;
pub(crate) mod secrets;
mod shipped;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use sluice_case_api::{
    CaseApi, LogControls, LogFeed, Options, Ports,
    domain::{Role, Roles},
    ports::PortError,
};
use sluice_core::CaseRunner;
use sluice_http::{
    metrics::{Registry, timed},
    serve::{Limits, serve},
};
use sluice_log::Topic;
use sluice_runtime::{Outbox, Runtime, SystemClock};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

pub(crate) use self::{
    args::{Args, Common},
    behind::Behind,
};
use self::{behind::Started, config::Config, config_report::ConfigReport, people::Person};
use crate::{
    data::{CASES, KEY},
    failure::Failure,
    metrics,
    process::{Signals, write_log_lines},
};

/// How long requests under way may take once the process is to end.
const REQUESTS_FINISH_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    args.service().run()
}

impl Args {
    /// What is asked for.
    pub(crate) fn service(&self) -> Service<'_> {
        let data = self.data();
        Service {
            args: &self.common,
            evidence_key: data.join(KEY),
            data,
            demo: self.demo,
            watch_rules: self.watch_rules,
            behind: Behind::Embedded { snapshot_every_records: self.snapshot_every },
        }
    }
}

/// What is served, and over what.
pub(crate) struct Service<'a> {
    pub args: &'a Common,
    /// Where what is this process's own lies.
    pub data: PathBuf,
    /// The secret that signs the evidence.
    pub evidence_key: PathBuf,
    pub demo: bool,
    pub watch_rules: bool,
    pub behind: Behind,
}

impl Service<'_> {
    /// Serve until somebody asks the process to end, or it cannot go on.
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        write_log_lines(self.args.log)?;
        let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        tokio.block_on(async {
            let mut signals = Signals::new()?;
            let running = Running::start(&self, metrics::registry()?).await?;
            running.print_ready(self.args.json)?;
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
    pub(crate) async fn start(service: &Service<'_>, registry: Registry) -> Result<Self, Failure> {
        let mut config = Config::read(service, &registry)?;
        let configured = Arc::new(ConfigReport::default());
        let listen = service.args.listen;
        let listener = TcpListener::bind(listen)
            .await
            .map_err(|error| Failure::user(format!("cannot listen on {listen}: {error}")))?;
        registry.register(Box::new(config.room.clone()))?;
        let path = service.data.join(CASES);
        let database = service.args.database(&path)?;
        let webhooks = std::mem::take(&mut config.webhooks);
        let started = service.behind.start(service, database, &config, webhooks, &registry).await?;
        let Started { runtime, log, layout, is_shared } = started;

        let engine = Arc::clone(&runtime);
        let append = move |control, come, claim| {
            engine.control(control, Outbox { come: vec![come], claim }).map_err(failed)
        };
        let controls = if is_shared { LogControls::shared } else { LogControls::new };
        let ports = Ports {
            feed: Arc::new(LogFeed {
                log: Arc::clone(&log),
                partition_of: move |payment_id: &str| layout.partition(Topic::Payments, payment_id),
            }),
            control: Arc::new(controls(Arc::clone(&log), append)),
            catalogue: Arc::new(catalogue::InForce::new(&runtime, &config, &configured)),
            cases: Arc::new(CaseRunner),
            history: Arc::new(history::OwnLog {
                log,
                partitions: layout.partitions(Topic::Payments),
                runtime: Arc::clone(&runtime),
                library: Arc::clone(&config.library),
            }),
            clock: Arc::new(SystemClock),
        };
        let signer = secrets::signer(&service.evidence_key)?;
        let options = Options { registry: registry.clone(), is_shared, ..Options::default() };
        let cases = CaseApi::open(database, signer, ports, options).await?;
        if let Some(against) = runtime.accepted_clock() {
            cases.record_accepted_clock(&against.to_string()).await?;
        }
        let library = Arc::clone(&config.library);
        let rules_watched = config.rules.watched;
        let mut lists = lists_in_force::Keeper::new(config.lists, &runtime, &library, &configured, &cases);
        lists.begin().await?;
        let mut rules = rules_in_force::Keeper::new(config.rules, &runtime, &configured, &cases);
        rules.begin().await?;
        let people = people::put(&cases, service.demo, is_shared).await?;
        let lasting = lasting(&cases, service.demo, rules_watched).await?;
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
        if service.demo {
            tasks.push(tokio::spawn(demo::traffic(Arc::clone(&runtime), asked(stopping.clone()))));
        }
        tasks.push(tokio::spawn(lists.run(asked(stopping.clone()))));
        tasks.push(tokio::spawn(rules.run(asked(stopping))));
        let demo = service.demo;
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
