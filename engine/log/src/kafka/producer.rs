//! One transaction after another, under one name: whoever opens a producer under it fences the one before.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Message, Offset as At, TopicPartitionList,
    config::RDKafkaLogLevel,
    consumer::ConsumerGroupMetadata,
    error::{KafkaError, RDKafkaErrorCode},
    message::DeliveryResult,
    producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig},
};

use crate::{
    Appended, LogError, Offset, Offsets, Partition, Record, Transaction,
    kafka::{
        cluster::Cluster,
        error::{is_fenced, refusal, unanswered},
        options::{TRANSACTION_WITHIN, log, report},
    },
};

/// How long to wait for the brokers at a time: what has come is taken at once only between two of these.
const POLL: Duration = Duration::from_millis(1);

/// How long to look at what has happened to a client.
const EVENTS_WITHIN: Duration = Duration::from_millis(64);

/// What became of each record, by its number in the transaction.
#[derive(Default)]
struct Deliveries {
    by_number: Mutex<Vec<Option<Result<Offset, KafkaError>>>>,
    /// That the brokers do not let the client in.
    refused: Mutex<Option<KafkaError>>,
}

impl Deliveries {
    fn take(&self) -> Vec<Option<Result<Offset, KafkaError>>> {
        std::mem::take(&mut *self.by_number.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn refused(&self) -> Option<KafkaError> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        report(&error, reason);
        if refusal("", &error).is_some() {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        let delivered = match result {
            // The brokers' offsets begin at 0.
            Ok(message) => Ok(message.offset().unsigned_abs()),
            Err((error, _)) => Err(error.clone()),
        };
        let mut all = self.by_number.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() <= number {
            all.resize(number + 1, None);
        }
        all[number] = Some(delivered);
    }
}

/// How far a member of a group has read.
pub(super) struct MemberPlaces {
    /// For each partition, the offset that is to be read next.
    pub next: TopicPartitionList,
    /// Who it is in the group, and since which of its rebalances.
    pub member: ConsumerGroupMetadata,
}

/// A producer of transactions.
pub(super) struct Transactions {
    producer: BaseProducer<Deliveries>,
    cluster: Arc<Cluster>,
    /// What is said once another has opened a producer of the same name.
    replaced: LogError,
    state: State,
}

enum State {
    Ready,
    /// The last one is not to be kept, and the brokers have not taken that yet.
    Aborting,
    /// The last ones may be there or not; where they are if they are.
    InDoubt(Written),
    /// The brokers take nothing more from this producer.
    Ended(LogError),
}

/// Where transactions are.
struct Written {
    offsets: Vec<Offsets>,
    /// The end of each append.
    ends: Vec<(Partition, Offset)>,
}

impl Transactions {
    /// Open the producer of a name. What the one before had not committed is aborted; what it had begun to commit is
    /// finished.
    pub(super) fn open(cluster: &Arc<Cluster>, name: &str, replaced: LogError) -> Result<Self, LogError> {
        let (options, context) = (&cluster.options, Deliveries::default());
        let producer: BaseProducer<Deliveries> =
            options.create(options.producer(name), |config| config.create_with_context(context))?;
        if let Err(error) = producer.init_transactions(options.answer_within) {
            // What happened to its connections waits to be polled.
            producer.poll(EVENTS_WITHIN);
            let why = producer.context().refused().and_then(|why| refusal(&options.brokers, &why));
            return Err(why.unwrap_or_else(|| unanswered(&options.brokers, error)));
        }
        Ok(Self { producer, cluster: Arc::clone(cluster), replaced, state: State::Ready })
    }

    /// Make transactions durable, all of them or none. Their offsets.
    ///
    /// # Errors
    /// [`LogError::Refused`] where nothing of them was kept for certain, [`LogError::Unanswered`] where that is not known
    /// yet: [`Transactions::resolve`] asks again. Anything else ends the producer.
    pub(super) fn write(&mut self, transactions: &[&Transaction]) -> Result<Vec<Offsets>, LogError> {
        self.write_with(transactions, None)
    }

    /// The same, together with how far a member of a group has read.
    ///
    /// # Errors
    /// As [`Transactions::write`]; nothing is kept where the group has given its partitions to others.
    pub(super) fn write_with(
        &mut self,
        transactions: &[&Transaction],
        read: Option<&MemberPlaces>,
    ) -> Result<Vec<Offsets>, LogError> {
        match &self.state {
            State::Ready => {}
            State::Aborting => self.abort()?,
            State::InDoubt(_) => {
                return Err(unanswered(&self.cluster.options.brokers, "the commit before is in doubt"));
            }
            State::Ended(why) => return Err(why.clone()),
        }
        match self.prepare(transactions, read) {
            Ok(offsets) => {
                let appends = transactions.iter().flat_map(|transaction| &transaction.appends);
                let ends = appends.zip(offsets.iter().flatten());
                let ends = ends.map(|(append, appended)| (append.partition, appended.end())).collect();
                self.state = State::InDoubt(Written { offsets, ends });
                self.commit()
            }
            Err(reason) => Err(self.give_up(&reason)),
        }
    }

    /// Ask again what became of a commit that was in doubt. Its offsets where it is durable; `None` where nothing is in
    /// doubt.
    ///
    /// # Errors
    /// As [`Transactions::write`].
    pub(super) fn resolve(&mut self) -> Result<Option<Vec<Offsets>>, LogError> {
        match self.state {
            State::InDoubt(_) => self.commit().map(Some),
            _ => Ok(None),
        }
    }

    #[cfg(feature = "conformance")]
    pub(super) fn begin_and_stop(&self, transaction: &Transaction) {
        assert!(self.prepare(&[transaction], None).is_ok(), "a transaction could not be begun");
    }

    /// Everything but the commit.
    fn prepare(
        &self,
        transactions: &[&Transaction],
        read: Option<&MemberPlaces>,
    ) -> Result<Vec<Offsets>, Reason> {
        self.producer.context().take();
        self.producer.begin_transaction()?;
        let offsets = self.produce(transactions)?;
        self.move_places(transactions)?;
        if let Some(MemberPlaces { next, member }) = read {
            self.producer.send_offsets_to_transaction(next, member, TRANSACTION_WITHIN)?;
        }
        Ok(offsets)
    }

    fn commit(&mut self) -> Result<Vec<Offsets>, LogError> {
        match self.producer.commit_transaction(TRANSACTION_WITHIN) {
            Ok(()) => match std::mem::replace(&mut self.state, State::Ready) {
                State::InDoubt(written) => {
                    self.cluster.note_written(&written.ends);
                    Ok(written.offsets)
                }
                _ => Ok(Vec::new()),
            },
            Err(KafkaError::Transaction(error))
                if error.is_retriable() && !error.is_fatal() && !error.txn_requires_abort() =>
            {
                Err(unanswered(&self.cluster.options.brokers, error))
            }
            Err(error) => Err(self.give_up(&error.into())),
        }
    }

    /// Keep nothing of the transaction.
    fn give_up(&mut self, reason: &Reason) -> LogError {
        self.state = State::Aborting;
        match self.abort() {
            Err(ended @ (LogError::Fenced { .. } | LogError::Replaced { .. } | LogError::Client { .. })) => {
                ended
            }
            // Where the brokers have not taken it, they end the transaction by themselves, without a commit.
            Ok(()) | Err(_) => self.refused(reason),
        }
    }

    fn abort(&mut self) -> Result<(), LogError> {
        if let Some((code, reason)) = self.producer.client().fatal_error() {
            return Err(self.ended(&KafkaError::Global(code), reason));
        }
        self.producer.purge(PurgeConfig::default().queue().inflight());
        let began = Instant::now();
        while self.producer.in_flight_count() > 0 && began.elapsed() < self.cluster.options.answer_within {
            self.producer.poll(POLL);
        }
        match self.producer.abort_transaction(self.cluster.options.answer_within) {
            Ok(()) => {
                self.state = State::Ready;
                Ok(())
            }
            Err(KafkaError::Transaction(error)) if !error.is_fatal() => {
                Err(self.refused(&error.to_string().into()))
            }
            Err(error) => {
                let reason = error.to_string();
                Err(self.ended(&error, reason))
            }
        }
    }

    fn ended(&mut self, error: &KafkaError, reason: String) -> LogError {
        let brokers = self.cluster.options.brokers.clone();
        let why = if is_fenced(error) { self.replaced.clone() } else { LogError::Client { brokers, reason } };
        self.state = State::Ended(why.clone());
        why
    }

    fn refused(&self, reason: &Reason) -> LogError {
        LogError::Refused { brokers: self.cluster.options.brokers.clone(), reason: reason.0.clone() }
    }

    /// Hand every record over and wait for each. Where they are, by transaction and append.
    fn produce(&self, transactions: &[&Transaction]) -> Result<Vec<Offsets>, Reason> {
        let began = Instant::now();
        let appends = transactions.iter().flat_map(|transaction| &transaction.appends);
        let mut number = 0;
        for append in appends {
            let topic = self.cluster.options.topic(append.partition.topic);
            for record in &append.records {
                self.send(&topic, append.partition, record, number, began)?;
                number += 1;
            }
        }
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(POLL);
            if began.elapsed() > 2 * TRANSACTION_WITHIN {
                return Err("the records were not taken in time".into());
            }
        }
        let mut delivered = self.producer.context().take().into_iter();
        let mut next = || match delivered.next().flatten() {
            Some(Ok(offset)) => Ok(offset),
            Some(Err(error)) => Err(error.into()),
            None => Err("a record was not answered".into()),
        };
        transactions
            .iter()
            .map(|transaction| {
                let appends = transaction.appends.iter();
                let offsets = appends
                    .map(|append| append.records.iter().map(|_| next()).collect::<Result<Vec<_>, _>>());
                // Whoever else writes to the partition may have been before them: nothing is known but that.
                let appended = |offsets: Vec<Offset>| Appended {
                    after: offsets.first().copied().unwrap_or_default(),
                    offsets,
                };
                offsets.map(|offsets| offsets.map(appended)).collect()
            })
            .collect()
    }

    fn send(
        &self,
        topic: &str,
        partition: Partition,
        record: &Record,
        number: usize,
        began: Instant,
    ) -> Result<(), Reason> {
        let index = i32::try_from(partition.index).unwrap_or(i32::MAX);
        let mut one = BaseRecord::with_opaque_to(topic, number)
            .partition(index)
            .key(record.key.as_str())
            .payload(record.value.as_slice());
        loop {
            match self.producer.send(one) {
                Ok(()) => return Ok(()),
                Err((error, again))
                    if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull)
                        && began.elapsed() < TRANSACTION_WITHIN =>
                {
                    self.producer.poll(POLL);
                    one = again;
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    /// Move the places of consumers with the transaction.
    fn move_places(&self, transactions: &[&Transaction]) -> Result<(), Reason> {
        let mut by_consumer: BTreeMap<&str, BTreeMap<Partition, Offset>> = BTreeMap::new();
        for commit in transactions.iter().flat_map(|transaction| &transaction.commits) {
            by_consumer.entry(&commit.consumer).or_default().insert(commit.partition, commit.next);
        }
        for (consumer, next) in by_consumer {
            let at = |next: Offset| At::Offset(i64::try_from(next).unwrap_or(i64::MAX));
            let list =
                self.cluster.places.list(next.into_iter().map(|(partition, next)| (partition, at(next))));
            self.producer.send_offsets_to_transaction(
                &list?,
                &self.cluster.places.group(consumer)?,
                TRANSACTION_WITHIN,
            )?;
        }
        Ok(())
    }
}

/// Why a transaction is not to be kept.
struct Reason(String);

impl<E: ToString> From<E> for Reason {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}
