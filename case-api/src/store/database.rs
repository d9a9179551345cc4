//! Where the store is, and its two pools there: one connection that writes, several that read. Tables are made, and taken
//! forward, when it is opened.

use std::path::Path;
#[cfg(feature = "postgres")]
use std::str::FromStr;

#[cfg(feature = "postgres")]
use sqlx::{ConnectOptions as _, Connection as _, PgPool, postgres::PgConnectOptions};
use sqlx::{
    SqlitePool,
    pool::PoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{
    StoreError,
    sql::{Connection, Statement, each},
};
use crate::limits::{READ_WHOLE_BYTES_MAX, STORE_READERS, STORE_WAIT};
#[cfg(feature = "postgres")]
use crate::limits::{STORE_LOCK_WAIT, STORE_WRITE_IDLE};

/// Where the store is.
#[derive(Clone, Copy)]
pub enum Database<'a> {
    /// A SQLite file, made where there is none.
    File(&'a Path),
    /// Memory only: tests.
    Memory,
    /// A database of a PostgreSQL server, by its URL. It holds a password, and is never shown.
    #[cfg(feature = "postgres")]
    Postgres(&'a str),
}

/// Connections to one of the two databases.
#[derive(Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(PgPool),
}

/// The connection that writes, and those that read.
pub(super) struct Pools {
    pub writer: Pool,
    pub readers: Pool,
}

/// How a write begins: SQLite's from its first statement on as the only one, PostgreSQL's until it locks the head.
pub(super) const BEGIN: Statement = Statement::two("BEGIN IMMEDIATE", "BEGIN");

impl Database<'_> {
    /// Connect, and apply the migrations of this version.
    pub(super) async fn open(self) -> Result<Pools, StoreError> {
        let pools = match self {
            Self::File(path) => on_file(path).await?,
            Self::Memory => in_memory().await?,
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => on_server(url).await?,
        };
        match &pools.writer {
            Pool::Sqlite(pool) => sqlx::migrate!("migrations/sqlite").run(pool).await?,
            #[cfg(feature = "postgres")]
            Pool::Postgres(pool) => sqlx::migrate!("migrations/postgres").run(pool).await?,
        }
        Ok(pools)
    }
}

async fn on_file(path: &Path) -> Result<Pools, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true);
    let writer = limited(1).connect_with(options.clone()).await?;
    let readers = limited(STORE_READERS).connect_with(options.read_only(true)).await?;
    Ok(Pools { writer: Pool::Sqlite(writer), readers: Pool::Sqlite(readers) })
}

/// The database lives in its one connection.
async fn in_memory() -> Result<Pools, StoreError> {
    let one = limited(1).after_release(|connection, _| {
        Box::pin(async {
            // What was not committed. It fails where there is nothing to roll back.
            let _ = sqlx::raw_sql("ROLLBACK").execute(connection).await;
            Ok(true)
        })
    });
    let one = Pool::Sqlite(one.connect_with(SqliteConnectOptions::new().in_memory(true)).await?);
    Ok(Pools { writer: one.clone(), readers: one })
}

/// A pool finds out that a connection was lost when it is next asked for one, and opens another.
#[cfg(feature = "postgres")]
async fn on_server(url: &str) -> Result<Pools, StoreError> {
    let options = PgConnectOptions::from_str(url)?.application_name("sluice").options([
        ("client_min_messages", "warning".to_owned()),
        ("lock_timeout", format!("{}ms", STORE_LOCK_WAIT.as_millis())),
        ("idle_in_transaction_session_timeout", format!("{}ms", STORE_WRITE_IDLE.as_millis())),
    ]);
    // A pool says only that it waited; the first connection says why there is none.
    options.connect().await?.close().await?;
    let writer = limited(1).connect_with(options.clone()).await?;
    let options = options.options([("default_transaction_read_only", "on")]);
    let readers = limited(STORE_READERS).connect_with(options).await?;
    Ok(Pools { writer: Pool::Postgres(writer), readers: Pool::Postgres(readers) })
}

fn limited<DB: sqlx::Database>(connections: u32) -> PoolOptions<DB> {
    // An in-memory database lives as long as its connection: never close one.
    PoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(STORE_WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
}

impl Pool {
    /// A connection of it.
    pub(super) async fn acquire(&self) -> Result<Connection, sqlx::Error> {
        match self {
            Self::Sqlite(pool) => pool.acquire().await.map(Connection::Sqlite),
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => pool.acquire().await.map(Connection::Postgres),
        }
    }

    /// Let go of all of them.
    pub(super) async fn close(&self) {
        each!(Self, self, pool => pool.close().await);
    }

    /// How messages name it.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "cases.sqlite",
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => "the case database",
        }
    }

    /// Have the database look whether it is what was written. PostgreSQL's checksums are its own affair: it says so of each
    /// page that it reads.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(pool) => check_file(pool).await,
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => Ok(()),
        }
    }
}

/// SQLite's own check of the file.
async fn check_file(pool: &SqlitePool) -> Result<(), StoreError> {
    let (pages, size): (i64, i64) =
        sqlx::query_as("SELECT page_count, page_size FROM pragma_page_count, pragma_page_size")
            .fetch_one(pool)
            .await?;
    if pages.saturating_mul(size) > READ_WHOLE_BYTES_MAX {
        tracing::warn!("the case database is too large to be read whole at a start");
        return Ok(());
    }
    let found: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(pool).await?;
    if found == "ok" { Ok(()) } else { Err(StoreError::Damaged(found)) }
}
