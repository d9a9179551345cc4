//! The list versions that were in force the last time.

use sqlx::FromRow;

use super::{StoreError, Tx, sql::query};

/// A list version.
#[derive(Clone, Debug, FromRow)]
pub struct ListVersion {
    /// The source.
    pub source: String,
    /// The version's content hash.
    pub version: String,
    /// Entries in it.
    pub entries: i64,
}

impl Tx<'_> {
    /// Each list that was in force, by its source.
    pub(crate) async fn list_versions(&mut self) -> Result<Vec<ListVersion>, StoreError> {
        Ok(query("SELECT source, version, entries FROM list_versions ORDER BY source")
            .fetch_all(self.sql())
            .await?)
    }

    /// This version is in force.
    pub(crate) async fn put_list_version(&mut self, of: &ListVersion) -> Result<(), StoreError> {
        query(
            "INSERT INTO list_versions (source, version, entries) VALUES ($1, $2, $3)
             ON CONFLICT (source) DO UPDATE SET version = excluded.version, entries = excluded.entries",
        )
        .bind(&of.source)
        .bind(&of.version)
        .bind(of.entries)
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// None of this source is.
    pub(crate) async fn forget_list(&mut self, source: &str) -> Result<(), StoreError> {
        query("DELETE FROM list_versions WHERE source = $1").bind(source).execute(self.sql()).await?;
        Ok(())
    }
}
