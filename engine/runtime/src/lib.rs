//! Drives the core over a log: takes events in over HTTP, answers decisions, keeps snapshots, pushes back when
//! it is full, and reports what it does.
//!
//! ```text
//! HTTP ─▶ ingest ─▶ gateway ─▶ payments log ─▶ driver ─▶ core::Worker<Engine>
//!                      │ durable records, in memory ▲        │ alerts, holds, dead letters,
//!                      └───────── handoff ──────────┘        ▼ decisions and the offset: one transaction
//!                                                  log ──▶ desk ─▶ whoever waits for a decision
//!                                                          receipts ─▶ whoever sent events
//! ```
//!
//! Over Kafka, engines run in processes of their own (`host`), and whoever takes events in follows what they say
//! (`following`).
//!
//! This crate owns the clock (each record's `received_at` is stamped here, once), the threads and the sockets.
//!
//! **Invariants.** It never judges, dedupes or decides what is lost or doubled: that is the core's. Nothing is
//! acknowledged before the log has it on disk. No personal data in log lines, metrics or refusals.

#![warn(unreachable_pub)]

mod deadlines;
mod desk;
mod engine;
mod error;
mod following;
mod gateway;
mod guard;
mod host;
mod http;
pub mod in_force;
mod incoming;
mod ingest;
mod lanes;
mod library;
pub mod limits;
mod named_files;
mod orders;
mod progress;
mod readiness;
mod receipts;
mod replay;
mod requests;
mod rule_folder;
mod runtime;
mod saver;
mod sources;
mod telemetry;
mod webhooks;

pub use engine::ENGINE;
pub use error::RuntimeError;
pub use gateway::{CONTROL, Outbox, PAYMENTS};
pub use guard::ClockFault;
pub use host::{Counted, Host, HostMetrics, HostParts, Hosted};
pub use library::{BuildScreener, CachingLibrary};
pub use progress::Status;
pub use replay::{Read, Replay, Replayed};
pub use rule_folder::{RuleFiles, RuleFolder, is_part_of_rules, read_cases, read_rules};
pub use runtime::{Engines, Parts, Runtime};
pub use sluice_http::{Caller, Clock, SystemClock};
pub use sources::{Source, SourceParts, Sources};
pub use webhooks::Webhooks;
