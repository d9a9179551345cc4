//! The log in Apache Kafka, for many processes.
//!
//! A partition of ours is one of Kafka's, a transaction is one of Kafka's, and a consumer's place is the offset of a group that
//! has no members. A claim opens a producer under a name made of consumer and partition: the brokers fence the one before, and
//! end what it had not committed. What is read is committed (`read_committed`); the brokers' own markers leave out offsets.

mod cluster;
mod error;
mod members;
mod options;
mod owners;
mod places;
mod producer;
mod reader;
mod source;
#[cfg(feature = "conformance")]
pub mod testing;
mod topics;
mod writer;

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::SyncSender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use rdkafka::consumer::{BaseConsumer, Consumer};

use self::{
    cluster::Cluster,
    error::{explained, unanswered},
    options::{Logged, RECORD_BYTES_MAX},
    owners::Owners,
    reader::Readers,
};
pub use self::{
    members::{Member, OnOwnership, Ownership},
    options::KafkaOptions,
    source::KafkaSource,
    topics::{Change, TopicLayout, Topics},
};
use crate::{
    Claim, Done, Log, LogError, Offset, Partition, ReadLimit, StoredRecord, Transaction,
    queue::{Queue, Write},
    record::check_sizes,
};

/// How long to wait before the brokers are asked again whether what was written can be read.
const VISIBLE_AFTER: Duration = Duration::from_millis(1);
/// The group of the client that asks for the bounds of partitions. Nothing is committed in it.
const BOUNDS: &str = "sluice.bounds";
/// How many offsets are looked at first for so many of the newest records: some are markers.
const LOOK_BACK: u64 = 16;

/// The log in Kafka. Dropping it writes what is queued.
pub struct KafkaLog {
    cluster: Arc<Cluster>,
    queue: Queue,
    writer: Option<(SyncSender<Write>, JoinHandle<()>)>,
    owners: Owners,
    readers: Readers,
    bounds: BaseConsumer<Logged>,
    /// Where partitions end in markers only.
    tails: Mutex<HashMap<Partition, Range<Offset>>>,
}

impl KafkaLog {
    /// Connect to brokers that have the topics: [`Topics::check`] says whether they do.
    pub fn open(options: KafkaOptions) -> Result<Self, LogError> {
        let bounds = options.consumer(BOUNDS)?;
        let queue = Queue::new(options.queue_bytes_max);
        let cluster = Arc::new(Cluster::new(options.clone()));
        let writer = writer::start(Arc::clone(&cluster), queue.clone())?;
        Ok(Self {
            queue,
            writer: Some(writer),
            owners: Owners::new(Arc::clone(&cluster)),
            readers: Readers::new(options),
            bounds,
            tails: Mutex::default(),
            cluster,
        })
    }

    /// The id that only this log has: the brokers' cluster, and the name that stands before its topics.
    pub fn id(&self) -> Result<String, LogError> {
        let options = &self.cluster.options;
        let cluster = self.bounds.client().fetch_cluster_id(options.answer_within);
        let cluster =
            cluster.ok_or_else(|| unanswered(&options.brokers, "the brokers do not say which they are"))?;
        Ok(format!("kafka:{cluster}:{}", options.namespace))
    }

    /// Begin a transaction and leave it there, as a process does that is paused in the middle of one.
    ///
    /// # Panics
    /// When it cannot be begun.
    #[cfg(feature = "conformance")]
    pub fn begin_and_stop(&self, claim: &Claim, transaction: &Transaction) {
        self.owners.begin_and_stop(claim, transaction);
    }

    fn sender(&self) -> Result<&SyncSender<Write>, LogError> {
        self.writer.as_ref().map(|(sender, _)| sender).ok_or(LogError::Closed)
    }

    /// Where a partition begins, and where its newest committed record or marker is: the brokers' word.
    fn watermarks(&self, partition: Partition) -> Result<Range<Offset>, LogError> {
        let options = &self.cluster.options;
        let (topic, written) = (options.topic(partition.topic), self.cluster.written(partition));
        let index = i32::try_from(partition.index).unwrap_or(i32::MAX);
        let began = Instant::now();
        loop {
            let (low, high) = self
                .bounds
                .fetch_watermarks(&topic, index, options.answer_within)
                .map_err(|error| explained(&self.bounds, &options.brokers, &error))?;
            // The brokers' offsets begin at 0.
            let (low, high) = (low.unsigned_abs(), high.unsigned_abs());
            if high >= written {
                return Ok(low..high);
            }
            if began.elapsed() > options.answer_within {
                return Err(unanswered(&options.brokers, "what was written cannot be read yet"));
            }
            thread::sleep(VISIBLE_AFTER);
        }
    }

