//! The log in Kafka, against brokers: the promises of every log, and what only several processes can do to each other.

#![cfg(feature = "kafka")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sluice_log::{
    Log, LogError, ReadLimit, Record, SourceRecord, SourceTopic, Topic, Transaction,
    conformance::{ALERTS, Effort, PAYMENTS, conformance, read_all, record},
    kafka::{Change, KafkaLog, KafkaOptions, KafkaSource, TopicLayout, Topics, testing::Brokers},
};

/// Within which an answer that cannot come is given up.
const SOON: Duration = Duration::from_secs(2);

/// One broker for all of these: each test has a namespace of its own.
#[test]
fn on_one_broker() {
    let Some(brokers) = Brokers::start(1, &[]) else { return };
    it_keeps_the_promises_of_every_log(&brokers);
    owners_in_other_processes_are_fenced(&brokers);
    what_an_owner_had_not_committed_is_never_read(&brokers);
    topics_are_planned_applied_and_checked(&brokers);
    brokers_that_are_not_there_are_told(&brokers);
    records_of_a_topic_of_others_count_once(&brokers);
}

fn log(brokers: &Brokers, namespace: &str) -> (KafkaOptions, KafkaLog) {
    let options = brokers.options(namespace);
    brokers.topics_divided_alike(&options, 2);
    (options.clone(), KafkaLog::open(options).unwrap())
}

fn it_keeps_the_promises_of_every_log(brokers: &Brokers) {
    let opened = AtomicUsize::new(0);
    let open = || {
        let n = opened.fetch_add(1, Ordering::Relaxed);
        Arc::new(log(brokers, &format!("promises-{n}")).1) as Arc<dyn Log>
    };
    conformance(&open, Effort::REMOTE);
}

fn owners_in_other_processes_are_fenced(brokers: &Brokers) {
    let (options, first) = log(brokers, "fenced");
    let second = KafkaLog::open(options).unwrap();
    let one = first.claim("engine", PAYMENTS).unwrap();
    let owned = |n, next, claim| Transaction::append(ALERTS, vec![record(n)]).commit_as(claim, next);
    first.transact(owned(0, 1, &one)).unwrap();
    let two = second.claim("engine", PAYMENTS).unwrap();
    let fenced = first.transact(owned(1, 2, &one));
    assert!(matches!(fenced, Err(LogError::Fenced { .. })), "{fenced:?}");
    assert_eq!(second.committed("engine", PAYMENTS).unwrap(), 1);
    second.transact(owned(2, 2, &two)).unwrap();
    // For ever, and nothing of it is there.
    let fenced = first.transact(owned(3, 3, &one));
    assert!(matches!(fenced, Err(LogError::Fenced { .. })), "{fenced:?}");
    let keys: Vec<_> = read_all(&second, ALERTS).into_iter().map(|stored| stored.key).collect();
    assert_eq!(keys, ["key-0", "key-2"]);
}

fn what_an_owner_had_not_committed_is_never_read(brokers: &Brokers) {
    let (options, first) = log(brokers, "open");
    let other = KafkaLog::open(options).unwrap();
    first.append(ALERTS, vec![record(0)]).unwrap();
    let claim = first.claim("engine", PAYMENTS).unwrap();
    first.begin_and_stop(&claim, &Transaction::append(ALERTS, vec![record(1)]).commit("engine", PAYMENTS, 7));
    // Under way, and nobody reads beyond it.
    assert_eq!(read_all(&other, ALERTS).len(), 1);
    other.claim("engine", PAYMENTS).unwrap();
    assert_eq!(other.committed("engine", PAYMENTS).unwrap(), 0);
    other.append(ALERTS, vec![record(2)]).unwrap();
    let keys: Vec<_> = read_all(&other, ALERTS).into_iter().map(|stored| stored.key).collect();
    assert_eq!(keys, ["key-0", "key-2"]);
}

fn topics_are_planned_applied_and_checked(brokers: &Brokers) {
    let options = brokers.options("planned");
    let topics = Topics::new(&options).unwrap();
    let layout = |partitions| TopicLayout { partitions, replication: 1 };
    let missing = topics.check();
    assert!(matches!(&missing, Err(LogError::Topics { what }) if what.contains("planned.sluice.payments")));
    let plan = topics.plan(layout(3)).unwrap();
    assert!(plan.iter().all(|change| matches!(change, Change::Create { .. })));
    assert_eq!(plan.len(), Topic::ALL.len());
    topics.apply(&plan).unwrap();
    assert_eq!(topics.plan(layout(3)).unwrap(), []);
    assert_eq!(topics.check().unwrap(), 3);
    let divided = topics.plan(layout(4)).unwrap();
    assert!(divided.iter().all(|change| matches!(change, Change::Divided { found: 3, wanted: 4, .. })));
    assert!(matches!(topics.apply(&divided), Err(LogError::Topics { .. })));
}

fn brokers_that_are_not_there_are_told(brokers: &Brokers) {
    let mut options = brokers.options("nobody");
    "127.0.0.1:1".clone_into(&mut options.brokers);
    options.answer_within = SOON;
    let log = KafkaLog::open(options.clone()).unwrap();
    let unanswered = |result: Result<(), LogError>| {
        assert!(matches!(result, Err(LogError::Unanswered { .. })), "{result:?}");
    };
    unanswered(log.read(PAYMENTS, 0, ReadLimit::default()).map(drop));
    unanswered(log.claim("engine", PAYMENTS).map(drop));
    options.properties.insert("security.protocol".into(), "a secret".into());
    let refused = KafkaLog::open(options).map(drop).unwrap_err().to_string();
    assert!(refused.contains("security.protocol") && !refused.contains("a secret"), "{refused}");
}

