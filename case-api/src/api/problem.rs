//! Problem details (RFC 9457): the one shape of every refusal over HTTP.

use std::any::Any;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{domain::Refusal, limits::RETRY_AFTER, ports::PortError, service::ActError, service::StoreError};

/// The media type.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, for programs and people.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `about:blank`: the status says what kind of problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What happened here, and what to do about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
}

impl Problem {
    /// A problem of that status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        Self { kind: "about:blank", title, status: status.as_u16(), detail: detail.into() }
    }

    /// Nothing of that id.
    pub fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is no such {what}"))
    }

    /// The role does not allow it.
    pub fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "your role does not allow this")
    }

    /// Something of ours failed. What it was goes to the log, not to whoever asked.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "something failed here; the log says what")
    }

    /// What happened, for pages.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        if self.status() == StatusCode::INSUFFICIENT_STORAGE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER.as_secs().into());
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_full() {
            tracing::error!(%error, "the case database has no space left");
            let detail = "no space is left for the case database: nothing of this was kept; it works again once \
                          there is some";
            return Self::new(StatusCode::INSUFFICIENT_STORAGE, detail);
        }
        Self::internal(&error)
    }
}

impl From<PortError> for Problem {
    fn from(error: PortError) -> Self {
        Self::internal(&error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::NotAllowed | Refusal::SamePerson => StatusCode::FORBIDDEN,
            Refusal::WrongState(..) | Refusal::FundsHeld(_) | Refusal::Conflict(_) => StatusCode::CONFLICT,
            Refusal::DiscriminatorMissing
            | Refusal::BadText
            | Refusal::NotSuppressible
            | Refusal::NamesTooLittle(_)
            | Refusal::NothingToActOn(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        Self::new(status, refusal.to_string())
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NoCase => Self::not_found("case"),
            ActError::NoSuppression => Self::not_found("suppression"),
            ActError::NoConfiguration => Self::not_found("configuration"),
            ActError::NotScreened(why) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, why),
            ActError::Refused(refusal) => refusal.into(),
            ActError::Store(error) => error.into(),
            ActError::Port(error) => error.into(),
            ActError::Join(error) => Self::internal(&error),
        }
    }
}

/// No such path.
pub async fn not_found() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "there is nothing at this path; /openapi.json lists what there is")
}

/// Another method would do.
pub async fn method_not_allowed() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this path does not take that method")
}

/// A handler panicked. What it said stays with the panic hook: it may quote data.
pub fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "something failed here; the log says what")
        .into_response()
}
