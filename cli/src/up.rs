//! `sluice up`: ingest, engine, case API and console in one process, on embedded stores.

mod demo;
mod history;
mod integrity;
mod ports;
mod room;
mod secrets;
mod shipped;

use std::{
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use serde::Serialize;
use sluice_case_api::{
    CaseApi, Options, Ports,
    domain::{Role, Roles},
    ports::SystemClock as CaseClock,
    store::Database,
};
use sluice_core::{CaseRunner, Library};
use sluice_list_store::Store;
use sluice_log::{EmbeddedLog, FileSnapshots, Log, LogError};
use sluice_model::{RuleBundle, RuleFile, Screening};
use sluice_rules::RuleSet;
use sluice_runtime::{
    CachingLibrary, Change, Fingerprint, Parts, Runtime, SystemClock, Watch, limits::SNAPSHOT_EVERY_RECORDS,
};
use tokio::{net::TcpListener, runtime::Handle, sync::watch, task::JoinHandle};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use self::room::Room;
use crate::{failure::Failure, folders, private};

/// Where everything lies when nothing is said.
const DATA: &str = "sluice-data";
/// Where a demonstration lies when nothing is said: its invented people are kept apart from real ones.
const DEMO_DATA: &str = "sluice-demo-data";
/// The case database, in the data folder.
const CASES: &str = "cases.sqlite";
/// The origin of rules that a folder holds, as their versions are recorded.
const FOLDER: &str = "folder";
/// The origin of the rules inside the binary.
const SHIPPED: &str = "shipped";
/// The sign-in that each start makes anew.
const OPERATOR: &str = "operator";
/// Which log lines are wanted: a level, or targets with levels, `info,sluice_runtime=debug`.
const LOG_WANTED: &str = "SLUICE_LOG";
/// How long requests under way may take once the process is to end.
const REQUESTS_FINISH_WITHIN: Duration = Duration::from_secs(10);

/// Arguments.
#[derive(clap::Args)]
pub struct Args {
    /// Where the log, snapshots, cases and evidence are kept; made where there is none.
    /// [default: sluice-data, with --demo sluice-demo-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8040")]
    listen: SocketAddr,
    /// The folder of rules, and all below it: watched, and put in force when a file is saved. Without it, the
    /// core and Hong Kong packs shipped with Sluice.
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// Rules change by approval alone: the folder, or the shipped set, is read at the first start and never again.
    #[arg(long)]
    rules_by_approval: bool,
    /// The folder of list versions (see `sluice lists`): watched. Without it, screening is off.
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// Seed people, an invented list and live simulated traffic.
    #[arg(long)]
    demo: bool,
    /// Keep a snapshot of the engine's state after so many records; it only saves time at the next start.
    #[arg(long, value_name = "RECORDS", default_value_t = SNAPSHOT_EVERY_RECORDS)]
    snapshot_every: u64,
    /// Go on although a store lost its tail or is an older copy: what that means is said, and kept as evidence.
    #[arg(long)]
    accept_loss: bool,
    /// Print one line of JSON when ready.
    #[arg(long)]
    json: bool,
}

/// What is printed when everything is ready.
#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    url: &'a str,
    user: &'a str,
    password: &'a str,
    api_key: &'a str,
    /// Whether parties are screened.
    screening: bool,
    /// How many rules are in force.
    rules: usize,
}

