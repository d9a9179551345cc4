//! Which brokers, under which names, and how their clients are set.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientConfig, ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, ConsumerContext},
    error::KafkaError,
};
use sluice_model::Topic;

use crate::LogError;

/// The largest record: what brokers take at once by default (`socket.request.max.bytes`) has room for it.
pub(super) const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The largest message: a record, and what it has beside its key and value on its way.
pub(super) const MESSAGE_BYTES_MAX: usize = RECORD_BYTES_MAX + 64 * 1024;
/// After which the brokers end a transaction whose producer says nothing. Whatever reads the partitions that it wrote to waits
/// so long when a process dies inside of one and does not come back.
pub(super) const TRANSACTION_WITHIN: Duration = Duration::from_secs(10);
/// Within which the brokers answer a question by default.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// How long the brokers keep a fetch that finds nothing.
const FETCH_WAIT: Duration = Duration::from_millis(100);
/// How often an error of one kind is reported, however often clients meet it.
const REPORTED_EVERY: Duration = Duration::from_secs(10);
/// After which a producer asks again what the brokers have put off, in milliseconds, at first and at most.
const ASKED_AGAIN_AFTER_MS: &str = "5";
const ASKED_AGAIN_AFTER_MS_MAX: &str = "20";
/// What one reader holds of what was fetched ahead, in KiB.
const FETCHED_AHEAD_KIB: usize = 16 * 1024;

/// What may be chosen about a log in Kafka.
#[derive(Clone, Debug)]
pub struct KafkaOptions {
    /// Where the brokers are: `host:port`, several with commas between.
    pub brokers: String,
    /// Stands before the names of topics, consumers and transactions, with a dot, where several installations share the
    /// brokers. Empty: nothing does.
    pub namespace: String,
    /// This process's name among those that use the brokers: the same after a restart, and no other's at the same time.
    pub instance: String,
    /// Within which the brokers answer a question, or they are taken to be out of reach.
    pub answer_within: Duration,
    /// What else librdkafka is told, such as `security.protocol`, `ssl.ca.location`, `sasl.mechanism`.
    pub properties: BTreeMap<String, String>,
    /// The most transactions that wait for the writer before [`LogError::Busy`].
    pub queue_transactions_max: usize,
    /// The most bytes that wait for the writer before [`LogError::Busy`].
    pub queue_bytes_max: usize,
}

impl KafkaOptions {
    /// The documented limits, for these brokers and this process.
    pub fn new(brokers: impl Into<String>, instance: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            namespace: String::new(),
            instance: instance.into(),
            answer_within: ANSWER_WITHIN,
            properties: BTreeMap::new(),
            queue_transactions_max: crate::queue::TRANSACTIONS_MAX,
            queue_bytes_max: crate::queue::BYTES_MAX,
        }
    }

    /// The name that the brokers know a topic by.
    pub fn topic(&self, topic: Topic) -> String {
        self.named(topic.name())
    }

    /// A name of ours among those of other installations.
    pub(super) fn named(&self, name: &str) -> String {
        if self.namespace.is_empty() { name.to_owned() } else { format!("{}.{name}", self.namespace) }
    }

    /// What every client is told. What the options say goes before our own choice.
    pub(super) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", format!("sluice-{}", self.instance))
            .set("socket.keepalive.enable", "true")
            .set("reconnect.backoff.max.ms", "2000");
        config
    }

    /// A consumer of committed records that commits nothing by itself.
    pub(super) fn consumer(&self, group: &str) -> Result<BaseConsumer<Logged>, LogError> {
        let mut config = self.client();
        config
            .set("group.id", self.named(group))
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "error")
            .set("check.crcs", "true")
            .set("fetch.wait.max.ms", FETCH_WAIT.as_millis().to_string())
            .set("queued.max.messages.kbytes", FETCHED_AHEAD_KIB.to_string());
        self.create(config, |config| config.create_with_context(Logged))
    }

    /// What a producer of transactions is told.
    pub(super) fn producer(&self, transactional_id: &str) -> ClientConfig {
        let within = TRANSACTION_WITHIN.as_millis().to_string();
        let mut config = self.client();
        config
            .set("transactional.id", self.named(transactional_id))
            .set("transaction.timeout.ms", &within)
            .set("message.timeout.ms", &within)
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("compression.type", "lz4")
            // What belongs together is handed over at once, and nobody waits for more.
            .set("linger.ms", "0.5")
            // The brokers put a transaction off while they still write the markers of the one before: they are asked again at once.
            .set("retry.backoff.ms", ASKED_AGAIN_AFTER_MS)
            .set("retry.backoff.max.ms", ASKED_AGAIN_AFTER_MS_MAX)
            .set("message.max.bytes", MESSAGE_BYTES_MAX.to_string());
        config
    }

    /// Make a client. What is wrong with what it was told is said without the value: it may be a password.
    pub(super) fn create<T>(
        &self,
        mut config: ClientConfig,
        create: impl FnOnce(&ClientConfig) -> Result<T, KafkaError>,
    ) -> Result<T, LogError> {
        for (name, value) in &self.properties {
            config.set(name, value);
        }
        create(&config).map_err(|error| LogError::Setting {
            what: match error {
                KafkaError::ClientConfig(_, _, name, _) => format!("{name} is unknown, or its value is"),
                error => error.to_string(),
            },
        })
    }
}

/// Tells the process's log what librdkafka says.
pub(super) struct Logged;

impl ClientContext for Logged {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report(&error, reason);
    }
}

impl ConsumerContext for Logged {}

/// A line of librdkafka's.
pub(super) fn log(level: RDKafkaLogLevel, facility: &str, message: &str) {
    use RDKafkaLogLevel::{Alert, Critical, Emerg, Error, Warning};
    match level {
        Emerg | Alert | Critical | Error => tracing::error!(target: "kafka", facility, "{message}"),
        Warning => tracing::warn!(target: "kafka", facility, "{message}"),
        _ => tracing::debug!(target: "kafka", facility, "{message}"),
    }
}

/// An error that concerns a client as a whole. Clients without brokers repeat theirs many times a second: of each kind one is
/// reported in a while, with how many were left out.
pub(super) fn report(error: &KafkaError, reason: &str) {
    static REPORTED: Mutex<BTreeMap<String, Repeated>> = Mutex::new(BTreeMap::new());
    let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    let repeated = reported.entry(error.to_string()).or_default();
    if let Some(left_out) = repeated.again(Instant::now()) {
        tracing::warn!(target: "kafka", %error, left_out, "{reason}");
    }
}

/// What was reported of one kind of error.
#[derive(Default)]
struct Repeated {
    last: Option<Instant>,
    left_out: u64,
}

impl Repeated {
    /// It came again: whether to report it, and how many were left out since the last.
    fn again(&mut self, now: Instant) -> Option<u64> {
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < REPORTED_EVERY) {
            self.left_out += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_that_repeats_is_reported_once_in_a_while() {
        let (mut repeated, start) = (Repeated::default(), Instant::now());
        assert_eq!(repeated.again(start), Some(0));
        assert_eq!(repeated.again(start), None);
        assert_eq!(repeated.again(start + REPORTED_EVERY / 2), None);
        assert_eq!(repeated.again(start + REPORTED_EVERY), Some(2));
        assert_eq!(repeated.again(start + 2 * REPORTED_EVERY), Some(0));
    }
}
