//! Dead letters that were sent again: a leaf of each attempt.

use serde_json::{Value, json};
use sluice_evidence::Kind;
use sluice_model::Hash256;

use super::Service;
use crate::{
    domain::Actor,
    store::{Entry, StoreError},
};

/// The act of a letter that was taken in.
const RESUBMIT: &str = "resubmit_dead_letter";

impl Service {
    /// The leaf of an attempt: who, which, why, and the hash of what was sent instead of the original.
    pub(crate) async fn record_resubmission(
        &self,
        id: &str,
        said: &Value,
        actor: &Actor,
        taken: bool,
    ) -> Result<(), StoreError> {
        let mended = said.get("event").filter(|event| !event.is_null()).map(|event| match event {
            Value::String(text) => Hash256::of(text.as_bytes()).to_string(),
            event => Hash256::of(event.to_string().as_bytes()).to_string(),
        });
        let mut tx = self.store.begin(self.now()).await?;
        let about = about(id);
        let act = if taken { RESUBMIT } else { "resubmit_refused" };
        let entry = Entry { kind: Kind::Act, act, actor: &actor.name, about: &about, case_id: None };
        let body =
            json!({ "actor": actor, "dead_letter": id, "reason": said.get("reason"), "mended": mended });
        tx.leaf(entry, &body).await?;
        tx.commit().await
    }

    /// Who sent a letter again, and when, newest first.
    pub(crate) async fn resubmissions(&self, id: &str) -> Result<Vec<(String, i64)>, StoreError> {
        self.store.leaves_about(&about(id), RESUBMIT).await
    }
}

/// What the leaves of a letter are about.
fn about(id: &str) -> String {
    format!("dead-letter/{id}")
}
