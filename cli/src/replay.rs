//! `sluice replay`: files of events through the engine, as fast as the machine allows.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use anyhow::Context;
use sluice_codec::Refused;
use sluice_core::{Engine, EngineConfig, Output};
use sluice_model::{Action, Alert, Unnamed};
use sluice_runtime::{Replay, Replayed, read_rules};
use sluice_simulator::groups::{self, Group, Scores};

use crate::{failure::Failure, folders, source::Source};

/// Bytes read from a file at a time.
const READ_BUFFER_BYTES: usize = 1 << 20;
/// Refused lines that are named on standard error; the rest are counted.
const REFUSED_SHOWN_MAX: u64 = 20;

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Events: NDJSON, an ISO 20022 document, SWIFT MT messages, or CSV with a mapping.
    #[arg(long, value_name = "FILE")]
    events: PathBuf,
    #[command(flatten)]
    source: Source,
    /// The folder of rules, and all below it.
    #[arg(long, value_name = "DIR")]
    rules: PathBuf,
    /// The folder of list versions. Without it nothing is screened.
    #[arg(long, value_name = "DIR")]
    lists: Option<PathBuf>,
    /// What is done with a payment that moves money and names nobody on one of its sides. A name that is there and
    /// cannot be read is always held.
    #[arg(long, value_name = "POLICY", default_value = "hold", value_parser = folders::unnamed)]
    unnamed: Unnamed,
    /// Where alerts go, as NDJSON.
    #[arg(long, value_name = "OUT")]
    alerts: PathBuf,
    /// Labelled transactions (CSV: alert_id, alert_type, orig_acct, bene_acct, tran_timestamp): says how many
    /// groups were caught, and how many alerts no group explains.
    #[arg(long, value_name = "FILE.csv")]
    groups: Option<PathBuf>,
    /// How many shards the keys are spread over; alerts do not depend on it.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    shards: u32,
    /// End with one line of JSON.
    #[arg(long)]
    json: bool,
}

/// What a replay amounted to.
#[derive(serde::Serialize)]
struct Summary {
    events: u64,
    dead_letters: u64,
    alerts: u64,
    holds: u64,
    seconds: f64,
    events_per_second: f64,
    duplicates: u64,
    screening: bool,
    /// Those without a rate today.
    currencies_without_rate: Vec<String>,
    /// How well the alerts found the labelled groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<Scores>,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    let mut lists = folders::open_lists(args.lists.as_deref())?;
    lists.screening.unnamed = args.unnamed;
    let screening = !lists.screening.lists.is_empty();
    if !screening && !args.json {
        say("screening is off: no list is active");
    }
    let rules = read_rules(&args.rules).map_err(|error| Failure::User(error.into()))?;
    let currencies_without_rate = folders::currencies_without_rate(&folders::check_rules(&rules)?);
    if !currencies_without_rate.is_empty() && !args.json {
        say(&format!("no rate is in force for {}", currencies_without_rate.join(", ")));
    }
    let groups = args.groups.as_deref().map(read_groups).transpose()?;
    let engine = Engine::new(EngineConfig { shards: args.shards }, lists.library);
    let mut replay = Replay::new(engine, rules, lists.screening);

    let path = &args.alerts;
    let file = File::create(path).with_context(|| format!("failed to create {}", path.display()));
    let mut book = Book::new(BufWriter::new(file.map_err(Failure::User)?), groups.is_some());
    let began = Instant::now();
    let replayed = replay_file(&mut replay, &args, &mut book)?;
    book.out.flush().with_context(|| format!("failed to write {}", path.display()))?;
    let seconds = began.elapsed().as_secs_f64();

    let scores = groups.map(|groups| groups::score(&groups, &book.kept));
    let summary = Summary {
        events: replayed.events,
        dead_letters: replayed.dead_letters,
        alerts: book.alerts,
        holds: book.holds,
        seconds,
        events_per_second: replayed.events as f64 / seconds.max(f64::EPSILON),
        duplicates: replayed.duplicates,
        screening,
        currencies_without_rate,
        scores,
    };
    if args.json {
        println!("{}", serde_json::to_string(&summary)?)
    } else {
        print_summary(&summary)
    }
    Ok(ExitCode::SUCCESS)
}

fn replay_file(replay: &mut Replay, args: &Args, book: &mut Book) -> Result<Replayed, Failure> {
    let path = &args.events;
    let file = File::open(path)
        .with_context(|| format!("failed to open {}", path.display()))
        .map_err(Failure::User)?;
    let reader = BufReader::with_capacity(READ_BUFFER_BYTES, file);
    let source = args.source.events(reader, path)?;
    let mut refused = Refusals::default();
    let replayed = replay.run(source, |line| refused.print(line), |output| book.enter(output));
    refused.tell_rest();
    replayed.with_context(|| format!("failed to replay {}", path.display())).map_err(Failure::User)
}

fn read_groups(path: &std::path::Path) -> Result<Vec<Group>, Failure> {
    let named = || format!("failed to read {}", path.display());
    let file = File::open(path).with_context(named).map_err(Failure::User)?;
    groups::read_groups(BufReader::new(file)).with_context(named).map_err(Failure::User)
}

/// Alerts as they are written, and counted.
struct Book {
    out: BufWriter<File>,
    /// Whether alerts are wanted afterwards.
    keep: bool,
    kept: Vec<Alert>,
    alerts: u64,
    holds: u64,
}

impl Book {
    fn new(out: BufWriter<File>, keep: bool) -> Self {
        Self { out, keep, kept: Vec::new(), alerts: 0, holds: 0 }
    }

    fn enter(&mut self, output: Output) -> io::Result<()> {
        for alert in output.alerts {
            serde_json::to_writer(&mut self.out, &alert)?;
            self.out.write_all(b"\n")?;
            self.alerts += 1;
            self.holds += u64::from(alert.action != Action::Alert);
            if self.keep {
                self.kept.push(alert);
            }
        }
        Ok(())
    }
}

/// Lines that could not be read: the first few by name, the rest by count.
#[derive(Default)]
struct Refusals(u64);

impl Refusals {
    fn print(&mut self, refused: &Refused) {
        self.0 += 1;
        if self.0 <= REFUSED_SHOWN_MAX {
            say(&format!("line {}: {}: {}", refused.line, refused.code, refused.reason));
        }
    }

    fn tell_rest(&self) {
        if self.0 > REFUSED_SHOWN_MAX {
            say(&format!("and {} more lines that could not be read", self.0 - REFUSED_SHOWN_MAX));
        }
    }
}

#[expect(clippy::print_stderr, reason = "notes go where they do not mix with what a program reads")]
fn say(note: &str) {
    eprintln!("{note}");
}

fn print_summary(summary: &Summary) {
    let Summary { events, dead_letters, alerts, holds, seconds, events_per_second, duplicates, .. } = summary;
    println!("{events} events in {seconds:.2} s: {events_per_second:.0} events/s");
    println!("{alerts} alerts, {holds} of them holds; {dead_letters} dead letters, {duplicates} duplicates");
    let Some(scores) = &summary.scores else { return };
    for (typology, caught) in &scores.groups {
        println!("{typology}: {} of {} groups caught", caught.caught, caught.groups);
    }
    for (rule, right) in &scores.rules {
        let caught: Vec<_> = right.caught.iter().map(|(kind, groups)| format!("{groups} {kind}")).collect();
        let (alerts, wrong) = (right.alerts, right.alerts - right.right);
        let caught = if caught.is_empty() { "no group".to_owned() } else { caught.join(", ") };
        println!("{rule}: {alerts} alerts, {wrong} of them false; caught {caught}");
    }
}
