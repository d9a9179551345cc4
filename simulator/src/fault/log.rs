//! A log in memory, with transactions over several partitions, holes in its offsets, and the fencing of owners that have been
//! replaced. Its disk is honest or lies: what an honest one has taken survives a power cut; one that says so too early loses
//! the last of it.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sluice_log::{
    Appended, Claim, Claims, Done, Log, LogError, Offset, Offsets, Partition, ReadLimit, Record,
    StoredRecord, Transaction,
};

use super::rng::Rng;

/// The chance in a hundred that a disk that lies has caught up after a transaction.
const CATCHES_UP: usize = 4;
/// The chance in a hundred that offsets are left out before a record, as a log leaves them to its own markers.
const LEAVES_OUT: usize = 20;
/// The most offsets left out at once.
const LEFT_OUT_MAX: usize = 3;

/// The records of one partition.
#[derive(Debug, Default)]
struct Records {
    stored: Vec<StoredRecord>,
    /// The next offset that is given.
    next: Offset,
}

impl Records {
    fn append(&mut self, record: Record, rng: &mut Rng) -> Offset {
        if rng.percent(LEAVES_OUT) {
            self.next += 1 + rng.below(LEFT_OUT_MAX) as u64;
        }
        let offset = self.next;
        let Record { key, value } = record;
        self.stored.push(StoredRecord { offset, key, value });
        self.next += 1;
        offset
    }

    fn end(&self) -> Offset {
        self.stored.last().map_or(0, |record| record.offset + 1)
    }
}

/// A consumer's place.
type Place = (String, Partition);

/// Everything that is on the log.
#[derive(Debug)]
struct State {
    partitions: BTreeMap<Partition, Records>,
    committed: BTreeMap<Place, Offset>,
    /// Where the records stand that each owner of a place appended with its commits.
    published: BTreeMap<Place, Vec<(Partition, Offset)>>,
    claims: Claims,
    rng: Rng,
    /// Whether the disk says that it has what it does not have yet.
    lies: bool,
    /// How to take back what it does not have yet, in order.
    unwritten: Vec<Undo>,
}

/// How one step of a transaction is taken back.
#[derive(Debug)]
enum Undo {
    /// A record was appended, when this was the next offset.
    Append(Partition, Offset),
    /// An owner had appended so many records, and had committed so far.
    Commit(Place, usize, Option<Offset>),
}

/// The simulated log.
#[derive(Debug)]
pub(super) struct SimLog {
    state: Mutex<State>,
    moved: Condvar,
}

impl SimLog {
    /// An empty log on a disk that lies or does not.
    pub(super) fn new(lies: bool, rng: Rng) -> Self {
        let state = State {
            partitions: BTreeMap::new(),
            committed: BTreeMap::new(),
            published: BTreeMap::new(),
            claims: Claims::default(),
            rng,
            lies,
            unwritten: Vec::new(),
        };
        Self { state: Mutex::new(state), moved: Condvar::new() }
    }

    /// The power fails: what the disk does not have is gone. Whether anything was.
    pub(super) fn power_cut(&self) -> bool {
        let mut state = self.state();
        let unwritten = std::mem::take(&mut state.unwritten);
        let lost = !unwritten.is_empty();
        for undo in unwritten.into_iter().rev() {
            state.take_back(undo);
        }
        lost
    }

    /// A partition loses its last records, some of those before an offset among them. What it lost; nothing where there are none
    /// before it.
    pub(super) fn lose_tail(&self, partition: Partition, before: Offset, rng: &mut Rng) -> Vec<StoredRecord> {
        let mut state = self.state();
        let Some(records) = state.partitions.get_mut(&partition) else { return Vec::new() };
        let before = records.stored.partition_point(|record| record.offset < before);
        if before == 0 { Vec::new() } else { records.stored.split_off(rng.below(before)) }
    }

    /// A partition has again what it lost.
    pub(super) fn put_back(&self, partition: Partition, tail: Vec<StoredRecord>) {
        self.state().partitions.entry(partition).or_default().stored.extend(tail);
    }

    /// Every record of a partition.
    pub(super) fn all(&self, partition: Partition) -> Vec<StoredRecord> {
        self.state().partitions.get(&partition).map(|records| records.stored.clone()).unwrap_or_default()
    }

