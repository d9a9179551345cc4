//! A list version: the normalised entries of one source, addressed by the hash of its one encoding.
//!
//! **Invariant.** The hash covers the source and every entry, and nothing else: when a list was fetched, from
//! where and in what format stands in the store's history, so that the same content is the same version.

use std::collections::BTreeSet;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sluice_model::Hash256;

use crate::Entry;

/// So many entries are encoded at once, on all cores: for its hash the encoding need not stand in memory whole.
const ENTRIES_AT_ONCE: usize = 1_024;

/// The number of the encoding; a change of it changes every hash.
const ENCODING: u32 = 1;

/// The normalised entries of one source. Immutable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListVersion {
    source: String,
    hash: Hash256,
    entries: Vec<Entry>,
    names: usize,
}

/// Why bytes or entries are not a list version.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// A source name that would not do as a file name.
    #[error("{0:?} cannot name a list source: 1 to 64 of a-z, 0-9 and -, such as `ofac-sdn`")]
    Source(String),
    /// An entry without a name cannot be screened against.
    #[error("entry {0} has no name")]
    Nameless(String),
    /// Two entries with one id.
    #[error("entry {0} stands twice")]
    Duplicate(String),
    /// A line that is no entry, or the header is none.
    #[error("line {line} of a list version cannot be read: {reason}")]
    Line {
        /// Counted from 1, the header's.
        line: usize,
        /// Why.
        reason: serde_json::Error,
    },
    /// Another encoding than this program's.
    #[error("a list version in encoding {0}; this program reads {ENCODING}")]
    Encoding(u32),
    /// Not what this program would have written.
    #[error("not the canonical encoding of a list version: it was changed or cut")]
    NotCanonical,
}

/// The first line of the encoding.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    sluice_list: u32,
    source: String,
    entries: usize,
}

impl ListVersion {
    /// The version of these entries, in any order.
    pub fn new(source: impl Into<String>, mut entries: Vec<Entry>) -> Result<Self, VersionError> {
        let source = source.into();
        if !is_source_name(&source) {
            return Err(VersionError::Source(source));
        }
        entries.par_sort_unstable_by(|a, b| a.id.cmp(&b.id));
        entries.par_iter_mut().for_each(Entry::shrink);
        entries.shrink_to_fit();
        if let Some(twice) = entries.windows(2).find(|pair| pair[0].id == pair[1].id) {
            return Err(VersionError::Duplicate(twice[0].id.clone()));
        }
        if let Some(nameless) = entries.iter().find(|e| e.names.is_empty()) {
            return Err(VersionError::Nameless(nameless.id.clone()));
        }
        let names = entries.iter().map(|e| e.names.len()).sum();
        let hash = Hash256::of_stream(encoded(&source, &entries));
        Ok(Self { source, hash, entries, names })
    }

    /// The source: `ofac-sdn`, `un`, a company's own `blacklist`.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The hash of the encoding: the version's identity.
    pub fn hash(&self) -> Hash256 {
        self.hash
    }

    /// The entries, in the order of their ids.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry with this id.
    pub fn entry(&self, id: &str) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|e| e.id.as_str().cmp(id)).ok()?;
        self.entries.get(at)
    }

    /// How many names all entries have together.
    pub fn name_count(&self) -> usize {
        self.names
    }

    /// Every programme that an entry is listed under.
    pub fn programmes(&self) -> BTreeSet<&str> {
        self.entries.iter().flat_map(|e| &e.programmes).map(String::as_str).collect()
    }

    /// The canonical encoding: a header line, then a line of JSON for each entry, by id.
    pub fn encode(&self) -> Vec<u8> {
        encoded(&self.source, &self.entries).flatten().collect()
    }

    /// The version that was encoded; refuses whatever [`ListVersion::encode`] would not have written.
    pub fn decode(bytes: &[u8]) -> Result<Self, VersionError> {
        let mut lines = bytes.strip_suffix(b"\n").ok_or(VersionError::NotCanonical)?.split(|b| *b == b'\n');
        let header = lines.next().unwrap_or_default();
        let header: Header =
            serde_json::from_slice(header).map_err(|reason| VersionError::Line { line: 1, reason })?;
        if header.sluice_list != ENCODING {
            return Err(VersionError::Encoding(header.sluice_list));
        }
        let lines: Vec<&[u8]> = lines.collect();
        let entries = lines
            .par_iter()
            .enumerate()
            .map(|(i, line)| {
                serde_json::from_slice(line).map_err(|reason| VersionError::Line { line: i + 2, reason })
            })
            .collect::<Result<Vec<Entry>, _>>()?;
        let version = Self::new(header.source, entries)?;
        if version.hash == Hash256::of(bytes) { Ok(version) } else { Err(VersionError::NotCanonical) }
    }
}

/// Whether a text may name a source; it becomes a file name and stands in every alert.
pub fn is_source_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The encoding, part by part.
fn encoded(source: &str, entries: &[Entry]) -> impl Iterator<Item = Vec<u8>> {
    let header = Header { sluice_list: ENCODING, source: source.to_owned(), entries: entries.len() };
    let mut first = serde_json::to_vec(&header).unwrap_or_default();
    first.push(b'\n');
    let lines = |some: &[Entry]| {
        let lines: Vec<String> = some.par_iter().map(|entry| entry.to_json() + "\n").collect();
        lines.concat().into_bytes()
    };
    std::iter::once(first).chain(entries.chunks(ENTRIES_AT_ONCE).map(lines))
}

#[cfg(test)]
mod tests {
    use sluice_model::EntryKind;

    use super::*;

    fn entries() -> Vec<Entry> {
        ["2", "10", "1"].map(|id| Entry::new(id, EntryKind::Person, format!("Name {id}"))).to_vec()
    }

    #[test]
    fn content_alone_is_the_identity() {
        let version = ListVersion::new("own", entries()).unwrap();
        let turned = ListVersion::new("own", entries().into_iter().rev().collect()).unwrap();
        assert_eq!(version.hash(), turned.hash());
        assert_ne!(version.hash(), ListVersion::new("other", entries()).unwrap().hash());
        assert_eq!(version.hash(), Hash256::of(&version.encode()));
        assert_eq!(version.entry("10").map(Entry::primary_name), Some("Name 10"));
        assert_eq!(ListVersion::decode(&version.encode()).unwrap(), version);
    }

    #[test]
    fn whatever_is_not_canonical_is_refused() {
        let bytes = ListVersion::new("own", entries()).unwrap().encode();
        for cut in 0..bytes.len() {
            assert!(ListVersion::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let text = String::from_utf8(bytes).unwrap();
        for (from, to) in [("\"kind\"", " \"kind\""), (":3}", ":4}"), ("\"own\"", "\"../own\"")] {
            assert!(ListVersion::decode(text.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
        }
        let mut twice = entries();
        twice.push(twice[0].clone());
        assert!(matches!(ListVersion::new("own", twice), Err(VersionError::Duplicate(id)) if id == "2"));
    }
}
