//! Callbacks of ecommpay: the signature that stands in them, and what they tell of a payment.
//! `docs/webhooks.md` says what becomes what.

mod callback;
mod card;
mod natural;
mod operations;
mod signature;
mod statuses;

use sluice_model::PaymentEvent;

use crate::{
    DecodeError,
    document::Document,
    webhook::{Secrets, Unverified},
};

/// Whether the holder of one of the secrets signed this callback.
///
/// What is signed is every field but `signature` anywhere and `frame_mode` at the top, as `path:value`. Neither `:` nor
/// `;` is marked in values, so that texts which hold them can be parted otherwise under the same signature: where much
/// depends on a status, ask for it.
pub fn verify(body: &[u8], secrets: &Secrets) -> Result<(), Unverified> {
    signature::verify(&Document::parse(body)?, secrets)
}

/// The event that a verified callback tells of; nothing where it tells of no payment (a card that was stored), or of one
/// that is waited for, at no time that is said.
pub fn read(body: &[u8]) -> Result<Option<PaymentEvent>, DecodeError> {
    callback::read(&Document::parse(body)?)
}
