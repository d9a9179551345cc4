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
use crate::{app::App, domain::CaseState};

/// How it is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok`, or why not.
    status: String,
    /// Whether names are screened. `off`: no list is configured.
    screening: &'static str,
}

fn health(app: &App, status: String) -> Health {
    let screening = if app.ports.catalogue.lists().is_empty() { "off" } else { "on" };
    Health { status, screening }
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "system", security(()), responses((status = 200, body = Health)))]
pub async fn healthz(State(app): State<Arc<App>>) -> Json<Health> {
    Json(health(&app, "ok".to_owned()))
}

/// It can take traffic.
#[utoipa::path(get, path = "/readyz", tag = "system", security(()), responses(
    (status = 200, body = Health), (status = 503, body = Health),
))]
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let why_not = match app.store.ping().await {
        Err(error) => Some(error.to_string()),
        Ok(()) => app.ports.catalogue.not_ready(),
    };
    match why_not {
        None => Json(health(&app, "ok".to_owned())).into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, Json(health(&app, why))).into_response(),
    }
}

/// Prometheus metrics.
#[utoipa::path(get, path = "/metrics", tag = "system", security(()), responses((status = 200, body = String)))]
pub async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let leaves = app.store.chain().await.size;
    app.metrics.evidence_leaves.set(i64::try_from(leaves).unwrap_or(i64::MAX));
    let counts = app.store.case_counts().await?;
    let open = counts.iter().filter(|(state, _)| state != CaseState::Closed.name()).map(|(_, n)| n).sum();
    app.metrics.cases_open.set(open);
    app.metrics.payments_held.set(app.store.holds_waiting().await?);
    let encoder = TextEncoder::new();
    let mut text = Vec::new();
    encoder.encode(&app.metrics.registry.gather(), &mut text).map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, encoder.format_type().to_owned())], text).into_response())
}
