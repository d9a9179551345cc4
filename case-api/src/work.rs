//! The work behind the pages: feeds taken in, control records delivered, approved rules seen into force.

use std::sync::Arc;

use tokio::task::{JoinError, spawn_blocking};

use crate::{
    app::App,
    auth::record_failures,
    limits::{FEED_BATCH, FEED_POLL, RETRY_AFTER},
    ports::{PortError, Topic},
    rulebook,
    store::{Consumed, StoreError},
};

/// Why a round of work failed. The next round begins where the last good one ended.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A port failed.
    #[error("{0}")]
    Port(#[from] PortError),
    /// A blocking call panicked or was cancelled.
    #[error("a blocking call did not end: {0}")]
    Join(#[from] JoinError),
}

/// Take in at most one batch of every feed. What was taken in, summed.
pub(crate) async fn consume(app: &Arc<App>) -> Result<Consumed, WorkError> {
    let mut sum = Consumed::default();
    for topic in Topic::ALL {
        let from = app.store.offset(topic).await?;
        let feed = Arc::clone(&app.ports.feed);
        let items = spawn_blocking(move || feed.read(topic, from, FEED_BATCH)).await??;
        if topic != Topic::Alerts && !items.is_empty() {
            alerts_before(app).await?;
        }
        let rules = if topic == Topic::Observations && !items.is_empty() {
            app.ports.catalogue.rules()
        } else {
            Vec::new()
        };
        let owners = |id: &str| {
            rules.iter().find(|rule| rule.id == id).map(|rule| rule.owners.clone()).unwrap_or_default()
        };
        let consumed = app.store.consume(topic, &items, &owners, app.now()).await?;
        let records = u64::try_from(consumed.records).unwrap_or(u64::MAX);
        app.metrics.consumed.with_label_values(&[topic.name()]).inc_by(records);
        for (what, count) in [
            ("alert", consumed.alerts),
            ("case", consumed.cases),
            ("hold", consumed.holds),
            ("decision", consumed.decisions),
            ("shadow_alert", consumed.shadow_alerts),
            ("rule_failure", consumed.failures),
        ] {
            app.metrics.recorded.with_label_values(&[what]).inc_by(count);
        }
        sum.records += consumed.records;
        sum.alerts += consumed.alerts;
        sum.cases += consumed.cases;
        sum.holds += consumed.holds;
        sum.decisions += consumed.decisions;
        sum.shadow_alerts += consumed.shadow_alerts;
        sum.failures += consumed.failures;
    }
    Ok(sum)
}

/// Take in every alert that is on the log by now: what a batch of another feed says follows from alerts that were written
/// before it, and a hold finds its alert's case open.
async fn alerts_before(app: &Arc<App>) -> Result<(), WorkError> {
    loop {
        let from = app.store.offset(Topic::Alerts).await?;
        let feed = Arc::clone(&app.ports.feed);
        let items = spawn_blocking(move || feed.read(Topic::Alerts, from, FEED_BATCH)).await??;
        let consumed = app.store.consume(Topic::Alerts, &items, &|_| Vec::new(), app.now()).await?;
        let records = u64::try_from(consumed.records).unwrap_or(u64::MAX);
        app.metrics.consumed.with_label_values(&[Topic::Alerts.name()]).inc_by(records);
        app.metrics.recorded.with_label_values(&["alert"]).inc_by(consumed.alerts);
        app.metrics.recorded.with_label_values(&["case"]).inc_by(consumed.cases);
        if consumed.records < FEED_BATCH {
            return Ok(());
        }
    }
}

/// Deliver every control record that waits, in order. One that was appended but not yet marked when the process
/// died is appended again, next: see [`crate::ports::ControlSink`].
pub(crate) async fn deliver(app: &Arc<App>) -> Result<(), WorkError> {
    let _turn = app.delivering.lock().await;
    loop {
        let waiting = app.store.undelivered().await?;
        app.metrics.outbox_waiting.set(i64::try_from(waiting.len()).unwrap_or(i64::MAX));
        if waiting.is_empty() {
            return Ok(());
        }
        for (seq, control) in waiting {
            let sink = Arc::clone(&app.ports.control);
            spawn_blocking(move || sink.append(&control)).await??;
            app.store.set_delivered(seq, app.now()).await?;
        }
    }
}

/// See what an act put into the outbox onto the log: `delivered`, or `pending` while the log cannot be reached.
pub(crate) async fn see_delivered(app: &Arc<App>, seq: i64) -> Result<&'static str, StoreError> {
    if let Err(error) = deliver(app).await {
        tracing::warn!(%error, "a control record waits in the outbox");
    }
    Ok(if app.store.delivered(seq).await? { "delivered" } else { "pending" })
}

/// Consume and deliver until `stop` is ready. Failures are logged and tried again; nothing is lost by them.
pub(crate) async fn run(app: Arc<App>, stop: impl Future<Output = ()>) {
    tokio::pin!(stop);
    loop {
        let pause = match round(&app).await {
            // More may be waiting already.
            Ok(records) if records >= FEED_BATCH => continue,
            Ok(_) => FEED_POLL,
            Err(error) => {
                tracing::warn!(%error, "the case side could not take in or deliver; trying again");
                RETRY_AFTER
            }
        };
        tokio::select! {
            () = &mut stop => {
                if let Err(error) = record_failures(&app, true).await {
                    tracing::warn!(%error, "failed sign-ins were counted and could not be written down");
                }
                return;
            }
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn round(app: &Arc<App>) -> Result<usize, WorkError> {
    deliver(app).await?;
    rulebook::advance(app).await?;
    record_failures(app, false).await?;
    Ok(consume(app).await?.records)
}
