//! Homes and shards on several nodes over one simulated log, with everything that can go wrong going wrong:
//! nodes crash before, during and after commits, commits abort or lose their answer, partitions move while their
//! old owner still works, or in the middle of its batch, two processes take themselves for the same one, partitions lose what
//! was committed, the power fails, snapshots are torn, lost, stored late, or of a future that may not come.

mod mishaps;
mod running;

use std::{collections::BTreeMap, sync::Arc};

use serde::de::DeserializeOwned;
use sluice_core::{
    Distributor, Engine, EngineConfig, Gather, Home, Layout, Library, Shard, Stage, WorkerConfig,
};
use sluice_driver::{Assignment, Driver, DriverError, Handoff};
use sluice_log::{Appended, Log};
use sluice_model::PaymentRecord;

use self::{
    mishaps::Happened,
    running::{Activity, Owned, Running, Runs},
};
use super::{
    faults::Faults,
    history::StageId,
    log::SimLog,
    rng::Rng,
    shelf::Shelf,
    wire::{LostAnswers, Wire},
};

/// Records handed to an engine in memory, at most: few, so that the rest is read from the log.
const HANDOFF_RECORDS_MAX: usize = 6;

/// A node and the stage that it runs.
type At = (usize, StageId);

/// Nodes, each running some of the stages.
pub(super) struct Cluster {
    log: Arc<SimLog>,
    library: Arc<dyn Library>,
    layout: Layout,
    config: WorkerConfig,
    /// Every stage that must run somewhere.
    stages: Vec<StageId>,
    /// By node and stage: a stage may run on two nodes for a while, but only one of them can commit.
    running: BTreeMap<At, Running>,
    /// Those that run on although another was started under their name.
    twins: Vec<(At, Running)>,
    /// The newest owner of each stage.
    newest: BTreeMap<StageId, u64>,
    nodes: usize,
    shelf: Arc<Shelf>,
    lost_answers: Arc<LostAnswers>,
    happened: Happened,
    /// What no driver may say.
    broken: Vec<String>,
}

