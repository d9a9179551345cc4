//! `sluice lists calibrate`.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Context;
use sluice_list_store::Store;
use sluice_lists::{
    DEFAULT_THRESHOLD, Screener, Settings,
    calibrate::{LOWEST, calibrate},
};

use crate::failure::Failure;

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of list versions.
    #[arg(long, value_name = "DIR")]
    lists: PathBuf,
    /// The parties to screen, one name a line: customers, counterparties, or ordinary names.
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// The threshold in question.
    #[arg(long, value_name = "T", default_value_t = DEFAULT_THRESHOLD)]
    threshold: f64,
    /// Write a page with plots and samples.
    #[arg(long, value_name = "FILE.html")]
    html: Option<PathBuf>,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    if !(LOWEST..=1.0).contains(&args.threshold) {
        return Err(Failure::user(format!("--threshold is a number from {LOWEST} to 1")));
    }
    let versions = Store::open(&args.lists)
        .and_then(|store| store.load_active())
        .map_err(|error| Failure::User(error.into()))?;
    let text =
        fs::read(&args.input).with_context(|| args.input.display().to_string()).map_err(Failure::User)?;
    let text = String::from_utf8_lossy(&text);
    let parties: Vec<String> = text.lines().filter(|l| !l.trim().is_empty()).map(str::to_owned).collect();
    let screener = Screener::build(&versions, Settings { threshold: Some(LOWEST), ..Settings::default() });
    let report = calibrate(&screener, &parties, args.threshold);
    if let Some(file) = &args.html {
        fs::write(file, report.to_html())
            .with_context(|| file.display().to_string())
            .map_err(Failure::User)?;
    }
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &report)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{} parties against {} listed names", report.parties, report.names_listed)?;
        writeln!(out, "threshold  parties    share  matches")?;
        for e in &report.effect {
            writeln!(
                out,
                "{:>9.2} {:>8} {:>7.2}% {:>8}",
                e.threshold,
                e.parties,
                e.share * 100.0,
                e.matches
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
