//! Carries a stage through recovery, batches, commits, aborts and rule changes, without doing any I/O: it says
//! what is to be done next, and is given what came of it.
//!
//! ```text
//!            restored                 records                commit done
//!   Cold ───────────────▶ Warm ───────────────────▶ Uncommitted ─────────▶ Warm
//!    ▲                     (records before the committed offset are         │
//!    │                      applied again, muted: nothing is output twice)     │
//!    └──────────────────────────── aborted ─────────────────────────────────┘
//! ```
//!
//! A commit that was aborted, or whose fate is unknown, throws the state away: what was applied cannot be undone.
//! The next state grows from a snapshot at or before the offset that the log says is committed.

use std::sync::Arc;

use sluice_model::Hash256;

use crate::{Library, Offset, SnapshotError, Stage, snapshot};

/// The limits of a worker.
#[derive(Clone, Copy, Debug)]
pub struct WorkerConfig {
    /// The most records in one batch, and so in one commit.
    pub batch_records_max: usize,
    /// A snapshot is due after this many records applied since the last; zero: never.
    pub snapshot_every_records: u64,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { batch_records_max: 4_096, snapshot_every_records: 1_000_000 }
    }
}

/// What its driver must do next.
#[derive(Debug)]
pub enum Step<O> {
    /// Hand over the snapshots at or before `at_most`, newest first, with [`Worker::restored`].
    Restore {
        /// The committed offset: a newer snapshot stands for a future that may not come.
        at_most: Offset,
    },
    /// Read records from `from`, at most `limit`, and hand them over with [`Worker::records`].
    Read {
        /// The first offset wanted.
        from: Offset,
        /// The most records wanted.
        limit: usize,
    },
    /// Commit this, all of it or nothing, then call [`Worker::committed`] or [`Worker::aborted`].
    Commit(Batch<O>),
    /// Nothing, until the fate of the batch that was handed out is reported.
    Await,
    /// Keep this snapshot; no answer is needed. It stands for every record before `offset`.
    Save {
        /// The offset it stands for: committed, so that it is of the past for certain.
        offset: Offset,
        /// The framed state.
        bytes: Vec<u8>,
    },
}

/// What one commit must do at once: publish the output, and move the committed offset.
#[derive(Debug)]
pub struct Batch<O> {
    /// The records' output.
    pub output: O,
    /// The committed offset before.
    pub from: Offset,
    /// The committed offset after.
    pub to: Offset,
    /// How many records lie between: offsets may leave numbers out.
    pub records: u64,
}

/// The driver broke the contract, or the log did.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum WorkerError {
    /// Records came when none were asked for.
    #[error("the worker did not ask for {0}")]
    NotAsked(&'static str),
    /// A record came again, or out of order.
    #[error("record {got} came where {expected} or later was due")]
    OutOfOrder {
        /// The earliest offset that may come.
        expected: Offset,
        /// The offset that came.
        got: Offset,
    },
    /// The log begins after what the state would have to be grown from.
    #[error(
        "the log begins at offset {begins_at}, and no snapshot stands for what came before: its records are gone"
    )]
    PastIsGone {
        /// The first offset that there is.
        begins_at: Offset,
    },
    /// Rules are put in force whose windows cannot be filled: the log begins after the past that they are filled from.
    #[error(
        "the rules {rules} cannot be put in force: their windows grow from the log's beginning, and it begins at offset \
         {begins_at}"
    )]
    WindowsAreGone {
        /// The rules.
        rules: Hash256,
        /// The first offset that there is.
        begins_at: Offset,
    },
}

/// One stage on one partition.
pub struct Worker<S: Stage> {
    config: WorkerConfig,
    library: Arc<dyn Library>,
    fresh: Box<dyn Fn() -> S + Send>,
    /// Every record before this has had its effect, once.
    committed: Offset,
    phase: Phase<S>,
}

enum Phase<S: Stage> {
    Cold,
    Warm(Warm<S>),
    /// The stage is ahead of the committed offset until the batch's fate is known; `None`: it was handed out.
    Uncommitted(Warm<S>, Option<Batch<S::Output>>),
}

