//! Freezes: keys whose payments are rejected, each ordered in a case.

use serde::Serialize;
use sluice_model::{Key, KeyKind};
use sqlx::FromRow;

use super::{Store, StoreError, Tx, cases::stamp_or_null};
use crate::stamp::Stamp;

/// A freeze that a case ordered.
#[derive(Clone, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct FreezeRow {
    /// Its place in the order of ordering.
    #[serde(skip)]
    pub seq: i64,
    /// The case.
    pub case_id: String,
    /// The kind of the frozen key.
    pub key_kind: String,
    /// The frozen key.
    pub key_value: String,
    /// Who ordered it.
    pub frozen_by: String,
    /// When.
    #[sqlx(try_from = "i64")]
    pub frozen_at: Stamp,
    /// Who ended it.
    pub lifted_by: Option<String>,
    /// When.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub lifted_at: Option<i64>,
}

impl FreezeRow {
    /// Whether it is in force.
    pub const fn stands(&self) -> bool {
        self.lifted_at.is_none()
    }

    /// Whether it is of a key, however either is written: the engine thaws them together.
    pub(super) fn is_of(&self, key: &Key) -> bool {
        let folded = |key: &Key| key.normalised().value.to_lowercase();
        self.key().is_some_and(|own| own.kind == key.kind && folded(&own) == folded(key))
    }

    /// What is frozen.
    pub(super) fn key(&self) -> Option<Key> {
        Some(Key { kind: KeyKind::from_name(&self.key_kind)?, value: self.key_value.clone() })
    }
}

impl Store {
    /// The freezes that a case ordered, oldest first.
    pub async fn freezes_of(&self, case_id: &str) -> Result<Vec<FreezeRow>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM freezes WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(&self.readers)
            .await?)
    }
}

impl Tx<'_> {
    /// The freezes that a case ever ordered, oldest first.
    pub(super) async fn freezes_of_case(&mut self, case_id: &str) -> Result<Vec<FreezeRow>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM freezes WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(self.sql())
            .await?)
    }

    /// The freezes of a case that are in force.
    pub(super) async fn standing_freezes(&mut self, case_id: &str) -> Result<Vec<FreezeRow>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM freezes WHERE case_id = $1 AND lifted_at IS NULL ORDER BY seq")
            .bind(case_id)
            .fetch_all(self.sql())
            .await?)
    }

    /// Record a freeze.
    pub(super) async fn add_freeze(&mut self, case_id: &str, key: &Key, by: &str) -> Result<(), StoreError> {
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
    pub(super) async fn lift_freeze(&mut self, seq: i64, by: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE freezes SET lifted_by = $2, lifted_at = $3 WHERE seq = $1")
            .bind(seq)
            .bind(by)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        Ok(())
    }
}
