//! A partitioned log with transactions, in memory: atomic commits over several partitions, aborted ones that
//! leave holes in the offsets, and the fencing of owners that have been replaced. Its disk is honest or lies: what an
//! honest one has taken survives a power cut; one that says so too early loses the last of it.

use std::collections::BTreeMap;

use sluice_core::{KeyedRecord, Layout, Offset, Publication, Published, VerdictRecord};
use sluice_model::{Control, PaymentRecord};

use super::rng::Rng;

/// One stage on one partition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StageId {
    /// The owner of the control topic.
    Distributor,
    /// The home of a payments partition.
    Home(u32),
    /// The shard of a keyed partition.
    Shard(u32),
    /// The gathering of a verdicts partition.
    Gather(u32),
    /// The composite engine over a payments partition.
    Engine(u32),
}

/// One partition of one topic.
#[derive(Clone, Debug)]
pub struct Partition<T> {
    entries: Vec<(Offset, T)>,
    next: Offset,
}

impl<T> Default for Partition<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), next: 0 }
    }
}

impl<T: Clone> Partition<T> {
    /// Append one record. A log with transactions keeps places for its own markers, so offsets have holes.
    pub fn append(&mut self, record: T, rng: &mut Rng) {
        if rng.percent(20) {
            self.next += 1 + rng.below(3) as u64;
        }
        self.entries.push((self.next, record));
        self.next += 1;
    }

    /// At most `limit` records from an offset on.
    pub fn read(&self, from: Offset, limit: usize) -> Vec<(Offset, T)> {
        let start = self.entries.partition_point(|(offset, _)| *offset < from);
        self.entries[start..].iter().take(limit).cloned().collect()
    }

    /// Take back the last record, which was appended when the next offset was `next`.
    fn take_back(&mut self, next: Offset) {
        self.entries.pop();
        self.next = next;
    }

    /// The offset after the last record.
    pub fn end(&self) -> Offset {
        self.entries.last().map_or(0, |(offset, _)| offset + 1)
    }

    /// Every record.
    pub fn all(&self) -> &[(Offset, T)] {
        &self.entries
    }
}

/// Every topic, and what the log knows of its consumers.
#[derive(Debug, Default)]
pub struct SimLog {
    /// `sluice.control`, one partition.
    pub control: Partition<Control>,
    /// `sluice.payments`.
    pub payments: Vec<Partition<PaymentRecord>>,
    /// `sluice.keyed`.
    pub keyed: Vec<Partition<KeyedRecord>>,
    /// `sluice.verdicts`.
    pub verdicts: Vec<Partition<VerdictRecord>>,
    /// Everything each stage has published, in the order of its commits.
    pub published: BTreeMap<StageId, Vec<Publication>>,
    committed: BTreeMap<StageId, Offset>,
    epochs: BTreeMap<StageId, u64>,
    /// Whether the disk says that it has what it does not have yet.
    pub lies: bool,
    /// How to take back what it does not have yet, in order.
    unwritten: Vec<Undo>,
}

/// How one step of a transaction is taken back.
#[derive(Debug)]
enum Undo {
    Control(Offset),
    Payment(usize, Offset),
    Keyed(usize, Offset),
    Verdict(usize, Offset),
    /// A stage had published so much, and had committed so far.
    Committed(StageId, usize, Option<Offset>),
}

/// The chance in a hundred that a disk that lies has caught up after a transaction.
const CATCHES_UP: usize = 4;

/// The owner has been replaced: its transaction is aborted.
#[derive(Debug, PartialEq, Eq)]
pub struct Fenced;

impl SimLog {
    /// An empty log.
    pub fn new(partitions: u32) -> Self {
        let n = partitions as usize;
        Self {
            payments: vec![Partition::default(); n],
            keyed: vec![Partition::default(); n],
            verdicts: vec![Partition::default(); n],
            ..Self::default()
        }
    }

