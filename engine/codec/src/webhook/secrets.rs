//! What a sender signs with.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

/// The secrets that a sender may have signed with: one, or more while they are exchanged. Never none.
pub struct Secrets(Vec<Zeroizing<String>>);

/// There is no secret, or one of them is blank: anybody could sign.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no secret, or one of them is blank")]
pub struct NoSecret;

impl Secrets {
    /// These, as they are: without anything around them that is no part of them.
    pub fn new(secrets: Vec<Zeroizing<String>>) -> Result<Self, NoSecret> {
        match secrets.is_empty() || secrets.iter().any(|secret| secret.trim().is_empty()) {
            true => Err(NoSecret),
            false => Ok(Self(secrets)),
        }
    }

    /// Whether `given` is what one of them makes of the message, whose pieces are signed one after the other. The
    /// comparison takes as long wherever they differ.
    pub(crate) fn made(&self, given: &[u8], algorithm: Algorithm, message: &[&[u8]]) -> bool {
        self.0.iter().any(|secret| match algorithm {
            Algorithm::HmacSha256 => is_mac::<Hmac<Sha256>>(secret.as_bytes(), message, given),
            Algorithm::HmacSha512 => is_mac::<Hmac<Sha512>>(secret.as_bytes(), message, given),
        })
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}

/// How a message and a secret become a signature.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub(crate) enum Algorithm {
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    #[serde(rename = "hmac-sha512")]
    HmacSha512,
}

fn is_mac<M: Mac + KeyInit>(secret: &[u8], message: &[&[u8]], given: &[u8]) -> bool {
    <M as KeyInit>::new_from_slice(secret).is_ok_and(|mut mac| {
        message.iter().for_each(|piece| mac.update(piece));
        mac.verify_slice(given).is_ok()
    })
}
