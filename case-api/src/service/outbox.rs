//! What acts ordered, on its way to the log.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::{Service, WorkError};
use crate::{health::Work, store::StoreError};

impl Service {
    /// Deliver every control record that waits, in order. One that was appended but not yet marked when the process
    /// died is appended again, next: see [`crate::ports::ControlSink`].
    pub(crate) async fn deliver(&self) -> Result<(), WorkError> {
        let delivered = self.deliver_all().await;
        self.health.note(Work::Outbox, delivered.as_ref().err());
        delivered
    }

    async fn deliver_all(&self) -> Result<(), WorkError> {
        let _turn = self.delivering.lock().await;
        loop {
            let waiting = self.store.undelivered().await?;
            self.metrics.outbox_waiting.set(i64::try_from(waiting.len()).unwrap_or(i64::MAX));
            if waiting.is_empty() {
                return Ok(());
            }
            for (seq, control) in waiting {
                let sink = Arc::clone(&self.ports.control);
                let place = u64::try_from(seq).map_err(|_| StoreError::Corrupt("place in the outbox"))?;
                let offset = spawn_blocking(move || sink.append(place, &control)).await??;
                self.store.set_delivered(seq, offset, self.now()).await?;
            }
        }
    }

    /// See what an act put into the outbox onto the log: `delivered`, or `pending` while the log cannot be reached.
    pub(crate) async fn see_delivered(&self, seq: i64) -> Result<&'static str, StoreError> {
        if let Err(error) = self.deliver().await {
            tracing::warn!(%error, "a control record waits in the outbox");
        }
        Ok(if self.store.delivered(seq).await? { "delivered" } else { "pending" })
    }

    /// Have the log remember how many leaves there are, where there are more than it noted last.
    pub(crate) async fn note_leaves(&self) -> Result<(), WorkError> {
        let leaves = self.store.leaves().await?;
        if self.health.leaves_are_due(leaves, self.now()) {
            let sink = Arc::clone(&self.ports.control);
            spawn_blocking(move || sink.note_leaves(leaves)).await??;
            self.health.leaves_noted(leaves, self.now());
        }
        Ok(())
    }
}
