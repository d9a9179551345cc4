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

use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    consumer::Consumer,
    producer::{BaseProducer, BaseRecord, Producer},
};

use crate::kafka::{Change, KafkaOptions, TopicLayout, Topics, options::Logged};

/// Within which brokers are ready, on a slow machine.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// Some brokers of one cluster. Dropping them ends them and removes what they kept.
pub struct Brokers {
    folder: PathBuf,
    jars: PathBuf,
    ports: Vec<u16>,
    access: Access,
    nodes: Vec<Option<Child>>,
}

/// Whom brokers let in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Open,
    /// Who speaks TLS and knows the password.
    Secured,
}

/// The password of the broker's stores and of `sluice`, in tests.
const PASSWORD: &str = "sluice-test";

impl Brokers {
    /// Start so many brokers, with settings of the test's own besides. `None`, said aloud, where Java or the jars are not to
    /// be had.
    ///
    /// # Panics
    /// When brokers do not start.
    pub fn start(nodes: usize, settings: &[(&str, &str)]) -> Option<Self> {
        Self::start_as(nodes, settings, Access::Open)
    }

    fn start_as(nodes: usize, settings: &[(&str, &str)], access: Access) -> Option<Self> {
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
        let mut brokers = Self { folder, jars, ports, access, nodes: (0..nodes).map(|_| None).collect() };
        if access == Access::Secured {
            brokers.make_certificate();
        }
        for node in 0..nodes {
            brokers.format(node, settings);
            brokers.start_node(node);
        }
        brokers.wait();
        Some(brokers)
    }

    /// Start one broker that speaks TLS only, under a certificate of its own, and lets in who knows the password of `sluice`.
    /// `None`, said aloud, where it cannot be had.
    ///
    /// # Panics
    /// When the broker does not start.
    pub fn start_secured() -> Option<Self> {
        let has = |command: &str| Command::new(command).arg("-help").output().is_ok();
        if !(has("keytool") && cfg!(feature = "kafka-tls")) {
            println!(
                "left out: a broker with TLS and SASL (keytool, or the feature kafka-tls, is not there)"
            );
            return None;
        }
        Self::start_as(1, &[], Access::Secured)
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
        if self.access == Access::Secured {
            let certificate = self.folder.join("broker.pem").display().to_string();
            for (name, value) in [
                ("security.protocol", "SASL_SSL"),
                ("ssl.ca.location", &certificate),
                ("sasl.mechanism", "PLAIN"),
                ("sasl.username", "sluice"),
                ("sasl.password", PASSWORD),
            ] {
                options.properties.insert(name.into(), value.into());
            }
        }
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

    /// Make a topic that is not ours.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn topic_of_others(&self, name: &str, partitions: i32) {
        let options = self.options("");
        let admin: AdminClient<Logged> =
            options.create(options.client(), |config| config.create_with_context(Logged)).unwrap();
        let new = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        pollster::block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap()[0].clone().unwrap();
    }

    /// Write values to partitions of a topic that is not ours, as another application does.
    ///
    /// # Panics
    /// When they are not taken.
    pub fn produce<'v>(&self, topic: &str, values: impl IntoIterator<Item = (i32, &'v [u8])>) {
        let options = self.options("");
        let producer: BaseProducer =
            options.create(options.client(), rdkafka::config::FromClientConfig::from_config).unwrap();
        for (partition, value) in values {
            let record = BaseRecord::<(), [u8]>::to(topic).partition(partition).payload(value);
            producer.send(record).map_err(|(error, _)| error).unwrap();
        }
        producer.flush(READY_WITHIN).unwrap();
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
                    "{}://127.0.0.1:{},CONTROLLER://127.0.0.1:{}",
                    if self.access == Access::Secured { "SASL_SSL" } else { "PLAINTEXT" },
                    self.ports[node],
                    self.ports[nodes + node]
                ),
            ),
            ("controller.listener.names", "CONTROLLER".to_owned()),
            (
                "listener.security.protocol.map",
                "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL".to_owned(),
            ),
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
        if self.access == Access::Secured {
            lines.extend(self.security());
        }
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

    /// How a broker says who it is, and asks who others are.
    fn security(&self) -> Vec<(&'static str, String)> {
        let store = |name: &str| self.folder.join(name).display().to_string();
        let login = format!(
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"sluice\" \
             password=\"{PASSWORD}\" user_sluice=\"{PASSWORD}\";"
        );
        vec![
            ("security.inter.broker.protocol", "SASL_SSL".to_owned()),
            ("sasl.mechanism.inter.broker.protocol", "PLAIN".to_owned()),
            ("sasl.enabled.mechanisms", "PLAIN".to_owned()),
            ("listener.name.sasl_ssl.plain.sasl.jaas.config", login),
            ("ssl.keystore.location", store("broker.p12")),
            ("ssl.keystore.password", PASSWORD.to_owned()),
            ("ssl.truststore.location", store("trusted.p12")),
            ("ssl.truststore.password", PASSWORD.to_owned()),
        ]
    }

    /// A certificate for the loopback address that says itself who it is.
    fn make_certificate(&self) {
        let keytool = |arguments: &[&str]| {
            let made = Command::new("keytool")
                .current_dir(&self.folder)
                .args(arguments)
                .args(["-alias", "broker", "-storetype", "PKCS12", "-storepass", PASSWORD])
                .output()
                .unwrap();
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stdout));
        };
        let names = ["-dname", "CN=127.0.0.1", "-ext", "SAN=ip:127.0.0.1"];
        keytool(
            &[&["-genkeypair", "-keyalg", "RSA", "-validity", "2", "-keystore", "broker.p12"], &names[..]]
                .concat(),
        );
        keytool(&["-exportcert", "-rfc", "-file", "broker.pem", "-keystore", "broker.p12"]);
        keytool(&["-importcert", "-noprompt", "-file", "broker.pem", "-keystore", "trusted.p12"]);
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
