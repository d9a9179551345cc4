//! One version of the rules: what it changes, what testing it came to, and the acts that this officer may do to it.

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
    forms::{Flash, check_made, claim, do_once, once},
    shell::{Shell, When, render, short},
};
use crate::{
    api::{Identity, Problem},
    app::App,
    domain::{BacktestReport, Changes, Permission, VersionAct, VersionState, next_version_state},
    service::{Filling, PROPOSAL, RuleVersion},
};

/// A version as pages show it.
pub(crate) struct VersionView {
    pub version: RuleVersion,
    pub hash: String,
    pub proposed: When,
    pub decided: Option<When>,
    pub active: Option<When>,
    pub retired: Option<When>,
}

impl VersionView {
    pub(crate) fn new(version: RuleVersion, shell: &Shell) -> Self {
        let when = |at: Option<i64>| at.map(|at| shell.when(at));
        Self {
            hash: short(&version.hash),
            proposed: shell.when(version.proposed_at),
            decided: when(version.decided_at),
            active: when(version.active_at),
            retired: when(version.retired_at),
            version,
        }
    }

    /// Whether somebody proposed it here.
    pub(crate) fn is_proposal(&self) -> bool {
        self.version.origin == PROPOSAL
    }
}

/// The acts that this officer may do to this version now.
struct VersionActs {
    submit: bool,
    shadow: bool,
    approve: bool,
    reject: bool,
    activate: bool,
}

#[derive(Template)]
#[template(path = "rule_version.html")]
struct VersionPage {
    shell: Shell,
    view: VersionView,
    changes: Changes,
    filling: Option<Filling>,
    allowed: VersionActs,
    backtest: Option<BacktestReport>,
    backtesting: bool,
    may_backtest: bool,
    own: bool,
    once: String,
    error: String,
    done: &'static str,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<Flash>,
) -> Result<Response, PageError> {
    show(&app, &identity, &id, StatusCode::OK, done_text(&query.done), String::new()).await
}

/// The flash after an act; only known words are shown.
fn done_text(act: &str) -> &'static str {
    match act {
        "draft" => "Saved. Nobody decides on a draft; submit it when it is right.",
        "shadow" => "On its way into shadow: it will judge live traffic and alert nobody.",
        "propose" | "submit" => "Checked and tested. Another person decides now.",
        "approve" => "Approved. It judges nothing until it is activated.",
        "reject" => "Rejected.",
        "activate" => "On its way into force.",
        _ => "",
    }
}

async fn show(
    app: &Arc<App>,
    identity: &Identity,
    id: &str,
    status: StatusCode,
    done: &'static str,
    error: String,
) -> Result<Response, PageError> {
    let shell = Shell::new(app, identity, "rules").await?;
    let not_found = || Problem::not_found("version of the rules");
    let version = app.service.rule_version(id).await?.ok_or_else(not_found)?;
    let own = version.origin == PROPOSAL && version.author == identity.actor.name;
    let roles = &identity.actor.roles;
    let may = |act: VersionAct| next_version_state(version.state, &act, roles, own).is_ok();
    let reason = String::new;
    let page = VersionPage {
        allowed: VersionActs {
            submit: may(VersionAct::Submit),
            shadow: may(VersionAct::Shadow { reason: reason() }),
            approve: may(VersionAct::Approve { reason: reason() }),
            reject: may(VersionAct::Reject { reason: reason() }),
            activate: may(VersionAct::Activate { reason: reason() }),
        },
        changes: app.service.rule_changes(&version).await?,
        filling: app.service.rules_status().await?.filling,
        backtest: app.service.backtest(id).await?,
        backtesting: app.service.is_backtesting(id),
        may_backtest: version.state != VersionState::Draft && roles.allow(Permission::ProposeRules),
        view: VersionView::new(version, &shell),
        own,
        once: once()?,
        error,
        done,
        shell,
    };
    Ok(render(status, &page))
}

/// The form of an act on a version.
#[derive(Deserialize)]
pub(crate) struct ActForm {
    csrf: String,
    once: String,
    action: String,
    #[serde(default)]
    reason: String,
}

/// Approve, reject, activate.
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Form(form): Form<ActForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    let reason = form.reason.clone();
    let act = match form.action.as_str() {
        "submit" => VersionAct::Submit,
        "shadow" => VersionAct::Shadow { reason },
        "approve" => VersionAct::Approve { reason },
        "reject" => VersionAct::Reject { reason },
        "activate" => VersionAct::Activate { reason },
        _ => return Err(Problem::bad_request("this form names no act").into()),
    };
    let claim = claim(&form.once, &[&id, &form.action], &identity);
    let acting = app.service.act_on_rules(&id, &act, &identity.actor, Some(&claim));
    if let Err(error) = do_once(&app, &claim, acting).await? {
        let (status, why) = refusal(error);
        return show(&app, &identity, &id, status, "", why).await;
    }
    Ok(Redirect::to(&format!("/rules/versions/{id}?done={}", act.name())).into_response())
}

/// The form of a back-test.
#[derive(Deserialize)]
pub(crate) struct BacktestForm {
    csrf: String,
}

/// Begin a back-test over the log.
pub(crate) async fn backtest(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Form(form): Form<BacktestForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    identity.need(Permission::ProposeRules)?;
    if let Err(error) = app.service.begin_backtest(&id, &identity.actor).await {
        let (status, why) = refusal(error);
        return show(&app, &identity, &id, status, "", why).await;
    }
    Ok(Redirect::to(&format!("/rules/versions/{id}")).into_response())
}
