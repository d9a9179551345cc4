//! The folder itself:
//!
//! ```text
//! DIR/active.json                 each source with its active version
//! DIR/versions/HASH.jsonl.zst     a version in its canonical encoding; HASH is its SHA-256
//! DIR/history/SOURCE.jsonl        every import of a source, oldest first
//! DIR/checked/SOURCE.json         when a source was last known to be current: imported, or found unchanged
//! DIR/skipped/SOURCE.jsonl        what the newest import of a source did not use, by file and line
//! DIR/fetched/SOURCE/…            the files that `update` fetched last, with what their server said of them
//! ```
//!
//! **Invariant.** A version's file is whole before anything names it, and every file is written aside and
//! renamed into place: whoever reads the folder while it is written, or after a crash, finds the state before or
//! after, never one between.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sluice_lists::{
    ListVersion, PartialDate, VersionError,
    import::{Format, Import, Skipped},
    is_source_name,
};
use sluice_model::{EventTime, Hash256, ListSet};

/// How hard versions are compressed: the level at which imports stay fast and files a tenth of their text.
const COMPRESSION_LEVEL: i32 = 3;
/// The largest version that is read, uncompressed, in bytes: a damaged file must not fill the memory.
const VERSION_BYTES_MAX: u64 = 4 << 30;

/// A folder of list versions.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

/// One import of a source.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Arrival {
    /// When it was imported, or fetched.
    pub at: EventTime,
    /// The version that the files made.
    pub version: Hash256,
    /// The files' format.
    pub format: Format,
    /// The files.
    pub files: Vec<FileRecord>,
    /// When the source published them, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<PartialDate>,
    /// How many entries the version has.
    pub entries: usize,
    /// How many names they have together.
    pub names: usize,
    /// How many lines were skipped.
    pub skipped: usize,
    /// What spoke against it; a person accepted it all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<String>,
}

/// When a source was last known to be current.
#[derive(Serialize, Deserialize)]
struct Checked {
    at: EventTime,
}

/// One file that was imported.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its name, or its address.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: Hash256,
}

/// What is wrong with a stored version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The version, by its file's name.
    pub version: String,
    /// The source that it is active for, if any.
    pub source: Option<String>,
    /// What is wrong.
    pub reason: String,
}

/// Why the folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system.
    #[error("{path}: {error}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// A file of the folder that is not what it should be.
    #[error("{path}: {reason}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A version that is not the one its name says.
    #[error("{path}: the version has hash {found}: it was changed after it was stored")]
    Hash {
        /// Which file.
        path: PathBuf,
        /// What its content says.
        found: Hash256,
    },
    /// A version's content cannot be read.
    #[error("{path}: {error}")]
    Version {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: VersionError,
    },
    /// A text that names no version of the folder, or several.
    #[error("{0}")]
    Unknown(String),
}

