//! `/v1/suppressions`: known false positives, from the proposal to the engine.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::{Deserialize, Serialize};
use sluice_model::{Hash256, Key};
use tokio::task::spawn_blocking;

use super::{
    Identity, Problem,
    page::{Items, PageQuery},
};
use crate::{
    app::App,
    domain::{Act, Actor, Closing, DispositionCode, Refusal, SuppressionAct},
    limits::{SUPPRESSION_DAYS_DEFAULT, SUPPRESSIONS_PER_CLOSING_MAX},
    ports::PortError,
    store::{CaseMatch, Claim, Proposal, SuppressionFilter, SuppressionRow},
    work,
};

/// Which suppressions.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SuppressionQuery {
    /// `proposed`, `approved`, `revoked`.
    state: Option<String>,
    /// A case.
    case_id: Option<String>,
    /// A customer, account or BIC.
    party: Option<String>,
}

/// A match of a case to be suppressed.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSuppression {
    /// The case whose alert shows the match.
    pub case_id: String,
    /// Who was screened, as the match says.
    #[schema(value_type = Object)]
    pub party: Key,
    /// The list source.
    pub list: String,
    /// The entry.
    pub entry_id: String,
    /// `FP-NAME`, `FP-DOB` or `FP-COUNTRY`.
    pub disposition: DispositionCode,
    /// What tells the two apart.
    pub reason: String,
    /// For how many days, up to 365; 180 where it is not said.
    #[serde(default)]
    pub days: Option<u32>,
}

/// Why a suppression is revoked.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// Why.
    reason: String,
}

/// A suppression, and whether the engine feels it.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub struct SuppressionNow {
    /// The suppression.
    #[serde(flatten)]
    pub row: SuppressionRow,
    /// Whether it leaves its match out now: approved, its time not passed, the entry as it was.
    pub in_force: bool,
    /// Whether the entry is not, or no longer, what was looked at.
    pub entry_changed: bool,
    /// After an act that the engine must feel: `delivered`, or `pending` while the log cannot be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<&'static str>,
}

/// Suppressions, newest first.
#[utoipa::path(get, path = "/v1/suppressions", tag = "lists", params(PageQuery, SuppressionQuery), responses(
    (status = 200, body = Items<SuppressionNow>),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
pub async fn list(
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
    Query(query): Query<SuppressionQuery>,
) -> Result<Json<Items<SuppressionNow>>, Problem> {
    let SuppressionQuery { state, case_id, party } = query;
    let (rows, next) =
        app.store.suppressions(&SuppressionFilter { state, case_id, party }, page.page()?).await?;
    Ok(Json((now(&app, rows).await?, next).into()))
}

