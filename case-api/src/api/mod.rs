//! The HTTP API under `/v1`, with what machines ask beside it: health, metrics, the OpenAPI document.

mod alerts;
mod cases;
mod catalogue;
mod configuration;
pub(crate) mod dead_letters;
mod finish;
mod guard;
mod holds;
mod idempotent;
mod page;
mod parameters;
mod problem;
mod quarantine;
mod records;
mod rules;
mod session;
mod stream_time;
mod suppressions;
mod system;

use std::sync::Arc;

use axum::{Router, middleware};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use cases::serve_evidence;
pub(crate) use finish::finish;
pub use guard::Identity;
pub(crate) use guard::{authenticate, require, session_cookie, sign_in_cookies, unknown};
use parameters::Parameters;
pub use problem::Problem;
pub(crate) use problem::{method_not_allowed, not_found, panicked};

use crate::{app::App, domain::Permission};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sluice",
        description = "Alerts, cases, holds, rules, screening and evidence. Refusals are problem details (RFC 9457); \
                       every POST honours Idempotency-Key; lists that may be long take limit and cursor; a parameter \
                       that is not known is refused.",
    ),
    modifiers(&Security),
    security(("api_key" = []), ("session" = [])),
)]
struct Document;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("api_key", SecurityScheme::Http(bearer));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(guard::COOKIE));
        components.add_security_scheme("session", SecurityScheme::ApiKey(cookie));
    }
}

/// What a reader may see.
fn reading() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::get))
        .routes(routes!(cases::list))
        .routes(routes!(cases::get))
        .routes(routes!(cases::evidence))
        .routes(routes!(holds::list))
        .routes(routes!(suppressions::list))
        .routes(routes!(catalogue::lists))
        .routes(routes!(configuration::list))
        .routes(routes!(rules::list))
        .routes(routes!(rules::status))
        .routes(routes!(rules::shadow))
        .routes(routes!(rules::versions))
        .routes(routes!(rules::version))
        .routes(routes!(stream_time::get))
        .routes(routes!(records::customers))
        .routes(routes!(records::checkpoint))
        .layer(middleware::from_fn_with_state(Permission::Read, require))
}

/// What needs more, each route asking for its own permission.
fn acting() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(cases::act))
        .routes(routes!(catalogue::screen))
        .routes(routes!(configuration::act))
        .routes(routes!(suppressions::propose))
        .routes(routes!(suppressions::approve))
        .routes(routes!(suppressions::revoke))
        .routes(routes!(rules::propose))
        .routes(routes!(rules::save_draft))
        .routes(routes!(rules::act))
        .routes(routes!(rules::backtest))
        .routes(routes!(rules::roll_back))
        .routes(routes!(quarantine::order))
        .routes(routes!(quarantine::decline))
        .routes(routes!(quarantine::lift))
        .routes(routes!(stream_time::set))
        .routes(routes!(records::audit))
}

/// For anybody: signing in, health.
fn open() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(session::create))
        .routes(routes!(system::healthz))
        .routes(routes!(system::readyz))
        .routes(routes!(system::metrics))
}

fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::with_openapi(Document::openapi()).merge(reading()).merge(acting()).merge(open())
}

/// The OpenAPI document of this crate's routes.
pub fn openapi() -> utoipa::openapi::OpenApi {
    routes().split_for_parts().1
}

pub(crate) fn router(app: &Arc<App>) -> Router {
    let (router, document) = routes().split_for_parts();
    let parameters = Arc::new(Parameters::of(&document));
    router
        .layer(middleware::from_fn_with_state(parameters, parameters::known))
        .route("/openapi.json", axum::routing::get(async move || axum::Json(document)))
        .layer(middleware::from_fn_with_state(Arc::clone(app), idempotent::idempotent))
        .with_state(Arc::clone(app))
}
