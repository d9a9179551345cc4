//! Stored answers for `Idempotency-Key`: claimed before a request runs, kept with what it did.

use serde::Serialize;
use sluice_model::EventTime;
use sqlx::FromRow;

use super::{Store, StoreError, Tx};
use crate::limits::IDEMPOTENCY_LIFE;

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

/// What became of a claim.
#[derive(Clone, Debug)]
pub enum Claimed {
    /// Nobody ran it: run it.
    Run,
    /// It ran: give this answer again.
    Again(Answer),
    /// The key was used for another request.
    Other,
    /// It is running at this moment.
    Running,
}

#[derive(FromRow)]
struct Row {
    fingerprint: String,
    instance: String,
    status: Option<i64>,
    content_type: Option<String>,
    body: Option<Vec<u8>>,
}

impl Store {
    /// Claim a key. `is_running`: whether a request of this process holds it at this moment. What else was left without
    /// an answer died with its process, was given up by its client, or met a full disk; what it did was rolled back, or
    /// kept together with its answer.
    pub async fn claim(
        &self,
        claim: &Claim,
        instance: &str,
        is_running: bool,
        now: EventTime,
    ) -> Result<Claimed, StoreError> {
        let mut tx = self.begin(now).await?;
        sqlx::query("DELETE FROM idempotency WHERE created_at < $1")
            .bind(now.minus(IDEMPOTENCY_LIFE).micros())
            .execute(tx.sql())
            .await?;
        let row: Option<Row> = sqlx::query_as("SELECT * FROM idempotency WHERE actor = $1 AND key = $2")
            .bind(&claim.actor)
            .bind(&claim.key)
            .fetch_optional(tx.sql())
            .await?;
        let known = match row {
            Some(row) if row.fingerprint != claim.fingerprint => Some(Claimed::Other),
            Some(Row { status: Some(status), content_type, body, .. }) => Some(Claimed::Again(Answer {
                status: u16::try_from(status).map_err(|_| StoreError::Corrupt("status"))?,
                content_type: content_type.unwrap_or_default(),
                body: body.unwrap_or_default(),
            })),
            Some(row) if row.instance == instance && is_running => Some(Claimed::Running),
            _ => None,
        };
        if let Some(known) = known {
            tx.give_up().await?;
            return Ok(known);
        }
        sqlx::query(
            "INSERT INTO idempotency (actor, key, fingerprint, instance, created_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (actor, key) DO UPDATE SET instance = excluded.instance",
        )
        .bind(&claim.actor)
        .bind(&claim.key)
        .bind(&claim.fingerprint)
        .bind(instance)
        .bind(now.micros())
        .execute(tx.sql())
        .await?;
        tx.commit().await?;
        Ok(Claimed::Run)
    }

    /// Keep an answer for a claim.
    pub async fn keep_answer(
        &self,
        claim: &Claim,
        answer: &Answer,
        now: EventTime,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        tx.keep_answer(claim, answer.status, &answer.content_type, &answer.body).await?;
        tx.commit().await
    }

    /// Give a claim up: the request did nothing, or may run again.
    pub async fn disclaim(&self, claim: &Claim, now: EventTime) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        sqlx::query("DELETE FROM idempotency WHERE actor = $1 AND key = $2 AND status IS NULL")
            .bind(&claim.actor)
            .bind(&claim.key)
            .execute(tx.sql())
            .await?;
        tx.commit().await
    }
}

impl Tx<'_> {
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

    async fn keep_answer(
        &mut self,
        claim: &Claim,
        status: u16,
        content_type: &str,
        body: &[u8],
    ) -> Result<(), StoreError> {
        sqlx::query(
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
