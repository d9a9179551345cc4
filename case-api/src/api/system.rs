//! What machines ask: health, readiness, metrics.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::Problem;
use crate::app::App;

/// How it is.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Health)]
pub(crate) struct Status {
    /// `ok`, or why not.
    status: String,
    /// Whether names are screened. `off`: no list is configured.
    screening: &'static str,
}

fn health(app: &App, status: String) -> Status {
    let screening = if app.service.catalogue().lists().is_empty() { "off" } else { "on" };
    Status { status, screening }
}

/// The process lives.
#[utoipa::path(get, path = "/healthz", tag = "system", security(()), responses((status = 200, body = Status)))]
pub(crate) async fn healthz(State(app): State<Arc<App>>) -> Json<Status> {
    Json(health(&app, "ok".to_owned()))
}

/// It can take traffic.
#[utoipa::path(get, path = "/readyz", tag = "system", security(()), responses(
    (status = 200, body = Status), (status = 503, body = Status),
))]
pub(crate) async fn readyz(State(app): State<Arc<App>>) -> Response {
    match app.service.why_not_ready().await {
        None => Json(health(&app, "ok".to_owned())).into_response(),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, Json(health(&app, why))).into_response(),
    }
}

/// Prometheus metrics.
#[utoipa::path(get, path = "/metrics", tag = "system", security(()), responses((status = 200, body = String)))]
pub(crate) async fn metrics(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    app.service.gauge().await?;
    app.service.metrics.registry.answer().map_err(|error| Problem::internal(&error))
}
