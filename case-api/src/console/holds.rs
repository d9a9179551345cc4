//! The queue of held payments.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    error::PageError,
    shell::{Shell, When, render, short},
};
use crate::{api::Identity, app::App, domain::Hold, limits::PAGE_DEFAULT, service::Page};

#[derive(Deserialize, Default)]
pub(crate) struct HoldsQuery {
    #[serde(default)]
    all: bool,
    cursor: Option<i64>,
}

struct HoldRow {
    hold: Hold,
    alert: String,
    at: When,
}

#[derive(Template)]
#[template(path = "holds.html")]
struct HoldsPage {
    shell: Shell,
    holds: Vec<HoldRow>,
    all: bool,
    next: Option<i64>,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(query): Query<HoldsQuery>,
) -> Result<Response, PageError> {
    let shell = Shell::new(&app, &identity, "holds").await?;
    let state = if query.all { None } else { Some("waiting") };
    let page = Page { before: query.cursor, limit: PAGE_DEFAULT };
    let (holds, next) = app.service.holds(state, page).await?;
    let holds = holds
        .into_iter()
        .map(|hold| HoldRow { at: shell.when(hold.held_at), alert: short(&hold.because), hold })
        .collect();
    Ok(render(StatusCode::OK, &HoldsPage { shell, holds, all: query.all, next }))
}
