//! Drives one stage over one partition of a log: does the I/O that the core's [`Worker`](sluice_core::Worker) asks for, one
//! step after another, and decides nothing about a payment.
//!
//! A [`Driver`] owns its partition: it claims it, commits under its claim, and is fenced as soon as another has claimed it.
//! It has no thread and no clock. `engine/runtime` gives it a thread, and the fault simulation turns several of them in any
//! order, over the same [`Log`](sluice_log::Log): what is simulated is what runs.

#![warn(unreachable_pub)]

mod driver;
mod error;
mod handoff;
pub mod records;

pub use driver::{Assignment, Driver, Report};
pub use error::DriverError;
pub use handoff::{Available, Handoff};
