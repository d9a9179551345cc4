//! Hosts the stages of the partitions that a process owns, each on a thread of its own.
//!
//! A partition of payments brings its home, its shard and its gathering, which read the partitions of the same number; the one
//! of control records brings the distributor. Which partitions a process owns is said from outside, and may be wrong for a
//! while: the log fences whoever was replaced.

mod metrics;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use sluice_core::{Counts, Distributor, Gather, Home, Layout, Library, Shard, Stage, WorkerConfig};
use sluice_driver::{Assignment, Driver, Report};
use sluice_log::{Log, Offset, Partition, Snapshots};
use sluice_model::{EventTime, Topic};

pub use self::metrics::HostMetrics;
use crate::{
    Clock as _, RuntimeError, SystemClock,
    limits::{BATCH_RECORDS_MAX, COMMIT_RETRY_AFTER},
    saver::Saver,
};

/// How long a stage with nothing to do waits before it looks whether it is to end.
const IDLE_WAIT: Duration = Duration::from_millis(200);
/// How often a stage with work looks how much is before it: the brokers are asked.
const LAG_LOOKED_AT_EVERY: Duration = Duration::from_secs(5);

/// What hosted stages work with.
#[derive(Clone)]
pub struct HostParts {
    /// The truth.
    pub log: Arc<dyn Log>,
    /// Where state is kept to save time.
    pub snapshots: Arc<dyn Snapshots>,
    /// List versions and compiled rules.
    pub library: Arc<dyn Library>,
    /// Into how many partitions each topic is divided.
    pub layout: Layout,
    /// A snapshot is due after so many records.
    pub snapshot_every_records: u64,
}

/// How far a hosted stage has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hosted {
    /// What it is called.
    pub stage: &'static str,
    /// What it reads.
    pub partition: Partition,
    /// Whether everything that was committed before it was started is applied again.
    pub is_live: bool,
    /// Why it does not go on at this moment.
    pub trouble: Option<String>,
    /// What was counted since it was started here.
    pub counted: Counted,
}

/// What is counted of a stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counted {
    /// Records in batches that it has committed.
    pub records: u64,
    /// What became of the events among them.
    pub of_events: Counts,
    /// Commits that the log refused, or of which it kept nothing.
    pub commit_failures: u64,
    /// Snapshots that could not be made or kept.
    pub snapshot_failures: u64,
    /// When the last snapshot was kept.
    pub snapshot_at: Option<EventTime>,
    /// At most how many records are before it, when it last looked.
    pub lag_records: Option<u64>,
}

/// The stages that run here.
pub struct Host {
    parts: HostParts,
    running: Mutex<HashMap<Partition, Vec<Running>>>,
}

/// A stage on its thread.
struct Running {
    progress: Arc<StageProgress>,
    thread: JoinHandle<()>,
}

/// What a stage's thread and whoever asks about it share.
struct StageProgress {
    stage: &'static str,
    partition: Partition,
    /// Whether it is to end.
    stopping: AtomicBool,
    is_live: AtomicBool,
    trouble: Mutex<Option<String>>,
    counted: Mutex<Counted>,
}

impl Host {
    /// A host of nothing yet.
    pub fn new(parts: HostParts) -> Self {
        Self { parts, running: Mutex::default() }
    }

    /// Start the stages that belong to a partition; nothing where they run.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(&self, partition: Partition) -> Result<(), RuntimeError> {
        let mut running = self.running();
        if running.contains_key(&partition) {
            return Ok(());
        }
        let (homes, shards) = (Arc::clone(&self.parts.library), Arc::clone(&self.parts.library));
        let index = partition.index;
        let stages = match partition.topic {
            Topic::Payments => vec![
                self.run(index, move || Home::new(Arc::clone(&homes)))?,
                self.run(index, move || Shard::new(Arc::clone(&shards)))?,
                self.run(index, Gather::default)?,
            ],
            Topic::Control => vec![self.run(index, || Distributor)?],
            _ => Vec::new(),
        };
        tracing::info!(%partition, "this process owns a partition");
        running.insert(partition, stages);
        Ok(())
    }

    /// End the stages that belong to a partition: each keeps a snapshot and lets its partition go.
    pub fn stop(&self, partition: Partition) {
        let stages = self.running().remove(&partition).unwrap_or_default();
        end(stages);
        tracing::info!(%partition, "this process owns a partition no more");
    }

    /// End all of them.
    pub fn stop_all(&self) {
        let all = std::mem::take(&mut *self.running());
        end(all.into_values().flatten().collect());
    }

    /// How far each has come.
    pub fn hosted(&self) -> Vec<Hosted> {
        let running = self.running();
        let mut hosted: Vec<_> = running.values().flatten().map(|stage| stage.progress.now()).collect();
        hosted.sort_by_key(|stage| (stage.partition, stage.stage));
        hosted
    }

    fn run<S>(
        &self,
        index: u32,
        fresh: impl Fn() -> S + Clone + Send + 'static,
    ) -> Result<Running, RuntimeError>
    where
        S: Stage<Record: DeserializeOwned + Send, Output: Clone + Send> + Send + 'static,
    {
        let progress = Arc::new(StageProgress {
            stage: S::NAME,
            partition: S::READS.partition(index),
            stopping: AtomicBool::new(false),
            is_live: AtomicBool::new(false),
            trouble: Mutex::default(),
            counted: Mutex::default(),
        });
        let (parts, of_thread) = (self.parts.clone(), Arc::clone(&progress));
        let thread = thread::Builder::new()
            .name(format!("{}-{index}", S::NAME))
            .spawn(move || of_thread.go_on(&parts, fresh))
            .map_err(RuntimeError::Thread)?;
        Ok(Running { progress, thread })
    }

    fn running(&self) -> MutexGuard<'_, HashMap<Partition, Vec<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop_all();
    }
}

