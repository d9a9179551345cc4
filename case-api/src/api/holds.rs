//! `/v1/holds`.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use sluice_http::query;

use super::{
    Problem,
    page::{Items, PageQuery},
};
use crate::{
    app::App,
    domain::{Hold, HoldState},
};

/// Which holds.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HoldQuery {
    /// `held`, `proposed`, `cleared`, `released`, `rejected`, or `waiting` for held and proposed.
    state: Option<String>,
}

/// Payments held or refused, newest first, one line for each alert that holds one.
#[utoipa::path(get, path = "/v1/holds", tag = "holds", params(PageQuery, HoldQuery), responses(
    (status = 200, body = Items<Hold>),
    (status = 401, body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Query(page): Query<PageQuery>,
    Query(query): Query<HoldQuery>,
) -> Result<Json<Items<Hold>>, Problem> {
    let states = HoldState::ALL.into_iter().map(HoldState::name).chain(["waiting"]);
    query::one_of("state", query.state.as_deref(), states)?;
    Ok(Json(app.service.holds(query.state.as_deref(), page.page()?).await?.into()))
}
