//! The lists in force with their versions, and a box to try a name in.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    configuration::{self, ConfigurationView},
    error::PageError,
    explain::MatchView,
    forms::{Flash, check_made},
    shell::{Shell, render, short},
};
use crate::{
    api::{Identity, Problem},
    app::App,
    domain::Permission,
    ports::{ActiveList, Screening},
};

struct ListView {
    list: ActiveList,
    version: String,
}

#[derive(Template)]
#[template(path = "lists.html")]
struct ListsPage {
    shell: Shell,
    lists: Vec<ListView>,
    /// What is configured and less than what is in force.
    less: Vec<ConfigurationView>,
    done: &'static str,
    screens: bool,
    query: String,
    asked: bool,
    matches: Vec<MatchView>,
    error: String,
}

impl ListsPage {
    async fn new(app: &App, identity: &Identity, shell: Shell) -> Result<Self, PageError> {
        let lists = app.service.catalogue().lists();
        Ok(Self {
            less: configuration::open(app, identity, &shell).await?,
            done: "",
            shell,
            lists: lists.into_iter().map(|list| ListView { version: short(&list.version), list }).collect(),
            screens: identity.actor.roles.allow(Permission::Screen),
            query: String::new(),
            asked: false,
            matches: Vec::new(),
            error: String::new(),
        })
    }
}

/// The flash after an act; only known words are shown.
fn done_text(done: &str) -> &'static str {
    match done {
        "propose" => "Proposed: another person approves it.",
        "approved" => "Approved: it takes effect from the next payment on.",
        "reject" => "Refused: what was in force stays.",
        _ => "",
    }
}

pub(crate) async fn lists(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(query): Query<Flash>,
) -> Result<Response, PageError> {
    let shell = Shell::new(&app, &identity, "lists").await?;
    let page = ListsPage { done: done_text(&query.done), ..ListsPage::new(&app, &identity, shell).await? };
    Ok(render(StatusCode::OK, &page))
}

#[derive(Deserialize)]
pub(crate) struct ScreenForm {
    csrf: String,
    name: String,
    #[serde(default)]
    birth_date: String,
    #[serde(default)]
    country: String,
}

pub(crate) async fn screen(
    State(app): State<Arc<App>>,
    identity: Identity,
    Form(form): Form<ScreenForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    identity.need(Permission::Screen)?;
    let shell = Shell::new(&app, &identity, "lists").await?;
    let mut page = ListsPage::new(&app, &identity, shell).await?;
    let some = |text: String| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    let screening = Screening {
        name: form.name.clone(),
        birth_date: some(form.birth_date),
        country: some(form.country),
        limit: None,
    };
    let status = match app.service.screen(screening).await {
        Ok(screened) => {
            page.asked = true;
            page.matches =
                screened.matches.iter().map(|found| MatchView::new(found, "", &form.name)).collect();
            StatusCode::OK
        }
        Err(error) => {
            let problem = Problem::from(error);
            page.error = problem.detail().to_owned();
            problem.status()
        }
    };
    page.query = form.name;
    Ok(render(status, &page))
}
