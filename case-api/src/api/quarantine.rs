//! `/v1/rules/{id}/quarantine`: a quarantine that is proposed is ordered or declined, one in force is lifted. By people
//! alone: the engine proposes, and does what they order.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
};

use super::{Identity, Problem, idempotent::RequestClaim};
use crate::{
    app::App,
    domain::QuarantineAct,
    service::{QuarantineOrder, QuarantineOutcome},
};

/// Order the quarantine that is proposed. The rule judges on: what it finds is said, and what it holds is held. Of its
/// failures that ask for an alert, one a day is alerted for each key.
#[utoipa::path(post, path = "/v1/rules/{id}/quarantine", tag = "rules", request_body = QuarantineOrder,
    params(
        ("id" = String, Path, description = "The rule's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once"),
    ),
    responses(
        (status = 200, body = QuarantineOutcome),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn order(
    state: State<Arc<App>>,
    identity: Identity,
    keyed: RequestClaim,
    id: Path<String>,
    body: Json<QuarantineOrder>,
) -> Result<Json<QuarantineOutcome>, Problem> {
    answer(QuarantineAct::Order, state, identity, keyed, id, body).await
}

/// Decline the quarantine that is proposed: every failure goes on being alerted. It is not proposed again until as many
/// further keys have failed.
#[utoipa::path(post, path = "/v1/rules/{id}/quarantine/decline", tag = "rules", request_body = QuarantineOrder,
    params(
        ("id" = String, Path, description = "The rule's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once"),
    ),
    responses(
        (status = 200, body = QuarantineOutcome),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn decline(
    state: State<Arc<App>>,
    identity: Identity,
    keyed: RequestClaim,
    id: Path<String>,
    body: Json<QuarantineOrder>,
) -> Result<Json<QuarantineOutcome>, Problem> {
    answer(QuarantineAct::Decline, state, identity, keyed, id, body).await
}

/// Lift a rule's quarantine without changing the rule: from the next event on its failures are alerted like any other's,
/// and the keys on which it fails count anew.
#[utoipa::path(post, path = "/v1/rules/{id}/quarantine/lift", tag = "rules", request_body = QuarantineOrder,
    params(
        ("id" = String, Path, description = "The rule's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body are run once"),
    ),
    responses(
        (status = 200, body = QuarantineOutcome),
        (status = 403, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ))]
pub(crate) async fn lift(
    state: State<Arc<App>>,
    identity: Identity,
    keyed: RequestClaim,
    id: Path<String>,
    body: Json<QuarantineOrder>,
) -> Result<Json<QuarantineOutcome>, Problem> {
    answer(QuarantineAct::Lift, state, identity, keyed, id, body).await
}

async fn answer(
    act: QuarantineAct,
    State(app): State<Arc<App>>,
    identity: Identity,
    RequestClaim(claim): RequestClaim,
    Path(id): Path<String>,
    Json(order): Json<QuarantineOrder>,
) -> Result<Json<QuarantineOutcome>, Problem> {
    Ok(Json(app.service.act_on_quarantine(act, &id, &order, &identity.actor, claim.as_ref()).await?))
}
