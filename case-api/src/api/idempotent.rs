//! `Idempotency-Key` on every POST: the same request under the same key is run once and answered twice.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, Request, State},
    http::{Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sluice_http::{
    body,
    idempotency::{self, KEY_BYTES_MAX, NoKey},
};

use super::{Identity, Problem};
use crate::{
    app::App,
    limits::IDEMPOTENCY_ANSWER_BYTES_MAX,
    service::{Answer, Claim, ClaimOutcome, StoreError},
};

/// What is kept with an act, so that the same request under the same `Idempotency-Key` is run once; `None` without a key.
pub(crate) struct RequestClaim(pub Option<Claim>);

impl<S: Send + Sync> FromRequestParts<S> for RequestClaim {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Claim>().cloned()))
    }
}

/// Set on an answer that was given before.
const REPLAYED: &str = "idempotency-replayed";

/// Middleware for the API's POSTs. The claim is handed on, so that an act can be stored together with its answer.
pub(crate) async fn idempotent(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let identity = request.extensions().get::<Identity>().cloned();
    let (Some(identity), &Method::POST) = (identity, request.method()) else {
        return next.run(request).await;
    };
    let key = match idempotency::key(request.headers()) {
        Ok(Some(key)) => key.to_owned(),
        Ok(None) => return next.run(request).await,
        Err(NoKey) => {
            let detail = format!("Idempotency-Key is 1 to {KEY_BYTES_MAX} visible ASCII characters");
            return Problem::bad_request(detail).into_response();
        }
    };
    let (parts, body) = request.into_parts();
    let body = match body::whole(body).await {
        Ok(body) => body,
        Err(problem) => return problem.into_response(),
    };
    let fingerprint = idempotency::fingerprint(parts.uri.path(), &body).to_string();
    let claim = Claim { actor: identity.actor.name, key, fingerprint };
    let mut request = Request::from_parts(parts, Body::from(body));
    request.extensions_mut().insert(claim.clone());
    match run(&app, &claim, request, next).await {
        Ok(response) => response,
        Err(error) => Problem::from(error).into_response(),
    }
}

async fn run(app: &App, claim: &Claim, request: Request, next: Next) -> Result<Response, StoreError> {
    let (claimed, _turn) = app.service.claim(claim).await?;
    match claimed {
        ClaimOutcome::Run => {}
        ClaimOutcome::Again(answer) => return Ok(replay(answer)),
        ClaimOutcome::Other => {
            let detail = "this Idempotency-Key was used for another request";
            let problem = Problem::coded(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", detail);
            return Ok(problem.into_response());
        }
        ClaimOutcome::Running => {
            let detail = "the request with this Idempotency-Key is running: ask again in a moment";
            return Ok(Problem::coded(StatusCode::CONFLICT, "under_way", detail).into_response());
        }
    }
    let (parts, body) = next.run(request).await.into_parts();
    // What went wrong on our side may go right next time, and an answer too large to keep is made again.
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let noted = if parts.status.is_server_error() || bytes.len() > IDEMPOTENCY_ANSWER_BYTES_MAX {
        app.service.disclaim(claim).await
    } else {
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let answer =
            Answer { status: parts.status.as_u16(), content_type: kind.to_owned(), body: bytes.to_vec() };
        app.service.keep_answer(claim, &answer).await
    };
    if let Err(error) = noted {
        // What was done is done, and is answered so. Its claim is free once this request has ended.
        tracing::warn!(%error, "an answer could not be kept for its Idempotency-Key");
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

fn replay(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = (status, [(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response();
    response.headers_mut().insert(REPLAYED, axum::http::HeaderValue::from_static("true"));
    response
}
