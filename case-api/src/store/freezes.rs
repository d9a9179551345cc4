//! The rows of freezes.

use sluice_model::Key;
use sqlx::{FromRow, Row};

use super::{Store, StoreError, Tx, columns::Columns, sql::query};
use crate::domain::OrderedFreeze;

impl<'r, R: Row + Columns> FromRow<'r, R> for OrderedFreeze {
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.int("seq")?,
            case_id: row.text("case_id")?,
            key_kind: row.text("key_kind")?,
            key_value: row.text("key_value")?,
            frozen_by: row.text("frozen_by")?,
            frozen_at: row.moment("frozen_at")?,
            lifted_by: row.text_or_none("lifted_by")?,
            lifted_at: row.moment_or_none("lifted_at")?,
        })
    }
}

impl Store {
    /// The freezes that a case ordered, oldest first.
    pub async fn freezes_of(&self, case_id: &str) -> Result<Vec<OrderedFreeze>, StoreError> {
        Ok(query("SELECT * FROM freezes WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(&mut self.read().await?)
            .await?)
    }
}

impl Tx<'_> {
    /// The freezes that a case ever ordered, oldest first.
    pub(crate) async fn freezes_of_case(&mut self, case_id: &str) -> Result<Vec<OrderedFreeze>, StoreError> {
        Ok(query("SELECT * FROM freezes WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(self.sql())
            .await?)
    }

    /// Record a freeze.
    pub(crate) async fn add_freeze(&mut self, case_id: &str, key: &Key, by: &str) -> Result<(), StoreError> {
        query(
            "INSERT INTO freezes (case_id, key_kind, key_value, frozen_by, frozen_at)
             VALUES ($1, $2, $3, $4, $5)",
        )
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
        query("UPDATE freezes SET lifted_by = $2, lifted_at = $3 WHERE seq = $1")
            .bind(seq)
            .bind(by)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        Ok(())
    }
}
