//! API keys of payment services. Stored hashed; the key itself is shown once.

use serde::Serialize;
use sqlx::FromRow;

use super::{Store, StoreError, Tx, sql::query};
use crate::{domain::Roles, stamp::Stamp};

/// An API key, without the key.
#[derive(Clone, Debug, Serialize, FromRow)]
pub struct ApiKey {
    /// What the key begins with, after its prefix: it finds the row.
    pub key_id: String,
    /// SHA-256 of the whole key, hexadecimal.
    #[serde(skip)]
    pub key_hash: String,
    /// Whose it is.
    pub name: String,
    /// Roles, comma-separated.
    pub roles: String,
    /// When it was made.
    #[sqlx(try_from = "i64")]
    pub created_at: Stamp,
}

impl Store {
    /// A key that is not revoked.
    pub async fn api_key(&self, key_id: &str) -> Result<Option<ApiKey>, StoreError> {
        Ok(query("SELECT * FROM api_keys WHERE key_id = $1 AND revoked_at IS NULL")
            .bind(key_id)
            .fetch_optional(&mut self.read().await?)
            .await?)
    }
}

impl Tx<'_> {
    /// Keep a new key's hash.
    pub(crate) async fn add_api_key(
        &mut self,
        key_id: &str,
        key_hash: &str,
        name: &str,
        roles: &Roles,
    ) -> Result<(), StoreError> {
        query("INSERT INTO api_keys (key_id, key_hash, name, roles, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(key_id)
            .bind(key_hash)
            .bind(name)
            .bind(roles.to_string())
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// Refuse a key from now on; whether there was one.
    pub(crate) async fn revoke_api_key(&mut self, key_id: &str) -> Result<bool, StoreError> {
        let done = query("UPDATE api_keys SET revoked_at = $2 WHERE key_id = $1 AND revoked_at IS NULL")
            .bind(key_id)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        Ok(done > 0)
    }
}
