//! `sluice simulate`: labelled traffic to a file, to standard output, or to a running Sluice.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use sluice_codec::encode_json;
use sluice_model::{EventTime, Span};
use sluice_simulator::{
    network::{self, Config as Network},
    traffic::{Config, Delivery, Label, Labelled, Listed, Traffic},
};

use crate::failure::Failure;

/// How many events a request carries at most: well within the largest body.
const BATCH_EVENTS_MAX: usize = 1_000;
/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a request that the service has no room for is sent again, each time twice as long after.
const RETRIES_MAX: u32 = 8;
/// How long the first wait is.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// How many events are made where nothing else is said and nothing is sent at a rate.
const EVENTS_DEFAULT: u64 = 10_000;
/// How long a pattern takes at most in traffic at a rate: somebody is watching.
const LIVE_PATTERN_SPAN: Span = Span::minutes(3);
/// Where times begin in traffic that goes to a file: fixed, so that a seed gives the same file on every day.
const FILE_START: &str = "2026-01-01T00:00:00Z";

/// Make labelled payment traffic, to a file or to a running Sluice.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Send to a running Sluice: its address, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL", conflicts_with = "out")]
    to: Option<String>,
    /// Write NDJSON to a file; `-` is standard output.
    #[arg(long, value_name = "FILE", required_unless_present = "to")]
    out: Option<PathBuf>,
    /// How many events to make [default: 10000; endless with --rate].
    #[arg(long, value_name = "N")]
    events: Option<u64>,
    /// The seed: the same seed makes the same traffic.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Write the labels of the laundering in it, as NDJSON.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Make events as they happen, so many a second, with the time of the moment.
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate: Option<u64>,
    /// The API key to send with.
    #[arg(long, value_name = "KEY", env = "SLUICE_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// When the first event happens [default: 2026-01-01 for a file; with --to, so that the last happens now].
    #[arg(long, value_name = "TIME")]
    start: Option<EventTime>,
    /// Of a thousand events, how many come late (by up to ten minutes).
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=1000))]
    late: u64,
    /// Of a thousand events, how many come twice.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=1000))]
    twice: u64,
    /// Make half a year of transfers in a network of accounts instead, groups that launder among them.
    #[arg(long, requires = "out", conflicts_with_all = ["events", "rate", "labels", "late", "twice"])]
    network: bool,
    /// With --network: write the groups' transfers, as `sluice replay --groups` reads them.
    #[arg(long, value_name = "FILE.csv", requires = "network")]
    groups: Option<PathBuf>,
    /// Print a line of JSON at the end.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    if args.network {
        return network(&args);
    }
    let events = match (args.events, args.rate) {
        (None, Some(_)) => None,
        (events, _) => Some(events.unwrap_or(EVENTS_DEFAULT)),
    };
    let mut traffic = Traffic::new(config(&args, events)?);
    let mut sink = Sink::open(&args)?;
    let mut labels = Labels::open(args.labels.as_ref())?;
    let progress = progress(events);
    let started = Instant::now();
    let mut made = 0;
    while events.is_none_or(|events| made < events) {
        let Some(Labelled { event, label, .. }) = traffic.next() else { break };
        if args.rate.is_some() {
            sink.wait_until(event.occurred_at)?;
        }
        encode_json(&event, &mut sink.batch)?;
        sink.batch.push(b'\n');
        sink.batched += 1;
        sink.send_full()?;
        if let Some(label) = label {
            labels.write(&label)?;
        }
        made += 1;
        progress.inc(1);
    }
    sink.finish()?;
    traffic.unfinished().iter().try_for_each(|label| labels.write(label))?;
    labels.finish()?;
    progress.finish_and_clear();
    report(&args, made, &sink, labels.written, started.elapsed());
    if sink.refused > 0 {
        return Err(Failure::Finding(format!("{} of {made} events were refused", sink.refused)));
    }
    Ok(ExitCode::SUCCESS)
}

