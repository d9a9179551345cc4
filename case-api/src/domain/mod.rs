//! Cases, roles, dispositions and rule versions as plain values: who may do what, and what follows. No SQL, no HTTP, no clock.

mod action;
mod case;
mod configuration;
mod disposition;
mod role;
mod suppression;
mod version;

pub use action::{Act, ActKind};
pub use case::{CaseState, Refusal, closings, next_state, sla};
pub use configuration::{ConfigurationAct, ConfigurationState, next_configuration_state};
pub use disposition::{Closing, DispositionCode};
pub use role::{Permission, Role, Roles};
pub use suppression::{SuppressionAct, SuppressionState, check_suppression, next_suppression_state};
pub use version::{VersionAct, VersionRefusal, VersionState, next_version_state};
