//! `POST /v1/webhooks/{name}`: what a payment service provider sends. Nobody signs in here: the signature is the
//! credential, and nothing of a body is kept or believed before it is verified.

use std::sync::Arc;

use axum::{
    Json,
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
};
use serde::Serialize;
use sluice_codec::webhook::Unverified;
use sluice_http::Problem;
use sluice_model::limits::EVENT_BYTES_MAX;

use crate::{
    gateway::Intake,
    http::{App, body, events::codes, problem::not_found},
    ingest::Contents,
    webhooks::Sender,
};

/// What stands before the name in the source of dead letters.
const SOURCE: &str = "webhook:";

/// What became of a body. Senders want a 200, and send anything else again for days.
#[derive(Serialize)]
pub(super) struct Receipt {
    /// Events that are durable now.
    accepted: usize,
    /// Events that the mapping passes over, or that tell of no payment.
    passed_over: usize,
    /// Bodies that are in the dead letters now.
    refused: usize,
}

/// Take in a signed body.
pub(super) async fn post_webhook(
    State(app): State<Arc<App>>,
    name: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Receipt>, Problem> {
    let Path(name) = name?;
    let Some(sender) = app.webhooks.get(&name) else {
        return Err(not_found("no webhook of this name is configured"));
    };
    let received_at = app.stamp()?;
    let lent = body::read(&app, &app.webhook_bodies, &headers, body, EVENT_BYTES_MAX).await?;
    let header = |name: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().filter(|_| values.next().is_none())?.to_str().ok()
    };
    if let Err(why) = sender.webhook.verify(header, &lent.bytes, received_at, &sender.secrets) {
        app.telemetry.webhook(&name, "unverified");
        return Err(problem(&why));
    }
    let contents = sender.read(&lent.bytes);
    let receipt = Receipt {
        accepted: contents.events.len(),
        passed_over: usize::from(contents.events.is_empty() && contents.refused.is_empty()),
        refused: contents.refused.len(),
    };
    if receipt.passed_over == 0 {
        let codes = codes(&contents.refused);
        let (payments, dead_letters) = contents.into_records(received_at, &format!("{SOURCE}{name}"));
        let intake = Intake { payments, dead_letters, ..Intake::default() };
        app.gateway.take_in_turns(intake).await.inspect_err(|partly| app.note(&partly.error))?;
        app.telemetry.taken_in(receipt.accepted, codes);
    }
    app.telemetry.webhook(&name, receipt.outcome());
    Ok(Json(receipt))
}

/// Whoever sent a body that is a dead letter now, where it came so and is configured still.
pub(super) fn sender_of<'a>(app: &'a App, source: &str) -> Option<&'a Sender> {
    app.webhooks.get(source.strip_prefix(SOURCE)?)
}

impl Sender {
    /// What a verified body holds.
    pub(super) fn read(&self, body: &[u8]) -> Contents {
        let mut contents = Contents::default();
        if let Some(read) = self.webhook.read(body).transpose() {
            contents.one(1, body, read);
        }
        contents
    }
}

impl Receipt {
    const fn outcome(&self) -> &'static str {
        match (self.accepted, self.refused) {
            (0, 0) => "passed_over",
            (0, _) => "refused",
            _ => "accepted",
        }
    }
}

fn problem(why: &Unverified) -> Problem {
    let (status, code) = match why {
        Unverified::Unreadable(error) if error.code() == "too_large" => {
            (StatusCode::PAYLOAD_TOO_LARGE, error.code())
        }
        Unverified::Unreadable(error) => (StatusCode::BAD_REQUEST, error.code()),
        Unverified::OutsideWindow(_) => (StatusCode::UNAUTHORIZED, "outside_window"),
        Unverified::Missing(_) | Unverified::Malformed { .. } | Unverified::Mismatch => {
            (StatusCode::UNAUTHORIZED, "not_signed")
        }
    };
    Problem::coded(status, code, why.to_string())
}
