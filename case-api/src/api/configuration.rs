//! `/v1/configuration`: what is configured and less than what is in force, and the two persons who take it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
};

use super::{
    Identity, Problem,
    idempotent::RequestClaim,
    page::{Items, PageQuery},
};
use crate::{app::App, domain::ConfigurationAct, service::Configuration};

/// Configurations that were found to be less than what was in force, newest first. While one is `found` or `proposed`,
/// what was in force stays in force and `/readyz` answers 503.
#[utoipa::path(get, path = "/v1/configuration", tag = "configuration", params(PageQuery), responses(
    (status = 200, body = Items<Configuration>),
))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Items<Configuration>>, Problem> {
    Ok(Json(app.service.configurations(page.page()?).await?.into()))
}

/// Propose to take a lesser configuration, approve what another person proposed, or refuse it.
#[utoipa::path(post, path = "/v1/configuration/{id}/actions", tag = "configuration", request_body = ConfigurationAct,
    params(
        ("id" = String, Path, description = "The configuration's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once"),
    ),
    responses(
        (status = 200, body = Configuration),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    identity: Identity,
    RequestClaim(claim): RequestClaim,
    Path(id): Path<String>,
    Json(act): Json<ConfigurationAct>,
) -> Result<Json<Configuration>, Problem> {
    Ok(Json(app.service.act_on_configuration(&id, &act, &identity.actor, claim.as_ref()).await?))
}
