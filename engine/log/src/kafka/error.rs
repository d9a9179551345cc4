//! What brokers say, as what the caller can do about it.

use std::time::Duration;

use rdkafka::{
    consumer::{BaseConsumer, ConsumerContext},
    error::{KafkaError, RDKafkaErrorCode},
};

use crate::LogError;

/// How many of the things that happened to a client are looked at for a reason.
const EVENTS_LOOKED_AT: usize = 64;
/// How long each look takes at most.
const POLL: Duration = Duration::from_millis(1);

/// The brokers did not answer, or could not do it for the moment.
pub(super) fn unanswered(brokers: &str, reason: impl ToString) -> LogError {
    LogError::Unanswered { brokers: brokers.to_owned(), reason: reason.to_string() }
}

/// Why a question of a client that is never polled was not answered: what happened to its connections waits to be polled.
pub(super) fn explained<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    brokers: &str,
    error: &KafkaError,
) -> LogError {
    // Some of what waits is of no interest, and looks like nothing.
    let events = (0..EVENTS_LOOKED_AT).filter_map(|_| client.poll(POLL)?.err());
    let refused = events.filter_map(|event| refusal(brokers, &event)).next();
    refused.or_else(|| refusal(brokers, error)).unwrap_or_else(|| unanswered(brokers, error))
}

/// That the brokers let this client in no more, where an error says so: who it says it is, or how it speaks, is wrong.
pub(super) fn refusal(brokers: &str, error: &KafkaError) -> Option<LogError> {
    use RDKafkaErrorCode::{Authentication, SSL, SaslAuthenticationFailed, TopicAuthorizationFailed};
    let refuses = matches!(
        error.rdkafka_error_code(),
        Some(Authentication | SSL | SaslAuthenticationFailed | TopicAuthorizationFailed)
    );
    refuses.then(|| LogError::Credentials { brokers: brokers.to_owned(), reason: error.to_string() })
}

/// Whether another producer under the same name has taken over.
pub(super) fn is_fenced(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{Fenced, InvalidProducerEpoch, ProducerFenced};
    matches!(error.rdkafka_error_code(), Some(Fenced | InvalidProducerEpoch | ProducerFenced))
}
