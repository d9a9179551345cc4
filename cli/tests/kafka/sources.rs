//! Topics of others, in shapes of their own and keyed otherwise: every record is on its payment's partition, once, or a dead
//! letter that says where it stood, while engines are killed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sluice_log::{Topic, kafka::testing::Brokers};
use sluice_model::{DeadLetter, PaymentRecord};
use tempfile::TempDir;

use crate::{deployment::Deployment, effort, oracle::Oracle};

/// The examples of the guide: what is on each topic, and how it is read.
fn files() -> Vec<String> {
    let guide = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/kafka.md")).unwrap();
    let blocks = guide.split("```toml source\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// The schema of the core's transfers, number 7.
const SCHEMA: &str = r#"{"type": "record", "name": "Transfer", "fields": [
    {"name": "id", "type": "string"},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
    {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}},
    {"name": "from", "type": "string"},
    {"name": "to", "type": "string"}]}"#;

/// What was sent: the events by id, and where the dead letters stood.
#[derive(Default)]
struct Sent {
    values: BTreeMap<&'static str, Vec<(i32, Vec<u8>)>>,
    next: BTreeMap<(&'static str, i32), u64>,
    events: BTreeSet<String>,
    letters: BTreeMap<String, &'static str>,
}

impl Sent {
    fn add(&mut self, topic: &'static str, partition: i32, value: Vec<u8>) -> String {
        let next = self.next.entry((topic, partition)).or_default();
        let place = format!("{topic}/{partition}@{next}");
        *next += 1;
        self.values.entry(topic).or_default().push((partition, value));
        place
    }

    fn event(&mut self, id: String, topic: &'static str, partition: i32, value: Vec<u8>) {
        self.add(topic, partition, value);
        self.events.insert(id);
    }

    fn poison(&mut self, code: &'static str, topic: &'static str, partition: i32, value: &[u8]) {
        let place = self.add(topic, partition, value.to_vec());
        self.letters.insert(place, code);
    }

    fn produce(&mut self, brokers: &Brokers) {
        for (topic, values) in std::mem::take(&mut self.values) {
            brokers.produce(topic, values.iter().map(|(partition, value)| (*partition, value.as_slice())));
        }
    }

