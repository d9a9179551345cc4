//! Records of the payments log, named by their offsets and their hash: what an alert rests on, or a
//! stretch of the log that is sealed.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sluice_model::Hash256;

/// Some records of one partition, in order: how many, within which offsets, and the hash over their hashes.
/// Kept instead of the records themselves, which a bundle may include ([`Expanded`]).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    // In the order of the canonical encoding: by name.
    /// How many records.
    pub count: u64,
    /// The first one's offset.
    pub first: u64,
    /// The hash over each record's hash, in order.
    pub hash: Hash256,
    /// The last one's offset.
    pub last: u64,
    /// The partition.
    pub partition: u32,
    /// The topic.
    pub topic: String,
}

/// One record that a stretch counts: its offset and hash, and its bytes unless they are withheld or erased.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggedRecord {
    // In the order of the canonical encoding: by name.
    hash: Hash256,
    offset: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<Box<RawValue>>,
}

impl LoggedRecord {
    /// A record as the log holds it: one JSON text.
    pub fn new(offset: u64, json: &str) -> serde_json::Result<Self> {
        let hash = Hash256::of(json.as_bytes());
        Ok(Self { hash, offset, record: Some(serde_json::from_str(json)?) })
    }

    /// The record's place and hash without its content.
    pub fn withheld(offset: u64, hash: Hash256) -> Self {
        Self { hash, offset, record: None }
    }

    /// Its offset.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Its JSON text, unless withheld.
    pub fn json(&self) -> Option<&str> {
        self.record.as_deref().map(RawValue::get)
    }

    /// Whether the content, where it is there, is what the hash says.
    fn holds(&self) -> bool {
        self.json().is_none_or(|json| Hash256::of(json.as_bytes()) == self.hash)
    }
}

/// A stretch with its records.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expanded {
    // In the order of the canonical encoding: by name.
    partition: u32,
    records: Vec<LoggedRecord>,
    topic: String,
}

impl Expanded {
    /// Records of one partition, in order of their offsets.
    pub fn new(topic: impl Into<String>, partition: u32, records: Vec<LoggedRecord>) -> Self {
        Self { partition, records, topic: topic.into() }
    }

    /// The records.
    pub fn records(&self) -> &[LoggedRecord] {
        &self.records
    }

    /// What represents them in a record's body; `None` when there are none, when they are out of order, or when
    /// one's content is not what its hash says.
    pub fn stretch(&self) -> Option<Stretch> {
        let (first, last) = (self.records.first()?, self.records.last()?);
        let ordered = self.records.windows(2).all(|pair| pair[0].offset < pair[1].offset);
        if !ordered || !self.records.iter().all(LoggedRecord::holds) {
            return None;
        }
        Some(Stretch {
            count: self.records.len() as u64,
            first: first.offset,
            hash: Hash256::of_parts(self.records.iter().map(|r| r.hash.0.as_slice())),
            last: last.offset,
            partition: self.partition,
            topic: self.topic.clone(),
        })
    }
}
