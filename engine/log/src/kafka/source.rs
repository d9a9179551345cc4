//! A topic of others, read as a member of a group. What comes of its records and how far it was read are one transaction: the
//! brokers refuse it where the group has given the partitions to another member since.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    ClientContext, Message, Offset as At, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance},
    error::KafkaError,
};

use crate::{
    LogError, Offset, ReadLimit, SourceRecord, SourceTopic, Transaction,
    kafka::{
        KafkaLog,
        cluster::Cluster,
        error::unanswered,
        members::{member, passing},
        options::{KafkaOptions, RECORD_BYTES_MAX, log, report},
        producer::{MemberPlaces, Transactions},
    },
    record::check_sizes,
};

/// A topic of others on the same brokers as a log.
pub struct KafkaSource {
    consumer: BaseConsumer<Context>,
    producer: Transactions,
    cluster: Arc<Cluster>,
    topic: String,
    /// What was read and is not committed: the next offset of each partition.
    read: BTreeMap<i32, Offset>,
    /// Rebalances that have been noticed.
    rebalances: u64,
}

#[derive(Default)]
struct Context {
    /// How often partitions have come or gone.
    rebalances: AtomicU64,
}

impl KafkaSource {
    /// Join those who read the topic. `name`: what is done with it, the same for all of them; what it has of a topic's records
    /// counts once for that name. The topic's own name has no namespace before it: it is another's.
    ///
    /// # Errors
    /// When the client is not set right, or the brokers are out of reach.
    pub fn join(log: &KafkaLog, name: &str, topic: &str) -> Result<Self, LogError> {
        let (cluster, group) = (Arc::clone(&log.cluster), format!("sluice.source.{name}"));
        let options = &cluster.options;
        let replaced = LogError::Replaced { instance: options.instance.clone() };
        // First of all: what this process left unfinished before is settled by it.
        let producer = Transactions::open(&cluster, &format!("{group}.{}", options.instance), replaced)?;
        let mut config = member(options, &group);
        config
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.offset.store", "false")
            .set("check.crcs", "true");
        let consumer: BaseConsumer<Context> =
            options.create(config, |config| config.create_with_context(Context::default()))?;
        consumer.subscribe(&[topic]).map_err(|error| unanswered(&options.brokers, error))?;
        Ok(Self {
            consumer,
            producer,
            topic: topic.to_owned(),
            read: BTreeMap::new(),
            rebalances: 0,
            cluster,
        })
    }

    fn options(&self) -> &KafkaOptions {
        &self.cluster.options
    }

    fn poll(&mut self, wait: Duration) -> Result<Option<SourceRecord>, LogError> {
        match self.consumer.poll(wait) {
            None => Ok(None),
            Some(Ok(message)) => {
                let record = SourceRecord {
                    // The brokers' numbers begin at 0.
                    partition: message.partition().unsigned_abs(),
                    offset: message.offset().unsigned_abs(),
                    value: message.payload().unwrap_or_default().to_vec(),
                };
                self.read.insert(message.partition(), record.offset + 1);
                Ok(Some(record))
            }
            Some(Err(error)) => {
                passing(&error, &self.options().instance, &self.options().brokers).map(|()| None)
            }
        }
    }

    /// Whether partitions have come or gone since this was asked last.
    fn has_rebalanced(&mut self) -> bool {
        let now = self.consumer.context().rebalances.load(Ordering::Relaxed);
        std::mem::replace(&mut self.rebalances, now) != now
    }

    /// Read again from where the group has come to.
    fn go_back(&mut self) -> Result<(), LogError> {
        self.read.clear();
        let unanswered = |error: KafkaError| unanswered(&self.options().brokers, error);
        let ours = self.consumer.assignment().map_err(unanswered)?;
        if ours.count() == 0 {
            return Ok(());
        }
        let committed =
            self.consumer.committed_offsets(ours, self.options().answer_within).map_err(unanswered)?;
        let mut places = TopicPartitionList::new();
        for place in committed.elements() {
            let at = if place.offset() == At::Invalid { At::Beginning } else { place.offset() };
            places.add_partition_offset(place.topic(), place.partition(), at).map_err(unanswered)?;
        }
        self.consumer.seek_partitions(places, self.options().answer_within).map_err(unanswered)?;
        Ok(())
    }

    /// Where the partitions that were read are to be read next, under the name that their group gave this process.
    fn places(&self) -> Result<MemberPlaces, LogError> {
        let unanswered = |error: &dyn ToString| unanswered(&self.options().brokers, error.to_string());
        let mut next = TopicPartitionList::new();
        for (partition, offset) in &self.read {
            let at = At::Offset(i64::try_from(*offset).unwrap_or(i64::MAX));
            next.add_partition_offset(&self.topic, *partition, at).map_err(|error| unanswered(&error))?;
        }
        let member = self.consumer.group_metadata();
        Ok(MemberPlaces { next, member: member.ok_or_else(|| unanswered(&"not a member of the group"))? })
    }
}

impl SourceTopic for KafkaSource {
    fn read(&mut self, limit: ReadLimit, wait: Duration) -> Result<Vec<SourceRecord>, LogError> {
        let (mut records, mut bytes) = (Vec::new(), 0);
        while records.len() < limit.records && bytes < limit.bytes {
            let wait = if records.is_empty() { wait } else { Duration::ZERO };
            let Some(record) = self.poll(wait)? else { break };
            bytes += record.value.len();
            records.push(record);
        }
        // Some of what was read may be another's by now, who begins where the group has come to.
        if self.has_rebalanced() && !records.is_empty() {
            self.go_back()?;
            return Ok(Vec::new());
        }
        Ok(records)
    }

    fn stay(&mut self, wait: Duration) -> Result<(), LogError> {
        let unanswered = |error: KafkaError| unanswered(&self.options().brokers, error);
        let ours = self.consumer.assignment().map_err(unanswered)?;
        self.consumer.pause(&ours).map_err(unanswered)?;
        let came = self.poll(wait)?;
        let ours =
            self.consumer.assignment().map_err(|error| self::unanswered(&self.options().brokers, error))?;
        self.consumer.resume(&ours).map_err(|error| self::unanswered(&self.options().brokers, error))?;
        // Of a partition that has just come.
        if came.is_some() { self.go_back() } else { Ok(()) }
    }

    fn commit(&mut self, transaction: &Transaction) -> Result<(), LogError> {
        check_sizes(transaction, RECORD_BYTES_MAX)?;
        let places = self.places()?;
        self.producer.write_with(&[transaction], Some(&places))?;
        self.read.clear();
        Ok(())
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
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, _: &Rebalance<'_>) {
        self.rebalances.fetch_add(1, Ordering::Relaxed);
    }
}
