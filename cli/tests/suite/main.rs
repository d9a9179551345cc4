//! The binary's commands from the shell, in one test binary: each that is linked costs time and room. What a running
//! `sluice up` does is in `up`, the rules of the house are in `house`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod alerts;
mod config;
mod events;
mod evidence;
mod faults;
mod help;
mod rules;
