//! The records' bytes on the log: JSON, so that whoever exports a log can read it without Sluice.

use serde::{Serialize, de::DeserializeOwned};
use sluice_core::Published;
use sluice_log::{Record, StoredRecord};
use sluice_model::{DeadLetter, PaymentRecord};

use crate::RuntimeError;

/// The key of control records on the payments log: no payment has an empty id that matters to them.
const CONTROL_KEY: &str = "";

/// A record of the payments log.
pub(crate) fn payment(record: &PaymentRecord) -> Result<Record, RuntimeError> {
    let key = match record {
        PaymentRecord::Event(event) => event.event.payment_id(),
        PaymentRecord::Control(_) => CONTROL_KEY,
    };
    json(key, record)
}

/// What a stored record of the payments log says.
pub(crate) fn parse_payment(stored: &StoredRecord) -> Result<PaymentRecord, RuntimeError> {
    parse(stored)
}

/// A record that a stage publishes.
pub(crate) fn published(record: &Published) -> Result<Record, RuntimeError> {
    json(record.key(), record)
}

/// What could not be taken in.
pub(crate) fn dead_letter(letter: &DeadLetter) -> Result<Record, RuntimeError> {
    json(&letter.code, letter)
}

/// Any record under a key.
pub(crate) fn json(key: &str, value: &impl Serialize) -> Result<Record, RuntimeError> {
    let bytes = serde_json::to_vec(value).map_err(|error| RuntimeError::Encode(error.to_string()))?;
    Ok(Record::new(key, bytes))
}

/// What a stored record says.
pub(crate) fn parse<T: DeserializeOwned>(stored: &StoredRecord) -> Result<T, RuntimeError> {
    serde_json::from_slice(&stored.value).map_err(|error| RuntimeError::Record {
        offset: stored.offset,
        // The position only: serde's message may repeat what stood there.
        reason: format!("not a record of this version (line {}, column {})", error.line(), error.column()),
    })
}
