//! `/v1/rules/{id}/quarantine`: a quarantine that is proposed is ordered or declined, one that stands is lifted. By people
//! alone: the engine proposes, and does what they order.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use serde::Deserialize;
use sluice_model::EventTime;

use super::{Identity, Problem};
use crate::{
    app::App,
    store::{Claim, QuarantineAct, QuarantineActed},
    work,
};

/// Which quarantine, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuarantineOrder {
    /// The version of the rule, as `/v1/rules` names it.
    pub version: String,
    /// The `proposed_at`, or `quarantined_at`, that was looked at: another since then is another quarantine.
    #[schema(value_type = String, format = DateTime)]
    pub since: EventTime,
    /// Why.
    pub reason: String,
}

/// Order the quarantine that is proposed. The rule judges on: what it finds is said, and what it holds is held. Of its
/// failures that ask for an alert, one a day is alerted for each key.
#[utoipa::path(post, path = "/v1/rules/{id}/quarantine", tag = "rules", request_body = QuarantineOrder,
    params(
        ("id" = String, Path, description = "The rule's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once"),
    ),
    responses(
        (status = 200, body = QuarantineActed),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn order(
    state: State<Arc<App>>,
    identity: Identity,
    claim: Option<Extension<Claim>>,
    id: Path<String>,
    body: Json<QuarantineOrder>,
) -> Result<Json<QuarantineActed>, Problem> {
    answer(QuarantineAct::Order, state, identity, claim, id, body).await
}

/// Decline the quarantine that is proposed: every failure goes on being alerted. It is not proposed again until as many
/// further keys have failed.
#[utoipa::path(post, path = "/v1/rules/{id}/quarantine/decline", tag = "rules", request_body = QuarantineOrder,
    params(
        ("id" = String, Path, description = "The rule's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once"),
    ),
    responses(
        (status = 200, body = QuarantineActed),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn decline(
    state: State<Arc<App>>,
    identity: Identity,
    claim: Option<Extension<Claim>>,
    id: Path<String>,
    body: Json<QuarantineOrder>,
) -> Result<Json<QuarantineActed>, Problem> {
    answer(QuarantineAct::Decline, state, identity, claim, id, body).await
}

/// Lift a rule's quarantine without changing the rule: from the next event on its failures are alerted like any other's,
/// and the keys on which it fails count anew.
#[utoipa::path(post, path = "/v1/rules/{id}/quarantine/lift", tag = "rules", request_body = QuarantineOrder,
    params(
        ("id" = String, Path, description = "The rule's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once"),
    ),
    responses(
        (status = 200, body = QuarantineActed),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn lift(
    state: State<Arc<App>>,
    identity: Identity,
    claim: Option<Extension<Claim>>,
    id: Path<String>,
    body: Json<QuarantineOrder>,
) -> Result<Json<QuarantineActed>, Problem> {
    answer(QuarantineAct::Lift, state, identity, claim, id, body).await
}

async fn answer(
    act: QuarantineAct,
    State(app): State<Arc<App>>,
    identity: Identity,
    claim: Option<Extension<Claim>>,
    Path(id): Path<String>,
    Json(order): Json<QuarantineOrder>,
) -> Result<Json<QuarantineActed>, Problem> {
    let claim = claim.map(|Extension(claim)| claim);
    Ok(Json(perform(&app, act, &id, &order, &identity, claim.as_ref()).await?))
}

/// Act on a quarantine, count the act, and see its control record, if it has one, onto the log.
pub async fn perform(
    app: &Arc<App>,
    act: QuarantineAct,
    rule_id: &str,
    QuarantineOrder { version, since, reason }: &QuarantineOrder,
    identity: &Identity,
    claim: Option<&Claim>,
) -> Result<QuarantineActed, Problem> {
    let (actor, now) = (&identity.actor, app.now());
    let done = app.store.act_on_quarantine(act, rule_id, version, *since, reason, actor, claim, now).await;
    let outcome = if done.is_ok() { "done" } else { "refused" };
    app.metrics.rule_acts.with_label_values(&[act.name(), outcome]).inc();
    let acted = done?;
    let control = match acted.outbox {
        Some(outbox) => Some(work::see_delivered(app, outbox).await?),
        None => None,
    };
    Ok(QuarantineActed { control, ..acted })
}
