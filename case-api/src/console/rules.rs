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
    api::{Identity, Problem},
    app::App,
    domain::{BacktestReport, Changes, Permission, Proposal, VersionAct, VersionState, next_version_state},
    limits::RULE_VERSIONS_SHOWN,
    ports::ActiveRule,
    service::{Filling, ProposeError},
    store::{Claim, Claimed, Page, RuleCounts, RuleVersion, StoreError, random},
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
    let counts = app.service.store.rule_counts().await?;
    let standing = app.service.rules_status().await?;
    let (versions, _) = app.service.store.rule_versions(Page::first(RULE_VERSIONS_SHOWN)).await?;
    let versions = versions.into_iter().map(|version| VersionView::new(version, &shell));
    let (waiting, past) = versions.partition(|view| {
        use VersionState::{Approved, Checked, Draft, Shadow, Shadowing};
        matches!(view.version.state, Draft | Checked | Shadowing | Shadow | Approved)
    });
    let page = RulesPage {
        rules: app
            .service
            .ports
            .catalogue
            .rules()
            .into_iter()
            .map(|rule| RuleView::new(rule, &counts))
            .collect(),
        in_force: standing.in_force.map(|version| VersionView::new(version, &shell)),
        in_shadow: standing.in_shadow.map(|version| VersionView::new(version, &shell)),
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
    allowed: Allowed,
    backtest: Option<BacktestReport>,
    backtesting: bool,
    may_backtest: bool,
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
        "draft" => "Saved. Nobody decides on a draft; submit it when it is right.",
        "shadow" => "On its way into shadow: it will judge live traffic and alert nobody.",
        "propose" | "submit" => "Checked and tested. Another person decides now.",
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
    let version = app.service.store.rule_version(id).await?.ok_or_else(not_found)?;
    let own = version.origin == "proposal" && version.author == identity.actor.name;
    let roles = &identity.actor.roles;
    let may = |act: VersionAct| next_version_state(version.state, &act, roles, own).is_ok();
    let reason = String::new;
    let page = VersionPage {
        allowed: Allowed {
            submit: may(VersionAct::Submit),
            shadow: may(VersionAct::Shadow { reason: reason() }),
            approve: may(VersionAct::Approve { reason: reason() }),
            reject: may(VersionAct::Reject { reason: reason() }),
            activate: may(VersionAct::Activate { reason: reason() }),
        },
        changes: app.service.rule_changes(&version).await.map_err(problem)?,
        filling: app.service.rules_status().await?.filling,
        backtest: app.service.store.backtest(id).await?,
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

/// What a page says of a proposal that could not even be tried.
fn problem(error: ProposeError) -> Problem {
    match error {
        ProposeError::Trial(refused) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string()),
        ProposeError::Version(error) => error.into(),
        ProposeError::Store(error) => error.into(),
        ProposeError::Join(error) => Problem::internal(&error),
    }
}

/// A form's own token: sent twice, it is one act.
pub(super) fn once() -> Result<String, StoreError> {
    Ok(hex::encode(random::<16>()?))
}

/// The form of an act on a version.
#[derive(Deserialize)]
pub struct ActForm {
    csrf: String,
    once: String,
    action: String,
    #[serde(default)]
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
        "submit" => VersionAct::Submit,
        "shadow" => VersionAct::Shadow { reason },
        "approve" => VersionAct::Approve { reason },
        "reject" => VersionAct::Reject { reason },
        "activate" => VersionAct::Activate { reason },
        _ => return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "this form names no act").into()),
    };
    let claim = claim(&form.once, &[&id, &form.action], &identity);
    let (claimed, _turn) = app.service.claim(&claim).await?;
    if let Claimed::Run = claimed
        && let Err(error) = app.service.act_on_rules(&id, &act, &identity.actor, Some(&claim)).await
    {
        app.service.disclaim(&claim).await?;
        let problem = problem(error);
        let detail = problem.detail().to_owned();
        return show_version(&app, &identity, &id, problem.status(), "", detail).await;
    }
    Ok(Redirect::to(&format!("/rules/versions/{id}?done={}", act.name())).into_response())
}

/// The form of a back-test.
#[derive(Deserialize)]
pub struct BacktestForm {
    csrf: String,
}

/// Begin a back-test over the log.
pub async fn backtest(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Form(form): Form<BacktestForm>,
) -> Result<Response, PageError> {
    if !identity.made(&form.csrf) {
        return Err(PageError::foreign_form());
    }
    identity.need(Permission::ProposeRules)?;
    if let Err(error) = app.service.begin_backtest(&id, &identity.actor).await {
        let problem = Problem::from(error);
        let detail = problem.detail().to_owned();
        return show_version(&app, &identity, &id, problem.status(), "", detail).await;
    }
    Ok(Redirect::to(&format!("/rules/versions/{id}")).into_response())
}

