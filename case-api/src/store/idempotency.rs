//! Stored answers for `Idempotency-Key`: claimed before a request runs, kept with what it did.

use serde::Serialize;
use sluice_model::EventTime;
use sqlx::FromRow;

use super::{StoreError, Tx, sql::query};

/// The right to run a request under its key.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Whose key it is: two services may choose the same one.
    pub actor: String,
    /// The key.
    pub key: String,
    /// The hash of method, path and body.
    pub fingerprint: String,
}

/// An answer as it was given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Vec<u8>,
}

/// A claim as it is kept.
#[derive(Clone, Debug, FromRow)]
pub struct KeptClaim {
    /// The hash of method, path and body of the request that made it.
    pub fingerprint: String,
    /// The process that ran it.
    pub instance: String,
    status: Option<i64>,
    content_type: Option<String>,
    body: Option<Vec<u8>>,
}

impl KeptClaim {
    /// The answer that was given, if it was.
    pub fn answer(self) -> Result<Option<Answer>, StoreError> {
        let Some(status) = self.status else { return Ok(None) };
        Ok(Some(Answer {
            status: u16::try_from(status).map_err(|_| StoreError::Corrupt("status"))?,
            content_type: self.content_type.unwrap_or_default(),
            body: self.body.unwrap_or_default(),
        }))
    }
}

impl Tx<'_> {
    /// Forget the claims that were made before.
    pub(crate) async fn forget_claims_before(&mut self, at: EventTime) -> Result<(), StoreError> {
        query("DELETE FROM idempotency WHERE created_at < $1").bind(at.micros()).execute(self.sql()).await?;
        Ok(())
    }

    /// What is kept under the key of a claim.
    pub(crate) async fn kept_claim(&mut self, claim: &Claim) -> Result<Option<KeptClaim>, StoreError> {
        Ok(query(
            "SELECT fingerprint, instance, status, content_type, body FROM idempotency WHERE actor = $1 AND key = $2",
        )
        .bind(&claim.actor)
        .bind(&claim.key)
        .fetch_optional(self.sql())
        .await?)
    }

    /// A process runs the request of a claim.
    pub(crate) async fn put_claim(&mut self, claim: &Claim, instance: &str) -> Result<(), StoreError> {
        query(
            "INSERT INTO idempotency (actor, key, fingerprint, instance, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (actor, key) DO UPDATE SET instance = excluded.instance",
        )
        .bind(&claim.actor)
        .bind(&claim.key)
        .bind(&claim.fingerprint)
        .bind(instance)
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// Forget a claim that has no answer.
    pub(crate) async fn forget_claim(&mut self, claim: &Claim) -> Result<(), StoreError> {
        query("DELETE FROM idempotency WHERE actor = $1 AND key = $2 AND status IS NULL")
            .bind(&claim.actor)
            .bind(&claim.key)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// Keep the answer to a request, if it made a claim, with what is done in this transaction.
    pub(crate) async fn answer<T: Serialize>(
        &mut self,
        claim: Option<&Claim>,
        status: u16,
        answer: &T,
    ) -> Result<(), StoreError> {
        match claim {
            Some(claim) => {
                self.keep_answer(claim, status, "application/json", &serde_json::to_vec(answer)?).await
            }
            None => Ok(()),
        }
    }

    pub(crate) async fn keep_answer(
        &mut self,
        claim: &Claim,
        status: u16,
        content_type: &str,
        body: &[u8],
    ) -> Result<(), StoreError> {
        query(
            "UPDATE idempotency SET status = $3, content_type = $4, body = $5 WHERE actor = $1 AND key = $2",
        )
        .bind(&claim.actor)
        .bind(&claim.key)
        .bind(i64::from(status))
        .bind(content_type)
        .bind(body)
        .execute(self.sql())
        .await?;
        Ok(())
    }
}
