//! `/v1/rules/{id}/quarantine/lift`: a quarantined rule judges again, unchanged.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Path, State},
};
use serde::Deserialize;

use super::Problem;
use crate::{
    app::App,
    auth::Identity,
    store::{Claim, QuarantineLifted},
    work,
};

/// Which quarantine is lifted, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LiftQuarantine {
    /// The quarantined version of the rule, as `/v1/rules` names it.
    pub version: String,
    /// Why.
    pub reason: String,
}

/// Lift a rule's quarantine without changing the rule: it judges from the next event on, and its failures count anew.
#[utoipa::path(post, path = "/v1/rules/{id}/quarantine/lift", tag = "rules", request_body = LiftQuarantine,
    params(
        ("id" = String, Path, description = "The rule's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once"),
    ),
    responses(
        (status = 200, body = QuarantineLifted),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
pub async fn lift(
    State(app): State<Arc<App>>,
    identity: Identity,
    claim: Option<Extension<Claim>>,
    Path(id): Path<String>,
    Json(lift): Json<LiftQuarantine>,
) -> Result<Json<QuarantineLifted>, Problem> {
    let claim = claim.map(|Extension(claim)| claim);
    Ok(Json(perform(&app, &id, &lift, &identity, claim.as_ref()).await?))
}

/// Lift a quarantine, count it, and see its control record onto the log.
pub async fn perform(
    app: &Arc<App>,
    rule_id: &str,
    LiftQuarantine { version, reason }: &LiftQuarantine,
    identity: &Identity,
    claim: Option<&Claim>,
) -> Result<QuarantineLifted, Problem> {
    let done = app.store.lift_quarantine(rule_id, version, reason, &identity.actor, claim, app.now()).await;
    let outcome = if done.is_ok() { "done" } else { "refused" };
    app.metrics.rule_acts.with_label_values(&["lift_quarantine", outcome]).inc();
    let lifted = done?;
    let control = work::see_delivered(app, lifted.outbox).await?;
    Ok(QuarantineLifted { control, ..lifted })
}
