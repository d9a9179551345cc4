//! Cases, roles, dispositions and rule versions as plain values: who may do what, and what follows. No SQL, no HTTP, no clock.

mod action;
mod actor;
mod backtest;
mod case;
mod changes;
mod configuration;
mod disposition;
mod role;
mod sign_ins;
mod suppression;
mod trial;
mod version;

pub use action::{Act, ActKind};
pub use actor::{Actor, Via};
pub use backtest::{Alerts, BacktestReport, Example};
pub use case::{CaseState, Refusal, closings, next_state, sla};
pub use changes::{Changes, FileChange, ParameterChange, difference};
pub use configuration::{ConfigurationAct, ConfigurationState, next_configuration_state};
pub use disposition::{Closing, DispositionCode};
pub use role::{Permission, Role, Roles};
pub use sign_ins::FailedSignIns;
pub use suppression::{SuppressionAct, SuppressionState, check_suppression, next_suppression_state};
pub use trial::{Candidate, Proposal, TrialError, TrialReport, bundle_of, try_files, try_out};
pub use version::{VersionAct, VersionRefusal, VersionState, next_version_state};
