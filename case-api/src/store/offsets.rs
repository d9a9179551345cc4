//! How far each feed has been taken in.

use super::{
    Store, StoreError, Tx,
    sql::{Connection, query},
};

impl Store {
    /// The offset from which a feed is to be read.
    pub async fn offset(&self, feed: &str) -> Result<u64, StoreError> {
        offset(feed, &mut self.read().await?).await
    }
}

async fn offset(feed: &str, sql: &mut Connection) -> Result<u64, StoreError> {
    let next: Option<i64> =
        query("SELECT next FROM offsets WHERE feed = $1").bind(feed).value_or_none(sql).await?;
    u64::try_from(next.unwrap_or(0)).map_err(|_| StoreError::Corrupt("offset"))
}

impl Tx<'_> {
    /// The offset from which a feed is to be read. It stays so until the write is over.
    pub(crate) async fn offset(&mut self, feed: &str) -> Result<u64, StoreError> {
        offset(feed, self.sql()).await
    }

    /// Have a feed that is beyond this offset be read from it.
    pub(super) async fn move_offset_back(&mut self, feed: &str, end: u64) -> Result<(), StoreError> {
        query("UPDATE offsets SET next = $2 WHERE feed = $1 AND next > $2")
            .bind(feed)
            .bind(i64::try_from(end).map_err(|_| StoreError::Corrupt("offset"))?)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// Move a feed to the offset from which it is to be read next.
    pub(crate) async fn move_offset(&mut self, feed: &str, next: u64) -> Result<(), StoreError> {
        query(
            "INSERT INTO offsets (feed, next) VALUES ($1, $2) ON CONFLICT (feed) DO UPDATE SET next = excluded.next",
        )
        .bind(feed)
        .bind(i64::try_from(next).map_err(|_| StoreError::Corrupt("offset"))?)
        .execute(self.sql())
        .await?;
        Ok(())
    }
}