fn network(args: &Args) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let file_start: EventTime = FILE_START.parse().context("reading the fixed start")?;
    let transfers = network::transfers(Network::of_seed(args.seed, args.start.unwrap_or(file_start)));
    let mut sink = Sink::open(args)?;
    for (number, transfer) in transfers.iter().enumerate() {
        encode_json(&network::event(number, transfer), &mut sink.batch)?;
        sink.batch.push(b'\n');
        sink.batched += 1;
        sink.send_full()?;
    }
    sink.finish()?;
    if let Some(path) = &args.groups {
        network::write_groups(&transfers, create(path)?).context("writing the groups")?;
    }
    report(args, transfers.len() as u64, &sink, 0, started.elapsed());
    Ok(ExitCode::SUCCESS)
}

fn config(args: &Args, events: Option<u64>) -> Result<Config, Failure> {
    let spread = events.unwrap_or(EVENTS_DEFAULT);
    let file_start: EventTime = FILE_START.parse().context("reading the fixed start")?;
    let mut config = Config::spanning(spread, args.seed, args.start.unwrap_or(file_start));
    if let Some(rate) = args.rate {
        config.events_per_day = rate * 86_400;
        config.pattern_span = LIVE_PATTERN_SPAN;
        config.start = args.start.unwrap_or_else(now);
        // Ids of another run of the same seed are other ids: it happens at another time.
        config.ids = format!("live{}-{}", args.seed, config.start.micros() / 1_000_000);
    } else if args.to.is_some() && args.start.is_none() {
        // The service refuses what lies in the future: the last event happens now.
        let days = i64::try_from(spread / config.events_per_day).unwrap_or(i64::MAX);
        config.start = now().minus(Span::days(days.saturating_add(1)));
        config.ids = format!("sim{}-{}", args.seed, config.start.micros() / 1_000_000);
    }
    config.listed = Listed::demo();
    config.delivery = Delivery { late: args.late, late_by: Span::minutes(10), twice: args.twice };
    Ok(config)
}

/// The moment, for traffic that is live or sent to a service: nothing in the simulator reads a clock itself.
fn now() -> EventTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    EventTime::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