    /// The end of the last record of a partition that has grown to `high`, where it is known.
    fn known_end(&self, partition: Partition, high: Offset) -> Option<Offset> {
        self.tails().get(&partition).filter(|tail| tail.end == high).map(|tail| tail.start)
    }

    /// Remember that there are only markers between.
    fn note_tail(&self, partition: Partition, markers: Range<Offset>) {
        let mut tails = self.tails();
        let tail = tails.entry(partition).or_insert_with(|| markers.clone());
        if tail.end != markers.end || markers.start < tail.start {
            *tail = markers;
        }
    }

    fn tails(&self) -> MutexGuard<'_, HashMap<Partition, Range<Offset>>> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every record from an offset to the end that the brokers told.
    fn read_to(
        &self,
        partition: Partition,
        from: Offset,
        high: Offset,
    ) -> Result<Vec<StoredRecord>, LogError> {
        let (mut records, mut from) = (Vec::new(), from);
        while from < high {
            let more = self.readers.read(partition, from, ReadLimit::default())?;
            let Some(last) = more.last() else { break };
            from = last.offset + 1;
            records.extend(more);
        }
        records.retain(|record: &StoredRecord| record.offset < high);
        Ok(records)
    }
}

impl Log for KafkaLog {
    fn submit(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        if transaction.claim.is_some() {
            return self.submit_waiting(transaction, done);
        }
        check_sizes(&transaction, RECORD_BYTES_MAX)?;
        self.queue.try_send(self.sender()?, transaction, done)
    }

    /// A transaction under a claim is written at once, and waited for: its owner has no other under way.
    fn submit_waiting(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        check_sizes(&transaction, RECORD_BYTES_MAX)?;
        match &transaction.claim {
            Some(claim) => done(self.owners.write(claim, &transaction)),
            None => self.queue.send(self.sender()?, transaction, done)?,
        }
        Ok(())
    }

    fn read(
        &self,
        partition: Partition,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Vec<StoredRecord>, LogError> {
        let fetched = self.readers.fetched(partition, from, limit)?;
        if !fetched.is_empty() {
            return Ok(fetched);
        }
        let Range { start, end: high } = self.watermarks(partition)?;
        if from > 0 && from < start {
            let what = format!("it begins at {start}, and was to be read from {from}");
            return Err(LogError::Lost { partition, what });
        }
        let from = from.max(start);
        if from >= self.known_end(partition, high).unwrap_or(high) {
            return Ok(Vec::new());
        }
        let records = self.readers.read(partition, from, limit)?;
        if records.is_empty() {
            self.note_tail(partition, from..high);
        }
        Ok(records)
    }

    fn newest(&self, partition: Partition, limit: usize) -> Result<Vec<StoredRecord>, LogError> {
        let Range { start, end: high } = self.watermarks(partition)?;
        let mut back = (limit as u64).saturating_add(LOOK_BACK);
        loop {
            let from = high.saturating_sub(back).max(start);
            let mut records = self.read_to(partition, from, high)?;
            if records.len() >= limit || from == start {
                records.drain(..records.len().saturating_sub(limit));
                return Ok(records);
            }
            back = back.saturating_mul(2);
        }
    }

    fn bounds(&self, partition: Partition) -> Result<Range<Offset>, LogError> {
        let Range { start, end: high } = self.watermarks(partition)?;
        if let Some(end) = self.known_end(partition, high) {
            return Ok(start..end);
        }
        let end = self.newest(partition, 1)?.last().map_or(start, |record| record.offset + 1);
        if end <= high {
            self.note_tail(partition, end..high);
        }
        Ok(start..end)
    }

    fn wait(&self, partition: Partition, from: Offset, timeout: Duration) -> Result<bool, LogError> {
        self.readers.wait(partition, from, timeout)
    }

    fn committed(&self, consumer: &str, partition: Partition) -> Result<Offset, LogError> {
        self.owners.resolve(consumer, partition)?;
        self.cluster.places.committed(consumer, partition)
    }

    fn claim(&self, consumer: &str, partition: Partition) -> Result<Claim, LogError> {
        self.owners.claim(consumer, partition)
    }

    fn release(&self, claim: &Claim) -> Result<(), LogError> {
        self.owners.release(claim);
        Ok(())
    }
}

impl Drop for KafkaLog {
    fn drop(&mut self) {
        if let Some((sender, writer)) = self.writer.take() {
            drop(sender);
            // A writer that panicked has already answered everybody by dropping their requests.
            let _ = writer.join();
        }
    }
}
