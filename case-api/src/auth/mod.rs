//! Who is asking: sessions of people, keys of services. Nothing here decides what they may do: `domain::Role` does.

mod keys;
mod limiter;
mod password;
mod sign_in;
mod tally;

pub(crate) use keys::{KeyError, MemoryKeys, new_key};
pub(crate) use limiter::{Limiter, Origin};
pub use password::PasswordError;
pub(crate) use password::{check_new as check_new_password, hash as hash_password};
pub(crate) use sign_in::{SignInError, SignedIn, Turns, Whence};
pub(crate) use tally::Tally;

use crate::limits::{SIGN_INS_AT_ONCE, SIGN_INS_WAITING_MAX};

/// What only memory holds of those who ask.
pub(crate) struct Auth {
    limiter: Limiter,
    /// Keys that are stored nowhere.
    pub keys: MemoryKeys,
    /// Failed sign-ins that are not written down yet.
    failed: Tally,
    /// Turns at hashing a password, for those who signed in from the same browser before.
    hashing: Turns,
    /// The same for everybody else.
    hashing_for_strangers: Turns,
}

impl Default for Auth {
    fn default() -> Self {
        Self {
            limiter: Limiter::default(),
            keys: MemoryKeys::default(),
            failed: Tally::default(),
            hashing: Turns::new(SIGN_INS_AT_ONCE, SIGN_INS_WAITING_MAX),
            hashing_for_strangers: Turns::new(SIGN_INS_AT_ONCE, SIGN_INS_WAITING_MAX),
        }
    }
}

/// SHA-256 in hexadecimal: how tokens and keys of 256 random bits are stored. (Passwords, which people choose, go
/// through argon2.)
pub(crate) fn digest(token: &str) -> String {
    sluice_model::Hash256::of(token.as_bytes()).to_string()
}

/// Whether two digests agree, in a time that does not depend on where they differ.
pub(crate) fn same(left: &str, right: &str) -> bool {
    use subtle::ConstantTimeEq;
    left.as_bytes().ct_eq(right.as_bytes()).into()
}
