//! `sluice up` as its users meet it: the real process, over HTTP and signals.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod backtest;
mod backup;
mod configured;
mod connections;
mod contract;
mod crash;
mod full_disk;
mod integrity;
mod lists;
mod private;
mod process;
mod small_disk;
