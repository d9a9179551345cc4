//! Dead letters in officers' hands. The runtime keeps them and takes them in again; this file says who may, and writes each
//! attempt down. The original stays on the log whatever is sent instead.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sluice_http::body;
use sluice_model::{DeadLetter, limits::BODY_BYTES_MAX};
use tower::ServiceExt as _;

use super::{Identity, Problem, unknown};
use crate::{
    app::App,
    domain::{Actor, Permission},
    service::StoreError,
};

/// Where the runtime has them.
const PATH: &str = "/v1/dead-letters";
/// The most bytes of an answer of the runtime that are read: a page of letters, each with its original.
const ANSWER_BYTES_MAX: usize = 64 * BODY_BYTES_MAX;

/// A dead letter with its id.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Letter {
    /// Its place on the log.
    pub id: String,
    /// What it says.
    #[serde(flatten)]
    pub letter: DeadLetter,
}

/// Some of them, oldest first.
#[derive(Debug, Deserialize)]
pub(crate) struct Letters {
    /// The letters.
    pub items: Vec<Letter>,
    /// Where the next ones begin.
    pub next_cursor: Option<String>,
}

/// What came of one that was sent again.
#[derive(Debug, Deserialize)]
struct ResubmitAnswer {
    accepted: usize,
}

/// Middleware before the runtime's routes: who may ingest, who may mend; and a leaf for each letter sent again.
pub(crate) async fn gate(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let letters = request.uri().path().strip_prefix(PATH).map(str::to_owned);
    let permission = if letters.is_some() { Permission::Mend } else { Permission::Ingest };
    let identity = match request.extensions().get::<Identity>() {
        Some(identity) => identity.clone(),
        None => return unknown(request.uri().path(), request.headers()),
    };
    if let Err(problem) = identity.need(permission) {
        return problem.into_response();
    }
    let id = letters.as_deref().and_then(|rest| rest.strip_prefix('/')?.strip_suffix("/resubmit"));
    let (Some(id), &Method::POST) = (id, request.method()) else { return next.run(request).await };
    let (parts, body) = request.into_parts();
    let body = match body::whole(body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let said: Value = serde_json::from_slice(&body).unwrap_or_default();
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    match record(&app, id, &said, &identity.actor, response.status()).await {
        Ok(()) => response,
        Err(error) => Problem::from(error).into_response(),
    }
}

/// Write an attempt down, unless nothing was asked for that could have been done.
async fn record(
    app: &App,
    id: &str,
    said: &Value,
    actor: &Actor,
    status: StatusCode,
) -> Result<(), StoreError> {
    if !status.is_success() && status != StatusCode::UNPROCESSABLE_ENTITY {
        return Ok(());
    }
    app.service.record_resubmission(id, said, actor, status.is_success()).await
}

/// Letters from one on, oldest first.
pub(crate) async fn letters(app: &App, from: u64, limit: usize) -> Result<Letters, Problem> {
    let request = Request::get(format!("{PATH}?limit={limit}&cursor={from}")).body(Body::empty());
    ask(app, request.map_err(|error| Problem::internal(&error))?).await
}

pub(crate) async fn letter(app: &App, id: u64) -> Result<Letter, Problem> {
    let found = letters(app, id, 1).await?.items.pop();
    found.filter(|found| found.id == id.to_string()).ok_or_else(|| Problem::not_found("dead letter"))
}

/// Send one again, mended where `event` says how; how many events were taken in.
pub(crate) async fn send_again(
    app: &App,
    id: u64,
    reason: &str,
    event: Option<String>,
    actor: &Actor,
) -> Result<usize, Problem> {
    let said = match event {
        Some(event) => json!({ "reason": reason, "event": event }),
        None => json!({ "reason": reason }),
    };
    let request = Request::post(format!("{PATH}/{id}/resubmit"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(said.to_string()))
        .map_err(|error| Problem::internal(&error))?;
    let sent = ask::<ResubmitAnswer>(app, request).await;
    let status = sent.as_ref().map_or_else(Problem::status, |_| StatusCode::ACCEPTED);
    record(app, &id.to_string(), &said, actor, status).await?;
    Ok(sent?.accepted)
}

/// Ask the runtime's own routes.
async fn ask<T: DeserializeOwned>(app: &App, request: Request) -> Result<T, Problem> {
    let Some(runtime) = app.ingest.get().cloned() else { return Err(Problem::not_found("dead letter")) };
    let response = match runtime.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let again =
        response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let (status, body) = (response.status(), response.into_body());
    let bytes: Bytes = to_bytes(body, ANSWER_BYTES_MAX).await.unwrap_or_default();
    if status.is_success() {
        return serde_json::from_slice(&bytes).map_err(|error| Problem::internal(&error));
    }
    let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let said = |name| problem.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = said("code").unwrap_or_else(|| "refused".to_owned());
    let detail = said("detail").unwrap_or_else(|| "it could not be taken in".to_owned());
    let problem = Problem::coded(status, code, detail);
    Err(match again {
        Some(seconds) => problem.retry_after(seconds),
        None => problem,
    })
}
