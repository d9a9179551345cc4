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
use sluice_model::{AlertId, EventTime, Key, KeyKind};

use super::{
    cases::CaseRow,
    error::PageError,
    explain::AlertView,
    forms::{claim, once},
    shell::{Shell, When, render, short},
    suppressions::{form_label, form_value},
};
use crate::{
    api::{Identity, Problem, serve_evidence},
    app::App,
    domain::{
        Act, ActKind, Case, CaseState, Closing, DispositionCode, Hold, HoldState, OrderedFreeze, Permission,
        closings, next_state,
    },
    limits::CASE_PAGE_ALERTS,
    service::{AlertFilter, Claimed, Page, TimelineEntry},
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
    alert: String,
    by: String,
}

/// A payment that may be released.
struct HeldView {
    payment: String,
    label: String,
}

/// A freeze that may be ended: what the form sends, and what it shows.
struct FrozenView {
    value: String,
    label: String,
}

struct FreezeView {
    freeze: OrderedFreeze,
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
    held: Vec<HeldView>,
    /// Every alert that holds a payment on this page: what the officer sees, and what a release therefore names.
    seen: String,
    freezes: Vec<FreezeView>,
    frozen: Vec<FrozenView>,
    timeline: Vec<TimelineView>,
    allowed: Allowed,
    /// The matches that may be suppressed: what the form sends, and what it shows.
    suppressible: Vec<(String, String)>,
    kinds: Vec<&'static str>,
    key_kind: String,
    key_value: String,
    officers: Vec<String>,
    funds_held: bool,
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
    let case = app.service.case(id).await?.ok_or_else(|| Problem::not_found("case"))?;
    let rules = app.service.catalogue().rules();
    let filter = AlertFilter { case_id: Some(id.to_owned()), ..AlertFilter::default() };
    let (stored, more) = app.service.alerts(&filter, Page::first(CASE_PAGE_ALERTS)).await?;
    let (key_kind, key_value) = stored.first().map_or_else(
        || (KeyKind::Customer.name().to_owned(), case.subjects.first().cloned().unwrap_or_default()),
        |stored| freeze_key(&stored.alert.key, &case),
    );
    let alerts: Vec<AlertView> =
        stored.into_iter().map(|alert| AlertView::new(alert, &rules, &shell)).collect();
    let holds = app.service.holds_of(id).await?;
    let freezes = app.service.freezes_of(id).await?;
    let chain = app.service.chain().await;
    let standing = freezes.iter().filter(|f| f.stands());
    let funds_held = holds.iter().any(Hold::stands);
    let seen: Vec<&str> = holds.iter().filter(|h| h.may_be_released()).map(|h| h.because.as_str()).collect();
    let page = CasePage {
        steps: steps(case.state),
        previous: case.previous_case_id.clone(),
        opened: shell.when(case.opened_at),
        closed: case.closed_at.map(|at| shell.when(at)),
        allowed: allowed(case.state, identity, &holds, &freezes),
        held: held(&holds),
        funds_held,
        seen: seen.join(","),
        frozen: standing.map(|f| frozen(f, &shell)).collect(),
        timeline: app
            .service
            .timeline(id)
            .await?
            .iter()
            .rev()
            .map(|entry| TimelineView::new(entry, &shell))
            .collect(),
        suppressible: app
            .service
            .case_matches(id)
            .await?
            .iter()
            .map(|of| (form_value(of), form_label(of)))
            .collect(),
        kinds: KeyKind::ALL.into_iter().filter(|k| *k != KeyKind::Payment).map(KeyKind::name).collect(),
        officers: app.service.officers().await?,
        intact: app.service.case_intact(id).await?,
        case: CaseRow::new(&case, app.service.subject_names(id).await?, &shell),
        holds: holds.into_iter().map(|hold| HoldView::new(hold, &shell)).collect(),
        freezes: freezes.into_iter().map(|freeze| FreezeView::new(freeze, &shell)).collect(),
        more_alerts: more.is_some(),
        alerts,
        key_kind,
        key_value,
        error,
        done: done_text(done).to_owned(),
        once: once()?,
        root: short(&chain.root),
        size: chain.size,
        shell,
    };
    Ok(render(status, &page))
}

/// The payments that may be released, those that wait first, each with how many alerts hold it and what is proposed.
fn held(holds: &[Hold]) -> Vec<HeldView> {
    let mut held: Vec<HeldView> = Vec::new();
    for waits in [true, false] {
        for hold in holds.iter().filter(|h| h.may_be_released() && h.stands() == waits) {
            if held.iter().any(|known| known.payment == hold.payment_id) {
                continue;
            }
            let of: Vec<&Hold> =
                holds.iter().filter(|h| h.may_be_released() && h.payment_id == hold.payment_id).collect();
            let mut proposed = of.iter().filter(|h| h.state == HoldState::Proposed).peekable();
            let by = proposed.peek().and_then(|h| h.proposed_by.clone()).unwrap_or_default();
            let label = match (of.len(), proposed.count()) {
                (1, 0) if !waits => format!("{} (refused)", hold.payment_id),
                (all, 0) if !waits => format!("{} (refused by {all} alerts)", hold.payment_id),
                (1, 0) => hold.payment_id.clone(),
                (all, 0) => format!("{} (held by {all} alerts)", hold.payment_id),
                (all, part) => format!("{}: what {by} proposed ({part} of {all} alerts)", hold.payment_id),
            };
            held.push(HeldView { payment: hold.payment_id.clone(), label });
        }
    }
    held
}

