//! `sluice up`: ingest, engine, case API and console in one process, on embedded stores.

mod configured;
mod demo;
mod history;
mod integrity;
mod lists_in_force;
mod ports;
mod room;
mod rules_in_force;
mod secrets;
mod serve;
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
    store::Database,
};
use sluice_core::{CaseRunner, Library};
use sluice_list_store::Store;
use sluice_log::{EmbeddedLog, FileSnapshots, Log, LogError};
use sluice_model::{Screening, Span, Unnamed};
use sluice_runtime::{Parts, Runtime, SystemClock, Webhooks, limits::SNAPSHOT_EVERY_RECORDS};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tracing_subscriber::{filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use self::{configured::Configured, lists_in_force::Lists, room::Room, rules_in_force::Rules};
use crate::{failure::Failure, folders, private};

/// Where everything lies when nothing is said.
const DATA: &str = "sluice-data";
/// Where a demonstration lies when nothing is said: its invented people are kept apart from real ones.
const DEMO_DATA: &str = "sluice-demo-data";
/// The case database, in the data folder.
const CASES: &str = "cases.sqlite";
/// The sign-in that each start makes anew.
const OPERATOR: &str = "operator";
/// Which log lines are wanted: a level, or targets with levels, `info,sluice_runtime=debug`.
const LOG_WANTED: &str = "SLUICE_LOG";
/// How long requests under way may take once the process is to end.
const REQUESTS_FINISH_WITHIN: Duration = Duration::from_secs(10);

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Where the log, snapshots, cases and evidence are kept; made where there is none.
    /// [default: sluice-data, with --demo sluice-demo-data]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The PostgreSQL database that keeps the cases, postgres://USER:PASSWORD@HOST/DATABASE, instead of a file of the data
    /// folder. A command line can be read by others: say it in the environment.
    #[arg(long, value_name = "URL", env = "SLUICE_DATABASE", hide_env_values = true)]
    database: Option<String>,
    /// The address to listen on; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8040")]
    listen: SocketAddr,
    /// The folder of rules, and all below it: in force from the first start on. Later, rules change by approval, and
    /// where the folder differs the console says so. Without it, the core and Hong Kong packs shipped with Sluice.
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// For development: watch the folder of rules, and put what is saved in force without anybody's approval.
    #[arg(long)]
    watch_rules: bool,
    /// As without it: rules change by approval.
    #[arg(long, hide = true)]
    rules_by_approval: bool,
    /// The folder of list versions (see `sluice lists`): watched. Without it, and where none was in force before,
    /// screening is off.
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// How long ago a list may have been checked: beyond it nothing counts as screened, and payments are held. `never`:
    /// no limit.
    #[arg(long, value_name = "AGE", default_value = LIST_AGE_MAX, value_parser = age)]
    list_age_max: AgeMax,
    /// What is done with a payment that names nobody on one side: hold, alert or accept.
    #[arg(long, value_name = "POLICY", default_value = "hold", value_parser = folders::unnamed)]
    unnamed: Unnamed,
    /// The folder of those who send webhooks: NAME.toml says how what is posted to /v1/webhooks/NAME is signed and read.
    /// Nobody signs in there.
    #[arg(long, value_name = "DIR")]
    webhooks: Option<PathBuf>,
    /// Confirm that the machine's clock is right, however far it is from the newest record of the log.
    #[arg(long)]
    accept_clock: bool,
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

impl Args {
    /// Where the cases are: in a file of the data folder, or where it is said.
    fn database<'a>(&'a self, file: &'a Path) -> Result<Database<'a>, Failure> {
        match &self.database {
            None => Ok(Database::File(file)),
            #[cfg(feature = "postgres")]
            Some(url) => Ok(Database::Postgres(url)),
            #[cfg(not(feature = "postgres"))]
            Some(_) => {
                Err(Failure::user("this build has no PostgreSQL: build it with `--features postgres`"))
            }
        }
    }
}

/// How old a list may be where nothing is said: official lists change weekly at least, and a month without a check is a
/// fetcher that nobody looks after.
const LIST_AGE_MAX: &str = "30d";

/// A limit of the age of lists, or none.
#[derive(Clone, Copy)]
struct AgeMax(Option<Span>);

fn age(text: &str) -> Result<AgeMax, String> {
    match text {
        "never" => Ok(AgeMax(None)),
        text => match text.parse::<Span>() {
            Ok(span) if span > Span::seconds(0) => Ok(AgeMax(Some(span))),
            _ => Err("say a length of time, such as 30d or 12h, or never".to_owned()),
        },
    }
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
    /// Currencies for which they have no rate today.
    currencies_without_rate: Vec<String>,
    /// Whether its people, lists and payments are invented.
    demo: bool,
    /// Whether a saved rule judges without anybody's approval.
    rules_watched: bool,
    /// What whoever runs it has to know, in sentences.
    notices: Vec<String>,
    /// The invented people of a demonstration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    people: Vec<Invented<'a>>,
}

/// One of the invented people.
#[derive(Serialize)]
struct Invented<'a> {
    user: &'a str,
    password: &'a str,
    roles: &'a Roles,
}

