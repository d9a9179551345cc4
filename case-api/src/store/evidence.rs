//! The evidence log as stored: leaves with their bodies, the tree's hashes, checkpoints and bundles.

use std::collections::BTreeMap;

use serde::Serialize;
use sluice_evidence::{Body, Bundle, Leaf, MissingNode, Plan, Tree, merkle};
use sluice_model::Hash256;
use sqlx::{FromRow, SqliteConnection};

use super::{Page, Store, StoreError};
use crate::stamp::Stamp;

/// One line of the audit trail: who did what, and where the evidence log holds it.
#[derive(Clone, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct AuditEntry {
    /// The leaf's index in the evidence log.
    #[sqlx(rename = "idx")]
    pub index: i64,
    /// When.
    #[sqlx(try_from = "i64")]
    pub at: Stamp,
    /// Which sort of record: `act`, `configuration`, `alert`, `hold`, `decision`.
    pub kind: String,
    /// A user, a key, or the engine.
    pub actor: String,
    /// What was done.
    pub act: String,
    /// The id of what it is about.
    pub about: String,
    /// The case.
    pub case_id: Option<String>,
}

/// What the evidence log can show for itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct ChainStatus {
    /// Leaves in it.
    pub size: u64,
    /// The tree's root, hexadecimal.
    pub root: String,
    /// The signed checkpoint (C2SP tlog-checkpoint).
    pub checkpoint: String,
    /// The log's public key, for `sluice evidence verify --key`.
    pub verifier: String,
}

/// The tree as stored.
pub(super) async fn restore(sql: &mut SqliteConnection) -> Result<Tree, StoreError> {
    let leaves: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM leaves").fetch_one(&mut *sql).await?;
    let size = u64::try_from(leaves).map_err(|_| StoreError::Corrupt("leaf count"))?;
    let nodes = nodes(sql, &Plan::root(size)).await?;
    Ok(Tree::restore(size, &nodes)?)
}

/// The hashes that a plan reads.
async fn nodes(sql: &mut SqliteConnection, plan: &Plan) -> Result<BTreeMap<u64, Hash256>, StoreError> {
    let mut nodes = BTreeMap::new();
    for position in plan.positions() {
        let hash: Option<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM nodes WHERE position = $1")
            .bind(i64::try_from(position).map_err(|_| MissingNode(position))?)
            .fetch_optional(&mut *sql)
            .await?;
        let hash = hash.and_then(|h| h.try_into().ok()).ok_or(MissingNode(position))?;
        nodes.insert(position, Hash256(hash));
    }
    Ok(nodes)
}

impl Store {
    /// How many leaves the log holds, all of them durable.
    pub async fn leaves(&self) -> u64 {
        self.tree.lock().await.size()
    }

    /// The log's size, root and signed checkpoint.
    pub async fn chain(&self) -> ChainStatus {
        let tree = self.tree.lock().await;
        ChainStatus {
            size: tree.size(),
            root: tree.root().to_string(),
            checkpoint: self.signer.checkpoint(&tree),
            verifier: self.signer.verifier().to_string(),
        }
    }

    /// Everything that happened, newest first. `officers`: only what people did and configured.
    pub async fn audit(
        &self,
        officers: bool,
        actor: Option<&str>,
        page: Page,
    ) -> Result<(Vec<AuditEntry>, Option<i64>), StoreError> {
        let rows: Vec<AuditEntry> = sqlx::query_as(
            "SELECT idx, at, kind, actor, act, about, case_id FROM leaves
             WHERE idx < $1 AND ($2 = FALSE OR kind IN ('act', 'configuration')) AND ($3 IS NULL OR actor = $3)
             ORDER BY idx DESC LIMIT $4",
        )
        .bind(page.before())
        .bind(officers)
        .bind(actor)
        .bind(page.fetch())
        .fetch_all(&self.readers)
        .await?;
        Ok(page.cut(rows, |row| row.index))
    }

    /// Who did an act about something, and when, newest first.
    pub async fn leaves_about(&self, about: &str, act: &str) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(sqlx::query_as("SELECT actor, at FROM leaves WHERE about = $1 AND act = $2 ORDER BY idx DESC")
            .bind(about)
            .bind(act)
            .fetch_all(&self.readers)
            .await?)
    }

    /// Everything the log holds on a case, each record with its proof, sealed: what `sluice evidence verify` reads.
    pub async fn bundle(&self, case_id: &str) -> Result<Vec<u8>, StoreError> {
        let (size, checkpoint) = {
            let tree = self.tree.lock().await;
            (tree.size(), self.signer.checkpoint(&tree))
        };
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT idx, leaf, body FROM leaves WHERE case_id = $1 ORDER BY idx")
                .bind(case_id)
                .fetch_all(&self.readers)
                .await?;
        let mut bundle = Bundle::new(case_id, checkpoint, &self.signer);
        for (index, leaf, body) in rows {
            let index = u64::try_from(index).map_err(|_| StoreError::Corrupt("leaf index"))?;
            // Written after the checkpoint was signed: the next bundle's.
            let Some(plan) = Plan::inclusion(index, size) else { continue };
            let path = plan.path(&nodes(&mut *self.readers.acquire().await?, &plan).await?)?;
            let leaf: Leaf = serde_json::from_str(&leaf)?;
            let body: Body = serde_json::from_str(&body)?;
            bundle.record(index, leaf, Some(body), path);
        }
        Ok(bundle.seal(&self.signer)?)
    }

    /// Whether every record of a case is still what the log committed to: each body against its leaf, each leaf
    /// against the tree.
    pub async fn case_intact(&self, case_id: &str) -> Result<bool, StoreError> {
        let rows: Vec<(i64, String, String)> =
            sqlx::query_as("SELECT idx, leaf, body FROM leaves WHERE case_id = $1 ORDER BY idx")
                .bind(case_id)
                .fetch_all(&self.readers)
                .await?;
        let (size, root) = {
            let tree = self.tree.lock().await;
            (tree.size(), tree.root())
        };
        for (index, leaf, body) in rows {
            let index = u64::try_from(index).map_err(|_| StoreError::Corrupt("leaf index"))?;
            let Some(plan) = Plan::inclusion(index, size) else { continue };
            let (Ok(leaf), Ok(body)) =
                (serde_json::from_str::<Leaf>(&leaf), serde_json::from_str::<Body>(&body))
            else {
                return Ok(false);
            };
            let path = plan.path(&nodes(&mut *self.readers.acquire().await?, &plan).await?)?;
            let held = merkle::verify_inclusion(index, size, &leaf.hash(), &path, &root);
            if !held || body.commitment() != leaf.commitment {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
