//! The feeds over `sluice-log`'s topics, and the way of control records onto it.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use sluice_log::{Commit, Log, LogError, Partition, ReadLimit, StoredRecord, Transaction};
use sluice_model::{Alert, Control, PaymentEvent, PaymentRecord};

use crate::{
    ports::{ControlSink, Feed, Item, PortError, Record, Topic},
    store::{LEAVES, MARKS, OUTBOX, PAYMENTS, record_at, source},
};

impl From<LogError> for PortError {
    fn from(error: LogError) -> Self {
        Self(error.to_string())
    }
}

/// Alerts, with the events that they judged, holds, decisions and observations out of the log.
pub struct LogFeed(pub Arc<dyn Log>);

impl Feed for LogFeed {
    fn read(&self, topic: Topic, from: u64, max: usize) -> Result<Vec<Item>, PortError> {
        let partition = source(topic);
        let stored = self.0.read(partition, from, ReadLimit::records(max))?;
        let item = |stored: &StoredRecord| {
            let record = match topic {
                Topic::Alerts => {
                    let alert: Box<Alert> = parse(partition, stored)?;
                    let event = judged_event(&*self.0, &alert)?;
                    Record::Alert(alert, event)
                }
                Topic::Holds => Record::Hold(parse(partition, stored)?),
                Topic::Decisions => Record::Decision(parse(partition, stored)?),
                Topic::Observations => Record::Observation(parse(partition, stored)?),
            };
            Ok(Item { offset: stored.offset, record })
        };
        stored.iter().map(item).collect()
    }

    fn end(&self, topic: Topic) -> Result<u64, PortError> {
        Ok(self.0.end(source(topic))?)
    }
}

/// The event that an alert judged, from where the alert says that it stands; `None` where it judged none.
fn judged_event(log: &dyn Log, alert: &Alert) -> Result<Option<Arc<PaymentEvent>>, PortError> {
    let Some(offset) = alert.offset else { return Ok(None) };
    let Some(stored) = record_at(log, PAYMENTS, offset)? else { return Ok(None) };
    match parse(PAYMENTS, &stored)? {
        PaymentRecord::Event(record) => Ok(Some(record.event)),
        PaymentRecord::Control(_) => Ok(None),
    }
}

fn parse<T: DeserializeOwned>(partition: Partition, stored: &StoredRecord) -> Result<T, PortError> {
    serde_json::from_slice(&stored.value)
        // The parser's own words may quote the record.
        .map_err(|_| PortError(format!("record {} of {partition} cannot be read", stored.offset)))
}

/// Control records onto the log, with how far the case side has come.
pub struct LogControls<A> {
    /// The log.
    pub log: Arc<dyn Log>,
    /// Makes a control record durable on the payments log, together with that place of the outbox: its offset. It is
    /// whoever writes to the payments log.
    pub append: A,
}

impl<A> ControlSink for LogControls<A>
where
    A: Fn(Control, Commit) -> Result<u64, PortError> + Send + Sync,
{
    fn append(&self, seq: u64, control: &Control) -> Result<u64, PortError> {
        let come = Commit { consumer: OUTBOX.to_owned(), partition: MARKS, next: seq + 1 };
        (self.append)(control.clone(), come)
    }

    fn note_leaves(&self, leaves: u64) -> Result<(), PortError> {
        self.log.transact(Transaction::default().commit(LEAVES, MARKS, leaves))?;
        Ok(())
    }
}
