//! The case side of Sluice: what the engine says becomes cases, officers act on them, and every step leaves
//! evidence.
//!
//! Three layers: [`domain`] decides, [`store`] keeps rows, `service` loads, has the domain decide, and commits. `api` and
//! `console` are its faces, `auth` says who asks. An alert's way: [`ports::Feed`] → `service` (case opened or joined, leaf
//! appended, offset moved: one transaction) → `api` and `console` → an [`Act`](domain::Act) → `service` (act, leaf, control
//! record in the outbox: one transaction) → [`ports::ControlSink`], and it applies from the next payment on.
//!
//! **Invariants.** Only this crate knows SQL and HTML. It knows nothing of the runtime: `cli` wires its [`Ports`].
//! `domain` alone says who may do what and what follows; `service` alone calls the store. Personal data never enters a
//! log line, a metric or an error.

#![warn(unreachable_pub)]

mod api;
mod app;
mod auth;
mod console;
pub mod domain;
mod health;
pub mod limits;
mod log_ports;
mod metrics;
pub mod ports;
mod server;
mod service;
mod stamp;
pub mod store;
mod words;
mod work;

pub use api::{Identity, Problem, openapi};
pub use auth::PasswordError;
pub use domain::{Actor, Proposal, Trial, TrialReport, Via};
pub use log_ports::{LogControls, LogFeed};
pub use ports::Ports;
pub use server::{CaseApi, OpenError, Options};
pub use service::{IntakeCounts, WorkError};
pub use sluice_evidence::{Signer, Zeroizing};
pub use stamp::Stamp;
