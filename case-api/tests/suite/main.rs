//! The case side from outside, in one binary: each that is linked costs time and room. The browser's stays apart.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod acts;
mod cases;
mod http;
mod log_ports;
mod messages;
mod officers;
mod openapi;
mod pages;
mod rules;
mod store;
mod suppressions;
mod trouble;
