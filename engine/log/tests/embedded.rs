//! The embedded log: the promises of every log, and its own: durability, limits, one process.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
};

use proptest::prelude::*;
use sluice_log::{
    Appended, EmbeddedLog, EmbeddedOptions, Log, LogError, LostTail, Offset, ReadLimit, Record, Topic,
    Transaction,
    conformance::{
        ALERTS, Effort, PAYMENTS, appends_name_the_end_before_them, conformance, read_all, record,
    },
};

#[test]
fn it_keeps_the_promises_of_every_log() {
    let folder = tempfile::tempdir().unwrap();
    let opened = std::sync::atomic::AtomicUsize::new(0);
    let open = || {
        let n = opened.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Arc::new(EmbeddedLog::open(&folder.path().join(n.to_string())).unwrap()) as Arc<dyn Log>
    };
    conformance(&open, Effort::LOCAL);
    appends_name_the_end_before_them(&open());
}

#[test]
fn what_was_acknowledged_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3_u64 {
        let log = EmbeddedLog::open(folder.path()).unwrap();
        assert_eq!(log.end(PAYMENTS).unwrap(), round);
        assert_eq!(log.committed("engine", PAYMENTS).unwrap(), round);
        let transaction = Transaction::append(PAYMENTS, vec![record(round)]);
        log.transact(transaction.commit("engine", PAYMENTS, round + 1)).unwrap();
    }
    let log = EmbeddedLog::open(folder.path()).unwrap();
    assert_eq!(read_all(&log, PAYMENTS).len(), 3);
}

#[test]
fn keys_and_values_count_towards_a_read_in_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path()).unwrap();
    log.append(PAYMENTS, (0..5).map(|_| Record::new("key", vec![0; 7])).collect()).unwrap();
    for (bytes, read) in [(0, 1), (19, 1), (20, 2), (30, 3)] {
        assert_eq!(log.read(PAYMENTS, 0, ReadLimit { records: 10, bytes }).unwrap().len(), read, "{bytes}");
    }
}

/// Whatever was read of it: a reader that closed last would leave the WAL behind.
#[test]
fn a_closed_log_leaves_no_wal_behind() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path()).unwrap();
    log.append(PAYMENTS, vec![record(1)]).unwrap();
    assert_eq!(read_all(&log, PAYMENTS).len(), 1);
    assert!(folder.path().join("log.sqlite-wal").exists());
    drop(log);
    assert!(!folder.path().join("log.sqlite-wal").exists());
}

#[test]
fn a_log_is_the_same_one_whenever_it_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let id = |name: &str| EmbeddedLog::open(&folder.path().join(name)).unwrap().id().to_owned();
    let one = id("one");
    assert!(one.len() == 32 && one.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
    assert_eq!(id("one"), one);
    assert_ne!(id("other"), one);
    // One that was made before logs had an id gets one.
    let file = rusqlite::Connection::open(folder.path().join("one/log.sqlite")).unwrap();
    file.execute_batch("DROP TABLE identity").unwrap();
    drop(file);
    let anew = id("one");
    assert_ne!(anew, one);
    assert_eq!(id("one"), anew);
}

#[test]
fn a_second_process_is_told_that_the_folder_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path()).unwrap();
    let second = EmbeddedLog::open(folder.path()).map(|_| ());
    assert_eq!(second, Err(LogError::InUse { folder: folder.path().to_owned() }));
    drop(log);
    assert!(EmbeddedLog::open(folder.path()).is_ok());
}

#[test]
fn a_folder_of_another_format_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(EmbeddedLog::open(folder.path()).unwrap());
    let file = rusqlite::Connection::open(folder.path().join("log.sqlite")).unwrap();
    file.pragma_update(None, "user_version", 99).unwrap();
    let refused = EmbeddedLog::open(folder.path()).map(|_| ());
    assert!(matches!(refused, Err(LogError::Format { found: 99, .. })), "{refused:?}");
    file.pragma_update(None, "user_version", 1).unwrap();
    assert!(EmbeddedLog::open(folder.path()).is_ok());
}

