//! What is written and read.

use crate::{Claim, LogError, Partition, Topic};

/// A record's place in its partition.
pub type Offset = u64;

/// A record to be written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Record {
    /// What it is about, such as its payment id: a partitioned log keeps records of one key together.
    pub key: String,
    /// Its bytes.
    pub value: Vec<u8>,
}

impl Record {
    /// A record of that key and value.
    pub fn new(key: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self { key: key.into(), value: value.into() }
    }

    /// How much of a limit in bytes it uses.
    pub fn size(&self) -> usize {
        self.key.len() + self.value.len()
    }
}

/// A durable record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredRecord {
    /// Its place in the partition.
    pub offset: Offset,
    /// What it is about.
    pub key: String,
    /// Its bytes.
    pub value: Vec<u8>,
}

/// Records for one partition, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Append {
    /// Where to.
    pub partition: Partition,
    /// In this order.
    pub records: Vec<Record>,
}

/// The offsets of the records of one append.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Appended {
    /// The end of the partition before them: nothing is between it and the first of them.
    pub after: Offset,
    /// The offset of each, in order. The next is greater; it need not be the next number.
    pub offsets: Vec<Offset>,
}

impl Appended {
    /// The end of the partition after them.
    pub fn end(&self) -> Offset {
        self.offsets.last().map_or(self.after, |last| last + 1)
    }
}

/// How far a consumer has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Who reads.
    pub consumer: String,
    /// What it reads.
    pub partition: Partition,
    /// The offset that it is to read next.
    pub next: Offset,
}

/// Records and consumers' offsets that become durable together or not at all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Transaction {
    /// In this order.
    pub appends: Vec<Append>,
    /// Set with them.
    pub commits: Vec<Commit>,
    /// The claim under which all of this is done: [`LogError::Fenced`](crate::LogError::Fenced), and nothing of it is kept,
    /// where another has claimed the place since. `None`: consumers that nobody contends with.
    pub claim: Option<Claim>,
}

impl Transaction {
    /// Records on one partition.
    pub fn append(partition: Partition, records: Vec<Record>) -> Self {
        Self { appends: vec![Append { partition, records }], ..Self::default() }
    }

    /// These records too, on the first partition of a topic; nothing where there are none.
    #[must_use]
    pub fn and(mut self, topic: Topic, records: Vec<Record>) -> Self {
        if !records.is_empty() {
            self.appends.push(Append { partition: topic.partition(0), records });
        }
        self
    }

    /// This consumer's progress too.
    #[must_use]
    pub fn commit(mut self, consumer: &str, partition: Partition, next: Offset) -> Self {
        self.commits.push(Commit { consumer: consumer.to_owned(), partition, next });
        self
    }

    /// The progress of the consumer that owns its place too. All of this is done under its claim, and no other's.
    #[must_use]
    pub fn commit_as(mut self, claim: &Claim, next: Offset) -> Self {
        self.claim = Some(claim.clone());
        self.commit(&claim.consumer, claim.partition, next)
    }

    /// How much of a limit in bytes it uses.
    pub fn size(&self) -> usize {
        self.appends.iter().flat_map(|a| &a.records).map(Record::size).sum()
    }
}

/// How much to read at once. At least one record is read where there is one, however large.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReadLimit {
    /// So many records.
    pub records: usize,
    /// Of so many bytes together.
    pub bytes: usize,
}

impl Default for ReadLimit {
    /// A batch that is worth a read and no burden on memory.
    fn default() -> Self {
        Self { records: 4_096, bytes: 8 * 1024 * 1024 }
    }
}

impl ReadLimit {
    /// The default number of bytes, and so many records.
    pub fn records(records: usize) -> Self {
        Self { records, ..Self::default() }
    }
}

/// Refuse a transaction with a record larger than `max` bytes.
pub(crate) fn check_sizes(transaction: &Transaction, max: usize) -> Result<(), LogError> {
    let records = transaction.appends.iter().flat_map(|append| &append.records);
    match records.map(Record::size).find(|bytes| *bytes > max) {
        Some(bytes) => Err(LogError::TooLarge { bytes, max }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_the_largest_size_is_taken() {
        let of = |bytes: usize| {
            let records = vec![Record::new("k", vec![0; bytes - 1])];
            check_sizes(&Transaction::append(Topic::Payments.partition(0), records), 100)
        };
        assert_eq!(of(100), Ok(()));
        assert_eq!(of(101), Err(LogError::TooLarge { bytes: 101, max: 100 }));
    }
}
