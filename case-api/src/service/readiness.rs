//! Whether the case side can take traffic, and what its gauges say.

use std::sync::Arc;

use super::Service;
use crate::{health::Health, limits::PROBE_WAIT, ports::Topic, store::StoreError};

impl Service {
    /// Why it cannot: the writer does not write, the work behind the pages does not go on, or the engine says so.
    pub(crate) async fn why_not_ready(&self) -> Option<String> {
        if let Some(why) = self.probe().await.or_else(|| self.health.failure()) {
            return Some(why);
        }
        for topic in Topic::ALL {
            let feed = Arc::clone(&self.ports.feed);
            let end = tokio::task::spawn_blocking(move || feed.end(topic)).await;
            match (self.store.offset(topic.name()).await, end) {
                (Ok(next), Ok(Ok(end))) => {
                    if let Some(why) = self.health.stalled(topic, next, end, self.now()) {
                        return Some(why);
                    }
                }
                (Err(error), _) => return Some(error.to_string()),
                (_, Ok(Err(error))) => return Some(error.to_string()),
                (_, Err(_)) => return Some("the log does not answer".to_owned()),
            }
        }
        self.ports.catalogue.not_ready()
    }

    /// Have the writer write, once in a while however often this is asked.
    async fn probe(&self) -> Option<String> {
        let mut last = self.health.probe.lock().await;
        let now = self.now();
        if let Some((at, found)) = &*last
            && Health::counts(*at, now)
        {
            return found.clone();
        }
        let found = match tokio::time::timeout(PROBE_WAIT, self.store.probe(now)).await {
            Ok(written) => written.err().map(|error| format!("the case database cannot be written: {error}")),
            Err(_) => Some("the case database's writer does not answer".to_owned()),
        };
        *last = Some((now, found.clone()));
        found
    }

    /// Bring the gauges up to date.
    pub(crate) async fn gauge(&self) -> Result<(), StoreError> {
        let leaves = self.store.leaves().await?;
        self.metrics.evidence_leaves.set(i64::try_from(leaves).unwrap_or(i64::MAX));
        self.metrics.cases_open.set(self.open_cases().await?);
        self.metrics.payments_held.set(self.store.holds_waiting().await?);
        Ok(())
    }
}
