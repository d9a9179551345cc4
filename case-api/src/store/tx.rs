//! One write: rows, evidence leaves and control records that commit together.

use serde::Serialize;
use sluice_evidence::{Body, Kind, Leaf, Salt, Tree};
use sluice_model::{Control, EventTime, Hash256};
use sqlx::{Sqlite, SqliteConnection, Transaction};
use tokio::sync::MutexGuard;

use super::{Store, StoreError, random};

/// A write in progress. Dropped without `commit`, nothing of it happened.
pub struct Tx<'a> {
    sql: Transaction<'a, Sqlite>,
    committed: MutexGuard<'a, Tree>,
    tree: Tree,
    /// The moment of the whole write.
    pub now: EventTime,
}

/// What an evidence leaf records, beside its body.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Which sort of record.
    pub kind: Kind,
    /// What was done: `alert`, `freeze`, `sign_in`.
    pub act: &'a str,
    /// Who did it: a user, a key, `engine`.
    pub actor: &'a str,
    /// The id of what it is about: an alert, a payment, a case, a user.
    pub about: &'a str,
    /// The case whose bundle carries it.
    pub case_id: Option<&'a str>,
}

impl Store {
    /// Begin a write. Others wait until it is committed or dropped.
    pub async fn begin(&self, now: EventTime) -> Result<Tx<'_>, StoreError> {
        let committed = self.tree.lock().await;
        let sql = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let tree = committed.clone();
        Ok(Tx { sql, committed, tree, now })
    }
}

impl Tx<'_> {
    /// The connection.
    pub(super) fn sql(&mut self) -> &mut SqliteConnection {
        &mut self.sql
    }

    /// Append an evidence leaf; its index.
    pub async fn leaf<T: Serialize>(&mut self, entry: Entry<'_>, body: &T) -> Result<i64, StoreError> {
        let body = Body::new(body, Salt(random()?))?;
        let body = match entry.case_id {
            Some(case_id) => body.with("case_id", case_id)?,
            None => body,
        };
        let id = format!("{}:{}", entry.act, entry.about);
        let leaf = Leaf::new(entry.kind, id, self.now, &body);
        let mut nodes: Vec<(u64, Hash256)> = Vec::new();
        let index = self.tree.append(leaf.hash(), |position, hash| nodes.push((position, hash)));
        let index = i64::try_from(index).map_err(|_| StoreError::Corrupt("leaf index"))?;
        for (position, hash) in nodes {
            sqlx::query("INSERT INTO nodes (position, hash) VALUES ($1, $2)")
                .bind(i64::try_from(position).map_err(|_| StoreError::Corrupt("tree position"))?)
                .bind(hash.0.as_slice())
                .execute(self.sql())
                .await?;
        }
        sqlx::query(
            "INSERT INTO leaves (idx, kind, at, actor, act, about, case_id, leaf, body)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(index)
        .bind(entry.kind.name())
        .bind(self.now.micros())
        .bind(entry.actor)
        .bind(entry.act)
        .bind(entry.about)
        .bind(entry.case_id)
        .bind(leaf.encode())
        .bind(serde_json::to_string(&body)?)
        .execute(self.sql())
        .await?;
        Ok(index)
    }

    /// Put a control record into the outbox; its place there.
    pub async fn control(&mut self, control: &Control) -> Result<i64, StoreError> {
        let seq = self.next("outbox").await?;
        sqlx::query("INSERT INTO outbox (seq, control, created_at) VALUES ($1, $2, $3)")
            .bind(seq)
            .bind(serde_json::to_string(control)?)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        Ok(seq)
    }

    /// The next `seq` of a table: gapless, because there is one writer.
    pub(super) async fn next(&mut self, table: &'static str) -> Result<i64, StoreError> {
        let text = match table {
            "alerts" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM alerts",
            "cases" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM cases",
            "configurations" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM configurations",
            "freezes" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM freezes",
            "holds" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM holds",
            "outbox" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM outbox",
            "rule_versions" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM rule_versions",
            "shadow_alerts" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM shadow_alerts",
            "subjects" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM subjects",
            "suppressions" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM suppressions",
            "timeline" => "SELECT COALESCE(MAX(seq), 0) + 1 FROM timeline",
            _ => return Err(StoreError::Corrupt("table")),
        };
        Ok(sqlx::query_scalar(text).fetch_one(self.sql()).await?)
    }

    /// Make it all durable.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        self.sql.commit().await?;
        *self.committed = self.tree;
        Ok(())
    }
}