/// Have stages end, all at once, and wait for them.
fn end(stages: Vec<Running>) {
    for stage in &stages {
        stage.progress.stopping.store(true, Ordering::Relaxed);
    }
    for stage in stages {
        if stage.thread.join().is_err() {
            tracing::error!(stage = stage.progress.stage, "a stage failed unexpectedly");
        }
    }
}

impl StageProgress {
    /// Drive the stage until it is to end: anew whenever it was fenced, or the log is out of reach.
    fn go_on<S>(self: &Arc<Self>, parts: &HostParts, fresh: impl Fn() -> S + Clone + Send + 'static)
    where
        S: Stage<Record: DeserializeOwned, Output: Clone>,
    {
        while !self.is_stopping() {
            match self.drive(parts, fresh.clone()) {
                Ok(()) => {}
                Err(error) => {
                    tracing::error!(%error, stage = self.stage, partition = %self.partition, "a stage cannot go on");
                    self.set_trouble(Some(error.to_string()));
                }
            }
            if !self.is_stopping() {
                self.is_live.store(false, Ordering::Relaxed);
                thread::sleep(COMMIT_RETRY_AFTER);
            }
        }
    }

    /// Claim the partition and drive the stage until it is to end, or is fenced.
    fn drive<S>(
        self: &Arc<Self>,
        parts: &HostParts,
        fresh: impl Fn() -> S + Send + 'static,
    ) -> Result<(), RuntimeError>
    where
        S: Stage<Record: DeserializeOwned, Output: Clone>,
    {
        let of_saver = Arc::clone(self);
        let assignment = Assignment {
            log: Arc::clone(&parts.log),
            // Whoever is given the partition next finds the last snapshot: it is kept before the driver is gone.
            snapshots: Arc::new(Saver::start(Arc::clone(&parts.snapshots), move |kept| {
                of_saver.saved(kept.is_some())
            })?),
            snapshots_name: format!("{}-{}", S::NAME, self.partition.index),
            library: Arc::clone(&parts.library),
            partition: self.partition.index,
            layout: parts.layout,
            config: WorkerConfig {
                batch_records_max: BATCH_RECORDS_MAX,
                snapshot_every_records: parts.snapshot_every_records,
            },
            handoff: None,
        };
        let mut driver = Driver::claim(assignment, fresh)?;
        self.set_trouble(None);
        let mut looked_at: Option<Instant> = None;
        while !self.is_stopping() {
            match driver.step(BATCH_RECORDS_MAX)? {
                Report::Restored | Report::Applied | Report::Saved => {}
                Report::Committed(batch) => {
                    self.count(|counted| {
                        counted.records += batch.records;
                        counted.of_events.add(S::counts(&batch.output));
                    });
                    self.set_trouble(None);
                }
                Report::NotSaved(error) => {
                    tracing::error!(%error, stage = self.stage, "a snapshot could not be made");
                    self.saved(false);
                }
                Report::Refused(error) | Report::Aborted(error) => {
                    self.count(|counted| counted.commit_failures += 1);
                    tracing::error!(%error, stage = self.stage, "a stage could not commit and tries again");
                    self.set_trouble(Some(error.to_string()));
                    thread::sleep(COMMIT_RETRY_AFTER);
                }
                Report::Idle { from } => {
                    self.count(|counted| counted.lag_records = Some(0));
                    parts.log.wait(self.partition, from, IDLE_WAIT)?;
                }
                Report::Fenced => {
                    self.set_trouble(Some("another process has claimed the partition".to_owned()));
                    return Ok(());
                }
            }
            self.is_live.store(driver.worker().is_live(), Ordering::Relaxed);
            if looked_at.is_none_or(|at| at.elapsed() >= LAG_LOOKED_AT_EVERY) {
                self.look_ahead(&*parts.log, driver.worker().committed_offset());
                looked_at = Some(Instant::now());
            }
        }
        if let Report::NotSaved(error) = driver.release()? {
            tracing::error!(%error, stage = self.stage, "the last snapshot could not be made");
        }
        Ok(())
    }

    /// See how much is before the stage. A log that does not answer says so where it is read.
    fn look_ahead(&self, log: &dyn Log, committed: Offset) {
        if let Ok(bounds) = log.bounds(self.partition) {
            let lag = bounds.end.saturating_sub(committed.max(bounds.start));
            self.count(|counted| counted.lag_records = Some(lag));
        }
    }

    /// A snapshot was kept, or could not be.
    fn saved(&self, is_kept: bool) {
        self.count(|counted| match is_kept {
            true => counted.snapshot_at = Some(SystemClock.now()),
            false => counted.snapshot_failures += 1,
        });
    }

    fn count(&self, how: impl FnOnce(&mut Counted)) {
        how(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn now(&self) -> Hosted {
        Hosted {
            stage: self.stage,
            partition: self.partition,
            is_live: self.is_live.load(Ordering::Relaxed),
            trouble: self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            counted: *self.counted.lock().unwrap_or_else(PoisonError::into_inner),
        }
    }
}
