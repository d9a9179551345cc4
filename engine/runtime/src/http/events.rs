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
    http::{
        App,
        answer::{self, Attempt},
        body::{self, Lent, Origin},
        problem::internal,
    },
    incoming::Incoming,
    ingest::{Format, dead_letters},
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
    /// Of a body of so many events that is durable, before anything of it is judged.
    fn durable(events: usize, unreadable: &[Refused], notes: Vec<String>) -> Self {
        let refusal = |refused: &Refused| Refusal {
            line: refused.line,
            code: refused.code,
            reason: refused.reason.clone(),
        };
        Self {
            came: Came::durable(events, unreadable.len()),
            refusals: unreadable.iter().take(REFUSALS_LISTED_MAX).map(refusal).collect(),
            notes,
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
    let received_at = app.stamp()?;
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
    let mut incoming = body::incoming(&app, format, zone, bytes, received_at).await?;
    let (slip, reader) = Slip::new(Came::durable(0, 0));
    let mut turns = app.gateway.turns(incoming.events_max, Some(slip));
    let mut events = 0;
    while let Some(piece) = incoming.next().await? {
        events += piece.count();
        turns.add(piece).await.inspect_err(|partly| app.note(&partly.error))?;
    }
    let Incoming { refused, notes, .. } = incoming;
    let whole_refusal = whole_refusal(format, events, &refused);
    let (mut receipt, codes) = (Receipt::durable(events, &refused, notes), codes(&refused));
    // A refused whole is refused again when it comes again: only what was taken in is remembered.
    let mut reserved = reserved.filter(|_| whole_refusal.is_none());
    let mut answered = None;
    if let Some(reserved) = &reserved {
        answered = Some(reserved.answered(Some(receipt.text()?)));
    }
    let dead_letters = dead_letters(refused, received_at, SOURCE);
    let all = turns.end(dead_letters, answered.clone()).await;
    all.inspect_err(|partly| app.note(&partly.error))?;
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
    let judged = reader.came().await;
    receipt.came = Came { refused: receipt.came.refused + judged.refused, ..judged };
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
pub(super) fn whole_refusal(format: Format, events: usize, refused: &[Refused]) -> Option<Problem> {
    let is_whole = format != Format::Ndjson && events == 0;
    let refused = refused.first().filter(|_| is_whole)?;
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

pub(super) fn codes(refused: &[Refused]) -> Vec<&'static str> {
    refused.iter().map(|refused| refused.code).collect()
}
