//! Rules on their way from a proposal into force. A proposal is tried, then stored; acts move it; [`Service::advance`](super::Service::advance) sees
//! what was ordered into force through `prepare` and `activate`, as often as the engine must be asked. What the engine
//! judges by is the engine's to say: a version is in force here once it is there. Each move is a leaf of the evidence log.

mod acts;
mod advance;
mod backtests;
mod proposals;
mod status;

use serde_json::Value;
use sluice_evidence::Kind;
use tokio::task::JoinError;

pub(crate) use acts::VersionOutcome;
pub(crate) use status::{Filling, RulesStatus};

use crate::{
    domain::{TrialError, VersionRefusal},
    store::{Entry, StoreError, Tx},
};

/// Why an act on a version was not done.
#[derive(Debug, thiserror::Error)]
pub enum VersionError {
    /// No such version.
    #[error("there is no such version of the rules")]
    NoVersion,
    /// The domain refuses it.
    #[error(transparent)]
    Refused(#[from] VersionRefusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a proposal was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProposeError {
    /// It was tried, and refused.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// The version does not allow it.
    #[error(transparent)]
    Version(#[from] VersionError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Trying it panicked or was cancelled.
    #[error("a proposal could not be tried: {0}")]
    Join(#[from] JoinError),
}

/// The leaf of something that happened to a version.
async fn leaf(
    tx: &mut Tx<'_>,
    act: &str,
    actor: &str,
    version_id: &str,
    body: &Value,
) -> Result<i64, StoreError> {
    let entry = Entry { kind: Kind::Configuration, act, actor, about: version_id, case_id: None };
    tx.leaf(entry, body).await
}
