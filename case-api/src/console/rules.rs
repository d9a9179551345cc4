//! The rules: what judges, what is proposed, who approved what, and the acts that this officer may do.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use sluice_model::{Hash256, RuleFile};
use sluice_rules::CASES_SUFFIX;

use super::{
    error::PageError,
    shell::{Shell, When, render, short, words},
};
use crate::{
    api::Problem,
    app::App,
    auth::Identity,
    domain::{Permission, VersionAct, VersionState, next_version_state},
    limits::RULE_VERSIONS_SHOWN,
    ports::ActiveRule,
    rulebook::{self, Changes, Filling, ProposeError},
    store::{Claim, Claimed, Page, RuleCounts, RuleVersion, StoreError, random},
    trial::{Proposal, TrialError},
    words as names,
};

/// A rule as pages show it.
pub struct RuleView {
    pub rule: ActiveRule,
    pub severity: &'static str,
    pub action: &'static str,
    pub key: &'static str,
    pub typology: String,
    pub counts: RuleCounts,
}

impl RuleView {
    pub fn new(rule: ActiveRule, counts: &[RuleCounts]) -> Self {
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

/// A version as pages show it.
struct VersionView {
    version: RuleVersion,
    hash: String,
    proposed: When,
    decided: Option<When>,
    active: Option<When>,
    retired: Option<When>,
}

impl VersionView {
    fn new(version: RuleVersion, shell: &Shell) -> Self {
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
    fn is_proposal(&self) -> bool {
        self.version.origin == "proposal"
    }
}

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    shell: Shell,
    rules: Vec<RuleView>,
    in_force: Option<VersionView>,
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
pub async fn page(State(app): State<Arc<App>>, identity: Identity) -> Result<Response, PageError> {
    show_rules(&app, &identity, StatusCode::OK, String::new()).await
}

async fn show_rules(
    app: &Arc<App>,
    identity: &Identity,
    status: StatusCode,
    error: String,
) -> Result<Response, PageError> {
    let shell = Shell::new(app, identity, "rules").await?;
    let counts = app.store.rule_counts().await?;
    let standing = rulebook::status(app).await?;
    let (versions, _) = app.store.rule_versions(Page::first(RULE_VERSIONS_SHOWN)).await?;
    let versions = versions.into_iter().map(|version| VersionView::new(version, &shell));
    let (waiting, past) = versions
        .partition(|view| matches!(view.version.state, VersionState::Checked | VersionState::Approved));
    let page = RulesPage {
        rules: app.ports.catalogue.rules().into_iter().map(|rule| RuleView::new(rule, &counts)).collect(),
        in_force: standing.in_force.map(|version| VersionView::new(version, &shell)),
        going_live: standing.going_live.map(|version| VersionView::new(version, &shell)),
        filling: standing.filling,
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

/// The acts that this officer may do to this version now.
struct Allowed {
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
    allowed: Allowed,
    own: bool,
    once: String,
    error: String,
    done: &'static str,
}

#[derive(Deserialize, Default)]
pub struct Done {
    #[serde(default)]
    done: String,
}

/// One version.
pub async fn version(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<Done>,
) -> Result<Response, PageError> {
    show_version(&app, &identity, &id, StatusCode::OK, done_text(&query.done), String::new()).await
}

/// The flash after an act; only known words are shown.
fn done_text(act: &str) -> &'static str {
    match act {
        "propose" => "Checked and tested. Another person decides now.",
        "approve" => "Approved. It judges nothing until it is activated.",
        "reject" => "Rejected.",
        "activate" => "On its way into force.",
        _ => "",
    }
}

async fn show_version(
    app: &Arc<App>,
    identity: &Identity,
    id: &str,
    status: StatusCode,
    done: &'static str,
    error: String,
) -> Result<Response, PageError> {
    let shell = Shell::new(app, identity, "rules").await?;
    let not_found = || Problem::not_found("version of the rules");
    let version = app.store.rule_version(id).await?.ok_or_else(not_found)?;
    let own = version.origin == "proposal" && version.author == identity.actor.name;
    let roles = &identity.actor.roles;
    let may = |act: VersionAct| next_version_state(version.state, &act, roles, own).is_ok();
    let reason = String::new;
    let page = VersionPage {
        allowed: Allowed {
            approve: may(VersionAct::Approve { reason: reason() }),
            reject: may(VersionAct::Reject { reason: reason() }),
            activate: may(VersionAct::Activate { reason: reason() }),
        },
        changes: rulebook::changes(app, &version).await.map_err(problem)?,
        filling: rulebook::status(app).await?.filling,
        view: VersionView::new(version, &shell),
        own,
        once: once()?,
        error,
        done,
        shell,
    };
    Ok(render(status, &page))
}

/// What a page says of a proposal that could not even be tried.
fn problem(error: ProposeError) -> Problem {
    match error {
        ProposeError::Trial(refused) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string()),
        ProposeError::Store(error) => error.into(),
        ProposeError::Join(error) => Problem::internal(&error),
    }
}

/// A form's own token: sent twice, it is one act.
fn once() -> Result<String, StoreError> {
    Ok(hex::encode(random::<16>()?))
}

/// The form of an act on a version.
#[derive(Deserialize)]
pub struct ActForm {
    csrf: String,
    once: String,
    action: String,
    reason: String,
}

/// Approve, reject, activate.
pub async fn act(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Form(form): Form<ActForm>,
) -> Result<Response, PageError> {
    if !identity.made(&form.csrf) {
        return Err(PageError::foreign_form());
    }
    let reason = form.reason.clone();
    let act = match form.action.as_str() {
        "approve" => VersionAct::Approve { reason },
        "reject" => VersionAct::Reject { reason },
        "activate" => VersionAct::Activate { reason },
        _ => return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "this form names no act").into()),
    };
    let claim = claim(&form.once, &[&id, &form.action], &identity);
    if let Claimed::Run = app.store.claim(&claim, &app.instance, app.now()).await?
        && let Err(error) = rulebook::act(&app, &id, &act, &identity.actor, Some(&claim)).await
    {
        app.store.disclaim(&claim, app.now()).await?;
        let problem = Problem::from(error);
        let detail = problem.detail().to_owned();
        return show_version(&app, &identity, &id, problem.status(), "", detail).await;
    }
    Ok(Redirect::to(&format!("/rules/versions/{id}?done={}", act.name())).into_response())
}

fn claim(once: &str, parts: &[&str], identity: &Identity) -> Claim {
    let fingerprint = Hash256::of_parts(parts.iter().map(|part| part.as_bytes())).to_string();
    Claim { actor: identity.actor.name.clone(), key: format!("form:{once}"), fingerprint }
}

/// The form that rolls back.
#[derive(Deserialize)]
pub struct RollbackForm {
    csrf: String,
    once: String,
    reason: String,
}

/// Put the set before this one back in force.
pub async fn roll_back(
    State(app): State<Arc<App>>,
    identity: Identity,
    Form(form): Form<RollbackForm>,
) -> Result<Response, PageError> {
    if !identity.made(&form.csrf) {
        return Err(PageError::foreign_form());
    }
    let claim = claim(&form.once, &["rollback"], &identity);
    if let Claimed::Run = app.store.claim(&claim, &app.instance, app.now()).await?
        && let Err(error) = rulebook::roll_back(&app, form.reason, &identity.actor, Some(&claim)).await
    {
        app.store.disclaim(&claim, app.now()).await?;
        let problem = Problem::from(error);
        let detail = problem.detail().to_owned();
        return show_rules(&app, &identity, problem.status(), detail).await;
    }
    Ok(Redirect::to("/rules").into_response())
}

#[derive(Template)]
#[template(path = "propose.html")]
struct ProposePage {
    shell: Shell,
    paths: Vec<String>,
    path: String,
    text: String,
    cases: String,
    rationale: String,
    once: String,
    error: String,
    /// What is to be mended, as a terminal shows it.
    found: String,
}

#[derive(Deserialize, Default)]
pub struct WhichFile {
    #[serde(default)]
    file: String,
}

/// The form in which a file of the set in force is changed, or a new one written.
pub async fn proposing(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(query): Query<WhichFile>,
) -> Result<Response, PageError> {
    identity.need(Permission::ProposeRules)?;
    let files = files_in_force(&app).await?;
    let text_of = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.clone());
    let page = ProposePage {
        shell: Shell::new(&app, &identity, "rules").await?,
        text: text_of(&query.file).unwrap_or_default(),
        cases: cases_path(&query.file).and_then(|path| text_of(&path)).unwrap_or_default(),
        paths: paths(&files),
        path: query.file,
        rationale: String::new(),
        once: once()?,
        error: String::new(),
        found: String::new(),
    };
    Ok(render(StatusCode::OK, &page))
}

