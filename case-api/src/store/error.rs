//! What can go wrong in the store, and which of it passes: a full disk does, a damaged database does not.

use sluice_evidence::MissingNode;
use sqlx::{error::DatabaseError, migrate::MigrateError};

/// What went wrong in the store. Texts hold no personal data: SQL texts carry parameters, never values.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database failed.
    #[error("the database failed: {0}")]
    Sql(#[from] sqlx::Error),
    /// The tables are not as this version knows them, and could not be made so.
    #[error("the case database cannot be taken forward: {0}")]
    Migration(MigrateError),
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
    /// The database is not what was written.
    #[error("the case database is damaged: {0}; put back a whole copy of it")]
    Damaged(String),
    /// The log could not be read.
    #[error(transparent)]
    Log(#[from] sluice_log::LogError),
}

/// SQLite's code of a disk that has no space left, and its code of an index of the WAL that cannot grow: the same, met
/// elsewhere.
const SQLITE_FULL: [&str; 2] = ["13", "4874"];
/// SQLite's codes of a file that it did not write so.
const SQLITE_DAMAGED: [u32; 2] = [11, 26];
/// PostgreSQL's `disk_full`.
#[cfg(feature = "postgres")]
const POSTGRES_FULL: &str = "53100";
/// PostgreSQL's `data_corrupted` and `index_corrupted`.
#[cfg(feature = "postgres")]
const POSTGRES_DAMAGED: [&str; 2] = ["XX001", "XX002"];

impl StoreError {
    /// Whether the database is not what was written.
    pub fn is_damaged(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Sql(sqlx::Error::Database(error)) => is_damage(&**error),
            _ => false,
        }
    }

    /// Whether the database was not to be had at all, rather than refusing something.
    pub fn is_out_of_reach(&self) -> bool {
        use sqlx::Error::{Configuration, Io, PoolTimedOut, Tls};
        matches!(self, Self::Sql(Configuration(_) | Io(_) | PoolTimedOut | Tls(_))) && !self.is_full()
    }

    /// Whether the disk has no space left: nothing of the write was kept, and it may succeed once there is some.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => is_want_of_space(&**error),
            Self::Sql(sqlx::Error::Io(error)) => error.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::Sql(error),
            error => Self::Migration(error),
        }
    }
}

fn is_damage(error: &dyn DatabaseError) -> bool {
    #[cfg(feature = "postgres")]
    if let Some(error) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        return POSTGRES_DAMAGED.contains(&error.code());
    }
    // The lower byte is the code; the rest says where.
    let code = error.code().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    code.is_some_and(|code| SQLITE_DAMAGED.contains(&code))
}

fn is_want_of_space(error: &dyn DatabaseError) -> bool {
    #[cfg(feature = "postgres")]
    if let Some(error) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        return error.code() == POSTGRES_FULL;
    }
    error.code().is_some_and(|code| SQLITE_FULL.contains(&&*code))
}
