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
    /// The brokers did not answer in time: whether the request was carried out is not known.
    #[error("the Kafka brokers at {brokers} did not answer: {reason}")]
    Unanswered {
        /// Where they are.
        brokers: String,
        /// In the client's words.
        reason: String,
    },
    /// The brokers did not take the request, and nothing of it was kept.
    #[error("the Kafka brokers at {brokers} did not take it, and nothing of it was kept: {reason}")]
    Refused {
        /// Where they are.
        brokers: String,
        /// In the client's words.
        reason: String,
    },
    /// The brokers do not let this client in.
    #[error("the Kafka brokers at {brokers} do not let this client in: {reason}")]
    Credentials {
        /// Where they are.
        brokers: String,
        /// In the client's words.
        reason: String,
    },
    /// The client cannot go on.
    #[error("the client of the Kafka brokers at {brokers} cannot go on: {reason}")]
    Client {
        /// Where they are.
        brokers: String,
        /// In the client's words.
        reason: String,
    },
    /// A setting of the client is wrong.
    #[error("the Kafka client takes no such setting: {what}")]
    Setting {
        /// Which, without its value.
        what: String,
    },
    /// The topics are not as they must be.
    #[error("{what}; `sluice topics plan` says what is to be done")]
    Topics {
        /// What is wrong with which.
        what: String,
    },
    /// Records that were there are not there any more.
    #[error("{partition} has lost records: {what}")]
    Lost {
        /// Where.
        partition: Partition,
        /// Which.
        what: String,
    },
    /// Where snapshots are to be, they cannot be read or kept.
    #[error("the snapshots at {place} cannot be read or kept: {reason}")]
    Snapshots {
        /// Where they are.
        place: String,
        /// Why.
        reason: String,
    },
    /// Another process runs under the same name.
    #[error("another process runs under the instance name {instance}; give each process a name of its own")]
    Replaced {
        /// The name.
        instance: String,
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

    /// Whether it is certain that nothing was kept, and that the same request may succeed later.
    pub const fn has_kept_nothing(&self) -> bool {
        matches!(self, Self::Busy | Self::Full { .. } | Self::Refused { .. })
    }

    /// Whether the same request may succeed later without anybody changing it.
    pub const fn is_transient(&self) -> bool {
        self.has_kept_nothing() || matches!(self, Self::Storage { .. } | Self::Unanswered { .. })
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_disk_without_room_is_told_apart_and_asked_again() {
        let error = |kind: ErrorKind| LogError::file(Path::new("log"), &io::Error::from(kind));
        for kind in [ErrorKind::StorageFull, ErrorKind::QuotaExceeded] {
            assert!(
                matches!(error(kind), LogError::Full { .. }) && error(kind).has_kept_nothing(),
                "{kind:?}"
            );
        }
        let failed = error(ErrorKind::PermissionDenied);
        assert!(failed.is_transient() && !failed.has_kept_nothing(), "whether it was kept is not known");
        assert!(!LogError::Closed.is_transient());
    }
}