fn progress(events: Option<u64>) -> ProgressBar {
    // indicatif draws on terminals only.
    let bar = events.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = if events.is_some() {
        "{bar:40} {human_pos}/{human_len} events  {per_sec}  {eta}"
    } else {
        "{spinner} {human_pos} events  {per_sec}"
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[expect(clippy::print_stderr, reason = "a summary for people, beside the events on standard output")]
fn report(args: &Args, made: u64, sink: &Sink, labels: u64, took: Duration) {
    let seconds = took.as_secs_f64();
    let rate = made as f64 / seconds.max(1e-9);
    if args.json {
        let line = serde_json::json!({
            "events": made, "accepted": sink.accepted, "refused": sink.refused, "labels": labels,
            "seconds": seconds, "events_per_second": rate,
        });
        println!("{line}");
    } else {
        eprintln!("{made} events and {labels} labels in {seconds:.2} s ({rate:.0} events/s)");
    }
}

/// Where events go.
struct Sink {
    to: Target,
    batch: Vec<u8>,
    batched: usize,
    accepted: u64,
    refused: u64,
}

enum Target {
    Writer(Box<dyn Write>),
    Service { agent: ureq::Agent, url: String, authorization: Option<String> },
}

impl Sink {
    fn open(args: &Args) -> Result<Self, Failure> {
        let to = match (&args.to, &args.out) {
            (Some(url), _) => Target::Service {
                agent: ureq::Agent::config_builder()
                    .timeout_global(Some(REQUEST_TIMEOUT))
                    .http_status_as_error(false)
                    .build()
                    .into(),
                url: format!("{}/v1/events", url.trim_end_matches('/')),
                authorization: args.api_key.as_ref().map(|key| format!("Bearer {key}")),
            },
            (None, Some(path)) if path.as_os_str() == "-" => Target::Writer(Box::new(io::stdout().lock())),
            (None, Some(path)) => Target::Writer(Box::new(create(path)?)),
            (None, None) => return Err(Failure::user("say where the events go: --out FILE or --to URL")),
        };
        Ok(Self { to, batch: Vec::new(), batched: 0, accepted: 0, refused: 0 })
    }

    /// Sleep until an event happens, having sent what has happened already.
    fn wait_until(&mut self, at: EventTime) -> Result<(), Failure> {
        let ahead = at.since(now()).micros();
        if ahead > 0 {
            self.send()?;
            std::thread::sleep(Duration::from_micros(ahead.unsigned_abs()));
        }
        Ok(())
    }

    fn send_full(&mut self) -> Result<(), Failure> {
        if self.batched < BATCH_EVENTS_MAX { Ok(()) } else { self.send() }
    }

    fn finish(&mut self) -> Result<(), Failure> {
        self.send()?;
        if let Target::Writer(writer) = &mut self.to {
            writer.flush().context("writing the events")?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<(), Failure> {
        if self.batched == 0 {
            return Ok(());
        }
        match &mut self.to {
            Target::Writer(writer) => {
                writer.write_all(&self.batch).context("writing the events")?;
                self.accepted += self.batched as u64;
            }
            Target::Service { agent, url, authorization } => {
                let refused = post(agent, url, authorization.as_deref(), &self.batch)?;
                self.refused += refused;
                self.accepted += (self.batched as u64).saturating_sub(refused);
            }
        }
        self.batch.clear();
        self.batched = 0;
        Ok(())
    }
}

/// Send a batch; how many of its events the service did not take. A service that is full is asked again.
fn post(agent: &ureq::Agent, url: &str, authorization: Option<&str>, batch: &[u8]) -> Result<u64, Failure> {
    let mut wait = RETRY_AFTER;
    for _ in 0..RETRIES_MAX {
        let request = agent.post(url).header("content-type", "application/x-ndjson");
        // It makes load, and does not ask what comes of it.
        let mut request = request.header("prefer", "respond-async");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let mut response =
            request.send(batch).map_err(|error| Failure::user(format!("{url} does not answer: {error}")))?;
        match response.status().as_u16() {
            200..=299 => {
                let body = response.body_mut().read_to_string().unwrap_or_default();
                return Ok(refused_in(&body));
            }
            429 | 503 => {
                std::thread::sleep(wait);
                wait *= 2;
            }
            401 | 403 => return Err(Failure::user(format!("{url} refuses the API key (--api-key)"))),
            status => return Err(Failure::user(format!("{url} answers {status}"))),
        }
    }
    Err(Failure::user(format!("{url} has no room, after {RETRIES_MAX} attempts")))
}

/// How many events an answer says were not taken.
fn refused_in(body: &str) -> u64 {
    let answer: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    answer["refused"].as_u64().unwrap_or(0)
}

/// The file of labels, where one is wanted.
struct Labels {
    file: Option<BufWriter<File>>,
    written: u64,
}

impl Labels {
    fn open(path: Option<&PathBuf>) -> Result<Self, Failure> {
        Ok(Self { file: path.map(create).transpose()?, written: 0 })
    }

    fn write(&mut self, label: &Label) -> Result<(), Failure> {
        self.written += 1;
        let Some(file) = &mut self.file else { return Ok(()) };
        serde_json::to_writer(&mut *file, label).context("writing the labels")?;
        file.write_all(b"\n").context("writing the labels")?;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        match &mut self.file {
            Some(file) => Ok(file.flush().context("writing the labels")?),
            None => Ok(()),
        }
    }
}

fn create(path: &PathBuf) -> Result<BufWriter<File>, Failure> {
    let file = File::create(path)
        .map_err(|error| Failure::user(format!("cannot write to {}: {error}", path.display())))?;
    Ok(BufWriter::with_capacity(1 << 20, file))
}
