//! `GET /v1/dead-letters` and `POST /v1/dead-letters/{id}/resubmit`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{JsonRejection, PathRejection, QueryRejection},
    },
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_codec::Form;
use sluice_driver::records;
use sluice_http::{Problem, page};
use sluice_log::{Offset, Partition, ReadLimit, StoredRecord, Topic};
use sluice_model::{DeadLetter, PaymentRecord};

use crate::{
    RuntimeError,
    gateway::Intake,
    http::{
        App,
        body::Origin,
        events::SOURCE,
        problem::{bad_request, not_found},
        webhooks,
    },
    ingest::{self, Format},
    limits::REASON_CHARS_MAX,
};

const DEAD_LETTERS: Partition = Topic::DeadLetters.partition(0);

/// Which part of the list.
#[derive(Deserialize)]
pub(super) struct Page {
    limit: Option<u64>,
    cursor: Option<Offset>,
}

/// One page of a list.
#[derive(Serialize)]
pub(super) struct Listed<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// A dead letter with its id: its place in the log.
#[derive(Serialize)]
pub(super) struct Item {
    id: String,
    #[serde(flatten)]
    letter: DeadLetter,
}

/// The dead letters, oldest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Listed<Item>>, Problem> {
    let Query(page) = page?;
    let limit = page::items(page.limit) as usize;
    let from = page.cursor.unwrap_or_default();
    let (stored, end) = blocking(move || {
        Ok((app.log.read(DEAD_LETTERS, from, ReadLimit::records(limit))?, app.log.end(DEAD_LETTERS)?))
    })
    .await?;
    let next = stored.last().map(|record| record.offset + 1).filter(|next| *next < end);
    let items = stored.iter().map(item).collect::<Result<_, _>>()?;
    Ok(Json(Listed { items, next_cursor: next.map(|next| next.to_string()) }))
}

/// Why it is sent again, and what is sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Resubmission {
    reason: String,
    /// What is taken in instead of the original, mended: an event, or the text of a message. The original stays.
    #[serde(default)]
    event: Option<Value>,
}

impl Resubmission {
    /// The bytes that are taken in.
    fn sent(event: Option<Value>, original: Vec<u8>) -> Vec<u8> {
        match event {
            None => original,
            Some(Value::String(text)) => text.into_bytes(),
            Some(event) => event.to_string().into_bytes(),
        }
    }
}

/// What came of it.
#[derive(Serialize)]
pub(super) struct Resubmitted {
    accepted: usize,
}

/// Take in a dead letter's events after all, as they came or mended; one that was too old is let in for the reason given.
pub(super) async fn resubmit(
    State(app): State<Arc<App>>,
    id: Result<Path<Offset>, PathRejection>,
    origin: Result<Query<Origin>, QueryRejection>,
    resubmission: Result<Json<Resubmission>, JsonRejection>,
) -> Result<(StatusCode, Json<Resubmitted>), Problem> {
    let (Path(id), Json(Resubmission { reason, event })) = (id?, resubmission?);
    let zone = origin?.zone(&app)?;
    let received_at = app.stamp()?;
    if reason.trim().is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(bad_request(format!("give a reason of 1 to {REASON_CHARS_MAX} characters")));
    }
    let log = Arc::clone(&app.log);
    let stored = blocking(move || Ok(log.read(DEAD_LETTERS, id, ReadLimit::records(1))?)).await?;
    let stored = stored.first().filter(|record| record.offset == id);
    let stored = stored.ok_or_else(|| not_found("there is no such dead letter"))?;
    let letter: DeadLetter = records::parse(DEAD_LETTERS, stored).map_err(RuntimeError::from)?;

    // What a sender of webhooks wrote is read as its mapping says now; what is mended is an event as any.
    let sender = webhooks::sender_of(&app, &letter.source).filter(|_| event.is_none());
    let sent = Resubmission::sent(event, letter.original);
    let contents = match sender {
        Some(sender) => sender.read(&sent),
        None => ingest::read(format_of(&sent), &sent, &zone),
    };
    if let Some(refused) = contents.refused.first() {
        let detail = format!("it still cannot be read: {}", refused.reason);
        return Err(Problem::coded(StatusCode::UNPROCESSABLE_ENTITY, refused.code, detail));
    }
    let (mut payments, dead_letters) = contents.into_records(received_at, SOURCE);
    for payment in &mut payments {
        if let PaymentRecord::Event(record) = payment {
            record.late_reason = Some(reason.clone());
        }
    }
    let accepted = payments.len();
    let intake = Intake { payments, dead_letters, ..Intake::default() };
    app.gateway.take_in_turns(intake).await.inspect_err(|partly| app.note(&partly.error))?;
    app.telemetry.taken_in(accepted, []);
    Ok((StatusCode::ACCEPTED, Json(Resubmitted { accepted })))
}

fn item(stored: &StoredRecord) -> Result<Item, RuntimeError> {
    let letter = records::parse(DEAD_LETTERS, stored)?;
    Ok(Item { id: stored.offset.to_string(), letter })
}

/// What was in one body or on one line.
fn format_of(original: &[u8]) -> Format {
    match Form::of(original) {
        Form::Iso20022 => Format::Iso20022,
        Form::Mt => Format::Mt,
        Form::Json => Format::Json,
    }
}

/// Reading the log may wait for the disk.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, RuntimeError> + Send + 'static,
) -> Result<T, RuntimeError> {
    tokio::task::spawn_blocking(read).await.map_err(|_| RuntimeError::Stopped)?
}
