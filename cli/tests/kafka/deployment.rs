//! Topics, engines and traffic of a test.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use sluice_core::{Distributor, Gather, Home, Layout, Library, Shard, Stage};
use sluice_driver::records;
use sluice_log::{
    Log, Partition, ReadLimit, StoredRecord, Topic, Transaction,
    kafka::{KafkaLog, testing::Brokers},
};
use sluice_model::{Alert, Control, EventRecord, PaymentRecord, RuleBundle};
use sluice_runtime::{CachingLibrary, read_rules};
use sluice_simulator::traffic::{Config, Traffic};
use tempfile::TempDir;

/// How many records a request brings at most.
const REQUEST_RECORDS_MAX: usize = 500;

/// Topics on brokers under a namespace of their own, and what engines keep.
pub struct Deployment {
    brokers: String,
    namespace: String,
    pub log: KafkaLog,
    pub layout: Layout,
    data: TempDir,
}

/// An engine in a process of its own. Killed when dropped.
pub struct EngineProcess(Child);

impl EngineProcess {
    /// As a machine that loses its power.
    pub fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for EngineProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Deployment {
    /// Make the topics as an operator does.
    pub fn new(brokers: &Brokers, namespace: &str, partitions: u32) -> Self {
        let applied = Command::new(env!("CARGO_BIN_EXE_sluice"))
            .args(["topics", "apply", "--replication", "1", "--json"])
            .args(["--brokers", &brokers.addresses(), "--namespace", namespace])
            .args(["--partitions", &partitions.to_string()])
            .output()
            .unwrap();
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        Self {
            brokers: brokers.addresses(),
            namespace: namespace.to_owned(),
            log: KafkaLog::open(brokers.options(namespace)).unwrap(),
            layout: Layout::of_stages(partitions),
            data: tempfile::tempdir().unwrap(),
        }
    }

    /// Which brokers, for a command.
    pub fn arguments(&self) -> [&str; 4] {
        ["--brokers", &self.brokers, "--namespace", &self.namespace]
    }

    /// Start an engine; it has joined when this returns.
    pub fn engine(&self, instance: &str) -> EngineProcess {
        self.engine_with(instance, &[])
    }

    /// The same, with arguments of the test's own.
    pub fn engine_with(&self, instance: &str, arguments: &[&str]) -> EngineProcess {
        let mut child = Command::new(env!("CARGO_BIN_EXE_sluice"))
            .args(["engine", "--json", "--listen", "127.0.0.1:0", "--snapshot-every", "700"])
            .args(self.arguments())
            .args(["--instance", instance])
            .args(arguments)
            .arg("--data")
            .arg(self.data.path())
            .env("SLUICE_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.contains("\"ready\":true"), "{line}");
        EngineProcess(child)
    }

    /// What engines look rules and lists up in.
    pub fn library(&self) -> Arc<dyn Library> {
        Arc::new(CachingLibrary::without_lists())
    }

    /// Order the shipped rules, and wait until every partition has the order: what is sent later is judged by them.
    pub fn put_rules_in_force(&self) {
        let bundle = rules();
        let activate = Control::Activate { rules: bundle.hash() };
        let orders = [Control::Prepare(bundle), activate];
        let stored = orders.iter().map(|order| records::json("", order).unwrap()).collect();
        self.log.append(Topic::Control.partition(0), stored).unwrap();
        for partition in self.partitions(Topic::Payments) {
            while self.log.newest(partition, 2).unwrap().len() < 2 {
                self.wait_for_more(partition);
            }
        }
    }

    /// Make events durable, each on its payment's partition.
    pub fn send(&self, events: &[PaymentRecord]) {
        for part in events.chunks(REQUEST_RECORDS_MAX) {
            let mut transaction = Transaction::default();
            for record in part {
                let partition = self.layout.partition(Topic::Payments, record.payment_id().unwrap());
                let appended = Transaction::append(partition, vec![records::payment(record).unwrap()]);
                transaction.appends.extend(appended.appends);
            }
            self.log.transact(transaction).unwrap();
        }
    }

    /// Every stage has come to the end of what it reads, and nothing more has come meanwhile.
    pub fn wait_until_all_is_judged(&self) {
        let stages = [
            (Distributor::NAME, Topic::Control),
            (Home::NAME, Topic::Payments),
            (Shard::NAME, Topic::Keyed),
            (Gather::NAME, Topic::Verdicts),
        ];
        // In the order in which records come by: whoever is at its end will be sent nothing by those before.
        for (stage, topic) in stages {
            for partition in self.partitions(topic) {
                while self.log.lag(stage, partition).unwrap() > 0 {
                    self.wait_for_more(partition);
                }
            }
        }
    }

    /// A moment, or until a partition grows.
    fn wait_for_more(&self, partition: Partition) {
        let end = self.log.end(partition).unwrap();
        self.log.wait(partition, end, Duration::from_millis(100)).unwrap();
    }

    /// The partitions of a topic.
    pub fn partitions(&self, topic: Topic) -> impl Iterator<Item = Partition> + use<> {
        (0..self.layout.partitions(topic)).map(move |index| topic.partition(index))
    }

    /// Every record of a partition.
    pub fn all(&self, partition: Partition) -> Vec<StoredRecord> {
        let mut all: Vec<StoredRecord> = Vec::new();
        loop {
            let from = all.last().map_or(0, |record| record.offset + 1);
            let more = self.log.read(partition, from, ReadLimit::default()).unwrap();
            if more.is_empty() {
                return all;
            }
            all.extend(more);
        }
    }

    /// The alerts, as they are on the log.
    pub fn alerts(&self) -> Vec<Alert> {
        let stored = self.all(Topic::Alerts.partition(0));
        stored.iter().map(|record| serde_json::from_slice(&record.value).unwrap()).collect()
    }
}

/// The rules that are shipped.
pub fn rules() -> RuleBundle {
    read_rules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs")).unwrap()
}

/// Simulated traffic with laundering in it, stamped from its own times.
pub fn events(count: usize, seed: u64) -> Vec<PaymentRecord> {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    let traffic = Traffic::new(Config::spanning(count as u64, seed, start));
    let record = |event: sluice_model::PaymentEvent| {
        let received_at = event.occurred_at;
        PaymentRecord::Event(EventRecord {
            received_at,
            awaited: false,
            late_reason: None,
            event: event.into(),
        })
    };
    traffic.take(count).map(|labelled| record(labelled.event)).collect()
}
