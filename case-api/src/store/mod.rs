//! The store: the only place with SQL. One writer, several readers; what a [`Tx`] wrote, rows, evidence leaves and
//! control records, commits together or not at all. It decides nothing: `domain` does, and `service` asks it.
//!
//! SQL is portable: `$1` parameters, TEXT, BIGINT, BOOLEAN and BLOB columns, static texts.

mod alerts;
mod backtests;
mod cases;
mod columns;
mod configurations;
mod decisions;
mod evidence;
mod freezes;
mod holds;
mod idempotency;
mod keys;
mod list_versions;
mod observed;
mod offsets;
mod outbox;
mod places;
mod quarantine;
mod rule_orders;
mod subjects;
mod suppressions;
mod tx;
mod users;
mod versions;

use std::{path::Path, sync::atomic::AtomicBool};

use sluice_evidence::{MissingNode, Signer, Tree};
use sluice_model::EventTime;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Mutex;

pub use alerts::{AlertFilter, HourCount, StoredAlert};
pub use cases::{CaseFilter, TimelineEntry};
pub use configurations::Configuration;
pub use evidence::{AuditEntry, ChainStatus};
pub use idempotency::{Answer, Claim, KeptClaim};
pub use keys::ApiKey;
pub use list_versions::ListVersion;
pub use observed::{RuleCounts, ShadowAlert};
pub(crate) use places::source;
pub use places::{Difference, LEAVES, MARKS, OUTBOX};
pub use subjects::Subject;
pub(crate) use subjects::name_of;
pub use suppressions::{SuppressionFilter, SuppressionRow};
pub use tx::{Entry, Tx};
pub use users::{NewSession, Session, User};
pub use versions::{NewVersion, PROPOSAL, RuleVersion};

use crate::limits::{STORE_READERS, STORE_WAIT};

/// What went wrong in the store. Texts hold no personal data: SQL texts carry parameters, never values.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("the database failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// A stored text is not what was written.
    #[error("a stored record cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The evidence tree's hashes are not all there.
    #[error(transparent)]
    Tree(#[from] MissingNode),
    /// A record has no body that evidence can commit to.
    #[error(transparent)]
    Body(#[from] sluice_evidence::BodyError),
    /// A bundle could not be made.
    #[error(transparent)]
    Bundle(#[from] sluice_evidence::BundleError),
    /// The machine gave no random bytes.
    #[error("the system has no random bytes to give")]
    Random,
    /// A stored value is outside what it can be.
    #[error("the store holds a {0} that is none")]
    Corrupt(&'static str),
    /// The database is not what SQLite wrote.
    #[error("the case database is damaged: {0}; put back a whole copy of the data folder")]
    Damaged(String),
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] sluice_log::LogError),
}

/// SQLite's code of a disk that has no space left.
const SQLITE_FULL: &str = "13";
/// Its code of an index of the WAL that cannot grow: the same, met elsewhere.
const SQLITE_IOERR_SHMSIZE: &str = "4874";

/// SQLite's codes of a file that it did not write so.
const SQLITE_DAMAGED: [u32; 2] = [11, 26];

impl StoreError {
    /// Whether the database is not what was written.
    pub fn is_damaged(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Sql(sqlx::Error::Database(error)) => {
                // The lower byte is the code; the rest says where.
                let code = error.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
                code.is_some_and(|code| SQLITE_DAMAGED.contains(&code))
            }
            _ => false,
        }
    }

    /// Whether the disk has no space left: nothing of the write was kept, and it may succeed once there is some.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| [SQLITE_FULL, SQLITE_IOERR_SHMSIZE].contains(&&*code))
            }
            Self::Sql(sqlx::Error::Io(error)) => error.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }
}

/// Where the store is.
#[derive(Clone, Copy, Debug)]
pub enum Database<'a> {
    /// A SQLite file, made where there is none.
    File(&'a Path),
    /// Memory only: tests.
    Memory,
}

/// Cases, holds, users, evidence.
pub struct Store {
    readers: SqlitePool,
    writer: SqlitePool,
    /// The evidence tree as committed. Held for the whole of a write, so that leaves are numbered in commit order.
    tree: Mutex<Tree>,
    /// Whether a commit began and was not seen to end: it failed, or whoever asked for it went away. What became of it the
    /// tables say: the tree is read anew before the next write.
    in_doubt: AtomicBool,
    in_memory: bool,
    signer: Signer,
}

impl Store {
    /// Open, make the tables that are missing, and restore the evidence tree.
    pub async fn open(database: Database<'_>, signer: Signer) -> Result<Self, StoreError> {
        let (writer, readers) = match database {
            Database::File(path) => {
                let options = SqliteConnectOptions::new()
                    .filename(path)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true);
                let writer = pool(1).connect_with(options.clone()).await?;
                (writer, pool(STORE_READERS).connect_with(options.read_only(true)).await?)
            }
            Database::Memory => {
                let one = pool(1).after_release(|connection, _| {
                    Box::pin(async {
                        // What was not committed. It fails where there is nothing to roll back.
                        let _ = sqlx::raw_sql("ROLLBACK").execute(connection).await;
                        Ok(true)
                    })
                });
                let one = one.connect_with(SqliteConnectOptions::new().in_memory(true)).await?;
                (one.clone(), one)
            }
        };
        sqlx::raw_sql(include_str!("schema.sql")).execute(&writer).await?;
        let tree = Mutex::new(evidence::restore(&mut *writer.acquire().await?).await?);
        let in_memory = matches!(database, Database::Memory);
        Ok(Self { readers, writer, tree, in_doubt: AtomicBool::new(false), in_memory, signer })
    }

    /// Let go of the database, and leave one tidy file behind.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// Whether the store answers, and its writer writes.
    pub async fn probe(&self, now: EventTime) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.readers).await?;
        let mut tx = self.begin(now).await?;
        sqlx::query(
            "INSERT INTO probes (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = excluded.at",
        )
        .bind(now.micros())
        .execute(tx.sql())
        .await?;
        tx.commit().await
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    // An in-memory database lives as long as its connection: never let go of one.
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(STORE_WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
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