/// Run the command.
pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
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
    url: String,
    people: Vec<Person>,
    api_key: String,
    configured: Arc<Configured>,
    demo: bool,
    rules_watched: bool,
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
        let registry = prometheus::Registry::new();
        let mut config = Config::read(args, &data, &registry)?;
        let configured = Arc::new(Configured::default());
        let listener = TcpListener::bind(args.listen)
            .await
            .map_err(|error| Failure::user(format!("cannot listen on {}: {error}", args.listen)))?;
        registry.register(Box::new(config.room.clone()))?;
        let path = data.join(CASES);
        let cases = args.database(&path)?;
        let webhooks = std::mem::take(&mut config.webhooks);
        let (runtime, log) = start_engine(&data, cases, &config, webhooks, &registry).await?;
        let ports = Ports {
            feed: Arc::new(ports::Feeds::new(Arc::clone(&log), Arc::clone(&runtime))),
            control: Arc::new(ports::Controls { runtime: Arc::clone(&runtime), log: Arc::clone(&log) }),
            catalogue: Arc::new(ports::InForce::new(&runtime, &config, &configured)),
            cases: Arc::new(CaseRunner),
            history: Arc::new(history::OwnLog {
                log,
                runtime: Arc::clone(&runtime),
                library: Arc::clone(&config.library),
            }),
            clock: Arc::new(SystemClock),
        };
        let signer = secrets::signer(&data)?;
        let options = Options { registry, ..Options::default() };
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
        let people = put_people(&cases, args.demo).await?;
        let lasting = lasting(&cases, args.demo, rules_watched).await?;
        lasting.iter().for_each(|notice| tracing::warn!("{notice}"));
        configured.update(|now| now.lasting = lasting);
        let api_key = cases.memory_key("process", Roles::new(Role::ALL))?;

        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopping) = watch::channel(false);
        // Beside sign-in, not behind it.
        let router = cases.router(serve::with_callers(runtime.router())).merge(runtime.webhook_router());
        let limits = serve::Limits::of_this_process();
        let mut tasks = vec![
            tokio::spawn(serve::serve(listener, router, limits, asked(stopping.clone()))),
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

    fn print_ready(&self, json: bool) -> Result<(), Failure> {
        let status = self.runtime.status();
        let (screening, rules) = (!status.screening.lists.is_empty(), status.rules.descriptions().len());
        let currencies_without_rate = folders::currencies_without_rate(&status.rules);
        let operator = &self.people[0];
        let (user, password, api_key) = (operator.name, operator.password.as_str(), self.api_key.as_str());
        let mut out = std::io::stdout().lock();
        if json {
            let invented = self.people.iter().skip(1);
            let ready = Ready {
                ready: true,
                url: &self.url,
                user,
                password,
                api_key,
                screening,
                rules,
                currencies_without_rate,
                demo: self.demo,
                rules_watched: self.rules_watched,
                notices: self.configured.not_ready().into_iter().chain(self.configured.notices()).collect(),
                people: invented.map(Person::invented).collect(),
            };
            serde_json::to_writer(&mut out, &ready)?;
            writeln!(out)?;
            return Ok(out.flush()?);
        }
        for notice in self.configured.not_ready().into_iter().chain(self.configured.notices()) {
            writeln!(out, "! {notice}")?;
        }
        writeln!(out, "Sluice is ready: {}\n\nSign in as:", self.url)?;
        for person in &self.people {
            writeln!(out, "  {:<10} {}  ({})", person.name, person.password, person.roles)?;
        }
        writeln!(out, "\nAPI key of this process: {api_key}\nRules in force: {rules}")?;
        if !currencies_without_rate.is_empty() {
            writeln!(out, "No rate is in force for: {}", currencies_without_rate.join(", "))?;
        }
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
        let runtime = self.runtime;
        Ok(tokio::task::spawn_blocking(move || runtime.stop()).await??)
    }
}

