//! A partition of a million keys moves: from the start of its new owner until it is live, with the snapshot that the old one left
//! in a folder, and in S3 on loopback. Not a criterion suite: each is done a few times and said.
//!
//! `cargo bench -p sluice-benches --features object-store --bench takeover`; `SLUICE_KEYS` says how many keys.

#![allow(missing_docs, clippy::unwrap_used, reason = "a measurement fails by panicking")]

use std::{
    ops::Range,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use sluice_core::{Engine, EngineConfig, Layout, NoLists, Offset, Step, Worker, WorkerConfig};
use sluice_driver::{Assignment, Driver};
use sluice_log::{
    Claim, Done, FileSnapshots, Log, LogError, Partition, ReadLimit, Snapshots, StoredRecord, Transaction,
};
use sluice_model::{Control, EventRecord, EventTime, PaymentRecord, Screening};
use sluice_runtime::read_rules;
use sluice_simulator::traffic::{Config, Traffic};

#[allow(dead_code, reason = "the server of the log's own tests")]
#[path = "../../engine/log/tests/s3/mod.rs"]
mod s3;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Keys of the partition, at the least.
const KEYS: usize = 1_000_000;
/// Customers of the traffic: each has an account, and so have those whom they pay.
const CUSTOMERS: usize = 1_000_000;
/// Events applied at once.
const BATCH: usize = 4_096;
/// Records before the payments.
const CONTROLS: usize = 3;
/// How often each is done.
const TIMES: usize = 3;
const NAME: &str = "engine-0";

/// A log that ends where all is committed: a partition at rest.
struct AtRest(Offset);

impl Log for AtRest {
    fn submit(&self, _: Transaction, _: Done) -> Result<(), LogError> {
        Err(LogError::Closed)
    }

    fn submit_waiting(&self, _: Transaction, _: Done) -> Result<(), LogError> {
        Err(LogError::Closed)
    }

    fn read(&self, _: Partition, _: Offset, _: ReadLimit) -> Result<Vec<StoredRecord>, LogError> {
        Ok(Vec::new())
    }

    fn newest(&self, _: Partition, _: usize) -> Result<Vec<StoredRecord>, LogError> {
        Ok(Vec::new())
    }

    fn bounds(&self, _: Partition) -> Result<Range<Offset>, LogError> {
        Ok(0..self.0)
    }

    fn wait(&self, _: Partition, _: Offset, _: Duration) -> Result<bool, LogError> {
        Ok(false)
    }

    fn committed(&self, _: &str, _: Partition) -> Result<Offset, LogError> {
        Ok(self.0)
    }

    fn claim(&self, consumer: &str, partition: Partition) -> Result<Claim, LogError> {
        Ok(Claim { consumer: consumer.to_owned(), partition, epoch: 1 })
    }

    fn release(&self, _: &Claim) -> Result<(), LogError> {
        Ok(())
    }
}

fn config() -> WorkerConfig {
    WorkerConfig { batch_records_max: BATCH, snapshot_every_records: u64::MAX }
}

fn fresh() -> Engine {
    Engine::new(EngineConfig::default(), Arc::new(NoLists))
}

/// Everything in order: rules in force, then payments.
fn records() -> impl Iterator<Item = PaymentRecord> {
    let rules = read_rules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs")).unwrap();
    let activate = Control::Activate { rules: rules.hash() };
    let controls = [Control::Screening(Screening::default()), Control::Prepare(rules), activate];
    let start = EventTime::from_micros(1_767_225_600_000_000);
    let traffic = Config { customers: CUSTOMERS, ..Config::spanning(3_000_000, 1, start) };
    let events = Traffic::new(traffic).map(|labelled| {
        let received_at = labelled.event.occurred_at;
        PaymentRecord::Event(EventRecord {
            received_at,
            awaited: false,
            late_reason: None,
            event: Arc::new(labelled.event),
        })
    });
    controls.into_iter().map(PaymentRecord::Control).chain(events)
}

/// A snapshot after so many keys, and the offset that it stands for.
fn snapshot(keys: usize) -> (Offset, Vec<u8>) {
    let mut worker = Worker::new(config(), Arc::new(NoLists), 0, fresh);
    worker.restored([], 0).unwrap();
    let (mut records, mut offset) = (records(), 0);
    // Rules come first: their windows are filled from nothing else.
    let controls: Vec<_> = (0..).zip(records.by_ref().take(CONTROLS)).collect();
    while worker.stage().is_some_and(|engine| engine.keys() < keys) {
        match worker.step().unwrap() {
            Step::Read { from, .. } if from < CONTROLS as Offset => {
                worker.records(&controls[from as usize..]).unwrap();
                offset = CONTROLS as Offset;
            }
            Step::Read { .. } => {
                let batch: Vec<_> = (offset..).zip(records.by_ref().take(BATCH)).collect();
                assert!(!batch.is_empty(), "the traffic has too few keys");
                offset += batch.len() as Offset;
                worker.records(&batch).unwrap();
            }
            Step::Commit(_) => worker.committed().unwrap(),
            other => panic!("{other:?}"),
        }
    }
    if let Step::Commit(_) = worker.step().unwrap() {
        worker.committed().unwrap();
    }
    let found = worker.stage().map(Engine::keys).unwrap_or_default();
    let began = Instant::now();
    worker.want_snapshot();
    let Ok(Step::Save { offset, bytes }) = worker.step() else { panic!("no snapshot") };
    println!(
        "{found} keys after {offset} records: a snapshot of {} MB is made in {:?}",
        bytes.len() / 1_000_000,
        began.elapsed()
    );
    (offset, bytes)
}

/// From the start of the partition's new owner until it is live.
fn takeover(offset: Offset, snapshots: &Arc<dyn Snapshots>) -> Duration {
    let began = Instant::now();
    let assignment = Assignment {
        log: Arc::new(AtRest(offset)),
        snapshots: Arc::clone(snapshots),
        snapshots_name: NAME.to_owned(),
        library: Arc::new(NoLists),
        partition: 0,
        layout: Layout::SINGLE,
        config: config(),
        handoff: None,
    };
    let mut driver = Driver::claim(assignment, fresh).unwrap();
    while !driver.worker().is_live() {
        driver.step(BATCH).unwrap();
    }
    began.elapsed()
}

fn main() {
    let keys = std::env::var("SLUICE_KEYS").ok().and_then(|n| n.parse().ok()).unwrap_or(KEYS);
    let (offset, bytes) = snapshot(keys);
    let folder = tempfile::tempdir().unwrap();
    let server = s3::Server::start();
    let stores: [(&str, Arc<dyn Snapshots>); 2] = [
        ("folder", Arc::new(FileSnapshots::new(folder.path()))),
        ("S3", Arc::new(server.open("s3://bucket/engines").unwrap())),
    ];
    for (name, snapshots) in &stores {
        for _ in 0..TIMES {
            let began = Instant::now();
            snapshots.put(NAME, offset, bytes.clone()).unwrap();
            let kept = began.elapsed();
            println!("{name}: kept in {kept:?}, live {:?} after the start", takeover(offset, snapshots));
        }
    }
}
