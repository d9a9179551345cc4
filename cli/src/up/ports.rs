//! What the case side asks of the log: feeds to read, a place for control records.

use std::sync::Arc;

use sluice_case_api::{
    LEAVES, LogFeed, MARKS, OUTBOX,
    ports::{ControlSink, Feed, Item, PortError, Record, Topic},
};
use sluice_log::{Commit, Log, ReadLimit, Topic as LogTopic, Transaction};
use sluice_model::{Alert, Control};
use sluice_runtime::Runtime;

/// Alerts with the events that they judged; holds and decisions as they are in the log.
pub(super) struct Feeds {
    log: Arc<dyn Log>,
    others: LogFeed,
    runtime: Arc<Runtime>,
}

impl Feeds {
    pub(super) fn new(log: Arc<dyn Log>, runtime: Arc<Runtime>) -> Self {
        Self { others: LogFeed(Arc::clone(&log)), log, runtime }
    }
}

impl Feed for Feeds {
    fn read(&self, topic: Topic, from: u64, max: usize) -> Result<Vec<Item>, PortError> {
        if topic != Topic::Alerts {
            return self.others.read(topic, from, max);
        }
        let stored = self.log.read(LogTopic::Alerts.partition(0), from, ReadLimit::records(max))?;
        let item = |stored: &sluice_log::StoredRecord| {
            let alert: Alert = serde_json::from_slice(&stored.value)
                // The parser's own words may quote the record.
                .map_err(|_| PortError(format!("record {} of the alerts cannot be read", stored.offset)))?;
            let event = self.runtime.judged_event(&alert).map_err(failed)?.map(|record| record.event);
            Ok(Item { offset: stored.offset, record: Record::Alert(Box::new(alert), event) })
        };
        stored.iter().map(item).collect()
    }

    fn end(&self, topic: Topic) -> Result<u64, PortError> {
        self.others.end(topic)
    }
}

/// Control records into the payments log, where the next payment applies them.
pub(super) struct Controls {
    pub runtime: Arc<Runtime>,
    pub log: Arc<dyn Log>,
}

impl ControlSink for Controls {
    fn append(&self, seq: u64, control: &Control) -> Result<u64, PortError> {
        let come = Commit { consumer: OUTBOX.to_owned(), partition: MARKS, next: seq + 1 };
        self.runtime.control(control.clone(), Some(come)).map_err(failed)
    }

    fn note_leaves(&self, leaves: u64) -> Result<(), PortError> {
        self.log.transact(Transaction::default().commit(LEAVES, MARKS, leaves))?;
        Ok(())
    }
}

/// An error as the case side reads it.
pub(super) fn failed(error: impl std::fmt::Display) -> PortError {
    PortError(error.to_string())
}
