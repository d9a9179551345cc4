//! What could not be taken in: read, mended and sent again.

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
    error::PageError,
    forms::check_made,
    shell::{Shell, When, render, words},
};
use crate::{
    api::{
        Identity,
        dead_letters::{self, Letter},
    },
    app::App,
    domain::Permission,
    limits::PAGE_DEFAULT,
    stamp::Stamp,
};

#[derive(Deserialize, Default)]
pub(crate) struct LettersQuery {
    #[serde(default)]
    cursor: u64,
}

struct LetterRow {
    id: String,
    code: String,
    reason: String,
    source: String,
    at: When,
    sent: Vec<Resubmission>,
}

struct Resubmission {
    by: String,
    at: When,
}

#[derive(Template)]
#[template(path = "dead_letters.html")]
struct LettersPage {
    shell: Shell,
    letters: Vec<LetterRow>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "dead_letter.html")]
struct LetterPage {
    shell: Shell,
    letter: LetterRow,
    original: String,
    /// What the box holds: the original, or what was tried last.
    text: String,
    readable: bool,
    reason: String,
    error: String,
    done: String,
}

async fn row(app: &App, shell: &Shell, letter: &Letter) -> Result<LetterRow, PageError> {
    let sent = app.service.resubmissions(&letter.id).await?;
    Ok(LetterRow {
        id: letter.id.clone(),
        code: words(&letter.letter.code),
        reason: letter.letter.reason.clone(),
        source: letter.letter.source.clone(),
        at: shell.when(letter.letter.received_at),
        sent: sent.into_iter().map(|(by, at)| Resubmission { by, at: shell.when(Stamp::from(at)) }).collect(),
    })
}

pub(crate) async fn list(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(query): Query<LettersQuery>,
) -> Result<Response, PageError> {
    identity.need(Permission::Mend)?;
    let shell = Shell::new(&app, &identity, "dead-letters").await?;
    let limit = usize::try_from(PAGE_DEFAULT).unwrap_or(usize::MAX);
    let found = dead_letters::letters(&app, query.cursor, limit).await?;
    let mut letters = Vec::with_capacity(found.items.len());
    for letter in &found.items {
        letters.push(row(&app, &shell, letter).await?);
    }
    Ok(render(StatusCode::OK, &LettersPage { shell, letters, next: found.next_cursor }))
}

#[derive(Deserialize, Default)]
pub(crate) struct Flash {
    #[serde(default)]
    sent: Option<usize>,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<u64>,
    Query(done): Query<Flash>,
) -> Result<Response, PageError> {
    let done = done.sent.map(|sent| format!("Sent again: {sent} taken in. The original stays here."));
    show(
        &app,
        &identity,
        id,
        StatusCode::OK,
        FormState { done: done.unwrap_or_default(), ..FormState::default() },
    )
    .await
}

#[derive(Default)]
struct FormState {
    text: Option<String>,
    reason: String,
    error: String,
    done: String,
}

async fn show(
    app: &App,
    identity: &Identity,
    id: u64,
    status: StatusCode,
    shown: FormState,
) -> Result<Response, PageError> {
    identity.need(Permission::Mend)?;
    let shell = Shell::new(app, identity, "dead-letters").await?;
    let letter = dead_letters::letter(app, id).await?;
    let (original, readable) = match std::str::from_utf8(&letter.letter.original) {
        Ok(text) => (text.to_owned(), true),
        Err(_) => (hex::encode(&letter.letter.original), false),
    };
    let page = LetterPage {
        letter: row(app, &shell, &letter).await?,
        text: shown.text.unwrap_or_else(|| if readable { original.clone() } else { String::new() }),
        original,
        readable,
        reason: shown.reason,
        error: shown.error,
        done: shown.done,
        shell,
    };
    Ok(render(status, &page))
}

#[derive(Deserialize)]
pub(crate) struct LetterForm {
    csrf: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn send(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<u64>,
    Form(form): Form<LetterForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    identity.need(Permission::Mend)?;
    let letter = dead_letters::letter(&app, id).await?;
    // A browser sends a form's lines ended in its own way.
    let lines = |text: &str| text.replace("\r\n", "\n");
    let event = lines(&form.event);
    let as_it_came = std::str::from_utf8(&letter.letter.original).is_ok_and(|text| lines(text) == event);
    let mended = (!as_it_came && !event.trim().is_empty()).then(|| event.clone());
    match dead_letters::send_again(&app, id, &form.reason, mended, &identity.actor).await {
        Ok(accepted) => Ok(Redirect::to(&format!("/dead-letters/{id}?sent={accepted}")).into_response()),
        Err(problem) => {
            let error = problem.detail().to_owned();
            let shown = FormState { text: Some(event), reason: form.reason, error, done: String::new() };
            show(&app, &identity, id, problem.status(), shown).await
        }
    }
}
