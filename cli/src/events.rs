//! `sluice events`: files of events, before they are sent.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use sluice_codec::{Mapping, csv::Check};

use crate::failure::Failure;

/// Refused rows that are named; the rest are counted.
const REFUSED_SHOWN_MAX: u64 = 20;

/// Subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Show how a CSV file is read through a mapping, and what would be refused. Exit code 1 where a row is refused.
    Check(Args),
}

/// Arguments of `check`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which column is what.
    #[arg(long, value_name = "FILE.toml")]
    mapping: PathBuf,
    /// So many rows are shown field by field.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rows: usize,
    /// The CSV file.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Run the command.
pub(crate) fn run(command: Command) -> Result<ExitCode, Failure> {
    let Command::Check(args) = command;
    check(&args)
}

fn check(args: &Args) -> Result<ExitCode, Failure> {
    let text = std::fs::read_to_string(&args.mapping)
        .with_context(|| failed(&args.mapping))
        .map_err(Failure::User)?;
    let mapping = Mapping::parse(&text).with_context(|| failed(&args.mapping)).map_err(Failure::User)?;
    let file = File::open(&args.file).with_context(|| failed(&args.file)).map_err(Failure::User)?;
    let rows = mapping
        .rows(BufReader::new(file))
        .context("the file does not fit its mapping")
        .map_err(Failure::User)?;
    let mut refusals = Vec::new();
    let check = rows
        .check(args.rows, |row| {
            if (refusals.len() as u64) < REFUSED_SHOWN_MAX {
                refusals.push(format!("line {}: {}: {}", row.line, row.code, row.reason));
            }
        })
        .with_context(|| failed(&args.file))
        .map_err(Failure::User)?;
    let mut out = BufWriter::new(io::stdout().lock());
    print(&check, &refusals, &mut out)?;
    out.flush()?;
    Ok(if check.refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn failed(path: &Path) -> String {
    format!("failed to read {}", path.display())
}

fn print(check: &Check, refusals: &[String], out: &mut impl Write) -> io::Result<()> {
    for row in &check.first {
        writeln!(out, "line {}", row.line)?;
        let width = row.fields.iter().map(|(path, _)| path.len()).max().unwrap_or_default();
        for (path, text) in &row.fields {
            writeln!(out, "  {path:width$}  {text}")?;
        }
    }
    for refusal in refusals {
        writeln!(out, "{refusal}")?;
    }
    let untold = check.refused - refusals.len() as u64;
    if untold > 0 {
        writeln!(out, "and {untold} more rows that would be refused")?;
    }
    writeln!(out, "{} read, {} refused, {} passed over", check.read, check.refused, check.passed_over)
}
