//! `/v1/lists`, `/v1/screenings`: what is screened against, and what a name meets.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::{Identity, Problem, page::Items};
use crate::{
    app::App,
    domain::Permission,
    ports::{ActiveList, Screening},
    service::ScreeningAnswer,
};

/// The active version of each list source. None: screening is off.
#[utoipa::path(get, path = "/v1/lists", tag = "lists", responses((status = 200, body = Items<ActiveList>)))]
pub(crate) async fn lists(State(app): State<Arc<App>>) -> Json<Items<ActiveList>> {
    Json(app.service.catalogue().lists().into())
}

/// Screen a name against the active lists.
#[utoipa::path(post, path = "/v1/screenings", tag = "lists", request_body = Screening, responses(
    (status = 200, body = ScreeningAnswer),
    (status = 422, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn screen(
    State(app): State<Arc<App>>,
    identity: Identity,
    Json(screening): Json<Screening>,
) -> Result<Json<ScreeningAnswer>, Problem> {
    identity.need(Permission::Screen)?;
    Ok(Json(app.service.screen(screening).await?))
}