#[test]
fn a_full_disk_refuses_what_it_cannot_keep_and_nothing_else_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let small = EmbeddedOptions { space_bytes_max: Some(256 * 1024), ..EmbeddedOptions::default() };
    let log = EmbeddedLog::open_with(folder.path(), small).unwrap();
    let kilobytes = |n: usize| Record::new("k", vec![1; n * 1024]);

    let mut kept = 0;
    let refused = loop {
        match log.append(PAYMENTS, vec![kilobytes(8)]) {
            Ok(appended) => kept = appended.end(),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, LogError::Full { folder: folder.path().to_owned() });
    assert!(kept > 10, "{kept}");
    // Whole or not at all: the alert that would still fit is not kept without its payment.
    let both = Transaction::append(ALERTS, vec![record(0)]).and(Topic::Payments, vec![kilobytes(64)]);
    assert!(matches!(log.transact(both), Err(LogError::Full { .. })));
    assert_eq!((log.end(PAYMENTS).unwrap(), log.end(ALERTS).unwrap()), (kept, 0));
    assert_eq!(read_all(&log, PAYMENTS).len() as u64, kept);

    // Space again: it goes on where it was.
    drop(log);
    let log = EmbeddedLog::open(folder.path()).unwrap();
    assert_eq!(
        log.append(PAYMENTS, vec![kilobytes(64)]).unwrap(),
        Appended { after: kept, offsets: vec![kept] }
    );
}

#[test]
fn more_than_the_queue_holds_is_busy_and_what_was_taken_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let narrow = EmbeddedOptions { queue_transactions_max: 4, ..EmbeddedOptions::default() };
    let log = EmbeddedLog::open_with(folder.path(), narrow).unwrap();

    // The writer's thread is held inside the first answer, so that nothing leaves the queue.
    let (hold, held) = mpsc::channel::<()>();
    let (entered, is_held) = mpsc::channel();
    let first = Box::new(move |_| {
        entered.send(()).unwrap();
        let _ = held.recv();
    });
    log.submit(Transaction::append(PAYMENTS, vec![record(0)]), first).unwrap();
    is_held.recv().unwrap();
    let submit = |n| log.submit(Transaction::append(PAYMENTS, vec![record(n)]), Box::new(|_| ()));
    for n in 1..=4 {
        submit(n).unwrap();
    }
    assert_eq!(submit(5), Err(LogError::Busy));
    drop(hold);
    assert_eq!(log.append(PAYMENTS, vec![record(6)]).unwrap(), Appended { after: 5, offsets: vec![5] });
}

#[test]
fn the_queue_is_bounded_in_bytes_too() {
    let folder = tempfile::tempdir().unwrap();
    let narrow = EmbeddedOptions { queue_bytes_max: 1_000, ..EmbeddedOptions::default() };
    let log = EmbeddedLog::open_with(folder.path(), narrow).unwrap();
    let (hold, held) = mpsc::channel::<()>();
    let (entered, is_held) = mpsc::channel();
    let first = Box::new(move |_| {
        entered.send(()).unwrap();
        let _ = held.recv();
    });
    log.submit(Transaction::append(PAYMENTS, vec![record(0)]), first).unwrap();
    is_held.recv().unwrap();
    let submit = |bytes| {
        let records = vec![Record::new("", vec![0; bytes])];
        log.submit(Transaction::append(PAYMENTS, records), Box::new(|_| ()))
    };
    submit(2_000).expect("an empty queue takes any size");
    assert_eq!(submit(1), Err(LogError::Busy));
    drop(hold);
}

#[test]
fn a_record_too_large_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(folder.path()).unwrap();
    let refused = log.append(PAYMENTS, vec![Record::new("", vec![0; 257 * 1024 * 1024])]);
    assert!(matches!(refused, Err(LogError::TooLarge { .. })), "{refused:?}");
    assert_eq!(log.append(PAYMENTS, vec![record(0)]).unwrap(), Appended { after: 0, offsets: vec![0] });
}

/// The files of a log as a power cut may leave them.
struct Cut {
    folder: tempfile::TempDir,
    file: PathBuf,
    wal: Vec<u8>,
}

