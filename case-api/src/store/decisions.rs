//! The answers that payment services were given: the hash and the leaf of the last one for each event.

use sluice_evidence::Kind;

use super::{StoreError, Tx, sql::query};

impl Tx<'_> {
    /// The hash and the leaf of the last answer for an event.
    pub(crate) async fn decision(&mut self, event_id: &str) -> Result<Option<(String, i64)>, StoreError> {
        Ok(query("SELECT hash, leaf FROM decisions WHERE event_id = $1")
            .bind(event_id)
            .fetch_optional(self.sql())
            .await?)
    }

    /// The leaf of a decision that was recorded before corrections were.
    pub(crate) async fn decision_of_older_versions(
        &mut self,
        event_id: &str,
    ) -> Result<Option<i64>, StoreError> {
        Ok(query("SELECT MAX(idx) FROM leaves WHERE about = $1 AND kind = $2")
            .bind(event_id)
            .bind(Kind::Decision.name())
            .value(self.sql())
            .await?)
    }

    /// Keep the hash and the leaf of the last answer for an event.
    pub(crate) async fn put_decision(
        &mut self,
        event_id: &str,
        hash: &str,
        leaf: i64,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO decisions (event_id, hash, leaf) VALUES ($1, $2, $3)
             ON CONFLICT (event_id) DO UPDATE SET hash = excluded.hash, leaf = excluded.leaf",
        )
        .bind(event_id)
        .bind(hash)
        .bind(leaf)
        .execute(self.sql())
        .await?;
        Ok(())
    }
}
