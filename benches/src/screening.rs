//! The evaluation of screening: the development data, how they are cut in halves, and what is measured.
//!
//! Reads `../shared` at run time; copies nothing of it. Halves are by a hash of the entry's id (or of the pair),
//! so that all names of one entity stand on one side.

use std::{fs, path::PathBuf, sync::Arc};

use sluice_lists::{
    Entry, ListVersion, NameQuality, Query, Scoring, Screener, Settings,
    import::{Format, Request, SourceFile, import},
    score_pair,
};
use sluice_model::{EntryKind, Hash256};

mod own;
mod payments;
mod peers;
mod statistics;

pub use own::{SETS, ordinary, script_pairs};
pub use payments::{held, payments};
pub use peers::{PEERS, plain};
pub use statistics::{Interval, Quality, bootstrap, recall, threshold_at};

/// Which half of the data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Half {
    /// Constants are fitted here.
    Tuning,
    /// Results are reported here.
    Held,
}

impl Half {
    /// The half in which an entity or a pair stands.
    pub fn of(id: &str) -> Self {
        if Hash256::of(id.as_bytes()).0[0] & 1 == 0 { Self::Tuning } else { Self::Held }
    }
}

/// The folder of shared data, where there is one.
pub fn shared() -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared"));
    let folder = std::env::var_os("SLUICE_SHARED").map_or_else(beside, PathBuf::from).join("data");
    folder.is_dir().then_some(folder)
}

/// One list of the shared data, as it would be imported.
pub fn list(folder: &str, format: Format) -> Option<Arc<ListVersion>> {
    let folder = shared()?.join("lists").join(folder);
    let mut files = Vec::new();
    for file in fs::read_dir(folder).ok()? {
        let path = file.ok()?.path();
        let name = path.file_name()?.to_str()?.to_owned();
        if format.takes(&name) {
            files.push((name, fs::read(&path).ok()?));
        }
    }
    let files: Vec<_> = files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
    let request = Request { format, source: None, encoding: None, files: &files };
    Some(Arc::new(import(&request).ok()?.version))
}

/// A pair with its label.
pub struct Labelled {
    /// The names.
    pub left: String,
    /// The other.
    pub right: String,
    /// Whether they name the same.
    pub same: bool,
}

/// The labelled pairs of one half.
pub fn labelled_pairs(half: Half) -> Vec<Labelled> {
    let Some(folder) = shared() else { return Vec::new() };
    let Ok(mut reader) = csv::Reader::from_path(folder.join("screening/name_pairs_labelled.csv")) else {
        return Vec::new();
    };
    let rows = reader.records().filter_map(Result::ok).filter_map(|row| {
        let (left, right) = (row.get(2)?.to_owned(), row.get(3)?.to_owned());
        // A pair and its mirror image stand in one half.
        let mut id = [left.to_lowercase(), right.to_lowercase()];
        id.sort();
        (Half::of(&id.join("|")) == half).then(|| Labelled { left, right, same: row.get(4) == Some("true") })
    });
    rows.collect()
}

/// Ordinary people's names, every `step`th.
pub fn ordinary_names(step: usize) -> Vec<String> {
    let Some(folder) = shared() else { return Vec::new() };
    let Ok(mut reader) = csv::Reader::from_path(folder.join("screening/ordinary_names_us.csv")) else {
        return Vec::new();
    };
    let rows = reader.records().filter_map(Result::ok).step_by(step);
    rows.filter_map(|row| row.get(0).map(str::to_owned)).collect()
}

/// Scores of labelled pairs.
pub fn score_pairs(pairs: &[Labelled], scoring: &Scoring) -> Vec<(f64, bool)> {
    pairs.iter().map(|p| (score_pair(&p.left, &p.right, scoring).0, p.same)).collect()
}

/// A query that should find an entry.
#[derive(Clone, Debug)]
pub struct Task {
    /// The name asked.
    pub query: String,
    /// The entry that bears it.
    pub entry: String,
    /// The entry's primary name.
    pub primary: String,
}

/// The people of a list under their primary names alone, and their strong aliases as queries.
pub fn alias_tasks(list: &ListVersion, half: Half) -> (Vec<Entry>, Vec<Task>) {
    let people = list.entries().iter().filter(|e| e.kind == EntryKind::Person);
    let mut primaries = Vec::new();
    let mut tasks = Vec::new();
    for person in people {
        let mut only = Entry::new(&person.id, person.kind, person.primary_name());
        only.names.truncate(1);
        primaries.push(only);
        if Half::of(&person.id) == half {
            let strong = person
                .names
                .iter()
                .skip(1)
                .filter(|n| n.quality == NameQuality::Strong && n.script.is_latin());
            tasks.extend(strong.map(|n| Task {
                query: n.text.clone(),
                entry: person.id.clone(),
                primary: person.primary_name().to_owned(),
            }));
        }
    }
    (primaries, tasks)
}

/// A list's names in their own script as queries, against its names in Latin letters.
pub fn script_tasks(
    list: &ListVersion,
    half: Option<Half>,
) -> (Vec<Entry>, Vec<(sluice_lists::Script, Task)>) {
    let mut latin = Vec::new();
    let mut tasks = Vec::new();
    for entry in list.entries() {
        let mut only = entry.clone();
        only.names.retain(|n| n.script.is_latin());
        if only.names.is_empty() {
            continue;
        }
        if half.is_none_or(|h| Half::of(&entry.id) == h) {
            tasks.extend(entry.names.iter().filter(|n| !n.script.is_latin()).map(|n| {
                let task = Task {
                    query: n.text.clone(),
                    entry: entry.id.clone(),
                    primary: entry.primary_name().to_owned(),
                };
                (n.script, task)
            }));
        }
        latin.push(only);
    }
    (latin, tasks)
}

/// A screener over entries of one's own, that reports everything down to `threshold`.
pub fn screener(source: &str, entries: Vec<Entry>, scoring: Scoring, threshold: f64) -> Option<Screener> {
    let version = ListVersion::new(source, entries).ok()?;
    Some(Screener::build(&[Arc::new(version)], Settings { threshold: Some(threshold), scoring }))
}

/// The score that a task's entry gets, 0 where it was not found.
pub fn found(screener: &Screener, task: &Task) -> f64 {
    let matches = screener.screen_cold(&Query::name(&task.query));
    matches.iter().find(|m| m.entry_id == task.entry).map_or(0.0, |m| m.score)
}

/// The best score that any entry gets.
pub fn best(screener: &Screener, name: &str) -> f64 {
    screener.screen_cold(&Query::name(name)).first().map_or(0.0, |m| m.score)
}
