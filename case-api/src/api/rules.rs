//! `/v1/rules`: what is in force, versions and proposals, approvals, rolling back.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use sluice_model::RuleFile;
use sluice_rules::{CaseReport, Diagnostic};

use super::{
    Identity, Problem,
    idempotent::RequestClaim,
    page::{Items, PageQuery},
    problem::PROBLEM_JSON,
};
use crate::{
    app::App,
    domain::{BacktestReport, Changes, Permission, Proposal, TrialError, VersionAct, VersionRefusal},
    ports::ActiveRule,
    service::{
        ProposeError, RuleCounts, RuleVersion, RulesStatus, ShadowAlert, VersionError, VersionOutcome,
    },
};

/// A version with everything in it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RuleVersionDetail {
    #[serde(flatten)]
    version: RuleVersion,
    /// What it changes against its base.
    changes: Changes,
    /// What its last back-test came to.
    backtest: Option<BacktestReport>,
    /// Whether it is being back-tested.
    backtesting: bool,
    /// Every file, cases included.
    #[schema(value_type = Vec<Object>)]
    files: Vec<RuleFile>,
}

/// Why a proposal was refused: a problem, and what is to be mended.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ProposalProblem {
    #[serde(flatten)]
    problem: Problem,
    /// What the check found: `gravity`, `file`, `line`, `column`, `width`, `message`, `help`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    diagnostics: Vec<Diagnostic>,
    /// The same with its lines and carets, as a terminal shows it.
    #[serde(skip_serializing_if = "String::is_empty")]
    rendered: String,
    /// The cases that fail: `file`, `line`, `name`, `failures`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    cases: Vec<CaseReport>,
}

impl IntoResponse for ProposalProblem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        (self.problem.status(), [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response()
    }
}

impl<E: Into<ProposeError>> From<E> for ProposalProblem {
    fn from(error: E) -> Self {
        let plain =
            |problem| Self { problem, diagnostics: Vec::new(), rendered: String::new(), cases: Vec::new() };
        match error.into() {
            ProposeError::Trial(refused) => {
                let problem = plain(Problem::from(&refused));
                match refused {
                    TrialError::DoesNotCheck { found, rendered } => {
                        Self { diagnostics: found.0, rendered, ..problem }
                    }
                    TrialError::CasesFail(cases) => Self { cases, ..problem },
                    TrialError::Malformed(_) | TrialError::NothingNew => problem,
                }
            }
            error => plain(error.into()),
        }
    }
}

impl From<ProposeError> for Problem {
    fn from(error: ProposeError) -> Self {
        match error {
            ProposeError::Trial(refused) => Self::from(&refused),
            ProposeError::Version(error) => error.into(),
            ProposeError::Store(error) => error.into(),
            ProposeError::Join(error) => Self::internal(&error),
        }
    }
}

impl From<VersionError> for Problem {
    fn from(error: VersionError) -> Self {
        match error {
            VersionError::NoVersion => Self::not_found("version of the rules"),
            VersionError::Refused(refusal) => refusal.into(),
            VersionError::Store(error) => error.into(),
        }
    }
}

impl From<VersionRefusal> for Problem {
    fn from(refusal: VersionRefusal) -> Self {
        let (status, code) = match refusal {
            VersionRefusal::NotAllowed => (StatusCode::FORBIDDEN, "not_allowed"),
            VersionRefusal::SamePerson => (StatusCode::FORBIDDEN, "same_person"),
            VersionRefusal::OthersDraft => (StatusCode::FORBIDDEN, "others_draft"),
            VersionRefusal::WrongState(..) => (StatusCode::CONFLICT, "wrong_state"),
            VersionRefusal::Stale => (StatusCode::CONFLICT, "stale"),
            VersionRefusal::Busy(_) => (StatusCode::CONFLICT, "busy"),
            VersionRefusal::Backtesting(_) => (StatusCode::CONFLICT, "backtesting"),
            VersionRefusal::BadText => (StatusCode::UNPROCESSABLE_ENTITY, "bad_text"),
        };
        Self::coded(status, code, refusal.to_string())
    }
}

impl From<&TrialError> for Problem {
    fn from(refused: &TrialError) -> Self {
        let code = match refused {
            TrialError::Malformed(_) => "malformed",
            TrialError::NothingNew => "nothing_new",
            TrialError::DoesNotCheck { .. } => "does_not_check",
            TrialError::CasesFail(_) => "cases_fail",
        };
        Self::coded(StatusCode::UNPROCESSABLE_ENTITY, code, refused.to_string())
    }
}

/// An active rule with what is noted of it.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct RuleInForce {
    #[serde(flatten)]
    rule: ActiveRule,
    /// Alerts, shadow alerts and failures, under all its versions.
    counts: RuleCounts,
}

/// The active rules, each with how often it alerted, would have alerted in shadow, and failed.
#[utoipa::path(get, path = "/v1/rules", tag = "rules", responses((status = 200, body = Items<RuleInForce>)))]
pub(crate) async fn list(State(app): State<Arc<App>>) -> Result<Json<Items<RuleInForce>>, Problem> {
    let counts = app.service.rule_counts().await?;
    let rules = app.service.catalogue().rules().into_iter();
    let noted = rules.map(|rule| RuleInForce { counts: RuleCounts::of(&counts, &rule.id), rule });
    Ok(Json(noted.collect::<Vec<_>>().into()))
}

/// What a rule in shadow would have said, newest first. No case was opened and no payment held.
#[utoipa::path(get, path = "/v1/rules/{id}/shadow", tag = "rules",
    params(("id" = String, Path, description = "The rule's id"), PageQuery),
    responses((status = 200, body = Items<ShadowAlert>)))]
