//! What drives and measures the engine from outside: labelled payment traffic, networks of accounts among which
//! groups launder, the scoring of alerts against labels, and the seeded fault simulation of the core.

#![warn(unreachable_pub)]

mod chance;
pub mod fault;
pub mod groups;
pub mod network;
pub mod sweep;
pub mod traffic;
