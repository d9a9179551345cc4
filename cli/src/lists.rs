//! `sluice lists`: import, update, show, compare and verify list versions.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use serde_json::json;
use sluice_list_store::{
    Arrival, Config, DEFAULT_CONFIG, File, Outcome, Store, StoreError, read_files, update,
};
use sluice_lists::{
    Diff, Entry,
    import::{Doubt, Format, Import, Request, Skipped, SourceFile, import},
};
use sluice_model::{EventTime, Hash256};

use crate::{calibrate, failure::Failure, rescreen};

/// Subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Read a source's files into a new version and make it the active one.
    ///
    /// Lines that cannot be used are skipped and listed by file and line. A file that is cut short, or a list that
    /// is much smaller than the active one, changes nothing unless --accept is given (exit code 2).
    Import(ImportArgs),
    /// Fetch lists from their official addresses, if they changed, and import them.
    Update(UpdateArgs),
    /// Show the active versions, the history of a source, or one entry.
    Show(ShowArgs),
    /// Show which entries were added, removed and changed between two versions, field by field.
    Diff(DiffArgs),
    /// Recompute the hash of every version (exit code 2 when one does not hold).
    Verify(VerifyArgs),
    /// Compare known parties with what the newest version of a list changed (exit code 2 when one meets an entry).
    ///
    /// `sluice up` does this by itself, for everybody whom payments named, whenever a version becomes active.
    Rescreen(rescreen::Args),
    /// Show how scores are spread and what another threshold would do, with samples from both sides of the line.
    Calibrate(calibrate::Args),
}

/// `lists import`.
#[derive(clap::Args)]
pub(crate) struct ImportArgs {
    /// The files' format.
    #[arg(long, value_name = "F", value_parser = clap::builder::PossibleValuesParser::new(Format::ALL.map(Format::name)))]
    format: String,
    /// The folder of list versions; made if it is not there.
    #[arg(long, value_name = "DIR")]
    lists: PathBuf,
    /// The name of the list; named by the files if it is not given.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The files' encoding (windows-1252, big5, …); detected if it is not given.
    #[arg(long, value_name = "LABEL")]
    encoding: Option<String>,
    /// Make the version active although something speaks against it.
    #[arg(long)]
    accept: bool,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
    /// Files, or folders of the source's files.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// `lists update`.
#[derive(clap::Args)]
pub(crate) struct UpdateArgs {
    /// The folder of list versions; made if it is not there.
    #[arg(long, value_name = "DIR", required_unless_present = "print_config")]
    lists: Option<PathBuf>,
    /// A configuration of sources; the built-in one if it is not given.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Only this source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Make versions active although something speaks against them.
    #[arg(long)]
    accept: bool,
    /// Print a line of JSON for each source.
    #[arg(long)]
    json: bool,
    /// Print the built-in configuration and do nothing else.
    #[arg(long)]
    print_config: bool,
}

/// `lists show`.
#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    /// The folder of list versions.
    #[arg(long, value_name = "DIR")]
    lists: PathBuf,
    /// Show the history of this source.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Show this entry of the source.
    #[arg(long, value_name = "ID", requires = "source")]
    entry: Option<String>,
    /// Show what the newest import of the source skipped.
    #[arg(long, requires = "source", conflicts_with = "entry")]
    skipped: bool,
    /// Print JSON, a line for each.
    #[arg(long)]
    json: bool,
}

/// `lists diff`.
#[derive(clap::Args)]
pub(crate) struct DiffArgs {
    /// The folder of list versions.
    #[arg(long, value_name = "DIR")]
    lists: PathBuf,
    /// A source, or the beginning of a version's hash. A source alone: its previous version against its active one.
    #[arg(value_name = "FROM")]
    from: String,
    /// A source (its active version), or the beginning of a version's hash.
    #[arg(value_name = "TO")]
    to: Option<String>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// `lists verify`.
#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    /// The folder of list versions.
    #[arg(long, value_name = "DIR")]
    lists: PathBuf,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Import(args) => run_import(&args),
        Command::Rescreen(args) => rescreen::run(&args, previous),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Update(args) => run_update(&args),
        Command::Show(args) => run_show(&args),
        Command::Diff(args) => run_diff(&args),
        Command::Verify(args) => run_verify(&args),
    }
}

