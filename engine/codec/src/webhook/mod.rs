//! Webhooks: signed JSON that a payment service provider sends. A small TOML file says how it is signed and what of it
//! means what, so that another provider needs no code; `docs/webhooks.md` is its guide.
//!
//! **Invariant.** Nothing of a body is believed before [`Webhook::verify`] has said that the holder of a secret signed it:
//! whoever calls [`Webhook::read`] has asked it first.

mod file;
mod secrets;
mod signature;
mod template;

pub(crate) use secrets::Algorithm;
pub use {
    file::{SecretSource, WebhookError, WebhookFile},
    secrets::{NoSecret, Secrets},
};

use sluice_model::{EventTime, PaymentEvent, Span};

use self::signature::Scheme;
use crate::{DecodeError, DocumentMapping, ecommpay};

/// What comes from one sender: how it is signed, and how it is read.
#[derive(Debug)]
pub struct Webhook(Format);

#[derive(Debug)]
enum Format {
    /// Callbacks of ecommpay, whose signature stands in the body.
    Ecommpay,
    /// A signature in a header, and a mapping.
    Mapped(Box<(Scheme, DocumentMapping)>),
}

/// Why a body is not believed. The words may be told to whoever sent it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unverified {
    /// The body, in which the signature stands, cannot be read.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
    /// The signature or the timestamp is not there, or there more than once.
    #[error("{0} is missing, or given more than once")]
    Missing(String),
    /// The signature or the timestamp is not written as was agreed.
    #[error("{place} is not {expected}")]
    Malformed {
        /// The header, or the field of the body.
        place: String,
        /// What was expected there.
        expected: &'static str,
    },
    /// No secret made this signature of this body.
    #[error("the signature does not match")]
    Mismatch,
    /// Signed, but long ago or for a time to come: it may be a replay.
    #[error("the timestamp is more than {0} away from the time here")]
    OutsideWindow(Span),
}

impl Webhook {
    /// Whether the holder of one of the secrets signed this body, for a time near `now`. `header`: the value of a header
    /// that came exactly once, by its name in any case.
    pub fn verify<'h>(
        &self,
        header: impl Fn(&str) -> Option<&'h str>,
        body: &[u8],
        now: EventTime,
        secrets: &Secrets,
    ) -> Result<(), Unverified> {
        match &self.0 {
            Format::Ecommpay => ecommpay::verify(body, secrets),
            Format::Mapped(mapped) => mapped.0.verify(header, body, now, secrets),
        }
    }

    /// The event that a verified body tells of; nothing where it is one of those that are passed over.
    pub fn read(&self, body: &[u8]) -> Result<Option<PaymentEvent>, DecodeError> {
        match &self.0 {
            Format::Ecommpay => ecommpay::read(body),
            Format::Mapped(mapped) => mapped.1.read(body),
        }
    }
}
