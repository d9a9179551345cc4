//! `/v1/stream-time`: the engine's time against the clock, and how it is set back after a wrong one.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde::{Deserialize, Serialize};
use sluice_model::EventTime;

use super::{Identity, Problem, idempotent::RequestClaim};
use crate::{app::App, service::StreamTimeSet};

/// The engine's time against the clock.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct StreamTime {
    /// The latest event time that the engine has applied; absent before the first event.
    #[schema(value_type = Option<String>)]
    stream_time: Option<EventTime>,
    /// The machine's clock.
    #[schema(value_type = String)]
    now: EventTime,
    /// How many seconds stream time is ahead of the clock; negative where it is behind.
    ahead_seconds: Option<i64>,
}

/// What stream time is set back to, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetStreamTime {
    /// The latest event time that counts as seen from here on: RFC 3339, not in the future.
    #[schema(value_type = String)]
    pub to: EventTime,
    /// Why.
    pub reason: String,
}

/// The engine's time against the clock.
#[utoipa::path(get, path = "/v1/stream-time", tag = "system", responses((status = 200, body = StreamTime)))]
pub(crate) async fn get(State(app): State<Arc<App>>) -> Json<StreamTime> {
    let (stream_time, now) = (app.service.catalogue().stream_time(), app.now());
    let ahead_seconds = stream_time.map(|at| at.since(now).micros().div_euclid(1_000_000));
    Json(StreamTime { stream_time, now, ahead_seconds })
}

/// Set stream time back, after events were taken in under a clock that was ahead: what is too old by them is not any
/// more. MLROs and administrators may.
#[utoipa::path(post, path = "/v1/stream-time", tag = "system", request_body = SetStreamTime,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once")),
    responses(
        (status = 200, body = StreamTimeSet),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn set(
    State(app): State<Arc<App>>,
    identity: Identity,
    RequestClaim(claim): RequestClaim,
    Json(SetStreamTime { to, reason }): Json<SetStreamTime>,
) -> Result<Json<StreamTimeSet>, Problem> {
    Ok(Json(app.service.set_stream_time(to, &reason, &identity.actor, claim.as_ref()).await?))
}
