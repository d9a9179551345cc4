//! Which error of the case side is which problem.

use std::any::Any;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
pub(crate) use sluice_http::PROBLEM_JSON;
pub use sluice_http::Problem;

use crate::{domain::Refusal, limits::RETRY_AFTER, ports::PortError, service::ActError, service::StoreError};

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_full() {
            tracing::error!(%error, "the case database has no space left");
            let detail = "no space is left for the case database: nothing of this was kept; it works again once \
                          there is some";
            return Self::coded(StatusCode::INSUFFICIENT_STORAGE, "disk_full", detail)
                .retry_after(RETRY_AFTER.as_secs());
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
        let (status, code) = match refusal {
            Refusal::NotAllowed => (StatusCode::FORBIDDEN, "not_allowed"),
            Refusal::SamePerson => (StatusCode::FORBIDDEN, "same_person"),
            Refusal::WrongState(..) => (StatusCode::CONFLICT, "wrong_state"),
            Refusal::FundsHeld(_) => (StatusCode::CONFLICT, "funds_held"),
            Refusal::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Refusal::DiscriminatorMissing => (StatusCode::UNPROCESSABLE_ENTITY, "discriminator_missing"),
            Refusal::BadText => (StatusCode::UNPROCESSABLE_ENTITY, "bad_text"),
            Refusal::NotSuppressible => (StatusCode::UNPROCESSABLE_ENTITY, "not_suppressible"),
            Refusal::TooManyMatches => (StatusCode::UNPROCESSABLE_ENTITY, "too_many_matches"),
            Refusal::NamesTooLittle(_) => (StatusCode::UNPROCESSABLE_ENTITY, "names_too_little"),
            Refusal::NothingToActOn(_) => (StatusCode::UNPROCESSABLE_ENTITY, "nothing_to_act_on"),
        };
        Self::coded(status, code, refusal.to_string())
    }
}

impl From<ActError> for Problem {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NoCase => Self::not_found("case"),
            ActError::NoSuppression => Self::not_found("suppression"),
            ActError::NoConfiguration => Self::not_found("configuration"),
            ActError::NotScreened(why) => Self::coded(StatusCode::UNPROCESSABLE_ENTITY, "not_screened", why),
            ActError::Refused(refusal) => refusal.into(),
            ActError::Store(error) => error.into(),
            ActError::Port(error) => error.into(),
            ActError::Join(error) => Self::internal(&error),
        }
    }
}

/// No such path.
pub(crate) async fn not_found() -> Problem {
    let detail = "there is nothing at this path; /openapi.json lists what there is";
    Problem::coded(StatusCode::NOT_FOUND, "not_found", detail)
}

/// Another method would do.
pub(crate) async fn method_not_allowed() -> Problem {
    Problem::coded(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path does not take that method",
    )
}

/// A handler panicked. What it said stays with the panic hook: it may quote data.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem::failed().into_response()
}
