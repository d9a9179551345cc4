//! The suite once more, on PostgreSQL: `support` sees by this binary's name where the store is to be.

#![cfg(feature = "postgres")]
#![allow(clippy::duplicate_mod, reason = "each file brings its support")]

#[path = "acts.rs"]
mod acts;
#[path = "cases.rs"]
mod cases;
#[path = "http.rs"]
mod http;
#[path = "messages.rs"]
mod messages;
#[path = "officers.rs"]
mod officers;
#[path = "rules.rs"]
mod rules;
#[path = "store.rs"]
mod store;
#[path = "suppressions.rs"]
mod suppressions;
#[path = "trouble.rs"]
mod trouble;
