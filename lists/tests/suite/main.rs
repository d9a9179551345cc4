//! What the crate does from outside, in one binary: each that is linked costs time and room.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod events;
mod exact_retrieval;
mod hostile;
mod matching;
mod real_lists;
mod white_lists;
