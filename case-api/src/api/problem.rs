//! Which error of the case side is which problem.

use std::any::Any;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
pub use sluice_http::{PROBLEM_JSON, Problem};

use crate::{domain::Refusal, limits::RETRY_AFTER, ports::PortError, service::ActError, service::StoreError};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_full() {
            tracing::error!(%error, "the case database has no space left");
            let detail = "no space is left for the case database: nothing of this was kept; it works again once \
                          there is some";
            return Self::new(StatusCode::INSUFFICIENT_STORAGE, detail).retry_after(RETRY_AFTER.as_secs());
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
