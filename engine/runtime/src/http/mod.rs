//! `POST /v1/events`, `POST /v1/decisions` and the dead letters. Unauthenticated: whoever mounts the router puts
//! sign-in before it. Webhooks are a router of their own: what they take in is signed.

mod answer;
mod body;
mod dead_letters;
mod decisions;
mod events;
mod problem;
mod webhooks;

use std::sync::Arc;

use axum::{
    Router,
    extract::{MatchedPath, Request},
    middleware::{self, Next},
    response::Response,
    routing::{get, post},
};
use sluice_codec::Zone;
use sluice_http::{Problem, query};
use sluice_log::{Log, LogError};
use sluice_model::EventTime;
use tokio::sync::Semaphore;

use crate::{
    RuntimeError,
    deadlines::Deadlines,
    desk::Desk,
    gateway::Gateway,
    guard::Guard,
    http::body::{BODY_PERMITS, DECISION_PERMITS, WEBHOOK_PERMITS},
    limits::{DECODES_AT_ONCE, DOCUMENTS_AT_ONCE},
    progress::Progress,
    requests::Requests,
    telemetry::Telemetry,
    webhooks::Webhooks,
};

/// What the handlers work with.
pub(crate) struct App {
    pub log: Arc<dyn Log>,
    pub gateway: Arc<Gateway>,
    pub desk: Arc<Desk>,
    pub requests: Arc<Requests>,
    pub progress: Arc<Progress>,
    pub guard: Guard,
    pub deadlines: Deadlines,
    pub telemetry: Telemetry,
    /// The memory that bodies may hold, in units of [`body::PERMIT_BYTES`].
    pub bodies: Semaphore,
    /// The same for decisions.
    pub decision_bodies: Semaphore,
    /// The same for webhooks, which anybody may send.
    pub webhook_bodies: Semaphore,
    /// Turns at decoding a large body.
    pub decodes: Arc<Semaphore>,
    /// The same at reading a large document while it is taken in.
    pub documents: Arc<Semaphore>,
    pub webhooks: Webhooks,
    /// The zone of a body that names none.
    pub zone: Zone,
}

impl App {
    /// The memory for bodies, all free.
    pub(crate) fn bodies() -> Semaphore {
        Semaphore::new(BODY_PERMITS)
    }

    /// The memory for decisions' bodies, all free.
    pub(crate) fn decision_bodies() -> Semaphore {
        Semaphore::new(DECISION_PERMITS)
    }

    /// The memory for webhooks' bodies, all free.
    pub(crate) fn webhook_bodies() -> Semaphore {
        Semaphore::new(WEBHOOK_PERMITS)
    }

    /// Turns at decoding, all free.
    pub(crate) fn decodes() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(DECODES_AT_ONCE))
    }

    /// Turns at reading documents, all free.
    pub(crate) fn documents() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(DOCUMENTS_AT_ONCE))
    }

    /// When what comes now is taken in, if it may be.
    pub(crate) fn stamp(&self) -> Result<EventTime, RuntimeError> {
        if !self.progress.has_rules() {
            return Err(RuntimeError::NoRules);
        }
        Ok(self.guard.stamp()?)
    }

    /// Count a refusal for want of room.
    fn note(&self, error: &RuntimeError) {
        if matches!(error, RuntimeError::Log(LogError::Busy) | RuntimeError::Behind { .. }) {
            self.telemetry.busy();
        }
    }
}

/// Refuse a query with a parameter that the route does not take.
async fn known_parameters(path: MatchedPath, request: Request, next: Next) -> Result<Response, Problem> {
    let known: &[&str] = match path.as_str() {
        "/v1/decisions" => &["deadline_ms"],
        "/v1/events" | "/v1/dead-letters/{id}/resubmit" => &["zone"],
        "/v1/dead-letters" => &["limit", "cursor"],
        _ => &[],
    };
    query::only(request.uri(), known)?;
    Ok(next.run(request).await)
}

/// The routes, all under `/v1`.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/v1/events", post(events::post_events))
        .route("/v1/decisions", post(decisions::post_decision))
        .route("/v1/dead-letters", get(dead_letters::list))
        .route("/v1/dead-letters/{id}/resubmit", post(dead_letters::resubmit))
        .layer(middleware::from_fn(known_parameters))
        .with_state(app)
}

/// The routes whose bodies are signed, and that nobody signs in to.
pub(crate) fn webhook_router(app: Arc<App>) -> Router {
    Router::new().route("/v1/webhooks/{name}", post(webhooks::post_webhook)).with_state(app)
}
