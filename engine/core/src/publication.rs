//! What stages publish, and where: decided here once, for whatever log carries it out.

use serde::Serialize;
use sluice_model::{Alert, DeadLetter, Decision, HoldRecord, Observation, Partition, PaymentRecord, Topic};

use crate::wire::{KeyedRecord, VerdictRecord, partition_of};

/// Into how many partitions each topic is divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    partitions: [u32; Topic::ALL.len()],
}

impl Layout {
    /// One partition a topic: the embedded log.
    pub const SINGLE: Self = Self { partitions: [1; Topic::ALL.len()] };

    /// So many partitions of payments, keyed events and verdicts, and one of every other topic.
    pub const fn of_stages(partitions: u32) -> Self {
        Self::SINGLE
            .with(Topic::Payments, partitions)
            .with(Topic::Keyed, partitions)
            .with(Topic::Verdicts, partitions)
    }

    /// The same, but for so many partitions of one topic.
    #[must_use]
    pub const fn with(mut self, topic: Topic, partitions: u32) -> Self {
        self.partitions[topic as usize] = partitions;
        self
    }

    /// How many partitions a topic has.
    pub const fn partitions(&self, topic: Topic) -> u32 {
        self.partitions[topic as usize]
    }

    /// The partition of a topic that holds the records of a key.
    pub fn partition(&self, topic: Topic, key: &str) -> Partition {
        topic.partition(partition_of(key, self.partitions(topic)))
    }

    /// Every partition of a topic.
    fn all(&self, topic: Topic) -> impl Iterator<Item = Partition> {
        (0..self.partitions(topic)).map(move |index| topic.partition(index))
    }
}

/// A record that a stage publishes. It is written as what it holds.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "each is what it holds")]
pub enum Published {
    Alert(Box<Alert>),
    Observation(Observation),
    Hold(HoldRecord),
    DeadLetter(DeadLetter),
    Decision(Decision),
    Keyed(KeyedRecord),
    Verdict(VerdictRecord),
    Payment(PaymentRecord),
}

impl Published {
    /// An alert.
    pub(crate) fn alert(alert: Alert) -> Self {
        Self::Alert(Box::new(alert))
    }

    /// The topic that carries it.
    pub const fn topic(&self) -> Topic {
        match self {
            Self::Alert(_) => Topic::Alerts,
            Self::Observation(_) => Topic::Observations,
            Self::Hold(_) => Topic::Holds,
            Self::DeadLetter(_) => Topic::DeadLetters,
            Self::Decision(_) => Topic::Decisions,
            Self::Keyed(_) => Topic::Keyed,
            Self::Verdict(_) => Topic::Verdicts,
            Self::Payment(_) => Topic::Payments,
        }
    }

    /// Under which a log keeps it with others of the same; empty for what is about none.
    pub fn key(&self) -> &str {
        match self {
            Self::Alert(alert) => &alert.payment_id,
            Self::Observation(Observation::Shadow(alert)) => &alert.payment_id,
            Self::Observation(Observation::Failure(failure)) => &failure.payment_id,
            Self::Hold(hold) => &hold.payment_id,
            Self::DeadLetter(letter) => &letter.code,
            Self::Decision(decision) => &decision.payment_id,
            Self::Keyed(KeyedRecord::Event(event)) => &event.key.value,
            Self::Verdict(verdict) => verdict.payment_id().unwrap_or_default(),
            Self::Payment(record) => record.payment_id().unwrap_or_default(),
            Self::Keyed(KeyedRecord::Control(_)) => "",
        }
    }

    /// Whether every partition of its topic gets it, for what changes all of them.
    fn is_for_all(&self) -> bool {
        match self {
            Self::Keyed(KeyedRecord::Control(_)) => true,
            Self::Payment(record) => record.payment_id().is_none(),
            Self::Verdict(verdict) => verdict.payment_id().is_none(),
            _ => false,
        }
    }

    /// Add it for each partition that it goes to.
    fn add_to(self, publications: &mut Vec<Publication>, layout: &Layout) {
        let topic = self.topic();
        if self.is_for_all() {
            let each = layout.all(topic).map(|partition| Publication { partition, record: self.clone() });
            publications.extend(each);
        } else {
            let partition = layout.partition(topic, self.key());
            publications.push(Publication { partition, record: self });
        }
    }
}

/// A record, and the partition that it goes to.
#[derive(Clone, PartialEq, Debug)]
pub struct Publication {
    /// Where to.
    pub partition: Partition,
    /// What.
    pub record: Published,
}

/// Each record with where it goes, in order.
pub(crate) fn publications(records: impl Iterator<Item = Published>, layout: &Layout) -> Vec<Publication> {
    let mut publications = Vec::new();
    records.for_each(|record| record.add_to(&mut publications, layout));
    publications
}
