//! The work behind the pages: feeds taken in, control records delivered, approved rules seen into force.

use std::sync::Arc;

use tokio::task::{JoinError, spawn_blocking};

use crate::{
    app::App,
    auth::record_failures,
    health::Work,
    limits::{FEED_BATCH, FEED_POLL, RETRY_AFTER},
    ports::{Item, PortError, Topic},
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
        let consumed = consume_one(app, topic).await;
        app.health.note(Work::Feed(topic), consumed.as_ref().err());
        let consumed = consumed?;
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

/// Take in what a feed has: after every alert that is on the log by now, since what another feed says follows from
/// alerts that were written before it, and a hold finds its alert's case open.
async fn consume_one(app: &Arc<App>, topic: Topic) -> Result<Consumed, WorkError> {
    let (items, is_level) = read(app, topic).await?;
    if topic != Topic::Alerts && !items.is_empty() {
        loop {
            let (alerts, is_level) = read(app, Topic::Alerts).await?;
            if take_in(app, Topic::Alerts, &alerts, is_level).await?.records < FEED_BATCH {
                break;
            }
        }
    }
    take_in(app, topic, &items, is_level).await
}

/// What comes next in a feed, and whether it is level with its source.
async fn read(app: &Arc<App>, topic: Topic) -> Result<(Vec<Item>, bool), WorkError> {
    let from = app.store.offset(topic).await?;
    let feed = Arc::clone(&app.ports.feed);
    let read = spawn_blocking(move || {
        let items = feed.read(topic, from, FEED_BATCH)?;
        // Nothing read from a source that is ahead is no progress.
        let is_level = items.is_empty() && feed.end(topic)? <= from;
        Ok::<_, PortError>((items, is_level))
    });
    Ok(read.await??)
}

async fn take_in(
    app: &Arc<App>,
    topic: Topic,
    items: &[Item],
    is_level: bool,
) -> Result<Consumed, WorkError> {
    let rules = if topic == Topic::Observations && !items.is_empty() {
        app.ports.catalogue.rules()
    } else {
        Vec::new()
    };
    let owners = |id: &str| {
        rules.iter().find(|rule| rule.id == id).map(|rule| rule.owners.clone()).unwrap_or_default()
    };
    let consumed = app.store.consume(topic, items, &owners, app.now()).await?;
    if is_level || consumed.records > 0 {
        app.health.moved(topic, app.now());
    }
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
    Ok(consumed)
}

/// Deliver every control record that waits, in order. One that was appended but not yet marked when the process
/// died is appended again, next: see [`crate::ports::ControlSink`].
pub(crate) async fn deliver(app: &Arc<App>) -> Result<(), WorkError> {
    let delivered = deliver_all(app).await;
    app.health.note(Work::Outbox, delivered.as_ref().err());
    delivered
}

async fn deliver_all(app: &Arc<App>) -> Result<(), WorkError> {
    let _turn = app.delivering.lock().await;
    loop {
        let waiting = app.store.undelivered().await?;
        app.metrics.outbox_waiting.set(i64::try_from(waiting.len()).unwrap_or(i64::MAX));
        if waiting.is_empty() {
            return Ok(());
        }
        for (seq, control) in waiting {
            let sink = Arc::clone(&app.ports.control);
            let place = u64::try_from(seq).map_err(|_| StoreError::Corrupt("place in the outbox"))?;
            let offset = spawn_blocking(move || sink.append(place, &control)).await??;
            app.store.set_delivered(seq, offset, app.now()).await?;
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
                if let Err(error) = note_leaves(&app).await {
                    tracing::warn!(%error, "the log could not be told of the last leaves");
                }
                return;
            }
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// One after the other, each whatever became of the one before: a log that takes no control records can still be read.
async fn round(app: &Arc<App>) -> Result<usize, WorkError> {
    let delivered = deliver(app).await;
    let advanced = rulebook::advance(app).await;
    let recorded = record_failures(app, false).await;
    let consumed = consume(app).await;
    let noted = note_leaves(app).await;
    let records = consumed?.records;
    delivered.and(advanced).and(noted)?;
    recorded?;
    Ok(records)
}

/// Have the log remember how many leaves there are, where there are more than it was told last.
async fn note_leaves(app: &Arc<App>) -> Result<(), WorkError> {
    let leaves = app.store.leaves().await;
    if app.health.leaves_are_due(leaves, app.now()) {
        let sink = Arc::clone(&app.ports.control);
        spawn_blocking(move || sink.note_leaves(leaves)).await??;
        app.health.leaves_noted(leaves, app.now());
    }
    Ok(())
}
