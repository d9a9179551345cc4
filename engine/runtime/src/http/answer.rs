//! Answers that a repeated request gets again: what `Idempotency-Key` means for one request.

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode},
};
use sluice_model::{EventTime, Hash256};

use crate::{
    http::{App, problem::Problem},
    limits::IDEMPOTENCY_KEY_BYTES_MAX,
    requests::{Answered, Known},
};

const HEADER: &str = "idempotency-key";

/// A key reserved for the request under way; given back when dropped before the answer was kept.
pub(super) struct Reserved<'a> {
    app: &'a App,
    caller: String,
    key: String,
    fingerprint: Hash256,
    at: EventTime,
    is_kept: bool,
}

/// What to do with a request.
pub(super) enum Turn<'a> {
    /// Do it; remember the answer under the key, if there is one.
    Do(Option<Reserved<'a>>),
    /// It was done: this was the answer. `None` where asking again gives it.
    Done(Option<String>),
}

/// Look up the request's key.
pub(super) fn turn<'a>(
    app: &'a App,
    path: &str,
    caller: &str,
    headers: &HeaderMap,
    body: &Bytes,
    at: EventTime,
) -> Result<Turn<'a>, Problem> {
    let Some(key) = headers.get(HEADER) else { return Ok(Turn::Do(None)) };
    let key = key.to_str().ok().filter(|key| !key.is_empty() && key.len() <= IDEMPOTENCY_KEY_BYTES_MAX);
    let Some(key) = key else {
        let detail =
            format!("an Idempotency-Key has 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible ASCII characters");
        return Err(Problem::bad_request(detail));
    };
    let fingerprint = Hash256::of_parts([path.as_bytes(), body]);
    match app.requests.reserve(caller, key, fingerprint, at) {
        Known::New => {
            let (caller, key) = (caller.to_owned(), key.to_owned());
            Ok(Turn::Do(Some(Reserved { app, caller, key, fingerprint, at, is_kept: false })))
        }
        Known::Answered(answer) => Ok(Turn::Done(answer)),
        Known::UnderWay => Err(Problem::new(
            StatusCode::CONFLICT,
            "under_way",
            "a request with this Idempotency-Key is being answered: try again shortly",
        )),
        Known::OtherRequest => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request",
        )),
    }
}

impl Reserved<'_> {
    /// The record of an answer; it is to become durable with what was asked.
    pub fn answered(&self, answer: Option<String>) -> Answered {
        Answered {
            caller: self.caller.clone(),
            key: self.key.clone(),
            fingerprint: self.fingerprint,
            at: self.at,
            answer,
        }
    }

    /// The record is durable.
    pub fn keep(mut self, answered: &Answered) {
        self.app.requests.remember(answered, self.at);
        self.is_kept = true;
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            self.app.requests.forget(&self.caller, &self.key);
        }
    }
}