fn frozen(freeze: &OrderedFreeze, shell: &Shell) -> FrozenView {
    FrozenView {
        value: format!("{}|{}:{}", freeze.frozen_at, freeze.key_kind, freeze.key_value),
        label: format!(
            "{} {}, {} by {}",
            freeze.key_kind,
            freeze.key_value,
            shell.when(freeze.frozen_at).short(),
            freeze.frozen_by
        ),
    }
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

fn allowed(state: CaseState, identity: &Identity, holds: &[Hold], freezes: &[OrderedFreeze]) -> Allowed {
    let roles = &identity.actor.roles;
    let may = |act: Act| next_state(state, &act, roles).is_ok();
    let reason = String::new;
    Allowed {
        assign: may(Act::Assign { to: None }),
        comment: may(Act::Comment { text: reason() }),
        escalate: may(Act::Escalate { reason: reason() }),
        give_back: may(Act::Return { reason: reason() }),
        freeze: may(Act::Freeze { key: None, reason: reason() }),
        unfreeze: freezes.iter().any(OrderedFreeze::stands)
            && may(Act::Unfreeze { key: None, frozen_at: None, reason: reason() }),
        release: holds.iter().any(Hold::may_be_released)
            && may(Act::Release { payment_id: None, alerts: None, reason: reason() }),
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
        let alert = short(&hold.because);
        Self { at: shell.when(hold.held_at), stands: hold.stands(), state, alert, by, hold }
    }
}

impl FreezeView {
    fn new(freeze: OrderedFreeze, shell: &Shell) -> Self {
        Self { at: shell.when(freeze.frozen_at), lifted: freeze.lifted_at.map(|at| shell.when(at)), freeze }
    }
}

impl TimelineView {
    fn new(entry: &TimelineEntry, shell: &Shell) -> Self {
        let said = |name: &str| entry.body.get(name).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
        let alerts = |name: &str| {
            let ids = entry.body.get(name).and_then(|v| v.as_array()).map(Vec::as_slice).unwrap_or_default();
            let ids: Vec<_> = ids.iter().filter_map(|v| v.as_str()).map(short).collect();
            if ids.is_empty() { String::new() } else { format!("alert {}", ids.join(", ")) }
        };
        let title = match entry.kind.as_str() {
            "alert" => format!("{} alerted", said("rule_id")),
            "hold" => format!("payment {} held", said("payment_id")),
            "reject" => format!("payment {} rejected", said("payment_id")),
            "released" => format!("payment {} let go", said("payment_id")),
            "still_held" => format!("payment {} stays held: {}", said("payment_id"), alerts("alerts")),
            "corrected" => {
                format!("corrected what was answered for {}: {}", said("payment_id"), said("decision"))
            }
            "assign" if said("to").is_empty() => "unassigned".to_owned(),
            "assign" => format!("assigned to {}", said("to")),
            "comment" => "commented".to_owned(),
            "escalate" | "return" => format!("{} to {}", past(&entry.kind), entry.state.title()),
            "close" => format!("closed as {}", said("disposition")),
            "propose_suppression" => format!("proposed to suppress {}", suppressed(&said)),
            "approve_suppression" => format!("approved: {} is suppressed", suppressed(&said)),
            "revoke_suppression" => format!("ended or refused: {} is not suppressed", suppressed(&said)),
            "release" => {
                let verb = if said("hold") == "proposed" { "proposed to release" } else { "released" };
                let mut title = format!("{verb} {}", said("payment_id")).trim_end().to_owned();
                if !alerts("still_held_by").is_empty() {
                    title += &format!("; {} still holds it", alerts("still_held_by"));
                }
                title
            }
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
    match kind {
        "release-proposed" => return "Release proposed: an MLRO, another person, confirms it.",
        "release-part" => {
            return "You released what you saw. Another alert still holds the payment: look at it before you release that too.";
        }
        _ => {}
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
    /// The alerts that the page showed, separated by commas.
    #[serde(default)]
    alerts: String,
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
                let which = "choose which freeze is to end";
                let (at, key) = self.key_value.split_once('|').ok_or(which)?;
                let frozen_at: EventTime = at.parse().map_err(|_| which)?;
                let (kind, value) = key.split_once(':').ok_or(which)?;
                let kind = KeyKind::from_name(kind).ok_or(which)?;
                let key = Some(Key { kind, value: value.to_owned() });
                Act::Unfreeze { key, frozen_at: Some(frozen_at), reason }
            }
            "release" => {
                let ids = self.alerts.split(',').filter(|id| !id.is_empty());
                let alerts: Result<Vec<AlertId>, _> = ids.map(str::parse).collect();
                let alerts = alerts.map_err(|_| "this form names no alert: reload the page")?;
                Act::Release { payment_id: some(&self.payment_id), alerts: Some(alerts), reason }
            }
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
    let claim = claim(&form.once, &[&id, &form.action], &identity);
    let mut done = act.kind().name();
    let (claimed, _turn) = app.service.claim(&claim).await?;
    if let Claimed::Run = claimed {
        match app.service.act(&id, &act, &identity.actor, Some(&claim)).await {
            Ok(acted) if acted.hold == Some(HoldState::Proposed) => done = "release-proposed",
            Ok(acted) if !acted.still_held_by.is_empty() => done = "release-part",
            Ok(_) => {}
            Err(error) => {
                app.service.disclaim(&claim).await?;
                let problem = Problem::from(error);
                return show(&app, &identity, &id, problem.status(), "", problem.detail().to_owned()).await;
            }
        }
    }
    Ok(Redirect::to(&format!("/cases/{id}?done={done}")).into_response())
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
