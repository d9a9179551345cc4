//! What happens to nodes, partitions and their owners.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sluice_core::{Distributor, Engine, EngineConfig, Gather, Home, Offset, Shard, Stage, Step, Worker};
use sluice_driver::{DriverError, records};
use sluice_log::{Log, LogError, ReadLimit, StoredRecord};

use super::{Activity, At, Cluster};
use crate::fault::{faults::Faults, history::StageId, rng::Rng};

/// More than a partition of a simulation takes.
const STEPS_TO_THE_END_MAX: usize = 10_000;

/// How often it came to what is rare.
#[derive(Default)]
pub(in crate::fault) struct Happened {
    /// Partitions that were taken in the middle of a batch, and again in the middle of their new owner's.
    pub moves_in_a_batch: usize,
    /// Processes that took themselves for one that had been started again, and were fenced when they were to commit.
    pub twins_fenced: usize,
    /// Stages that said that their partition lost what was committed.
    pub lost_tails: usize,
}

impl Cluster {
    /// The power fails: every node dies at once.
    pub(in crate::fault) fn power_cut(&mut self) {
        self.running.clear();
        self.twins.clear();
    }

    /// A node dies with all that it runs.
    pub(in crate::fault) fn crash(&mut self, rng: &mut Rng) {
        let node = rng.below(self.nodes);
        self.running.retain(|(on, _), _| *on != node);
        self.twins.retain(|((on, _), _)| *on != node);
    }

    /// A process is started under the name of one that still runs, and knows nothing of it.
    pub(in crate::fault) fn twin(&mut self, rng: &mut Rng) {
        let at = (rng.below(self.nodes), *rng.pick(&self.stages));
        if let Some(older) = self.running.remove(&at) {
            self.twins.push((at, older));
        }
        self.start(at.0, at.1, rng);
    }

    /// A partition is taken from its owner in the middle of a batch, and comes back to where it was in the middle of the new
    /// owner's. Whoever was replaced is told, or does not know.
    pub(in crate::fault) fn move_in_a_batch(&mut self, rng: &mut Rng) {
        let (first, id) = (rng.below(self.nodes), *rng.pick(&self.stages));
        let (here, there) = ((first, id), ((first + 1) % self.nodes, id));
        let place = self.log.committed(id.name(), id.reads());
        if !self.start_a_batch(here, rng) || !self.start_a_batch(there, rng) {
            return;
        }
        self.replaced(here, rng);
        self.start(here.0, id, rng);
        self.replaced(there, rng);
        self.happened.moves_in_a_batch += 1;
        if self.log.committed(id.name(), id.reads()) != place {
            self.broken.push(format!("{id:?}: a batch was committed by an owner that had been replaced"));
        }
    }

    /// Start a stage on a node and stop in the middle of its next batch. Whether there is one.
    fn start_a_batch(&mut self, at: At, rng: &mut Rng) -> bool {
        self.start(at.0, at.1, rng);
        for _ in 0..STEPS_TO_THE_END_MAX {
            if self.running.get(&at).is_some_and(|running| running.driver.is_in_a_batch()) {
                return true;
            }
            if self.turn_of(at, Faults::NONE, rng) != Activity::Done {
                return false;
            }
        }
        false
    }

    /// An owner that was replaced in the middle of a batch gives up its partition, or is fenced.
    fn replaced(&mut self, at: At, rng: &mut Rng) {
        if rng.percent(50) {
            self.release(at);
        } else if self.turn_of(at, Faults::NONE, rng) != Activity::Fenced {
            self.broken.push(format!("{:?}: an owner that had been replaced was not fenced", at.1));
        }
    }

    fn release(&mut self, at: At) {
        if let Some(running) = self.running.remove(&at)
            && let Err(error) = running.driver.release()
        {
            self.broken.push(format!("{:?}: {error}", at.1));
        }
    }

    /// A partition has lost what was committed of it, until somebody puts it back: whoever is started meanwhile says so, and
    /// does not go on with what is left.
    pub(in crate::fault) fn lose_tail(&mut self, rng: &mut Rng) {
        let id = *rng.pick(&self.stages);
        let committed = self.log.committed(id.name(), id.reads()).unwrap_or_default();
        let tail = self.log.lose_tail(id.reads(), committed, rng);
        if tail.is_empty() {
            return;
        }
        if let Some(mut running) = self.started(id, rng) {
            match running.driver.turn(1, Faults::NONE) {
                Err(DriverError::Log(LogError::Lost { .. })) => self.happened.lost_tails += 1,
                came => {
                    self.broken.push(format!("{id:?}: its log lost what was committed, and yet {came:?}"))
                }
            }
        }
        self.log.put_back(id.reads(), tail);
    }

    /// A stage moves to another node. Its old owner gives it up, or does not know yet.
    pub(in crate::fault) fn rebalance(&mut self, rng: &mut Rng) {
        let (node, id) = (rng.below(self.nodes), *rng.pick(&self.stages));
        let owners: Vec<_> = self.running.keys().filter(|(_, of)| *of == id).copied().collect();
        for at in owners {
            if rng.percent(50) {
                self.release(at);
            }
        }
        self.start(node, id, rng);
    }

    /// A snapshot of what a stage will have applied once everything that stands in its partition now is committed: as if the
    /// log had been put back to an older copy, and the snapshots had not. It counts for nothing until then, whatever name it
    /// has.
    pub(in crate::fault) fn foresee(&mut self, rng: &mut Rng) {
        let id = *rng.pick(&self.stages);
        let library = Arc::clone(&self.library);
        let at_the_end = match id {
            StageId::Home(_) => self.at_the_end(id, move || Home::new(Arc::clone(&library))),
            StageId::Shard(_) => self.at_the_end(id, move || Shard::new(Arc::clone(&library))),
            StageId::Gather(_) => self.at_the_end(id, Gather::default),
            StageId::Distributor => self.at_the_end(id, || Distributor),
            StageId::Engine(_) => {
                self.at_the_end(id, move || Engine::new(EngineConfig { shards: 3 }, Arc::clone(&library)))
            }
        };
        let committed = self.log.committed(id.name(), id.reads()).unwrap_or_default();
        if let Some((offset, bytes)) = at_the_end {
            let label = if rng.percent(50) { offset } else { committed };
            self.shelf.store(&id.snapshots_name(), label, bytes);
        }
    }

    /// The snapshot after everything that stands in a partition, committed or not.
    fn at_the_end<S: Stage<Record: DeserializeOwned>>(
        &self,
        id: StageId,
        fresh: impl Fn() -> S + Send + 'static,
    ) -> Option<(Offset, Vec<u8>)> {
        let end = self.log.end(id.reads()).ok()?;
        let mut worker = Worker::new(self.config, Arc::clone(&self.library), end, fresh);
        for _ in 0..STEPS_TO_THE_END_MAX {
            match worker.step().ok()? {
                Step::Restore { .. } => drop(worker.restored([], 0).ok()?),
                Step::Read { from, limit } => {
                    let stored = self.log.read(id.reads(), from, ReadLimit::records(limit)).ok()?;
                    let parse = |stored: &StoredRecord| {
                        Some((stored.offset, records::parse(id.reads(), stored).ok()?))
                    };
                    let read: Option<Vec<_>> = stored.iter().map(parse).collect();
                    worker.records(&read?).ok()?;
                }
                Step::Save { offset, bytes } => return Some((offset, bytes)),
                Step::Commit(_) | Step::Await => return None,
            }
            worker.want_snapshot();
        }
        None
    }
}
