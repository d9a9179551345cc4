//! `/v1/customers`, `/v1/audit`, `/v1/evidence`: whom alerts were about, what was done, and what proves it.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;

use super::{
    Identity, Problem,
    page::{Items, PageQuery},
};
use crate::{
    app::App,
    domain::Permission,
    service::{AuditEntry, ChainStatus, Subject},
};

/// Which lines of the audit trail.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Only what this user or key did.
    actor: Option<String>,
    /// The engine's records too: alerts, holds, decisions.
    #[serde(default)]
    all: bool,
}

/// Whom alerts were about, with counts.
#[utoipa::path(get, path = "/v1/customers", tag = "customers", params(PageQuery), responses(
    (status = 200, body = Items<Subject>),
))]
pub(crate) async fn customers(
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Items<Subject>>, Problem> {
    Ok(Json(app.service.subjects(page.page()?).await?.into()))
}

/// Who did what, newest first. Every line is a leaf of the evidence log.
#[utoipa::path(get, path = "/v1/audit", tag = "evidence", params(PageQuery, AuditQuery), responses(
    (status = 200, body = Items<AuditEntry>),
    (status = 403, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn audit(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(page): Query<PageQuery>,
    Query(query): Query<AuditQuery>,
) -> Result<Json<Items<AuditEntry>>, Problem> {
    identity.need(Permission::Audit)?;
    Ok(Json(app.service.audit(!query.all, query.actor.as_deref(), page.page()?).await?.into()))
}

/// The evidence log's signed checkpoint and public key.
#[utoipa::path(get, path = "/v1/evidence", tag = "evidence", responses((status = 200, body = ChainStatus)))]
pub(crate) async fn checkpoint(State(app): State<Arc<App>>) -> Result<Json<ChainStatus>, Problem> {
    Ok(Json(app.service.chain().await?))
}
