//! `/v1/alerts`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
};
use serde::Deserialize;
use sluice_http::query;
use sluice_model::Severity;

use super::{
    Problem,
    cases::case_states,
    page::{Items, PageQuery},
};
use crate::{
    app::App,
    service::{AlertFilter, StoredAlert},
};

/// Which alerts.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AlertQuery {
    /// `low`, `medium`, `high`, `critical`.
    severity: Option<String>,
    /// A rule's id.
    rule_id: Option<String>,
    /// A case's state, or `open`.
    state: Option<String>,
    /// A case.
    case_id: Option<String>,
    /// A customer, account or other subject.
    subject: Option<String>,
    /// A payment.
    payment_id: Option<String>,
}

/// Alerts, newest first.
#[utoipa::path(get, path = "/v1/alerts", tag = "alerts", params(PageQuery, AlertQuery), responses(
    (status = 200, body = Items<StoredAlert>),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
    Query(query): Query<AlertQuery>,
) -> Result<Json<Items<StoredAlert>>, Problem> {
    query::one_of("severity", query.severity.as_deref(), Severity::ALL.map(Severity::name))?;
    query::one_of("state", query.state.as_deref(), case_states())?;
    let filter = AlertFilter {
        severity: query.severity,
        rule: query.rule_id,
        state: query.state,
        case_id: query.case_id,
        subject: query.subject,
        payment_id: query.payment_id,
    };
    Ok(Json(app.service.alerts(&filter, page.page()?).await?.into()))
}

/// One alert.
#[utoipa::path(get, path = "/v1/alerts/{id}", tag = "alerts", params(("id" = String, Path, description = "The alert's id")), responses(
    (status = 200, body = StoredAlert),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<StoredAlert>, Problem> {
    app.service.alert(&id).await?.map(Json).ok_or_else(|| Problem::not_found("alert"))
}
