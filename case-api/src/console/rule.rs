//! One rule: its text, what is noted of it, and what it would have said in shadow.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    error::PageError,
    rules::RuleView,
    shell::{Shell, When, render},
};
use crate::{
    api::Problem,
    app::App,
    auth::Identity,
    domain::Permission,
    limits::PAGE_DEFAULT,
    store::{Page, ShadowAlert},
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
    shadows: Vec<ShadowRow>,
    next: Option<i64>,
    proposes: bool,
}

#[derive(Deserialize, Default)]
pub struct RuleQuery {
    cursor: Option<i64>,
}

pub async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<RuleQuery>,
) -> Result<Response, PageError> {
    let shell = Shell::new(&app, &identity, "rules").await?;
    let mut named: Vec<_> = app.ports.catalogue.rules().into_iter().filter(|rule| rule.id == id).collect();
    // What is in force before what may follow it.
    named.sort_by_key(|rule| rule.candidate);
    let rule = named.into_iter().next();
    let rule = rule.ok_or_else(|| Problem::not_found("rule in force"))?;
    let view = RuleView::new(rule, &app.store.rule_counts().await?);
    let page = Page { before: query.cursor, limit: PAGE_DEFAULT };
    let (shadows, next) = app.store.shadow_alerts(&id, page).await?;
    let row = |shadow: ShadowAlert| ShadowRow {
        at: shell.when(shadow.alert.occurred_at),
        action: crate::words::action(shadow.alert.action),
        shadow,
    };
    let page = RulePage {
        quarantined: view.counts.quarantined_at.filter(|_| view.rule.quarantined).map(|at| shell.when(at)),
        shadows: shadows.into_iter().map(row).collect(),
        next,
        proposes: identity.actor.roles.allow(Permission::ProposeRules),
        view,
        shell,
    };
    Ok(render(StatusCode::OK, &page))
}
