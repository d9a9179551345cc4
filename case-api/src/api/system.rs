//! What machines ask: health, readiness, metrics.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus::{Encoder, TextEncoder};
use serde::Serialize;

use super::Problem;
use crate::{app::App, domain::CaseState, health::Health, limits::PROBE_WAIT, ports::Topic};

/// How it is.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Health)]
pub struct Status {
    /// `ok`, or why not.
    status: String,
    /// Whether names are screened. `off`: no list is configured.
    screening: &'static str,
}

fn health(app: &App, status: String) -> Status {
    let screening = if app.service.ports.catalogue.lists().is_empty() { "off" } else { "on" };
    Status { status, screening }
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "system", security(()), responses((status = 200, body = Status)))]
pub async fn healthz(State(app): State<Arc<App>>) -> Json<Status> {
    Json(health(&app, "ok".to_owned()))
}

/// It can take traffic.
#[utoipa::path(get, path = "/readyz", tag = "system", security(()), responses(
    (status = 200, body = Status), (status = 503, body = Status),
))]
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    match why_not(&app).await {
        None => Json(health(&app, "ok".to_owned())).into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, Json(health(&app, why))).into_response(),
    }
}

/// Why it cannot: the writer does not write, the work behind the pages does not go on, or the engine says so.
async fn why_not(app: &Arc<App>) -> Option<String> {
    if let Some(why) = probe(app).await.or_else(|| app.service.health.failure()) {
        return Some(why);
    }
    for topic in Topic::ALL {
        let feed = Arc::clone(&app.service.ports.feed);
        let end = tokio::task::spawn_blocking(move || feed.end(topic)).await;
        match (app.service.store.offset(topic.name()).await, end) {
            (Ok(next), Ok(Ok(end))) => {
                if let Some(why) = app.service.health.stalled(topic, next, end, app.now()) {
                    return Some(why);
                }
            }
            (Err(error), _) => return Some(error.to_string()),
            (_, Ok(Err(error))) => return Some(error.to_string()),
            (_, Err(_)) => return Some("the log does not answer".to_owned()),
        }
    }
    app.service.ports.catalogue.not_ready()
}

/// Have the writer write, once in a while however often this is asked.
async fn probe(app: &App) -> Option<String> {
    let mut last = app.service.health.probe.lock().await;
    let now = app.now();
    if let Some((at, found)) = &*last
        && Health::counts(*at, now)
    {
        return found.clone();
    }
    let found = match tokio::time::timeout(PROBE_WAIT, app.service.store.probe(now)).await {
        Ok(written) => written.err().map(|error| format!("the case database cannot be written: {error}")),
        Err(_) => Some("the case database's writer does not answer".to_owned()),
    };
    *last = Some((now, found.clone()));
    found
}

/// Prometheus metrics.
#[utoipa::path(get, path = "/metrics", tag = "system", security(()), responses((status = 200, body = String)))]
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let leaves = app.service.store.chain().await.size;
    app.service.metrics.evidence_leaves.set(i64::try_from(leaves).unwrap_or(i64::MAX));
    let counts = app.service.store.case_counts().await?;
    let open = counts.iter().filter(|(state, _)| state != CaseState::Closed.name()).map(|(_, n)| n).sum();
    app.service.metrics.cases_open.set(open);
    app.service.metrics.payments_held.set(app.service.store.holds_waiting().await?);
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    encoder
        .encode(&app.service.metrics.registry.gather(), &mut text)
        .map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response())
}
