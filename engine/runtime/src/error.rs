//! What can go wrong while the engine is driven, by who can mend it.

use std::path::PathBuf;

use sluice_core::{SnapshotError, WorkerError};
use sluice_log::{LogError, Offset};

use crate::ClockFault;

/// Why the runtime did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The log refused or failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The worker and its driver disagree: a fault of ours.
    #[error("the engine and its driver disagree: {0}")]
    Worker(#[from] WorkerError),
    /// The state cannot be written as a snapshot: a fault of ours.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A record of the log is not one of this version's.
    #[error("record {offset} of the payments log cannot be read: {reason}")]
    Record {
        /// Where it stands.
        offset: Offset,
        /// Why, without its content.
        reason: String,
    },
    /// A record cannot be written: a fault of ours.
    #[error("a record cannot be written: {0}")]
    Encode(String),
    /// A folder of rules or lists cannot be read, or what it holds is broken.
    #[error("{folder}: {reason}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// A thread could not be started.
    #[error("a thread could not be started: {0}")]
    Thread(std::io::Error),
    /// A metric could not be registered: a fault of ours.
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
    /// As many events wait for the engine as may.
    #[error("the engine is behind: as many events wait for it as may")]
    Behind {
        /// When it may be worth coming again.
        seconds: u64,
    },
    /// Nothing is taken in under a clock that cannot be believed.
    #[error("nothing is taken in: {0}")]
    Clock(#[from] ClockFault),
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}
