//! The work behind the pages: feeds taken in, control records delivered, approved rules seen into force.

use std::sync::Arc;

use crate::{
    app::App,
    limits::{FEED_BATCH, FEED_POLL, RETRY_AFTER},
    service::WorkError,
};

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
                finish(&app).await;
                return;
            }
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// What is left to do, and another process may go on at once.
async fn finish(app: &App) {
    if let Err(error) = app.auth.record_failures(&app.service, true).await {
        tracing::warn!(%error, "failed sign-ins were counted and could not be written down");
    }
    if let Ok(true) = app.service.leads().await
        && let Err(error) = app.service.note_leaves().await
    {
        tracing::warn!(%error, "the last leaves could not be noted on the log");
    }
    if let Err(error) = app.service.step_back().await {
        tracing::warn!(%error, "another process can go on only once the lease has ended");
    }
}

/// One after the other, each whatever became of the one before: a log that takes no control records can still be read. Where
/// another process does it for all, only what this one counted is written down.
async fn round(app: &Arc<App>) -> Result<usize, WorkError> {
    let recorded = app.auth.record_failures(&app.service, false).await;
    if !app.service.leads().await? {
        return Ok(recorded.map(|()| 0)?);
    }
    let delivered = app.service.deliver().await;
    let advanced = app.service.advance().await;
    let consumed = app.service.consume().await;
    let noted = app.service.note_leaves().await;
    let records = consumed?.records;
    delivered.and(advanced).and(noted)?;
    recorded?;
    Ok(records)
}
