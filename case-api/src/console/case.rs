//! One case: why it is here, what is held, what was done, and the acts that this officer may do.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use sluice_model::{Hash256, Key, KeyKind};

use super::{
    cases::CaseRow,
    error::PageError,
    explain::AlertView,
    shell::{Shell, When, render, short},
    suppressions::{form_label, form_value},
};
use crate::{
    api::{Problem, perform_act, serve_evidence},
    app::App,
    auth::Identity,
    domain::{Act, ActKind, CaseState, Closing, DispositionCode, Permission, closings, next_state},
    limits::CASE_PAGE_ALERTS,
    store::{AlertFilter, Case, Claim, Claimed, FreezeRow, Hold, HoldState, Page, TimelineEntry, random},
};

/// The acts that this officer may do to this case now.
struct Allowed {
    assign: bool,
    comment: bool,
    escalate: bool,
    give_back: bool,
    freeze: bool,
    unfreeze: bool,
    release: bool,
    reopen: bool,
    closings: Vec<DispositionCode>,
    releases_alone: bool,
    suppress: bool,
}

struct Step {
    title: &'static str,
    class: &'static str,
}

struct HoldView {
    hold: Hold,
    at: When,
    stands: bool,
    state: &'static str,
    by: String,
}

struct FreezeView {
    freeze: FreezeRow,
    at: When,
    lifted: Option<When>,
}

struct TimelineView {
    at: When,
    actor: String,
    kind: String,
    title: String,
    text: String,
    note: String,
    leaf: i64,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    shell: Shell,
    case: CaseRow,
    steps: Vec<Step>,
    previous: Option<String>,
    opened: When,
    closed: Option<When>,
    alerts: Vec<AlertView>,
    more_alerts: bool,
    holds: Vec<HoldView>,
    held: Vec<String>,
    freezes: Vec<FreezeView>,
    frozen: Vec<(String, String)>,
    timeline: Vec<TimelineView>,
    allowed: Allowed,
    /// The matches that may be suppressed: what the form sends, and what it shows.
    suppressible: Vec<(String, String)>,
    kinds: Vec<&'static str>,
    key_kind: String,
    key_value: String,
    officers: Vec<String>,
    error: String,
    done: String,
    once: String,
    intact: bool,
    root: String,
    size: u64,
}

#[derive(Deserialize, Default)]
pub struct Done {
    #[serde(default)]
    done: String,
}

pub async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<Done>,
) -> Result<Response, PageError> {
    show(&app, &identity, &id, StatusCode::OK, &query.done, String::new()).await
}

pub async fn show(
    app: &Arc<App>,
    identity: &Identity,
    id: &str,
    status: StatusCode,
    done: &str,
    error: String,
) -> Result<Response, PageError> {
    let shell = Shell::new(app, identity, "cases").await?;
    let case = app.store.case(id).await?.ok_or_else(|| Problem::not_found("case"))?;
    let rules = app.ports.catalogue.rules();
    let filter = AlertFilter { case_id: Some(id.to_owned()), ..AlertFilter::default() };
    let (stored, more) = app.store.alerts(&filter, Page::first(CASE_PAGE_ALERTS)).await?;
    let (key_kind, key_value) = stored.first().map_or_else(
        || (KeyKind::Customer.name().to_owned(), case.subjects.first().cloned().unwrap_or_default()),
        |stored| freeze_key(&stored.alert.key, &case),
    );
    let alerts: Vec<AlertView> =
        stored.into_iter().map(|alert| AlertView::new(alert, &rules, &shell)).collect();
    let holds = app.store.holds_of(id).await?;
    let freezes = app.store.freezes_of(id).await?;
    let chain = app.store.chain().await;
    let mut held: Vec<String> = holds.iter().filter(|h| h.stands()).map(|h| h.payment_id.clone()).collect();
    held.dedup();
    let standing = freezes.iter().filter(|f| f.stands());
    let page = CasePage {
        steps: steps(case.state),
        previous: case.previous_case_id.clone(),
        opened: shell.when(case.opened_at),
        closed: case.closed_at.map(|at| shell.when(at)),
        allowed: allowed(case.state, identity, &holds, &freezes),
        held,
        frozen: standing.map(|f| (f.key_kind.clone(), f.key_value.clone())).collect(),
        timeline: app
            .store
            .timeline(id)
            .await?
            .iter()
            .rev()
            .map(|entry| TimelineView::new(entry, &shell))
            .collect(),
        suppressible: app
            .store
            .case_matches(id)
            .await?
            .iter()
            .map(|of| (form_value(of), form_label(of)))
            .collect(),
        kinds: KeyKind::ALL.into_iter().filter(|k| *k != KeyKind::Payment).map(KeyKind::name).collect(),
        officers: app.store.officers().await?,
        intact: app.store.case_intact(id).await?,
        case: CaseRow::new(&case, app.store.subject_names(id).await?, &shell),
        holds: holds.into_iter().map(|hold| HoldView::new(hold, &shell)).collect(),
        freezes: freezes.into_iter().map(|freeze| FreezeView::new(freeze, &shell)).collect(),
        more_alerts: more.is_some(),
        alerts,
        key_kind,
        key_value,
        error,
        done: done_text(done).to_owned(),
        once: hex::encode(random::<16>()?),
        root: short(&chain.root),
        size: chain.size,
        shell,
    };
    Ok(render(status, &page))
}

