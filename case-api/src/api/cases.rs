//! `/v1/cases`: what there is, what is done to it, and its evidence.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::header,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sluice_http::query;
use sluice_model::Severity;

use super::{
    Identity, Problem,
    idempotent::RequestClaim,
    page::{Items, PageQuery},
};
use crate::{
    app::App,
    domain::{Act, Case, CaseState, Hold, OrderedFreeze},
    limits::PAGE_MAX,
    service::{ActOutcome, AlertFilter, CaseFilter, Page, StoredAlert, TimelineEntry},
};

/// Which cases.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaseQuery {
    /// A state, or `open`.
    state: Option<String>,
    /// `low`, `medium`, `high`, `critical`.
    severity: Option<String>,
    /// An officer.
    assignee: Option<String>,
    /// A customer, account or other subject.
    subject: Option<String>,
}

/// What a list may ask of a case's state.
pub(crate) fn case_states() -> impl Iterator<Item = &'static str> {
    CaseState::ALL.into_iter().map(CaseState::name).chain(["open"])
}

/// A case with everything in it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct CaseDetail {
    #[serde(flatten)]
    case: Case,
    /// Its alerts, newest first, as many as a page has at most; `/v1/alerts?case_id=` pages through all of them.
    items: Vec<StoredAlert>,
    /// The holds that its alerts put on payments.
    holds: Vec<Hold>,
    /// The freezes that it ordered.
    freezes: Vec<OrderedFreeze>,
    /// What happened, oldest first.
    timeline: Vec<TimelineEntry>,
}

/// Cases, newest first.
#[utoipa::path(get, path = "/v1/cases", tag = "cases", params(PageQuery, CaseQuery), responses(
    (status = 200, body = Items<Case>),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
    Query(query): Query<CaseQuery>,
) -> Result<Json<Items<Case>>, Problem> {
    query::one_of("severity", query.severity.as_deref(), Severity::ALL.map(Severity::name))?;
    query::one_of("state", query.state.as_deref(), case_states())?;
    let filter = CaseFilter {
        state: query.state,
        severity: query.severity,
        assignee: query.assignee,
        subject: query.subject,
    };
    Ok(Json(app.service.cases(&filter, page.page()?).await?.into()))
}

/// One case: its alerts, holds, freezes and timeline.
#[utoipa::path(get, path = "/v1/cases/{id}", tag = "cases", params(("id" = String, Path, description = "The case's id")), responses(
    (status = 200, body = CaseDetail),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn get(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<CaseDetail>, Problem> {
    let case = app.service.case(&id).await?.ok_or_else(|| Problem::not_found("case"))?;
    let filter = AlertFilter { case_id: Some(id.clone()), ..AlertFilter::default() };
    let (items, _) = app.service.alerts(&filter, Page::first(PAGE_MAX)).await?;
    Ok(Json(CaseDetail {
        case,
        items,
        holds: app.service.holds_of(&id).await?,
        freezes: app.service.freezes_of(&id).await?,
        timeline: app.service.timeline(&id).await?,
    }))
}

/// Do something to a case: assign, comment, escalate, return, freeze, unfreeze, release, close, reopen.
/// A freeze, unfreeze or release is answered once the log that applies it has it (`"control":"delivered"`), or
/// with `"pending"` while that log cannot be reached: it is kept and will be delivered.
#[utoipa::path(post, path = "/v1/cases/{id}/actions", tag = "cases", request_body = Act,
    params(
        ("id" = String, Path, description = "The case's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once"),
    ),
    responses(
        (status = 200, body = ActOutcome),
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
    Json(act): Json<Act>,
) -> Result<Json<ActOutcome>, Problem> {
    Ok(Json(app.service.act(&id, &act, &identity.actor, claim.as_ref()).await?))
}

/// The case's evidence: every record with its proof, sealed. `sluice evidence verify` reads it.
#[utoipa::path(get, path = "/v1/cases/{id}/evidence", tag = "evidence", params(("id" = String, Path, description = "The case's id")), responses(
    (status = 200, body = Object, description = "An evidence bundle in its one canonical encoding"),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn evidence(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    serve_evidence(&app, &id).await
}

/// The bundle as a file.
pub(crate) async fn serve_evidence(app: &App, id: &str) -> Result<Response, Problem> {
    let bundle = app.service.bundle(id).await?.ok_or_else(|| Problem::not_found("case"))?;
    let file = format!("attachment; filename=\"{id}.evidence.json\"");
    let headers =
        [(header::CONTENT_TYPE, "application/json".to_owned()), (header::CONTENT_DISPOSITION, file)];
    Ok((headers, bundle).into_response())
}
