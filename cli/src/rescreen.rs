//! `sluice lists rescreen`.

use std::{
    collections::HashMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use rayon::prelude::*;
use serde_json::json;
use sluice_list_store::Store;
use sluice_lists::{
    DEFAULT_THRESHOLD, Query, Screener, Settings,
    rescreen::{KnownParty, rescreen},
};
use sluice_model::{EntryKind, Hash256, Party};

use crate::failure::Failure;

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The folder of list versions.
    #[arg(long, value_name = "DIR")]
    lists: PathBuf,
    /// The list whose newest version is looked at.
    #[arg(long, value_name = "NAME")]
    source: String,
    /// The known parties: a name a line; or, if the file is called `.csv`, a table with the column `name` and any of
    /// `id`, `name_local`, `kind`, `birth_date`, `country`, `gender`, `id_number`, `account`.
    #[arg(long, value_name = "FILE")]
    parties: PathBuf,
    /// Compare with what changed since this version (a hash or its beginning); without it, since the one that was
    /// active before.
    #[arg(long, value_name = "VERSION", conflicts_with = "all")]
    since: Option<String>,
    /// Compare with every entry.
    #[arg(long)]
    all: bool,
    /// Matches from this score on are given.
    #[arg(long, value_name = "T", default_value_t = DEFAULT_THRESHOLD)]
    threshold: f64,
    /// Print one line of JSON.
    #[arg(long)]
    json: bool,
}

/// Run the command: exit code 2 when a party meets an entry.
pub(crate) fn run(
    args: &Args,
    before: impl Fn(&Store, &str) -> Result<Hash256, Failure>,
) -> Result<ExitCode, Failure> {
    if !(0.0..=1.0).contains(&args.threshold) {
        return Err(Failure::user("--threshold is a number from 0 to 1"));
    }
    let user = |error| Failure::User(anyhow::Error::from(error));
    let store = Store::open(&args.lists).map_err(user)?;
    let versions = store.load_active().map_err(user)?;
    let new = versions.iter().find(|version| version.source() == args.source);
    let new = new.ok_or_else(|| Failure::user(format!("no active version of {}", args.source)))?;
    let old = match (&args.since, args.all) {
        (_, true) => None,
        (Some(since), _) => Some(store.find(since).map_err(user)?),
        (None, _) => Some(before(&store, &args.source)?),
    };
    let old = old.map(|version| store.load(version)).transpose().map_err(user)?;
    let parties = read(&args.parties)?;
    let settings = Settings { threshold: Some(args.threshold), ..Settings::default() };
    let screener = Screener::build(&versions, settings);
    let done = rescreen(old.as_ref(), new, &screener, parties.into_par_iter())?;
    let mut out = io::stdout().lock();
    let since = old.as_ref().map(|version| version.hash().to_string());
    if args.json {
        let hits: Vec<_> =
            done.hits.iter().map(|h| json!({ "party": h.party, "name": h.name, "match": h.hit })).collect();
        let line = json!({
            "source": args.source, "version": new.hash(), "since": since, "entries": done.entries,
            "checked": done.checked, "hits": hits,
        });
        writeln!(out, "{line}")?;
    } else {
        writeln!(
            out,
            "{} parties checked against {} new or changed entries of {}",
            done.checked, done.entries, args.source
        )?;
        for met in &done.hits {
            let hit = &met.hit;
            writeln!(
                out,
                "  {:.4}  {}  {}  meets {} {}",
                hit.score, met.party, met.name, hit.entry_id, hit.name
            )?;
        }
    }
    Ok(if done.hits.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn read(file: &Path) -> Result<Vec<KnownParty<String>>, Failure> {
    let named = || file.display().to_string();
    let text = fs::read(file).with_context(named).map_err(Failure::User)?;
    if file.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case("csv")) {
        let text = String::from_utf8_lossy(&text);
        let names = text.lines().map(str::trim).filter(|name| !name.is_empty());
        return Ok(names.map(|name| KnownParty { id: name.to_owned(), query: Query::name(name) }).collect());
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(&text[..]);
    let header = reader.headers().with_context(named).map_err(Failure::User)?;
    let columns: HashMap<String, usize> = header
        .iter()
        .enumerate()
        .map(|(at, name)| (name.trim().trim_start_matches('\u{FEFF}').to_lowercase(), at))
        .collect();
    if !columns.contains_key("name") {
        return Err(Failure::user(format!("{} has no column `name`", named())));
    }
    let mut parties = Vec::new();
    for row in reader.byte_records() {
        let row = row.with_context(named).map_err(Failure::User)?;
        let text = |column: &str| {
            let bytes = columns.get(column).and_then(|at| row.get(*at))?;
            Some(String::from_utf8_lossy(bytes).trim().to_owned()).filter(|text| !text.is_empty())
        };
        let party = Party {
            name: text("name"),
            name_local: text("name_local"),
            kind: text("kind").and_then(|kind| EntryKind::from_name(&kind)),
            birth_date: text("birth_date"),
            country: text("country"),
            gender: text("gender"),
            id_number: text("id_number"),
            account: text("account"),
            ..Party::default()
        };
        for name in party.name.iter().chain(&party.name_local) {
            let id = text("id").unwrap_or_else(|| name.clone());
            parties.push(KnownParty { id, query: Query::party(&party, name) });
        }
    }
    Ok(parties)
}
