//! `update`: fetch a source's files, read them as an import, and activate what holds.

use std::{collections::BTreeMap, fs, path::Path};

use sluice_lists::import::{Doubt, Import, ImportError, Request, SourceFile, import};
use sluice_model::{EventTime, Hash256};

use crate::{
    Arrival, Config, FetchError, File, FileRecord, Source, Store, StoreError,
    fetch::{Client, Fetched, Validators},
    folder::{at, from_json, json_line},
};

/// What became of one source.
#[derive(Debug)]
pub struct Updated {
    /// The source.
    pub source: String,
    /// What became of it.
    pub outcome: Result<Outcome, UpdateError>,
}

/// A source that was fetched.
#[derive(Debug)]
pub enum Outcome {
    /// No file changed since the last fetch.
    Unchanged,
    /// A version was read and is now the active one.
    Activated(Box<Import>),
    /// A version was read and waits for a person; the previous one stays active.
    Doubtful(Box<Import>, Vec<Doubt>),
}

/// Why a source could not be updated. The previous version stays active.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// A file could not be fetched.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The files could not be read.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The folder could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Fetch these sources, one after the other; a source that fails keeps no other from being updated.
/// `accept`: a person has seen the doubts.
pub fn update<'a>(
    store: &Store,
    config: &Config,
    sources: impl IntoIterator<Item = &'a Source>,
    at: EventTime,
    accept: bool,
) -> Vec<Updated> {
    let client = Client::new(&config.fetch);
    let one = |source: &Source| Updated {
        source: source.name.clone(),
        outcome: update_source(store, &client, source, at, accept),
    };
    sources.into_iter().map(one).collect()
}

fn update_source(
    store: &Store,
    client: &Client<'_>,
    source: &Source,
    at: EventTime,
    accept: bool,
) -> Result<Outcome, UpdateError> {
    let folder = store.subfolder(&["fetched", &source.name])?;
    let mut known = FetchedFiles::read(&folder)?;
    let mut files = Vec::new();
    let mut changed = false;
    for url in &source.urls {
        let name = file_name(url);
        let path = folder.join(&name);
        let kept = fs::read(&path).ok().filter(|bytes| known.is_of(url, bytes));
        let validators = kept.as_ref().and_then(|_| known.0.get(url)).map(|k| k.validators.clone());
        let bytes = match (client.get(url, &validators.unwrap_or_default())?, kept) {
            (Fetched::Unchanged, Some(bytes)) => bytes,
            // Nothing was kept and nothing asked, so this server answers what it was not asked.
            (Fetched::Unchanged, None) => {
                return Err(FetchError::Status { url: url.clone(), status: 304 }.into());
            }
            (Fetched::Changed { bytes, validators }, kept) => {
                changed |= kept.as_deref() != Some(&bytes[..]);
                store.write(&path, &bytes)?;
                known.0.insert(url.clone(), FetchedFile { sha256: Hash256::of(&bytes), validators });
                bytes
            }
        };
        files.push(File { name, bytes });
    }
    let records: Vec<FileRecord> = files
        .iter()
        .zip(&source.urls)
        .map(|(f, url)| FileRecord { name: url.clone(), ..f.record() })
        .collect();
    let newest = store.history(&source.name)?.pop();
    if !changed && newest.is_some_and(|n| n.files == records) && store.active()?.contains_key(&source.name) {
        known.write(store, &folder)?;
        store.record_check(&source.name, at)?;
        return Ok(Outcome::Unchanged);
    }
    let files: Vec<SourceFile<'_>> = files.iter().map(File::as_source).collect();
    let request =
        Request { format: source.format, source: Some(&source.name), encoding: None, files: &files };
    let read = import(&request)?;
    let doubts = read.doubts_beside(store.load_source(&source.name)?.as_ref());
    if !doubts.is_empty() && !accept {
        return Ok(Outcome::Doubtful(Box::new(read), doubts));
    }
    let mut arrival = Arrival::new(&read, at, source.format, records);
    arrival.accepted = doubts.iter().map(ToString::to_string).collect();
    store.activate(&read, &arrival)?;
    known.write(store, &folder)?;
    Ok(Outcome::Activated(Box::new(read)))
}

/// What is known of the files that were fetched last, by address.
#[derive(Default)]
struct FetchedFiles(BTreeMap<String, FetchedFile>);

#[derive(serde::Serialize, serde::Deserialize)]
struct FetchedFile {
    sha256: Hash256,
    #[serde(flatten)]
    validators: Validators,
}

impl FetchedFiles {
    const FILE: &'static str = "fetched.json";

    fn read(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(Self::FILE);
        match fs::read(&path) {
            Ok(bytes) => from_json(&path, &bytes).map(Self),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(at(&path)(error)),
        }
    }

    fn write(&self, store: &Store, folder: &Path) -> Result<(), StoreError> {
        store.write(&folder.join(Self::FILE), &json_line(&self.0))
    }

    /// Whether these bytes are those that the address gave.
    fn is_of(&self, url: &str, bytes: &[u8]) -> bool {
        self.0.get(url).is_some_and(|k| k.sha256 == Hash256::of(bytes))
    }
}

/// The last part of an address, made fit for a file.
fn file_name(url: &str) -> String {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default();
    let fit = |c: char| c.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&c);
    let name: String = last.chars().filter(|c| fit(*c)).collect();
    if name.trim_matches('.').is_empty() { "file".to_owned() } else { name }
}
