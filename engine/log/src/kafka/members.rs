//! Which process owns which partition: a consumer group in which every process is a member, and out of which partitions come
//! and go. Nothing is read through it.

use std::time::Duration;

use rdkafka::{
    ClientConfig, ClientContext, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance},
    error::{KafkaError, RDKafkaErrorCode},
};
use sluice_model::{Partition, Topic};

use crate::{
    LogError,
    kafka::{
        error::{refusal, unanswered},
        options::{KafkaOptions, log, report},
    },
};

/// After which the brokers give the partitions of a member that says nothing to others; as short as they allow by default.
const SESSION_WITHIN: Duration = Duration::from_secs(6);
/// How often a member says that it is there.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(2);

/// What becomes of a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ownership {
    /// It is this process's from now on.
    Given(Partition),
    /// It is not this process's any more: what works on it is to end before this is answered.
    Taken(Partition),
}

/// Is told what becomes of a partition, on the thread that polls.
pub type OnOwnership = Box<dyn Fn(Ownership) + Send + Sync>;

/// This process among those that share partitions.
pub struct Member {
    consumer: BaseConsumer<Context>,
    instance: String,
    brokers: String,
}

struct Context {
    topics: Vec<(String, Topic)>,
    on_ownership: OnOwnership,
}

impl Member {
    /// Join a group that shares the partitions of some topics. A process that comes back under its instance name within
    /// seconds finds the partitions that it had; otherwise only those move that must.
    ///
    /// # Errors
    /// When the client is not set right. Brokers that are not there are waited for.
    pub fn join(
        options: &KafkaOptions,
        group: &str,
        topics: &[Topic],
        on_ownership: OnOwnership,
    ) -> Result<Self, LogError> {
        let topics: Vec<_> = topics.iter().map(|topic| (options.topic(*topic), *topic)).collect();
        let names: Vec<String> = topics.iter().map(|(name, _)| name.clone()).collect();
        let mut config = member(options, group);
        config
            .set("auto.offset.reset", "latest")
            // What it fetches is thrown away before it is paused: little.
            .set("queued.min.messages", "1")
            .set("queued.max.messages.kbytes", "64");
        let context = Context { topics, on_ownership };
        let consumer: BaseConsumer<Context> =
            options.create(config, |config| config.create_with_context(context))?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        consumer.subscribe(&names).map_err(|error| unanswered(&options.brokers, error))?;
        Ok(Self { consumer, instance: options.instance.clone(), brokers: options.brokers.clone() })
    }

    /// Take part for a while: whoever does not for minutes is taken to be gone.
    ///
    /// # Errors
    /// [`LogError::Replaced`] when another process has joined under the same instance name; [`LogError::Topics`] when one is
    /// not there; [`LogError::Credentials`] when the brokers do not let this client in.
    pub fn poll(&self, timeout: Duration) -> Result<(), LogError> {
        match self.consumer.poll(timeout) {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) => passing(&error, &self.instance, &self.brokers),
        }
    }
}

/// What ends a membership. Anything else passes by itself, and is waited for.
pub(super) fn passing(error: &KafkaError, instance: &str, brokers: &str) -> Result<(), LogError> {
    use RDKafkaErrorCode::{Fatal, FencedInstanceId, UnknownTopicOrPartition};
    match error.rdkafka_error_code() {
        Some(Fatal | FencedInstanceId) => Err(LogError::Replaced { instance: instance.to_owned() }),
        Some(UnknownTopicOrPartition) => {
            Err(LogError::Topics { what: format!("a topic is not there: {error}") })
        }
        _ if let Some(refusal) = refusal(brokers, error) => Err(refusal),
        _ => {
            tracing::debug!(target: "kafka", %error, "waiting for the brokers");
            Ok(())
        }
    }
}

/// What a member of a group that shares partitions is told.
pub(super) fn member(options: &KafkaOptions, group: &str) -> ClientConfig {
    let mut config = options.client();
    config
        .set("group.id", options.named(group))
        .set("group.instance.id", &options.instance)
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", SESSION_WITHIN.as_millis().to_string())
        .set("heartbeat.interval.ms", HEARTBEAT_EVERY.as_millis().to_string())
        .set("enable.auto.commit", "false");
    config
}

impl Context {
    fn tell(&self, partitions: &TopicPartitionList, as_what: fn(Partition) -> Ownership) {
        for element in partitions.elements() {
            let topic = self.topics.iter().find(|(name, _)| name == element.topic()).map(|(_, topic)| *topic);
            if let (Some(topic), Ok(index)) = (topic, u32::try_from(element.partition())) {
                (self.on_ownership)(as_what(topic.partition(index)));
            }
        }
    }
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report(&error, reason);
    }
}

impl ConsumerContext for Context {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            self.tell(partitions, Ownership::Taken);
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            // They are read by those who work on them.
            if let Err(error) = consumer.pause(partitions) {
                report(&error, "partitions that are not read here could not be paused");
            }
            self.tell(partitions, Ownership::Given);
        }
    }
}