async fn files_in_force(app: &App) -> Result<Vec<RuleFile>, StoreError> {
    match app.store.rules_in_force().await? {
        Some(active) => app.store.rule_files(&active.version_id).await,
        None => Ok(Vec::new()),
    }
}

/// The files that the form offers: cases come with their rule.
fn paths(files: &[RuleFile]) -> Vec<String> {
    files.iter().map(|file| file.path.clone()).filter(|path| !path.ends_with(CASES_SUFFIX)).collect()
}

/// Where the cases of a rule file stand; none of any other file.
fn cases_path(path: &str) -> Option<String> {
    path.strip_suffix(".rhai").map(|stem| format!("{stem}{CASES_SUFFIX}"))
}

/// The form of a proposal.
#[derive(Deserialize)]
pub struct ProposeForm {
    csrf: String,
    once: String,
    path: String,
    text: String,
    #[serde(default)]
    cases: String,
    rationale: String,
}

/// Check and test a change of one file, and keep it as a proposal.
pub async fn propose(
    State(app): State<Arc<App>>,
    identity: Identity,
    Form(form): Form<ProposeForm>,
) -> Result<Response, PageError> {
    if !identity.made(&form.csrf) {
        return Err(PageError::foreign_form());
    }
    identity.need(Permission::ProposeRules)?;
    // Browsers send lines as CRLF; files keep LF, so that a hash is of what was written.
    let unix = |text: &str| text.replace("\r\n", "\n");
    let path = form.path.trim().to_owned();
    let mut files = vec![RuleFile { path: path.clone(), text: unix(&form.text) }];
    if let Some(cases) = cases_path(&path).filter(|_| !form.cases.trim().is_empty()) {
        files.push(RuleFile { path: cases, text: unix(&form.cases) });
    }
    let proposal = Proposal { rationale: form.rationale.clone(), files, ..Proposal::default() };
    let claim = claim(&form.once, &["propose", &form.text, &form.cases], &identity);
    if !matches!(app.store.claim(&claim, &app.instance, app.now()).await?, Claimed::Run) {
        return Ok(Redirect::to("/rules").into_response());
    }
    match rulebook::propose(&app, proposal, &identity.actor, Some(&claim)).await {
        Ok(version) => {
            let id = version.version_id;
            Ok(Redirect::to(&format!("/rules/versions/{id}?done=propose")).into_response())
        }
        Err(ProposeError::Trial(refused)) => {
            app.store.disclaim(&claim, app.now()).await?;
            let page = ProposePage {
                shell: Shell::new(&app, &identity, "rules").await?,
                paths: paths(&files_in_force(&app).await?),
                path,
                text: form.text,
                cases: form.cases,
                rationale: form.rationale,
                once: once()?,
                error: refused.to_string(),
                found: found(&refused),
            };
            Ok(render(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(error) => {
            app.store.disclaim(&claim, app.now()).await?;
            Err(problem(error).into())
        }
    }
}

/// Everything that is to be mended, as a terminal shows it.
fn found(refused: &TrialError) -> String {
    match refused {
        TrialError::DoesNotCheck { rendered, .. } => rendered.clone(),
        TrialError::CasesFail(cases) => {
            let told = |case: &sluice_rules::CaseReport| {
                let failures: String = case.failures.iter().map(|line| format!("    {line}\n")).collect();
                format!("{}:{}: {}\n{failures}", case.file, case.line, case.name)
            };
            cases.iter().map(told).collect()
        }
        TrialError::Malformed(_) | TrialError::NothingNew => String::new(),
    }
}
