//! What was done, and what proves it.

use super::Service;
use crate::store::{AuditEntry, ChainStatus, Page, StoreError};

impl Service {
    /// The evidence log's size, root and signed checkpoint.
    pub(crate) async fn chain(&self) -> Result<ChainStatus, StoreError> {
        self.store.chain().await
    }

    /// Everything that happened, newest first. `officers`: only what people did and configured.
    pub(crate) async fn audit(
        &self,
        officers: bool,
        actor: Option<&str>,
        page: Page,
    ) -> Result<(Vec<AuditEntry>, Option<i64>), StoreError> {
        self.store.audit(officers, actor, page).await
    }

    /// Everything the log holds on a case, each record with its proof, sealed; `None` where there is no such case.
    pub(crate) async fn bundle(&self, case_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.store.case(case_id).await? {
            Some(_) => self.store.bundle(case_id).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether every record of a case is still what the log committed to.
    pub(crate) async fn case_intact(&self, case_id: &str) -> Result<bool, StoreError> {
        self.store.case_intact(case_id).await
    }
}
