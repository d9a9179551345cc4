//! What the case database and the log know of each other: which log the database belongs to, and each the other's place. A
//! place was written after the other had it on disk, so that a store which falls behind what the other knows of it has lost
//! its tail, or is an older copy.

use std::fmt;

use serde::Serialize;
use serde_json::json;
use sluice_evidence::{Kind, Signer};
use sluice_log::{Log, LogError, Partition, ReadLimit, StoredRecord, Topic as LogTopic};
use sluice_model::{EventTime, PaymentRecord};

use super::{Database, Entry, Store, StoreError, Tx, outbox::Delivery, sql::query};
use crate::{domain::Topic, limits::CONTROLS_LOOKED_FOR_MAX};

/// The partition under which the log remembers how far the case database had come: one that holds no records.
pub(crate) const MARKS: Partition = LogTopic::Control.partition(0);
/// Under this name: the place in the outbox after the last control record that it delivered.
pub(crate) const OUTBOX: &str = "cases.outbox";
/// Under this name: how many leaves the evidence log had.
pub(crate) const LEAVES: &str = "cases.leaves";
/// Where the engine's control records and payments are.
pub(crate) const PAYMENTS: Partition = LogTopic::Payments.partition(0);

/// Something that one store knows of another and that is not there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Difference {
    /// Which store: `log`, `cases.sqlite` (or `the case database`), `snapshots`.
    pub store: &'static str,
    /// Where, and what is missing.
    pub missing: String,
}

impl Difference {
    /// A difference of that store.
    pub fn new(store: &'static str, missing: impl Into<String>) -> Self {
        Self { store, missing: missing.into() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.store, self.missing)
    }
}

impl Store {
    /// Compare the case database with the log of that id. Each difference names the store that falls short. A database
    /// that belongs to no log yet, and does not differ, belongs to this one from here on. One that is damaged is an error:
    /// nobody can accept that.
    pub async fn compare(
        database: Database<'_>,
        signer: Signer,
        log: &dyn Log,
        log_id: &str,
    ) -> Result<Vec<Difference>, StoreError> {
        let store = Self::open(database, signer).await?;
        let found = store.check(log, log_id).await;
        store.close().await;
        found
    }

    /// Go on with what is there: the database belongs to the log of that id, feeds begin where it ends, control records that
    /// it lost are delivered again, it takes back what it knew of this database. A leaf says what was accepted, and by whom.
    pub async fn accept(
        database: Database<'_>,
        signer: Signer,
        log: &dyn Log,
        log_id: &str,
        accepted: &[Difference],
        by: &str,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let store = Self::open(database, signer).await?;
        let done = store.realign(log, log_id, accepted, by, now).await;
        store.close().await;
        done
    }

    async fn check(&self, log: &dyn Log, log_id: &str) -> Result<Vec<Difference>, StoreError> {
        self.writer.check().await?;
        let mut found = self.differences(log).await?;
        if found.is_empty() {
            query("INSERT INTO own_log (id, log_id) VALUES (1, $1) ON CONFLICT (id) DO NOTHING")
                .bind(log_id)
                .execute(&mut self.writer.acquire().await?)
                .await?;
        }
        let own: Option<String> =
            query("SELECT log_id FROM own_log").value_or_none(&mut self.read().await?).await?;
        if let Some(own) = own.filter(|own| own != log_id) {
            let foreign = format!(
                "this database belongs to another data folder: its log is {own}, and the one here is {log_id}"
            );
            // What else differs follows from it.
            found.insert(0, Difference::new(self.writer.name(), foreign));
        }
        Ok(found)
    }

