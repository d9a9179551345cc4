//! Signing in and out.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{error::PageError, forms::check_made, shell::render};
use crate::{
    api::{Identity, Problem, session_cookie, sign_in_cookies},
    app::App,
    auth::{SignInError, Whence},
};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    user: String,
    error: String,
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    user: String,
    password: String,
}

#[derive(Deserialize)]
pub(crate) struct Token {
    csrf: String,
}

pub(crate) async fn form() -> Response {
    let page = SignInPage { user: String::new(), error: String::new() };
    render(StatusCode::OK, &page)
}

pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    whence: Whence,
    Form(credentials): Form<Credentials>,
) -> Response {
    let user = credentials.user.trim().to_owned();
    let (status, error) = match app.auth.sign_in(&app.service, &user, credentials.password, &whence).await {
        Ok(signed_in) => {
            let cookies = sign_in_cookies(&signed_in, app.secure_cookies);
            return (cookies, Redirect::to("/")).into_response();
        }
        Err(SignInError::Store(error)) => return PageError::from(Problem::from(error)).into_response(),
        Err(error) => {
            let problem = Problem::from(error);
            (problem.status(), problem.detail().to_owned())
        }
    };
    render(status, &SignInPage { user, error })
}

pub(crate) async fn out(
    State(app): State<Arc<App>>,
    identity: Identity,
    Form(form): Form<Token>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    app.auth.sign_out(&app.service, &identity.token, &identity.actor.name).await?;
    let cookie = session_cookie("", app.secure_cookies);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/signin")).into_response())
}
