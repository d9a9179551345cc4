//! `POST /v1/events`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, Uri, header, uri::PathAndQuery},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sluice_codec::Refused;
use sluice_http::{Caller, Problem};
use sluice_model::limits::BODY_BYTES_MAX;

use crate::{
    RuntimeError,
    gateway::Intake,
    http::{
        App,
        answer::{self, Attempt},
        body::{self, Origin},
        problem::internal,
    },
    ingest::{Contents, Format},
    limits::{DOCUMENT_BODY_BYTES_MAX, REFUSALS_LISTED_MAX},
};

/// Where dead letters of this source come from.
pub(super) const SOURCE: &str = "http";

/// What was taken in, and what was not.
#[derive(Serialize)]
struct Receipt<'a> {
    /// Events that are durable now.
    accepted: usize,
    /// Lines, or transactions of a message, that are in the dead letters now.
    refused: usize,
    /// The first of those, up to [`REFUSALS_LISTED_MAX`].
    refusals: Vec<Refusal<'a>>,
    /// Control totals that contradict what stands in the message.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    notes: &'a [String],
}

#[derive(Serialize)]
struct Refusal<'a> {
    line: u64,
    code: &'a str,
    reason: &'a str,
}

impl<'a> Refusal<'a> {
    fn of(refused: &'a Refused) -> Self {
        Self { line: refused.line, code: refused.code, reason: &refused.reason }
    }
}

/// Take in one event, a batch of them, an ISO 20022 message, or SWIFT MT messages.
pub(super) async fn post_events(
    State(app): State<Arc<App>>,
    Caller(caller): Caller,
    uri: Uri,
    origin: Result<Query<Origin>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let received_at = app.guard.stamp().map_err(RuntimeError::from)?;
    let zone = origin?.zone(&app)?;
    let format = body::format(&headers, &[Format::Json, Format::Ndjson, Format::Iso20022, Format::Mt])?;
    let bytes_max = match format {
        Format::Iso20022 | Format::Mt => DOCUMENT_BODY_BYTES_MAX,
        Format::Json | Format::Ndjson => BODY_BYTES_MAX,
    };
    let lent = body::read(&app, &app.bodies, &headers, body, bytes_max).await?;
    // The same bytes are another request where they are said to come from elsewhere.
    let path = uri.path_and_query().map_or("/v1/events", PathAndQuery::as_str);
    let reserved = match answer::turn(&app, path, &caller, &headers, &lent.bytes, received_at)? {
        Attempt::Do(reserved) => reserved,
        Attempt::Done(answer) => return Ok(accepted(answer.unwrap_or_default())),
    };
    let contents = body::decode(&app, format, zone, &lent.bytes).await?;
    let whole_refusal = whole_refusal(format, &contents);
    let receipt = receipt(&contents)?;
    let (events, codes) = (contents.events.len(), codes(&contents));
    let (payments, dead_letters) = contents.into_records(received_at, SOURCE);
    // A refused whole is refused again when it comes again: only what was taken in is remembered.
    let reserved = reserved.filter(|_| whole_refusal.is_none());
    let answered = reserved.as_ref().map(|reserved| reserved.answered(Some(receipt.clone())));
    let intake = Intake { payments, dead_letters, answered: answered.clone() };
    app.gateway.take_in_turns(intake).await.inspect_err(|partly| app.note(&partly.error))?;
    app.telemetry.taken_in(events, codes);
    if let (Some(reserved), Some(answered)) = (reserved, &answered) {
        reserved.keep(answered);
    }
    match whole_refusal {
        Some(problem) => Err(problem),
        None => Ok(accepted(receipt)),
    }
}

fn accepted(receipt: String) -> Response {
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], receipt).into_response()
}

fn receipt(contents: &Contents) -> Result<String, Problem> {
    let receipt = Receipt {
        accepted: contents.events.len(),
        refused: contents.refused.len(),
        refusals: contents.refused.iter().take(REFUSALS_LISTED_MAX).map(Refusal::of).collect(),
        notes: &contents.notes,
    };
    serde_json::to_string(&receipt).map_err(|error| internal(error.to_string()))
}

/// The problem of a body that is one thing, and could not be read: an event, or a message with nothing else in it.
pub(super) fn whole_refusal(format: Format, contents: &Contents) -> Option<Problem> {
    let is_whole = format != Format::Ndjson && contents.events.is_empty();
    let refused = contents.refused.first().filter(|_| is_whole)?;
    let status = match refused.code {
        "too_large" => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    Some(Problem::coded(
        status,
        refused.code,
        format!("{}; the body is kept in the dead letters", refused.reason),
    ))
}

pub(super) fn codes(contents: &Contents) -> Vec<&'static str> {
    contents.refused.iter().map(|refused| refused.code).collect()
}
