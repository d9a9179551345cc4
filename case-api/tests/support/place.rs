//! Where a test's store is: SQLite, or PostgreSQL in the binary that runs the suite on it.

use std::path::{Path, PathBuf};

use sluice_case_api::store::Database;

#[cfg(feature = "postgres")]
use super::cluster;

/// Whether this binary is the one that runs the suite on PostgreSQL.
#[cfg(feature = "postgres")]
const ON_POSTGRES: bool = matches!(env!("CARGO_CRATE_NAME").as_bytes(), b"postgres");

/// A database.
#[derive(Clone, Debug)]
pub enum Place {
    Memory,
    File(PathBuf),
    #[cfg(feature = "postgres")]
    Postgres(String),
}

impl Place {
    /// One that nobody has used.
    pub fn fresh() -> Self {
        #[cfg(feature = "postgres")]
        if ON_POSTGRES {
            use std::sync::atomic::{AtomicU64, Ordering};
            static NEXT: AtomicU64 = AtomicU64::new(0);
            let of = format!("{} {}", module_path!(), NEXT.fetch_add(1, Ordering::Relaxed));
            if let Some(url) = cluster::database(&name(&of)) {
                return Self::Postgres(url);
            }
        }
        Self::Memory
    }

    /// The one that belongs to a path, whoever asks.
    pub fn of(path: &Path) -> Self {
        #[cfg(feature = "postgres")]
        if ON_POSTGRES && let Some(url) = cluster::database(&name(&path.display().to_string())) {
            return Self::Postgres(url);
        }
        Self::File(path.to_owned())
    }

    pub fn database(&self) -> Database<'_> {
        match self {
            Self::Memory => Database::Memory,
            Self::File(path) => Database::File(path),
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => Database::Postgres(url),
        }
    }

    pub const fn is_postgres(&self) -> bool {
        !matches!(self, Self::Memory | Self::File(_))
    }

    /// The only column of rows of a file, beside the store.
    pub async fn rows(&self, sql: &str) -> Vec<String> {
        use sqlx::Connection as _;
        let Self::File(path) = self else { panic!("not a file") };
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut file = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
        let sql = sqlx::AssertSqlSafe(sql.to_owned());
        let rows = sqlx::query_scalar(sql).fetch_all(&mut file).await.unwrap();
        file.close().await.unwrap();
        rows
    }

    /// Run statements on it beside the store: one text for SQLite, one for PostgreSQL.
    pub async fn execute(&self, sqlite: &'static str, postgres: &str) {
        use sqlx::Connection as _;
        match self {
            Self::File(path) => {
                let options =
                    sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
                let mut sql = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::raw_sql(sqlite).execute(&mut sql).await.unwrap();
                sql.close().await.unwrap();
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(url) => {
                cluster::execute(url, postgres);
            }
            Self::Memory => panic!("nobody else reaches a database in memory ({postgres})"),
        }
    }
}

#[cfg(feature = "postgres")]
fn name(of: &str) -> String {
    format!("t_{}", sluice_model::Hash256::of(of.as_bytes()).short())
}
