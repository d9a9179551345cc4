//! One write: rows, evidence leaves and control records that commit together.

use std::sync::atomic::Ordering;

use serde::Serialize;
use sluice_evidence::{Body, Kind, Leaf, Salt, Tree};
use sluice_model::{Control, EventTime, Hash256};
use sqlx::{Sqlite, SqliteConnection, pool::PoolConnection};
use tokio::sync::MutexGuard;

use super::{Store, StoreError, evidence, random};

/// A write in progress. Dropped without `commit`, nothing of it happened.
///
/// Its connection serves again only after it has said that the transaction is over. Whatever else ends a write (an
/// error, a full disk, a request that was given up) closes it, and the next write opens a new one: a connection that
/// may be inside a transaction would refuse every write from then on. (SQLx's own transactions count on rolling back,
/// which fails where SQLite has ended a transaction by itself, as it does on a full disk.)
pub struct Tx<'a> {
    connection: PoolConnection<Sqlite>,
    is_over: bool,
    store: &'a Store,
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
        let connection = self.writer.acquire().await?;
        let tree = committed.clone();
        let mut tx = Tx { connection, is_over: false, store: self, committed, tree, now };
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(tx.sql()).await?;
        if self.in_doubt.load(Ordering::Acquire) {
            tx.tree = evidence::restore(tx.sql()).await?;
            *tx.committed = tx.tree.clone();
            self.in_doubt.store(false, Ordering::Release);
        }
        Ok(tx)
    }
}

impl Tx<'_> {
    /// The connection.
    pub(super) fn sql(&mut self) -> &mut SqliteConnection {
        &mut self.connection
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

    /// Put a control record into the outbox, where there is one.
    pub async fn order(&mut self, control: Option<&Control>) -> Result<Option<i64>, StoreError> {
        match control {
            Some(control) => self.control(control).await.map(Some),
            None => Ok(None),
        }
    }

    /// The next `seq` of a table: gapless, because there is one writer.
    pub(crate) async fn next(&mut self, table: &'static str) -> Result<i64, StoreError> {
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

    /// Nothing of it is wanted, and nothing was wrong: its connection serves the next write.
    pub async fn give_up(mut self) -> Result<(), StoreError> {
        sqlx::raw_sql("ROLLBACK").execute(self.sql()).await?;
        self.is_over = true;
        Ok(())
    }

    /// Make it all durable.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        // Said before: whoever waits may go away in the middle, and the commit goes on all the same.
        self.store.in_doubt.store(true, Ordering::Release);
        sqlx::raw_sql("COMMIT").execute(self.sql()).await?;
        self.is_over = true;
        *self.committed = self.tree.clone();
        self.store.in_doubt.store(false, Ordering::Release);
        Ok(())
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        // A database in memory lives in its one connection, which the pool rolls back.
        if !self.is_over && !self.store.in_memory {
            self.connection.close_on_drop();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_evidence::{Signer, Zeroizing};
    use sluice_model::EventTime;

    use super::{super::Database, *};

    async fn open(folder: &std::path::Path) -> Store {
        let signer = Signer::from_seed("test.example", Zeroizing::new([7; 32])).unwrap();
        Store::open(Database::File(&folder.join("cases.sqlite")), signer).await.unwrap()
    }

    /// How many leaves the tables hold; the tree in memory is theirs.
    async fn stored(store: &Store) -> u64 {
        let tree = evidence::restore(&mut store.readers.acquire().await.unwrap()).await.unwrap();
        let held = store.tree.lock().await;
        assert_eq!((held.size(), held.root()), (tree.size(), tree.root()));
        tree.size()
    }

    async fn write(store: &Store, text: &str) -> Result<(), StoreError> {
        let mut tx = store.begin(EventTime::from_micros(1)).await?;
        let entry = Entry { kind: Kind::Act, act: "test", actor: "test", about: "test", case_id: None };
        tx.leaf(entry, &json!({ "text": text })).await?;
        tx.commit().await
    }

    /// The stand-in for a full disk that needs no disk: a limit on the pages of the connection that writes.
    #[tokio::test]
    async fn a_full_database_refuses_the_write_and_takes_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        write(&store, "before").await.unwrap();
        {
            let mut connection = store.writer.acquire().await.unwrap();
            // As many as there are: a smaller number means that.
            sqlx::raw_sql("PRAGMA max_page_count = 1").execute(&mut *connection).await.unwrap();
        }
        let mut kept = 1;
        let refused = loop {
            match write(&store, &"long ".repeat(4_000)).await {
                Ok(()) => kept += 1,
                Err(error) => break error,
            }
        };
        assert!(refused.is_full(), "{refused}");
        // The connection is gone, and its limit with it.
        write(&store, &"long ".repeat(4_000)).await.unwrap();
        assert_eq!(stored(&store).await, kept + 1);
    }

    #[tokio::test]
    async fn a_write_that_is_not_committed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        for give_up in [true, false] {
            let mut tx = store.begin(EventTime::from_micros(1)).await.unwrap();
            let entry = Entry { kind: Kind::Act, act: "test", actor: "test", about: "test", case_id: None };
            tx.leaf(entry, &json!({})).await.unwrap();
            if give_up {
                tx.give_up().await.unwrap();
            }
        }
        assert_eq!(stored(&store).await, 0);
        write(&store, "one").await.unwrap();
        assert_eq!(stored(&store).await, 1);
    }

    /// A client that goes away takes its request along, in the middle of a commit too; the commit goes on.
    #[tokio::test]
    async fn a_commit_that_nobody_waits_for_leaves_the_next_write_working() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        let mut kept = 0;
        for _ in 0..20 {
            tokio::select! {
                biased;
                written = write(&store, "all of it") => written.unwrap(),
                // As soon as it waits for the database the first time after its commit began.
                () = std::future::poll_fn(|_| match store.in_doubt.load(Ordering::Acquire) {
                    true => std::task::Poll::Ready(()),
                    false => std::task::Poll::Pending,
                }) => {}
            }
            write(&store, "the next").await.unwrap();
            let leaves = stored(&store).await;
            assert!(leaves > kept, "{leaves} after {kept}");
            kept = leaves;
        }
    }
}
