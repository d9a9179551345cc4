//! The log: what is durable, in which order, and how far each consumer has come.
//!
//! Everything else in Sluice is derived from it, so the promises are few and hard:
//!
//! - a record has an offset only once it is on disk, and keeps both for ever;
//! - a [`Transaction`] (records on several topics, with consumers' offsets) is there whole or not at all;
//! - the offsets of a partition grow in the order in which its records became durable; they begin anywhere and may leave
//!   numbers out;
//! - a consumer's place has one owner at a time: a [`Claim`] fences the one before.
//!
//! [`Log`] is the one trait; [`EmbeddedLog`] keeps it in SQLite, in one folder, for one process; with the feature `kafka`,
//! `kafka::KafkaLog` in Apache Kafka, for many. State that is
//! derived from the log but slow to derive lives beside it, in [`Snapshots`]: files, or with the feature `object-store` objects in S3.
//!
//! **Invariants.** Records are bytes here: what they mean is their producers' and consumers' business. No clock.
//! A full queue or a full disk is an answer ([`LogError::Busy`], [`LogError::Full`]), never a lost record.

#![warn(unreachable_pub)]

mod claim;
#[cfg(feature = "conformance")]
pub mod conformance;
mod embedded;
mod error;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "object-store")]
mod objects;
mod queue;
mod record;
mod snapshots;
mod source;

use std::{ops::Range, sync::mpsc, time::Duration};

pub use claim::{Claim, Claims};
pub use embedded::{EmbeddedLog, EmbeddedOptions, LogView, LostTail, READ_WHOLE_BYTES_MAX, SqliteView};
pub use error::LogError;
#[cfg(feature = "object-store")]
pub use objects::ObjectSnapshots;
pub use record::{Append, Appended, Commit, Offset, ReadLimit, Record, StoredRecord, Transaction};
pub use sluice_model::{Partition, Topic};
pub use snapshots::{FileSnapshots, Snapshots};
pub use source::{SourceRecord, SourceTopic};

/// The offsets of a transaction's appends, one for each append, in order.
pub type Offsets = Vec<Appended>;

/// What is called, once, with what became of a submitted transaction: its offsets when it is durable, or why nothing of
/// it was kept.
///
/// Called on the log's own thread, in the order in which transactions became durable. It must not wait.
pub type Done = Box<dyn FnOnce(Result<Offsets, LogError>) + Send>;

/// A durable, ordered, partitioned log with transactions.
pub trait Log: Send + Sync {
    /// Hand a transaction over without waiting. [`LogError::Busy`] at once, and `done` never called, when as
    /// much is waiting as the log takes: this is where back-pressure begins.
    fn submit(&self, transaction: Transaction, done: Done) -> Result<(), LogError>;

    /// Hand a transaction over, waiting for room in the queue, but not for the disk.
    fn submit_waiting(&self, transaction: Transaction, done: Done) -> Result<(), LogError>;

    /// The records of a partition from an offset on, at most `limit` of them; none at the end of the partition. From 0 is from
    /// wherever it begins; from another offset that is before its beginning, records are [`LogError::Lost`].
    fn read(
        &self,
        partition: Partition,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Vec<StoredRecord>, LogError>;

    /// The newest records of a partition, oldest first, at most `limit` of them.
    fn newest(&self, partition: Partition, limit: usize) -> Result<Vec<StoredRecord>, LogError>;

    /// Where a partition begins and ends: the first offset that can still be read from, and the offset after the last
    /// durable record. 0 and 0 for one that was never written.
    fn bounds(&self, partition: Partition) -> Result<Range<Offset>, LogError>;

    /// Wait until a partition reaches beyond `from`, at most `timeout`. Whether it does.
    fn wait(&self, partition: Partition, from: Offset, timeout: Duration) -> Result<bool, LogError>;

    /// The offset that a consumer is to read next; 0 for one that has committed nothing.
    fn committed(&self, consumer: &str, partition: Partition) -> Result<Offset, LogError>;

    /// Become the owner of a consumer's place on a partition. Whoever owned it before commits no more: what it has committed
    /// until now is what [`Log::committed`] answers from here on, until the new owner commits.
    fn claim(&self, consumer: &str, partition: Partition) -> Result<Claim, LogError>;

    /// Own it no more. Nothing where another has claimed it since.
    fn release(&self, claim: &Claim) -> Result<(), LogError>;

    /// The end of a partition: [`Log::bounds`].
    fn end(&self, partition: Partition) -> Result<Offset, LogError> {
        Ok(self.bounds(partition)?.end)
    }

    /// How far a consumer's place lies before the end of its partition, in offsets: at most so many records are to come.
    fn lag(&self, consumer: &str, partition: Partition) -> Result<u64, LogError> {
        let Range { start, end } = self.bounds(partition)?;
        Ok(end.saturating_sub(self.committed(consumer, partition)?.max(start)))
    }

    /// Make a transaction durable and wait for it, for room in the queue too.
    fn transact(&self, transaction: Transaction) -> Result<Offsets, LogError> {
        let (told, answer) = mpsc::sync_channel(1);
        // The receiver waits below, so that somebody takes the answer.
        self.submit_waiting(transaction, Box::new(move |result| drop(told.send(result))))?;
        answer.recv().map_err(|_| LogError::Closed)?
    }

    /// Make records durable on one partition and wait for it. Their offsets.
    fn append(&self, partition: Partition, records: Vec<Record>) -> Result<Appended, LogError> {
        let offsets = self.transact(Transaction::append(partition, records))?;
        Ok(offsets.into_iter().next().unwrap_or_default())
    }
}
