//! Refusals as problem details (RFC 9457), with a stable `code` for programs.

use axum::{
    Json,
    extract::rejection::{JsonRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sluice_log::LogError;
use sluice_model::without_values;

use crate::{RuntimeError, gateway::Partly, limits::RETRY_AFTER_SECONDS};

/// Why a request was not done. The detail holds no personal data.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: String,
    detail: String,
    /// Where only a part of a body was taken in: how many of its events.
    accepted: Option<usize>,
    /// When to come back, in seconds.
    retry_after: u64,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted: Option<usize>,
}

impl Problem {
    pub fn new(status: StatusCode, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            detail: detail.into(),
            accepted: None,
            retry_after: RETRY_AFTER_SECONDS,
        }
    }

    /// The client is to come back shortly.
    pub fn busy(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    }

    /// What was asked for is not there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// The request itself is wrong.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }
}

impl From<RuntimeError> for Problem {
    fn from(error: RuntimeError) -> Self {
        let detail = error.to_string();
        match error {
            RuntimeError::Log(LogError::Busy) => Self::busy(detail),
            RuntimeError::Behind { seconds } => Self { retry_after: seconds, ..Self::busy(detail) },
            RuntimeError::Clock(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, "clock", detail),
            RuntimeError::Log(LogError::Full { .. }) => {
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", "no space is left for the log")
            }
            RuntimeError::Log(LogError::TooLarge { .. }) => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
            }
            RuntimeError::Log(LogError::Closed) | RuntimeError::Stopped => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "Sluice is stopping")
            }
            _ => {
                tracing::error!(%error, "a request failed");
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "internal",
                    "the request failed: see the log of the process",
                )
            }
        }
    }
}

impl From<Partly> for Problem {
    fn from(Partly { accepted, error }: Partly) -> Self {
        let problem = Self::from(error);
        if accepted == 0 {
            return problem;
        }
        let detail = format!(
            "{}; {accepted} events of this body are taken in: send it again whole, what is there already counts once",
            problem.detail
        );
        Self { detail, accepted: Some(accepted), ..problem }
    }
}

/// What the library says of a request may repeat it.
macro_rules! from_rejections {
    ($($rejection:ty),+) => {
        $(impl From<$rejection> for Problem {
            fn from(rejection: $rejection) -> Self {
                Self::new(rejection.status(), "bad_request", without_values(&rejection.body_text()))
            }
        })+
    };
}
from_rejections!(JsonRejection, QueryRejection);

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), "bad_request", "a part of the path is not what stands there")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            code: &self.code,
            detail: &self.detail,
            accepted: self.accepted,
        };
        let mut response = (self.status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE || self.status == StatusCode::INSUFFICIENT_STORAGE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after));
        }
        response
    }
}
