//! The audit trail, and the evidence log's checkpoint.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    error::PageError,
    shell::{Shell, When, render, short, words},
};
use crate::{
    api::Identity,
    app::App,
    domain::Permission,
    limits::PAGE_DEFAULT,
    service::{AuditEntry, ChainStatus, Page},
};

#[derive(Deserialize, Default)]
pub(crate) struct AuditQuery {
    #[serde(default)]
    all: bool,
    #[serde(default)]
    actor: String,
    cursor: Option<i64>,
}

struct AuditRow {
    entry: AuditEntry,
    act: String,
    about: String,
    at: When,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct AuditPage {
    shell: Shell,
    rows: Vec<AuditRow>,
    chain: ChainStatus,
    all: bool,
    actor: String,
    next: Option<i64>,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(query): Query<AuditQuery>,
) -> Result<Response, PageError> {
    identity.need(Permission::Audit)?;
    let shell = Shell::new(&app, &identity, "audit").await?;
    let actor = Some(query.actor.as_str()).filter(|a| !a.is_empty());
    let page = Page { before: query.cursor, limit: PAGE_DEFAULT };
    let (entries, next) = app.service.audit(!query.all, actor, page).await?;
    let row = |entry: AuditEntry| AuditRow {
        at: shell.when(entry.at),
        act: words(&entry.act),
        // Hashes are cut, names and case ids are not.
        about: if entry.about.len() == 64 { short(&entry.about) } else { entry.about.clone() },
        entry,
    };
    let rows = entries.into_iter().map(row).collect();
    let chain = app.service.chain().await?;
    Ok(render(StatusCode::OK, &AuditPage { shell, rows, chain, all: query.all, actor: query.actor, next }))
}
