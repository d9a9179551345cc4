//! All evidence looked at once more, leaf by leaf: each body against what its leaf commits to, the tree grown again from the
//! leaves, its hashes and its root against those that stand in the database.

use sluice_evidence::{Body, Leaf, Signer, Tree};
use sluice_model::Hash256;
use sqlx::FromRow;

use super::{
    Database, Store, StoreError,
    head::Head,
    sql::{Connection, query},
};

/// Leaves read at a time: some megabytes.
const LEAVES_A_PAGE: u64 = 1_000;
/// Findings that are named: what is wrong with the first says enough, and a report stays one that is read.
const FINDINGS_MAX: usize = 100;

/// What a look at all evidence came to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Recount {
    /// Leaves looked at.
    pub leaves: u64,
    /// The root of the tree that they make.
    pub root: Hash256,
    /// The log's public key.
    pub verifier: String,
    /// What does not hold, the first hundred: which leaf or hash, never what it holds.
    pub findings: Vec<String>,
}

impl Store {
    /// Look at all evidence of a database. An error is one that keeps it from being read.
    pub async fn recount(database: Database<'_>, signer: Signer) -> Result<Recount, StoreError> {
        let store = Self::open(database, signer).await?;
        let found = store.count_again().await;
        store.close().await;
        found
    }

    async fn count_again(&self) -> Result<Recount, StoreError> {
        let mut sql = self.read().await?;
        let head = Head::committed(&mut sql).await?;
        let mut found = Recount { verifier: self.signer.verifier().to_string(), ..Recount::default() };
        let (mut tree, mut position) = (Tree::new(), 0);
        while tree.size() < head.size() && found.findings.len() < FINDINGS_MAX {
            let last = head.size().min(tree.size() + LEAVES_A_PAGE);
            let mut hashes = Vec::new();
            for (index, leaf) in (tree.size()..last).zip(leaves(&mut sql, tree.size(), last).await?) {
                let hash = leaf.unwrap_or_else(|what| {
                    found.findings.push(format!("leaf {index} {what}"));
                    Hash256::default()
                });
                tree.append(hash, |_, hash| hashes.push(hash));
            }
            if !found.findings.is_empty() {
                continue;
            }
            let kept = kept(&mut sql, position, hashes.len()).await?;
            if let Some(at) = hashes.iter().zip(kept).position(|(hash, kept)| kept != Some(*hash)) {
                let at = position + at as u64;
                found.findings.push(format!("hash {at} of the tree is not the one that its leaves make"));
                break;
            }
            position += hashes.len() as u64;
        }
        (found.leaves, found.root) = (tree.size(), tree.root());
        if found.findings.is_empty() && Head::of(&tree) != head {
            found.findings.push("the leaves do not make the tree that was committed".to_owned());
        }
        Ok(found)
    }
}

/// A leaf as it stands in the database.
#[derive(FromRow)]
struct Row {
    idx: i64,
    kind: String,
    at: i64,
    act: String,
    about: String,
    case_id: Option<String>,
    leaf: String,
    body: String,
}

impl Row {
    /// The leaf's hash, or what is wrong with it.
    fn hash(&self) -> Result<Hash256, &'static str> {
        let leaf: Leaf = serde_json::from_str(&self.leaf).map_err(|_| "cannot be read")?;
        let body: Body = serde_json::from_str(&self.body).map_err(|_| "has a body that cannot be read")?;
        if body.commitment() != leaf.commitment {
            return Err("does not commit to its body");
        }
        let is_filed_so = leaf.kind.name() == self.kind
            && leaf.at.micros() == self.at
            && leaf.id == format!("{}:{}", self.act, self.about)
            && self.case_id.as_ref().is_none_or(|case_id| is_of_case(&body, case_id));
        if is_filed_so { Ok(leaf.hash()) } else { Err("is filed as something that it is not") }
    }
}

fn is_of_case(body: &Body, case_id: &str) -> bool {
    let said = body.field("case_id").and_then(|said| serde_json::from_str::<String>(said).ok());
    said.is_some_and(|said| said == case_id)
}

/// The hash of each leaf from one to another, or what is wrong with it.
async fn leaves(
    sql: &mut Connection,
    from: u64,
    to: u64,
) -> Result<Vec<Result<Hash256, &'static str>>, StoreError> {
    let rows: Vec<Row> = query(
        "SELECT idx, kind, at, act, about, case_id, leaf, body FROM leaves
         WHERE idx >= $1 AND idx < $2 ORDER BY idx",
    )
    .bind(number(from)?)
    .bind(number(to)?)
    .fetch_all(sql)
    .await?;
    let mut rows = rows.into_iter().peekable();
    Ok((number(from)?..number(to)?)
        .map(|index| rows.next_if(|row| row.idx == index).ok_or("is missing")?.hash())
        .collect())
}

/// The tree's hashes from a position on, as they stand in the database.
async fn kept(sql: &mut Connection, from: u64, count: usize) -> Result<Vec<Option<Hash256>>, StoreError> {
    let to = from + count as u64;
    let rows: Vec<(i64, Vec<u8>)> =
        query("SELECT position, hash FROM nodes WHERE position >= $1 AND position < $2 ORDER BY position")
            .bind(number(from)?)
            .bind(number(to)?)
            .fetch_all(sql)
            .await?;
    let mut rows = rows.into_iter().peekable();
    Ok((number(from)?..number(to)?)
        .map(|position| {
            let (_, hash) = rows.next_if(|(at, _)| *at == position)?;
            hash.try_into().ok().map(Hash256)
        })
        .collect())
}

fn number(index: u64) -> Result<i64, StoreError> {
    i64::try_from(index).map_err(|_| StoreError::Corrupt("leaf index"))
}
