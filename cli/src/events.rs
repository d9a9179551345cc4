//! `sluice events`: files of events, before they are sent.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use sluice_codec::{Check, Refused};

use crate::{
    failure::Failure,
    source::{Source, UNFIT},
};

/// Refused rows that are named; the rest are counted.
const REFUSED_SHOWN_MAX: u64 = 20;

/// Subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show how a file is read, and what would be refused. Exit code 1 where anything is.
    Check(Args),
}

/// Arguments of `check`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    source: Source,
    /// So many events are shown field by field.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rows: usize,
    /// NDJSON, an ISO 20022 document, SWIFT MT messages, or CSV with a mapping.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    let Command::Check(args) = command;
    check(&args)
}

fn check(args: &Args) -> Result<ExitCode, Failure> {
    let mut refusals = Vec::new();
    let refused = |one: &Refused| {
        if (refusals.len() as u64) < REFUSED_SHOWN_MAX {
            refusals.push(format!("line {}: {}: {}", one.line, one.code, one.reason));
        }
    };
    let file = File::open(&args.file).with_context(|| failed(&args.file)).map_err(Failure::User)?;
    let reader = BufReader::new(file);
    let check = match args.source.mapping()? {
        Some(mapping) => {
            let rows = mapping.rows(reader).context(UNFIT).map_err(Failure::User)?;
            rows.check(args.rows, refused)
        }
        None => Check::of(&mut args.source.events(reader, &args.file)?, |_| None, args.rows, refused),
    };
    let check = check.with_context(|| failed(&args.file)).map_err(Failure::User)?;
    let mut out = BufWriter::new(io::stdout().lock());
    print(&check, &refusals, &mut out)?;
    out.flush()?;
    Ok(if check.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn failed(path: &Path) -> String {
    format!("failed to read {}", path.display())
}

fn print(check: &Check, refusals: &[String], out: &mut impl Write) -> io::Result<()> {
    for (place, event) in (1..).zip(&check.first) {
        match event.line {
            Some(line) => writeln!(out, "line {line}")?,
            None => writeln!(out, "event {place}")?,
        }
        let width = event.fields.iter().map(|(path, _)| path.len()).max().unwrap_or_default();
        for (path, text) in &event.fields {
            writeln!(out, "  {path:width$}  {text}")?;
        }
    }
    for refusal in refusals {
        writeln!(out, "{refusal}")?;
    }
    let untold = check.refused - refusals.len() as u64;
    if untold > 0 {
        writeln!(out, "and {untold} more that would be refused")?;
    }
    writeln!(out, "{} read, {} refused, {} passed over", check.read, check.refused, check.passed_over)
}