    /// Some records of each topic; poison among them.
    fn some(&mut self, numbers: std::ops::Range<usize>, start_ms: u64) {
        for n in numbers {
            let (bank, psp) = (n as i32 % 3, n as i32 % 2);
            let at = jiff::Timestamp::from_millisecond((start_ms + n as u64) as i64).unwrap();
            let event = format!(
                r#"{{"event_id":"bank-{n}","payment_id":"pay-{}","occurred_at":"{at}","amount":{{"value":"7900.00","currency":"HKD"}},"debtor":{{"account":"A{}"}},"creditor":{{"account":"B{}"}}}}"#,
                n / 2,
                n % 40,
                n % 9
            );
            self.event(format!("bank-{n}"), "bank.messages", bank, event.into_bytes());
            let document = format!(
                r#"{{"id":"{n}","payment":"p{n}","at":"{at}","amount":"{n}.50","currency":"HKD","from":"C{}","to":"D{}"}}"#,
                n % 30,
                n % 7
            );
            let framed = [b"\0\0\0\0\x03".as_slice(), document.as_bytes()].concat();
            self.event(format!("example-psp:{n}"), "example-psp.payments", psp, framed);
            let transfer = transfer(n, (start_ms + n as u64) as i64);
            self.event(format!("core:{n}"), "core.transfers", 0, transfer);
            match n % 60 {
                7 => self.poison("malformed", "bank.messages", bank, b"{\"event_id\":"),
                17 => self.poison("malformed", "bank.messages", bank, b""),
                27 => self.poison("malformed", "bank.messages", bank, b"<Document>"),
                37 => self.poison("malformed", "example-psp.payments", psp, document.as_bytes()),
                47 => self.poison("malformed", "core.transfers", 0, b"\0\0\0\0\x07\x04a"),
                57 => self.poison("unsupported", "core.transfers", 0, b"\0\0\0\0\x08\x04a"),
                _ => {}
            }
        }
    }
}

/// Avro behind the number of its schema.
fn transfer(n: usize, at_ms: i64) -> Vec<u8> {
    let mut value = b"\0\0\0\0\x07".to_vec();
    text(&mut value, n.to_string().as_bytes());
    long(&mut value, at_ms);
    text(&mut value, &(n as i64 * 100 + 25).to_be_bytes());
    text(&mut value, format!("E{}", n % 20).as_bytes());
    text(&mut value, b"F");
    value
}

fn text(value: &mut Vec<u8>, text: &[u8]) {
    long(value, text.len() as i64);
    value.extend(text);
}

fn long(value: &mut Vec<u8>, number: i64) {
    let mut zigzag = ((number << 1) ^ (number >> 63)) as u64;
    while zigzag > 0x7f {
        value.push((zigzag & 0x7f) as u8 | 0x80);
        zigzag >>= 7;
    }
    value.push(zigzag as u8);
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in ["bank", "psp", "core"].into_iter().zip(files()) {
        fs::write(folder.path().join(name).with_extension("toml"), text).unwrap();
    }
    let schemas = folder.path().join("core-schemas");
    fs::create_dir(&schemas).unwrap();
    fs::write(schemas.join("7.avsc"), SCHEMA).unwrap();
    folder
}

pub fn records_of_others_are_taken_in_once_and_whole(brokers: &Brokers) {
    let (partitions, kills, count) = (3, effort(2, 20), effort(600, 30_000));
    for (topic, partitions) in [("bank.messages", 3), ("example-psp.payments", 2), ("core.transfers", 1)] {
        brokers.topic_of_others(topic, partitions);
    }
    let folder = folder();
    let arguments = ["--sources", folder.path().to_str().unwrap()];
    let deployment = Deployment::new(brokers, "sources", partitions);
    let mut engines = ["engine-1", "engine-2"].map(|name| deployment.engine_with(name, &arguments));
    deployment.put_rules_in_force();

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
    let mut sent = Sent::default();
    for (kill, from) in (0..count).step_by(count.div_ceil(kills + 1)).enumerate() {
        sent.some(from..(from + count.div_ceil(kills + 1)).min(count), now - 3_600_000);
        sent.produce(brokers);
        if kill < kills {
            engines[kill % 2].kill();
            engines[kill % 2] = deployment.engine_with(&format!("engine-{}", kill % 2 + 1), &arguments);
        }
    }

    let taken_in = || {
        let mut events: BTreeMap<String, usize> = BTreeMap::new();
        for partition in deployment.partitions(Topic::Payments) {
            for stored in deployment.all(partition) {
                if let Ok(PaymentRecord::Event(event)) = serde_json::from_slice(&stored.value) {
                    assert_eq!(deployment.layout.partition(Topic::Payments, &stored.key), partition);
                    *events.entry(event.event.event_id.clone()).or_default() += 1;
                }
            }
        }
        events
    };
    let letters = || {
        let stored = deployment.all(Topic::DeadLetters.partition(0)).into_iter();
        let letters = stored.map(|one| serde_json::from_slice::<DeadLetter>(&one.value).unwrap());
        letters.map(|letter| (letter.source, letter.code)).collect::<Vec<_>>()
    };
    while taken_in().len() < sent.events.len() || letters().len() < sent.letters.len() {
        std::thread::sleep(Duration::from_millis(200));
    }
    let events = taken_in();
    assert!(events.values().all(|times| *times == 1), "each once");
    assert_eq!(events.into_keys().collect::<BTreeSet<_>>(), sent.events);
    let expected: Vec<_> =
        sent.letters.iter().map(|(place, code)| (place.clone(), (*code).to_owned())).collect();
    let mut letters = letters();
    letters.sort_unstable();
    assert_eq!(letters, expected);

    deployment.wait_until_all_is_judged();
    let differences = Oracle::of(&deployment).compare(&deployment);
    let of_stages = differences.iter().filter(|(partition, ..)| partition.topic != Topic::DeadLetters);
    assert_eq!(of_stages.count(), 0, "{differences:#?}");
    println!(
        "sources: {} events and {} dead letters of 6 partitions in three shapes, {kills} kills, 0 lost, 0 doubled",
        sent.events.len(),
        sent.letters.len()
    );
}
