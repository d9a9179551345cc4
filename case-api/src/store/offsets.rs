//! How far each feed has been taken in.

use super::{Store, StoreError, Tx};

impl Store {
    /// The offset from which a feed is to be read.
    pub async fn offset(&self, feed: &str) -> Result<u64, StoreError> {
        let next: Option<i64> = sqlx::query_scalar("SELECT next FROM offsets WHERE feed = $1")
            .bind(feed)
            .fetch_optional(&self.readers)
            .await?;
        u64::try_from(next.unwrap_or(0)).map_err(|_| StoreError::Corrupt("offset"))
    }
}

impl Tx<'_> {
    /// Move a feed to the offset from which it is to be read next.
    pub(crate) async fn move_offset(&mut self, feed: &str, next: u64) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO offsets (feed, next) VALUES ($1, $2) ON CONFLICT (feed) DO UPDATE SET next = excluded.next",
        )
        .bind(feed)
        .bind(i64::try_from(next).map_err(|_| StoreError::Corrupt("offset"))?)
        .execute(self.sql())
        .await?;
        Ok(())
    }
}
