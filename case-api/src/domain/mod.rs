//! Cases, holds, freezes, roles, dispositions and rule versions as plain values: who may do what, and what follows. No SQL,
//! no HTTP, no clock.

mod action;
mod actor;
mod backtest;
mod case;
mod case_record;
mod changes;
mod configuration;
mod disposition;
mod freeze;
mod hold;
mod joining;
mod quarantine;
mod refusal;
mod release;
mod role;
mod sign_ins;
mod stream_time;
mod suppression;
mod topic;
mod trial;
mod version;

pub use action::{Act, ActKind};
pub use actor::{Actor, Via};
pub use backtest::{Alerts, BacktestReport, Example};
pub use case::{CaseState, closings, next_state, sla};
pub use case_record::Case;
pub use changes::{Changes, FileChange, ParameterChange, difference, written_since};
pub use configuration::{ConfigurationAct, ConfigurationState, next_configuration_state};
pub use disposition::{Closing, DispositionCode};
pub use freeze::{OrderedFreeze, freeze, unfreeze};
pub use hold::{Hold, HoldState};
pub use joining::{held_by_decision, joins, subjects, unexplained};
pub use quarantine::{
    QuarantineAct, check_quarantine, counts_towards_quarantine, owners_alert, proposes_quarantine,
    quarantine_seen,
};
pub use refusal::{Refusal, check_text};
pub use release::{HoldChanges, Letting, release, settle, still_held_by};
pub use role::{Permission, Role, Roles};
pub use sign_ins::FailedSignIns;
pub use stream_time::check_stream_time;
pub use suppression::{
    CaseMatch, SuppressionAct, SuppressionProposal, SuppressionState, check_suppression, check_together,
    matches_of, next_suppression_state,
};
pub use topic::Topic;
pub use trial::{Proposal, Trial, TrialError, TrialReport, bundle_of, try_files, try_out};
pub use version::{
    VersionAct, VersionRefusal, VersionState, check_alone, check_base, check_saving, next_version_state,
    overtaken, said_of,
};
