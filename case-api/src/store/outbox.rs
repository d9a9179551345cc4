//! Control records on their way to the log: written with the act that ordered them, delivered in order.

use sluice_model::{Control, EventTime};

use super::{Store, StoreError};
use crate::limits::OUTBOX_BATCH;

impl Store {
    /// Control records not yet delivered, oldest first.
    pub async fn undelivered(&self) -> Result<Vec<(i64, Control)>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT seq, control FROM outbox WHERE delivered_at IS NULL ORDER BY seq LIMIT $1",
        )
        .bind(OUTBOX_BATCH)
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(|(seq, text)| Ok((seq, serde_json::from_str(&text)?))).collect()
    }

    /// Whether everything up to `seq` is delivered.
    pub async fn delivered(&self, seq: i64) -> Result<bool, StoreError> {
        let waiting: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM outbox WHERE delivered_at IS NULL AND seq <= $1")
                .bind(seq)
                .fetch_one(&self.readers)
                .await?;
        Ok(waiting == 0)
    }

    /// Remember that one is on the log's disk, and at which offset.
    pub async fn set_delivered(&self, seq: i64, place: u64, now: EventTime) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        sqlx::query("UPDATE outbox SET delivered_at = $2 WHERE seq = $1")
            .bind(seq)
            .bind(now.micros())
            .execute(tx.sql())
            .await?;
        sqlx::query(
            "INSERT INTO outbox_places (seq, place) VALUES ($1, $2)
             ON CONFLICT (seq) DO UPDATE SET place = excluded.place",
        )
        .bind(seq)
        .bind(i64::try_from(place).map_err(|_| StoreError::Corrupt("offset"))?)
        .execute(tx.sql())
        .await?;
        tx.commit().await
    }
}
