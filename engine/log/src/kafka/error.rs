//! What brokers say, as what the caller can do about it.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::LogError;

/// The brokers did not answer, or could not do it for the moment.
pub(super) fn unanswered(brokers: &str, reason: impl ToString) -> LogError {
    LogError::Unanswered { brokers: brokers.to_owned(), reason: reason.to_string() }
}

/// Whether another producer under the same name has taken over.
pub(super) fn is_fenced(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
    matches!(error.rdkafka_error_code(), Some(Fenced | InvalidProducerEpoch | ProducerFenced))
}
