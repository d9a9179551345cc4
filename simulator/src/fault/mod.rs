//! The seeded fault simulation: the production core over a simulated log, on several nodes, with everything that
//! can go wrong going wrong, and an oracle at the end. A failure is a seed that repeats exactly.

mod clocks;
mod cluster;
mod faults;
mod history;
mod log;
mod naive;
mod officers;
mod oracle;
mod parts;
mod repertoire;
pub(crate) mod rng;
mod script;
mod shelf;
mod stages;
mod wire;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde::Serialize;
use sluice_core::{
    Distributor, Engine, EngineConfig, Gather, Home, Layout, Library, Published, Shard, WorkerConfig,
};
use sluice_driver::records;
use sluice_log::{Appended, Log, Partition, Topic};
use sluice_model::{Control, EventRecord, PaymentEvent, PaymentRecord};

use self::{
    cluster::Cluster,
    faults::Faults,
    history::{History, StageId},
    log::SimLog,
    naive::Features,
    rng::Rng,
    script::{Order, Script},
};
pub use self::{naive::FEATURES, oracle::Broken, repertoire::SimLibrary};

/// The layout of a simulated deployment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Topology {
    /// Homes, shards and gathering apart, as over Kafka.
    Distributed,
    /// The composite engine over one partition, as embedded.
    Embedded,
}

/// Payments, keyed and verdicts partitions of the distributed layout.
const PARTITIONS: u32 = 12;
/// Nodes that share them.
const NODES: usize = 2;
/// Events that are on their way at once, so that they arrive in another order.
const SENT_AT_ONCE: usize = 4;
/// Events in one simulation, at the least.
const EVENTS_MIN: usize = 40;
/// Events in one simulation, beyond the least.
const EVENTS_SPREAD: usize = 80;

/// What the disk under the log is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disk {
    /// What it says it has survives a power cut.
    Honest,
    /// It says so before it has it.
    Lying,
}

/// What one simulation amounted to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Events that clients were told are safe.
    pub acknowledged: usize,
    /// Alerts published.
    pub alerts: usize,
    /// What was noted of rules in shadow, and of rules that failed.
    pub observations: usize,
    /// Crashes of whole nodes.
    pub crashes: usize,
    /// Partitions moved.
    pub moves: usize,
    /// Power cuts, under which every node dies at once.
    pub power_cuts: usize,
    /// Power cuts under which the log lost something that it had said it has.
    pub losses: usize,
    /// Snapshots put on the shelf that were ahead of what was committed.
    pub foreseen: usize,
    /// Partitions moved in the middle of a batch, and back in the middle of the new owner's.
    pub moves_in_a_batch: usize,
    /// Processes that took themselves for one that had been started again, and were fenced.
    pub twins_fenced: usize,
    /// Stages that said that their partition had lost what was committed.
    pub lost_tails: usize,
    /// Answers lost to commits that happened, by stage.
    pub lost_answers: BTreeMap<String, usize>,
    /// Events stamped by a clock that another source's disagrees with, within what is tolerated.
    pub skewed: usize,
    /// Records compared with an undisturbed replay.
    pub compared: usize,
    /// Records compared with the naive model.
    pub modelled: usize,
    /// In how many simulations each feature of the model came up.
    pub features: BTreeMap<&'static str, usize>,
}

impl Tally {
    /// These and those of another simulation.
    pub fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.alerts += other.alerts;
        self.observations += other.observations;
        self.crashes += other.crashes;
        self.moves += other.moves;
        self.power_cuts += other.power_cuts;
        self.losses += other.losses;
        self.foreseen += other.foreseen;
        self.moves_in_a_batch += other.moves_in_a_batch;
        self.twins_fenced += other.twins_fenced;
        self.lost_tails += other.lost_tails;
        self.skewed += other.skewed;
        for (stage, times) in other.lost_answers {
            *self.lost_answers.entry(stage).or_default() += times;
        }
        self.compared += other.compared;
        self.modelled += other.modelled;
        for (feature, times) in other.features {
            *self.features.entry(feature).or_default() += times;
        }
    }
}

/// Run one simulation.
///
/// # Errors
/// [`Broken`] names the first promise that did not hold.
pub fn simulate(seed: u64, topology: Topology, library: &Arc<SimLibrary>) -> Result<Tally, Broken> {
    simulate_on(Disk::Honest, seed, topology, library).1
}

