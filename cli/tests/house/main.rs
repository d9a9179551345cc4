//! The house rules that are worth a test: which crate may know which, what a pure crate never mentions, what
//! the documentation promises. Where one fails, mend the code, or change the rule here with a reason.

#![allow(clippy::unwrap_used, reason = "a test")]

mod dependencies;
mod deployment;
mod docs;
mod failures;
mod folders;
mod limits;
mod runbooks;
mod sources;
mod tree;
