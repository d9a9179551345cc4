//! A driver goes on from where its partition was left, and knows when there is nothing to do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    ops::Range,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use sluice_core::{
    Format, Layout, Library, NoLists, Offset, Publication, SnapshotError, Stage, WorkerConfig,
};
use sluice_driver::{Assignment, Driver, DriverError, Report, records};
use sluice_log::{
    Claim, Done, EmbeddedLog, FileSnapshots, Log, LogError, Offsets, Partition, ReadLimit, Record, Snapshots,
    StoredRecord, Transaction,
};
use sluice_model::{EventRecord, Hash256, PaymentEvent, PaymentRecord, Topic};

/// A stage whose state is how many records it applied since the beginning.
#[derive(Clone, Copy, Default)]
struct Count(u64);

impl Stage for Count {
    const NAME: &str = "count";
    const READS: Topic = Topic::Payments;

    type Record = u64;
    type Output = Vec<u64>;

    fn apply(&mut self, _: Offset, record: &u64, output: &mut Vec<u64>) {
        self.0 += 1;
        output.push(*record);
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

/// A log that answers the next commit as it is told to, having taken the batch or not, and that may have lost its beginning or
/// its end.
struct Moody {
    log: Arc<EmbeddedLog>,
    next: Mutex<Option<(LogError, bool)>>,
    left: Mutex<Range<Offset>>,
}

impl Moody {
    fn new(log: Arc<EmbeddedLog>) -> Arc<Self> {
        Arc::new(Self { log, next: Mutex::default(), left: Mutex::new(0..Offset::MAX) })
    }

    /// Nothing is left but this.
    fn keeps(&self, left: Range<Offset>) {
        *self.left.lock().unwrap() = left;
    }

    fn answers(&self, error: LogError, takes: bool) {
        *self.next.lock().unwrap() = Some((error, takes));
    }
}

impl Log for Moody {
    fn transact(&self, transaction: Transaction) -> Result<Offsets, LogError> {
        match self.next.lock().unwrap().take() {
            Some((error, false)) => Err(error),
            Some((error, true)) => self.log.transact(transaction).and(Err(error)),
            None => self.log.transact(transaction),
        }
    }

    fn submit(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        self.log.submit(transaction, done)
    }

    fn submit_waiting(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        self.log.submit_waiting(transaction, done)
    }

    fn read(
        &self,
        partition: Partition,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Vec<StoredRecord>, LogError> {
        let left = self.left.lock().unwrap().clone();
        let mut records = self.log.read(partition, from.max(left.start), limit)?;
        records.retain(|record| left.contains(&record.offset));
        Ok(records)
    }

    fn newest(&self, partition: Partition, limit: usize) -> Result<Vec<StoredRecord>, LogError> {
        self.log.newest(partition, limit)
    }

    fn bounds(&self, partition: Partition) -> Result<Range<Offset>, LogError> {
        let (all, left) = (self.log.bounds(partition)?, self.left.lock().unwrap().clone());
        Ok(left.start..all.end.min(left.end))
    }

    fn wait(&self, partition: Partition, from: Offset, timeout: Duration) -> Result<bool, LogError> {
        self.log.wait(partition, from, timeout)
    }

    fn committed(&self, consumer: &str, partition: Partition) -> Result<Offset, LogError> {
        self.log.committed(consumer, partition)
    }

    fn claim(&self, consumer: &str, partition: Partition) -> Result<Claim, LogError> {
        self.log.claim(consumer, partition)
    }

    fn release(&self, claim: &Claim) -> Result<(), LogError> {
        self.log.release(claim)
    }
}

fn append(log: &dyn Log, values: Range<u64>) {
    let records = values.map(|value| records::json("", &value).unwrap()).collect();
    log.append(Count::READS.partition(0), records).unwrap();
}

fn driver<L: Log + 'static>(log: &Arc<L>, folder: &Path) -> Driver<Count> {
    let assignment = Assignment {
        log: Arc::clone(log) as Arc<dyn Log>,
        snapshots: Arc::new(FileSnapshots::new(folder)),
        snapshots_name: "count".to_owned(),
        library: Arc::new(NoLists),
        partition: 0,
        layout: Layout::of_stages(1),
        config: WorkerConfig { batch_records_max: 4, snapshot_every_records: 1_000 },
        handoff: None,
    };
    Driver::claim(assignment, Count::default).unwrap()
}

/// What is committed until the driver has nothing to do, and up to where.
fn drive(driver: &mut Driver<Count>) -> (Vec<u64>, Offset) {
    let mut committed = Vec::new();
    loop {
        match driver.step(100).unwrap() {
            Report::Committed(batch) => {
                let read: Vec<u64> = driver.records().iter().map(|(_, value)| *value).collect();
                assert_eq!(read, batch.output, "the records of the batch");
                committed.extend(batch.output);
            }
            Report::Idle { from } => return (committed, from),
            Report::Restored | Report::Applied => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_driver_goes_on_from_the_snapshot_that_was_kept_at_its_release() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(EmbeddedLog::open(&folder.path().join("log")).unwrap());
    append(&*log, 0..10);
    let snapshots = folder.path().join("snapshots");
    let mut first = driver(&log, &snapshots);
    assert_eq!(drive(&mut first), ((0..10).collect(), 10));
    assert!(!first.reaches(10).unwrap() && first.reaches(9).unwrap());
    assert!(matches!(first.release().unwrap(), Report::Saved));
    append(&*log, 10..13);
    let mut next = driver(&log, &snapshots);
    assert!(matches!(next.step(100).unwrap(), Report::Restored));
    let worker = next.worker();
    assert_eq!((worker.stage().unwrap().0, worker.committed_offset()), (10, 10), "before anything is read");
    assert!(worker.is_live());
    assert_eq!(drive(&mut next), ((10..13).collect(), 13));
    assert_eq!(next.worker().stage().unwrap().0, 13);
}

#[test]
fn a_driver_without_its_snapshots_grows_again_and_publishes_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(EmbeddedLog::open(&folder.path().join("log")).unwrap());
    append(&*log, 0..10);
    let mut first = driver(&log, &folder.path().join("snapshots"));
    drive(&mut first);
    first.release().unwrap();
    let mut next = driver(&log, &folder.path().join("elsewhere"));
    assert_eq!(drive(&mut next), (Vec::new(), 10));
    assert_eq!(next.worker().stage().unwrap().0, 10);
}

/// Whoever is told once that there was nothing asks once more before it waits.
#[test]
fn a_driver_is_idle_at_the_end_that_it_knows_and_goes_on_when_more_comes() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(EmbeddedLog::open(&folder.path().join("log")).unwrap());
    let mut driver = driver(&log, &folder.path().join("snapshots"));
    for n in 0..3 {
        assert_eq!(drive(&mut driver).1, n);
        append(&*log, n..n + 1);
        assert_eq!(drive(&mut driver), (vec![n], n + 1));
    }
}

/// Nothing is lost, nothing comes twice, and nothing grows again that need not.
#[test]
fn what_becomes_of_a_batch_is_what_the_log_says_of_it() {
    let storage = || LogError::Storage { folder: "log".into(), reason: "a test".to_owned() };
    for (error, takes, regrows) in
        [(LogError::Busy, false, false), (storage(), true, false), (storage(), false, true)]
    {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(EmbeddedLog::open(&folder.path().join("log")).unwrap());
        let log = Moody::new(log);
        append(&*log, 0..3);
        let mut driver = driver(&log, &folder.path().join("snapshots"));
        log.answers(error.clone(), takes);
        let (mut committed, mut regrown) = (Vec::new(), false);
        loop {
            match driver.step(100).unwrap() {
                Report::Committed(batch) => committed.extend(batch.output),
                Report::Refused(told) => assert_eq!(told, error),
                Report::Aborted(told) => {
                    assert_eq!(told, error);
                    regrown = true;
                }
                Report::Idle { .. } => break,
                Report::Restored | Report::Applied => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((committed, regrown), (vec![0, 1, 2], regrows), "{error}");
    }
}

#[test]
fn a_driver_does_not_go_on_with_a_log_that_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(EmbeddedLog::open(&folder.path().join("log")).unwrap());
    let log = Moody::new(log);
    append(&*log, 0..3);
    let mut driver = driver(&log, &folder.path().join("snapshots"));
    log.answers(LogError::Closed, false);
    let failed = (0..10).find_map(|_| driver.step(100).err());
    assert!(matches!(failed, Some(DriverError::Log(LogError::Closed))), "{failed:?}");
}

#[test]
fn a_flipped_bit_costs_a_snapshot_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let log = Arc::new(EmbeddedLog::open(&folder.path().join("log")).unwrap());
    let kept = folder.path().join("snapshots");
    for values in [0..10, 10..13] {
        append(&*log, values);
        let mut driver = driver(&log, &kept);
        drive(&mut driver);
        driver.release().unwrap();
    }
    let snapshots = FileSnapshots::new(&kept);
    assert_eq!(snapshots.offsets("count").unwrap(), [13, 10]);
    let mut newest = snapshots.get("count", 13).unwrap();
    newest[60] ^= 1;
    snapshots.put("count", 13, newest).unwrap();
    let mut next = driver(&log, &kept);
    assert!(matches!(next.step(100).unwrap(), Report::Restored));
    assert_eq!(next.worker().stage().unwrap().0, 10, "the next older one");
    assert_eq!(drive(&mut next), (Vec::new(), 13));
    assert_eq!(next.worker().stage().unwrap().0, 13);
}

/// What a driver does first that it cannot do.
fn fails(driver: &mut Driver<Count>) -> DriverError {
    (0..10)
        .find_map(|_| match driver.step(100) {
            Ok(Report::Committed(batch)) => panic!("committed {batch:?}"),
            Ok(_) => None,
            Err(error) => Some(error),
        })
        .unwrap()
}

/// Others would get the offsets of what was lost, and nobody would read them.
#[test]
fn a_driver_does_not_go_on_with_a_log_that_lost_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let log = Moody::new(Arc::new(EmbeddedLog::open(&folder.path().join("log")).unwrap()));
    append(&*log, 0..10);
    let mut first = driver(&log, &folder.path().join("snapshots"));
    assert_eq!(drive(&mut first), ((0..10).collect(), 10));
    log.keeps(0..7);
    let lost = |error: DriverError| matches!(error, DriverError::Log(LogError::Lost { .. }));
    assert!(lost(fails(&mut first)), "whoever looks for more");
    for snapshots in ["snapshots", "elsewhere"] {
        assert!(
            lost(fails(&mut driver(&log, &folder.path().join(snapshots)))),
            "whoever is started: {snapshots}"
        );
    }
    // It is put back: nothing was missed.
    log.keeps(0..Offset::MAX);
    append(&*log, 10..12);
    assert_eq!(drive(&mut driver(&log, &folder.path().join("snapshots"))), (vec![10, 11], 12));
}

#[test]
fn a_driver_grows_from_a_snapshot_where_the_log_has_lost_its_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let log = Moody::new(Arc::new(EmbeddedLog::open(&folder.path().join("log")).unwrap()));
    append(&*log, 0..10);
    let mut first = driver(&log, &folder.path().join("snapshots"));
    drive(&mut first);
    first.release().unwrap();
    log.keeps(8..Offset::MAX);
    append(&*log, 10..12);
    let without = fails(&mut driver(&log, &folder.path().join("elsewhere")));
    let refused =
        "the log begins at offset 8, and no snapshot stands for what came before: its records are gone";
    assert_eq!(without.to_string(), refused);
    let mut next = driver(&log, &folder.path().join("snapshots"));
    assert_eq!(drive(&mut next), (vec![10, 11], 12));
    assert_eq!(next.worker().stage().unwrap().0, 12);
}

#[test]
fn a_payments_record_lies_under_its_payment_and_is_read_again() {
    let at = "2026-11-20T08:00:00Z".parse().unwrap();
    let mut event = PaymentEvent::new("E".to_owned(), at);
    event.payment_id = Some("P".to_owned());
    let record = PaymentRecord::Event(EventRecord {
        received_at: at,
        awaited: true,
        late_reason: None,
        event: event.into(),
    });
    let Record { key, value } = records::payment(&record).unwrap();
    assert_eq!(key, "P");
    let stored = StoredRecord { offset: 3, key, value };
    assert_eq!(records::parse::<PaymentRecord>(Count::READS.partition(0), &stored).unwrap(), record);
}