struct Warm<S> {
    stage: S,
    /// Every record before this has been applied.
    applied: Offset,
    applied_since_snapshot: u64,
    filling: Option<Filling<S>>,
}

/// A successor under prepared rules, fed the partition's past from its beginning.
struct Filling<S> {
    rules: Hash256,
    successor: S,
    /// Every record before this has been applied by the successor.
    applied: Offset,
    /// Whether the next read is for the successor: it and the active stage take turns, until the rules are to
    /// be activated and everything waits for the successor.
    turn: NextRead,
    /// Where the log begins, when that is after the past to be applied: nothing can be filled.
    begins_at: Option<Offset>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum NextRead {
    Successor,
    Stage,
    SuccessorOnly,
}

impl<S: Stage> Worker<S> {
    /// A worker for a partition whose committed offset its log has just given to this owner.
    pub fn new(
        config: WorkerConfig,
        library: Arc<dyn Library>,
        committed: Offset,
        fresh: impl Fn() -> S + Send + 'static,
    ) -> Self {
        Self { config, library, fresh: Box::new(fresh), committed, phase: Phase::Cold }
    }

    /// Every record before this has had its effect, once.
    pub fn committed_offset(&self) -> Offset {
        self.committed
    }

    /// Whether every committed record has been applied, so that what comes next is new.
    pub fn is_live(&self) -> bool {
        matches!(&self.phase, Phase::Warm(warm) if warm.applied >= self.committed)
    }

    /// Whether it is in the middle of a batch: applied, and its fate is not known.
    pub fn is_in_a_batch(&self) -> bool {
        matches!(self.phase, Phase::Uncommitted(..))
    }

    /// The stage, for looking at; `None` while there is none.
    pub fn stage(&self) -> Option<&S> {
        match &self.phase {
            Phase::Cold => None,
            Phase::Warm(warm) | Phase::Uncommitted(warm, _) => Some(&warm.stage),
        }
    }

    /// The prepared rules whose windows are being filled from history, how many records they have applied, and how
    /// many there are to apply. `None` where nothing need be filled.
    pub fn filling(&self) -> Option<(Hash256, Offset, Offset)> {
        match &self.phase {
            Phase::Cold => None,
            Phase::Warm(warm) | Phase::Uncommitted(warm, _) => {
                warm.filling.as_ref().map(|filling| (filling.rules, filling.applied, warm.applied))
            }
        }
    }

    /// Have a snapshot be the next step at rest, if anything was applied since the last: before a planned stop, so
    /// that the next start is quick.
    pub fn want_snapshot(&mut self) {
        if let Phase::Warm(warm) = &mut self.phase
            && warm.applied_since_snapshot > 0
        {
            warm.applied_since_snapshot = u64::MAX;
        }
    }

    /// What to do next.
    ///
    /// # Errors
    /// When the state cannot be written as a snapshot; the worker goes on without.
    pub fn step(&mut self) -> Result<Step<S::Output>, SnapshotError> {
        let limit = self.config.batch_records_max;
        match &mut self.phase {
            Phase::Cold => Ok(Step::Restore { at_most: self.committed }),
            Phase::Uncommitted(_, batch) => Ok(batch.take().map_or(Step::Await, Step::Commit)),
            Phase::Warm(warm) => {
                let every = self.config.snapshot_every_records;
                if every > 0 && warm.applied_since_snapshot >= every && warm.applied == self.committed {
                    warm.applied_since_snapshot = 0;
                    let bytes = snapshot::frame(warm.applied, &warm.stage.snapshot()?)?;
                    return Ok(Step::Save { offset: warm.applied, bytes });
                }
                Ok(Step::Read { from: warm.next_read(), limit })
            }
        }
    }

