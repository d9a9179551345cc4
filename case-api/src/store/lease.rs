//! Which of several processes over one database does the work behind the pages. It says who is to work, so that two do not
//! stand in each other's way; that what one does twice counts once, offsets and claims see to.

use std::time::Duration;

use super::{
    Store, StoreError,
    sql::{Statement, query},
};

/// Take it, or keep it for longer, by the database's own clock in milliseconds: those of the processes may differ.
const TAKE: Statement = Statement::two(
    "INSERT INTO leases (name, holder, expires_at)
     VALUES ('work', $1, CAST(unixepoch('subsec') * 1000 AS INTEGER) + $2)
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
     WHERE leases.holder = excluded.holder OR leases.expires_at < CAST(unixepoch('subsec') * 1000 AS INTEGER)",
    "INSERT INTO leases (name, holder, expires_at)
     VALUES ('work', $1, CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) + $2)
     ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
     WHERE leases.holder = excluded.holder
        OR leases.expires_at < CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)",
);

impl Store {
    /// Have the lease for so long from now on; whether that was possible.
    pub async fn take_lease(&self, holder: &str, lasts: Duration) -> Result<bool, StoreError> {
        let lasts = i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX);
        let taken = query(TAKE).bind(holder).bind(lasts).execute(&mut self.writer.acquire().await?).await?;
        Ok(taken == 1)
    }

    /// Let the lease go, where this is who has it.
    pub async fn end_lease(&self, holder: &str) -> Result<(), StoreError> {
        query("DELETE FROM leases WHERE holder = $1")
            .bind(holder)
            .execute(&mut self.writer.acquire().await?)
            .await?;
        Ok(())
    }
}