/// Run one simulation on a disk that is honest or lies. Whether the log lost anything, and what came of it.
///
/// # Errors
/// [`Broken`] names the first promise that did not hold.
pub fn simulate_on(
    disk: Disk,
    seed: u64,
    topology: Topology,
    library: &Arc<SimLibrary>,
) -> (bool, Result<Tally, Broken>) {
    let mut rng = Rng::new(seed);
    let mut simulation = Simulation::new(disk, topology, library, &mut rng);
    simulation.run(&mut rng);
    (simulation.tally.losses > 0, simulation.judge())
}

struct Simulation {
    topology: Topology,
    library: Arc<SimLibrary>,
    log: Arc<SimLog>,
    layout: Layout,
    cluster: Cluster,
    clients: Clients,
    tally: Tally,
}

/// Clients send what they have, in roughly its order, until each event is acknowledged.
struct Clients {
    unsent: VecDeque<(usize, EventRecord)>,
    /// The events that are sent when everything before them has been applied.
    after_pauses: VecDeque<usize>,
    orders: VecDeque<(usize, Order)>,
    acknowledged: Vec<Arc<PaymentEvent>>,
    asked: Vec<Arc<PaymentEvent>>,
}

impl Simulation {
    fn new(disk: Disk, topology: Topology, library: &Arc<SimLibrary>, rng: &mut Rng) -> Self {
        let repertoire = library.repertoire();
        let events = EVENTS_MIN + rng.below(EVENTS_SPREAD);
        let script = Script::new(repertoire, events, rng);
        let (partitions, stages) = match topology {
            Topology::Distributed => {
                let each =
                    (0..PARTITIONS).flat_map(|p| [StageId::Home(p), StageId::Shard(p), StageId::Gather(p)]);
                (PARTITIONS, std::iter::once(StageId::Distributor).chain(each).collect())
            }
            Topology::Embedded => (1, vec![StageId::Engine(0)]),
        };
        let config = WorkerConfig {
            batch_records_max: 1 + rng.below(40),
            snapshot_every_records: 1 + rng.below(40) as u64,
        };
        let shared: Arc<dyn Library> = Arc::<SimLibrary>::clone(library);
        let layout = Layout::of_stages(partitions);
        let log = Arc::new(SimLog::new(disk == Disk::Lying, Rng::new(rng.bits())));
        let mut simulation = Self {
            topology,
            cluster: Cluster::new(NODES, stages, layout, config, shared, &log, rng),
            log,
            layout,
            clients: Clients {
                unsent: script.events.into_iter().enumerate().collect(),
                after_pauses: script.after_pauses.into(),
                orders: script.orders.into(),
                acknowledged: Vec::new(),
                asked: Vec::new(),
            },
            library: Arc::clone(library),
            tally: Tally::default(),
        };
        // Rules and lists are in force everywhere before the first event: what is judged is then known.
        let [prepare, activate] = repertoire.rules_in_force(0);
        for control in [repertoire.lists_in_force(0), prepare, activate] {
            simulation.control(control);
        }
        simulation.cluster.settle(rng);
        simulation
    }

    /// Officers' orders go to the control topic; embedded, into the payments log itself.
    fn control(&mut self, control: Control) {
        match self.topology {
            Topology::Distributed => drop(self.append(Topic::Control.partition(0), &control)),
            Topology::Embedded => self.pay(&PaymentRecord::Control(control)),
        }
    }

    /// Append a record to the payments log, and hand it over as the door does.
    fn pay(&mut self, record: &PaymentRecord) {
        let home = self.layout.partition(Topic::Payments, record.payment_id().unwrap_or_default());
        if let Some(appended) = self.append(home, record) {
            self.cluster.hand_over(&appended, record);
        }
    }

    /// The log itself refuses nothing.
    fn append(&self, partition: Partition, record: &impl Serialize) -> Option<Appended> {
        self.log.append(partition, vec![records::json("", record).ok()?]).ok()
    }

    fn order(&mut self, order: Order, rng: &mut Rng) {
        let control = match order {
            Order::Control(control) => Some(control),
            Order::Release(take) => officers::release(take, &self.log, rng),
        };
        if let Some(control) = control {
            self.control(control);
        }
    }

