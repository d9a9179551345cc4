//! The evidence tree's head in the database, and the tree in memory that is right as long as the head says the same. Whoever
//! writes holds the head first: two processes over one database append to one tree, each after what the other committed.

use std::collections::BTreeMap;

use sluice_evidence::{MissingNode, Plan, Tree};
use sluice_model::Hash256;

use super::{
    StoreError,
    sql::{Connection, Statement, query},
};

/// How large the tree is, and its root.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    size: u64,
    root: Hash256,
}

/// Nobody else writes until the transaction is over: SQLite has seen to that when it began.
const LOCK: Statement =
    Statement::two("SELECT size, root FROM head", "SELECT size, root FROM head WHERE id = 1 FOR UPDATE");

impl Head {
    /// The head of a tree.
    pub(super) fn of(tree: &Tree) -> Self {
        Self { size: tree.size(), root: tree.root() }
    }

    /// Hold it until the transaction is over.
    pub(super) async fn lock(sql: &mut Connection) -> Result<Self, StoreError> {
        Self::read(query(LOCK).fetch_one(sql).await?)
    }

    /// As last committed.
    pub(super) async fn committed(sql: &mut Connection) -> Result<Self, StoreError> {
        Self::read(query("SELECT size, root FROM head").fetch_one(sql).await?)
    }

    fn read((size, root): (i64, Vec<u8>)) -> Result<Self, StoreError> {
        let size = u64::try_from(size).map_err(|_| StoreError::Corrupt("leaf count"))?;
        let root = root.try_into().map_err(|_| StoreError::Corrupt("root"))?;
        Ok(Self { size, root: Hash256(root) })
    }

    /// How many leaves there are.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Have it be this one: an error where its last leaf is not there, since SQLite may have ended the transaction by itself, and
    /// would then keep the head alone.
    pub(super) async fn put(self, sql: &mut Connection) -> Result<(), StoreError> {
        let changed = query(
            "UPDATE head SET size = $1, root = $2 WHERE EXISTS (SELECT 1 FROM leaves WHERE leaves.idx = $1 - 1)",
        )
        .bind(i64::try_from(self.size).map_err(|_| StoreError::Corrupt("leaf count"))?)
        .bind(self.root.0.as_slice())
        .execute(sql)
        .await?;
        if changed == 1 { Ok(()) } else { Err(sqlx::Error::RowNotFound.into()) }
    }

    /// The tree that has this head, as stored.
    pub(super) async fn tree(self, sql: &mut Connection) -> Result<Tree, StoreError> {
        let tree = restore(sql, self.size).await?;
        if Self::of(&tree) == self {
            return Ok(tree);
        }
        Err(StoreError::Damaged("the evidence tree is not the one that was committed".to_owned()))
    }
}

/// The tree of a database that is being opened. Where there is no head yet (a new database, or one made before there were
/// heads), it becomes that of the leaves that are there.
pub(super) async fn open(sql: &mut Connection) -> Result<Tree, StoreError> {
    let leaves: i64 =
        query("SELECT COUNT(*) FROM leaves WHERE NOT EXISTS (SELECT 1 FROM head)").value(sql).await?;
    let leaves = u64::try_from(leaves).map_err(|_| StoreError::Corrupt("leaf count"))?;
    let first = Head::of(&restore(sql, leaves).await?);
    // Another process may have opened it in between, and written.
    query("INSERT INTO head (id, size, root) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING")
        .bind(i64::try_from(leaves).map_err(|_| StoreError::Corrupt("leaf count"))?)
        .bind(first.root.0.as_slice())
        .execute(sql)
        .await?;
    Head::committed(sql).await?.tree(sql).await
}

async fn restore(sql: &mut Connection, size: u64) -> Result<Tree, StoreError> {
    let nodes = nodes(sql, &Plan::root(size)).await?;
    Ok(Tree::restore(size, &nodes)?)
}

/// The hashes that a plan reads.
pub(super) async fn nodes(sql: &mut Connection, plan: &Plan) -> Result<BTreeMap<u64, Hash256>, StoreError> {
    let mut nodes = BTreeMap::new();
    for position in plan.positions() {
        let hash: Option<Vec<u8>> = query("SELECT hash FROM nodes WHERE position = $1")
            .bind(i64::try_from(position).map_err(|_| MissingNode(position))?)
            .value_or_none(sql)
            .await?;
        let hash = hash.and_then(|h| h.try_into().ok()).ok_or(MissingNode(position))?;
        nodes.insert(position, Hash256(hash));
    }
    Ok(nodes)
}
