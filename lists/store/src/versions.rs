//! The versions that screening is done with: those of a folder that somebody imports into, and a copy of each that was put in
//! force. A folder that is lost, or left out at a start, ends no screening.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use sluice_lists::ListVersion;
use sluice_model::Hash256;

use crate::{Store, StoreError};

/// Versions from wherever they can still be read.
#[derive(Debug)]
pub struct ListVersions {
    folder: Option<Store>,
    copies: Store,
    /// How many entries versions have that were counted: reading one costs as much as indexing it.
    counted: Mutex<HashMap<Hash256, usize>>,
}

impl ListVersions {
    /// Those of a folder, if there is one, and those kept beside it.
    pub fn new(folder: Option<Store>, copies: Store) -> Self {
        Self { folder, copies, counted: Mutex::default() }
    }

    /// The folder, where there is one.
    pub fn folder(&self) -> Option<&Store> {
        self.folder.as_ref()
    }

    /// A version: its copy, or else the folder's.
    ///
    /// # Errors
    /// Neither can be read.
    pub fn load(&self, hash: Hash256) -> Result<ListVersion, StoreError> {
        match (self.copies.load(hash), &self.folder) {
            (Err(_), Some(folder)) => folder.load(hash),
            (version, _) => version,
        }
    }

    /// Copy a version of the folder, so that it outlives it; nothing without one.
    ///
    /// # Errors
    /// There is no copy, and none could be made.
    pub fn keep(&self, hash: Hash256) -> Result<(), StoreError> {
        self.folder.as_ref().map_or(Ok(()), |folder| self.copies.keep(hash, folder))
    }

    /// How many entries a version has; `None` where it cannot be read.
    pub fn entries(&self, hash: Hash256) -> Option<usize> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = counted.get(&hash) {
            return Some(*entries);
        }
        let entries = self.load(hash).ok()?.entries().len();
        counted.insert(hash, entries);
        Some(entries)
    }

    /// Whether a person accepted what spoke against a version at its import, the last time it was imported.
    pub fn was_accepted(&self, source: &str, hash: Hash256) -> bool {
        let history = self.folder.as_ref().and_then(|folder| folder.history(source).ok()).unwrap_or_default();
        history.iter().rfind(|arrival| arrival.version == hash).is_some_and(|last| !last.accepted.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use sluice_lists::{
        Entry,
        import::{Format, Import},
    };
    use sluice_model::{EntryKind, EventTime};

    use super::*;
    use crate::Arrival;

    fn import(store: &Store, names: &[&str], accepted: &[&str]) -> Hash256 {
        let entries = names.iter().map(|n| Entry::new(*n, EntryKind::Person, *n)).collect();
        let version = ListVersion::new("own", entries).unwrap();
        let import = Import { version, published: None, skipped: vec![], doubts: vec![] };
        let mut arrival = Arrival::new(&import, EventTime::from_micros(0), Format::Csv, vec![]);
        arrival.accepted = accepted.iter().map(ToString::to_string).collect();
        store.activate(&import, &arrival).unwrap();
        import.version.hash()
    }

    #[test]
    fn a_version_outlives_its_folder_once_it_is_kept() {
        let place = tempfile::tempdir().unwrap();
        let folder = Store::create(place.path().join("lists")).unwrap();
        let copies = Store::create(place.path().join("copies")).unwrap();
        let (kept, other) = (import(&folder, &["A", "B"], &[]), import(&folder, &["C"], &[]));
        let versions = ListVersions::new(Some(folder.clone()), copies.clone());
        assert_eq!((versions.entries(kept), versions.entries(other)), (Some(2), Some(1)));
        versions.keep(kept).unwrap();
        assert!(versions.keep(Hash256::of(b"none")).is_err());
        let alone = ListVersions::new(None, copies);
        assert_eq!((alone.entries(kept), alone.entries(other)), (Some(2), None));
        assert!(alone.load(other).is_err() && alone.keep(other).is_ok());
        assert!(!alone.was_accepted("own", kept));
    }

    #[test]
    fn the_last_import_of_a_version_says_whether_it_was_accepted() {
        let place = tempfile::tempdir().unwrap();
        let folder = Store::create(place.path().join("lists")).unwrap();
        let versions =
            ListVersions::new(Some(folder.clone()), Store::create(place.path().join("copies")).unwrap());
        let of = |accepted: &[&str]| {
            let hash = import(&folder, &["A"], accepted);
            versions.was_accepted("own", hash)
        };
        assert_eq!([of(&[]), of(&["it shrank"]), of(&[])], [false, true, false]);
        assert!(
            !versions.was_accepted("own", Hash256::of(b"none"))
                && !versions.was_accepted("../x", Hash256::of(b"none"))
        );
    }
}
