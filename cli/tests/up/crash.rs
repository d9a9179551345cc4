//! kill -9 at random moments under load: what was acknowledged is there, and every alert comes once.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Instant, SystemTime},
};

use serde_json::{Value, json};
use sluice_core::{Engine, EngineConfig, NoLists, Output, Stage};
use sluice_log::{EmbeddedLog, Log, ReadLimit, Topic};
use sluice_model::{EventTime, PaymentRecord, Span};

use crate::process::{Client, Up, command, write_rules};

/// Kills, unless `SLUICE_CRASH_KILLS` says otherwise.
const KILLS: u64 = 50;
/// The seed of the moments and payments, unless `SLUICE_CRASH_SEED` says otherwise.
const SEED: u64 = 7;
/// Acknowledged requests before a kill, at most.
const REQUESTS_BEFORE_KILL_MAX: u64 = 40;
/// Clients at once.
const CLIENTS: u64 = 3;
/// Events of a request, at most.
const EVENTS_MAX: u64 = 12;

/// SplitMix64: a few lines, and the same numbers everywhere.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// What all clients share: the next id, and the time of the first payment.
struct Payments {
    next: AtomicU64,
    first: EventTime,
}

impl Payments {
    /// A payment of a number: the same number is the same payment.
    fn of(&self, n: u64) -> Value {
        let mut rng = Rng(n);
        json!({
            "event_id": format!("E-{n}"), "payment_id": format!("P-{n}"),
            "occurred_at": self.first.plus(Span::seconds(i64::try_from(10 * n).unwrap())).to_string(),
            "amount": {"value": format!("{}.00", 1 + rng.below(2_000)), "currency": "HKD"},
            "debtor": {"customer_id": format!("C-{}", rng.below(5)), "name": "Payer"},
            "creditor": {"customer_id": format!("C-{}", 5 + rng.below(5)), "name": "Payee"},
        })
    }
}

/// Post payments, some of them a second time, until the process goes away. What was acknowledged.
fn load(client: &Client, payments: &Payments, seed: u64, acknowledged: &mpsc::Sender<()>) -> BTreeSet<u64> {
    let mut rng = Rng(seed);
    let mut kept = BTreeSet::new();
    loop {
        let count = 1 + rng.below(EVENTS_MAX);
        let first = payments.next.fetch_add(count, Ordering::Relaxed);
        let mut numbers: Vec<u64> = (first..first + count).collect();
        if rng.below(4) == 0 {
            numbers.push(rng.below(first + 1));
        }
        let answer = if rng.below(3) == 0 {
            numbers.truncate(1);
            client.post("/v1/decisions", "application/json", &payments.of(first).to_string())
        } else {
            let lines: Vec<_> = numbers.iter().map(|n| payments.of(*n).to_string()).collect();
            client.post("/v1/events", "application/x-ndjson", &lines.join("\n"))
        };
        match answer {
            Some((200 | 202, _)) => kept.extend(numbers),
            Some((503, _)) => {}
            Some((status, body)) => panic!("{status}: {body}"),
            None => return kept,
        }
        if acknowledged.send(()).is_err() {
            return kept;
        }
    }
}

/// Load a process and kill it after a number of acknowledged requests.
fn run_and_kill(up: Up, payments: &Arc<Payments>, rng: &mut Rng) -> BTreeSet<u64> {
    let (acknowledged, acks) = mpsc::channel();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (client, payments, acknowledged) = (up.client(), Arc::clone(payments), acknowledged.clone());
            let seed = rng.below(u64::MAX);
            thread::spawn(move || load(&client, &payments, seed, &acknowledged))
        })
        .collect();
    drop(acknowledged);
    for _ in 0..rng.below(REQUESTS_BEFORE_KILL_MAX + 1) {
        acks.recv().unwrap();
    }
    up.kill();
    // Requests are under way at this moment; their fate is the log's to tell.
    clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
}

fn records(log: &dyn Log, topic: Topic) -> Vec<Vec<u8>> {
    let everything = ReadLimit { records: usize::MAX, bytes: usize::MAX };
    log.read(topic.partition(0), 0, everything).unwrap().into_iter().map(|record| record.value).collect()
}

