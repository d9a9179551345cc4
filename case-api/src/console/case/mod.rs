//! One case: why it is here, what is held, what was done, and the acts that this officer may do.

mod form;
mod funds;
mod suppress;
mod timeline;

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use sluice_model::KeyKind;

use self::{
    form::ActForm,
    funds::{FreezeView, FrozenView, HeldView, HoldView, freeze_key, frozen, held},
    suppress::{SuppressForm, form_label, form_value},
    timeline::TimelineView,
};
use super::{
    cases::CaseRow,
    error::{PageError, refusal},
    explain::AlertView,
    forms::{Flash, check_made, claim, do_once, once},
    shell::{Shell, When, render, short},
};
use crate::{
    api::{Identity, Problem, serve_evidence},
    app::App,
    domain::{
        Act, ActKind, CaseState, DispositionCode, Hold, HoldState, OrderedFreeze, Permission, closings,
        next_state,
    },
    limits::CASE_PAGE_ALERTS,
    service::{AlertFilter, Page},
};

/// The acts that this officer may do to this case now.
struct CaseActs {
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
    allowed: CaseActs,
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

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Query(query): Query<Flash>,
) -> Result<Response, PageError> {
    show(&app, &identity, &id, StatusCode::OK, &query.done, String::new()).await
}

async fn show(
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
    let chain = app.service.chain().await?;
    let in_force = freezes.iter().filter(|f| f.is_in_force());
    let funds_held = holds.iter().any(Hold::waits);
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
        frozen: in_force.map(|f| frozen(f, &shell)).collect(),
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

/// The page of a form that does not say what it must.
async fn show_wrong(
    app: &Arc<App>,
    identity: &Identity,
    id: &str,
    wrong: &str,
) -> Result<Response, PageError> {
    show(app, identity, id, StatusCode::UNPROCESSABLE_ENTITY, "", wrong.to_owned()).await
}

fn steps(state: CaseState) -> Vec<Step> {
    let class = |step: CaseState| match step.cmp(&state) {
        std::cmp::Ordering::Less => "past",
        std::cmp::Ordering::Equal => "now",
        std::cmp::Ordering::Greater => "ahead",
    };
    CaseState::ALL.into_iter().map(|step| Step { title: step.title(), class: class(step) }).collect()
}

fn allowed(state: CaseState, identity: &Identity, holds: &[Hold], freezes: &[OrderedFreeze]) -> CaseActs {
    let roles = &identity.actor.roles;
    let may = |act: Act| next_state(state, &act, roles).is_ok();
    let reason = String::new;
    CaseActs {
        assign: may(Act::Assign { to: None }),
        comment: may(Act::Comment { text: reason() }),
        escalate: may(Act::Escalate { reason: reason() }),
        give_back: may(Act::Return { reason: reason() }),
        freeze: may(Act::Freeze { key: None, reason: reason() }),
        unfreeze: freezes.iter().any(OrderedFreeze::is_in_force)
            && may(Act::Unfreeze { key: None, frozen_at: None, reason: reason() }),
        release: holds.iter().any(Hold::may_be_released)
            && may(Act::Release { payment_id: None, alerts: None, reason: reason() }),
        reopen: may(Act::Reopen { reason: reason() }),
        closings: closings(state, roles),
        releases_alone: roles.allow(Permission::Decide),
        suppress: roles.allow(Permission::Triage),
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

pub(crate) async fn act(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Form(form): Form<ActForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    let act = match form.act() {
        Ok(act) => act,
        Err(wrong) => return show_wrong(&app, &identity, &id, wrong).await,
    };
    let claim = claim(&form.once, &[&id, &form.action], &identity);
    let acting = app.service.act(&id, &act, &identity.actor, Some(&claim));
    let done = match do_once(&app, &claim, acting).await? {
        Ok(Some(acted)) if acted.hold == Some(HoldState::Proposed) => "release-proposed",
        Ok(Some(acted)) if !acted.still_held_by.is_empty() => "release-part",
        Ok(_) => act.kind().name(),
        Err(error) => {
            let (status, why) = refusal(error);
            return show(&app, &identity, &id, status, "", why).await;
        }
    };
    Ok(Redirect::to(&format!("/cases/{id}?done={done}")).into_response())
}

/// Propose that a match of this case is suppressed.
pub(crate) async fn propose_suppression(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Form(form): Form<SuppressForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    let wanted = match form.proposal(&id) {
        Ok(wanted) => wanted,
        Err(wrong) => return show_wrong(&app, &identity, &id, wrong).await,
    };
    let claim = claim(&form.once, &[&id, "suppress"], &identity);
    let proposing = app.service.propose_suppression(wanted, &identity.actor, Some(&claim));
    if let Err(error) = do_once(&app, &claim, proposing).await? {
        let (status, why) = refusal(error);
        return show(&app, &identity, &id, status, "", why).await;
    }
    Ok(Redirect::to(&format!("/cases/{id}?done=suppress")).into_response())
}

/// The same bundle as the API's.
pub(crate) async fn evidence(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    identity.need(Permission::Read)?;
    Ok(serve_evidence(&app, &id).await?)
}