impl Store {
    /// An existing folder; one without versions is a folder without lists.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let store = Self { folder: folder.into() };
        fs::read_dir(&store.folder).map_err(at(&store.folder))?;
        Ok(store)
    }

    /// A folder, made where there is none.
    pub fn create(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Self::open(folder)
    }

    /// Each source with its active version.
    pub fn active(&self) -> Result<ListSet, StoreError> {
        let path = self.folder.join("active.json");
        match read_if_there(&path)? {
            Some(bytes) => from_json(&path, &bytes),
            None => Ok(ListSet::new()),
        }
    }

    /// A version, its hash recomputed.
    pub fn load(&self, hash: Hash256) -> Result<ListVersion, StoreError> {
        self.read_version(&self.version_path(hash), hash)
    }

    /// Every active version. A folder that is configured but cannot be read is an error, never an empty list.
    pub fn load_active(&self) -> Result<Vec<Arc<ListVersion>>, StoreError> {
        self.active()?.into_values().map(|hash| self.load(hash).map(Arc::new)).collect()
    }

    /// The active version of a source.
    pub fn load_source(&self, source: &str) -> Result<Option<ListVersion>, StoreError> {
        self.active()?.get(source).map(|hash| self.load(*hash)).transpose()
    }

    /// The version that a text names: a source (its active version) or the beginning of a hash.
    pub fn find(&self, text: &str) -> Result<Hash256, StoreError> {
        if let Some(hash) = self.active()?.get(text) {
            return Ok(*hash);
        }
        let all = self.versions()?;
        let mut found = all.iter().filter(|hash| text.len() >= 4 && hash.to_string().starts_with(text));
        match (found.next(), found.next()) {
            (Some(hash), None) => Ok(*hash),
            (Some(_), Some(_)) => {
                Err(StoreError::Unknown(format!("{text:?} begins several versions' hashes")))
            }
            (None, _) => {
                Err(StoreError::Unknown(format!("{text:?} is no source and no version of this folder")))
            }
        }
    }

    /// The hash of every stored version.
    pub fn versions(&self) -> Result<Vec<Hash256>, StoreError> {
        let files = self.version_files()?;
        Ok(files.iter().filter_map(|path| hash_of(path)).collect())
    }

    /// Every import of a source, oldest first.
    pub fn history(&self, source: &str) -> Result<Vec<Arrival>, StoreError> {
        let path = self.history_path(source)?;
        let bytes = read_if_there(&path)?.unwrap_or_default();
        let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| from_json(&path, line)).collect()
    }

    /// What the newest import of a source did not use.
    pub fn skipped(&self, source: &str) -> Result<Vec<Skipped>, StoreError> {
        let path = self.skipped_path(source)?;
        let bytes = read_if_there(&path)?.unwrap_or_default();
        let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| from_json(&path, line)).collect()
    }

    /// Store an import and make its version the active one of its source.
    pub fn activate(&self, import: &Import, arrival: &Arrival) -> Result<(), StoreError> {
        let source = import.version.source();
        let _lock = self.lock()?;
        self.write_version(&import.version)?;
        let skipped: Vec<u8> = import.skipped.iter().flat_map(json_line).collect();
        self.write(&self.skipped_path(source)?, &skipped)?;
        let history_path = self.history_path(source)?;
        let mut history = read_if_there(&history_path)?.unwrap_or_default();
        history.extend(json_line(arrival));
        self.write(&history_path, &history)?;
        self.write(&self.checked_path(source)?, &json_line(&Checked { at: arrival.at }))?;
        let mut active = self.active()?;
        active.insert(source.to_owned(), import.version.hash());
        self.write(&self.folder.join("active.json"), &json_line(&active))
    }

    /// Remember that a source was asked, and that what is active is what it publishes.
    pub fn record_check(&self, source: &str, at: EventTime) -> Result<(), StoreError> {
        let path = self.checked_path(source)?;
        let _lock = self.lock()?;
        self.write(&path, &json_line(&Checked { at }))
    }

    /// When a source was last known to be current. A folder of an older version says when it was imported.
    pub fn checked_at(&self, source: &str) -> Result<Option<EventTime>, StoreError> {
        let path = self.checked_path(source)?;
        match read_if_there(&path)? {
            Some(bytes) => Ok(Some(from_json::<Checked>(&path, &bytes)?.at)),
            None => Ok(self.history(source)?.last().map(|arrival| arrival.at)),
        }
    }

    /// Keep a version of another folder in this one, its hash recomputed.
    pub fn keep(&self, hash: Hash256, from: &Self) -> Result<(), StoreError> {
        if self.version_path(hash).exists() {
            return Ok(());
        }
        self.write_version(&from.load(hash)?)
    }

    /// Recompute the hash of every version, and look for active ones that are missing.
    pub fn verify(&self) -> Result<(usize, Vec<Fault>), StoreError> {
        let active = self.active()?;
        let of_source =
            |hash: &Hash256| active.iter().find(|(_, h)| *h == hash).map(|(source, _)| source.clone());
        let files = self.version_files()?;
        let mut faults = Vec::new();
        for path in &files {
            let named = hash_of(path);
            let checked = match named {
                Some(hash) => self.read_version(path, hash).map(drop).map_err(|error| error.to_string()),
                None => Err("not named by a hash".to_owned()),
            };
            if let Err(reason) = checked {
                let version = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                faults.push(Fault { version, source: named.as_ref().and_then(of_source), reason });
            }
        }
        for (source, hash) in &active {
            if !self.version_path(*hash).exists() {
                let reason = "active, but not stored".to_owned();
                faults.push(Fault { version: hash.to_string(), source: Some(source.clone()), reason });
            }
        }
        Ok((files.len(), faults))
    }

    /// A folder inside this one, made where there is none.
    pub(crate) fn subfolder(&self, parts: &[&str]) -> Result<PathBuf, StoreError> {
        let path = parts.iter().fold(self.folder.clone(), |path, part| path.join(part));
        fs::create_dir_all(&path).map_err(at(&path))?;
        Ok(path)
    }

    /// Write a file aside, bring it to the disk and rename it into place.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(at(folder))?;
        let aside = path.with_extension("partial");
        let write = || {
            let mut file = fs::File::create(&aside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&aside, path)?;
            // The rename itself must last too.
            fs::File::open(folder)?.sync_all()
        };
        write().map_err(at(path))
    }

    /// Hold the folder against another process that writes, until dropped.
    fn lock(&self) -> Result<fs::File, StoreError> {
        let path = self.folder.join(".lock");
        let file = fs::File::create(&path).map_err(at(&path))?;
        file.lock().map_err(at(&path))?;
        Ok(file)
    }

    fn write_version(&self, version: &ListVersion) -> Result<(), StoreError> {
        let path = self.version_path(version.hash());
        if self.read_version(&path, version.hash()).is_ok() {
            return Ok(());
        }
        let packed = zstd::encode_all(&version.encode()[..], COMPRESSION_LEVEL).map_err(at(&path))?;
        self.write(&path, &packed)
    }

    fn read_version(&self, path: &Path, named: Hash256) -> Result<ListVersion, StoreError> {
        let packed = fs::File::open(path).map_err(at(path))?;
        let mut bytes = Vec::new();
        let unpack = |bytes: &mut Vec<u8>| {
            let unpacked = zstd::Decoder::new(packed)?;
            io::Read::read_to_end(&mut io::Read::take(unpacked, VERSION_BYTES_MAX), bytes)
        };
        unpack(&mut bytes).map_err(at(path))?;
        let found = Hash256::of(&bytes);
        if found != named {
            return Err(StoreError::Hash { path: path.to_owned(), found });
        }
        ListVersion::decode(&bytes).map_err(|error| StoreError::Version { path: path.to_owned(), error })
    }

    fn version_path(&self, hash: Hash256) -> PathBuf {
        self.folder.join("versions").join(format!("{hash}.jsonl.zst"))
    }

    fn version_files(&self) -> Result<Vec<PathBuf>, StoreError> {
        let folder = self.folder.join("versions");
        let listing = match fs::read_dir(&folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(&folder)(error)),
        };
        let mut files = Vec::new();
        for file in listing {
            let path = file.map_err(at(&folder))?.path();
            // What a crash left half-written beside.
            if path.extension().is_none_or(|e| e != "partial") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    fn history_path(&self, source: &str) -> Result<PathBuf, StoreError> {
        self.source_path("history", source)
    }

    fn checked_path(&self, source: &str) -> Result<PathBuf, StoreError> {
        Ok(self.source_path("checked", source)?.with_extension("json"))
    }

    fn skipped_path(&self, source: &str) -> Result<PathBuf, StoreError> {
        self.source_path("skipped", source)
    }

    fn source_path(&self, folder: &str, source: &str) -> Result<PathBuf, StoreError> {
        if !is_source_name(source) {
            return Err(StoreError::Unknown(format!("{source:?} names no source")));
        }
        Ok(self.folder.join(folder).join(format!("{source}.jsonl")))
    }
}

