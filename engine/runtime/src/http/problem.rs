//! Which error of the runtime is which problem, each with a stable `code` for programs.

use axum::http::StatusCode;
use sluice_http::Problem;
use sluice_log::LogError;

use crate::{RuntimeError, gateway::Partly, limits::RETRY_AFTER_SECONDS};

/// The client is to come back shortly.
pub(super) fn busy(detail: impl Into<String>) -> Problem {
    later(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
}

/// What was asked for is not there.
pub(super) fn not_found(detail: impl Into<String>) -> Problem {
    Problem::coded(StatusCode::NOT_FOUND, "not_found", detail)
}

/// The request itself is wrong.
pub(super) fn bad_request(detail: impl Into<String>) -> Problem {
    Problem::coded(StatusCode::BAD_REQUEST, "bad_request", detail)
}

/// Something of ours failed.
pub(super) fn internal(detail: impl Into<String>) -> Problem {
    Problem::coded(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
}

/// What may go right when it is tried again.
fn later(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::coded(status, code, detail).retry_after(RETRY_AFTER_SECONDS)
}

impl From<RuntimeError> for Problem {
    fn from(error: RuntimeError) -> Self {
        let detail = error.to_string();
        match error {
            RuntimeError::Log(LogError::Busy) => busy(detail),
            RuntimeError::Behind { seconds } => busy(detail).retry_after(seconds),
            RuntimeError::Clock(_) => later(StatusCode::SERVICE_UNAVAILABLE, "clock", detail),
            RuntimeError::NoRules => later(StatusCode::SERVICE_UNAVAILABLE, "no_rules", detail),
            RuntimeError::Log(LogError::Refused { .. } | LogError::Unanswered { .. }) => {
                tracing::error!(%error, "the log is out of reach");
                later(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "log_out_of_reach",
                    "the log is out of reach: try again",
                )
            }
            RuntimeError::Log(LogError::Full { .. }) => {
                later(StatusCode::INSUFFICIENT_STORAGE, "disk_full", "no space is left for the log")
            }
            RuntimeError::Log(LogError::TooLarge { .. }) => {
                Self::coded(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
            }
            RuntimeError::Log(LogError::Closed) | RuntimeError::Stopped => {
                later(StatusCode::SERVICE_UNAVAILABLE, "stopping", "Sluice is stopping")
            }
            _ => {
                tracing::error!(%error, "a request failed");
                internal("the request failed: see the log of the process")
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
            problem.detail()
        );
        problem.with_detail(detail).with("accepted", accepted)
    }
}
