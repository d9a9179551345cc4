//! Suppressed matches: what is proposed, what is in force, what has ended, and the acts on them.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    error::{PageError, refusal},
    forms::check_made,
    shell::{Shell, When, render},
};
use crate::{
    api::{Identity, Problem},
    app::App,
    domain::{SuppressionAct, SuppressionState, next_suppression_state},
    limits::PAGE_DEFAULT,
    service::{Page, SuppressionFilter, SuppressionNow, SuppressionRow},
};

#[derive(Deserialize, Default)]
pub(crate) struct SuppressionsQuery {
    state: Option<String>,
    cursor: Option<i64>,
}

struct SuppressionView {
    row: SuppressionRow,
    state: &'static str,
    in_force: bool,
    expires: When,
    proposed: When,
    approves: bool,
    revokes: bool,
}

#[derive(Template)]
#[template(path = "suppressions.html")]
struct SuppressionsPage {
    shell: Shell,
    suppressions: Vec<SuppressionView>,
    state: String,
    next: Option<i64>,
    error: String,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(query): Query<SuppressionsQuery>,
) -> Result<Response, PageError> {
    show(&app, &identity, query, StatusCode::OK, String::new()).await
}

async fn show(
    app: &Arc<App>,
    identity: &Identity,
    query: SuppressionsQuery,
    status: StatusCode,
    error: String,
) -> Result<Response, PageError> {
    let shell = Shell::new(app, identity, "lists").await?;
    let filter = SuppressionFilter { state: query.state.clone(), ..SuppressionFilter::default() };
    let page = Page { before: query.cursor, limit: PAGE_DEFAULT };
    let (now, next) = app.service.suppressions(&filter, page).await?;
    let suppressions = now.into_iter().map(|now| SuppressionView::new(now, identity, &shell)).collect();
    let state = query.state.unwrap_or_default();
    Ok(render(status, &SuppressionsPage { shell, suppressions, state, next, error }))
}

impl SuppressionView {
    fn new(now: SuppressionNow, identity: &Identity, shell: &Shell) -> Self {
        let SuppressionNow { row, in_force, entry_changed, .. } = now;
        let own = row.proposed_by == identity.actor.name;
        let may = |act| next_suppression_state(row.state, &act, &identity.actor.roles, own).is_ok();
        let is_current = row.is_current(shell.now);
        let state = match row.state {
            SuppressionState::Revoked if row.approved_by.is_none() => "refused",
            SuppressionState::Revoked => "revoked",
            _ if !is_current => "expired",
            _ if entry_changed => "ended: the entry changed",
            SuppressionState::Proposed => "proposed",
            SuppressionState::Approved => "in force",
        };
        Self {
            state,
            in_force,
            expires: shell.when(row.expires_at),
            proposed: shell.when(row.proposed_at),
            approves: is_current && !entry_changed && may(SuppressionAct::Approve),
            revokes: is_current && may(SuppressionAct::Revoke { reason: String::new() }),
            row,
        }
    }
}

/// A form on a line of the page.
#[derive(Deserialize)]
pub(crate) struct ActForm {
    csrf: String,
    action: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn act(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Form(form): Form<ActForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    let act = match form.action.as_str() {
        "approve" => SuppressionAct::Approve,
        "revoke" => SuppressionAct::Revoke { reason: form.reason },
        _ => return Err(Problem::bad_request("this form names no act").into()),
    };
    match app.service.act_on_suppression(&id, &act, &identity.actor, None).await {
        Ok(_) => Ok(Redirect::to("/suppressions").into_response()),
        Err(error) => {
            let (status, why) = refusal(error);
            show(&app, &identity, SuppressionsQuery::default(), status, why).await
        }
    }
}