    /// Where the records stand that each owner of a place appended with its commits, in order.
    pub(super) fn published(&self) -> BTreeMap<Place, Vec<(Partition, Offset)>> {
        self.state().published.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn transact(&mut self, transaction: Transaction) -> Result<Offsets, LogError> {
        self.claims.check(&transaction)?;
        let mut offsets = Vec::with_capacity(transaction.appends.len());
        let mut appended = Vec::new();
        for append in transaction.appends {
            let partition = append.partition;
            let records = self.partitions.entry(partition).or_default();
            let after = records.end();
            let mut stand = Vec::with_capacity(append.records.len());
            for record in append.records {
                self.unwritten.push(Undo::Append(partition, records.next));
                stand.push(records.append(record, &mut self.rng));
            }
            appended.extend(stand.iter().map(|offset| (partition, *offset)));
            offsets.push(Appended { after, offsets: stand });
        }
        for commit in transaction.commits {
            let place = (commit.consumer, commit.partition);
            let published = self.published.entry(place.clone()).or_default();
            let undo = Undo::Commit(place.clone(), published.len(), self.committed.get(&place).copied());
            self.unwritten.push(undo);
            published.append(&mut appended);
            self.committed.insert(place, commit.next);
        }
        // Whoever is told from here on may rely on it, if the disk is honest.
        if !self.lies || self.rng.percent(CATCHES_UP) {
            self.unwritten.clear();
        }
        Ok(offsets)
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Append(partition, next) => {
                let records = self.partitions.entry(partition).or_default();
                records.stored.pop();
                records.next = next;
            }
            Undo::Commit(place, published, committed) => {
                self.published.entry(place.clone()).or_default().truncate(published);
                match committed {
                    Some(offset) => self.committed.insert(place, offset),
                    None => self.committed.remove(&place),
                };
            }
        }
    }

    fn end(&self, partition: Partition) -> Offset {
        self.partitions.get(&partition).map_or(0, Records::end)
    }
}

impl Log for SimLog {
    fn submit(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        self.submit_waiting(transaction, done)
    }

    fn submit_waiting(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        let mut state = self.state();
        // Told before the next is taken: in the order of the log.
        done(state.transact(transaction));
        drop(state);
        self.moved.notify_all();
        Ok(())
    }

    fn read(
        &self,
        partition: Partition,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Vec<StoredRecord>, LogError> {
        let state = self.state();
        let Some(records) = state.partitions.get(&partition) else { return Ok(Vec::new()) };
        let start = records.stored.partition_point(|record| record.offset < from);
        let (mut read, mut bytes) = (Vec::new(), 0);
        for record in records.stored[start..].iter().take(limit.records.max(1)) {
            bytes += record.key.len() + record.value.len();
            if bytes > limit.bytes && !read.is_empty() {
                break;
            }
            read.push(record.clone());
        }
        Ok(read)
    }

    fn newest(&self, partition: Partition, limit: usize) -> Result<Vec<StoredRecord>, LogError> {
        let all = self.all(partition);
        Ok(all[all.len().saturating_sub(limit)..].to_vec())
    }

    fn bounds(&self, partition: Partition) -> Result<Range<Offset>, LogError> {
        Ok(0..self.state().end(partition))
    }

    fn wait(&self, partition: Partition, from: Offset, timeout: Duration) -> Result<bool, LogError> {
        let is_short = |state: &mut State| state.end(partition) <= from;
        let waited = self.moved.wait_timeout_while(self.state(), timeout, is_short);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Ok(state.end(partition) > from)
    }

    fn committed(&self, consumer: &str, partition: Partition) -> Result<Offset, LogError> {
        Ok(self.state().committed.get(&(consumer.to_owned(), partition)).copied().unwrap_or(0))
    }

    fn claim(&self, consumer: &str, partition: Partition) -> Result<Claim, LogError> {
        Ok(self.state().claims.claim(consumer, partition))
    }

    fn release(&self, claim: &Claim) -> Result<(), LogError> {
        self.state().claims.release(claim);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sluice_log::conformance::{Effort, appends_name_the_end_before_them, conformance};

    use super::*;

    #[test]
    fn it_keeps_the_promises_of_every_log() {
        let open = || Arc::new(SimLog::new(false, Rng::new(1))) as Arc<dyn Log>;
        conformance(&open, Effort::LOCAL);
        appends_name_the_end_before_them(&open());
    }
}
