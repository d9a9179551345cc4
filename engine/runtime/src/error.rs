//! What can go wrong while the engine is driven, by who can mend it.

use std::path::PathBuf;

use sluice_driver::DriverError;
use sluice_log::LogError;

use crate::ClockFault;

/// Why the runtime did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// The log refused or failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log, a record on it, or the engine's state is not what it is to be.
    #[error(transparent)]
    Driver(DriverError),
    /// Another engine has claimed the payments log.
    #[error("another engine has taken over the payments log")]
    Fenced,
    /// A folder of rules or lists cannot be read, or what it holds is broken.
    #[error("{folder}: {reason}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// The engine has not taken rules that it was ordered to take: others were ordered meanwhile, or they do not compile.
    #[error(
        "other rules were ordered meanwhile, or the engine could not compile these: they are not in force"
    )]
    RulesOvertaken,
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
    /// What would be taken in now would be judged by no rule.
    #[error("nothing is taken in: no rule is in force yet")]
    NoRules,
    /// Nothing is taken in under a clock that cannot be believed.
    #[error("nothing is taken in: {0}")]
    Clock(#[from] ClockFault),
    /// What reads a document ended before it: a fault of ours.
    #[error("a document was not read to its end")]
    Unread,
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}

impl From<DriverError> for RuntimeError {
    fn from(error: DriverError) -> Self {
        match error {
            DriverError::Log(error) => Self::Log(error),
            other => Self::Driver(other),
        }
    }
}