impl Cluster {
    /// A cluster that runs nothing yet.
    pub(super) fn new(
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
            twins: Vec::new(),
            newest: BTreeMap::new(),
            lost_answers: Arc::default(),
            happened: Happened::default(),
            nodes,
            shelf: Arc::new(Shelf::new(Arc::clone(log), Rng::new(rng.bits()))),
            broken: Vec::new(),
        }
    }

    /// Start a stage on a node as its owner from here on.
    fn start(&mut self, node: usize, id: StageId, rng: &mut Rng) {
        if let Some(started) = self.started(id, rng) {
            self.running.insert((node, id), started);
        }
    }

    fn started(&mut self, id: StageId, rng: &mut Rng) -> Option<Running> {
        let wire =
            Arc::new(Wire::new(Arc::clone(&self.log), Arc::clone(&self.lost_answers), Rng::new(rng.bits())));
        let (library, engines) = (Arc::clone(&self.library), Arc::clone(&self.library));
        let mut handoff = None;
        let driver = match id {
            StageId::Home(_) => self.own(id, None, wire, move || Home::new(Arc::clone(&library))),
            StageId::Shard(_) => self.own(id, None, wire, move || Shard::new(Arc::clone(&library))),
            StageId::Gather(_) => self.own(id, None, wire, Gather::default),
            StageId::Distributor => self.own(id, None, wire, || Distributor),
            StageId::Engine(_) => {
                let end = self.log.end(id.reads()).unwrap_or_default();
                handoff = Some(Arc::new(Handoff::new(end, HANDOFF_RECORDS_MAX)));
                let fresh = move || Engine::new(EngineConfig { shards: 3 }, Arc::clone(&engines));
                self.own(id, handoff.clone(), wire, fresh)
            }
        };
        let owner = self.newest.entry(id).or_default();
        *owner += 1;
        let owner = *owner;
        driver
            .map(|driver| Running { driver, handoff, owner })
            .inspect_err(|error| self.broken.push(format!("{id:?}: {error}")))
            .ok()
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
        Ok(Box::new(Owned::new(Driver::claim(assignment, fresh)?, wire)))
    }

    /// A record has become durable on the payments log: every engine is handed it.
    pub(super) fn hand_over(&self, appended: &Appended, record: &PaymentRecord) {
        let twins = self.twins.iter().map(|(_, running)| running);
        for handoff in self.running.values().chain(twins).filter_map(|running| running.handoff.as_ref()) {
            handoff.push(appended, vec![record.clone()]);
        }
    }

    /// What must not be: errors of drivers, and snapshots handed over before what they stand for was committed.
    pub(super) fn broken(&self) -> Option<String> {
        let of_the_future = self.shelf.of_the_future();
        let early = of_the_future.first().map(|first| {
            format!("a snapshot was handed over before what it stands for was committed: {first}")
        });
        self.broken.first().cloned().or(early)
    }

    /// How often it came to what is rare.
    pub(super) fn happened(&self) -> &Happened {
        &self.happened
    }

    /// How often the answer to a commit that happened was lost, by stage.
    pub(super) fn lost_answers(&self) -> BTreeMap<String, usize> {
        self.lost_answers.by_stage()
    }

    /// Let one driver take one turn; start a stage that nobody runs.
    pub(super) fn turn(&mut self, faults: Faults, rng: &mut Rng) {
        let id = *rng.pick(&self.stages);
        if let Some(twin) = self.twins.iter().position(|((_, of), _)| *of == id)
            && rng.percent(50)
        {
            self.turn_of_twin(twin, faults, rng);
            return;
        }
        let owners: Vec<usize> =
            (0..self.nodes).filter(|node| self.running.contains_key(&(*node, id))).collect();
        if owners.is_empty() {
            let node = rng.below(self.nodes);
            self.start(node, id, rng);
        } else {
            self.turn_of((*rng.pick(&owners), id), faults, rng);
        }
    }

    fn turn_of(&mut self, at: At, faults: Faults, rng: &mut Rng) -> Activity {
        let Some(mut running) = self.running.remove(&at) else { return Activity::Gone };
        let came = self.turn_with(at.1, &mut running, faults, rng);
        if !came.is_the_end() {
            self.running.insert(at, running);
        }
        came
    }

    fn turn_of_twin(&mut self, twin: usize, faults: Faults, rng: &mut Rng) -> Activity {
        let (at, mut running) = self.twins.swap_remove(twin);
        let came = self.turn_with(at.1, &mut running, faults, rng);
        if came.is_the_end() {
            self.happened.twins_fenced += usize::from(came == Activity::Fenced);
        } else {
            self.twins.push((at, running));
        }
        came
    }

    /// A turn of a driver, which may have been replaced: it moves nothing then.
    fn turn_with(&mut self, id: StageId, running: &mut Running, faults: Faults, rng: &mut Rng) -> Activity {
        self.shelf.set(faults);
        let place = || self.log.committed(id.name(), id.reads()).unwrap_or_default();
        let before = place();
        // Deliveries are cut anywhere.
        let limit = 1 + rng.below(self.config.batch_records_max);
        let came = running.driver.turn(limit, faults);
        if self.newest.get(&id) != Some(&running.owner) && place() != before {
            self.broken.push(format!("{id:?}: an owner that had been replaced committed"));
        }
        came.unwrap_or_else(|error| {
            self.broken.push(format!("{id:?}: {error}"));
            Activity::Gone
        })
    }

    /// Run everything without faults until nothing is left to do. Whoever runs goes on: one that sleeps through a record leaves
    /// it undone.
    pub(super) fn settle(&mut self, rng: &mut Rng) {
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
        for twin in (0..self.twins.len()).rev() {
            busy |= self.turn_of_twin(twin, Faults::NONE, rng) != Activity::Idle;
        }
        busy
    }
}

/// A driver is idle for a turn while it fills a successor in turns; several rounds in a row mean that it is done.
const IDLE_ROUNDS: usize = 4;
