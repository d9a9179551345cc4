//! The gate that every request passes: who asks, and whether a router's permission allows it.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{HeaderMap, HeaderName, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use axum_extra::extract::{
    CookieJar,
    cookie::{Cookie, SameSite},
};
use time::Duration;

use super::Problem;
use crate::{
    app::App,
    auth::{KeyError, SignedIn, Whence, digest, same},
    domain::{Actor, Permission, Via},
    limits::{DEVICE_LIFE, SESSION_LIFE},
    service::StoreError,
};

/// The session cookie's name.
pub(crate) const COOKIE: &str = "sluice_session";
/// The name of the cookie by which a browser is known again at sign-in. It opens nothing by itself.
pub(crate) const DEVICE_COOKIE: &str = "sluice_device";
/// Where a script that has a session sends its form token.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// Who asks. As an extractor it refuses whoever did not prove who they are.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who.
    pub actor: Actor,
    /// For people: what every form must carry.
    pub csrf: String,
    /// For people: the cookie's token, to sign out.
    pub token: String,
}

impl Identity {
    /// Whether a form was made by a page of this session.
    pub fn made(&self, csrf: &str) -> bool {
        self.actor.via == Via::Session && same(&self.csrf, csrf)
    }

    /// An error unless a role allows it.
    pub fn need(&self, permission: Permission) -> Result<(), Problem> {
        if self.actor.roles.allow(permission) { Ok(()) } else { Err(Problem::forbidden()) }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Identity {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        match parts.extensions.get::<Self>() {
            Some(identity) => Ok(identity.clone()),
            None => Err(unknown(parts.uri.path(), &parts.headers)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Whence {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(of)| of.ip());
        let device = CookieJar::from_headers(&parts.headers).get(DEVICE_COOKIE).map(|c| c.value().to_owned());
        Ok(Self { address, device })
    }
}

/// The answer to somebody unknown: a problem for programs, the sign-in page for people.
pub(crate) fn unknown(path: &str, headers: &HeaderMap) -> Response {
    if path.starts_with("/v1/") {
        let problem = Problem::coded(
            StatusCode::UNAUTHORIZED,
            "not_signed_in",
            "send Authorization: Bearer KEY, or sign in",
        );
        return ([(header::WWW_AUTHENTICATE, "Bearer")], problem).into_response();
    }
    // A page that refreshes itself cannot follow a redirect into its own middle.
    if headers.contains_key("hx-request") {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", "/signin")]).into_response();
    }
    Redirect::to("/signin").into_response()
}

/// Middleware: find out who asks and hand it on. A bad key is refused at once, and so is a script that has a
/// session but not its token.
pub(crate) async fn authenticate(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    match identify(&app, request.headers()).await {
        Ok(Some(identity)) => {
            let api = request.uri().path().starts_with("/v1/");
            if api && identity.actor.via == Via::Session && !is_safe(request.method()) {
                let sent =
                    request.headers().get(CSRF_HEADER).and_then(|v| v.to_str().ok()).unwrap_or_default();
                if !identity.made(sent) {
                    let detail = "a session that changes something sends its form token as X-CSRF-Token";
                    return Problem::coded(StatusCode::FORBIDDEN, "form_token", detail).into_response();
                }
            }
            request.extensions_mut().insert(identity);
        }
        Ok(None) => {}
        Err(KeyError::Unknown) => {
            let problem =
                Problem::coded(StatusCode::UNAUTHORIZED, "unknown_key", KeyError::Unknown.to_string());
            return ([(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")], problem).into_response();
        }
        Err(KeyError::Store(error)) => return Problem::from(error).into_response(),
    }
    next.run(request).await
}

async fn identify(app: &App, headers: &HeaderMap) -> Result<Option<Identity>, KeyError> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let bearer = value.to_str().ok().and_then(|v| v.split_once(' '));
        let key =
            bearer.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, key)| key.trim());
        let actor = app.auth.check_key(&app.service, key.ok_or(KeyError::Unknown)?).await?;
        return Ok(Some(Identity { actor, csrf: String::new(), token: String::new() }));
    }
    let jar = CookieJar::from_headers(headers);
    let Some(token) = jar.get(COOKIE).map(|cookie| cookie.value().to_owned()) else { return Ok(None) };
    // A page that refreshes itself is not an officer at work.
    let at_work = !headers.contains_key("hx-request");
    let session = app.service.session(&digest(&token), at_work).await.map_err(store)?;
    Ok(session.map(|session| Identity {
        actor: Actor { name: session.user, roles: session.roles, via: Via::Session },
        csrf: session.csrf,
        token,
    }))
}

fn store(error: StoreError) -> KeyError {
    KeyError::Store(error)
}

/// The `Set-Cookie` of a new session. An empty token ends it.
pub(crate) fn session_cookie(token: &str, secure: bool) -> String {
    let cookie = Cookie::build((COOKIE, token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(secure)
        .max_age(Duration::microseconds(if token.is_empty() { 0 } else { SESSION_LIFE.micros() }));
    cookie.build().to_string()
}

/// The `Set-Cookie` headers of a sign-in: the session, and in a browser that was not known yet what makes it known.
pub(crate) fn sign_in_cookies(
    signed_in: &SignedIn,
    secure: bool,
) -> AppendHeaders<Vec<(HeaderName, String)>> {
    let device = signed_in.device.as_deref().map(|token| {
        Cookie::build((DEVICE_COOKIE, token))
            .path("/")
            .http_only(true)
            .same_site(SameSite::Strict)
            .secure(secure)
            .max_age(Duration::microseconds(DEVICE_LIFE.micros()))
            .build()
            .to_string()
    });
    let cookies = std::iter::once(session_cookie(&signed_in.token, secure)).chain(device);
    AppendHeaders(cookies.map(|cookie| (header::SET_COOKIE, cookie)).collect())
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Middleware for a whole router, the runtime's ingest among them: only who may.
pub(crate) async fn require(State(permission): State<Permission>, request: Request, next: Next) -> Response {
    match request.extensions().get::<Identity>().map(|identity| identity.need(permission)) {
        Some(Ok(())) => next.run(request).await,
        Some(Err(problem)) => problem.into_response(),
        None => unknown(request.uri().path(), request.headers()),
    }
}
