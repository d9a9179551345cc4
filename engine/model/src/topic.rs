//! The topics and their partitions. The names are a contract: Kafka deployments and exports carry them.

use std::fmt;

/// One of Sluice's topics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Topic {
    /// Events and the control records that stages apply, keyed by `payment_id`. The truth.
    Payments,
    /// An event, once for each key that a rule watches.
    Keyed,
    /// What homes and keys say of payments that somebody waits for.
    Verdicts,
    /// One for each event that somebody waits for.
    Decisions,
    /// Judgements, each once.
    Alerts,
    /// What rules in shadow would have alerted, and which rules failed.
    Observations,
    /// Holds, refusals and releases, for payment services.
    Holds,
    /// What officers and configuration change, one partition.
    Control,
    /// What could not be taken in, with the reason and the original bytes.
    DeadLetters,
    /// Answers to requests that carried an `Idempotency-Key`.
    Requests,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 10] = [
        Self::Payments,
        Self::Keyed,
        Self::Verdicts,
        Self::Decisions,
        Self::Alerts,
        Self::Observations,
        Self::Holds,
        Self::Control,
        Self::DeadLetters,
        Self::Requests,
    ];

    /// The name that brokers and exports know it by.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payments => "sluice.payments",
            Self::Keyed => "sluice.keyed",
            Self::Verdicts => "sluice.verdicts",
            Self::Decisions => "sluice.decisions",
            Self::Alerts => "sluice.alerts",
            Self::Observations => "sluice.observations",
            // Readers know it by the name that holds had first.
            Self::Holds => "sluice.dispositions",
            Self::Control => "sluice.control",
            Self::DeadLetters => "sluice.dead-letters",
            Self::Requests => "sluice.requests",
        }
    }

    /// One of its partitions.
    pub const fn partition(self, index: u32) -> Partition {
        Partition { topic: self, index }
    }
}

/// One ordered sequence of records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Partition {
    /// The topic it is a part of.
    pub topic: Topic,
    /// From 0.
    pub index: u32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic.name(), self.index)
    }
}
