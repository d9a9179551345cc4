//! A mark beside the store of where each partition ends, so that a store that lost its tail is told from one that
//! never had it: a WAL that was cut or deleted, an older copy put back, a disk that did not keep what it said it kept.
//!
//! It is written after a commit and before it is acknowledged, and never synced: a process that dies leaves it at
//! or before the store, and a power cut may only take it back. It is a witness, never a source.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::{self, Write as _},
    fs::{File, OpenOptions},
    io::Read as _,
    os::unix::fs::FileExt as _,
    path::Path,
};

use sluice_model::Hash256;

use crate::{LogError, Offset, Partition, Topic};

const FILE: &str = "ends";

/// Records that were acknowledged and are not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LostTail {
    /// Of which partition.
    pub partition: Partition,
    /// Where it ends now.
    pub end: Offset,
    /// Where it ended.
    pub known: Offset,
}

impl fmt::Display for LostTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, end, known } = self;
        write!(
            f,
            "{partition} ends at offset {end} and had reached {known}: {} acknowledged records are missing",
            known - end
        )
    }
}

/// The mark of one log.
pub(super) struct EndsFile {
    file: File,
    /// What it said when it was opened; `None` where it says nothing that can be read.
    known: Option<BTreeMap<Partition, Offset>>,
}

impl EndsFile {
    /// Open the mark in a folder, made where there is none.
    pub(super) fn open(folder: &Path) -> Result<Self, LogError> {
        let failed = |error| LogError::file(folder, &error);
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(FILE))
            .map_err(failed)?;
        let mut text = String::new();
        // Bytes that are no text are a mark that was torn: as good as none.
        let known = file.read_to_string(&mut text).ok().and_then(|_| parse(&text));
        if known.is_none() && !text.is_empty() {
            tracing::warn!("the mark of where the log ends was torn; it is written anew");
        }
        Ok(Self { file, known })
    }

    /// What was known and is not there.
    pub(super) fn lost(&self, ends: &HashMap<Partition, Offset>) -> Vec<LostTail> {
        let known = self.known.iter().flatten();
        known
            .map(|(partition, known)| LostTail {
                partition: *partition,
                end: ends.get(partition).copied().unwrap_or(0),
                known: *known,
            })
            .filter(|lost| lost.end < lost.known)
            .collect()
    }

    /// Write where every partition ends. A mark that cannot be written is an old mark: it says less.
    pub(super) fn write(&self, ends: &BTreeMap<Partition, Offset>) {
        if let Err(error) = self.file.write_all_at(text(ends).as_bytes(), 0) {
            tracing::debug!(%error, "the mark of where the log ends could not be written");
        }
    }
}

/// A line for each partition, then the hash over them. What an earlier, longer text left behind the hash is not read.
fn text(ends: &BTreeMap<Partition, Offset>) -> String {
    let mut text = String::new();
    for (partition, end) in ends {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{partition} {end}");
    }
    let hash = Hash256::of(text.as_bytes());
    let _ = writeln!(text, "{hash}");
    text
}

fn parse(text: &str) -> Option<BTreeMap<Partition, Offset>> {
    let mut ends = BTreeMap::new();
    let mut read = 0;
    for line in text.split_inclusive('\n') {
        let whole = line.strip_suffix('\n')?;
        let Some((partition, end)) = whole.split_once(' ') else {
            return (whole == Hash256::of(&text.as_bytes()[..read]).to_string()).then_some(ends);
        };
        read += line.len();
        let (topic, index) = partition.rsplit_once('/')?;
        let end = end.parse().ok()?;
        // A topic of another version is nothing to compare with.
        if let Some(topic) = Topic::ALL.into_iter().find(|known| known.name() == topic) {
            ends.insert(topic.partition(index.parse().ok()?), end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYMENTS: Partition = Topic::Payments.partition(0);
    const ALERTS: Partition = Topic::Alerts.partition(0);

    #[test]
    fn a_mark_says_what_is_missing_and_a_torn_one_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let open = || EndsFile::open(folder.path()).unwrap();
        let now = |payments| HashMap::from([(PAYMENTS, payments), (ALERTS, 3)]);
        assert_eq!(open().lost(&now(0)), []);
        open().write(&BTreeMap::from([(PAYMENTS, 1_000), (ALERTS, 3)]));
        assert_eq!(open().lost(&now(1_000)), []);
        assert_eq!(open().lost(&now(1_001)), [], "the store may be ahead of its mark");
        let lost = open().lost(&now(998));
        assert_eq!(lost, [LostTail { partition: PAYMENTS, end: 998, known: 1_000 }]);
        assert!(
            lost[0].to_string().ends_with("had reached 1000: 2 acknowledged records are missing"),
            "{}",
            lost[0]
        );
        // A shorter text over a longer one is read up to its hash.
        open().write(&BTreeMap::from([(PAYMENTS, 7)]));
        assert_eq!(open().lost(&now(7)), []);
        assert_eq!(open().lost(&now(6)).len(), 1);
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        for torn in [text.replace(" 7", " 9"), text[..20].to_owned(), "\u{1f}".to_owned()] {
            std::fs::write(folder.path().join(FILE), torn).unwrap();
            assert_eq!(open().lost(&now(0)), []);
        }
    }
}
