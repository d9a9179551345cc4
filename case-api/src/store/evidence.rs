//! The evidence log as stored: leaves with their bodies, the tree's hashes, checkpoints and bundles.

use serde::Serialize;
use sluice_evidence::{Body, Bundle, Kind, Leaf, Plan, Tree, merkle};
use sqlx::FromRow;

use super::{
    Page, Store, StoreError,
    head::{Head, nodes},
    sql::query,
};
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

impl Store {
    /// How many leaves the log holds, all of them durable.
    pub async fn leaves(&self) -> Result<u64, StoreError> {
        Ok(Head::committed(&mut self.read().await?).await?.size())
    }

    /// The tree as committed.
    async fn committed(&self) -> Result<Tree, StoreError> {
        let mut sql = self.read().await?;
        let head = Head::committed(&mut sql).await?;
        self.tree(head, &mut sql).await
    }

    /// The log's size, root and signed checkpoint.
    pub async fn chain(&self) -> Result<ChainStatus, StoreError> {
        let tree = self.committed().await?;
        Ok(ChainStatus {
            size: tree.size(),
            root: tree.root().to_string(),
            checkpoint: self.signer.checkpoint(&tree),
            verifier: self.signer.verifier().to_string(),
        })
    }

    /// Everything that happened, newest first. `officers`: only what people did and configured.
    pub async fn audit(
        &self,
        officers: bool,
        actor: Option<&str>,
        page: Page,
    ) -> Result<(Vec<AuditEntry>, Option<i64>), StoreError> {
        let rows: Vec<AuditEntry> = query(
            "SELECT idx, at, kind, actor, act, about, case_id FROM leaves
             WHERE idx < $1 AND ($2 = FALSE OR kind IN ($5, $6)) AND ($3 IS NULL OR actor = $3)
             ORDER BY idx DESC LIMIT $4",
        )
        .bind(page.before())
        .bind(officers)
        .bind(actor)
        .bind(page.fetch())
        .bind(Kind::Act.name())
        .bind(Kind::Configuration.name())
        .fetch_all(&mut self.read().await?)
        .await?;
        Ok(page.cut(rows, |row| row.index))
    }

    /// Who did an act about something, and when, newest first.
    pub async fn leaves_about(&self, about: &str, act: &str) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(query("SELECT actor, at FROM leaves WHERE about = $1 AND act = $2 ORDER BY idx DESC")
            .bind(about)
            .bind(act)
            .fetch_all(&mut self.read().await?)
            .await?)
    }

    /// Everything the log holds on a case, each record with its proof, sealed: what `sluice evidence verify` reads.
    pub async fn bundle(&self, case_id: &str) -> Result<Vec<u8>, StoreError> {
        let tree = self.committed().await?;
        let rows: Vec<(i64, String, String)> =
            query("SELECT idx, leaf, body FROM leaves WHERE case_id = $1 ORDER BY idx")
                .bind(case_id)
                .fetch_all(&mut self.read().await?)
                .await?;
        let mut bundle = Bundle::new(case_id, self.signer.checkpoint(&tree), &self.signer);
        for (index, leaf, body) in rows {
            let index = u64::try_from(index).map_err(|_| StoreError::Corrupt("leaf index"))?;
            // Written after the checkpoint was signed: the next bundle's.
            let Some(plan) = Plan::inclusion(index, tree.size()) else { continue };
            let path = plan.path(&nodes(&mut self.read().await?, &plan).await?)?;
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
            query("SELECT idx, leaf, body FROM leaves WHERE case_id = $1 ORDER BY idx")
                .bind(case_id)
                .fetch_all(&mut self.read().await?)
                .await?;
        let tree = self.committed().await?;
        let (size, root) = (tree.size(), tree.root());
        for (index, leaf, body) in rows {
            let index = u64::try_from(index).map_err(|_| StoreError::Corrupt("leaf index"))?;
            let Some(plan) = Plan::inclusion(index, size) else { continue };
            let (Ok(leaf), Ok(body)) =
                (serde_json::from_str::<Leaf>(&leaf), serde_json::from_str::<Body>(&body))
            else {
                return Ok(false);
            };
            let path = plan.path(&nodes(&mut self.read().await?, &plan).await?)?;
            let held = merkle::verify_inclusion(index, size, &leaf.hash(), &path, &root);
            if !held || body.commitment() != leaf.commitment {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
