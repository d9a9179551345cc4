//! Control records on their way to the log: written with the act that ordered them, delivered in order.

use sluice_model::{Control, EventTime};

use super::{Store, StoreError, Tx, sql::query};
use crate::limits::OUTBOX_BATCH;

/// A delivered control record and the offset that it should have.
pub(super) struct Delivery {
    pub seq: i64,
    pub place: u64,
    pub control: Control,
}

impl Store {
    /// Control records not yet delivered, oldest first.
    pub async fn undelivered(&self) -> Result<Vec<(i64, Control)>, StoreError> {
        let rows: Vec<(i64, String)> =
            query("SELECT seq, control FROM outbox WHERE delivered_at IS NULL ORDER BY seq LIMIT $1")
                .bind(OUTBOX_BATCH)
                .fetch_all(&mut self.read().await?)
                .await?;
        rows.into_iter().map(|(seq, text)| Ok((seq, serde_json::from_str(&text)?))).collect()
    }

    /// Whether everything up to `seq` is delivered.
    pub async fn delivered(&self, seq: i64) -> Result<bool, StoreError> {
        let waiting: i64 = query("SELECT COUNT(*) FROM outbox WHERE delivered_at IS NULL AND seq <= $1")
            .bind(seq)
            .value(&mut self.read().await?)
            .await?;
        Ok(waiting == 0)
    }

    /// Remember that one is on the log's disk, and at which offset.
    pub async fn set_delivered(&self, seq: i64, place: u64, now: EventTime) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        query("UPDATE outbox SET delivered_at = $2, place = $3 WHERE seq = $1")
            .bind(seq)
            .bind(now.micros())
            .bind(i64::try_from(place).map_err(|_| StoreError::Corrupt("offset"))?)
            .execute(tx.sql())
            .await?;
        tx.commit().await
    }

    /// The number after the newest control record of the outbox.
    pub(super) async fn outbox_end(&self) -> Result<u64, StoreError> {
        let last: i64 =
            query("SELECT COALESCE(MAX(seq), -1) + 1 FROM outbox").value(&mut self.read().await?).await?;
        u64::try_from(last).map_err(|_| StoreError::Corrupt("place in the outbox"))
    }

    /// The newest delivered control record before `seq`.
    pub(super) async fn delivered_before(&self, seq: i64) -> Result<Option<Delivery>, StoreError> {
        let row: Option<(i64, i64, String)> = query(
            "SELECT seq, place, control FROM outbox
             WHERE seq < $1 AND delivered_at IS NOT NULL AND place IS NOT NULL ORDER BY seq DESC LIMIT 1",
        )
        .bind(seq)
        .fetch_optional(&mut self.read().await?)
        .await?;
        let Some((seq, place, control)) = row else { return Ok(None) };
        let place = u64::try_from(place).map_err(|_| StoreError::Corrupt("offset"))?;
        Ok(Some(Delivery { seq, place, control: serde_json::from_str(&control)? }))
    }
}

impl Tx<'_> {
    /// Have a control record be delivered again.
    pub(super) async fn deliver_again(&mut self, seq: i64) -> Result<(), StoreError> {
        query("UPDATE outbox SET delivered_at = NULL, place = NULL WHERE seq = $1")
            .bind(seq)
            .execute(self.sql())
            .await?;
        Ok(())
    }
}