impl Arrival {
    /// The record of an import of these files.
    pub fn new(import: &Import, at: EventTime, format: Format, files: Vec<FileRecord>) -> Self {
        Self {
            at,
            version: import.version.hash(),
            format,
            files,
            published: import.published,
            entries: import.version.entries().len(),
            names: import.version.name_count(),
            skipped: import.skipped.len(),
            accepted: Vec::new(),
        }
    }
}

/// `HASH.jsonl.zst` names the version `HASH`.
fn hash_of(path: &Path) -> Option<Hash256> {
    path.file_name()?.to_str()?.strip_suffix(".jsonl.zst")?.parse().ok()
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

pub(crate) fn from_json<'a, T: Deserialize<'a>>(path: &Path, bytes: &'a [u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes)
        .map_err(|error| StoreError::Damaged { path: path.to_owned(), reason: error.to_string() })
}

/// A value as a line of JSON. The types of this crate have text keys only, so that nothing can fail.
pub(crate) fn json_line<T: Serialize>(value: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}

/// Names the path in an error of the file system.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError + use<> {
    let path = path.to_owned();
    move |error| StoreError::Io { path, error }
}

#[cfg(test)]
mod tests {
    use sluice_lists::Entry;
    use sluice_model::EntryKind;

    use super::*;

