//! What the crate does from outside, in one binary: each that is linked costs time and room.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod bad_input;
mod diagnostics;
mod hostile;
mod judging;
mod packs;
