//! `POST /v1/sessions`: signing in without the console's form.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

use super::{Problem, sign_in_cookies};
use crate::{
    app::App,
    auth::{SignInError, Whence},
};

/// Who signs in.
#[derive(Deserialize, utoipa::ToSchema)]
pub(crate) struct Credentials {
    /// The sign-in name.
    user: String,
    /// The password.
    password: String,
}

/// What a script with a session needs beside the cookie.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct CsrfToken {
    /// To be sent as `X-CSRF-Token` with everything but GET.
    csrf_token: String,
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        let (status, code) = match error {
            SignInError::Wrong => (StatusCode::UNAUTHORIZED, "wrong_sign_in"),
            SignInError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many_sign_ins"),
            SignInError::Busy => (StatusCode::TOO_MANY_REQUESTS, "busy"),
            SignInError::Store(error) => return error.into(),
        };
        Self::coded(status, code, error.to_string())
    }
}

/// Sign in: a session cookie, and the token to send as `X-CSRF-Token`.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", request_body = Credentials, security(()), responses(
    (status = 201, body = CsrfToken),
    (status = 401, body = Problem, content_type = "application/problem+json"),
    (status = 429, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    whence: Whence,
    Json(credentials): Json<Credentials>,
) -> Result<Response, Problem> {
    let signed_in = app.auth.sign_in(&app.service, &credentials.user, credentials.password, &whence).await?;
    let cookies = sign_in_cookies(&signed_in, app.secure_cookies);
    let created = CsrfToken { csrf_token: signed_in.csrf };
    Ok((StatusCode::CREATED, cookies, Json(created)).into_response())
}