    fn run(&mut self, rng: &mut Rng) {
        let total = self.clients.unsent.len();
        while !self.clients.unsent.is_empty() {
            match rng.below(100) {
                0..15 => self.send(rng),
                15 if rng.percent(40) => {
                    self.tally.crashes += 1;
                    self.cluster.crash(rng);
                }
                15 if rng.percent(15) => {
                    self.tally.power_cuts += 1;
                    self.tally.losses += usize::from(self.log.power_cut());
                    self.cluster.power_cut();
                }
                15 if rng.percent(15) => {
                    self.tally.foreseen += 1;
                    self.cluster.foresee(rng);
                }
                16 | 17 if rng.percent(70) => {
                    self.tally.moves += 1;
                    self.cluster.rebalance(rng);
                }
                18 if rng.percent(30) => self.cluster.move_in_a_batch(rng),
                18 if rng.percent(30) => self.cluster.twin(rng),
                18 if rng.percent(20) => self.cluster.lose_tail(rng),
                _ => {
                    self.cluster.turn(Faults::MANY, rng);
                }
            }
            let sent = total - self.clients.unsent.len();
            while self.clients.orders.front().is_some_and(|(at, _)| *at <= sent) {
                if let Some((_, order)) = self.clients.orders.pop_front() {
                    self.order(order, rng);
                }
            }
        }
        for (_, order) in std::mem::take(&mut self.clients.orders) {
            self.order(order, rng);
        }
        self.cluster.settle(rng);
    }

    /// A client tries to send one of its next events. The log may take it or not, and the answer may be lost.
    fn send(&mut self, rng: &mut Rng) {
        let Clients { unsent, after_pauses, .. } = &mut self.clients;
        let pause = after_pauses.front().copied().unwrap_or(usize::MAX);
        let before_pause = unsent.iter().take(SENT_AT_ONCE).filter(|(n, _)| *n < pause).count();
        if before_pause == 0 {
            after_pauses.pop_front();
            self.cluster.settle(rng);
            return;
        }
        let at = rng.below(before_pause);
        let Some((n, record)) = self.clients.unsent.remove(at) else { return };
        let once = record.late_reason.is_some();
        let taken = once || !rng.percent(10);
        let told = once || (taken && !rng.percent(15));
        if taken {
            self.pay(&PaymentRecord::Event(record.clone()));
        }
        if told {
            if record.awaited {
                self.clients.asked.push(Arc::clone(&record.event));
            }
            self.clients.acknowledged.push(record.event);
        } else {
            self.clients.unsent.push_front((n, record));
        }
    }

    fn judge(mut self) -> Result<Tally, Broken> {
        let partitions = self.layout.partitions(Topic::Payments);
        if let Some(broken) = self.cluster.broken() {
            return Err(Broken(broken));
        }
        let log = &History::of(&self.log, partitions).map_err(|error| Broken(error.to_string()))?;
        let shared = || -> Arc<dyn Library> { Arc::<SimLibrary>::clone(&self.library) };
        let features = Features::default();
        self.tally.modelled = naive::agrees(log, self.topology, &self.library, &features)?;
        self.tally.features = features.all().into_iter().map(|feature| (feature, 1)).collect();
        let mut compared = 0;
        for p in 0..partitions {
            compared += match self.topology {
                Topology::Distributed => {
                    oracle::equals_replay(log, StageId::Home(p), p, Home::new(shared()))?
                        + oracle::equals_replay(log, StageId::Shard(p), p, Shard::new(shared()))?
                        + oracle::equals_replay(log, StageId::Gather(p), p, Gather::default())?
                }
                Topology::Embedded => {
                    // Another number of shards than the simulated engine has: alerts must not depend on it.
                    let engine = Engine::new(EngineConfig { shards: 1 }, shared());
                    let parts = parts::replay(&log.payments[p as usize], &shared());
                    oracle::equals_replay(log, StageId::Engine(p), p, engine)?
                        + oracle::equals(log, StageId::Engine(p), parts)?
                }
            };
        }
        if self.topology == Topology::Distributed {
            compared += oracle::equals_replay(log, StageId::Distributor, 0, Distributor)?;
            oracle::nothing_lost_nothing_doubled(log, &self.clients.acknowledged)?;
        }
        oracle::every_question_answered(log, &self.clients.asked)?;
        self.tally.skewed = clocks::change_nothing(log, self.topology, &shared())?;
        let happened = self.cluster.happened();
        self.tally.moves_in_a_batch = happened.moves_in_a_batch;
        self.tally.twins_fenced = happened.twins_fenced;
        self.tally.lost_tails = happened.lost_tails;
        self.tally.lost_answers = self.cluster.lost_answers();
        self.tally.compared = compared;
        self.tally.acknowledged = self.clients.acknowledged.len();
        let count = |of: fn(&Published) -> bool| log.everything().filter(|p| of(p)).count();
        self.tally.alerts = count(|published| matches!(published, Published::Alert(_)));
        self.tally.observations = count(|published| matches!(published, Published::Observation(_)));
        Ok(self.tally)
    }
}
