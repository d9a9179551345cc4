//! One stage on one partition, step by step.

use std::{ops::Range, sync::Arc};

use serde::de::DeserializeOwned;
use sluice_core::{Batch, Layout, Library, Stage, Step, Worker, WorkerConfig, WorkerError};
use sluice_log::{Append, Claim, Log, LogError, Offset, Partition, ReadLimit, Snapshots, Transaction};

use crate::{
    DriverError,
    handoff::{Available, Handoff},
    records,
};

/// The most bytes of records read from the log at once.
const READ_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Where a driver works, and with what.
pub struct Assignment<R> {
    /// The truth.
    pub log: Arc<dyn Log>,
    /// Where state is kept to save time.
    pub snapshots: Arc<dyn Snapshots>,
    /// The name under which snapshots of this stage and partition are kept.
    pub snapshots_name: String,
    /// List versions and compiled rules.
    pub library: Arc<dyn Library>,
    /// Which partition of the stage's topic it reads.
    pub partition: u32,
    /// Into how many partitions each topic is divided.
    pub layout: Layout,
    /// The limits of the worker.
    pub config: WorkerConfig,
    /// What hands durable records over in memory; `None`: all is read from the log.
    pub handoff: Option<Arc<Handoff<R>>>,
}

/// What came of one step.
#[derive(Debug)]
pub enum Report<O> {
    /// State was restored, or is to grow from the beginning.
    Restored,
    /// Records were applied, or the end of the partition was reached.
    Applied,
    /// A batch is committed: its output is published.
    Committed(Batch<O>),
    /// The log could not take the batch, for want of room or of an answer. The next step tries again.
    Refused(LogError),
    /// The batch was aborted: nothing of it was kept, the state is thrown away and grows again.
    Aborted(LogError),
    /// A snapshot was handed to its store.
    Saved,
    /// A snapshot could not be made or kept. The driver goes on without.
    NotSaved(DriverError),
    /// There is nothing to do until the partition reaches beyond `from`.
    Idle {
        /// The end of the partition.
        from: Offset,
    },
    /// Another owns the partition now: this driver is of no use any more.
    Fenced,
}

/// A stage on a partition that it owns.
pub struct Driver<S: Stage> {
    log: Arc<dyn Log>,
    snapshots: Arc<dyn Snapshots>,
    snapshots_name: String,
    layout: Layout,
    handoff: Option<Arc<Handoff<S::Record>>>,
    claim: Claim,
    worker: Worker<S>,
    /// What was read last.
    records: Vec<(Offset, S::Record)>,
    /// The end of the partition as the worker knows it: reported twice, there is nothing to do but wait.
    ends_at: Option<Offset>,
    /// A batch that was not committed yet.
    pending: Option<Pending<S::Output>>,
}

/// A batch on its way to the log.
struct Pending<O> {
    batch: Batch<O>,
    transaction: Transaction,
    /// It was sent, and what became of it is not known: sent again, it might be there twice.
    in_doubt: Option<LogError>,
}

impl<S: Stage<Record: DeserializeOwned, Output: Clone>> Driver<S> {
    /// Claim a partition. Whoever drove it before is fenced from here on.
    ///
    /// # Errors
    /// When the log cannot be asked.
    pub fn claim(
        assignment: Assignment<S::Record>,
        fresh: impl Fn() -> S + Send + 'static,
    ) -> Result<Self, DriverError> {
        let Assignment { log, snapshots, snapshots_name, library, partition, layout, config, handoff } =
            assignment;
        let partition = S::READS.partition(partition);
        let claim = log.claim(S::NAME, partition)?;
        let worker = Worker::new(config, library, log.committed(S::NAME, partition)?, fresh);
        let (records, ends_at, pending) = (Vec::new(), None, None);
        Ok(Self { log, snapshots, snapshots_name, layout, handoff, claim, worker, records, ends_at, pending })
    }

    /// The worker, for looking at.
    pub fn worker(&self) -> &Worker<S> {
        &self.worker
    }

    /// The records that were read last: after [`Report::Committed`], those of the batch, and perhaps some that follow.
    pub fn records(&self) -> &[(Offset, S::Record)] {
        &self.records
    }

    /// Whether the partition reaches beyond an offset.
    ///
    /// # Errors
    /// When the log cannot be asked.
    pub fn reaches(&self, from: Offset) -> Result<bool, DriverError> {
        match &self.handoff {
            Some(handoff) => Ok(handoff.reaches(from)),
            None => Ok(self.log.end(self.partition())? > from),
        }
    }

    /// Do the next thing, with at most `limit` records.
    ///
    /// # Errors
    /// When there is no going on: [`DriverError`].
    pub fn step(&mut self, limit: usize) -> Result<Report<S::Output>, DriverError> {
        if let Some(pending) = self.pending.take() {
            return self.commit(pending);
        }
        match self.worker.step() {
            Ok(Step::Restore { at_most }) => self.restore(at_most),
            Ok(Step::Read { from, limit: most }) => self.read(from, limit.min(most)),
            Ok(Step::Commit(batch)) => self.commit(self.transaction(batch)?),
            Ok(Step::Save { offset, bytes }) => Ok(self.save(offset, bytes)),
            Ok(Step::Await) => Err(WorkerError::NotAsked("a pause").into()),
            Err(error) => Ok(Report::NotSaved(error.into())),
        }
    }