    /// The snapshots asked for, newest first, of a log that begins at `begins_at`. The first of use is taken: whole, of a
    /// format that is read here, not of an uncommitted future, and not from before the log begins. Where there is none, the
    /// state grows from the beginning of the log. Why each that was passed over is of no use.
    ///
    /// # Errors
    /// When there is none and the log has lost its beginning: [`WorkerError::PastIsGone`].
    pub fn restored(
        &mut self,
        snapshots: impl IntoIterator<Item = Vec<u8>>,
        begins_at: Offset,
    ) -> Result<Vec<SnapshotError>, WorkerError> {
        let mut refused = Vec::new();
        let usable = snapshots
            .into_iter()
            .find_map(|bytes| self.restore(&bytes, begins_at).map_err(|reason| refused.push(reason)).ok());
        let (applied, stage) = match usable {
            Some(usable) => usable,
            None if begins_at > 0 => return Err(WorkerError::PastIsGone { begins_at }),
            None => (0, (self.fresh)()),
        };
        self.phase = Phase::Warm(Warm { stage, applied, applied_since_snapshot: 0, filling: None });
        Ok(refused)
    }

    /// The state that a snapshot stands for, and the offset before which every record has been applied.
    fn restore(&self, bytes: &[u8], begins_at: Offset) -> Result<(Offset, S), SnapshotError> {
        let (offset, format, state) = snapshot::unframe(bytes)?;
        if offset > self.committed {
            return Err(SnapshotError::OfTheFuture { offset, committed: self.committed });
        }
        if offset < begins_at {
            return Err(SnapshotError::TooOld { offset, begins_at });
        }
        Ok((offset, S::restore(&state, format, &self.library)?))
    }

    /// The records asked for, in order, from the offset asked for; fewer than asked for, or none, where the
    /// partition ends. What cannot be applied yet is left, and asked for again.
    ///
    /// # Errors
    /// [`WorkerError`] when the records are not those that were asked for; the worker is unchanged.
    pub fn records(&mut self, records: &[(Offset, S::Record)]) -> Result<(), WorkerError> {
        let Phase::Warm(warm) = &mut self.phase else { return Err(WorkerError::NotAsked("records")) };
        check_order(warm.next_read(), records)?;
        if warm.is_filling_now() {
            warm.fill(records);
            return Ok(());
        }
        let committed = self.committed;
        let mut output = S::Output::default();
        let is_behind = warm.applied < committed;
        let applied =
            if is_behind { warm.catch_up(records, committed) } else { warm.apply(records, &mut output) };
        if applied == 0 {
            return warm.check_windows();
        }
        if !is_behind {
            let batch = Batch { output, from: committed, to: warm.applied, records: applied };
            let Phase::Warm(warm) = std::mem::replace(&mut self.phase, Phase::Cold) else { return Ok(()) };
            self.phase = Phase::Uncommitted(warm, Some(batch));
        }
        Ok(())
    }

    /// The log begins at `begins_at` by now, and its beginning was to be read. What is prepared cannot be filled from what is
    /// left of the past: the stage goes on under the rules in force. Which rules those are.
    ///
    /// # Errors
    /// When the stage's own state was to grow from it: [`WorkerError::PastIsGone`].
    pub fn lost_its_beginning(&mut self, begins_at: Offset) -> Result<Hash256, WorkerError> {
        match &mut self.phase {
            Phase::Warm(Warm { filling: Some(filling), .. }) if filling.turn != NextRead::Stage => {
                filling.begins_at = Some(begins_at);
                Ok(filling.rules)
            }
            _ => Err(WorkerError::PastIsGone { begins_at }),
        }
    }

    /// The batch handed out is committed.
    ///
    /// # Errors
    /// When there is none.
    pub fn committed(&mut self) -> Result<(), WorkerError> {
        match std::mem::replace(&mut self.phase, Phase::Cold) {
            Phase::Uncommitted(warm, None) => {
                self.committed = warm.applied;
                self.phase = Phase::Warm(warm);
                Ok(())
            }
            other => {
                self.phase = other;
                Err(WorkerError::NotAsked("a commit"))
            }
        }
    }

    /// The batch handed out was aborted, or its fate is unknown: `committed` is what the log says now. What was
    /// applied cannot be undone, so the state is thrown away and grows again.
    pub fn aborted(&mut self, committed: Offset) {
        self.committed = committed;
        self.phase = Phase::Cold;
    }
}

impl<S: Stage> Warm<S> {
    fn is_filling_now(&self) -> bool {
        self.filling
            .as_ref()
            .is_some_and(|f| f.turn != NextRead::Stage && f.applied < self.applied && f.begins_at.is_none())
    }

