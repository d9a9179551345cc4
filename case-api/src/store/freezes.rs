//! The rows of freezes.

use sluice_model::Key;
use sqlx::{FromRow, Row, sqlite::SqliteRow};

use super::{
    Store, StoreError, Tx,
    columns::{moment, moment_or_none},
};
use crate::domain::OrderedFreeze;

impl FromRow<'_, SqliteRow> for OrderedFreeze {
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.try_get("seq")?,
            case_id: row.try_get("case_id")?,
            key_kind: row.try_get("key_kind")?,
            key_value: row.try_get("key_value")?,
            frozen_by: row.try_get("frozen_by")?,
            frozen_at: moment(row, "frozen_at")?,
            lifted_by: row.try_get("lifted_by")?,
            lifted_at: moment_or_none(row, "lifted_at")?,
        })
    }
}

impl Store {
    /// The freezes that a case ordered, oldest first.
    pub async fn freezes_of(&self, case_id: &str) -> Result<Vec<OrderedFreeze>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM freezes WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(&self.readers)
            .await?)
    }
}

impl Tx<'_> {
    /// The freezes that a case ever ordered, oldest first.
    pub(crate) async fn freezes_of_case(&mut self, case_id: &str) -> Result<Vec<OrderedFreeze>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM freezes WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(self.sql())
            .await?)
    }

    /// Record a freeze.
    pub(crate) async fn add_freeze(&mut self, case_id: &str, key: &Key, by: &str) -> Result<(), StoreError> {
        let seq = self.next("freezes").await?;
        sqlx::query(
            "INSERT INTO freezes (seq, case_id, key_kind, key_value, frozen_by, frozen_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(seq)
        .bind(case_id)
        .bind(key.kind.name())
        .bind(&key.value)
        .bind(by)
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// End a freeze.
    pub(crate) async fn lift_freeze(&mut self, seq: i64, by: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE freezes SET lifted_by = $2, lifted_at = $3 WHERE seq = $1")
            .bind(seq)
            .bind(by)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        Ok(())
    }
}
