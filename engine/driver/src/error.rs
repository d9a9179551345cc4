//! Why a driver cannot go on.

use sluice_core::{SnapshotError, WorkerError};
use sluice_log::{LogError, Offset, Partition};

/// Why a driver cannot go on, or could not do something.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// The log refused or failed, and trying again is of no use.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The worker and its driver disagree (a fault of ours), or the log has lost what the state grows from.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The state cannot be written as a snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A record is not one of this version's.
    #[error("record {offset} of {partition} cannot be read: {reason}")]
    Record {
        /// What is read.
        partition: Partition,
        /// Where it stands.
        offset: Offset,
        /// Why, without its content.
        reason: String,
    },
    /// A record cannot be written: a fault of ours.
    #[error("a record cannot be written: {0}")]
    Encode(String),
}
