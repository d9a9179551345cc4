//! What every implementation of `Log` must do, as one function over a fresh log.

use std::{sync::Arc, time::Duration};

use proptest::prelude::*;
use sluice_log::{Append, Commit, Log, Partition, ReadLimit, Record, StoredRecord, Topic, Transaction};

pub const PAYMENTS: Partition = Topic::Payments.partition(0);
pub const ALERTS: Partition = Topic::Alerts.partition(0);

/// A record whose key and value name it.
pub fn record(n: u64) -> Record {
    Record::new(format!("key-{n}"), format!("value-{n}"))
}

/// Every record of a partition, read a few at a time.
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

/// The promises of `Log`, each on a fresh log.
pub fn conformance(open: &dyn Fn() -> Arc<dyn Log>) {
    an_empty_log_has_nothing(&*open());
    what_is_appended_is_read_back_in_order(&*open());
    reads_keep_to_their_limits_and_always_go_on(&*open());
    appenders_at_once_each_get_their_own_offsets(open());
    a_reader_is_woken_by_a_writer(open());
    submitted_transactions_are_told_in_the_order_of_their_offsets(&*open());
    any_transactions_leave_what_a_plain_model_has(open);
}

fn an_empty_log_has_nothing(log: &dyn Log) {
    assert_eq!(log.end(PAYMENTS).unwrap(), 0);
    assert_eq!(log.read(PAYMENTS, 0, ReadLimit::default()).unwrap(), []);
    assert_eq!(log.committed("engine", PAYMENTS).unwrap(), 0);
    assert!(!log.wait(PAYMENTS, 0, Duration::ZERO).unwrap());
}

fn what_is_appended_is_read_back_in_order(log: &dyn Log) {
    assert_eq!(log.append(PAYMENTS, vec![record(0), record(1)]).unwrap(), 0..2);
    assert_eq!(log.append(PAYMENTS, vec![record(2)]).unwrap(), 2..3);
    // Empty values and bytes that are no text are records like others.
    assert_eq!(log.append(PAYMENTS, vec![Record::new("", vec![0, 255])]).unwrap(), 3..4);
    let read = read_all(log, PAYMENTS);
    assert_eq!(read.iter().map(|r| r.offset).collect::<Vec<_>>(), [0, 1, 2, 3]);
    assert_eq!(read[1].key, "key-1");
    assert_eq!(read[3].value, [0, 255]);
    assert_eq!(log.end(PAYMENTS).unwrap(), 4);
    assert_eq!(log.end(ALERTS).unwrap(), 0);
}

fn reads_keep_to_their_limits_and_always_go_on(log: &dyn Log) {
    let large = Record::new("large", vec![7; 10_000]);
    log.append(PAYMENTS, vec![record(0), large, record(2)]).unwrap();
    let offsets = |from, records, bytes| {
        let read = log.read(PAYMENTS, from, ReadLimit { records, bytes }).unwrap();
        read.iter().map(|r| r.offset).collect::<Vec<_>>()
    };
    assert_eq!(offsets(0, 2, usize::MAX), [0, 1]);
    assert_eq!(offsets(0, 9, 100), [0], "the second would be too much");
    assert_eq!(offsets(1, 9, 100), [1], "one is read, however large");
    assert_eq!(offsets(2, 9, 100), [2]);
    assert_eq!(offsets(3, 9, 100), [] as [u64; 0]);
}

fn appenders_at_once_each_get_their_own_offsets(log: Arc<dyn Log>) {
    const APPENDERS: u64 = 8;
    const EACH: u64 = 50;
    let threads: Vec<_> = (0..APPENDERS)
        .map(|appender| {
            let log = Arc::clone(&log);
            std::thread::spawn(move || {
                (0..EACH)
                    .map(|n| {
                        let own = record(appender * EACH + n);
                        let offsets = log.append(PAYMENTS, vec![own.clone()]).unwrap();
                        (offsets.start, own)
                    })
                    .collect::<Vec<_>>()
            })
        })
        .collect();
    let mut acknowledged: Vec<_> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
    acknowledged.sort_by_key(|(offset, _)| *offset);
    let read: Vec<_> = read_all(&*log, PAYMENTS)
        .into_iter()
        .map(|r| (r.offset, Record { key: r.key, value: r.value }))
        .collect();
    assert_eq!(read.len() as u64, APPENDERS * EACH);
    assert_eq!(read, acknowledged);
}

fn a_reader_is_woken_by_a_writer(log: Arc<dyn Log>) {
    let reader = {
        let log = Arc::clone(&log);
        std::thread::spawn(move || {
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
    for n in 0..100 {
        let only = n..n + 1;
        assert_eq!(answers.recv().unwrap(), (n, Ok(vec![only])));
    }
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
        .prop_map(|(appends, commits)| Transaction { appends, commits });
    prop::collection::vec(transaction, 0..12)
}

fn any_transactions_leave_what_a_plain_model_has(open: &dyn Fn() -> Arc<dyn Log>) {
    use std::collections::BTreeMap;
    let config = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(transactions in transactions())| {
        let log = open();
        let mut records: BTreeMap<Partition, Vec<Record>> = BTreeMap::new();
        let mut offsets = BTreeMap::new();
        for transaction in transactions {
            let given = log.transact(transaction.clone()).unwrap();
            let mut expected = Vec::new();
            for append in transaction.appends {
                let held = records.entry(append.partition).or_default();
                let first = held.len() as u64;
                held.extend(append.records);
                expected.push(first..held.len() as u64);
            }
            prop_assert_eq!(given, expected);
            for commit in transaction.commits {
                offsets.insert((commit.consumer, commit.partition), commit.next);
            }
        }
        for topic in Topic::ALL {
            for partition in [topic.partition(0), topic.partition(1)] {
                let read: Vec<_> = read_all(&*log, partition)
                    .into_iter()
                    .map(|r| Record { key: r.key, value: r.value })
                    .collect();
                prop_assert_eq!(read, records.get(&partition).cloned().unwrap_or_default());
                for consumer in ["a", "b"] {
                    let expected = offsets.get(&(consumer.to_owned(), partition)).copied().unwrap_or(0);
                    prop_assert_eq!(log.committed(consumer, partition).unwrap(), expected);
                }
            }
        }
    });
}