    /// Into how many partitions its topics are divided.
    pub fn layout(&self) -> Layout {
        Layout::of_stages(u32::try_from(self.payments.len()).unwrap_or(1))
    }

    /// Everything that was published, by any stage.
    pub fn everything(&self) -> impl Iterator<Item = &Published> {
        self.published.values().flatten().map(|published| &published.record)
    }

    /// Append an order.
    pub fn order(&mut self, control: Control, rng: &mut Rng) {
        self.unwritten.push(Undo::Control(self.control.next));
        self.control.append(control, rng);
        self.written(rng);
    }

    /// Append a record to a payments partition.
    pub fn pay(&mut self, partition: usize, record: PaymentRecord, rng: &mut Rng) {
        self.unwritten.push(Undo::Payment(partition, self.payments[partition].next));
        self.payments[partition].append(record, rng);
        self.written(rng);
    }

    /// A transaction ends. Whoever is told so from here on may rely on it, if the disk is honest.
    fn written(&mut self, rng: &mut Rng) {
        if !self.lies || rng.percent(CATCHES_UP) {
            self.unwritten.clear();
        }
    }

    /// The power fails: what the disk does not have is gone. Whether anything was.
    pub fn power_cut(&mut self) -> bool {
        let lost = !self.unwritten.is_empty();
        for undo in std::mem::take(&mut self.unwritten).into_iter().rev() {
            match undo {
                Undo::Control(next) => self.control.take_back(next),
                Undo::Payment(p, next) => self.payments[p].take_back(next),
                Undo::Keyed(k, next) => self.keyed[k].take_back(next),
                Undo::Verdict(p, next) => self.verdicts[p].take_back(next),
                Undo::Committed(stage, published, committed) => {
                    self.published.entry(stage).or_default().truncate(published);
                    match committed {
                        Some(offset) => self.committed.insert(stage, offset),
                        None => self.committed.remove(&stage),
                    };
                }
            }
        }
        lost
    }

    /// The committed offset of a stage.
    pub fn committed(&self, stage: StageId) -> Offset {
        self.committed.get(&stage).copied().unwrap_or(0)
    }

    /// Give a stage a new owner; whoever held it before is fenced from here on.
    pub fn claim(&mut self, stage: StageId) -> u64 {
        let epoch = self.epochs.entry(stage).or_default();
        *epoch += 1;
        *epoch
    }

    /// Commit a transaction: everything published becomes visible and the offset moves, or nothing does.
    pub fn commit(
        &mut self,
        stage: StageId,
        epoch: u64,
        to: Offset,
        publish: Vec<Publication>,
        rng: &mut Rng,
    ) -> Result<(), Fenced> {
        if self.epochs.get(&stage) != Some(&epoch) {
            return Err(Fenced);
        }
        let before = self.published.get(&stage).map_or(0, Vec::len);
        self.unwritten.push(Undo::Committed(stage, before, self.committed.get(&stage).copied()));
        for Publication { partition, record } in &publish {
            let index = partition.index as usize;
            match record {
                Published::Keyed(record) => {
                    self.unwritten.push(Undo::Keyed(index, self.keyed[index].next));
                    self.keyed[index].append(record.clone(), rng);
                }
                Published::Verdict(record) => {
                    self.unwritten.push(Undo::Verdict(index, self.verdicts[index].next));
                    self.verdicts[index].append(record.clone(), rng);
                }
                Published::Payment(record) => {
                    self.unwritten.push(Undo::Payment(index, self.payments[index].next));
                    self.payments[index].append(record.clone(), rng);
                }
                Published::Alert(_)
                | Published::Observation(_)
                | Published::Hold(_)
                | Published::DeadLetter(_)
                | Published::Decision(_) => {}
            }
        }
        self.published.entry(stage).or_default().extend(publish);
        self.committed.insert(stage, to);
        self.written(rng);
        Ok(())
    }
}
