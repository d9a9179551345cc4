//! A partitioned log with transactions, in memory: atomic commits over several partitions, aborted ones that
//! leave holes in the offsets, and the fencing of owners that have been replaced.

use std::collections::BTreeMap;

use sluice_core::{KeyedRecord, Offset, VerdictRecord};
use sluice_model::{Alert, Control, DeadLetter, Decision, Disposition, Observation, PaymentRecord};

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

/// One thing that a stage has published, where only committed transactions are seen.
#[derive(Clone, PartialEq, Debug)]
#[expect(clippy::large_enum_variant, reason = "a simulation holds a few hundred of them")]
pub enum Published {
    Alert(Alert),
    Observation(Observation),
    Disposition(Disposition),
    DeadLetter(DeadLetter),
    Decision(Decision),
    Keyed(u32, KeyedRecord),
    Verdict(u32, VerdictRecord),
    Control(u32, Control),
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
    pub published: BTreeMap<StageId, Vec<Published>>,
    committed: BTreeMap<StageId, Offset>,
    epochs: BTreeMap<StageId, u64>,
}

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
        publish: Vec<Published>,
        rng: &mut Rng,
    ) -> Result<(), Fenced> {
        if self.epochs.get(&stage) != Some(&epoch) {
            return Err(Fenced);
        }
        for published in &publish {
            match published {
                Published::Keyed(k, record) => self.keyed[*k as usize].append(record.clone(), rng),
                Published::Verdict(p, record) => self.verdicts[*p as usize].append(record.clone(), rng),
                Published::Control(p, control) => {
                    self.payments[*p as usize].append(PaymentRecord::Control(control.clone()), rng);
                }
                Published::Alert(_)
                | Published::Observation(_)
                | Published::Disposition(_)
                | Published::DeadLetter(_)
                | Published::Decision(_) => {}
            }
        }
        self.published.entry(stage).or_default().extend(publish);
        self.committed.insert(stage, to);
        Ok(())
    }
}