/// Run the command.
pub fn run(args: Args) -> Result<ExitCode, Failure> {
    write_log_lines()?;
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    tokio.block_on(async {
        let mut signals = Signals::new()?;
        let running = Running::start(&args).await?;
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

/// Log lines go to standard error, those that `SLUICE_LOG` asks for.
fn write_log_lines() -> Result<(), Failure> {
    let wanted = match std::env::var(LOG_WANTED) {
        Ok(wanted) => wanted.parse().map_err(|error| Failure::user(format!("{LOG_WANTED}: {error}")))?,
        Err(_) => Targets::new().with_default(tracing::Level::INFO),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // A second subscriber, in a test, is no reason to fail.
    let _ = tracing_subscriber::registry().with(lines).with(wanted).try_init();
    Ok(())
}

/// Everything that runs.
struct Running {
    runtime: Arc<Runtime>,
    cases: CaseApi,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    watches: Vec<Watch>,
    url: String,
    people: Vec<Person>,
    api_key: String,
}

/// Somebody who may sign in.
struct Person {
    name: &'static str,
    roles: Roles,
    password: String,
}

impl Running {
    async fn start(args: &Args) -> Result<Self, Failure> {
        let data = args.data.clone().unwrap_or_else(|| if args.demo { DEMO_DATA } else { DATA }.into());
        let config = Config::read(args, &data)?;
        let listener = TcpListener::bind(args.listen)
            .await
            .map_err(|error| Failure::user(format!("cannot listen on {}: {error}", args.listen)))?;
        let registry = prometheus::Registry::new();
        registry.register(Box::new(config.room.clone()))?;
        let (runtime, log) = start_engine(&data, &config, &registry).await?;
        let ports = Ports {
            feed: Arc::new(ports::Feeds::new(Arc::clone(&log), Arc::clone(&runtime))),
            control: Arc::new(ports::Controls { runtime: Arc::clone(&runtime), log: Arc::clone(&log) }),
            catalogue: Arc::new(ports::InForce::new(&runtime, &config)),
            cases: Arc::new(CaseRunner),
            history: Arc::new(history::OwnLog {
                log,
                runtime: Arc::clone(&runtime),
                library: Arc::clone(&config.library),
            }),
            clock: Arc::new(CaseClock),
        };
        let signer = secrets::signer(&data)?;
        let options = Options { registry, ..Options::default() };
        let cases = CaseApi::open(Database::File(&data.join(CASES)), signer, ports, options).await?;
        config.put_rules_in_force(&runtime, &cases, args.rules_by_approval).await?;
        let people = put_people(&cases, args.demo).await?;
        let api_key = cases.memory_key("process", Roles::new(Role::ALL))?;

        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopping) = watch::channel(false);
        let serve = axum::serve(listener, cases.router(runtime.router()))
            .with_graceful_shutdown(asked(stopping.clone()));
        let mut tasks = vec![
            tokio::spawn(async move {
                if let Err(error) = serve.await {
                    tracing::error!(%error, "the server has stopped");
                }
            }),
            tokio::spawn({
                let (cases, stopping) = (cases.clone(), asked(stopping.clone()));
                async move { cases.run(stopping).await }
            }),
        ];
        if args.demo {
            tasks.push(tokio::spawn(demo::traffic(Arc::clone(&runtime), asked(stopping.clone()))));
        }
        let watches = config.watch(&runtime, &cases, args.rules_by_approval)?;
        Ok(Self { runtime, cases, stop, tasks, watches, url, people, api_key })
    }

    fn print_ready(&self, json: bool) -> Result<(), Failure> {
        let status = self.runtime.status();
        let (screening, rules) = (!status.screening.lists.is_empty(), status.rules.descriptions().len());
        let operator = &self.people[0];
        let (user, password, api_key) = (operator.name, operator.password.as_str(), self.api_key.as_str());
        let mut out = std::io::stdout().lock();
        if json {
            let ready = Ready { ready: true, url: &self.url, user, password, api_key, screening, rules };
            serde_json::to_writer(&mut out, &ready)?;
            writeln!(out)?;
            return Ok(out.flush()?);
        }
        writeln!(out, "Sluice is ready: {}\n\nSign in as:", self.url)?;
        for person in &self.people {
            writeln!(out, "  {:<10} {}  ({})", person.name, person.password, person.roles)?;
        }
        writeln!(out, "\nAPI key of this process: {api_key}\nRules in force: {rules}")?;
        match screening {
            true => writeln!(out, "Screening against: {}", names(&status.screening))?,
            false => writeln!(out, "Screening is OFF: no list is configured (see --lists)")?,
        }
        Ok(writeln!(out, "Stop with Ctrl-C.")?)
    }

    async fn engine_stopped(&self) -> String {
        let runtime = Arc::clone(&self.runtime);
        let waited = tokio::task::spawn_blocking(move || runtime.wait_until_stopped()).await;
        waited.unwrap_or_else(|error| error.to_string())
    }

    /// Answer the requests under way, judge all that is durable, keep a snapshot, close.
    async fn stop(mut self) -> Result<(), Failure> {
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
        let (runtime, watches) = (self.runtime, self.watches);
        let stopped = tokio::task::spawn_blocking(move || {
            let stopped = runtime.stop();
            drop(watches);
            stopped
        });
        Ok(stopped.await??)
    }
}

/// What is to be put in force, and where it comes from.
struct Config {
    rules: RuleBundle,
    cases: Vec<RuleFile>,
    rule_count: usize,
    rules_folder: Option<(PathBuf, Fingerprint)>,
    screening: Screening,
    lists: Option<(PathBuf, Store)>,
    library: Arc<dyn Library>,
    snapshot_every: u64,
    accept_loss: bool,
    room: Room,
}

impl Config {
    /// Read and check everything before anything is started: what is broken is the user's to mend.
    fn read(args: &Args, data: &Path) -> Result<Self, Failure> {
        let (rules, cases, rules_folder) = match &args.rules {
            Some(folder) => {
                let files = sluice_runtime::fingerprint(folder).map_err(user)?;
                let rules = sluice_runtime::read_rules(folder).map_err(user)?;
                let cases = sluice_runtime::read_cases(folder, &rules).map_err(user)?;
                (rules, cases, Some((folder.clone(), files)))
            }
            None => (shipped::rules(), shipped::cases(), None),
        };
        let rule_count = folders::check_rules(&rules)?.files().len();
        let folder = std::fs::create_dir_all(data).and_then(|()| private::narrow(data, is_ours));
        folder.with_context(|| data.display().to_string()).map_err(Failure::User)?;
        let room = Room::look(data)?;
        let lists = match (&args.lists, args.demo) {
            (Some(folder), _) => Some((folder.clone(), Store::open(folder).map_err(user)?)),
            (None, true) => {
                let folder = data.join("lists");
                let store = demo::lists(&folder)?;
                Some((folder, store))
            }
            (None, false) => None,
        };
        let library = match &lists {
            Some((_, store)) => CachingLibrary::over(store.clone()),
            None => CachingLibrary::without_lists(),
        };
        let active = lists.as_ref().map(|(_, store)| store.active()).transpose().map_err(user)?;
        let screening = Screening { lists: active.unwrap_or_default(), ..Screening::default() };
        if !screening.lists.is_empty() {
            // Configured but unreadable: closed, before the first payment.
            library.screener(&screening).map_err(user)?;
        }
        Ok(Self {
            rules,
            cases,
            rule_count,
            rules_folder,
            screening,
            lists,
            library: Arc::new(library),
            snapshot_every: args.snapshot_every,
            accept_loss: args.accept_loss,
            room,
        })
    }

    /// Where the configured rules come from, as their versions are recorded.
    fn origin(&self) -> &'static str {
        if self.rules_folder.is_some() { FOLDER } else { SHIPPED }
    }

    /// Put the configured rules in force, unless they are what they were at the last start and officers have put
    /// others in force since; by approval alone, only where none judge yet.
    async fn put_rules_in_force(
        &self,
        runtime: &Arc<Runtime>,
        cases: &CaseApi,
        by_approval: bool,
    ) -> Result<(), Failure> {
        let (engine, rules) = (Arc::clone(runtime), self.rules.clone());
        let live = tokio::task::spawn_blocking(move || engine.wait_until_live()).await??;
        let judges = live.rules.hash() != RuleSet::empty().hash();
        let is_known = cases.last_rules_from(self.origin()).await? == Some(rules.hash().to_string());
        if judges && (by_approval || is_known) {
            return Ok(());
        }
        let engine = Arc::clone(runtime);
        tokio::task::spawn_blocking(move || engine.put_rules_in_force(&rules)).await??;
        let files = [self.rules.files.as_slice(), &self.cases].concat();
        Ok(cases.record_rules(self.origin(), &files, self.rule_count).await?)
    }

    /// Keep in force what the folders say.
    fn watch(
        self,
        runtime: &Arc<Runtime>,
        cases: &CaseApi,
        by_approval: bool,
    ) -> Result<Vec<Watch>, Failure> {
        let mut watches = Vec::new();
        if let Some((folder, seen)) = self.rules_folder.filter(|_| !by_approval) {
            let (cases, tokio, from) = (cases.clone(), Handle::current(), folder.clone());
            let tell = move |change| {
                if let Change::Rules(bundle) = &change
                    && let Err(error) = tokio.block_on(record(&cases, &from, bundle))
                {
                    tracing::error!(%error, "the folder's rules are in force, but not recorded as a version");
                }
                tell(change);
            };
            watches.push(Watch::rules(Arc::clone(runtime), folder, seen, tell)?);
        }
        if let Some((folder, store)) = self.lists {
            let (runtime, seen) = (Arc::clone(runtime), self.screening.lists);
            watches.push(Watch::lists(runtime, folder, store, self.library, seen, tell)?);
        }
        Ok(watches)
    }
}

/// Record what a folder has put in force.
async fn record(cases: &CaseApi, folder: &Path, rules: &RuleBundle) -> anyhow::Result<()> {
    let count = RuleSet::compile(rules)?.files().len();
    let files = [rules.files.clone(), sluice_runtime::read_cases(folder, rules)?].concat();
    Ok(cases.record_rules(FOLDER, &files, count).await?)
}

/// Whether an entry of the data folder is one that Sluice makes.
fn is_ours(name: &str) -> bool {
    ["log", "snapshots", "lists", secrets::FILE].contains(&name) || name.starts_with(CASES)
}

/// Open the log and have the engine judge by what is configured.
async fn start_engine(
    data: &Path,
    config: &Config,
    registry: &prometheus::Registry,
) -> Result<(Arc<Runtime>, Arc<dyn Log>), Failure> {
    let log = EmbeddedLog::open(&data.join("log")).map_err(|error| match error {
        LogError::InUse { .. } | LogError::Format { .. } | LogError::Full { .. } => user(error),
        other => integrity::damaged_log(other),
    })?;
    let snapshots = FileSnapshots::new(data.join("snapshots"));
    integrity::check(data, &log, &snapshots, config.accept_loss).await?;
    let log: Arc<dyn Log> = Arc::new(log);
    let runtime = Arc::new(Runtime::start(Parts {
        log: Arc::clone(&log),
        snapshots: Arc::new(snapshots),
        library: Arc::clone(&config.library),
        clock: Arc::new(SystemClock),
        registry: registry.clone(),
        snapshot_every_records: config.snapshot_every,
    })?);
    let (engine, screening) = (Arc::clone(&runtime), config.screening.clone());
    tokio::task::spawn_blocking(move || engine.screen_against(screening)).await??;
    Ok((runtime, log))
}

/// Those who may sign in. Passwords are made anew at each start and stored nowhere in clear: whoever starts the
/// process holds its data anyway.
async fn put_people(cases: &CaseApi, demo: bool) -> Result<Vec<Person>, Failure> {
    let everybody = Role::ALL.into_iter().filter(|role| *role != Role::Service);
    let mut people = vec![(OPERATOR, Roles::new(everybody))];
    if demo {
        people.extend(demo::people());
    }
    let mut put = Vec::new();
    for (name, roles) in people {
        let password = secrets::password()?;
        cases.put_user(name, &password, roles.clone(), "sluice up").await?;
        put.push(Person { name, roles, password });
    }
    Ok(put)
}

/// Tell of a change in a folder.
fn tell(change: Change) {
    match change {
        Change::Rules(bundle) => {
            tracing::info!(rules = %bundle.hash().short(), files = bundle.files.len(), "rules are in force");
        }
        Change::Lists(lists) => tracing::info!(sources = lists.len(), "list versions are in force"),
        Change::Refused { folder, reason } => {
            tracing::error!(folder = %folder.display(), "not put in force, the last good one stays:\n{reason}");
        }
    }
}

fn names(screening: &Screening) -> String {
    screening.lists.keys().cloned().collect::<Vec<_>>().join(", ")
}

fn user(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::User(error.into())
}

/// Ready when the process is to end.
async fn asked(mut stopping: watch::Receiver<bool>) {
    // The sender is gone: the process ends too.
    let _ = stopping.wait_for(|asked| *asked).await;
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
