//! Brokers for tests: Apache Kafka itself, on loopback, in a folder of the test's own.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rdkafka::consumer::Consumer;

use crate::kafka::{Change, KafkaOptions, TopicLayout, Topics};

/// Within which brokers are ready, on a slow machine.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// Some brokers of one cluster. Dropping them ends them and removes what they kept.
pub struct Brokers {
    folder: PathBuf,
    jars: PathBuf,
    ports: Vec<u16>,
    nodes: Vec<Option<Child>>,
}

impl Brokers {
    /// Start so many brokers, with settings of the test's own besides. `None`, said aloud, where Java or the jars are not to
    /// be had.
    ///
    /// # Panics
    /// When brokers do not start.
    pub fn start(nodes: usize, settings: &[(&str, &str)]) -> Option<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/kafka/jars");
        let jars =
            Command::new(script).stderr(Stdio::null()).output().ok().filter(|output| output.status.success());
        let is_there = Command::new("java").arg("-version").stderr(Stdio::null()).status().is_ok();
        let (Some(jars), true) = (jars, is_there) else {
            println!("left out: tests on Kafka (Java, or the jars of the broker, are not to be had)");
            return None;
        };
        let jars = PathBuf::from(String::from_utf8(jars.stdout).unwrap().trim());
        let folder =
            std::env::temp_dir().join(format!("sluice-kafka-{}-{}", std::process::id(), free_port()));
        fs::create_dir_all(&folder).unwrap();
        // Two of each: one for clients, one for the controllers.
        let ports: Vec<u16> = (0..2 * nodes).map(|_| free_port()).collect();
        let mut brokers = Self { folder, jars, ports, nodes: (0..nodes).map(|_| None).collect() };
        for node in 0..nodes {
            brokers.format(node, settings);
            brokers.start_node(node);
        }
        brokers.wait();
        Some(brokers)
    }

    /// Where they are.
    pub fn addresses(&self) -> String {
        let nodes = self.nodes.len();
        self.ports[..nodes].iter().map(|port| format!("127.0.0.1:{port}")).collect::<Vec<_>>().join(",")
    }

    /// How a client finds them, under a namespace of its own.
    pub fn options(&self, namespace: &str) -> KafkaOptions {
        let mut options = KafkaOptions::new(self.addresses(), "test");
        namespace.clone_into(&mut options.namespace);
        // An end is found sooner than would be right for a network.
        options.properties.insert("fetch.wait.max.ms".into(), "10".into());
        options
    }

    /// Topics under a namespace, divided so.
    ///
    /// # Panics
    /// When they cannot be made.
    pub fn topics(&self, options: &KafkaOptions, partitions: u32) {
        let topics = Topics::new(options).unwrap();
        let replication = u32::try_from(self.nodes.len().min(3)).unwrap();
        let plan = topics.plan(TopicLayout { partitions, replication }).unwrap();
        topics.apply(&plan).unwrap();
    }

    /// Topics under a namespace, each divided so, whatever a deployment has.
    ///
    /// # Panics
    /// When they cannot be made.
    pub fn topics_divided_alike(&self, options: &KafkaOptions, each: u32) {
        let topics = Topics::new(options).unwrap();
        let mut plan = topics.plan(TopicLayout { partitions: each, replication: 1 }).unwrap();
        for change in &mut plan {
            if let Change::Create { partitions, .. } = change {
                *partitions = each;
            }
        }
        topics.apply(&plan).unwrap();
    }

    /// Kill a broker as a failing machine would.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self, node: usize) {
        let mut child = self.nodes[node].take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Start a broker.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_node(&mut self, node: usize) {
        let log = fs::File::create(self.folder.join(format!("{node}.log"))).unwrap();
        let child = self
            .java()
            .args(["-Xmx512M", "kafka.Kafka"])
            .arg(self.properties(node))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.nodes[node] = Some(child);
    }

    fn format(&self, node: usize, settings: &[(&str, &str)]) {
        let nodes = self.nodes.len();
        let voters: Vec<_> =
            (0..nodes).map(|n| format!("{}@127.0.0.1:{}", n + 1, self.ports[nodes + n])).collect();
        let copies = nodes.min(3).to_string();
        let in_sync = nodes.saturating_sub(1).clamp(1, 2).to_string();
        let mut lines = vec![
            ("process.roles", "broker,controller".to_owned()),
            ("node.id", (node + 1).to_string()),
            ("controller.quorum.voters", voters.join(",")),
            (
                "listeners",
                format!(
                    "PLAINTEXT://127.0.0.1:{},CONTROLLER://127.0.0.1:{}",
                    self.ports[node],
                    self.ports[nodes + node]
                ),
            ),
            ("controller.listener.names", "CONTROLLER".to_owned()),
            ("log.dirs", self.folder.join(format!("data-{node}")).display().to_string()),
            ("offsets.topic.replication.factor", copies.clone()),
            ("offsets.topic.num.partitions", "4".to_owned()),
            ("transaction.state.log.replication.factor", copies),
            ("transaction.state.log.num.partitions", "4".to_owned()),
            ("transaction.state.log.min.isr", in_sync),
            ("group.initial.rebalance.delay.ms", "0".to_owned()),
            ("auto.create.topics.enable", "false".to_owned()),
            ("broker.session.timeout.ms", "3000".to_owned()),
            ("broker.heartbeat.interval.ms", "500".to_owned()),
        ];
        lines.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let text: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        fs::write(self.properties(node), text).unwrap();
        let formatted = self
            .java()
            .args(["kafka.tools.StorageTool", "format", "-t", "c2x1aWNlLXRlc3Qta2Fma2E", "-c"])
            .arg(self.properties(node))
            .output()
            .unwrap();
        assert!(formatted.status.success(), "{}", String::from_utf8_lossy(&formatted.stderr));
    }

    fn java(&self) -> Command {
        let mut java = Command::new("java");
        java.arg("-cp").arg(self.jars.join("*")).args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        java
    }

    fn properties(&self, node: usize) -> PathBuf {
        self.folder.join(format!("{node}.properties"))
    }

    /// Wait until every broker is a part of the cluster.
    fn wait(&self) {
        let client = self.options("").consumer("sluice.test").unwrap();
        let began = Instant::now();
        let know_each_other = || {
            let metadata = client.fetch_metadata(None, Duration::from_secs(1));
            metadata.is_ok_and(|metadata| metadata.brokers().len() == self.nodes.len())
        };
        while !know_each_other() {
            assert!(began.elapsed() < READY_WITHIN, "the brokers in {} are not ready", self.folder.display());
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Brokers {
    fn drop(&mut self) {
        for mut child in self.nodes.iter_mut().filter_map(Option::take) {
            let _ = child.kill();
            let _ = child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
