//! Refusals as pages.

use askama::Template;
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::shell::render;
use crate::api::{Problem, not_found};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    status: u16,
    title: &'static str,
    detail: String,
}

/// A problem that is shown as a page.
pub(crate) struct PageError(Problem);

impl<E: Into<Problem>> From<E> for PageError {
    fn from(problem: E) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let status = self.0.status();
        let page = ErrorPage {
            status: status.as_u16(),
            title: status.canonical_reason().unwrap_or("Error"),
            detail: self.0.detail().to_owned(),
        };
        render(status, &page)
    }
}

impl PageError {
    /// A form that no page of this session made.
    pub(crate) fn foreign_form() -> Self {
        Self(Problem::coded(
            StatusCode::FORBIDDEN,
            "foreign_form",
            "this form has expired: go back, reload the page and try again",
        ))
    }
}

/// What a page shows of an act that was refused: the status, and why.
pub(crate) fn refusal(error: impl Into<Problem>) -> (StatusCode, String) {
    let problem = error.into();
    (problem.status(), problem.detail().to_owned())
}

/// No such path: a page for browsers, a problem for programs.
pub(crate) async fn not_found_page(headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let problem = not_found().await;
    if accept.contains("text/html") { PageError(problem).into_response() } else { problem.into_response() }
}