    async fn differences(&self, log: &dyn Log) -> Result<Vec<Difference>, StoreError> {
        let (name, mut found) = (self.writer.name(), Vec::new());
        for topic in Topic::ALL {
            let (next, end) = (self.offset(topic.name()).await?, log.end(source(topic))?);
            if next > end {
                let partition = source(topic);
                let missing = format!(
                    "{partition} ends at offset {end}, and {name} has read it up to {next}: {} records are missing",
                    next - end
                );
                found.push(Difference::new("log", missing));
            }
        }
        let lost = self.lost_controls(log).await?;
        if let (Some(first), Some(last)) = (lost.last(), lost.first()) {
            let missing = format!(
                "{} control records that {name} has delivered are missing from sluice.payments/0: number {} of the \
                 outbox, at offset {}, to number {}, at offset {}",
                lost.len(),
                first.seq,
                first.place,
                last.seq,
                last.place
            );
            found.push(Difference::new("log", missing));
        }
        let (outbox, known) = (self.outbox_end().await?, log.committed(OUTBOX, MARKS)?);
        if outbox < known {
            let missing = format!(
                "its outbox ends at number {outbox}, and the log has control records of it up to {known}: an older copy"
            );
            found.push(Difference::new(name, missing));
        }
        let (leaves, known) = (self.leaves().await?, log.committed(LEAVES, MARKS)?);
        if leaves < known {
            let missing = format!(
                "it holds {leaves} leaves of evidence, and the log knows of {known}: an older copy, {} leaves are missing",
                known - leaves
            );
            found.push(Difference::new(name, missing));
        }
        Ok(found)
    }

    /// The delivered control records that the log does not hold, newest first: from the newest on to one that it has.
    async fn lost_controls(&self, log: &dyn Log) -> Result<Vec<Delivery>, StoreError> {
        let mut lost = Vec::new();
        let mut before = i64::MAX;
        while lost.len() < CONTROLS_LOOKED_FOR_MAX {
            let Some(delivered) = self.delivered_before(before).await? else { break };
            if holds(log, &delivered)? {
                break;
            }
            before = delivered.seq;
            lost.push(delivered);
        }
        Ok(lost)
    }

    async fn realign(
        &self,
        log: &dyn Log,
        log_id: &str,
        accepted: &[Difference],
        by: &str,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let lost = self.lost_controls(log).await?;
        let mut tx = self.begin(now).await?;
        tx.belong_to(log_id).await?;
        for topic in Topic::ALL {
            tx.move_offset_back(topic.name(), log.end(source(topic))?).await?;
        }
        for delivered in &lost {
            tx.deliver_again(delivered.seq).await?;
        }
        let entry = Entry {
            kind: Kind::Configuration,
            act: "accept_loss",
            actor: by,
            about: "stores",
            case_id: None,
        };
        let said = json!({ "accepted": accepted, "delivered_again": lost.len() });
        tx.leaf(entry, &said).await?;
        tx.commit().await?;
        let transaction = sluice_log::Transaction::default()
            .commit(OUTBOX, MARKS, self.outbox_end().await?)
            .commit(LEAVES, MARKS, self.leaves().await?);
        log.transact(transaction)?;
        Ok(())
    }
}

impl Tx<'_> {
    /// Have the database belong to that log, whichever it belonged to.
    async fn belong_to(&mut self, log_id: &str) -> Result<(), StoreError> {
        query("INSERT INTO own_log (id, log_id) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET log_id = excluded.log_id")
            .bind(log_id)
            .execute(self.sql())
            .await?;
        Ok(())
    }
}

/// Whether the log has a control record where it was put.
fn holds(log: &dyn Log, delivered: &Delivery) -> Result<bool, StoreError> {
    let Some(stored) = record_at(log, PAYMENTS, delivered.place)? else { return Ok(false) };
    // A record that cannot be read is not the one that was put there.
    let said = serde_json::from_slice::<PaymentRecord>(&stored.value).ok();
    Ok(matches!(said, Some(PaymentRecord::Control(control)) if control == delivered.control))
}

/// The record that stands at an offset; the log may leave numbers out.
pub(crate) fn record_at(
    log: &dyn Log,
    partition: Partition,
    offset: u64,
) -> Result<Option<StoredRecord>, LogError> {
    let next = log.read(partition, offset, ReadLimit::records(1))?.into_iter().next();
    Ok(next.filter(|stored| stored.offset == offset))
}

/// Where a feed comes from.
pub(crate) fn source(topic: Topic) -> Partition {
    let source = match topic {
        Topic::Alerts => LogTopic::Alerts,
        Topic::Holds => LogTopic::Holds,
        Topic::Decisions => LogTopic::Decisions,
        Topic::Observations => LogTopic::Observations,
    };
    source.partition(0)
}
