//! Homes and shards on several nodes over one simulated log, with everything that can go wrong going wrong:
//! nodes crash before, during and after commits, commits abort or lose their answer, partitions move while their
//! old owner still works, the power fails, snapshots are torn, lost, stored late, or of a future that may not come.

use std::{collections::BTreeMap, sync::Arc};

use sluice_core::{
    Distributor, Engine, EngineConfig, Gather, Home, Library, Offset, Shard, Step, Worker, WorkerConfig,
};

use super::{
    log::{SimLog, StageId},
    rng::Rng,
    stages::SimStage,
};

/// How often things go wrong, in percent of the steps at which they can.
#[derive(Clone, Copy, Debug)]
pub struct Faults {
    /// A commit is aborted.
    pub abort: usize,
    /// A commit happens, but its owner dies before it hears of it.
    pub die_after_commit: usize,
    /// The owner dies with its commit unsent.
    pub die_before_commit: usize,
    /// A commit happens or not, and its owner hears that its fate is unknown.
    pub unknown_fate: usize,
    /// A snapshot is torn when it is written.
    pub tear_snapshot: usize,
    /// A snapshot is lost.
    pub lose_snapshot: usize,
    /// A snapshot is stored after the next one, as if it were the newest.
    pub delay_snapshot: usize,
}

impl Faults {
    /// Everything goes wrong often.
    pub const MANY: Self = Self {
        abort: 8,
        die_after_commit: 5,
        die_before_commit: 5,
        unknown_fate: 5,
        tear_snapshot: 20,
        lose_snapshot: 10,
        delay_snapshot: 10,
    };
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        abort: 0,
        die_after_commit: 0,
        die_before_commit: 0,
        unknown_fate: 0,
        tear_snapshot: 0,
        lose_snapshot: 0,
        delay_snapshot: 0,
    };
}

/// What came of one step of a worker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Came {
    /// Something was done.
    Done,
    /// There was nothing to do.
    Idle,
    /// The worker is gone: it died, or was fenced.
    Gone,
}

/// A worker with the epoch under which it owns its partition.
struct Owned<S: SimStage> {
    worker: Worker<S>,
    id: StageId,
    partition: u32,
    epoch: u64,
}

/// A worker of any stage.
trait Runs {
    fn step(&mut self, log: &mut SimLog, shelf: &mut Shelf, faults: Faults, rng: &mut Rng) -> Came;

    /// The snapshot after everything that stands in the partition, committed or not.
    fn of_the_end(self: Box<Self>, log: &SimLog) -> Option<Vec<u8>>;
}

/// The snapshots of every stage: some of them torn.
#[derive(Default)]
struct Shelf {
    /// The last stored first.
    stored: BTreeMap<StageId, Vec<Vec<u8>>>,
    /// To be stored after the next one.
    delayed: BTreeMap<StageId, Vec<u8>>,
    /// What workers handed over that was not of the past for certain: where each committed offset was passed.
    of_the_future: Vec<String>,
}

impl Shelf {
    fn store(&mut self, id: StageId, bytes: Vec<u8>) {
        let stored = self.stored.entry(id).or_default();
        stored.insert(0, bytes);
        if let Some(older) = self.delayed.remove(&id) {
            stored.insert(0, older);
        }
    }
}

impl<S: SimStage> Owned<S> {
    fn commit(
        &mut self,
        batch: sluice_core::Batch<S::Output>,
        log: &mut SimLog,
        faults: Faults,
        rng: &mut Rng,
    ) -> Came {
        if rng.percent(faults.die_before_commit) {
            return Came::Gone;
        }
        let aborts = rng.percent(faults.abort);
        let publish = S::publish(batch.output, &log.layout());
        let done = !aborts && log.commit(self.id, self.epoch, batch.to, publish, rng).is_ok();
        if !aborts && !done {
            return Came::Gone;
        }
        if rng.percent(faults.die_after_commit) {
            return Came::Gone;
        }
        if done && !rng.percent(faults.unknown_fate) {
            let told = self.worker.committed();
            debug_assert!(told.is_ok());
        } else {
            self.worker.aborted(log.committed(self.id));
        }
        Came::Done
    }
}

