//! API keys of payment services. Stored hashed; the key itself is shown once.

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::EventTime;
use sqlx::FromRow;

use super::{Entry, Store, StoreError};
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
        Ok(sqlx::query_as("SELECT * FROM api_keys WHERE key_id = $1 AND revoked_at IS NULL")
            .bind(key_id)
            .fetch_optional(&self.readers)
            .await?)
    }

    /// Keep a new key's hash.
    pub async fn add_api_key(
        &self,
        key_id: &str,
        key_hash: &str,
        name: &str,
        roles: &Roles,
        by: &str,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        sqlx::query(
            "INSERT INTO api_keys (key_id, key_hash, name, roles, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(key_id)
        .bind(key_hash)
        .bind(name)
        .bind(roles.to_string())
        .bind(now.micros())
        .execute(tx.sql())
        .await?;
        let entry =
            Entry { kind: Kind::Configuration, act: "add_api_key", actor: by, about: key_id, case_id: None };
        tx.leaf(entry, &json!({ "key_id": key_id, "name": name, "roles": roles })).await?;
        tx.commit().await
    }

    /// Refuse a key from now on; whether there was one.
    pub async fn revoke_api_key(&self, key_id: &str, by: &str, now: EventTime) -> Result<bool, StoreError> {
        let mut tx = self.begin(now).await?;
        let done =
            sqlx::query("UPDATE api_keys SET revoked_at = $2 WHERE key_id = $1 AND revoked_at IS NULL")
                .bind(key_id)
                .bind(now.micros())
                .execute(tx.sql())
                .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let entry = Entry {
            kind: Kind::Configuration,
            act: "revoke_api_key",
            actor: by,
            about: key_id,
            case_id: None,
        };
        tx.leaf(entry, &json!({ "key_id": key_id })).await?;
        tx.commit().await?;
        Ok(true)
    }
}
