//! Why something was not done.

use tokio::task::JoinError;

use crate::{domain::Refusal, ports::PortError, store::StoreError};

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No such case.
    #[error("there is no such case")]
    NoCase,
    /// No such suppression.
    #[error("there is no such suppression")]
    NoSuppression,
    /// No such configuration.
    #[error("there is no such configuration")]
    NoConfiguration,
    /// A name that is not screened. Why.
    #[error("{0}")]
    NotScreened(String),
    /// The domain refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A blocking call panicked or was cancelled.
    #[error(transparent)]
    Join(#[from] JoinError),
}

/// Why a round of work failed. The next round begins where the last good one ended.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A port failed.
    #[error("{0}")]
    Port(#[from] PortError),
    /// A blocking call panicked or was cancelled.
    #[error("a blocking call did not end: {0}")]
    Join(#[from] JoinError),
}