impl<S: SimStage> Runs for Owned<S> {
    fn step(&mut self, log: &mut SimLog, shelf: &mut Shelf, faults: Faults, rng: &mut Rng) -> Came {
        let Ok(step) = self.worker.step() else { return Came::Gone };
        match step {
            Step::Restore { .. } => {
                self.worker.restored(shelf.stored.get(&self.id).cloned().unwrap_or_default());
                Came::Done
            }
            Step::Read { from, limit } => {
                // Deliveries are cut anywhere; an empty one means that the partition ends there.
                let limit = 1 + rng.below(limit);
                let records = S::input(log, self.partition).read(from, limit);
                let idle = records.is_empty() && self.worker.is_live();
                let taken = self.worker.records(&records);
                debug_assert!(taken.is_ok());
                if idle { Came::Idle } else { Came::Done }
            }
            Step::Commit(batch) => self.commit(batch, log, faults, rng),
            Step::Save { offset, mut bytes } => {
                if offset > log.committed(self.id) {
                    shelf.of_the_future.push(format!("{:?} at {offset}", self.id));
                }
                if rng.percent(faults.tear_snapshot) {
                    let at = rng.below(bytes.len());
                    if rng.percent(50) { bytes.truncate(at) } else { bytes[at] ^= 0x40 }
                }
                if rng.percent(faults.delay_snapshot) {
                    shelf.delayed.insert(self.id, bytes);
                } else if !rng.percent(faults.lose_snapshot) {
                    shelf.store(self.id, bytes);
                }
                Came::Done
            }
            Step::Await => Came::Idle,
        }
    }

    fn of_the_end(mut self: Box<Self>, log: &SimLog) -> Option<Vec<u8>> {
        let input = S::input(log, self.partition);
        self.worker.aborted(input.end());
        for _ in 0..STEPS_TO_THE_END_MAX {
            match self.worker.step().ok()? {
                Step::Restore { .. } => self.worker.restored([]),
                Step::Read { from, limit } => self.worker.records(&input.read(from, limit)).ok()?,
                Step::Save { bytes, .. } => return Some(bytes),
                Step::Commit(_) | Step::Await => return None,
            }
            self.worker.want_snapshot();
        }
        None
    }
}

/// More than a partition of a simulation takes.
const STEPS_TO_THE_END_MAX: usize = 10_000;

/// Nodes, each running some of the stages.
pub struct Cluster {
    library: Arc<dyn Library>,
    config: WorkerConfig,
    /// Every stage that must run somewhere.
    stages: Vec<StageId>,
    /// By node and stage: a stage may run on two nodes for a while, but only one of them can commit.
    running: BTreeMap<(usize, StageId), Box<dyn Runs>>,
    nodes: usize,
    shelf: Shelf,
}

impl Cluster {
    /// A cluster that runs nothing yet.
    pub fn new(nodes: usize, stages: Vec<StageId>, config: WorkerConfig, library: Arc<dyn Library>) -> Self {
        Self { library, config, stages, running: BTreeMap::new(), nodes, shelf: Shelf::default() }
    }

    /// Start a stage on a node as its owner from here on.
    fn start(&mut self, node: usize, id: StageId, log: &mut SimLog) {
        let epoch = log.claim(id);
        let worker = self.worker(id, epoch, log.committed(id));
        self.running.insert((node, id), worker);
    }