#[test]
fn kill_9_loses_nothing_and_doubles_nothing() {
    let (kills, seed) = (number("SLUICE_CRASH_KILLS", KILLS), number("SLUICE_CRASH_SEED", SEED));
    let began = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    write_rules(&rules);
    let start = || {
        let mut command = command(&data);
        // Snapshots often enough that recovery begins at one, then at another, then at the log's beginning.
        command.arg("--rules").arg(&rules).args(["--snapshot-every", "500"]);
        command
    };
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = EventTime::from_micros(i64::try_from(now.as_micros()).unwrap());
    // Far enough back that no payment lies in the future, near enough that none is too old.
    let payments = Arc::new(Payments { next: AtomicU64::new(0), first: now.minus(Span::hours(60)) });

    let mut rng = Rng(seed);
    let mut acknowledged = BTreeSet::new();
    for _ in 0..kills {
        if rng.below(8) == 0 {
            // Killed while it starts or recovers.
            let mut child = start().spawn().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            let up = Up::start(start()).expect("it starts after any crash");
            acknowledged.extend(run_and_kill(up, &payments, &mut rng));
        }
    }
    let up = Up::start(start()).unwrap();
    let client = up.client();
    // The last word of a process is on the log once it has answered a decision about everything before.
    let last = payments.of(payments.next.fetch_add(1, Ordering::Relaxed));
    assert_eq!(client.post("/v1/decisions", "application/json", &last.to_string()).unwrap().0, 200);
    let expected = {
        assert_eq!(up.terminate().code(), Some(0));
        compare(&data.join("log"), &acknowledged)
    };
    replayed_by_the_command(&data.join("log"), &rules, folder.path(), &expected);
    taken_in_by_the_case_side(start(), &expected);
    println!(
        "crash test: {kills} kills, seed {seed}, {} events acknowledged, {} alerts, {:.0} s",
        acknowledged.len(),
        expected.len(),
        began.elapsed().as_secs_f64()
    );
}

/// Every acknowledged payment is on the log, and the alerts are those of an undisturbed engine, each once.
fn compare(log: &Path, acknowledged: &BTreeSet<u64>) -> BTreeSet<String> {
    let log = EmbeddedLog::open(log).unwrap();
    let mut engine = Engine::new(EngineConfig::default(), Arc::new(NoLists));
    let mut output = Output::default();
    let mut there = BTreeSet::new();
    let everything = ReadLimit { records: usize::MAX, bytes: usize::MAX };
    for stored in log.read(Topic::Payments.partition(0), 0, everything).unwrap() {
        let record: PaymentRecord = serde_json::from_slice(&stored.value).unwrap();
        if let PaymentRecord::Event(event) = &record {
            there.insert(event.event.event_id.clone());
        }
        engine.apply(stored.offset, &record, &mut output);
    }
    for n in acknowledged {
        assert!(there.contains(&format!("E-{n}")), "E-{n} was acknowledged and is lost");
    }
    let undisturbed: Vec<Value> = output.alerts.iter().map(|a| serde_json::to_value(a).unwrap()).collect();
    let kept: Vec<Value> =
        records(&log, Topic::Alerts).iter().map(|a| serde_json::from_slice(a).unwrap()).collect();
    let mut times = BTreeMap::new();
    for alert in &kept {
        *times.entry(alert["alert_id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
    }
    for (id, times) in &times {
        assert_eq!(*times, 1, "alert {id} came {times} times");
    }
    assert_eq!(kept.len(), undisturbed.len());
    for (kept, undisturbed) in kept.iter().zip(&undisturbed) {
        assert_eq!(kept, undisturbed);
    }
    assert!(!kept.is_empty(), "the load must alert");
    times.into_keys().collect()
}

/// `sluice replay` over the events of the log gives the same alerts.
fn replayed_by_the_command(log: &Path, rules: &Path, folder: &Path, expected: &BTreeSet<String>) {
    let (events, alerts) = (folder.join("events.ndjson"), folder.join("alerts.ndjson"));
    let log = EmbeddedLog::open(log).unwrap();
    let lines: Vec<String> = records(&log, Topic::Payments)
        .iter()
        .map(|value| serde_json::from_slice::<Value>(value).unwrap())
        .filter(|record| !record["event"].is_null())
        .map(|record| record["event"]["event"].to_string())
        .collect();
    std::fs::write(&events, lines.join("\n")).unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["replay", "--json", "--events"])
        .arg(&events)
        .arg("--rules")
        .arg(rules)
        .arg("--alerts")
        .arg(&alerts)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let replayed: BTreeSet<String> = std::fs::read_to_string(&alerts)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["alert_id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(&replayed, expected);
}

/// The cases hold each alert once, however often the process was killed while they were opened.
fn taken_in_by_the_case_side(command: Command, expected: &BTreeSet<String>) {
    let up = Up::start(command).unwrap();
    let client = up.client();
    let alerts = std::iter::repeat_with(|| client.list("/v1/alerts"))
        .find(|alerts| alerts.len() >= expected.len())
        .unwrap();
    assert_eq!(alerts.len(), expected.len());
    let ids: BTreeSet<String> =
        alerts.iter().map(|alert| alert["alert_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(&ids, expected);
    assert_eq!(up.terminate().code(), Some(0));
}
