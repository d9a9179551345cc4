//! Which snapshots a worker hands over and takes: never one of a future that may not come.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use sluice_core::{
    Format, Layout, Library, NoLists, Offset, Publication, SnapshotError, Stage, Step, Worker, WorkerConfig,
    WorkerError,
};
use sluice_model::{Hash256, Topic};

/// A stage whose state is the sum of its records, and whose output is the sum after each.
#[derive(Clone, Copy, Default)]
struct Sum(u64);

impl Stage for Sum {
    const NAME: &str = "sum";
    const READS: Topic = Topic::Payments;

    type Record = u64;
    type Output = Vec<u64>;

    fn apply(&mut self, _: Offset, record: &u64, output: &mut Vec<u64>) {
        self.0 += record;
        output.push(self.0);
    }

    fn publish(_: Vec<u64>, _: &Layout) -> Vec<Publication> {
        Vec::new()
    }

    fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        Ok(self.0.to_be_bytes().to_vec())
    }

    fn restore(bytes: &[u8], _: Format, _: &Arc<dyn Library>) -> Result<Self, SnapshotError> {
        Ok(Self(u64::from_be_bytes(bytes.try_into().map_err(|_| SnapshotError::NotASnapshot)?)))
    }

    fn wants_filling(&self) -> Option<Hash256> {
        None
    }

    fn successor(&self) -> Self {
        *self
    }

    fn activates(_: &u64) -> Option<Hash256> {
        None
    }

    fn adopt(&mut self, _: Self) {}
}

/// One in each offset, so that the sum says how many were applied.
fn ones(from: Offset, to: Offset) -> Vec<(Offset, u64)> {
    (from..to).map(|offset| (offset, 1)).collect()
}

fn worker(committed: Offset, snapshot_every_records: u64) -> Worker<Sum> {
    let config = WorkerConfig { batch_records_max: 100, snapshot_every_records };
    Worker::new(config, Arc::new(NoLists), committed, Sum::default)
}

/// The snapshot after so many records.
fn snapshot_at(offset: Offset) -> Vec<u8> {
    let mut worker = worker(offset, 1);
    worker.step().unwrap();
    worker.restored([], 0).unwrap();
    worker.records(&ones(0, offset)).unwrap();
    match worker.step().unwrap() {
        Step::Save { offset: at, bytes } => {
            assert_eq!(at, offset);
            bytes
        }
        other => panic!("no snapshot, but {other:?}"),
    }
}

/// What a worker reads first, given these snapshots, the last stored first.
fn first_read(committed: Offset, snapshots: &[Offset]) -> Offset {
    let mut worker = worker(committed, 0);
    assert!(matches!(worker.step().unwrap(), Step::Restore { at_most } if at_most == committed));
    worker.restored(snapshots.iter().map(|at| snapshot_at(*at)), 0).unwrap();
    match worker.step().unwrap() {
        Step::Read { from, .. } => from,
        other => panic!("nothing to read, but {other:?}"),
    }
}

#[test]
fn a_snapshot_of_a_future_that_may_not_come_is_not_restored() {
    assert_eq!(first_read(5, &[10]), 0, "the log grows anew from its beginning");
    assert_eq!(first_read(5, &[10, 6, 4]), 4, "the newest of the past is taken");
    assert_eq!(first_read(10, &[10, 4]), 10, "what is committed is the past");
}