    /// A worker of a stage from a committed offset on.
    fn worker(&self, id: StageId, epoch: u64, committed: Offset) -> Box<dyn Runs> {
        let (library, shared) = (Arc::clone(&self.library), Arc::clone(&self.library));
        let config = self.config;
        match id {
            StageId::Home(partition) => {
                let worker = Worker::new(config, shared, committed, move || Home::new(Arc::clone(&library)));
                Box::new(Owned { worker, id, partition, epoch })
            }
            StageId::Shard(partition) => {
                let worker = Worker::new(config, shared, committed, move || Shard::new(Arc::clone(&library)));
                Box::new(Owned { worker, id, partition, epoch })
            }
            StageId::Gather(partition) => {
                let worker = Worker::new(config, shared, committed, Gather::default);
                Box::new(Owned { worker, id, partition, epoch })
            }
            StageId::Distributor => {
                let worker = Worker::new(config, shared, committed, || Distributor);
                Box::new(Owned { worker, id, partition: 0, epoch })
            }
            StageId::Engine(partition) => {
                let fresh = move || Engine::new(EngineConfig { shards: 3 }, Arc::clone(&library));
                let worker = Worker::new(config, shared, committed, fresh);
                Box::new(Owned { worker, id, partition, epoch })
            }
        }
    }

    /// A snapshot of what a stage will have applied once everything that stands in its partition now is committed: as if the
    /// log had been put back to an older copy, and the snapshots had not. It counts for nothing until then.
    pub fn foresee(&mut self, log: &SimLog, rng: &mut Rng) {
        let id = *rng.pick(&self.stages);
        if let Some(bytes) = self.worker(id, 0, 0).of_the_end(log) {
            self.shelf.store(id, bytes);
        }
    }

    /// The power fails: every node dies at once.
    pub fn power_cut(&mut self) {
        self.running.clear();
    }

    /// Snapshots that workers handed over before what they stand for was committed.
    pub fn snapshots_of_the_future(&self) -> &[String] {
        &self.shelf.of_the_future
    }

    /// Let one worker take one step; start a stage that nobody runs.
    pub fn turn(&mut self, log: &mut SimLog, faults: Faults, rng: &mut Rng) -> Came {
        let id = *rng.pick(&self.stages);
        let owners: Vec<usize> =
            (0..self.nodes).filter(|node| self.running.contains_key(&(*node, id))).collect();
        if owners.is_empty() {
            self.start(rng.below(self.nodes), id, log);
            return Came::Done;
        }
        let at = (*rng.pick(&owners), id);
        let came =
            self.running.get_mut(&at).map_or(Came::Gone, |w| w.step(log, &mut self.shelf, faults, rng));
        if came == Came::Gone {
            self.running.remove(&at);
        }
        came
    }

    /// A node dies with all that it runs.
    pub fn crash(&mut self, rng: &mut Rng) {
        let node = rng.below(self.nodes);
        self.running.retain(|(on, _), _| *on != node);
    }

    /// A stage moves to another node; the old owner does not know yet.
    pub fn rebalance(&mut self, log: &mut SimLog, rng: &mut Rng) {
        let (node, id) = (rng.below(self.nodes), *rng.pick(&self.stages));
        self.start(node, id, log);
    }

    /// Run everything without faults until nothing is left to do.
    pub fn settle(&mut self, log: &mut SimLog, rng: &mut Rng) {
        self.running.clear();
        let mut idle = 0;
        // Stages feed each other, so all of them must be idle through whole rounds.
        while idle < IDLE_ROUNDS {
            idle = if self.round(log, rng) { 0 } else { idle + 1 };
        }
    }

    /// One step of every stage; whether any of them did something.
    fn round(&mut self, log: &mut SimLog, rng: &mut Rng) -> bool {
        let mut busy = false;
        for id in self.stages.clone() {
            if !self.running.contains_key(&(0, id)) {
                self.start(0, id, log);
            }
            let came =
                self.running.get_mut(&(0, id)).map(|w| w.step(log, &mut self.shelf, Faults::NONE, rng));
            busy |= came != Some(Came::Idle);
        }
        busy
    }
}

/// A worker is idle for a step while it fills a candidate in turns; several rounds in a row mean that it is done.
const IDLE_ROUNDS: usize = 4;
