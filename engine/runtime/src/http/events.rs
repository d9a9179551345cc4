//! `POST /v1/events`.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header, uri::PathAndQuery},
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
        body::{self, Lent, Origin},
        problem::internal,
    },
    ingest::{Contents, Format},
    limits::{DOCUMENT_BODY_BYTES_MAX, REFUSALS_LISTED_MAX},
    receipts::{Came, Slip},
};

/// Where dead letters of this source come from.
pub(super) const SOURCE: &str = "http";

/// What came of a body: its counts add up to what was sent.
#[derive(Serialize)]
struct Receipt {
    #[serde(flatten)]
    came: Came,
    /// The first lines, or transactions of a message, that cannot be read, up to [`REFUSALS_LISTED_MAX`].
    refusals: Vec<Refusal>,
    /// Control totals that contradict what stands in the message.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Refusal {
    line: u64,
    code: &'static str,
    reason: String,
}

impl Receipt {
    /// Of a body that is durable, before anything of it is judged.
    fn durable(contents: &Contents) -> Self {
        let refusal = |refused: &Refused| Refusal {
            line: refused.line,
            code: refused.code,
            reason: refused.reason.clone(),
        };
        Self {
            came: Came::durable(contents.events.len(), contents.refused.len()),
            refusals: contents.refused.iter().take(REFUSALS_LISTED_MAX).map(refusal).collect(),
            notes: contents.notes.clone(),
        }
    }

    fn text(&self) -> Result<String, Problem> {
        serde_json::to_string(self).map_err(|error| internal(error.to_string()))
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
    let Lent { bytes, memory } = body::read(&app, &app.bodies, &headers, body, bytes_max).await?;
    // The same bytes are another request where they are said to come from elsewhere.
    let path = uri.path_and_query().map_or("/v1/events", PathAndQuery::as_str);
    let reserved = match answer::turn(&app, path, &caller, &headers, &bytes, received_at)? {
        Attempt::Do(reserved) => reserved,
        Attempt::Done(answer) => return Ok(accepted(answer.unwrap_or_default())),
    };
    let contents = body::decode(&app, format, zone, &bytes).await?;
    drop(bytes);
    let whole_refusal = whole_refusal(format, &contents);
    let mut receipt = Receipt::durable(&contents);
    let (events, codes) = (contents.events.len(), codes(&contents));
    let (payments, dead_letters) = contents.into_records(received_at, SOURCE);
    // A refused whole is refused again when it comes again: only what was taken in is remembered.
    let mut reserved = reserved.filter(|_| whole_refusal.is_none());
    let mut answered = None;
    if let Some(reserved) = &reserved {
        answered = Some(reserved.answered(Some(receipt.text()?)));
    }
    let (slip, reader) = Slip::new(receipt.came);
    let intake = Intake { payments, dead_letters, answered: answered.clone(), slip: Some(slip) };
    app.gateway.take_in_turns(intake).await.inspect_err(|partly| app.note(&partly.error))?;
    app.telemetry.taken_in(events, codes);
    if let (Some(reserved), Some(answered)) = (&mut reserved, answered) {
        reserved.keep(answered);
    }
    if let Some(problem) = whole_refusal {
        return Err(problem);
    }
    drop(memory);
    if responds_async(&headers) {
        let mut response = accepted(receipt.text()?);
        response.headers_mut().insert("preference-applied", HeaderValue::from_static(RESPOND_ASYNC));
        return Ok(response);
    }
    receipt.came = reader.came().await;
    let text = receipt.text()?;
    if let Some(reserved) = &mut reserved {
        reserved.keep(reserved.answered(Some(text.clone())));
    }
    Ok(accepted(text))
}

/// The preference of a client that does not wait for what comes of its events (RFC 7240).
const RESPOND_ASYNC: &str = "respond-async";

fn responds_async(headers: &HeaderMap) -> bool {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut preferences = values.flat_map(|value| value.split(','));
    preferences.any(|preference| {
        let name = preference.split(';').next().unwrap_or_default();
        name.trim().eq_ignore_ascii_case(RESPOND_ASYNC)
    })
}

fn accepted(receipt: String) -> Response {
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], receipt).into_response()
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
