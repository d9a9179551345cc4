//! One rule: its text, what is noted of it, what it would have said in shadow, and what is done where it fails: the acts
//! that order, decline and end its quarantine.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use sluice_model::EventTime;

use super::{
    error::{PageError, refusal},
    forms::{check_made, claim, do_once, once},
    rules::RuleView,
    shell::{Shell, When, render},
};
use crate::{
    api::{Identity, Problem},
    app::App,
    domain::{Permission, QuarantineAct},
    limits::PAGE_DEFAULT,
    service::{Page, QuarantineOrder, ShadowAlert},
};

struct ShadowRow {
    shadow: ShadowAlert,
    at: When,
    action: &'static str,
}

#[derive(Template)]
#[template(path = "rule.html")]
struct RulePage {
    shell: Shell,
    view: RuleView,
    quarantined: Option<When>,
    proposed: Option<When>,
    /// Since when it is proposed or in force: what an act on it names.
    since: String,
    shadows: Vec<ShadowRow>,
    next: Option<i64>,
    proposes: bool,
    approves: bool,
    once: String,
    error: String,
}

#[derive(Deserialize, Default)]
pub(crate) struct RuleQuery {
    cursor: Option<i64>,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<RuleQuery>,
) -> Result<Response, PageError> {
    show(&app, &identity, &id, &query, StatusCode::OK, String::new()).await
}

async fn show(
    app: &Arc<App>,
    identity: &Identity,
    id: &str,
    query: &RuleQuery,
    status: StatusCode,
    error: String,
) -> Result<Response, PageError> {
    let shell = Shell::new(app, identity, "rules").await?;
    let mut named: Vec<_> =
        app.service.catalogue().rules().into_iter().filter(|rule| rule.id == id).collect();
    // What is in force before what may follow it.
    named.sort_by_key(|rule| rule.candidate);
    let rule = named.into_iter().next();
    let rule = rule.ok_or_else(|| Problem::not_found("rule in force"))?;
    let view = RuleView::new(rule, &app.service.rule_counts().await?);
    let page = Page { before: query.cursor, limit: PAGE_DEFAULT };
    let (shadows, next) = app.service.shadow_alerts(id, page).await?;
    let row = |shadow: ShadowAlert| ShadowRow {
        at: shell.when(shadow.alert.occurred_at),
        action: crate::words::action(shadow.alert.action),
        shadow,
    };
    let page = RulePage {
        quarantined: view.counts.quarantined_at.filter(|_| view.rule.quarantined).map(|at| shell.when(at)),
        proposed: view
            .counts
            .proposed_at
            .filter(|_| view.counts.proposed_version.as_ref() == Some(&view.rule.version))
            .map(|at| shell.when(at)),
        since: view
            .counts
            .quarantined_at
            .or(view.counts.proposed_at)
            .map_or_else(String::new, |at| EventTime::from_micros(at).to_string()),
        shadows: shadows.into_iter().map(row).collect(),
        next,
        proposes: identity.actor.roles.allow(Permission::ProposeRules),
        approves: identity.actor.roles.allow(Permission::ApproveRules),
        once: once()?,
        error,
        view,
        shell,
    };
    Ok(render(status, &page))
}

/// The form that acts on a quarantine.
#[derive(Deserialize)]
pub(crate) struct QuarantineForm {
    csrf: String,
    once: String,
    version: String,
    since: EventTime,
    reason: String,
}

/// Order the quarantine that is proposed.
pub(crate) async fn order_quarantine(
    state: State<Arc<App>>,
    identity: Identity,
    id: Path<String>,
    form: Form<QuarantineForm>,
) -> Result<Response, PageError> {
    act(QuarantineAct::Order, state, identity, id, form).await
}

/// Decline it.
pub(crate) async fn decline_quarantine(
    state: State<Arc<App>>,
    identity: Identity,
    id: Path<String>,
    form: Form<QuarantineForm>,
) -> Result<Response, PageError> {
    act(QuarantineAct::Decline, state, identity, id, form).await
}

/// End the quarantine, the rule unchanged.
pub(crate) async fn lift_quarantine(
    state: State<Arc<App>>,
    identity: Identity,
    id: Path<String>,
    form: Form<QuarantineForm>,
) -> Result<Response, PageError> {
    act(QuarantineAct::Lift, state, identity, id, form).await
}

async fn act(
    act: QuarantineAct,
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Form(form): Form<QuarantineForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    let order = QuarantineOrder { version: form.version, since: form.since, reason: form.reason };
    let claim = claim(&form.once, &[act.name(), &id, &order.version], &identity);
    let acting = app.service.act_on_quarantine(act, &id, &order, &identity.actor, Some(&claim));
    if let Err(error) = do_once(&app, &claim, acting).await? {
        let (status, why) = refusal(error);
        return show(&app, &identity, &id, &RuleQuery::default(), status, why).await;
    }
    Ok(Redirect::to(&format!("/rules/{id}")).into_response())
}