/// What a freeze would most likely be of: the alert's own key, or for a payment's its first subject.
fn freeze_key(key: &Key, case: &Case) -> (String, String) {
    if key.kind == KeyKind::Payment {
        (KeyKind::Customer.name().to_owned(), case.subjects.first().cloned().unwrap_or_default())
    } else {
        (key.kind.name().to_owned(), key.value.clone())
    }
}

fn steps(state: CaseState) -> Vec<Step> {
    let class = |step: CaseState| match step.cmp(&state) {
        std::cmp::Ordering::Less => "past",
        std::cmp::Ordering::Equal => "now",
        std::cmp::Ordering::Greater => "ahead",
    };
    CaseState::ALL.into_iter().map(|step| Step { title: step.title(), class: class(step) }).collect()
}

fn allowed(state: CaseState, identity: &Identity, holds: &[Hold], freezes: &[FreezeRow]) -> Allowed {
    let roles = &identity.actor.roles;
    let may = |act: Act| next_state(state, &act, roles).is_ok();
    let reason = String::new;
    Allowed {
        assign: may(Act::Assign { to: None }),
        comment: may(Act::Comment { text: reason() }),
        escalate: may(Act::Escalate { reason: reason() }),
        give_back: may(Act::Return { reason: reason() }),
        freeze: may(Act::Freeze { key: None, reason: reason() }),
        unfreeze: freezes.iter().any(FreezeRow::stands) && may(Act::Unfreeze { key: None, reason: reason() }),
        release: holds.iter().any(Hold::stands) && may(Act::Release { payment_id: None, reason: reason() }),
        reopen: may(Act::Reopen { reason: reason() }),
        closings: closings(state, roles),
        releases_alone: roles.allow(Permission::Decide),
        suppress: roles.allow(Permission::Triage),
    }
}

impl HoldView {
    fn new(hold: Hold, shell: &Shell) -> Self {
        let state = match hold.state {
            HoldState::Held => "held",
            HoldState::Proposed => "release proposed",
            HoldState::Cleared => "cleared",
            HoldState::Released => "released",
            HoldState::Rejected => "rejected",
        };
        let by = hold.cleared_by.clone().or_else(|| hold.proposed_by.clone()).unwrap_or_default();
        Self { at: shell.when(hold.held_at), stands: hold.stands(), state, by, hold }
    }
}

impl FreezeView {
    fn new(freeze: FreezeRow, shell: &Shell) -> Self {
        Self { at: shell.when(freeze.frozen_at), lifted: freeze.lifted_at.map(|at| shell.when(at)), freeze }
    }
}

impl TimelineView {
    fn new(entry: &TimelineEntry, shell: &Shell) -> Self {
        let said = |name: &str| entry.body.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let title = match entry.kind.as_str() {
            "alert" => format!("{} alerted", said("rule_id")),
            "hold" => format!("payment {} held", said("payment_id")),
            "reject" => format!("payment {} rejected", said("payment_id")),
            "released" => format!("payment {} let go", said("payment_id")),
            "assign" if said("to").is_empty() => "unassigned".to_owned(),
            "assign" => format!("assigned to {}", said("to")),
            "comment" => "commented".to_owned(),
            "escalate" | "return" => format!("{} to {}", past(&entry.kind), entry.state.title()),
            "close" => format!("closed as {}", said("disposition")),
            "propose_suppression" => format!("proposed to suppress {}", suppressed(&said)),
            "approve_suppression" => format!("approved: {} is suppressed", suppressed(&said)),
            "revoke_suppression" => format!("ended or refused: {} is not suppressed", suppressed(&said)),
            "release" => format!("released {}", said("payment_id")).trim_end().to_owned(),
            other => past(other).to_owned(),
        };
        let text = [said("reason"), said("text")].concat();
        Self {
            at: shell.when(entry.at),
            actor: entry.actor.clone(),
            kind: entry.kind.clone(),
            title,
            text,
            note: said("discriminator"),
            leaf: entry.leaf,
        }
    }
}

