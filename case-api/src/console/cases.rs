//! The list of cases: open ones in the order in which they are due, or closed ones newest first.

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
    shell::{Shell, When, render, words},
};
use crate::{
    api::Identity,
    app::App,
    domain::{Case, CaseState, DispositionCode},
    limits::SUBJECTS_NAMED,
    service::{CaseFilter, Page},
    words::{self as names, SEVERITIES},
};

/// Rows on the page: more than an officer works through before reloading it.
const ROWS: u32 = 200;

#[derive(Deserialize, Default)]
pub(crate) struct CasesQuery {
    #[serde(default)]
    state: String,
    #[serde(default)]
    severity: String,
    #[serde(default)]
    assignee: String,
    #[serde(default)]
    subject: String,
}

pub(crate) struct CaseRow {
    pub case_id: String,
    pub state: &'static str,
    pub state_name: &'static str,
    pub severity: &'static str,
    pub typology: String,
    pub screening: bool,
    /// Whom it is about, with names where events said them: the first [`SUBJECTS_NAMED`].
    pub subjects: Vec<(String, Option<String>)>,
    /// The others.
    pub more_subjects: Vec<(String, Option<String>)>,
    pub alerts: i64,
    pub assignee: String,
    pub updated: When,
    pub due: Option<When>,
    pub disposition: String,
}

impl CaseRow {
    pub(crate) fn new(case: &Case, mut subjects: Vec<(String, Option<String>)>, shell: &Shell) -> Self {
        let more_subjects = subjects.split_off(subjects.len().min(SUBJECTS_NAMED));
        let code = case.disposition.as_deref().and_then(|code| code.parse::<DispositionCode>().ok());
        Self {
            case_id: case.case_id.clone(),
            state: case.state.title(),
            state_name: case.state.name(),
            severity: names::severity(case.severity),
            typology: words(&case.typology),
            screening: case.screening,
            subjects,
            more_subjects,
            alerts: case.alerts,
            assignee: case.assignee.clone().unwrap_or_default(),
            updated: shell.when(case.updated_at),
            due: case.due_at.map(|at| shell.due(at)),
            disposition: code.map_or(String::new(), |c| format!("{}: {}", c.code(), c.meaning())),
        }
    }
}

#[derive(Template)]
#[template(path = "cases.html")]
struct CasesPage {
    shell: Shell,
    cases: Vec<CaseRow>,
    counts: Vec<(&'static str, &'static str, i64)>,
    severities: [&'static str; 4],
    officers: Vec<String>,
    state: String,
    severity: String,
    assignee: String,
    subject: String,
    filtered: bool,
    full: bool,
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(query): Query<CasesQuery>,
) -> Result<Response, PageError> {
    let shell = Shell::new(&app, &identity, "cases").await?;
    let some = |text: &String| Some(text.clone()).filter(|t| !t.is_empty());
    let filter = CaseFilter {
        state: some(&query.state),
        severity: some(&query.severity),
        assignee: some(&query.assignee),
        subject: some(&query.subject),
    };
    let closed = query.state == CaseState::Closed.name();
    let cases = if closed {
        app.service.cases(&filter, Page::first(ROWS)).await?.0
    } else {
        app.service.queue(&filter, ROWS).await?
    };
    let mut rows = Vec::with_capacity(cases.len());
    for case in &cases {
        rows.push(CaseRow::new(case, app.service.subject_names(&case.case_id).await?, &shell));
    }
    let found = app.service.case_counts().await?;
    let count = |name: &str| found.iter().find(|(state, _)| state == name).map_or(0, |(_, n)| *n);
    let page = CasesPage {
        full: cases.len() == usize::try_from(ROWS).unwrap_or(usize::MAX),
        cases: rows,
        counts: CaseState::ALL.into_iter().map(|s| (s.name(), s.title(), count(s.name()))).collect(),
        severities: SEVERITIES,
        officers: app.service.officers().await?,
        filtered: filter.severity.is_some() || filter.assignee.is_some() || filter.subject.is_some(),
        state: query.state,
        severity: query.severity,
        assignee: query.assignee,
        subject: query.subject,
        shell,
    };
    Ok(render(StatusCode::OK, &page))
}
