//! What every implementation of [`Log`] must do, as a suite of tests over fresh logs. Nothing here counts on offsets that
//! begin at 0 or follow one another.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, sync::Arc, thread, time::Duration};

use proptest::prelude::*;

use crate::{
    Append, Appended, Commit, Log, LogError, Offset, Partition, ReadLimit, Record, StoredRecord, Topic,
    Transaction,
};

/// A partition.
pub const PAYMENTS: Partition = Topic::Payments.partition(0);
/// Another.
pub const ALERTS: Partition = Topic::Alerts.partition(0);

/// A record whose key and value name it.
pub fn record(n: u64) -> Record {
    Record::new(format!("key-{n}"), format!("value-{n}"))
}

/// Every record of a partition, read a few at a time.
///
/// # Panics
/// When the log cannot be read.
pub fn read_all(log: &dyn Log, partition: Partition) -> Vec<StoredRecord> {
    let mut records: Vec<StoredRecord> = Vec::new();
    loop {
        let from = records.last().map_or(0, |r| r.offset + 1);
        let more = log.read(partition, from, ReadLimit::records(7)).unwrap();
        if more.is_empty() {
            return records;
        }
        records.extend(more);
    }
}

/// How much is tried of what can be tried without end.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// So many cases of any transactions, each on a fresh log.
    pub cases: u32,
    /// So many appends of each of some appenders at once.
    pub appends: u64,
    /// So many commits of owners that replace each other.
    pub commits: Offset,
}

impl Effort {
    /// For a log that is at hand.
    pub const LOCAL: Self = Self { cases: 48, appends: 50, commits: 200 };
    /// For one behind a network.
    pub const REMOTE: Self = Self { cases: 4, appends: 10, commits: 12 };
}

/// The promises of [`Log`], each on a fresh log.
///
/// # Panics
/// When one does not hold.
pub fn conformance(open: &dyn Fn() -> Arc<dyn Log>, effort: Effort) {
    an_empty_log_has_nothing(&*open());
    what_is_appended_is_read_back_in_order(&*open());
    reads_keep_to_their_limits_and_always_go_on(&*open());
    the_newest_are_the_last_in_order(&*open());
    appenders_at_once_each_get_their_own_offsets(&open(), effort.appends);
    a_reader_is_woken_by_a_writer(open());
    submitted_transactions_are_told_in_the_order_of_their_offsets(&*open());
    a_place_has_one_owner(&*open());
    a_replaced_owner_leaves_nothing_behind(&*open());
    an_owner_that_has_gone_commits_no_more(&*open());
    owners_at_once_commit_each_offset_once(&*open(), effort.commits);
    the_lag_is_what_lies_between(&*open());
    any_transactions_leave_what_a_plain_model_has(open, effort.cases);
}

/// Appends name the very end before them, so that whoever has all the records until there knows that none is between. For
/// logs that hand records over in memory.
///
/// # Panics
/// When one does not.
pub fn appends_name_the_end_before_them(log: &Arc<dyn Log>) {
    let appended = appenders_at_once(log, Effort::LOCAL.appends);
    let mut end = 0;
    for (appended, _) in appended {
        assert_eq!(appended.after, end);
        end = appended.end();
    }
    assert_eq!(log.append(PAYMENTS, Vec::new()).unwrap(), Appended { after: end, offsets: Vec::new() });
}

fn an_empty_log_has_nothing(log: &dyn Log) {
    assert_eq!(log.bounds(PAYMENTS).unwrap(), 0..0);
    assert_eq!(log.read(PAYMENTS, 0, ReadLimit::default()).unwrap(), []);
    assert_eq!(log.newest(PAYMENTS, 10).unwrap(), []);
    assert_eq!(log.committed("engine", PAYMENTS).unwrap(), 0);
    assert_eq!(log.lag("engine", PAYMENTS).unwrap(), 0);
    assert!(!log.wait(PAYMENTS, 0, Duration::ZERO).unwrap());
}

