//! One owner's way to the log, on which what can go wrong with a commit goes wrong.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sluice_log::{Claim, Done, Log, LogError, Offset, Partition, ReadLimit, StoredRecord, Transaction};

use super::{faults::Faults, log::SimLog, rng::Rng};

/// What becomes of one commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    Done,
    Aborted,
    NoRoom,
    AnswerLost,
    DiesBefore,
    DiesAfter,
}

/// A log as one of its clients sees it.
pub(super) struct Wire {
    log: Arc<SimLog>,
    lost: Arc<LostAnswers>,
    state: Mutex<State>,
}

struct State {
    faults: Faults,
    rng: Rng,
    is_dead: bool,
}

/// How often the answer to a commit that happened was lost, by whose it was.
#[derive(Default)]
pub(super) struct LostAnswers(Mutex<BTreeMap<String, usize>>);

impl LostAnswers {
    fn count(&self, claim: Option<&Claim>) {
        let consumer = claim.map(|claim| claim.consumer.clone()).unwrap_or_default();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(consumer).or_default() += 1;
    }

    /// By the name of the stage.
    pub(super) fn by_stage(&self) -> BTreeMap<String, usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Wire {
    /// A way on which nothing goes wrong yet.
    pub(super) fn new(log: Arc<SimLog>, lost: Arc<LostAnswers>, rng: Rng) -> Self {
        Self { log, lost, state: Mutex::new(State { faults: Faults::NONE, rng, is_dead: false }) }
    }

    /// From here on so much goes wrong.
    pub(super) fn set(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// Whether its client has died.
    pub(super) fn is_dead(&self) -> bool {
        self.state().is_dead
    }

    fn fate(&self) -> Fate {
        let mut state = self.state();
        let State { faults, rng, is_dead } = &mut *state;
        let fate = [
            (faults.die_before_commit, Fate::DiesBefore),
            (faults.abort, Fate::Aborted),
            (faults.no_room, Fate::NoRoom),
            (faults.die_after_commit, Fate::DiesAfter),
            (faults.unknown_fate, Fate::AnswerLost),
        ]
        .into_iter()
        .find_map(|(chance, fate)| rng.percent(chance).then_some(fate))
        .unwrap_or(Fate::Done);
        *is_dead |= matches!(fate, Fate::DiesBefore | Fate::DiesAfter);
        fate
    }

    /// Two ways to say that it is not known what became of a request: a disk's, and a broker's.
    fn unanswered(&self) -> LogError {
        if self.state().rng.percent(50) {
            return failed();
        }
        LogError::Unanswered { brokers: "simulated".to_owned(), reason: "as the simulation wants".to_owned() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed() -> LogError {
    LogError::Storage { folder: "simulated".into(), reason: "as the simulation wants".into() }
}

impl Log for Wire {
    fn submit(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        self.submit_waiting(transaction, done)
    }

    fn submit_waiting(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        match self.fate() {
            Fate::Done => return self.log.submit_waiting(transaction, done),
            Fate::Aborted => done(Err(failed())),
            Fate::NoRoom => done(Err(LogError::Full { folder: "simulated".into() })),
            Fate::DiesBefore => done(Err(LogError::Closed)),
            Fate::DiesAfter => {
                self.log.submit_waiting(transaction, Box::new(drop))?;
                done(Err(LogError::Closed));
            }
            Fate::AnswerLost => {
                let (lost, claim) = (Arc::clone(&self.lost), transaction.claim.clone());
                let count = move |result: Result<_, _>| drop(result.map(|_| lost.count(claim.as_ref())));
                self.log.submit_waiting(transaction, Box::new(count))?;
                done(Err(self.unanswered()));
            }
        }
        Ok(())
    }

    fn read(
        &self,
        partition: Partition,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Vec<StoredRecord>, LogError> {
        self.log.read(partition, from, limit)
    }

    fn newest(&self, partition: Partition, limit: usize) -> Result<Vec<StoredRecord>, LogError> {
        self.log.newest(partition, limit)
    }

    fn bounds(&self, partition: Partition) -> Result<Range<Offset>, LogError> {
        self.log.bounds(partition)
    }

    fn wait(&self, partition: Partition, from: Offset, timeout: Duration) -> Result<bool, LogError> {
        self.log.wait(partition, from, timeout)
    }

    fn committed(&self, consumer: &str, partition: Partition) -> Result<Offset, LogError> {
        let mut state = self.state();
        let chance = state.faults.unanswered;
        if state.rng.percent(chance) {
            drop(state);
            return Err(self.unanswered());
        }
        drop(state);
        self.log.committed(consumer, partition)
    }

    fn claim(&self, consumer: &str, partition: Partition) -> Result<Claim, LogError> {
        self.log.claim(consumer, partition)
    }

    fn release(&self, claim: &Claim) -> Result<(), LogError> {
        self.log.release(claim)
    }
}
