//! Passwords: argon2id with the library's recommended parameters (19 MiB, two passes), salted from the system.

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier, password_hash::SaltString};

use crate::{
    limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN},
    service::{StoreError, random},
};

/// Why a password is not taken.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too short, or absurdly long.
    #[error("a password has at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes")]
    Length,
    /// It could not be hashed.
    #[error("the password could not be hashed")]
    Hashing,
    /// No random bytes.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whether a new password is long enough. Length is the only rule, as NIST SP 800-63B advises.
pub(crate) fn check_new(password: &str) -> Result<(), PasswordError> {
    let fits = password.chars().count() >= PASSWORD_CHARS_MIN && password.len() <= PASSWORD_BYTES_MAX;
    if fits { Ok(()) } else { Err(PasswordError::Length) }
}

/// The PHC string to store. Slow on purpose: call it where blocking is allowed.
pub(crate) fn hash(password: &str) -> Result<String, PasswordError> {
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(|_| PasswordError::Hashing)?;
    let hash =
        Argon2::default().hash_password(password.as_bytes(), &salt).map_err(|_| PasswordError::Hashing)?;
    Ok(hash.to_string())
}

/// Whether a password is the one that was hashed. Slow on purpose.
pub(super) fn verify(password: &str, stored: &str) -> bool {
    password.len() <= PASSWORD_BYTES_MAX
        && PasswordHash::new(stored)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_only() {
        let stored = hash("correct horse battery").unwrap();
        assert!(stored.starts_with("$argon2id$") && !stored.contains("horse"));
        assert!(verify("correct horse battery", &stored));
        assert!(!verify("correct horse batterz", &stored));
        assert_ne!(stored, hash("correct horse battery").unwrap(), "each hash has its own salt");
    }

    #[test]
    fn length_is_the_only_rule() {
        assert!(check_new("twelve chars").is_ok());
        assert!(check_new("eleven char").is_err());
        assert!(check_new(&"x".repeat(PASSWORD_BYTES_MAX + 1)).is_err());
    }
}
