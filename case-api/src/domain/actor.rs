//! Whoever does something.

use serde::Serialize;

use super::Roles;

/// Whoever does something, as evidence records it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Actor {
    /// A user's or key's name.
    pub name: String,
    /// What it may do.
    pub roles: Roles,
    /// How it proved itself.
    pub via: Via,
}

/// How an actor proved itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// A person's session.
    Session,
    /// An API key.
    Key,
}
