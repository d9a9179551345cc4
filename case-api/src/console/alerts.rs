//! The list of alerts: the first page of a first-line analyst's day. It refreshes itself.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use sluice_model::Span;

use super::{
    chart::{HOURS, HourPlot},
    error::PageError,
    explain::AlertView,
    shell::{Shell, render},
};
use crate::{
    api::Identity,
    app::App,
    domain::CaseState,
    service::{AlertFilter, Page},
    words::SEVERITIES,
};

/// Rows on the page.
const ROWS: u32 = 100;

#[derive(Deserialize, Default)]
pub(crate) struct AlertsQuery {
    #[serde(default)]
    severity: String,
    #[serde(default)]
    rule: String,
    #[serde(default)]
    state: String,
    cursor: Option<i64>,
    /// What the page that asks already shows.
    #[serde(default)]
    seen: String,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct AlertsPage {
    shell: Shell,
    alerts: Vec<AlertView>,
    plot: HourPlot,
    severities: [&'static str; 4],
    states: Vec<(&'static str, &'static str)>,
    rules: Vec<String>,
    severity: String,
    rule: String,
    state: String,
    paged: bool,
    filtered: bool,
    next: Option<i64>,
    seen: String,
}

pub(crate) async fn home(_: Identity) -> Redirect {
    Redirect::to("/alerts")
}

pub(crate) async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    headers: HeaderMap,
    Query(query): Query<AlertsQuery>,
) -> Result<Response, PageError> {
    let shell = Shell::new(&app, &identity, "alerts").await?;
    let some = |text: &String| Some(text.clone()).filter(|t| !t.is_empty());
    let filter = AlertFilter {
        severity: some(&query.severity),
        rule: some(&query.rule),
        state: some(&query.state),
        ..AlertFilter::default()
    };
    let (stored, next) = app.service.alerts(&filter, Page { before: query.cursor, limit: ROWS }).await?;
    // Alerts are immutable, so the newest one, the open cases and the minute say whether anything looks different.
    let minute = shell.now.micros() / Span::minutes(1).micros();
    let seen = format!("{}-{}-{minute}", stored.first().map_or(0, |a| a.seq), shell.open_cases);
    if headers.contains_key("hx-request") && query.seen == seen {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let rules = app.service.catalogue().rules();
    let counts = app.service.alerts_by_hour(shell.now.minus(Span::hours(HOURS))).await?;
    let page = AlertsPage {
        alerts: stored.into_iter().map(|alert| AlertView::new(alert, &rules, &shell)).collect(),
        plot: HourPlot::new(&counts, shell.now),
        severities: SEVERITIES,
        states: CaseState::ALL.into_iter().map(|s| (s.name(), s.title())).collect(),
        rules: app.service.alerting_rules().await?,
        filtered: filter.severity.is_some() || filter.rule.is_some() || filter.state.is_some(),
        severity: query.severity,
        rule: query.rule,
        state: query.state,
        paged: query.cursor.is_some(),
        next,
        seen,
        shell,
    };
    Ok(render(StatusCode::OK, &page))
}
