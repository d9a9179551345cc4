//! What the case database and the log know of each other: which log the database belongs to, and each the other's place. A
//! place was written after the other had it on disk, so that a store which falls behind what the other knows of it has lost
//! its tail, or is an older copy.

use std::fmt;

use serde::Serialize;
use serde_json::json;
use sluice_evidence::{Kind, Signer};
use sluice_log::{Log, LogError, Partition, ReadLimit, StoredRecord, Topic as LogTopic};
use sluice_model::{Control, EventTime, PaymentRecord};

use super::{Database, Entry, Store, StoreError, Tx, outbox::Delivery, sql::query};
use crate::{domain::Topic, limits::CONTROLS_LOOKED_FOR_MAX};

/// The partition under which the log remembers how far the case database had come: one that holds no records.
pub(crate) const MARKS: Partition = LogTopic::Control.partition(0);
/// Under this name: the place in the outbox after the last control record that it delivered.
pub(crate) const OUTBOX: &str = "cases.outbox";
/// Under this name: how many leaves the evidence log had.
pub(crate) const LEAVES: &str = "cases.leaves";

/// The log that a case database belongs to.
#[derive(Clone, Copy)]
pub struct OwnLog<'a> {
    /// It.
    pub log: &'a dyn Log,
    /// The id that only it has.
    pub id: &'a str,
    /// The partition on which it keeps orders: that of the payments of the one engine, or that of control records.
    pub orders: Partition,
}

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
        own: OwnLog<'_>,
    ) -> Result<Vec<Difference>, StoreError> {
        let store = Self::open(database, signer).await?;
        let found = store.check(own).await;
        store.close().await;
        found
    }

    /// Go on with what is there: the database belongs to the log of that id, feeds begin where it ends, control records that
    /// it lost are delivered again, it takes back what it knew of this database. A leaf says what was accepted, and by whom.
    pub async fn accept(
        database: Database<'_>,
        signer: Signer,
        own: OwnLog<'_>,
        accepted: &[Difference],
        by: &str,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let store = Self::open(database, signer).await?;
        let done = store.realign(own, accepted, by, now).await;
        store.close().await;
        done
    }

    async fn check(&self, own: OwnLog<'_>) -> Result<Vec<Difference>, StoreError> {
        self.writer.check().await?;
        let mut found = self.differences(own).await?;
        if found.is_empty() {
            query("INSERT INTO own_log (id, log_id) VALUES (1, $1) ON CONFLICT (id) DO NOTHING")
                .bind(own.id)
                .execute(&mut self.writer.acquire().await?)
                .await?;
        }
        let known: Option<String> =
            query("SELECT log_id FROM own_log").value_or_none(&mut self.read().await?).await?;
        if let Some(known) = known.filter(|known| known != own.id) {
            let foreign = format!(
                "this database belongs to another data folder: its log is {known}, and the one here is {}",
                own.id
            );
            // What else differs follows from it.
            found.insert(0, Difference::new(self.writer.name(), foreign));
        }
        Ok(found)
    }

    /// What is asked first may grow until the other is asked, where another process goes on: a place never falls behind what is
    /// known of it by that.
    async fn differences(&self, own: OwnLog<'_>) -> Result<Vec<Difference>, StoreError> {
        let log = own.log;
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
        let lost = self.lost_controls(own).await?;
        if let (Some(first), Some(last)) = (lost.last(), lost.first()) {
            let missing = format!(
                "{} control records that {name} has delivered are missing from {}: number {} of the outbox, at offset {}, \
                 to number {}, at offset {}",
                lost.len(),
                own.orders,
                first.seq,
                first.place,
                last.seq,
                last.place
            );
            found.push(Difference::new("log", missing));
        }
        let known = log.committed(OUTBOX, MARKS)?;
        let outbox = self.outbox_end().await?;
        if outbox < known {
            let missing = format!(
                "its outbox ends at number {outbox}, and the log has control records of it up to {known}: an older copy"
            );
            found.push(Difference::new(name, missing));
        }
        let known = log.committed(LEAVES, MARKS)?;
        let leaves = self.leaves().await?;
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
    async fn lost_controls(&self, own: OwnLog<'_>) -> Result<Vec<Delivery>, StoreError> {
        let mut lost = Vec::new();
        let mut before = i64::MAX;
        while lost.len() < CONTROLS_LOOKED_FOR_MAX {
            let Some(delivered) = self.delivered_before(before).await? else { break };
            if holds(own, &delivered)? {
                break;
            }
            before = delivered.seq;
            lost.push(delivered);
        }
        Ok(lost)
    }

    async fn realign(
        &self,
        own: OwnLog<'_>,
        accepted: &[Difference],
        by: &str,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let log = own.log;
        let lost = self.lost_controls(own).await?;
        let mut tx = self.begin(now).await?;
        tx.belong_to(own.id).await?;
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

/// Whether the log has a control record where it was put. A record that cannot be read is not the one that was put there.
fn holds(own: OwnLog<'_>, delivered: &Delivery) -> Result<bool, StoreError> {
    let Some(stored) = record_at(own.log, own.orders, delivered.place)? else { return Ok(false) };
    let control = match own.orders.topic {
        LogTopic::Control => serde_json::from_slice::<Control>(&stored.value).ok(),
        _ => match serde_json::from_slice::<PaymentRecord>(&stored.value).ok() {
            Some(PaymentRecord::Control(control)) => Some(control),
            _ => None,
        },
    };
    Ok(control.is_some_and(|control| control == delivered.control))
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
