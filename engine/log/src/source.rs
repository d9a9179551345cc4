//! Topics of others, whose records are taken into the log.

use std::time::Duration;

use crate::{LogError, Offset, ReadLimit, Transaction};

/// A record of a topic of others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceRecord {
    /// The number of its partition.
    pub partition: u32,
    /// Its place in it.
    pub offset: Offset,
    /// Its bytes; none where it has no value.
    pub value: Vec<u8>,
}

/// A topic of others, which this process reads together with those that are members of the same group.
///
/// What is read counts as taken in once [`SourceTopic::commit`] says so; what was not is read again, here or by whoever owns the
/// partition then. After an error it is to be dropped and joined anew.
pub trait SourceTopic {
    /// The next records of the partitions that are this process's now; none where none come within `wait`.
    ///
    /// # Errors
    /// When the topic cannot be read.
    fn read(&mut self, limit: ReadLimit, wait: Duration) -> Result<Vec<SourceRecord>, LogError>;

    /// Stay a member for a while without reading.
    ///
    /// # Errors
    /// When the process is a member no more.
    fn stay(&mut self, wait: Duration) -> Result<(), LogError>;

    /// Make what came of the records that were read last durable, together with how far the topic was read.
    ///
    /// # Errors
    /// When nothing of it was kept, or that is not known: joining anew settles it.
    fn commit(&mut self, transaction: &Transaction) -> Result<(), LogError>;
}
