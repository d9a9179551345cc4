//! Taking in what the engine says, exactly once: the records of a batch, what follows from them and the offset
//! after them commit in one transaction.

mod alerts;
mod decisions;
mod holds;
mod observations;

use std::sync::{Arc, PoisonError};

use sluice_model::{AlertId, HoldOutcome};
use tokio::task::spawn_blocking;

use super::{Service, WorkError};
use crate::{
    health::Work,
    limits::{ALERT_WAIT, FEED_BATCH},
    ports::{Item, PortError, Record, Topic},
    store::{StoreError, Tx},
};

/// What a batch brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct IntakeCounts {
    /// Records taken in, known ones included.
    pub records: usize,
    /// Alerts not seen before.
    pub alerts: u64,
    /// Cases that they opened.
    pub cases: u64,
    /// Payments newly held.
    pub holds: u64,
    /// Answers to payment services.
    pub decisions: u64,
    /// What rules in shadow would have said.
    pub shadow_alerts: u64,
    /// Events on which a rule failed.
    pub failures: u64,
}

/// Who answers for a rule.
type Owners<'a> = &'a (dyn Fn(&str) -> Vec<String> + Sync);

/// A batch that is being taken in.
struct Batch<'a> {
    tx: Tx<'a>,
    owners: Owners<'a>,
    consumed: IntakeCounts,
}

impl Service {
    /// Take in at most one batch of every feed. What was taken in, summed.
    pub(crate) async fn consume(&self) -> Result<IntakeCounts, WorkError> {
        let mut sum = IntakeCounts::default();
        for topic in Topic::ALL {
            let consumed = self.consume_one(topic).await;
            self.health.note(Work::Feed(topic), consumed.as_ref().err());
            let consumed = consumed?;
            sum.records += consumed.records;
            sum.alerts += consumed.alerts;
            sum.cases += consumed.cases;
            sum.holds += consumed.holds;
            sum.decisions += consumed.decisions;
            sum.shadow_alerts += consumed.shadow_alerts;
            sum.failures += consumed.failures;
        }
        Ok(sum)
    }

    /// Take in what a feed has: after every alert that is on the log by now, since what another feed says follows from
    /// alerts that were written before it, and a hold finds its alert's case open.
    async fn consume_one(&self, topic: Topic) -> Result<IntakeCounts, WorkError> {
        let (items, is_level) = self.read(topic).await?;
        if topic != Topic::Alerts && !items.is_empty() {
            loop {
                let (alerts, is_level) = self.read(Topic::Alerts).await?;
                if self.take_in(Topic::Alerts, &alerts, is_level).await?.records < FEED_BATCH {
                    break;
                }
            }
        }
        let ready = self.ready(topic, &items).await?;
        self.take_in(topic, &items[..ready], is_level).await
    }

    /// How many of these may be taken in. A log of several processes shows what was committed together on one partition
    /// before it does on another: a hold waits a while for the alert that it names.
    async fn ready(&self, topic: Topic, items: &[Item]) -> Result<usize, StoreError> {
        if !self.is_shared {
            return Ok(items.len());
        }
        for (index, item) in items.iter().enumerate() {
            for alert in item.record.alerts() {
                if self.store.has_alert(&alert).await? {
                    continue;
                }
                let has_waited = index == 0 && self.has_waited(topic, item.offset);
                return Ok(if has_waited { 1 } else { index });
            }
        }
        Ok(items.len())
    }

    /// Whether a record has been the first of its feed for as long as an alert is waited for.
    fn has_waited(&self, topic: Topic, offset: u64) -> bool {
        let now = self.ports.clock.elapsed();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, since) = waiting.entry(topic).or_insert((offset, now));
        if *of != offset {
            (*of, *since) = (offset, now);
        }
        now.saturating_sub(*since) >= ALERT_WAIT
    }

    /// What comes next in a feed, and whether it is level with its source.
    async fn read(&self, topic: Topic) -> Result<(Vec<Item>, bool), WorkError> {
        let from = self.store.offset(topic.name()).await?;
        let feed = Arc::clone(&self.ports.feed);
        let read = spawn_blocking(move || {
            let items = feed.read(topic, from, FEED_BATCH)?;
            // Nothing read from a source that is ahead is no progress.
            let is_level = items.is_empty() && feed.end(topic)? <= from;
            Ok::<_, PortError>((items, is_level))
        });
        Ok(read.await??)
    }

    async fn take_in(&self, topic: Topic, items: &[Item], is_level: bool) -> Result<IntakeCounts, WorkError> {
        let rules = if topic == Topic::Observations && !items.is_empty() {
            self.ports.catalogue.rules()
        } else {
            Vec::new()
        };
        let owners = |id: &str| {
            rules.iter().find(|rule| rule.id == id).map(|rule| rule.owners.clone()).unwrap_or_default()
        };
        let consumed = self.commit(topic, items, &owners).await?;
        if is_level || consumed.records > 0 {
            self.health.moved(topic, self.now());
        }
        let records = u64::try_from(consumed.records).unwrap_or(u64::MAX);
        self.metrics.consumed.with_label_values(&[topic.name()]).inc_by(records);
        for (what, count) in [
            ("alert", consumed.alerts),
            ("case", consumed.cases),
            ("hold", consumed.holds),
            ("decision", consumed.decisions),
            ("shadow_alert", consumed.shadow_alerts),
            ("rule_failure", consumed.failures),
        ] {
            self.metrics.recorded.with_label_values(&[what]).inc_by(count);
        }
        Ok(consumed)
    }

    /// Take in a batch that was read at this feed's offset.
    async fn commit(
        &self,
        topic: Topic,
        items: &[Item],
        owners: Owners<'_>,
    ) -> Result<IntakeCounts, StoreError> {
        let (Some(first), Some(last)) = (items.first(), items.last()) else {
            return Ok(IntakeCounts::default());
        };
        let mut tx = self.store.begin(self.now()).await?;
        // Another process that took over has taken in some of them.
        if tx.offset(topic.name()).await? > first.offset {
            tx.give_up().await?;
            return Ok(IntakeCounts::default());
        }
        let consumed = IntakeCounts { records: items.len(), ..IntakeCounts::default() };
        let mut batch = Batch { tx, owners, consumed };
        for item in items {
            batch.take(&item.record).await?;
        }
        let Batch { mut tx, consumed, .. } = batch;
        tx.move_offset(topic.name(), last.offset + 1).await?;
        tx.commit().await?;
        Ok(consumed)
    }
}

impl Record {
    /// The alerts that it follows from.
    fn alerts(&self) -> Vec<String> {
        let named = |alerts: &[AlertId]| alerts.iter().map(ToString::to_string).collect();
        match self {
            Self::Hold(said) if said.state == HoldOutcome::Released || !said.alerts.is_empty() => {
                named(&said.alerts)
            }
            Self::Hold(said) => vec![said.because.clone()],
            Self::Decision(decision) => named(&decision.alerts),
            Self::Alert(..) | Self::Observation(_) => Vec::new(),
        }
    }
}

impl Batch<'_> {
    async fn take(&mut self, record: &Record) -> Result<(), StoreError> {
        match record {
            Record::Alert(alert, event) => self.alert(alert, event.as_deref()).await,
            Record::Hold(said) => self.hold_record(said).await,
            Record::Decision(decision) => self.decision(decision).await,
            Record::Observation(observed) => self.observation(observed).await,
        }
    }
}
