//! The suite once more, on PostgreSQL: `support` sees by this binary's name where the store is to be.

#![cfg(feature = "postgres")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

mod support;

#[path = "suite/acts.rs"]
mod acts;
#[path = "suite/cases.rs"]
mod cases;
#[path = "suite/http.rs"]
mod http;
#[path = "suite/messages.rs"]
mod messages;
#[path = "suite/officers.rs"]
mod officers;
#[path = "suite/rules.rs"]
mod rules;
#[path = "suite/store.rs"]
mod store;
#[path = "suite/suppressions.rs"]
mod suppressions;
#[path = "suite/trouble.rs"]
mod trouble;
