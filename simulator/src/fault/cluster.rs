//! Homes and shards on several nodes over one simulated log, with everything that can go wrong going wrong:
//! nodes crash before, during and after commits, commits abort or lose their answer, partitions move while their
//! old owner still works, the power fails, snapshots are torn, lost, stored late, or of a future that may not come.

use std::{collections::BTreeMap, sync::Arc};

use serde::de::DeserializeOwned;
use sluice_core::{
    Distributor, Engine, EngineConfig, Gather, Home, Layout, Library, Offset, Shard, Stage, Step, Worker,
    WorkerConfig,
};
use sluice_driver::{Assignment, Driver, DriverError, Handoff, Report, records};
use sluice_log::{Appended, Log, ReadLimit, StoredRecord};
use sluice_model::PaymentRecord;

use super::{faults::Faults, history::StageId, log::SimLog, rng::Rng, shelf::Shelf, wire::Wire};

/// What came of one step of a driver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Activity {
    /// Something was done.
    Done,
    /// There was nothing to do.
    Idle,
    /// The driver is gone: it died, or was fenced.
    Gone,
}

/// The driver of a stage, with its way to the log.
struct Owned<S: Stage> {
    driver: Driver<S>,
    wire: Arc<Wire>,
    /// Where it waits for more.
    idle_from: Option<Offset>,
}

/// A driver of any stage.
trait Runs {
    /// Its next turn, once there is something to do.
    fn turn(&mut self, limit: usize, faults: Faults) -> Result<Activity, DriverError>;

    /// Give up the partition as planned.
    fn release(self: Box<Self>) -> Result<(), DriverError>;
}

impl<S: Stage<Record: DeserializeOwned, Output: Clone>> Runs for Owned<S> {
    fn turn(&mut self, limit: usize, faults: Faults) -> Result<Activity, DriverError> {
        if let Some(from) = self.idle_from
            && !self.driver.reaches(from)?
        {
            return Ok(Activity::Idle);
        }
        self.idle_from = None;
        self.wire.set(faults);
        match self.driver.step(limit) {
            Ok(Report::Idle { from }) => {
                self.idle_from = Some(from);
                Ok(Activity::Idle)
            }
            Ok(Report::Fenced) => Ok(Activity::Gone),
            Ok(_) => Ok(Activity::Done),
            Err(_) if self.wire.is_dead() => Ok(Activity::Gone),
            Err(error) => Err(error),
        }
    }

    fn release(self: Box<Self>) -> Result<(), DriverError> {
        self.driver.release().map(drop)
    }
}

/// Records handed to an engine in memory, at most: few, so that the rest is read from the log.
const HANDOFF_RECORDS_MAX: usize = 6;

/// Nodes, each running some of the stages.
pub(super) struct Cluster {
    log: Arc<SimLog>,
    library: Arc<dyn Library>,
    layout: Layout,
    config: WorkerConfig,
    /// Every stage that must run somewhere.
    stages: Vec<StageId>,
    /// By node and stage: a stage may run on two nodes for a while, but only one of them can commit.
    running: BTreeMap<(usize, StageId), Box<dyn Runs>>,
    /// What hands durable records to the engines that run.
    handoffs: BTreeMap<(usize, StageId), Arc<Handoff<PaymentRecord>>>,
    nodes: usize,
    shelf: Arc<Shelf>,
    /// What no driver may say.
    broken: Vec<String>,
}

impl Cluster {
    /// A cluster that runs nothing yet.
    pub(crate) fn new(
        nodes: usize,
        stages: Vec<StageId>,
        layout: Layout,
        config: WorkerConfig,
        library: Arc<dyn Library>,
        log: &Arc<SimLog>,
        rng: &mut Rng,
    ) -> Self {
        Self {
            log: Arc::clone(log),
            library,
            layout,
            config,
            stages,
            running: BTreeMap::new(),
            handoffs: BTreeMap::new(),
            nodes,
            shelf: Arc::new(Shelf::new(Arc::clone(log), Rng::new(rng.bits()))),
            broken: Vec::new(),
        }
    }

    /// Start a stage on a node as its owner from here on.
    fn start(&mut self, node: usize, id: StageId, rng: &mut Rng) {
        let at = (node, id);
        let wire = Arc::new(Wire::new(Arc::clone(&self.log), Rng::new(rng.bits())));
        let (library, engines) = (Arc::clone(&self.library), Arc::clone(&self.library));
        let started = match id {
            StageId::Home(_) => self.own(id, None, wire, move || Home::new(Arc::clone(&library))),
            StageId::Shard(_) => self.own(id, None, wire, move || Shard::new(Arc::clone(&library))),
            StageId::Gather(_) => self.own(id, None, wire, Gather::default),
            StageId::Distributor => self.own(id, None, wire, || Distributor),
            StageId::Engine(_) => {
                let end = self.log.end(id.reads()).unwrap_or_default();
                let handoff = Arc::new(Handoff::new(end, HANDOFF_RECORDS_MAX));
                self.handoffs.insert(at, Arc::clone(&handoff));
                let fresh = move || Engine::new(EngineConfig { shards: 3 }, Arc::clone(&engines));
                self.own(id, Some(handoff), wire, fresh)
            }
        };
        match started {
            Ok(started) => drop(self.running.insert(at, started)),
            Err(error) => self.broken.push(format!("{id:?}: {error}")),
        }
    }