pub(crate) async fn shadow(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Items<ShadowAlert>>, Problem> {
    Ok(Json(app.service.shadow_alerts(&id, page.page()?).await?.into()))
}

/// The set in force, the version on its way into force, and how far the filling of its windows is.
#[utoipa::path(get, path = "/v1/rules/status", tag = "rules", responses((status = 200, body = RulesStatus)))]
pub(crate) async fn status(State(app): State<Arc<App>>) -> Result<Json<RulesStatus>, Problem> {
    Ok(Json(app.service.rules_status().await?))
}

/// Every version of the rules, newest first.
#[utoipa::path(get, path = "/v1/rules/versions", tag = "rules", params(PageQuery), responses(
    (status = 200, body = Items<RuleVersion>),
))]
pub(crate) async fn versions(
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
) -> Result<Json<Items<RuleVersion>>, Problem> {
    Ok(Json(app.service.rule_versions(page.page()?).await?.into()))
}

/// One version: its files, and what it changes.
#[utoipa::path(get, path = "/v1/rules/versions/{id}", tag = "rules", params(("id" = String, Path, description = "The version's id")), responses(
    (status = 200, body = RuleVersionDetail),
    (status = 404, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn version(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<RuleVersionDetail>, ProposalProblem> {
    let Some(version) = app.service.rule_version(&id).await? else {
        let problem = Problem::not_found("version of the rules");
        return Err(ProposalProblem {
            problem,
            diagnostics: Vec::new(),
            rendered: String::new(),
            cases: Vec::new(),
        });
    };
    let (changes, files) = (app.service.rule_changes(&version).await?, app.service.rule_files(&id).await?);
    // Asked first: one that ends meanwhile has kept its report by the time it is read.
    let backtesting = app.service.is_backtesting(&id);
    let backtest = app.service.backtest(&id).await?;
    Ok(Json(RuleVersionDetail { backtesting, version, changes, backtest, files }))
}

/// Propose a change of the rules. It is checked and its cases are run before it is kept; what does not check, or fails
/// a case, is refused with every diagnostic. With `"draft": true` it is kept whatever is found, for its author to go on.
#[utoipa::path(post, path = "/v1/rules/versions", tag = "rules", request_body = Proposal,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once")),
    responses(
        (status = 201, body = RuleVersion),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = ProposalProblem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn propose(
    State(app): State<Arc<App>>,
    identity: Identity,
    RequestClaim(claim): RequestClaim,
    Json(proposal): Json<Proposal>,
) -> Result<(StatusCode, Json<RuleVersion>), Response> {
    identity.need(Permission::ProposeRules).map_err(IntoResponse::into_response)?;
    let version = app.service.propose_rules(proposal, &identity.actor, claim.as_ref()).await;
    let version = version.map_err(|error| ProposalProblem::from(error).into_response())?;
    Ok((StatusCode::CREATED, Json(version)))
}

/// Save a draft again: what is sent is put on what is in force now. Its author alone may.
#[utoipa::path(put, path = "/v1/rules/versions/{id}", tag = "rules", request_body = Proposal,
    params(("id" = String, Path, description = "The version's id")),
    responses(
        (status = 200, body = RuleVersion),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = ProposalProblem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn save_draft(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Json(proposal): Json<Proposal>,
) -> Result<Json<RuleVersion>, Response> {
    identity.need(Permission::ProposeRules).map_err(IntoResponse::into_response)?;
    let saved = app.service.save_draft(&id, proposal, &identity.actor).await;
    Ok(Json(saved.map_err(|error| ProposalProblem::from(error).into_response())?))
}

/// Submit, shadow, approve, reject or activate a version. An activation is on its way when this is answered (`"PREPARING"`, for
/// shadow `"SHADOWING"`): the engine fills the windows it needs, then judges by it; `/v1/rules/status` says how far it is.
#[utoipa::path(post, path = "/v1/rules/versions/{id}/actions", tag = "rules", request_body = VersionAct,
    params(
        ("id" = String, Path, description = "The version's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once"),
    ),
    responses(
        (status = 200, body = VersionOutcome),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = ProposalProblem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    identity: Identity,
    RequestClaim(claim): RequestClaim,
    Path(id): Path<String>,
    Json(act): Json<VersionAct>,
) -> Result<Json<VersionOutcome>, ProposalProblem> {
    Ok(Json(app.service.act_on_rules(&id, &act, &identity.actor, claim.as_ref()).await?))
}

/// Back-test a version over the newest events of the log, beside what is in force. It runs aside, one at a time, and is
/// bounded in events and time; the version says `"backtesting": true` until its `backtest` is there.
#[utoipa::path(post, path = "/v1/rules/versions/{id}/backtest", tag = "rules",
    params(("id" = String, Path, description = "The version's id")),
    responses(
        (status = 202),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn backtest(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    identity.need(Permission::ProposeRules)?;
    app.service.begin_backtest(&id, &identity.actor).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Why a set is taken back.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rollback {
    /// Why.
    reason: String,
}

/// Put the set that was in force before the present one back in force.
#[utoipa::path(post, path = "/v1/rules/rollback", tag = "rules", request_body = Rollback,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once")),
    responses(
        (status = 200, body = VersionOutcome),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn roll_back(
    State(app): State<Arc<App>>,
    identity: Identity,
    RequestClaim(claim): RequestClaim,
    Json(rollback): Json<Rollback>,
) -> Result<Json<VersionOutcome>, ProposalProblem> {
    Ok(Json(app.service.roll_back_rules(rollback.reason, &identity.actor, claim.as_ref()).await?))
}
