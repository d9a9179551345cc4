//! Reads partitions.
//!
//! The brokers leave offsets out for their own markers, so that the end of a partition says little of where its last record
//! is. A reader finds out by reading to the end; what it found is remembered as long as the partition does not grow.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    Message, Offset as At, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    message::BorrowedMessage,
};

use crate::{
    LogError, Offset, Partition, ReadLimit, StoredRecord,
    kafka::{
        error::{refusal, unanswered},
        options::{KafkaOptions, Logged},
    },
};

/// The group that readers are in: librdkafka wants one. Nothing is committed in it.
const GROUP: &str = "sluice.readers";
/// The most readers of a partition that are kept: one that follows along, others that look back.
const READERS_MAX: usize = 3;
/// How long one look at the network takes at most.
const POLL: Duration = Duration::from_millis(50);

/// The readers of every partition that is read.
pub(super) struct Readers {
    options: KafkaOptions,
    kept: Mutex<HashMap<Partition, Vec<Reader>>>,
}

impl Readers {
    pub(super) fn new(options: KafkaOptions) -> Self {
        Self { options, kept: Mutex::default() }
    }

    /// What has been fetched ahead by a reader that has come to `from`.
    pub(super) fn fetched(
        &self,
        partition: Partition,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Vec<StoredRecord>, LogError> {
        match self.take(partition, from) {
            Some(reader) if reader.next == Some(from) => self.keep(reader, |reader| reader.fetched(limit)),
            Some(reader) => self.keep(reader, |_| Ok(Vec::new())),
            None => Ok(Vec::new()),
        }
    }

    /// The records from `from` on, which is not beyond the end; none where there are only markers.
    pub(super) fn read(
        &self,
        partition: Partition,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Vec<StoredRecord>, LogError> {
        let reader = self.reader(partition, from)?;
        self.keep(reader, |reader| reader.read(from, limit))
    }

    /// Whether there is a record at or after `from`, at the latest after `timeout`.
    pub(super) fn wait(
        &self,
        partition: Partition,
        from: Offset,
        timeout: Duration,
    ) -> Result<bool, LogError> {
        let reader = self.reader(partition, from)?;
        self.keep(reader, |reader| reader.wait(from, timeout))
    }

    fn reader(&self, partition: Partition, from: Offset) -> Result<Reader, LogError> {
        self.take(partition, from).map_or_else(|| Reader::open(&self.options, partition), Ok)
    }

    /// The reader that has come to `from`; else, where there are enough of them, the one that was used least.
    fn take(&self, partition: Partition, from: Offset) -> Option<Reader> {
        let mut kept = self.kept();
        let readers = kept.get_mut(&partition)?;
        let goes_on = readers.iter().position(|reader| reader.next == Some(from));
        let index = goes_on.or_else(|| (readers.len() >= READERS_MAX).then_some(0))?;
        Some(readers.remove(index))
    }

    /// Have a reader do something, and keep it for the next time. One that fails is of no more use.
    fn keep<T>(
        &self,
        mut reader: Reader,
        act: impl FnOnce(&mut Reader) -> Result<T, LogError>,
    ) -> Result<T, LogError> {
        let result = act(&mut reader)?;
        let mut kept = self.kept();
        let readers = kept.entry(reader.partition).or_default();
        readers.push(reader);
        let one_too_many = (readers.len() > READERS_MAX).then(|| readers.remove(0));
        drop(kept);
        // Closing takes its time.
        drop(one_too_many);
        Ok(result)
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<Partition, Vec<Reader>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A consumer of one partition.
struct Reader {
    consumer: BaseConsumer<Logged>,
    brokers: String,
    answer_within: Duration,
    topic: String,
    partition: Partition,
    /// Every record from here on is still to come, from `ahead` or the consumer.
    next: Option<Offset>,
    /// Records that were taken from the consumer and not handed out.
    ahead: VecDeque<StoredRecord>,
    /// Whether nothing has come since the consumer was last set: the end that it reports is that of now.
    is_fresh: bool,
    /// Whether the consumer has said that it has come to the end: it does not say so again before it grows.
    is_at_end: bool,
}

/// What one look at the consumer brings.
enum Look {
    Record(StoredRecord),
    End,
    Nothing,
}

impl Reader {
    fn open(options: &KafkaOptions, partition: Partition) -> Result<Self, LogError> {
        Ok(Self {
            consumer: options.consumer(GROUP)?,
            brokers: options.brokers.clone(),
            answer_within: options.answer_within,
            topic: options.topic(partition.topic),
            partition,
            next: None,
            ahead: VecDeque::new(),
            is_fresh: false,
            is_at_end: false,
        })
    }

    /// What is there without waiting.
    fn fetched(&mut self, limit: ReadLimit) -> Result<Vec<StoredRecord>, LogError> {
        let (mut records, mut bytes) = (Vec::new(), 0);
        while records.len() < limit.records.max(1) {
            let Look::Record(record) = self.look(Duration::ZERO)? else { break };
            bytes += record.key.len() + record.value.len();
            if bytes > limit.bytes && !records.is_empty() {
                self.ahead.push_front(record);
                break;
            }
            self.next = Some(record.offset + 1);
            records.push(record);
        }
        Ok(records)
    }

    fn read(&mut self, from: Offset, limit: ReadLimit) -> Result<Vec<StoredRecord>, LogError> {
        if self.next != Some(from) || self.is_at_end {
            self.set(from)?;
        }
        let began = Instant::now();
        loop {
            match self.look(POLL)? {
                Look::Record(record) => {
                    self.ahead.push_front(record);
                    return self.fetched(limit);
                }
                // Up to the end there are markers only.
                Look::End if self.is_fresh => return Ok(Vec::new()),
                // That was the end a while ago: it may have grown since.
                Look::End => self.set(from)?,
                Look::Nothing if began.elapsed() >= self.answer_within => {
                    return Err(unanswered(&self.brokers, "no record comes, and no end of the partition"));
                }
                Look::Nothing => {}
            }
        }
    }

    fn wait(&mut self, from: Offset, timeout: Duration) -> Result<bool, LogError> {
        if self.next != Some(from) {
            self.set(from)?;
        }
        let began = Instant::now();
        loop {
            if !self.ahead.is_empty() {
                return Ok(true);
            }
            let left = timeout.saturating_sub(began.elapsed());
            if let Look::Record(record) = self.look(left.min(POLL))? {
                self.ahead.push_back(record);
            } else if left.is_zero() {
                return Ok(false);
            }
        }
    }

    /// Have the consumer begin anew, so that what comes next is the first record at or after `from`.
    fn set(&mut self, from: Offset) -> Result<(), LogError> {
        let mut assignment = TopicPartitionList::new();
        let index = i32::try_from(self.partition.index).unwrap_or(i32::MAX);
        let at = At::Offset(i64::try_from(from).unwrap_or(i64::MAX));
        assignment
            .add_partition_offset(&self.topic, index, at)
            .and_then(|()| self.consumer.unassign())
            .and_then(|()| self.consumer.assign(&assignment))
            .map_err(|error| unanswered(&self.brokers, error))?;
        self.ahead.clear();
        (self.next, self.is_fresh, self.is_at_end) = (Some(from), true, false);
        Ok(())
    }

    fn look(&mut self, wait: Duration) -> Result<Look, LogError> {
        if let Some(record) = self.ahead.pop_front() {
            return Ok(Look::Record(record));
        }
        match self.consumer.poll(wait) {
            None => Ok(Look::Nothing),
            Some(Ok(message)) => {
                let record = stored(&message);
                drop(message);
                (self.is_fresh, self.is_at_end) = (false, false);
                Ok(Look::Record(record))
            }
            Some(Err(KafkaError::PartitionEOF(_))) => {
                self.is_at_end = true;
                Ok(Look::End)
            }
            Some(Err(error)) => self.failed(&error),
        }
    }

    /// What passes by itself is waited for.
    fn failed(&self, error: &KafkaError) -> Result<Look, LogError> {
        use RDKafkaErrorCode::{
            AutoOffsetReset, OffsetOutOfRange, UnknownPartition, UnknownTopicOrPartition,
        };
        match error.rdkafka_error_code() {
            Some(OffsetOutOfRange | AutoOffsetReset) => Err(LogError::Lost {
                partition: self.partition,
                what: "an offset that it had is not there any more".to_owned(),
            }),
            Some(UnknownPartition | UnknownTopicOrPartition) => {
                Err(LogError::Topics { what: format!("there is no {} of that many partitions", self.topic) })
            }
            _ if let Some(refusal) = refusal(&self.brokers, error) => Err(refusal),
            _ => {
                tracing::debug!(target: "kafka", %error, partition = %self.partition, "waiting for the brokers");
                Ok(Look::Nothing)
            }
        }
    }
}

fn stored(message: &BorrowedMessage<'_>) -> StoredRecord {
    StoredRecord {
        // The brokers' offsets begin at 0.
        offset: message.offset().unsigned_abs(),
        key: String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned(),
        value: message.payload().unwrap_or_default().to_vec(),
    }
}