pub(super) fn claim(once: &str, parts: &[&str], identity: &Identity) -> Claim {
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
    let (claimed, _turn) = app.service.claim(&claim).await?;
    if let Claimed::Run = claimed
        && let Err(error) = app.service.roll_back_rules(form.reason, &identity.actor, Some(&claim)).await
    {
        app.service.disclaim(&claim).await?;
        let problem = problem(error);
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
    /// The draft that is written on, if one is.
    draft: String,
    once: String,
    error: String,
    /// What is to be mended, as a terminal shows it.
    found: String,
}

#[derive(Deserialize, Default)]
pub struct WhichFile {
    #[serde(default)]
    file: String,
    #[serde(default)]
    draft: String,
}

/// The form in which a file of the set in force, or of a draft, is changed, or a new one written.
pub async fn proposing(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(query): Query<WhichFile>,
) -> Result<Response, PageError> {
    identity.need(Permission::ProposeRules)?;
    let draft = app.service.store.rule_version(&query.draft).await?;
    let files = match &draft {
        Some(draft) => app.service.store.rule_files(&draft.version_id).await?,
        None => files_in_force(&app).await?,
    };
    let path = match &draft {
        Some(_) if query.file.is_empty() => written_in(&app, &query.draft).await?.0.into_iter().next(),
        _ => Some(RuleFile { path: query.file.clone(), text: String::new() }),
    };
    let path = path.map(|file| file.path).unwrap_or_default();
    let text_of = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.clone());
    let page = ProposePage {
        shell: Shell::new(&app, &identity, "rules").await?,
        text: text_of(&path).unwrap_or_default(),
        cases: cases_path(&path).and_then(|path| text_of(&path)).unwrap_or_default(),
        paths: paths(&files),
        path,
        rationale: draft.as_ref().map(|draft| draft.rationale.clone()).unwrap_or_default(),
        found: draft.as_ref().map(|draft| draft.report.problems.clone()).unwrap_or_default(),
        draft: draft.map(|draft| draft.version_id).unwrap_or_default(),
        once: once()?,
        error: String::new(),
    };
    Ok(render(StatusCode::OK, &page))
}

/// What a version's author has written so far: files that are new or changed, rules first, and paths that are gone.
async fn written_in(app: &App, version_id: &str) -> Result<(Vec<RuleFile>, Vec<String>), StoreError> {
    let Some(version) = app.service.store.rule_version(version_id).await? else {
        return Ok(Default::default());
    };
    let base = match &version.base {
        Some(base) => app.service.store.rule_files(base).await?,
        None => Vec::new(),
    };
    let files = app.service.store.rule_files(version_id).await?;
    let gone = base.iter().filter(|file| !files.iter().any(|kept| kept.path == file.path));
    let gone = gone.map(|file| file.path.clone()).collect();
    let mut changed: Vec<RuleFile> = files.into_iter().filter(|file| !base.contains(file)).collect();
    changed.sort_by_key(|file| file.path.ends_with(CASES_SUFFIX));
    Ok((changed, gone))
}

async fn files_in_force(app: &App) -> Result<Vec<RuleFile>, StoreError> {
    match app.service.store.rules_in_force().await? {
        Some(active) => app.service.store.rule_files(&active.version_id).await,
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
    /// The draft that is written on, if one is.
    #[serde(default)]
    draft: String,
    /// `draft`, to save it as one.
    #[serde(default)]
    send: String,
}

/// Check and test a change of one file, and keep it as a proposal or a draft.
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
    let as_draft = form.send == "draft";
    let proposal =
        Proposal { rationale: form.rationale.clone(), files, draft: as_draft, ..Proposal::default() };
    let claim = claim(&form.once, &["propose", &form.text, &form.cases], &identity);
    let (claimed, _turn) = app.service.claim(&claim).await?;
    if !matches!(claimed, Claimed::Run) {
        return Ok(Redirect::to("/rules").into_response());
    }
    let sent = if form.draft.is_empty() {
        app.service.propose_rules(proposal, &identity.actor, Some(&claim)).await.map(|kept| kept.version_id)
    } else {
        go_on_with_draft(&app, &form.draft, proposal, &identity, &claim).await
    };
    match sent {
        Ok(id) => {
            let done = if as_draft { "draft" } else { "propose" };
            Ok(Redirect::to(&format!("/rules/versions/{id}?done={done}")).into_response())
        }
        Err(ProposeError::Trial(refused)) => {
            app.service.disclaim(&claim).await?;
            let page = ProposePage {
                shell: Shell::new(&app, &identity, "rules").await?,
                paths: paths(&files_in_force(&app).await?),
                path,
                text: form.text,
                cases: form.cases,
                rationale: form.rationale,
                draft: form.draft,
                once: once()?,
                error: refused.to_string(),
                found: refused.told(),
            };
            Ok(render(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(error) => {
            app.service.disclaim(&claim).await?;
            Err(problem(error).into())
        }
    }
}

/// Save one more file of a draft beside what it holds already; submit it unless it is to stay a draft.
async fn go_on_with_draft(
    app: &Arc<App>,
    draft: &str,
    proposal: Proposal,
    identity: &Identity,
    claim: &Claim,
) -> Result<String, ProposeError> {
    let (mut files, removed) = written_in(app, draft).await?;
    files.retain(|file| !proposal.files.iter().any(|new| new.path == file.path));
    files.extend(proposal.files);
    let submits = !proposal.draft;
    let whole = Proposal { rationale: proposal.rationale, files, removed, whole: false, draft: true };
    let saved = app.service.save_draft(draft, whole, &identity.actor).await?;
    if submits {
        app.service.act_on_rules(draft, &VersionAct::Submit, &identity.actor, Some(claim)).await?;
    }
    Ok(saved.version_id)
}