/// A log with acknowledged transactions, its files copied while it is open: nothing was tidied up.
fn cut(transactions: u64) -> Cut {
    let open = tempfile::tempdir().unwrap();
    let log = EmbeddedLog::open(open.path()).unwrap();
    for n in 0..transactions {
        let both =
            Transaction::append(PAYMENTS, vec![record(n), record(n)]).and(Topic::Alerts, vec![record(n)]);
        log.transact(both.commit("engine", PAYMENTS, 2 * (n + 1))).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.sqlite");
    fs::copy(open.path().join("log.sqlite"), &file).unwrap();
    fs::copy(open.path().join("ends"), folder.path().join("ends")).unwrap();
    let wal = fs::read(open.path().join("log.sqlite-wal")).unwrap();
    Cut { folder, file, wal }
}

/// How many whole transactions a log holds; fails if any is there in part.
fn whole_transactions(folder: &Path) -> Offset {
    let log = EmbeddedLog::open(folder).unwrap();
    let alerts = log.end(ALERTS).unwrap();
    assert_eq!(log.end(PAYMENTS).unwrap(), 2 * alerts);
    assert_eq!(log.committed("engine", PAYMENTS).unwrap(), 2 * alerts);
    for (n, alert) in (0..).zip(read_all(&log, ALERTS)) {
        assert_eq!((alert.offset, alert.key), (n, format!("key-{n}")));
    }
    alerts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Wherever the last write is torn, every transaction is there whole or not at all, and those before stand.
    #[test]
    fn a_torn_write_takes_no_half_transactions(at in any::<prop::sample::Index>(), bend in any::<bool>()) {
        let Cut { folder, file, mut wal } = cut(12);
        prop_assert!(file.exists());
        let at = at.index(wal.len());
        if bend {
            wal[at] ^= 0x55;
        } else {
            wal.truncate(at);
        }
        fs::write(folder.path().join("log.sqlite-wal"), &wal).unwrap();
        // A cut in the very first frames leaves no tables: then it is a new log.
        prop_assert!(whole_transactions(folder.path()) <= 12);
    }
}

#[test]
fn an_untidied_log_opens_with_all_that_was_acknowledged() {
    let Cut { folder, wal, .. } = cut(12);
    fs::write(folder.path().join("log.sqlite-wal"), &wal).unwrap();
    assert_eq!(whole_transactions(folder.path()), 12);
}

/// A log of so many records that was open and is closed.
fn closed(folder: &Path, records: u64) {
    let log = EmbeddedLog::open(folder).unwrap();
    log.append(PAYMENTS, (0..records).map(record).collect()).unwrap();
}

#[test]
fn a_log_that_lost_its_tail_says_what_is_missing() {
    let lost = |folder: &Path| EmbeddedLog::open(folder).unwrap().lost().to_vec();
    let missing = |end, known| vec![LostTail { partition: PAYMENTS, end, known }];

    // An older copy put back.
    let folder = tempfile::tempdir().unwrap();
    closed(folder.path(), 3);
    assert_eq!(lost(folder.path()), []);
    let file = folder.path().join("log.sqlite");
    let older = fs::read(&file).unwrap();
    closed(folder.path(), 4);
    fs::write(&file, older).unwrap();
    assert_eq!(lost(folder.path()), missing(3, 7));
    // Until somebody goes on all the same, it says so each time.
    assert_eq!(lost(folder.path()), missing(3, 7));
    closed(folder.path(), 1);
    assert_eq!(lost(folder.path()), []);

    // The WAL cut, and deleted.
    for tenths in [9, 0] {
        let Cut { folder, mut wal, .. } = cut(12);
        wal.truncate(wal.len() * tenths / 10);
        if !wal.is_empty() {
            fs::write(folder.path().join("log.sqlite-wal"), &wal).unwrap();
        }
        let lost = lost(folder.path());
        assert_eq!(lost.len(), 2, "payments and alerts: {lost:?}");
        assert!(lost.iter().all(|lost| lost.end < lost.known), "{lost:?}");
    }

    // As a process that died leaves it.
    let Cut { folder, wal, .. } = cut(12);
    fs::write(folder.path().join("log.sqlite-wal"), &wal).unwrap();
    assert_eq!(lost(folder.path()), []);
}

#[test]
fn a_whole_log_passes_its_check_and_a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    closed(folder.path(), 200);
    let check = || EmbeddedLog::open(folder.path()).and_then(|log| log.check());
    assert_eq!(check(), Ok(()));

    let file = rusqlite::Connection::open(folder.path().join("log.sqlite")).unwrap();
    file.execute("DELETE FROM \"sluice.payments/0\" WHERE offset = 17", ()).unwrap();
    let refused = check().unwrap_err().to_string();
    assert!(refused.contains("sluice.payments/0 holds 199 records of the offsets 0 to 200"), "{refused}");
    file.execute("INSERT INTO \"sluice.payments/0\" VALUES (17, '', x'')", ()).unwrap();
    assert_eq!(check(), Ok(()));

    file.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
    drop(file);
    let path = folder.path().join("log.sqlite");
    let mut bytes = fs::read(&path).unwrap();
    // How many pages are free, by the header: the records are there all the same.
    let free = bytes[36..40].to_vec();
    bytes[36..40].copy_from_slice(&[0, 0, 0, 9]);
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(check(), Err(LogError::Damaged { .. })));
    bytes[36..40].copy_from_slice(&free);
    // The head of the last page: a leaf of the records' tree.
    let page = bytes.len() - 4_096;
    bytes[page..page + 8].fill(0xff);
    fs::write(&path, bytes).unwrap();
    assert!(matches!(check(), Err(LogError::Damaged { .. })));
}
