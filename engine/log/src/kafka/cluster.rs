//! What everything that asks the same brokers shares.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    Offset, Partition,
    kafka::{options::KafkaOptions, places::Places},
};

/// The brokers, as one process knows them.
pub(super) struct Cluster {
    pub options: KafkaOptions,
    pub places: Places,
    /// The end of what this process has written to each partition: the brokers say that a transaction is durable a little
    /// before its records can be read.
    written: Mutex<HashMap<Partition, Offset>>,
}

impl Cluster {
    pub(super) fn new(options: KafkaOptions) -> Self {
        Self { places: Places::new(options.clone()), options, written: Mutex::default() }
    }

    /// Remember up to where this process has written.
    pub(super) fn note_written(&self, ends: &[(Partition, Offset)]) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        for (partition, end) in ends {
            let known = written.entry(*partition).or_default();
            *known = (*known).max(*end);
        }
    }

    /// The end of what this process has written to a partition.
    pub(super) fn written(&self, partition: Partition) -> Offset {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.get(&partition).copied().unwrap_or_default()
    }
}
