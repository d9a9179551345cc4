//! The records' bytes on the log: JSON, so that whoever exports a log can read it without Sluice.

use serde::{Serialize, de::DeserializeOwned};
use sluice_core::Published;
use sluice_log::{Partition, Record, StoredRecord};
use sluice_model::PaymentRecord;

use crate::DriverError;

/// A record that a stage publishes.
///
/// # Errors
/// [`DriverError::Encode`].
pub fn published(record: &Published) -> Result<Record, DriverError> {
    json(record.key(), record)
}

/// A record of the payments log, under its payment.
///
/// # Errors
/// [`DriverError::Encode`].
pub fn payment(record: &PaymentRecord) -> Result<Record, DriverError> {
    json(record.payment_id().unwrap_or_default(), record)
}

/// Any record under a key.
///
/// # Errors
/// [`DriverError::Encode`].
pub fn json(key: &str, value: &impl Serialize) -> Result<Record, DriverError> {
    let bytes = serde_json::to_vec(value).map_err(|error| DriverError::Encode(error.to_string()))?;
    Ok(Record::new(key, bytes))
}

/// What a stored record of a partition says.
///
/// # Errors
/// [`DriverError::Record`], without anything of its content.
pub fn parse<T: DeserializeOwned>(partition: Partition, stored: &StoredRecord) -> Result<T, DriverError> {
    serde_json::from_slice(&stored.value).map_err(|error| DriverError::Record {
        partition,
        offset: stored.offset,
        // The position only: serde's message may repeat what was there.
        reason: format!("not a record of this version (line {}, column {})", error.line(), error.column()),
    })
}