fn what_is_appended_is_read_back_in_order(log: &dyn Log) {
    let first = log.append(PAYMENTS, vec![record(0), record(1)]).unwrap();
    let second = log.append(PAYMENTS, vec![record(2)]).unwrap();
    // Empty values and bytes that are no text are records like others.
    let third = log.append(PAYMENTS, vec![Record::new("", vec![0, 255])]).unwrap();
    for (before, appended) in [(0, &first), (first.end(), &second), (second.end(), &third)] {
        assert!(
            before <= appended.after && appended.after <= appended.offsets[0],
            "{appended:?} after {before}"
        );
    }
    let read = read_all(log, PAYMENTS);
    let stand: Vec<Offset> = [&first, &second, &third].into_iter().flat_map(|a| a.offsets.clone()).collect();
    assert_eq!(offsets(&read), stand);
    assert!(stand.is_sorted_by(|a, b| a < b), "{stand:?}");
    assert_eq!(read[1].key, "key-1");
    assert_eq!(read[3].value, [0, 255]);
    let bounds = log.bounds(PAYMENTS).unwrap();
    assert!(bounds.start <= stand[0] && bounds.end == third.end(), "{bounds:?} of {stand:?}");
    assert_eq!(log.end(ALERTS).unwrap(), 0);
    // From between two records, and from after the last.
    assert_eq!(log.read(PAYMENTS, stand[0] + 1, ReadLimit::records(1)).unwrap()[0].offset, stand[1]);
    assert_eq!(log.read(PAYMENTS, third.end(), ReadLimit::default()).unwrap(), []);
}

fn offsets(records: &[StoredRecord]) -> Vec<Offset> {
    records.iter().map(|record| record.offset).collect()
}

fn reads_keep_to_their_limits_and_always_go_on(log: &dyn Log) {
    let large = Record::new("large", vec![7; 10_000]);
    let stand = log.append(PAYMENTS, vec![record(0), large, record(2)]).unwrap().offsets;
    let read =
        |from, records, bytes| offsets(&log.read(PAYMENTS, from, ReadLimit { records, bytes }).unwrap());
    assert_eq!(read(0, 2, usize::MAX), stand[..2]);
    assert_eq!(read(0, 9, 100), stand[..1], "the second would be too much");
    assert_eq!(read(stand[1], 9, 100), stand[1..2], "one is read, however large");
    assert_eq!(read(stand[2], 9, 100), stand[2..]);
    assert!(read(stand[2] + 1, 9, 100).is_empty());
}

fn the_newest_are_the_last_in_order(log: &dyn Log) {
    for n in 0..5 {
        log.append(PAYMENTS, vec![record(n)]).unwrap();
        log.append(ALERTS, vec![record(100 + n)]).unwrap();
    }
    let newest = |limit| log.newest(PAYMENTS, limit).unwrap().into_iter().map(|r| r.key).collect::<Vec<_>>();
    assert_eq!(newest(2), ["key-3", "key-4"]);
    assert_eq!(newest(9), ["key-0", "key-1", "key-2", "key-3", "key-4"]);
    assert_eq!(offsets(&log.newest(PAYMENTS, 1).unwrap()), offsets(&read_all(log, PAYMENTS)[4..]));
}

