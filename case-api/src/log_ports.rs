//! The feeds over `sluice-log`'s topics, and the way of control records onto it.

use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;
use sluice_log::{Claim, Commit, Log, LogError, Partition, ReadLimit, StoredRecord, Transaction};
use sluice_model::{Alert, Control, PaymentEvent, PaymentRecord};

use crate::{
    ports::{ControlSink, Feed, Item, PortError, Record, Topic},
    store::{LEAVES, MARKS, OUTBOX, record_at, source},
};

impl From<LogError> for PortError {
    fn from(error: LogError) -> Self {
        Self(error.to_string())
    }
}

/// Alerts, with the events that they judged, holds, decisions and observations out of the log.
pub struct LogFeed<P> {
    /// The log.
    pub log: Arc<dyn Log>,
    /// On which partition the events of a payment are.
    pub partition_of: P,
}

impl<P: Fn(&str) -> Partition + Send + Sync> Feed for LogFeed<P> {
    fn read(&self, topic: Topic, from: u64, max: usize) -> Result<Vec<Item>, PortError> {
        let partition = source(topic);
        let stored = self.log.read(partition, from, ReadLimit::records(max))?;
        let item = |stored: &StoredRecord| {
            let record = match topic {
                Topic::Alerts => {
                    let alert: Box<Alert> = parse(partition, stored)?;
                    let event = self.judged_event(&alert)?;
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
        Ok(self.log.end(source(topic))?)
    }
}

impl<P: Fn(&str) -> Partition> LogFeed<P> {
    /// The event that an alert judged, from where the alert says that it stands; `None` where it judged none.
    fn judged_event(&self, alert: &Alert) -> Result<Option<Arc<PaymentEvent>>, PortError> {
        let Some(offset) = alert.offset else { return Ok(None) };
        let partition = (self.partition_of)(&alert.payment_id);
        let Some(stored) = record_at(&*self.log, partition, offset)? else { return Ok(None) };
        match parse(partition, &stored)? {
            PaymentRecord::Event(record) => Ok(Some(record.event)),
            PaymentRecord::Control(_) => Ok(None),
        }
    }
}

fn parse<T: DeserializeOwned>(partition: Partition, stored: &StoredRecord) -> Result<T, PortError> {
    serde_json::from_slice(&stored.value)
        // The parser's own words may quote the record.
        .map_err(|_| PortError(format!("record {} of {partition} cannot be read", stored.offset)))
}

/// Control records onto the log, with how far the case side has come.
pub struct LogControls<A> {
    log: Arc<dyn Log>,
    append: A,
    /// The place in the outbox, which one of several processes owns at a time. `None`: this process is the only one.
    claim: Option<Mutex<Option<Claim>>>,
}

impl<A> LogControls<A>
where
    A: Fn(Control, Commit, Option<Claim>) -> Result<u64, PortError> + Send + Sync,
{
    /// Of a process that is alone with its log. `append` makes a control record durable where engines find it, together with
    /// that place of the outbox and under that claim: its offset. It is whoever writes to the payments log.
    pub const fn new(log: Arc<dyn Log>, append: A) -> Self {
        Self { log, append, claim: None }
    }

    /// Of one of several processes over one log and one case database.
    pub const fn shared(log: Arc<dyn Log>, append: A) -> Self {
        Self { log, append, claim: Some(Mutex::new(None)) }
    }

    /// Under what a record is appended.
    fn claimed(&self) -> Result<Option<Claim>, PortError> {
        let Some(claim) = &self.claim else { return Ok(None) };
        let claim = claim.lock().unwrap_or_else(PoisonError::into_inner).clone();
        claim.map(Some).ok_or_else(|| PortError("another process delivers the outbox".to_owned()))
    }
}

impl<A> ControlSink for LogControls<A>
where
    A: Fn(Control, Commit, Option<Claim>) -> Result<u64, PortError> + Send + Sync,
{
    fn take_over(&self) -> Result<(), PortError> {
        if let Some(claim) = &self.claim {
            let newest = self.log.claim(OUTBOX, MARKS)?;
            *claim.lock().unwrap_or_else(PoisonError::into_inner) = Some(newest);
        }
        Ok(())
    }

    fn append(&self, seq: u64, control: &Control) -> Result<u64, PortError> {
        let come = Commit { consumer: OUTBOX.to_owned(), partition: MARKS, next: seq + 1 };
        (self.append)(control.clone(), come, self.claimed()?)
    }

    fn note_leaves(&self, leaves: u64) -> Result<(), PortError> {
        self.log.transact(Transaction::default().commit(LEAVES, MARKS, leaves))?;
        Ok(())
    }
}
