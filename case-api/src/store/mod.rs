//! The store: the only place with SQL. One write at a time, several readers; what a [`Tx`] wrote, rows, evidence leaves and
//! control records, commits together or not at all. It decides nothing: `domain` does, and `service` asks it.
//!
//! It is SQLite or PostgreSQL: `sql` runs one text on both, `migrations/` has the tables of each side by side.

mod alerts;
mod backtests;
mod cases;
mod columns;
mod configurations;
mod database;
mod decisions;
mod error;
mod evidence;
mod freezes;
mod head;
mod holds;
mod idempotency;
mod keys;
mod lease;
mod list_versions;
mod observed;
mod offsets;
mod outbox;
mod places;
mod quarantine;
mod recount;
mod rule_orders;
mod sql;
mod subjects;
mod suppressions;
mod tx;
mod users;
mod versions;
mod view;

use std::sync::{Mutex, MutexGuard, PoisonError};

use sluice_evidence::{Signer, Tree};
use sluice_model::EventTime;

pub use alerts::{AlertFilter, HourCount, StoredAlert};
pub use cases::{CaseFilter, TimelineEntry};
pub use configurations::Configuration;
pub use database::Database;
pub use error::StoreError;
pub use evidence::{AuditEntry, ChainStatus};
pub use idempotency::{Answer, Claim, KeptClaim};
pub use keys::ApiKey;
pub use list_versions::ListVersion;
pub use observed::{RuleCounts, ShadowAlert};
pub use places::{Difference, OwnLog};
pub(crate) use places::{LEAVES, MARKS, OUTBOX, record_at, source};
pub use recount::Recount;
pub use subjects::Subject;
pub(crate) use subjects::name_of;
pub use suppressions::{SuppressionFilter, SuppressionRow};
pub use tx::{Entry, Tx};
pub use users::{NewSession, Session, User};
pub use versions::{NewVersion, PROPOSAL, RuleVersion};
pub use view::CasesView;

use self::{
    database::{Pool, Pools},
    head::Head,
    sql::{Connection, query},
};

/// Cases, holds, users, evidence.
pub struct Store {
    readers: Pool,
    writer: Pool,
    /// One write of this process at a time; those of others wait for the head.
    turn: tokio::sync::Mutex<()>,
    /// The evidence tree as it was last seen. It is the committed one as long as the head in the database says the same.
    seen: Mutex<Tree>,
    in_memory: bool,
    signer: Signer,
}

impl Store {
    /// Open, apply the migrations of this version, and restore the evidence tree.
    pub async fn open(database: Database<'_>, signer: Signer) -> Result<Self, StoreError> {
        let in_memory = matches!(database, Database::Memory);
        let Pools { writer, readers } = database.open().await?;
        let tree = head::open(&mut writer.acquire().await?).await?;
        let (turn, seen) = (tokio::sync::Mutex::default(), Mutex::new(tree));
        Ok(Self { readers, writer, turn, seen, in_memory, signer })
    }

    /// Let go of the database; of SQLite, leave one tidy file behind.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Whether the store answers, and its writer writes.
    pub async fn probe(&self, now: EventTime) -> Result<(), StoreError> {
        query("SELECT 1").execute(&mut self.read().await?).await?;
        let mut tx = self.begin(now).await?;
        query("INSERT INTO probes (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at")
            .bind(now.micros())
            .execute(tx.sql())
            .await?;
        tx.commit().await
    }

    /// A connection that reads.
    async fn read(&self) -> Result<Connection, StoreError> {
        Ok(self.readers.acquire().await?)
    }

    /// The evidence tree that has this head: the one that was seen last, unless another process has written since, or what
    /// became of a commit was not seen.
    async fn tree(&self, head: Head, sql: &mut Connection) -> Result<Tree, StoreError> {
        let seen = self.seen().clone();
        if Head::of(&seen) == head {
            return Ok(seen);
        }
        let tree = head.tree(sql).await?;
        *self.seen() = tree.clone();
        Ok(tree)
    }

    fn seen(&self) -> MutexGuard<'_, Tree> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A page of a list, newest first.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// Only rows older than this one.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

impl Page {
    /// The newest `limit` rows.
    pub const fn first(limit: u32) -> Self {
        Self { before: None, limit }
    }

    /// `seq < ?` for SQL.
    fn before(self) -> i64 {
        self.before.unwrap_or(i64::MAX)
    }

    /// `LIMIT ?` for SQL: one more than the page, to know whether there is a next one.
    fn fetch(self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// The rows of this page, and where the next one begins.
    fn cut<T>(self, mut rows: Vec<T>, seq: impl Fn(&T) -> i64) -> (Vec<T>, Option<i64>) {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().map(seq).filter(|_| more);
        (rows, next)
    }
}

/// Fresh random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| StoreError::Random)?;
    Ok(bytes)
}