/// What some appenders at once were told of each of their records, in the order of the log.
fn appenders_at_once(log: &Arc<dyn Log>, each: u64) -> Vec<(Appended, Record)> {
    const APPENDERS: u64 = 8;
    let threads: Vec<_> = (0..APPENDERS)
        .map(|appender| {
            let log = Arc::clone(log);
            thread::spawn(move || {
                (0..each)
                    .map(|n| {
                        let own = record(appender * each + n);
                        let appended = log.append(PAYMENTS, vec![own.clone()]).unwrap();
                        (appended, own)
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut acknowledged: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    acknowledged.sort_by_key(|(appended, _)| appended.offsets[0]);
    assert_eq!(acknowledged.len() as u64, APPENDERS * each);
    acknowledged
}

fn appenders_at_once_each_get_their_own_offsets(log: &Arc<dyn Log>, each: u64) {
    let acknowledged = appenders_at_once(log, each);
    let follows = |pair: &[(Appended, Record)]| pair[1].0.after >= pair[0].0.end();
    assert!(acknowledged.windows(2).all(follows), "each is after another");
    let acknowledged: Vec<_> = acknowledged.into_iter().map(|(at, own)| (at.offsets[0], own)).collect();
    let read: Vec<_> = read_all(&**log, PAYMENTS)
        .into_iter()
        .map(|r| (r.offset, Record { key: r.key, value: r.value }))
        .collect();
    assert_eq!(read, acknowledged);
}

fn a_reader_is_woken_by_a_writer(log: Arc<dyn Log>) {
    let reader = {
        let log = Arc::clone(&log);
        thread::spawn(move || {
            // As long as it takes: the test's own time limit is the only one.
            while !log.wait(PAYMENTS, 0, Duration::from_secs(60)).unwrap() {}
            log.read(PAYMENTS, 0, ReadLimit::default()).unwrap().len()
        })
    };
    log.append(PAYMENTS, vec![record(0)]).unwrap();
    assert_eq!(reader.join().unwrap(), 1);
}

fn submitted_transactions_are_told_in_the_order_of_their_offsets(log: &dyn Log) {
    let (told, answers) = std::sync::mpsc::channel();
    for n in 0..100 {
        let told = told.clone();
        let done = Box::new(move |result: Result<_, _>| told.send((n, result)).unwrap());
        log.submit(Transaction::append(PAYMENTS, vec![record(n)]), done).unwrap();
    }
    drop(told);
    let mut end = 0;
    for n in 0..100 {
        let (of, stand) = answers.recv().unwrap();
        let stand = stand.unwrap();
        assert_eq!((of, stand.len()), (n, 1));
        assert!(stand[0].after >= end && stand[0].offsets[0] >= end, "{stand:?} after {end}");
        end = stand[0].end();
    }
}

/// Records and how far their consumer has come.
fn step(n: u64, next: Offset) -> Transaction {
    Transaction::append(ALERTS, vec![record(n)]).commit("engine", PAYMENTS, next)
}

fn a_place_has_one_owner(log: &dyn Log) {
    let owned = |n, next, claim| Transaction::append(ALERTS, vec![record(n)]).commit_as(claim, next);
    let first = log.claim("engine", PAYMENTS).unwrap();
    log.transact(owned(0, 1, &first)).unwrap();
    let second = log.claim("engine", PAYMENTS).unwrap();
    assert!(second.epoch > first.epoch);
    assert_eq!(log.committed("engine", PAYMENTS).unwrap(), 1, "a claim moves nothing");
    let fenced = Err(LogError::Fenced { consumer: "engine".into(), partition: PAYMENTS });
    assert_eq!(log.transact(owned(1, 2, &first)), fenced);
    log.transact(owned(2, 3, &second)).unwrap();
    // Another consumer's place, and the same consumer's on another partition, are others.
    let elsewhere = log.claim("engine", ALERTS).unwrap();
    let other = log.claim("other", PAYMENTS).unwrap();
    log.transact(owned(3, 4, &second)).unwrap();
    log.transact(owned(4, 9, &elsewhere)).unwrap();
    log.transact(owned(5, 8, &other)).unwrap();
    assert_eq!(log.committed("engine", PAYMENTS).unwrap(), 4);
    assert_eq!(log.committed("engine", ALERTS).unwrap(), 9);
    assert_eq!(log.committed("other", PAYMENTS).unwrap(), 8);
}

fn a_replaced_owner_leaves_nothing_behind(log: &dyn Log) {
    let first = log.claim("engine", PAYMENTS).unwrap();
    let second = log.claim("engine", PAYMENTS).unwrap();
    // Not the owner any more, and all of it is refused: records on two partitions, and another consumer's place.
    let transaction = Transaction::append(ALERTS, vec![record(0)]).and(Topic::Payments, vec![record(1)]);
    let refused = log.transact(transaction.commit("other", PAYMENTS, 2).commit_as(&first, 3));
    assert!(matches!(refused, Err(LogError::Fenced { .. })), "{refused:?}");
    assert_eq!((log.end(ALERTS).unwrap(), log.end(PAYMENTS).unwrap()), (0, 0));
    assert_eq!(log.committed("other", PAYMENTS).unwrap(), 0);
    log.transact(step(0, 1).commit_as(&second, 5)).unwrap();
    assert_eq!(read_all(log, ALERTS).len(), 1);
}

fn an_owner_that_has_gone_commits_no_more(log: &dyn Log) {
    let first = log.claim("engine", PAYMENTS).unwrap();
    log.release(&first).unwrap();
    let refused = log.transact(Transaction::default().commit_as(&first, 3));
    assert!(matches!(refused, Err(LogError::Fenced { .. })), "{refused:?}");
    let second = log.claim("engine", PAYMENTS).unwrap();
    // It was not the owner any more: whoever owns it now keeps it.
    log.release(&first).unwrap();
    log.transact(Transaction::default().commit_as(&second, 4)).unwrap();
    assert_eq!(log.committed("engine", PAYMENTS).unwrap(), 4);
}

/// Owners that replace each other while they commit count up together, and leave nothing out.
fn owners_at_once_commit_each_offset_once(log: &dyn Log, to: Offset) {
    const OWNERS: usize = 4;
    let committed = || log.committed("engine", PAYMENTS).unwrap();
    // Count on until another takes over. How far it has come.
    let count = || {
        let claim = log.claim("engine", PAYMENTS).unwrap();
        let mut next = committed();
        while next < to {
            let one = Transaction::append(ALERTS, vec![record(next)]).commit_as(&claim, next + 1);
            match log.transact(one) {
                Ok(_) => next += 1,
                Err(LogError::Fenced { .. }) => return next,
                Err(error) => panic!("{error}"),
            }
        }
        next
    };
    thread::scope(|scope| {
        for _ in 0..OWNERS {
            scope.spawn(|| {
                let mut next = 0;
                while next < to {
                    next = count();
                    // Whoever has taken over gets further before it is replaced: else nobody might.
                    while next < to && committed() <= next {
                        thread::yield_now();
                    }
                }
            });
        }
    });
    let keys: Vec<_> = read_all(log, ALERTS).into_iter().map(|record| record.key).collect();
    assert_eq!(keys, (0..to).map(|n| record(n).key).collect::<Vec<_>>());
}

fn the_lag_is_what_lies_between(log: &dyn Log) {
    let stand = log.append(PAYMENTS, vec![record(0), record(1), record(2)]).unwrap();
    let bounds = log.bounds(PAYMENTS).unwrap();
    assert_eq!(log.lag("engine", PAYMENTS).unwrap(), bounds.end - bounds.start);
    log.transact(Transaction::default().commit("engine", PAYMENTS, stand.offsets[0] + 1)).unwrap();
    assert_eq!(log.lag("engine", PAYMENTS).unwrap(), stand.end() - stand.offsets[0] - 1);
    log.transact(Transaction::default().commit("engine", PAYMENTS, stand.end())).unwrap();
    assert_eq!(log.lag("engine", PAYMENTS).unwrap(), 0);
}

/// Appends to some partitions and commits of some consumers.
fn transactions() -> impl Strategy<Value = Vec<Transaction>> {
    let partition =
        (0..Topic::ALL.len(), 0_u32..2).prop_map(|(topic, index)| Topic::ALL[topic].partition(index));
    let append = (partition.clone(), prop::collection::vec(any::<u64>().prop_map(record), 0..4))
        .prop_map(|(partition, records)| Append { partition, records });
    let commit = ("[ab]", partition, 0_u64..100).prop_map(|(consumer, partition, next)| Commit {
        consumer,
        partition,
        next,
    });
    let transaction = (prop::collection::vec(append, 0..4), prop::collection::vec(commit, 0..3))
        .prop_map(|(appends, commits)| Transaction { appends, commits, claim: None });
    prop::collection::vec(transaction, 0..12)
}

fn any_transactions_leave_what_a_plain_model_has(open: &dyn Fn() -> Arc<dyn Log>, cases: u32) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(transactions in transactions())| {
        let log = open();
        let mut records: BTreeMap<Partition, Vec<(Offset, Record)>> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for transaction in transactions {
            let stand = log.transact(transaction.clone()).unwrap();
            prop_assert_eq!(stand.len(), transaction.appends.len());
            for (append, stands) in transaction.appends.into_iter().zip(stand) {
                let held = records.entry(append.partition).or_default();
                prop_assert!(stands.after >= held.last().map_or(0, |(offset, _)| offset + 1) || append.records.is_empty());
                prop_assert_eq!(stands.offsets.len(), append.records.len());
                held.extend(stands.offsets.into_iter().zip(append.records));
            }
            for commit in transaction.commits {
                places.insert((commit.consumer, commit.partition), commit.next);
            }
        }
        for topic in Topic::ALL {
            for partition in [topic.partition(0), topic.partition(1)] {
                let read: Vec<_> = read_all(&*log, partition)
                    .into_iter()
                    .map(|r| (r.offset, Record { key: r.key, value: r.value }))
                    .collect();
                prop_assert_eq!(read, records.get(&partition).cloned().unwrap_or_default());
                for consumer in ["a", "b"] {
                    let expected = places.get(&(consumer.to_owned(), partition)).copied().unwrap_or(0);
                    prop_assert_eq!(log.committed(consumer, partition).unwrap(), expected);
                }
            }
        }
    });
}