/// However often those who take them in end before they have committed, or are replaced.
fn records_of_a_topic_of_others_count_once(brokers: &Brokers) {
    const RECORDS: usize = 300;
    let (options, log) = log(brokers, "sources");
    brokers.topic_of_others("bank", 3);
    let values: Vec<_> = (0..RECORDS).map(|n| n.to_string()).collect();
    brokers.produce("bank", values.iter().enumerate().map(|(n, value)| (n as i32 % 3, value.as_bytes())));

    let limit = ReadLimit::records(50);
    let join = |log: &KafkaLog| KafkaSource::join(log, "bank", "bank").unwrap();
    let read = |source: &mut KafkaSource| loop {
        let read = source.read(limit, SOON).unwrap();
        if !read.is_empty() {
            break read;
        }
    };
    let transaction = |read: &[SourceRecord]| {
        let stored = read.iter().map(|one| Record::new(String::from_utf8_lossy(&one.value), b"".as_slice()));
        Transaction::append(ALERTS, stored.collect())
    };
    // One that ends with a batch that it has read, after one that it has committed.
    let mut first = join(&log);
    let whole = transaction(&read(&mut first));
    first.commit(&whole).unwrap();
    read(&mut first);
    // Another of its name takes over while it has a batch that it has read.
    let replaced = KafkaLog::open(options.clone()).unwrap();
    let mut second = join(&replaced);
    let of_first = read(&mut first);
    let mut taken = transaction(&read(&mut second));
    assert!(first.commit(&transaction(&of_first)).is_err(), "it has been replaced");
    drop(first);
    second.commit(&taken).unwrap();
    second.stay(Duration::from_millis(10)).unwrap();
    // The rest, with a third process that joins and leaves in the middle.
    let mut third =
        Some(join(&KafkaLog::open(KafkaOptions { instance: "third".into(), ..options }).unwrap()));
    while read_all(&log, ALERTS).len() < RECORDS {
        for source in [Some(&mut second), third.as_mut()].into_iter().flatten() {
            taken = transaction(&source.read(limit, Duration::from_millis(100)).unwrap());
            source.commit(&taken).unwrap();
        }
        if read_all(&log, ALERTS).len() > RECORDS / 2 {
            third = None;
        }
    }
    let mut keys: Vec<usize> =
        read_all(&log, ALERTS).into_iter().map(|stored| stored.key.parse().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, (0..RECORDS).collect::<Vec<_>>());
}

/// A broker that speaks TLS only lets in who knows the password, and tells everybody else that it is that.
#[test]
fn on_a_broker_with_tls_and_passwords() {
    let Some(brokers) = Brokers::start_secured() else { return };
    let (options, log) = log(&brokers, "secured");
    let claim = log.claim("engine", PAYMENTS).unwrap();
    log.transact(Transaction::append(ALERTS, vec![record(0)]).commit_as(&claim, 1)).unwrap();
    assert_eq!(read_all(&log, ALERTS).len(), 1);

    let mut stranger = options;
    stranger.answer_within = SOON;
    stranger.properties.insert("sasl.password".into(), "guessed".into());
    let let_in = |result: Result<(), LogError>| !matches!(result, Err(LogError::Credentials { .. }));
    let refusals = [
        Topics::new(&stranger).and_then(|topics| topics.check()).map(drop),
        KafkaLog::open(stranger.clone())
            .and_then(|log| log.read(PAYMENTS, 0, ReadLimit::default()))
            .map(drop),
        KafkaLog::open(stranger.clone()).and_then(|log| log.claim("engine", PAYMENTS)).map(drop),
    ];
    for refusal in refusals {
        assert!(!format!("{refusal:?}").contains("guessed"));
        assert!(!let_in(refusal.clone()), "{refusal:?}");
    }
}

/// Each of three brokers is killed in turn while an owner commits and a reader follows: nothing is lost, nothing is there
/// twice.
#[test]
fn brokers_are_killed_in_turn() {
    // The second kill has been seen to leave librdkafka in `send_offsets_to_transaction` for minutes: not a part of any run
    // until that is understood (docs/kafka.md, what goes wrong).
    if std::env::var_os("SLUICE_BROKER_KILLS").is_none() {
        println!("left out: three brokers killed in turn (SLUICE_BROKER_KILLS=1 runs it)");
        return;
    }
    let Some(mut brokers) = Brokers::start(3, &[]) else { return };
    let options = brokers.options("killed");
    brokers.topics(&options, 2);
    let log = KafkaLog::open(options.clone()).unwrap();
    let claim = log.claim("engine", PAYMENTS).unwrap();
    let mut next = 0;
    for round in 0..6_usize {
        let node = round % 3;
        brokers.kill(node);
        for _ in 0..200 {
            let one = Transaction::append(ALERTS, vec![record(next)]).commit_as(&claim, next + 1);
            match log.transact(one) {
                Ok(_) => next += 1,
                Err(error) if error.has_kept_nothing() => {}
                Err(LogError::Unanswered { .. }) => {
                    next = loop {
                        if let Ok(committed) = log.committed("engine", PAYMENTS) {
                            break committed;
                        }
                    };
                }
                Err(error) => panic!("{error}"),
            }
        }
        brokers.start_node(node);
        // The next is killed once this one takes part again.
        while log.append(PAYMENTS, vec![record(0)]).is_err() {}
    }
    let reader = KafkaLog::open(options).unwrap();
    assert!(reader.wait(ALERTS, 0, Duration::from_secs(60)).unwrap());
    let keys: Vec<_> = read_all(&reader, ALERTS).into_iter().map(|stored| stored.key).collect();
    assert_eq!(keys, (0..next).map(|n| record(n).key).collect::<Vec<_>>());
    println!("brokers: 6 kills, {next} transactions acknowledged, {} read, 0 lost, 0 doubled", keys.len());
}