    /// Own the partition no more: keep a snapshot of what is committed, so that the next owner begins there, and let it
    /// be claimed.
    ///
    /// # Errors
    /// When the log cannot be reached.
    pub fn release(mut self) -> Result<Report<S::Output>, DriverError> {
        self.worker.want_snapshot();
        let saved = match self.worker.step() {
            Ok(Step::Save { offset, bytes }) => self.save(offset, bytes),
            Ok(_) => Report::Saved,
            Err(error) => Report::NotSaved(error.into()),
        };
        self.log.release(&self.claim)?;
        Ok(saved)
    }

    fn partition(&self) -> Partition {
        self.claim.partition
    }

    fn restore(&mut self, at_most: Offset) -> Result<Report<S::Output>, DriverError> {
        let begins_at = self.whole()?.start;
        let (snapshots, name) = (Arc::clone(&self.snapshots), self.snapshots_name.clone());
        let offsets = snapshots.offsets(&name)?.into_iter().filter(|offset| *offset <= at_most);
        // Each is read only when the one before it was of no use.
        let newest_first = offsets.filter_map(|offset| {
            snapshots
                .get(&name, offset)
                .inspect_err(|error| tracing::warn!(%error, offset, "a snapshot could not be read"))
                .ok()
        });
        for reason in self.worker.restored(newest_first, begins_at)? {
            tracing::warn!(%reason, stage = S::NAME, partition = %self.partition(), "a snapshot is of no use");
        }
        Ok(Report::Restored)
    }

    /// Where the partition begins and ends, which is not before what was committed: a log that lost its tail gives the same
    /// offsets to other records, which would never be read.
    fn whole(&self) -> Result<Range<Offset>, DriverError> {
        let (bounds, committed) = (self.log.bounds(self.partition())?, self.worker.committed_offset());
        if bounds.end < committed {
            let what = format!("it ends at {}, and what stood before {committed} was committed", bounds.end);
            return Err(LogError::Lost { partition: self.partition(), what }.into());
        }
        Ok(bounds)
    }

    fn read(&mut self, from: Offset, limit: usize) -> Result<Report<S::Output>, DriverError> {
        if from == 0 {
            let begins_at = self.log.bounds(self.partition())?.start;
            if begins_at > 0 {
                let rules = self.worker.lost_its_beginning(begins_at)?;
                tracing::error!(%rules, begins_at, stage = S::NAME, partition = %self.partition(),
                    "prepared rules cannot be put in force: the log begins after the past that fills their windows");
                return Ok(Report::Applied);
            }
        }
        self.records = self.fetch(from, limit)?;
        if self.records.is_empty() && self.ends_at == Some(from) {
            return Ok(Report::Idle { from });
        }
        self.ends_at = self.records.is_empty().then_some(from);
        self.worker.records(&self.records)?;
        Ok(Report::Applied)
    }

    /// Records from memory where they are there, from the log where they are not, none at its end.
    fn fetch(&self, from: Offset, limit: usize) -> Result<Vec<(Offset, S::Record)>, DriverError> {
        match self.handoff.as_ref().map_or(Available::InTheLog, |handoff| handoff.take(from, limit)) {
            Available::Records(records) => Ok(records),
            Available::None => Ok(Vec::new()),
            Available::InTheLog => {
                let limit = ReadLimit { records: limit, bytes: READ_BYTES_MAX };
                let stored = self.log.read(self.partition(), from, limit)?;
                if stored.is_empty() {
                    self.whole()?;
                }
                let parse = |record| records::parse(self.partition(), record);
                stored.iter().map(|record| Ok((record.offset, parse(record)?))).collect()
            }
        }
    }

    /// Everything that a batch publishes, and the offset it moves.
    fn transaction(&self, batch: Batch<S::Output>) -> Result<Pending<S::Output>, DriverError> {
        let published = S::publish(batch.output.clone(), &self.layout);
        let mut transaction = Transaction::default().commit_as(&self.claim, batch.to);
        for run in published.chunk_by(|a, b| a.partition == b.partition) {
            let records = run.iter().map(|one| records::published(&one.record)).collect::<Result<_, _>>()?;
            transaction.appends.push(Append { partition: run[0].partition, records });
        }
        Ok(Pending { batch, transaction, in_doubt: None })
    }

    /// Commit a batch's output and offset, once. A log that has no room is asked again. Where it is not known whether it has
    /// the batch, it is asked what it has.
    fn commit(&mut self, mut pending: Pending<S::Output>) -> Result<Report<S::Output>, DriverError> {
        let error = match pending.in_doubt.take() {
            Some(error) => error,
            None => match self.log.transact(pending.transaction.clone()) {
                Ok(_) => return self.committed(pending.batch),
                Err(LogError::Fenced { .. }) => return Ok(Report::Fenced),
                Err(error) if error.has_kept_nothing() => {
                    self.pending = Some(pending);
                    return Ok(Report::Refused(error));
                }
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error.into()),
            },
        };
        match self.log.committed(S::NAME, self.partition()) {
            Ok(at) if at == pending.batch.to => self.committed(pending.batch),
            Ok(at) => {
                self.worker.aborted(at);
                Ok(Report::Aborted(error))
            }
            Err(unanswered) => {
                pending.in_doubt = Some(error);
                self.pending = Some(pending);
                Ok(Report::Refused(unanswered))
            }
        }
    }

    fn committed(&mut self, batch: Batch<S::Output>) -> Result<Report<S::Output>, DriverError> {
        self.worker.committed()?;
        Ok(Report::Committed(batch))
    }

    fn save(&self, offset: Offset, bytes: Vec<u8>) -> Report<S::Output> {
        match self.snapshots.put(&self.snapshots_name, offset, bytes) {
            Ok(()) => Report::Saved,
            Err(error) => Report::NotSaved(error.into()),
        }
    }
}
