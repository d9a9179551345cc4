//! The last thing that happens to every answer: refusals that a library worded become problem details, and security
//! headers are set.

use axum::{
    body::to_bytes,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sluice_model::without_values;

use super::problem::{PROBLEM_JSON, Problem};

/// The longest refusal of a library that is passed on as `detail`.
const DETAIL_BYTES_MAX: usize = 1_024;

/// No script, style or frame but our own files; nothing inline.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Middleware around everything.
pub(crate) async fn finish(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        response = as_problem(response).await;
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // Pages and answers hold personal data: no cache keeps them. Assets say otherwise themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Refusals of libraries that are the same whatever was sent.
const HARMLESS: &[&str] = &[
    "Expected request with `Content-Type: application/json`",
    "Form requests must have `Content-Type: application/x-www-form-urlencoded`",
    "Failed to buffer the request body: length limit exceeded",
    "Request body didn't contain valid UTF-8",
    "length limit exceeded",
];

/// A library's refusal, without what it repeats of the request.
fn worded_by_a_library(text: &str) -> String {
    if text.is_empty() || HARMLESS.contains(&text) {
        return text.to_owned();
    }
    if text.starts_with("Invalid URL: ") {
        return "a part of the path is not what belongs there; /openapi.json says what does".to_owned();
    }
    without_values(text)
}

/// The code of a refusal that a library worded.
const fn code_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "unsupported",
        StatusCode::INTERNAL_SERVER_ERROR => "internal",
        _ => "bad_request",
    }
}

async fn as_problem(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let worded = kind.starts_with(PROBLEM_JSON)
        || kind.starts_with("text/html")
        || kind.starts_with("application/json");
    if worded || response.headers().contains_key("hx-redirect") {
        return response;
    }
    let (parts, body) = response.into_parts();
    let detail = match to_bytes(body, DETAIL_BYTES_MAX).await {
        Ok(bytes) if parts.status != StatusCode::INTERNAL_SERVER_ERROR => {
            worded_by_a_library(&String::from_utf8_lossy(&bytes))
        }
        _ => String::new(),
    };
    let mut problem = Problem::coded(parts.status, code_of(parts.status), detail).into_response();
    for name in [header::ALLOW, header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = parts.headers.get(&name) {
            problem.headers_mut().insert(name, value.clone());
        }
    }
    problem
}
