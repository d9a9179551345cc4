//! Who is asking: sessions of people, keys of services. Nothing here decides what they may do: `domain::Role` does.

mod keys;
mod limiter;
mod password;
mod sign_in;
mod tally;

pub use keys::{KeyError, MemoryKeys, check as check_key, new_key};
pub use limiter::{Limiter, Origin};
pub use password::{PasswordError, check_new as check_new_password, hash as hash_password};
pub use sign_in::{SignInError, SignedIn, Turns, Whence, record_failures, sign_in, sign_out};
pub use tally::Tally;

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
