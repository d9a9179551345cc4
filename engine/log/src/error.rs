//! What can go wrong with a log, by what the caller can do about it.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use crate::Partition;

/// Why a log did not do what was asked. Nothing of a refused transaction is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// As much is waiting to be written as the log takes: try again shortly.
    #[error("the log takes no more for the moment: as much is waiting to be written as it holds in memory")]
    Busy,
    /// The disk, or the space that the log may use, is full.
    #[error("no space is left for the log in {folder}; nothing of this request was kept")]
    Full {
        /// Where the log lives.
        folder: PathBuf,
    },
    /// One record is larger than any log takes.
    #[error("a record of {bytes} bytes is larger than the log takes ({max} bytes)")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// Another process holds the folder.
    #[error(
        "the data folder {folder} is in use by another Sluice process; stop it, or choose another folder"
    )]
    InUse {
        /// The folder asked for.
        folder: PathBuf,
    },
    /// The folder was written by another version of the format.
    #[error("the log in {folder} has format {found}, and this version of Sluice reads format {known}")]
    Format {
        /// Where the log lives.
        folder: PathBuf,
        /// What it says.
        found: i64,
        /// What is known here.
        known: i64,
    },
    /// The store holds something that no writer of ours wrote.
    #[error("the log in {folder} is damaged: {what}; put back a whole copy of the data folder")]
    Damaged {
        /// Where the log lives.
        folder: PathBuf,
        /// Where, and what is wrong there.
        what: String,
    },
    /// Another owns this consumer's place now: whoever asked has been replaced.
    #[error("another owner of {consumer} on {partition} has taken over")]
    Fenced {
        /// Who reads.
        consumer: String,
        /// What it reads.
        partition: Partition,
    },
    /// The log was closed, or its writer has ended.
    #[error("the log is closed")]
    Closed,
    /// The store failed in another way.
    #[error("the log in {folder} failed: {reason}")]
    Storage {
        /// Where the log lives.
        folder: PathBuf,
        /// In the store's words.
        reason: String,
    },
}

impl LogError {
    /// A failure of the store, in its own words.
    pub(crate) fn storage(folder: &Path, reason: impl ToString) -> Self {
        Self::Storage { folder: folder.to_owned(), reason: reason.to_string() }
    }

    /// A failure of a file beside the store.
    pub(crate) fn file(folder: &Path, error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { folder: folder.to_owned() },
            _ => Self::storage(folder, error),
        }
    }

    /// Whether it is certain that nothing was kept, and that the same request may succeed once there is room.
    pub const fn is_for_want_of_room(&self) -> bool {
        matches!(self, Self::Busy | Self::Full { .. })
    }

    /// Whether the same request may succeed later without anybody changing it.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Busy | Self::Full { .. } | Self::Storage { .. })
    }
}
