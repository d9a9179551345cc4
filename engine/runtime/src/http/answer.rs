//! Answers that a repeated request gets again: what `Idempotency-Key` means for one request.

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode},
};
use sluice_http::{
    Problem,
    idempotency::{self, KEY_BYTES_MAX, NoKey, Scoped},
};
use sluice_model::{EventTime, Hash256};

use crate::{
    http::{App, problem::bad_request},
    requests::{Answered, KeyUse},
};

/// A key reserved for the request under way. When dropped, the answer that was kept is remembered; without one, the key
/// is given back.
pub(super) struct Reserved<'a> {
    app: &'a App,
    key: Scoped,
    fingerprint: Hash256,
    at: EventTime,
    kept: Option<Answered>,
}

/// What to do with a request.
pub(super) enum Attempt<'a> {
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
) -> Result<Attempt<'a>, Problem> {
    let key = idempotency::key(headers).map_err(|NoKey| {
        bad_request(format!("an Idempotency-Key has 1 to {KEY_BYTES_MAX} visible ASCII characters"))
    })?;
    let Some(key) = key else { return Ok(Attempt::Do(None)) };
    let (key, fingerprint) = (Scoped::new(caller, key), idempotency::fingerprint(path, body));
    match app.requests.reserve(&key, fingerprint, at) {
        KeyUse::New => Ok(Attempt::Do(Some(Reserved { app, key, fingerprint, at, kept: None }))),
        KeyUse::Answered(answer) => Ok(Attempt::Done(answer)),
        KeyUse::UnderWay => Err(Problem::coded(
            StatusCode::CONFLICT,
            "under_way",
            "a request with this Idempotency-Key is being answered: try again shortly",
        )),
        KeyUse::OtherRequest => Err(Problem::coded(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "this Idempotency-Key was used for another request",
        )),
    }
}

impl Reserved<'_> {
    /// The record of an answer; it is to become durable with what was asked.
    pub(super) fn answered(&self, answer: Option<String>) -> Answered {
        Answered {
            caller: self.key.caller.clone(),
            key: self.key.key.clone(),
            fingerprint: self.fingerprint,
            at: self.at,
            answer,
        }
    }

    /// A record of the answer is durable: this one is given from here on.
    pub(super) fn keep(&mut self, answered: Answered) {
        self.kept = Some(answered);
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        match &self.kept {
            Some(answered) => self.app.requests.remember(answered, self.at),
            None => self.app.requests.forget(&self.key),
        }
    }
}
