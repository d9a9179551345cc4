//! Who is asking: sessions of people, keys of services. Nothing here decides what they may do: `domain::Role` does.

mod guard;
mod keys;
mod limiter;
mod password;
mod sign_in;
mod tally;

use serde::Serialize;

use crate::domain::Roles;

pub use guard::{
    COOKIE, DEVICE_COOKIE, Identity, authenticate, require, session_cookie, sign_in_cookies, unknown,
};
pub use keys::{KeyError, MemoryKeys, new_key};
pub use limiter::{Limiter, Origin};
pub use password::{PasswordError, check_new as check_new_password, hash as hash_password};
pub use sign_in::{SignInError, Turns, Whence, record_failures, sign_in, sign_out};
pub use tally::{Failed, Tally};

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

/// SHA-256 in hexadecimal: how tokens and keys of 256 random bits are stored. (Passwords, which people choose, go
/// through argon2.)
pub(crate) fn digest(token: &str) -> String {
    sluice_model::Hash256::of(token.as_bytes()).to_string()
}

/// Whether two digests agree, in a time that does not tell where they differ.
pub(crate) fn same(left: &str, right: &str) -> bool {
    use subtle::ConstantTimeEq;
    left.as_bytes().ct_eq(right.as_bytes()).into()
}