    fn next_read(&self) -> Offset {
        match &self.filling {
            Some(filling) if self.is_filling_now() => filling.applied,
            _ => self.applied,
        }
    }

    /// Feed the successor what the stage has applied already. Its output was output long ago.
    fn fill(&mut self, records: &[(Offset, S::Record)]) {
        let Some(filling) = &mut self.filling else { return };
        let past = records.partition_point(|(offset, _)| *offset < self.applied);
        filling.successor.apply_all(&records[..past], &mut S::Output::default());
        let exhausted = records.is_empty() || past < records.len();
        filling.applied = match records[..past].last() {
            Some((last, _)) if !exhausted => last + 1,
            _ => self.applied,
        };
        if filling.turn == NextRead::Successor {
            filling.turn = NextRead::Stage;
        }
    }

    /// Whether what waits to be put in force can be.
    fn check_windows(&self) -> Result<(), WorkerError> {
        match &self.filling {
            Some(Filling { rules, turn: NextRead::SuccessorOnly, begins_at: Some(begins_at), .. }) => {
                Err(WorkerError::WindowsAreGone { rules: *rules, begins_at: *begins_at })
            }
            _ => Ok(()),
        }
    }

    /// Apply again, muted, what is committed already. How many were applied.
    fn catch_up(&mut self, records: &[(Offset, S::Record)], committed: Offset) -> u64 {
        let past = records.partition_point(|(offset, _)| *offset < committed);
        let exhausted = records.is_empty() || past < records.len();
        let applied = self.apply(&records[..past], &mut S::Output::default());
        let applied_all = records[..past].last().is_none_or(|(last, _)| *last < self.applied);
        if exhausted && applied_all {
            self.applied = committed;
        }
        applied
    }

    /// Apply records up to an activation that must wait for its successor. How many were applied.
    fn apply(&mut self, records: &[(Offset, S::Record)], output: &mut S::Output) -> u64 {
        let mut applied = 0;
        for part in records.chunk_by(|_, (_, next)| S::activates(next).is_none()) {
            if S::activates(&part[0].1).is_some_and(|rules| !self.ready_to_activate(rules)) {
                break;
            }
            self.stage.apply_all(part, output);
            applied += part.len() as u64;
            self.applied_since_snapshot = self.applied_since_snapshot.saturating_add(part.len() as u64);
            if let Some((last, _)) = part.last() {
                self.applied = last + 1;
            }
            self.look_for_filling();
        }
        if let Some(filling) = &mut self.filling
            && filling.turn == NextRead::Stage
        {
            filling.turn = NextRead::Successor;
        }
        applied
    }

    /// Begin to fill a successor when rules were prepared that need one; drop one that nobody waits for now.
    fn look_for_filling(&mut self) {
        let wanted = self.stage.wants_filling();
        if self.filling.as_ref().map(|f| f.rules) != wanted {
            self.filling = wanted.map(|rules| Filling {
                rules,
                successor: self.stage.successor(),
                applied: 0,
                turn: NextRead::Successor,
                begins_at: None,
            });
        }
    }

    /// Whether the next record may put these rules in force: no successor was needed for them, or it has applied all
    /// that the stage has applied and is taken over now.
    fn ready_to_activate(&mut self, rules: Hash256) -> bool {
        self.look_for_filling();
        let Some(filling) = self.filling.take_if(|filling| filling.rules == rules) else { return true };
        let filled = filling.applied >= self.applied;
        if filled {
            self.stage.adopt(filling.successor);
        } else {
            self.filling = Some(Filling { turn: NextRead::SuccessorOnly, ..filling });
        }
        filled
    }
}

fn check_order<R>(from: Offset, records: &[(Offset, R)]) -> Result<(), WorkerError> {
    let mut expected = from;
    for (got, _) in records {
        if *got < expected {
            return Err(WorkerError::OutOfOrder { expected, got: *got });
        }
        expected = got + 1;
    }
    Ok(())
}