/// Who is not which entry, as a timeline says it.
fn suppressed(said: &impl Fn(&str) -> String) -> String {
    format!("{} against {} of {}", said("party"), said("entry_id"), said("list"))
}

fn past(kind: &str) -> &str {
    match kind {
        "escalate" => "escalated",
        "return" => "returned",
        "freeze" => "froze",
        "unfreeze" => "ended a freeze",
        "reopen" => "reopened",
        other => other,
    }
}

/// The flash after an act; only known words are shown.
fn done_text(kind: &str) -> &'static str {
    if kind == "suppress" {
        return "Suppression proposed: another person approves it under Lists, Suppressions.";
    }
    match ActKind::ALL.into_iter().find(|k| k.name() == kind) {
        Some(ActKind::Assign) => "Assignment changed.",
        Some(ActKind::Comment) => "Comment added.",
        Some(ActKind::Escalate) => "Escalated.",
        Some(ActKind::Return) => "Returned.",
        Some(ActKind::Freeze) => "Frozen: the next payment will be rejected.",
        Some(ActKind::Unfreeze) => "Freeze ended.",
        Some(ActKind::Release) => "Release recorded.",
        Some(ActKind::Close) => "Case closed.",
        Some(ActKind::Reopen) => "Case reopened.",
        None => "",
    }
}

/// A form of the case page. Which fields matter depends on the act.
#[derive(Deserialize)]
pub struct ActForm {
    csrf: String,
    once: String,
    action: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    key_kind: String,
    #[serde(default)]
    key_value: String,
    #[serde(default)]
    payment_id: String,
    #[serde(default)]
    disposition: String,
    #[serde(default)]
    discriminator: String,
    #[serde(default)]
    suppress_days: String,
}

impl ActForm {
    /// The act that the form says, or what it says wrongly.
    fn act(&self) -> Result<Act, &'static str> {
        let reason = self.text.clone();
        let some = |text: &String| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
        let kind = || KeyKind::from_name(&self.key_kind).ok_or("choose what is to be frozen");
        Ok(match self.action.as_str() {
            "assign" => Act::Assign { to: some(&self.to) },
            "comment" => Act::Comment { text: reason },
            "escalate" => Act::Escalate { reason },
            "return" => Act::Return { reason },
            "freeze" => {
                let kind = kind()?;
                Act::Freeze { key: some(&self.key_value).map(|value| Key { kind, value }), reason }
            }
            "unfreeze" => {
                let (kind, value) = self.key_value.split_once(':').ok_or("choose which freeze is to end")?;
                let kind = KeyKind::from_name(kind).ok_or("choose which freeze is to end")?;
                Act::Unfreeze { key: Some(Key { kind, value: value.to_owned() }), reason }
            }
            "release" => Act::Release { payment_id: some(&self.payment_id), reason },
            "close" => Act::Close(Closing {
                disposition: self.disposition.parse().map_err(|_| "choose a disposition")?,
                discriminator: some(&self.discriminator),
                suppress_days: some(&self.suppress_days)
                    .map(|days| days.parse())
                    .transpose()
                    .map_err(|_| "say for how many days, in figures")?,
                reason,
            }),
            "reopen" => Act::Reopen { reason },
            _ => return Err("this form names no act"),
        })
    }

    /// A form sent twice is one act.
    fn claim(&self, case_id: &str, actor: &str) -> Claim {
        let fingerprint = Hash256::of_parts([case_id.as_bytes(), self.action.as_bytes()]).to_string();
        Claim { actor: actor.to_owned(), key: format!("form:{}", self.once), fingerprint }
    }
}

pub async fn act(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Form(form): Form<ActForm>,
) -> Result<Response, PageError> {
    if !identity.made(&form.csrf) {
        return Err(PageError::foreign_form());
    }
    let act = match form.act() {
        Ok(act) => act,
        Err(wrong) => {
            return show(&app, &identity, &id, StatusCode::UNPROCESSABLE_ENTITY, "", wrong.to_owned()).await;
        }
    };
    let claim = form.claim(&id, &identity.actor.name);
    let (claimed, _turn) = app.claim(&claim).await?;
    if let Claimed::Run = claimed
        && let Err(problem) = perform_act(&app, &id, &act, &identity.actor, Some(&claim)).await
    {
        app.store.disclaim(&claim, app.now()).await?;
        return show(&app, &identity, &id, problem.status(), "", problem.detail().to_owned()).await;
    }
    Ok(Redirect::to(&format!("/cases/{id}?done={}", act.kind().name())).into_response())
}

/// The same bundle as the API's.
pub async fn evidence(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    identity.need(Permission::Read)?;
    Ok(serve_evidence(&app, &id).await?)
}