impl Person {
    fn invented(&self) -> Invented<'_> {
        Invented { user: self.name, password: &self.password, roles: &self.roles }
    }
}

/// What is to be put in force, and where it comes from.
struct Config {
    rules: Rules,
    lists: Arc<Lists>,
    library: Arc<dyn Library>,
    snapshot_every: u64,
    accept_clock: bool,
    accept_loss: bool,
    webhooks: Webhooks,
    room: Room,
}

impl Config {
    /// Read and check everything before anything is started: what is broken is the user's to mend.
    fn read(args: &Args, data: &Path, registry: &prometheus::Registry) -> Result<Self, Failure> {
        let (bundle, cases, folder) = match &args.rules {
            Some(folder) => {
                let files = sluice_runtime::fingerprint(folder).map_err(user)?;
                let rules = sluice_runtime::read_rules(folder).map_err(user)?;
                let cases = sluice_runtime::read_cases(folder, &rules).map_err(user)?;
                (rules, cases, Some((folder.clone(), files)))
            }
            None => (shipped::rules(), shipped::cases(), None),
        };
        folders::check_rules(&bundle)?;
        let env = |name: &str| std::env::var(name).ok();
        let webhooks = args.webhooks.as_deref().map(|folder| Webhooks::read(folder, env));
        let webhooks = webhooks.transpose().map_err(user)?.unwrap_or_default();
        let made = std::fs::create_dir_all(data).and_then(|()| private::narrow(data, is_ours));
        made.with_context(|| data.display().to_string()).map_err(Failure::User)?;
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
        let lists = Lists::new(lists, data, (args.list_age_max.0, args.unnamed), registry)?;
        let library = Arc::new(lists.library());
        let watched = args.watch_rules || args.demo;
        let rules = Rules { bundle, cases, folder, watched };
        Ok(Self {
            rules,
            lists: Arc::new(lists),
            library,
            snapshot_every: args.snapshot_every,
            accept_clock: args.accept_clock,
            accept_loss: args.accept_loss,
            webhooks,
            room,
        })
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

/// Whether an entry of the data folder is one that Sluice makes.
fn is_ours(name: &str) -> bool {
    ["log", "snapshots", "lists", "lists-in-force", secrets::FILE].contains(&name) || name.starts_with(CASES)
}

/// Open the log and have the engine judge by what it says.
async fn start_engine(
    data: &Path,
    cases: Database<'_>,
    config: &Config,
    webhooks: Webhooks,
    registry: &prometheus::Registry,
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
        registry: registry.clone(),
        snapshot_every_records: config.snapshot_every,
    })?);
    let engine = Arc::clone(&runtime);
    tokio::task::spawn_blocking(move || engine.wait_until_live()).await??;
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
    if demo {
        cases.mark_demo_people(&demo::people().map(|(name, _)| name)).await?;
    }
    Ok(put)
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