/// Propose to suppress a match of a case. A second person approves it; until then nothing changes.
#[utoipa::path(post, path = "/v1/suppressions", tag = "lists", request_body = NewSuppression, responses(
    (status = 201, body = SuppressionNow),
    (status = 404, body = Problem, content_type = "application/problem+json"),
    (status = 409, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub async fn propose(
    State(app): State<Arc<App>>,
    identity: Identity,
    claim: Option<Extension<Claim>>,
    Json(wanted): Json<NewSuppression>,
) -> Result<(StatusCode, Json<SuppressionNow>), Problem> {
    let claim = claim.map(|Extension(claim)| claim);
    let row = perform_proposal(&app, wanted, &identity.actor, claim.as_ref()).await?;
    Ok((StatusCode::CREATED, Json(one(&app, row, None).await?)))
}

/// Approve a proposed suppression: the next payment feels it. Whoever proposed it may not.
#[utoipa::path(post, path = "/v1/suppressions/{id}/approve", tag = "lists",
    params(("id" = String, Path, description = "The suppression's id")),
    responses(
        (status = 200, body = SuppressionNow),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn approve(
    State(app): State<Arc<App>>,
    identity: Identity,
    claim: Option<Extension<Claim>>,
    Path(id): Path<String>,
) -> Result<Json<SuppressionNow>, Problem> {
    let claim = claim.map(|Extension(claim)| claim);
    Ok(Json(perform_act(&app, &id, &SuppressionAct::Approve, &identity.actor, claim.as_ref()).await?))
}

/// Refuse a proposed suppression, or end an approved one: the next payment feels that too.
#[utoipa::path(post, path = "/v1/suppressions/{id}/revoke", tag = "lists", request_body = Revocation,
    params(("id" = String, Path, description = "The suppression's id")),
    responses(
        (status = 200, body = SuppressionNow),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn revoke(
    State(app): State<Arc<App>>,
    identity: Identity,
    claim: Option<Extension<Claim>>,
    Path(id): Path<String>,
    Json(said): Json<Revocation>,
) -> Result<Json<SuppressionNow>, Problem> {
    let claim = claim.map(|Extension(claim)| claim);
    let act = SuppressionAct::Revoke { reason: said.reason };
    Ok(Json(perform_act(&app, &id, &act, &identity.actor, claim.as_ref()).await?))
}

/// Propose to suppress one match, if the case shows it.
pub async fn perform_proposal(
    app: &Arc<App>,
    wanted: NewSuppression,
    actor: &Actor,
    claim: Option<&Claim>,
) -> Result<SuppressionRow, Problem> {
    if app.store.case(&wanted.case_id).await?.is_none() {
        return Err(Problem::not_found("case"));
    }
    let shown = app
        .store
        .case_matches(&wanted.case_id)
        .await?
        .into_iter()
        .find(|of| of.party == wanted.party && of.list == wanted.list && of.entry_id == wanted.entry_id);
    let of = shown.ok_or(Refusal::NothingToActOn("no alert of this case shows that match"))?;
    let proposal = Proposal {
        entry_hash: entry_seen(app, &of).await?,
        of,
        disposition: wanted.disposition,
        reason: wanted.reason,
        days: wanted.days.unwrap_or(SUPPRESSION_DAYS_DEFAULT),
    };
    Ok(app.store.propose_suppression(&wanted.case_id, &proposal, actor, claim, app.now()).await?)
}

/// What a closing proposes to suppress: every match of the case that may be.
pub async fn proposals_of(app: &Arc<App>, case_id: &str, act: &Act) -> Result<Vec<Proposal>, Problem> {
    let Act::Close(Closing { disposition, discriminator, suppress_days: Some(days), .. }) = act else {
        return Ok(Vec::new());
    };
    let shown = app.store.case_matches(case_id).await?;
    if shown.is_empty() {
        let none = "no match of this case is of a known customer, account or institution";
        return Err(Refusal::NothingToActOn(none).into());
    }
    if shown.len() > SUPPRESSIONS_PER_CLOSING_MAX {
        return Err(
            Refusal::NothingToActOn("more than 20 matches: look at each, and suppress one by one").into()
        );
    }
    let mut proposals = Vec::new();
    for of in shown {
        proposals.push(Proposal {
            entry_hash: entry_seen(app, &of).await?,
            of,
            disposition: *disposition,
            reason: discriminator.clone().unwrap_or_default(),
            days: *days,
        });
    }
    Ok(proposals)
}

/// The content of the entry that the match was of, if it is still so.
async fn entry_seen(app: &Arc<App>, of: &CaseMatch) -> Result<Hash256, Problem> {
    let (catalogue, of) = (Arc::clone(&app.ports.catalogue), of.clone());
    let read = spawn_blocking(move || {
        let seen = catalogue.entry_hash(&of.list, Some(&of.version), &of.entry_id)?;
        Ok::<_, PortError>((seen, catalogue.entry_hash(&of.list, None, &of.entry_id)?))
    });
    match read.await.map_err(|error| Problem::internal(&error))?? {
        (Some(seen), Some(active)) if seen == active => Ok(seen),
        _ => Err(Refusal::Conflict("the entry has changed since this match: look at it as it is now").into()),
    }
}

/// Approve or end a suppression, count it, and see its control record onto the log.
pub async fn perform_act(
    app: &Arc<App>,
    id: &str,
    act: &SuppressionAct,
    actor: &Actor,
    claim: Option<&Claim>,
) -> Result<SuppressionNow, Problem> {
    let done = app.store.act_on_suppression(id, act, actor, claim, app.now()).await;
    let outcome = if done.is_ok() { "done" } else { "refused" };
    app.metrics.acts.with_label_values(&[act.name(), outcome]).inc();
    let row = done?;
    let control = match row.outbox {
        Some(seq) => Some(work::see_delivered(app, seq).await?),
        None => None,
    };
    one(app, row, control).await
}

async fn one(
    app: &Arc<App>,
    row: SuppressionRow,
    control: Option<&'static str>,
) -> Result<SuppressionNow, Problem> {
    let now = now(app, vec![row]).await?.pop();
    let mut now = now.ok_or_else(|| Problem::not_found("suppression"))?;
    now.control = control;
    Ok(now)
}

/// The rows as they stand against the active lists.
pub async fn now(app: &Arc<App>, rows: Vec<SuppressionRow>) -> Result<Vec<SuppressionNow>, Problem> {
    let (catalogue, at) = (Arc::clone(&app.ports.catalogue), app.now());
    let read = spawn_blocking(move || {
        let now = |row: SuppressionRow| {
            let active = catalogue.entry_hash(&row.list, None, &row.entry_id)?;
            let entry_changed = active.map(|hash| hash.to_string()).as_ref() != Some(&row.entry_hash);
            let approved = row.state == crate::domain::SuppressionState::Approved;
            let in_force = approved && row.stands(at) && !entry_changed;
            Ok(SuppressionNow { row, in_force, entry_changed, control: None })
        };
        rows.into_iter().map(now).collect::<Result<Vec<_>, PortError>>()
    });
    Ok(read.await.map_err(|error| Problem::internal(&error))??)
}
