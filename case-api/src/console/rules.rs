//! The rules: what judges, what is proposed, what came before, and the way back.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    error::{PageError, refusal},
    forms::{check_made, claim, do_once, once},
    rule_version::VersionView,
    shell::{Shell, render, words},
};
use crate::{
    api::Identity,
    app::App,
    domain::{Permission, VersionState},
    limits::RULE_VERSIONS_SHOWN,
    ports::ActiveRule,
    service::{Filling, Page, RuleCounts},
    words as names,
};

/// A rule as pages show it.
pub(crate) struct RuleView {
    pub rule: ActiveRule,
    pub severity: &'static str,
    pub action: &'static str,
    pub key: &'static str,
    pub typology: String,
    pub counts: RuleCounts,
}

impl RuleView {
    pub(crate) fn new(rule: ActiveRule, counts: &[RuleCounts]) -> Self {
        Self {
            severity: names::severity(rule.severity),
            action: names::action(rule.action),
            key: rule.key.name(),
            typology: words(&rule.typology),
            counts: RuleCounts::of(counts, &rule.id),
            rule,
        }
    }
}

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    shell: Shell,
    rules: Vec<RuleView>,
    in_force: Option<VersionView>,
    in_shadow: Option<VersionView>,
    going_live: Option<VersionView>,
    filling: Option<Filling>,
    waiting: Vec<VersionView>,
    past: Vec<VersionView>,
    proposes: bool,
    approves: bool,
    once: String,
    error: String,
}

/// The rules in force.
pub(crate) async fn page(State(app): State<Arc<App>>, identity: Identity) -> Result<Response, PageError> {
    show_rules(&app, &identity, StatusCode::OK, String::new()).await
}

async fn show_rules(
    app: &Arc<App>,
    identity: &Identity,
    status: StatusCode,
    error: String,
) -> Result<Response, PageError> {
    let shell = Shell::new(app, identity, "rules").await?;
    let counts = app.service.rule_counts().await?;
    let now = app.service.rules_status().await?;
    let (versions, _) = app.service.rule_versions(Page::first(RULE_VERSIONS_SHOWN)).await?;
    let versions = versions.into_iter().map(|version| VersionView::new(version, &shell));
    let (waiting, past) = versions.partition(|view| {
        use VersionState::{Approved, Checked, Draft, Shadow, Shadowing};
        matches!(view.version.state, Draft | Checked | Shadowing | Shadow | Approved)
    });
    let page = RulesPage {
        rules: app.service.catalogue().rules().into_iter().map(|rule| RuleView::new(rule, &counts)).collect(),
        in_force: now.in_force.map(|version| VersionView::new(version, &shell)),
        in_shadow: now.in_shadow.map(|version| VersionView::new(version, &shell)),
        going_live: now.going_live.map(|version| VersionView::new(version, &shell)),
        filling: now.filling,
        waiting,
        past,
        proposes: identity.actor.roles.allow(Permission::ProposeRules),
        approves: identity.actor.roles.allow(Permission::ApproveRules),
        once: once()?,
        error,
        shell,
    };
    Ok(render(status, &page))
}

/// The form that rolls back.
#[derive(Deserialize)]
pub(crate) struct RollbackForm {
    csrf: String,
    once: String,
    reason: String,
}

/// Put the set before this one back in force.
pub(crate) async fn roll_back(
    State(app): State<Arc<App>>,
    identity: Identity,
    Form(form): Form<RollbackForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    let claim = claim(&form.once, &["rollback"], &identity);
    let acting = app.service.roll_back_rules(form.reason, &identity.actor, Some(&claim));
    if let Err(error) = do_once(&app, &claim, acting).await? {
        let (status, why) = refusal(error);
        return show_rules(&app, &identity, status, why).await;
    }
    Ok(Redirect::to("/rules").into_response())
}