    fn own<S: Stage<Record: DeserializeOwned, Output: Clone> + 'static>(
        &self,
        id: StageId,
        handoff: Option<Arc<Handoff<S::Record>>>,
        wire: Arc<Wire>,
        fresh: impl Fn() -> S + Send + 'static,
    ) -> Result<Box<dyn Runs>, DriverError> {
        let assignment = Assignment {
            log: Arc::<Wire>::clone(&wire),
            snapshots: Arc::<Shelf>::clone(&self.shelf),
            snapshots_name: id.snapshots_name(),
            library: Arc::clone(&self.library),
            partition: id.reads().index,
            layout: self.layout,
            config: self.config,
            handoff,
        };
        Ok(Box::new(Owned { driver: Driver::claim(assignment, fresh)?, wire, idle_from: None }))
    }

    /// A record has become durable on the payments log: every engine is handed it.
    pub(crate) fn hand_over(&self, appended: &Appended, record: &PaymentRecord) {
        for handoff in self.handoffs.values() {
            handoff.push(appended, vec![record.clone()]);
        }
    }

    /// A snapshot of what a stage will have applied once everything that stands in its partition now is committed: as if the
    /// log had been put back to an older copy, and the snapshots had not. It counts for nothing until then, whatever name it
    /// has.
    pub(crate) fn foresee(&mut self, rng: &mut Rng) {
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

    /// The power fails: every node dies at once.
    pub(crate) fn power_cut(&mut self) {
        self.running.clear();
        self.handoffs.clear();
    }

    /// What must not be: errors of drivers, and snapshots handed over before what they stand for was committed.
    pub(crate) fn broken(&self) -> Option<String> {
        let of_the_future = self.shelf.of_the_future();
        let early = of_the_future.first().map(|first| {
            format!("a snapshot was handed over before what it stands for was committed: {first}")
        });
        self.broken.first().cloned().or(early)
    }

    /// Let one driver take one turn; start a stage that nobody runs.
    pub(crate) fn turn(&mut self, faults: Faults, rng: &mut Rng) {
        let id = *rng.pick(&self.stages);
        let owners: Vec<usize> =
            (0..self.nodes).filter(|node| self.running.contains_key(&(*node, id))).collect();
        if owners.is_empty() {
            let node = rng.below(self.nodes);
            self.start(node, id, rng);
        } else {
            self.turn_of((*rng.pick(&owners), id), faults, rng);
        }
    }

    fn turn_of(&mut self, at: (usize, StageId), faults: Faults, rng: &mut Rng) -> Activity {
        self.shelf.set(faults);
        // Deliveries are cut anywhere.
        let limit = 1 + rng.below(self.config.batch_records_max);
        let came = self.running.get_mut(&at).map_or(Ok(Activity::Gone), |driver| driver.turn(limit, faults));
        let came = came.unwrap_or_else(|error| {
            self.broken.push(format!("{:?}: {error}", at.1));
            Activity::Gone
        });
        if came == Activity::Gone {
            self.running.remove(&at);
            self.handoffs.remove(&at);
        }
        came
    }

    /// A node dies with all that it runs.
    pub(crate) fn crash(&mut self, rng: &mut Rng) {
        let node = rng.below(self.nodes);
        self.running.retain(|(on, _), _| *on != node);
        self.handoffs.retain(|(on, _), _| *on != node);
    }

    /// A stage moves to another node. Its old owner gives it up, or does not know yet.
    pub(crate) fn rebalance(&mut self, rng: &mut Rng) {
        let (node, id) = (rng.below(self.nodes), *rng.pick(&self.stages));
        let owners: Vec<_> = self.running.keys().filter(|(_, of)| *of == id).copied().collect();
        for at in owners {
            if rng.percent(50)
                && let Some(driver) = self.running.remove(&at)
                && let Err(error) = driver.release()
            {
                self.broken.push(format!("{id:?}: {error}"));
            }
        }
        self.start(node, id, rng);
    }

    /// Run everything without faults until nothing is left to do. Whoever runs goes on: one that sleeps through a record leaves
    /// it undone.
    pub(crate) fn settle(&mut self, rng: &mut Rng) {
        let mut idle = 0;
        // Stages feed each other, so all of them must be idle through whole rounds.
        while idle < IDLE_ROUNDS && self.broken.is_empty() {
            idle = if self.round(rng) { 0 } else { idle + 1 };
        }
    }

    /// One turn of every driver; whether any of them did something.
    fn round(&mut self, rng: &mut Rng) -> bool {
        for id in self.stages.clone() {
            if !self.running.keys().any(|(_, of)| *of == id) {
                self.start(0, id, rng);
            }
        }
        let mut busy = false;
        for at in self.running.keys().copied().collect::<Vec<_>>() {
            busy |= self.turn_of(at, Faults::NONE, rng) != Activity::Idle;
        }
        busy
    }
}

/// More than a partition of a simulation takes.
const STEPS_TO_THE_END_MAX: usize = 10_000;

/// A driver is idle for a turn while it fills a successor in turns; several rounds in a row mean that it is done.
const IDLE_ROUNDS: usize = 4;
