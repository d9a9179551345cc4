//! `sluice screen`.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use serde::Serialize;
use sluice_list_store::Store;
use sluice_lists::{Answer, DEFAULT_THRESHOLD, Query, Scoring, Screener, Settings, score_pair};
use sluice_model::{ListMatch, Reason, WhyNotScreened};

use crate::failure::Failure;

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of list versions.
    #[arg(long, value_name = "DIR", required_unless_present = "pairs")]
    lists: Option<PathBuf>,
    /// Matches from this score on are given, from 0 to 1. The default works as the cut between match and no match,
    /// for lists and for pairs.
    #[arg(long, value_name = "T", default_value_t = DEFAULT_THRESHOLD)]
    threshold: f64,
    /// So many matches of each name, best first.
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Names to screen; none and no file: from standard input, one a line.
    #[arg(value_name = "NAME", conflicts_with_all = ["input", "pairs"])]
    names: Vec<String>,
    /// A file with one name a line.
    #[arg(long, value_name = "FILE", conflicts_with = "pairs")]
    input: Option<PathBuf>,
    /// Compare with every entry, without the index.
    #[arg(long)]
    exhaustive: bool,
    /// Score pairs of names without a list: a CSV file with the columns `left` and `right`.
    #[arg(long, value_name = "FILE.csv")]
    pairs: Option<PathBuf>,
    /// One line of JSON for each name or pair.
    #[arg(long)]
    json: bool,
}

/// One name's matches, as a line of JSON.
#[derive(Serialize)]
struct NameLine<'a> {
    query: &'a str,
    matches: &'a [ListMatch],
    /// Why that is not all.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_screened: Option<WhyNotScreened>,
}

/// One pair's score, as a line of JSON.
#[derive(Serialize)]
struct PairLine<'a> {
    left: &'a str,
    right: &'a str,
    score: f64,
    reasons: Vec<Reason>,
}

pub(crate) fn run(args: Args) -> Result<ExitCode, Failure> {
    if !(0.0..=1.0).contains(&args.threshold) {
        return Err(Failure::user("--threshold is a number from 0 to 1"));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let done = match &args.pairs {
        Some(file) => score_pairs(file, &args, &mut out),
        None => screen_names(&args, &mut out),
    };
    done?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn screen_names(args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let folder =
        args.lists.as_deref().ok_or_else(|| Failure::user("--lists DIR is needed to screen names"))?;
    let versions = Store::open(folder).and_then(|store| store.load_active()).map_err(user)?;
    if versions.is_empty() {
        return Err(Failure::user(format!("no list is active in {}: import one first", folder.display())));
    }
    let settings = Settings { threshold: Some(args.threshold), ..Settings::default() };
    let screener = Screener::build(&versions, settings);
    let mut screen = |name: &str| -> Result<(), Failure> {
        let query = Query::name(name);
        let Answer { mut matches, why } = Answer::clone(&screener.answer(&query));
        if args.exhaustive {
            matches = screener.exhaustive(&query);
        }
        matches.truncate(args.limit);
        if args.json {
            return line(out, &NameLine { query: name, matches: &matches, not_screened: why });
        }
        writeln!(out, "{name}")?;
        for found in &matches {
            writeln!(out, "  {:.4}  {} {}  {}", found.score, found.list, found.entry_id, found.name)?;
            for reason in &found.reasons {
                writeln!(out, "          {:+.4}  {}", reason.weight, reason.text)?;
            }
        }
        if let Some(why) = why {
            writeln!(out, "  not screened: {}", why.text())?;
        } else if matches.is_empty() {
            writeln!(out, "  no match at {} or above", args.threshold)?;
        }
        Ok(())
    };
    if !args.names.is_empty() {
        return args.names.iter().try_for_each(|name| screen(name));
    }
    match &args.input {
        Some(file) => each_line(BufReader::new(open(file)?), &mut screen),
        None => each_line(io::stdin().lock(), &mut screen),
    }
}

fn each_line(
    mut reader: impl BufRead,
    each: &mut impl FnMut(&str) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&bytes);
        each(text.trim_end_matches(['\n', '\r']))?;
    }
}

fn score_pairs(file: &Path, args: &Args, out: &mut impl Write) -> Result<(), Failure> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(BufReader::new(open(file)?));
    let headers = reader.headers().with_context(|| file.display().to_string()).map_err(Failure::User)?;
    let column = |name: &str| {
        let found =
            headers.iter().position(|h| h.trim().trim_start_matches('\u{FEFF}').eq_ignore_ascii_case(name));
        found.ok_or_else(|| Failure::user(format!("{} has no column `{name}`", file.display())))
    };
    let (left, right) = (column("left")?, column("right")?);
    let scoring = Scoring::default();
    for row in reader.byte_records() {
        let row = row.with_context(|| file.display().to_string()).map_err(Failure::User)?;
        let text = |at: usize| String::from_utf8_lossy(row.get(at).unwrap_or_default()).into_owned();
        let (left, right) = (text(left), text(right));
        let (score, reasons) = score_pair(&left, &right, &scoring);
        if args.json {
            line(out, &PairLine { left: &left, right: &right, score, reasons })?;
        } else {
            let same = if score >= args.threshold { "match" } else { "no match" };
            writeln!(out, "{score:.4}  {same}  {left} | {right}")?;
        }
    }
    Ok(())
}

fn line(out: &mut impl Write, value: &impl Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, value)?;
    Ok(out.write_all(b"\n")?)
}

fn open(file: &Path) -> Result<File, Failure> {
    File::open(file).with_context(|| file.display().to_string()).map_err(Failure::User)
}

fn user(error: impl Into<anyhow::Error>) -> Failure {
    Failure::User(error.into())
}
