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
use sluice_model::{Key, KeyKind};

use super::{
    case,
    error::PageError,
    forms::{check_made, claim, do_once},
    shell::{Shell, When, render},
};
use crate::{
    api::{Identity, Problem},
    app::App,
    domain::{CaseMatch, SuppressionAct, SuppressionState, next_suppression_state},
    limits::PAGE_DEFAULT,
    service::{NewSuppression, Page, SuppressionFilter, SuppressionNow, SuppressionRow},
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
            let problem = Problem::from(error);
            let (status, detail) = (problem.status(), problem.detail().to_owned());
            show(&app, &identity, SuppressionsQuery::default(), status, detail).await
        }
    }
}

/// The form on a case's page.
#[derive(Deserialize)]
pub(crate) struct ProposeForm {
    csrf: String,
    once: String,
    /// As [`form_value`] wrote it.
    of: String,
    disposition: String,
    #[serde(default)]
    days: String,
    text: String,
}

/// A match as the value of a choice.
pub(crate) fn form_value(of: &CaseMatch) -> String {
    serde_json::json!([of.party, of.list, of.entry_id]).to_string()
}

/// A match as a choice reads.
pub(crate) fn form_label(of: &CaseMatch) -> String {
    let CaseMatch { party, screened, list, entry_id, listed, .. } = of;
    let kind = if party.kind == KeyKind::Party { "institution" } else { party.kind.name() };
    format!("{kind} {} ({screened}) is not {listed} ({list} {entry_id})", party.value)
}

pub(crate) async fn propose(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(case_id): Path<String>,
    Form(form): Form<ProposeForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    let refused = |wrong: &'static str| {
        case::show(&app, &identity, &case_id, StatusCode::UNPROCESSABLE_ENTITY, "", wrong.to_owned())
    };
    let Ok((party, list, entry_id)) = serde_json::from_str::<(Key, String, String)>(&form.of) else {
        return refused("choose a match").await;
    };
    let Ok(disposition) = form.disposition.parse() else {
        return refused("choose how they differ").await;
    };
    let Ok(days) = form.days.trim().parse() else { return refused("say for how many days").await };
    let wanted = NewSuppression {
        case_id: case_id.clone(),
        party,
        list,
        entry_id,
        disposition,
        reason: form.text,
        days: Some(days),
    };
    let claim = claim(&form.once, &[&case_id, "suppress"], &identity);
    let proposing = app.service.propose_suppression(wanted, &identity.actor, Some(&claim));
    if let Err(error) = do_once(&app, &claim, proposing).await? {
        let problem = Problem::from(error);
        return case::show(&app, &identity, &case_id, problem.status(), "", problem.detail().to_owned())
            .await;
    }
    Ok(Redirect::to(&format!("/cases/{case_id}?done=suppress")).into_response())
}
