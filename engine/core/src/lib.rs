//! The pure heart of Sluice: what decides whether a payment is new, what is judged, what is alerted, and what
//! a crash may not change.
//!
//! Everything here is a **stage**: a state machine that is a pure function of one partition of one log.
//!
//! ```text
//! payments[p] ─▶ Home ──events──▶ keyed[k] ─▶ Shard ──┐
//!                 │ alerts, holds             │ alerts, holds
//!                 └──────verdicts[p]◀─────────┘
//!                           └─▶ Gather ─▶ decisions
//! ```
//!
//! [`Engine`] is the three of them over a single payments partition, for the embedded mode and for replays.
//! [`Worker`] carries any stage through batches, commits, aborts, crashes and moves; its driver owns the I/O.
//!
//! **Invariants.** No clock, no random source, no file, no socket. Time comes with the event. All that decides
//! what is lost or doubled is in this crate, so that the seeded simulation proves what runs.

#![warn(unreachable_pub)]

mod alerting;
mod case_runner;
mod control;
mod dedupe;
mod engine;
mod freezes;
mod gather;
mod home;
mod late;
mod library;
mod noise;
mod output;
mod parties;
mod payments;
mod publication;
mod rulebook;
mod screening;
mod shard;
mod snapshot;
mod speaking;
mod stage;
mod suppressions;
pub mod window;
mod wire;
mod worker;

pub use alerting::deadline_alert;
pub use case_runner::CaseRunner;
pub use control::Distributor;
pub use engine::{Engine, EngineConfig};
pub use gather::{Gather, HOLDS_KEPT_FOR, OUTCOME_ON_DEADLINE, REASON_ON_DEADLINE};
pub use home::Home;
pub use library::{Library, NoLists, Unavailable};
pub use output::{Counts, DistributorOutput, GatherOutput, HomeOutput, Output, RescreenReport, ShardOutput};
pub use parties::{PARTIES_MAX, PARTY_KNOWN_FOR, Parties};
pub use publication::{Layout, Publication, Published};
pub use rulebook::Rulebook;
pub use shard::Shard;
pub use snapshot::{Format, SnapshotError};
pub use stage::{Offset, Stage};
pub use wire::{
    KeyedEvent, KeyedRecord, Screened, Speaker, Verdict, VerdictFinding, VerdictRecord, partition_of,
};
pub use worker::{Batch, Step, Worker, WorkerConfig, WorkerError};