    fn an_import(source: &str, names: &[&str]) -> Import {
        let entries = names.iter().map(|n| Entry::new(*n, EntryKind::Person, *n)).collect();
        let version = ListVersion::new(source, entries).unwrap();
        let skipped = vec![Skipped { file: "f".into(), line: 7, reason: "odd".into() }];
        Import { version, published: None, skipped, doubts: vec![] }
    }

    fn add(store: &Store, import: &Import) {
        let arrival = Arrival::new(import, EventTime::from_micros(0), Format::Csv, vec![]);
        store.activate(import, &arrival).unwrap();
    }

    #[test]
    fn what_is_stored_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path().join("lists")).unwrap();
        assert!(store.active().unwrap().is_empty() && store.load_active().unwrap().is_empty());
        let (one, two) = (an_import("own", &["A"]), an_import("own", &["A", "B"]));
        add(&store, &one);
        add(&store, &two);
        add(&store, &an_import("other", &["C"]));
        assert_eq!(store.active().unwrap()["own"], two.version.hash());
        assert_eq!(store.load(one.version.hash()).unwrap(), one.version);
        assert_eq!(store.load_active().unwrap().len(), 2);
        let history: Vec<_> = store.history("own").unwrap().iter().map(|a| (a.version, a.entries)).collect();
        assert_eq!(history, [(one.version.hash(), 1), (two.version.hash(), 2)]);
        assert_eq!(store.skipped("own").unwrap(), one.skipped);
        assert_eq!(store.find("own").unwrap(), two.version.hash());
        assert_eq!(store.find(&one.version.hash().to_string()[..10]).unwrap(), one.version.hash());
        assert!(store.find("nothing").is_err() && store.history("../x").is_err());
        assert_eq!(store.verify().unwrap(), (3, vec![]));
    }

    #[test]
    fn damage_is_found_and_never_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let import = an_import("own", &["A"]);
        add(&store, &import);
        let path = store.version_path(import.version.hash());
        let other = an_import("own", &["B"]).version;
        fs::write(&path, zstd::encode_all(&other.encode()[..], 1).unwrap()).unwrap();
        assert!(matches!(store.load_active(), Err(StoreError::Hash { .. })));
        assert_eq!(store.verify().unwrap().1[0].source.as_deref(), Some("own"));
        fs::write(&path, b"nonsense").unwrap();
        assert!(store.load_active().is_err());
        fs::remove_file(&path).unwrap();
        assert!(store.load_active().is_err());
        assert_eq!(store.verify().unwrap().1[0].reason, "active, but not stored");
        // Importing again mends it.
        add(&store, &import);
        assert_eq!(store.verify().unwrap(), (1, vec![]));
        fs::write(folder.path().join("active.json"), b"{").unwrap();
        assert!(store.load_active().is_err(), "unreadable is not empty");
    }

    #[test]
    fn a_check_without_a_change_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        assert_eq!(store.checked_at("own").unwrap(), None);
        add(&store, &an_import("own", &["A"]));
        assert_eq!(store.checked_at("own").unwrap(), Some(EventTime::from_micros(0)));
        store.record_check("own", EventTime::from_micros(7)).unwrap();
        assert_eq!(store.checked_at("own").unwrap(), Some(EventTime::from_micros(7)));
        assert_eq!(store.history("own").unwrap().len(), 1, "nothing was imported");
        // A folder of an older version has no such file.
        fs::remove_dir_all(folder.path().join("checked")).unwrap();
        assert_eq!(store.checked_at("own").unwrap(), Some(EventTime::from_micros(0)));
        assert!(store.record_check("../x", EventTime::from_micros(7)).is_err());
    }

    #[test]
    fn a_kept_version_outlives_the_folder_that_it_came_from() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path().join("lists")).unwrap();
        let kept = Store::create(folder.path().join("kept")).unwrap();
        let import = an_import("own", &["A"]);
        let hash = import.version.hash();
        assert!(kept.keep(hash, &store).is_err(), "there is no such version");
        add(&store, &import);
        kept.keep(hash, &store).unwrap();
        fs::remove_dir_all(folder.path().join("lists")).unwrap();
        kept.keep(hash, &store).unwrap();
        assert_eq!(kept.load(hash).unwrap(), import.version);
    }

    #[test]
    fn what_a_crash_leaves_beside_is_no_version() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        add(&store, &an_import("own", &["A"]));
        fs::write(folder.path().join("versions/half.jsonl.partial"), b"half").unwrap();
        assert_eq!(store.verify().unwrap(), (1, vec![]));
        assert!(Store::open(folder.path().join("absent")).is_err());
    }
}
