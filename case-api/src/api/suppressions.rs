//! `/v1/suppressions`: known false positives, from the proposal to the engine.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use sluice_http::query;

use super::{
    Identity, Problem,
    idempotent::RequestClaim,
    page::{Items, PageQuery},
};
use crate::{
    app::App,
    domain::{SuppressionAct, SuppressionState},
    service::{NewSuppression, SuppressionFilter, SuppressionNow},
};

/// Which suppressions.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SuppressionQuery {
    /// `proposed`, `approved`, `revoked`.
    state: Option<String>,
    /// A case.
    case_id: Option<String>,
    /// A customer, account or BIC.
    party: Option<String>,
}

/// Why a suppression is revoked.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revocation {
    /// Why.
    reason: String,
}

/// Suppressions, newest first.
#[utoipa::path(get, path = "/v1/suppressions", tag = "lists", params(PageQuery, SuppressionQuery), responses(
    (status = 200, body = Items<SuppressionNow>),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
    Query(query): Query<SuppressionQuery>,
) -> Result<Json<Items<SuppressionNow>>, Problem> {
    let SuppressionQuery { state, case_id, party } = query;
    query::one_of("state", state.as_deref(), SuppressionState::ALL.map(SuppressionState::name))?;
    let filter = SuppressionFilter { state, case_id, party };
    Ok(Json(app.service.suppressions(&filter, page.page()?).await?.into()))
}

/// Propose to suppress a match of a case. A second person approves it; until then nothing changes.
#[utoipa::path(post, path = "/v1/suppressions", tag = "lists", request_body = NewSuppression, responses(
    (status = 201, body = SuppressionNow),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn propose(
    State(app): State<Arc<App>>,
    identity: Identity,
    RequestClaim(claim): RequestClaim,
    Json(wanted): Json<NewSuppression>,
) -> Result<(StatusCode, Json<SuppressionNow>), Problem> {
    let proposed = app.service.propose_suppression(wanted, &identity.actor, claim.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(proposed)))
}

/// Approve a proposed suppression: it applies from the next payment on. Whoever proposed it may not.
#[utoipa::path(post, path = "/v1/suppressions/{id}/approve", tag = "lists",
    params(("id" = String, Path, description = "The suppression's id")),
    responses(
        (status = 200, body = SuppressionNow),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn approve(
    State(app): State<Arc<App>>,
    identity: Identity,
    RequestClaim(claim): RequestClaim,
    Path(id): Path<String>,
) -> Result<Json<SuppressionNow>, Problem> {
    let approve = SuppressionAct::Approve;
    Ok(Json(app.service.act_on_suppression(&id, &approve, &identity.actor, claim.as_ref()).await?))
}

/// Refuse a proposed suppression, or end an approved one: that applies from the next payment on.
#[utoipa::path(post, path = "/v1/suppressions/{id}/revoke", tag = "lists", request_body = Revocation,
    params(("id" = String, Path, description = "The suppression's id")),
    responses(
        (status = 200, body = SuppressionNow),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn revoke(
    State(app): State<Arc<App>>,
    identity: Identity,
    RequestClaim(claim): RequestClaim,
    Path(id): Path<String>,
    Json(said): Json<Revocation>,
) -> Result<Json<SuppressionNow>, Problem> {
    let act = SuppressionAct::Revoke { reason: said.reason };
    Ok(Json(app.service.act_on_suppression(&id, &act, &identity.actor, claim.as_ref()).await?))
}
