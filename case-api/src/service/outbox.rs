//! What acts ordered, on its way to the log.

use std::sync::Arc;

use tokio::task::spawn_blocking;

use super::{Service, WorkError};
use crate::{
    health::Work,
    limits::{DELIVERY_POLL, DELIVERY_WAIT},
    store::StoreError,
};

impl Service {
    /// Deliver every control record that waits, in order, where that is for this process to do. One that was appended but not yet marked when the process
    /// died is appended again, next: see [`crate::ports::ControlSink`].
    pub(crate) async fn deliver(&self) -> Result<(), WorkError> {
        let delivered = match self.leads().await {
            Ok(true) => self.deliver_all().await,
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        if delivered.is_err() {
            self.doubt_lead().await;
        }
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
        if self.store.delivered(seq).await? || (self.is_shared && self.is_delivered_soon(seq).await?) {
            return Ok("delivered");
        }
        Ok("pending")
    }

    /// Whether another process delivers it within a moment.
    async fn is_delivered_soon(&self, seq: i64) -> Result<bool, StoreError> {
        let delivered = async {
            loop {
                tokio::time::sleep(DELIVERY_POLL).await;
                if self.store.delivered(seq).await? {
                    return Ok(true);
                }
            }
        };
        tokio::time::timeout(DELIVERY_WAIT, delivered).await.unwrap_or(Ok(false))
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
