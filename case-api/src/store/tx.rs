//! One write: rows, evidence leaves and control records that commit together.

use serde::Serialize;
use sluice_evidence::{Body, Kind, Leaf, Salt, Tree};
use sluice_model::{Control, EventTime, Hash256};
use tokio::sync::MutexGuard;

use super::{
    Store, StoreError,
    database::BEGIN,
    head::Head,
    random,
    sql::{Connection, query},
};

/// A write in progress. Dropped without `commit`, nothing of it happened.
///
/// Its connection serves again only after it has reported that the transaction is over. Whatever else ends a write (an
/// error, a full disk, a request that was given up) closes it, and the next write opens a new one: a connection that
/// may be inside a transaction would refuse every write from then on. (SQLx's own transactions count on rolling back,
/// which fails where SQLite has ended a transaction by itself, as it does on a full disk.)
///
/// It holds the evidence tree's head from its beginning on, so that nobody else writes, in whatever process: what it reads
/// stays true until it commits, and numbers are given in the order of commits.
pub struct Tx<'a> {
    connection: Connection,
    is_over: bool,
    store: &'a Store,
    tree: Tree,
    /// The head that it began from.
    head: Head,
    /// Others of this process wait.
    _turn: MutexGuard<'a, ()>,
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
        let turn = self.turn.lock().await;
        let connection = self.writer.acquire().await?;
        let tree = self.seen().clone();
        let head = Head::of(&tree);
        let mut tx = Tx { connection, is_over: false, store: self, tree, head, _turn: turn, now };
        query(BEGIN).execute(tx.sql()).await?;
        tx.head = Head::lock(tx.sql()).await?;
        tx.tree = self.tree(tx.head, tx.sql()).await?;
        Ok(tx)
    }
}

impl Tx<'_> {
    pub(super) fn sql(&mut self) -> &mut Connection {
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
            query("INSERT INTO nodes (position, hash) VALUES ($1, $2)")
                .bind(i64::try_from(position).map_err(|_| StoreError::Corrupt("tree position"))?)
                .bind(hash.0.as_slice())
                .execute(self.sql())
                .await?;
        }
        query(
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
        Ok(query("INSERT INTO outbox (control, created_at) VALUES ($1, $2) RETURNING seq")
            .bind(serde_json::to_string(control)?)
            .bind(self.now.micros())
            .value(self.sql())
            .await?)
    }

    /// Put a control record into the outbox, where there is one.
    pub async fn order(&mut self, control: Option<&Control>) -> Result<Option<i64>, StoreError> {
        match control {
            Some(control) => self.control(control).await.map(Some),
            None => Ok(None),
        }
    }

    /// Nothing of it is wanted, and nothing was wrong: its connection serves the next write.
    pub async fn give_up(mut self) -> Result<(), StoreError> {
        query("ROLLBACK").execute(self.sql()).await?;
        self.is_over = true;
        Ok(())
    }

    /// Make it all durable.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let head = Head::of(&self.tree);
        if head != self.head {
            head.put(self.sql()).await?;
        } else {
            // PostgreSQL answers the COMMIT of a transaction in which something failed with a rollback, and without an
            // error: any other statement says so.
            query("SELECT 1").execute(self.sql()).await?;
        }
        query("COMMIT").execute(self.sql()).await?;
        self.is_over = true;
        // Whoever waits may go away before this: the next write then finds another head than was seen.
        *self.store.seen() = self.tree.clone();
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
        let leaves: i64 =
            query("SELECT COUNT(*) FROM leaves").value(&mut store.read().await.unwrap()).await.unwrap();
        let head = Head::committed(&mut store.read().await.unwrap()).await.unwrap();
        let tree = head.tree(&mut store.read().await.unwrap()).await.unwrap();
        assert_eq!(store.chain().await.unwrap().root, tree.root().to_string());
        assert_eq!(u64::try_from(leaves), Ok(tree.size()));
        tree.size()
    }

    async fn begun<'a>(store: &'a Store, text: &str) -> Result<Tx<'a>, StoreError> {
        let mut tx = store.begin(EventTime::from_micros(1)).await?;
        let entry = Entry { kind: Kind::Act, act: "test", actor: "test", about: "test", case_id: None };
        tx.leaf(entry, &json!({ "text": text })).await?;
        Ok(tx)
    }

    async fn write(store: &Store, text: &str) -> Result<(), StoreError> {
        begun(store, text).await?.commit().await
    }

    /// The stand-in for a full disk that needs no disk: a limit on the pages of the connection that writes.
    #[tokio::test]
    async fn a_full_database_refuses_the_write_and_takes_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).await;
        write(&store, "before").await.unwrap();
        // As many as there are: a smaller number means that.
        let limit = query("PRAGMA max_page_count = 1");
        limit.execute(&mut store.writer.acquire().await.unwrap()).await.unwrap();
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
        // Given up when it waits for the database the first time, the second time, or not at all.
        for patience in (0..4).cycle().take(40) {
            let mut waits = 0;
            let given_up = std::future::poll_fn(|_| {
                waits += 1;
                if waits > patience { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            });
            let tx = begun(&store, "all of it").await.unwrap();
            tokio::select! {
                biased;
                committed = tx.commit() => committed.unwrap(),
                () = given_up => {}
            }
            write(&store, "the next").await.unwrap();
            let leaves = stored(&store).await;
            assert!(leaves > kept, "{leaves} after {kept}");
            kept = leaves;
        }
    }
}