#[test]
fn an_older_snapshot_that_was_stored_after_a_newer_one_says_the_same() {
    for snapshots in [&[8, 3][..], &[3, 8][..]] {
        let from = first_read(9, snapshots);
        assert!(snapshots.contains(&from));
        let mut worker = worker(9, 0);
        worker.step().unwrap();
        worker.restored(snapshots.iter().map(|at| snapshot_at(*at)), 0).unwrap();
        worker.records(&ones(from, 12)).unwrap();
        // What is committed is applied again, muted; what comes next goes on from it.
        let mut said = Vec::new();
        while said.is_empty() {
            match worker.step().unwrap() {
                Step::Read { from, .. } => worker.records(&ones(from, 12)).unwrap(),
                Step::Commit(batch) => said = batch.output,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(said, [10, 11, 12], "from {from}");
    }
}

#[test]
fn a_log_that_lost_its_beginning_is_refused_where_no_snapshot_stands_for_it() {
    let restored = |snapshots: &[Offset], begins_at| {
        let mut worker = worker(10, 0);
        worker.step().unwrap();
        let refused = worker.restored(snapshots.iter().map(|at| snapshot_at(*at)), begins_at);
        refused.map(|refused| refused.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(restored(&[], 5), Err(WorkerError::PastIsGone { begins_at: 5 }));
    assert_eq!(restored(&[4], 5), Err(WorkerError::PastIsGone { begins_at: 5 }), "one record is missing");
    assert_eq!(restored(&[5], 5), Ok(Vec::new()));
    let too_old = "snapshot of offset 4, and the log begins at 6".to_owned();
    let of_the_future = "snapshot of offset 12, beyond what is committed (10)".to_owned();
    assert_eq!(restored(&[12, 4, 7], 6), Ok(vec![of_the_future, too_old]), "why each is passed over");
}

#[test]
fn no_snapshot_is_handed_over_before_what_it_stands_for_is_committed() {
    let mut worker = worker(0, 1);
    worker.step().unwrap();
    worker.restored([], 0).unwrap();
    worker.records(&ones(0, 3)).unwrap();
    assert!(matches!(worker.step().unwrap(), Step::Commit(_)), "the batch comes first");
    assert!(matches!(worker.step().unwrap(), Step::Await), "its fate is not known");
    worker.committed().unwrap();
    assert!(matches!(worker.step().unwrap(), Step::Save { offset: 3, .. }));
    // A commit that was aborted leaves nothing to hand over.
    worker.records(&ones(3, 6)).unwrap();
    assert!(matches!(worker.step().unwrap(), Step::Commit(_)));
    worker.aborted(3);
    assert!(matches!(worker.step().unwrap(), Step::Restore { at_most: 3 }));
}

/// A worker at rest after so many records, all of them committed.
fn at_rest(records: Offset) -> Worker<Sum> {
    let mut worker = worker(records, 0);
    worker.step().unwrap();
    worker.restored([], 0).unwrap();
    assert!(!worker.is_live() || records == 0, "what is committed is to be applied first");
    worker.records(&ones(0, records)).unwrap();
    assert!(worker.is_live());
    worker
}

#[test]
fn records_that_come_again_or_out_of_order_are_refused_and_change_nothing() {
    let mut worker = at_rest(5);
    for (records, expected, got) in [(&[4, 5][..], 5, 4), (&[5, 5], 6, 5), (&[6, 5], 7, 5)] {
        let records: Vec<_> = records.iter().map(|offset| (*offset, 1)).collect();
        assert_eq!(worker.records(&records), Err(WorkerError::OutOfOrder { expected, got }), "{records:?}");
        assert_eq!(worker.stage().unwrap().0, 5);
    }
    // A log may leave numbers out.
    worker.records(&[(7, 1), (9, 1)]).unwrap();
    let Step::Commit(batch) = worker.step().unwrap() else { panic!("no batch") };
    assert_eq!((batch.from, batch.to, batch.records, batch.output), (5, 10, 2, vec![6, 7]));
}

#[test]
fn where_nothing_is_read_nothing_is_committed() {
    let mut worker = at_rest(5);
    worker.records(&[]).unwrap();
    assert!(matches!(worker.step().unwrap(), Step::Read { from: 5, .. }));
}

/// What a log left out before the committed offset never comes.
#[test]
fn a_worker_is_live_once_the_log_has_no_more_of_what_is_committed() {
    let restored = || {
        let mut worker = worker(9, 0);
        worker.step().unwrap();
        worker.restored([], 0).unwrap();
        worker
    };
    for reads in [vec![ones(0, 5), Vec::new()], vec![[ones(0, 5), ones(20, 22)].concat()]] {
        let mut worker = restored();
        for read in reads {
            assert!(!worker.is_live());
            worker.records(&read).unwrap();
        }
        assert!(worker.is_live());
        assert!(matches!(worker.step().unwrap(), Step::Read { from: 9, .. }));
        assert_eq!(worker.stage().unwrap().0, 5, "what is not committed is not applied");
    }
}

#[test]
fn before_a_planned_stop_a_snapshot_is_handed_over_unless_there_is_nothing_new() {
    let save = |worker: &mut Worker<Sum>| {
        worker.want_snapshot();
        matches!(worker.step().unwrap(), Step::Save { .. })
    };
    let seldom = || {
        let config = WorkerConfig { batch_records_max: 100, snapshot_every_records: 1_000 };
        let mut worker = Worker::new(config, Arc::new(NoLists), 5, Sum::default);
        worker.step().unwrap();
        worker.restored([snapshot_at(4)], 0).unwrap();
        worker
    };
    let mut worker = seldom();
    assert!(!save(&mut worker), "nothing was applied since the last");
    worker.records(&ones(4, 5)).unwrap();
    assert!(save(&mut worker));
    assert!(!save(&mut worker), "it was handed over");
}

/// What a stage is told, in [`Windows`].
const PREPARE: u64 = 1;
const ACTIVATE: u64 = 2;
const RULES: Hash256 = Hash256([7; 32]);

/// A stage whose prepared rules read windows that it does not hold.
#[derive(Clone, Copy, Default)]
struct Windows {
    prepared: bool,
    held: bool,
}

impl Stage for Windows {
    const NAME: &str = "windows";
    const READS: Topic = Topic::Payments;

    type Record = u64;
    type Output = Vec<u64>;

    fn apply(&mut self, _: Offset, record: &u64, output: &mut Vec<u64>) {
        self.prepared |= *record == PREPARE;
        output.push(*record);
    }

    fn publish(_: Vec<u64>, _: &Layout) -> Vec<Publication> {
        Vec::new()
    }

    fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        Ok(vec![u8::from(self.prepared), u8::from(self.held)])
    }

    fn restore(bytes: &[u8], _: Format, _: &Arc<dyn Library>) -> Result<Self, SnapshotError> {
        Ok(Self { prepared: bytes[0] == 1, held: bytes[1] == 1 })
    }

    fn wants_filling(&self) -> Option<Hash256> {
        (self.prepared && !self.held).then_some(RULES)
    }

    fn successor(&self) -> Self {
        Self { held: true, ..*self }
    }

    fn activates(record: &u64) -> Option<Hash256> {
        (*record == ACTIVATE).then_some(RULES)
    }

    fn adopt(&mut self, _: Self) {
        self.held = true;
    }
}

#[test]
fn rules_whose_windows_reach_before_the_log_are_not_put_in_force() {
    let config = WorkerConfig { batch_records_max: 1, snapshot_every_records: 0 };
    let mut worker = Worker::new(config, Arc::new(NoLists), 0, Windows::default);
    worker.restored([], 0).unwrap();
    assert_eq!(worker.lost_its_beginning(3), Err(WorkerError::PastIsGone { begins_at: 3 }), "its own past");
    let records = [(0, 0), (1, PREPARE), (2, 0), (3, 0), (4, ACTIVATE)];
    let mut judged = Vec::new();
    // The log loses its beginning when it is to be read again.
    let refused = loop {
        match worker.step().unwrap() {
            Step::Read { from: 0, .. } if !judged.is_empty() => {
                assert_eq!(worker.lost_its_beginning(3), Ok(RULES));
            }
            Step::Read { from, .. } => {
                let next: Vec<_> = records.iter().filter(|(at, _)| *at >= from).take(1).copied().collect();
                match worker.records(&next) {
                    Ok(()) => {}
                    Err(error) => break error,
                }
            }
            Step::Commit(batch) => {
                judged.extend(batch.output);
                worker.committed().unwrap();
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused, WorkerError::WindowsAreGone { rules: RULES, begins_at: 3 });
    assert_eq!(judged, [0, PREPARE, 0, 0], "it goes on until they are to be put in force");
}
