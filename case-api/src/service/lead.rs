//! Whether this process does the work behind the pages. Of several over one database one does at a time; which one, a lease
//! says.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, task::spawn_blocking};

use super::{Service, WorkError};
use crate::limits::{LEASE, LEASE_RENEWED_EVERY};

/// When the lease was renewed last, by the monotonic clock; `None`: another process has it.
pub(super) type Lead = Mutex<Option<Duration>>;

impl Service {
    /// Whether this process does the work: it has the lease, and no other delivers the outbox.
    pub(crate) async fn leads(&self) -> Result<bool, WorkError> {
        if !self.is_shared {
            return Ok(true);
        }
        let mut lead = self.lead.lock().await;
        let now = self.ports.clock.elapsed();
        if lead.is_some_and(|renewed| now.saturating_sub(renewed) < LEASE_RENEWED_EVERY) {
            return Ok(true);
        }
        // Until it is known again, it does not.
        let led = lead.take().is_some();
        if !self.store.take_lease(&self.instance, LEASE).await? {
            return Ok(false);
        }
        if !led {
            let sink = Arc::clone(&self.ports.control);
            spawn_blocking(move || sink.take_over()).await??;
            tracing::info!("this process takes in and delivers for all");
        }
        *lead = Some(now);
        Ok(true)
    }

    /// What was tried says that another process may do the work now: ask again which.
    pub(super) async fn doubt_lead(&self) {
        self.lead.lock().await.take();
    }

    /// Another process may do it at once.
    pub(crate) async fn step_back(&self) -> Result<(), WorkError> {
        if self.lead.lock().await.take().is_some() {
            self.store.end_lease(&self.instance).await?;
        }
        Ok(())
    }
}