fn run_import(args: &ImportArgs) -> Result<ExitCode, Failure> {
    let format: Format = args.format.parse().map_err(user)?;
    let files = read_files(&args.paths, format).map_err(user)?;
    let sources: Vec<SourceFile<'_>> = files.iter().map(File::as_source).collect();
    let request = Request {
        format,
        source: args.source.as_deref(),
        encoding: args.encoding.as_deref(),
        files: &sources,
    };
    let read = import(&request).map_err(user)?;
    let store = Store::create(&args.lists).map_err(of_store)?;
    let active = store.load_source(read.version.source()).map_err(of_store)?;
    let doubts = read.doubts_beside(active.as_ref());
    list_skipped(&read.skipped)?;
    if !doubts.is_empty() && !args.accept {
        return Err(waits_for_a_person(&doubts, active.is_some()));
    }
    let mut arrival = Arrival::new(&read, now()?, format, files.iter().map(File::record).collect());
    arrival.accepted = doubts.iter().map(ToString::to_string).collect();
    store.activate(&read, &arrival).map_err(of_store)?;
    if args.json {
        print(imported(&read))?;
    } else {
        print(describe(&read))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_update(args: &UpdateArgs) -> Result<ExitCode, Failure> {
    if args.print_config {
        print(DEFAULT_CONFIG.trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    let folder = args.lists.as_ref().ok_or_else(|| Failure::user("--lists DIR is missing"))?;
    let config = match &args.config {
        None => Config::embedded()?,
        Some(path) => {
            let text =
                fs::read_to_string(path).map_err(|e| Failure::user(format!("{}: {e}", path.display())))?;
            Config::parse(&text).map_err(user)?
        }
    };
    let chosen: Vec<_> = config.chosen(args.source.as_deref()).collect();
    if chosen.is_empty() {
        return Err(Failure::user("no such source in the configuration, or none is enabled"));
    }
    let store = Store::create(folder).map_err(of_store)?;
    let mut unfinished = Vec::new();
    for updated in update(&store, &config, chosen, now()?, args.accept) {
        let source = &updated.source;
        let (state, read, reason) = match &updated.outcome {
            Ok(Outcome::Unchanged) => ("unchanged", None, None),
            Ok(Outcome::Activated(read)) => ("activated", Some(read), None),
            Ok(Outcome::Doubtful(read, doubts)) => ("doubtful", Some(read), Some(sentence(doubts))),
            Err(error) => ("failed", None, Some(error.to_string())),
        };
        if let Some(read) = read {
            list_skipped(&read.skipped)?;
        }
        if args.json {
            let mut line = read.map_or_else(|| json!({ "source": source }), |read| imported(read));
            line["state"] = state.into();
            line["reason"] = reason.clone().into();
            print(line)?;
        } else {
            let what = read.map_or_else(|| source.clone(), |read| describe(read));
            print(format!("{state}: {what}"))?;
        }
        unfinished.extend(reason.map(|reason| format!("{source}: {reason}")));
    }
    if unfinished.is_empty() { Ok(ExitCode::SUCCESS) } else { Err(Failure::Finding(unfinished.join("\n"))) }
}

fn run_show(args: &ShowArgs) -> Result<ExitCode, Failure> {
    let store = Store::open(&args.lists).map_err(of_store)?;
    let Some(source) = &args.source else {
        let active = store.active().map_err(of_store)?;
        for (source, version) in &active {
            let newest =
                store.history(source).map_err(of_store)?.into_iter().rev().find(|a| a.version == *version);
            let version = version.to_string();
            match newest {
                Some(arrival) => show_arrival(source, &arrival, args.json)?,
                None if args.json => print(json!({ "source": source, "version": version }))?,
                None => print(format!("{source} {version}"))?,
            }
        }
        if active.is_empty() && !args.json {
            print("no list is active: screening is off")?;
        }
        return Ok(ExitCode::SUCCESS);
    };
    if args.skipped {
        for skipped in store.skipped(source).map_err(of_store)? {
            print(if args.json { json!(skipped).to_string() } else { skipped_line(&skipped) })?;
        }
    } else if let Some(id) = &args.entry {
        let version = store.load_source(source).map_err(of_store)?;
        let version = version.ok_or_else(|| Failure::user(format!("no active version of {source}")))?;
        let entry = version.entry(id).ok_or_else(|| Failure::user(format!("{source} has no entry {id}")))?;
        print(if args.json { entry.to_json() } else { serde_json::to_string_pretty(entry)? })?;
    } else {
        let history = store.history(source).map_err(of_store)?;
        if history.is_empty() {
            return Err(Failure::user(format!("{source} was never imported into this folder")));
        }
        for arrival in &history {
            show_arrival(source, arrival, args.json)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show_arrival(source: &str, arrival: &Arrival, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let mut line = json!(arrival);
        line["source"] = source.into();
        return print(line);
    }
    let published = arrival.published.map_or_else(String::new, |date| format!(", published {date}"));
    let Arrival { at, version, format, entries, names, skipped, .. } = arrival;
    let short = version.short();
    print(format!(
        "{source} {short}: {entries} entries, {names} names, {skipped} lines skipped; {format}, imported {at}{published}"
    ))
}

fn run_diff(args: &DiffArgs) -> Result<ExitCode, Failure> {
    let store = Store::open(&args.lists).map_err(of_store)?;
    let find = |text: &str| store.find(text).map_err(of_store);
    let (from, to) = match &args.to {
        Some(to) => (find(&args.from)?, find(to)?),
        None => (previous(&store, &args.from)?, find(&args.from)?),
    };
    let (before, after) = (store.load(from).map_err(of_store)?, store.load(to).map_err(of_store)?);
    let diff = Diff::between(&before, &after);
    if args.json {
        let mut line = json!(diff);
        line["from"] = json!(from);
        line["to"] = json!(to);
        print(line)?;
        return Ok(ExitCode::SUCCESS);
    }
    let Diff { added, removed, changed } = &diff;
    print(format!("{} added, {} removed, {} changed", added.len(), removed.len(), changed.len()))?;
    let entry = |sign: &str, entry: &Entry| print(format!("{sign} {} {}", entry.id, entry.primary_name()));
    added.iter().try_for_each(|e| entry("+", e))?;
    removed.iter().try_for_each(|e| entry("-", e))?;
    for changed in changed {
        print(format!("~ {} {}", changed.id, changed.name))?;
        for field in &changed.fields {
            for (sign, values) in [("-", &field.removed), ("+", &field.added)] {
                values.iter().try_for_each(|v| print(format!("    {sign} {}: {v}", field.field)))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The version that was active before the active one.
fn previous(store: &Store, source: &str) -> Result<Hash256, Failure> {
    let active = store.active().map_err(of_store)?.get(source).copied();
    let active = active.ok_or_else(|| Failure::user(format!("no active version of {source}")))?;
    let history = store.history(source).map_err(of_store)?;
    let before = history.iter().rev().map(|a| a.version).find(|version| *version != active);
    before.ok_or_else(|| Failure::user(format!("{source} has had one version only")))
}

fn run_verify(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let store = Store::open(&args.lists).map_err(of_store)?;
    let (versions, faults) = store.verify().map_err(of_store)?;
    if args.json {
        let listed: Vec<_> = faults
            .iter()
            .map(|f| json!({ "version": f.version, "source": f.source, "reason": f.reason }))
            .collect();
        print(json!({ "versions": versions, "faults": listed }))?;
    } else if faults.is_empty() {
        print(format!("{versions} versions hold"))?;
    }
    if faults.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let lines: Vec<String> = faults.iter().map(|f| format!("{}: {}", f.version, f.reason)).collect();
    Err(Failure::Finding(lines.join("\n")))
}

/// What `import --json` says.
fn imported(read: &Import) -> serde_json::Value {
    json!({
        "source": read.version.source(),
        "version": read.version.hash(),
        "entries": read.version.entries().len(),
        "names": read.version.name_count(),
        "skipped": read.skipped.len(),
    })
}

fn describe(read: &Import) -> String {
    let version = &read.version;
    let (entries, names, skipped) = (version.entries().len(), version.name_count(), read.skipped.len());
    let (source, short) = (version.source(), version.hash().short());
    format!("{source} {short}: {entries} entries, {names} names, {skipped} lines skipped")
}

fn waits_for_a_person(doubts: &[Doubt], has_active: bool) -> Failure {
    let stays = if has_active { "the active version stays" } else { "no version was made" };
    Failure::Finding(format!(
        "{}\n{stays}; look at the files, then import again with --accept",
        sentence(doubts)
    ))
}

fn sentence(doubts: &[Doubt]) -> String {
    doubts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What was skipped goes to standard error, so that `--json` stays one line.
fn list_skipped(skipped: &[Skipped]) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stderr().lock());
    for line in skipped {
        writeln!(out, "skipped {}", skipped_line(line))?;
    }
    Ok(out.flush()?)
}

fn skipped_line(skipped: &Skipped) -> String {
    format!("{}:{}: {}", skipped.file, skipped.line, skipped.reason)
}

fn print(line: impl std::fmt::Display) -> Result<(), Failure> {
    Ok(writeln!(io::stdout().lock(), "{line}")?)
}

fn now() -> Result<EventTime, Failure> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(EventTime::from_micros(i64::try_from(since.as_micros())?))
}

fn user(error: impl Into<anyhow::Error>) -> Failure {
    Failure::User(error.into())
}

/// A folder that is not there or a text that names nothing can be mended by the user; damage cannot.
fn of_store(error: StoreError) -> Failure {
    match error {
        StoreError::Io { .. } | StoreError::Unknown(_) => Failure::User(error.into()),
        _ => Failure::Internal(error.into()),
    }
}
