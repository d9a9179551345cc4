//! The console: pages for officers, rendered here, refreshed by htmx, usable without it. Each page has a file here
//! and a template of the same name.
//!
//! **Invariant.** Pages decide nothing: forms become the same acts as the API's, and buttons show what
//! `domain` allows. Nothing inline: the content security policy forbids it.

mod alerts;
mod assets;
mod audit;
mod case;
mod cases;
mod catalogue;
mod chart;
mod configuration;
mod dead_letters;
mod error;
mod explain;
mod forms;
mod holds;
mod propose;
mod rule;
mod rule_version;
mod rules;
mod shell;
mod sign_in;
mod suppressions;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::app::App;

pub(crate) use error::not_found_page;

pub(crate) fn router(app: &Arc<App>) -> Router {
    Router::new()
        .route("/", get(alerts::home))
        .route("/signin", get(sign_in::form).post(sign_in::submit))
        .route("/signout", post(sign_in::out))
        .route("/alerts", get(alerts::page))
        .route("/cases", get(cases::page))
        .route("/cases/{id}", get(case::page))
        .route("/cases/{id}/actions", post(case::act))
        .route("/cases/{id}/evidence", get(case::evidence))
        .route("/cases/{id}/suppressions", post(case::propose_suppression))
        .route("/holds", get(holds::page))
        .route("/rules", get(rules::page))
        .route("/rules/propose", get(propose::page).post(propose::propose))
        .route("/rules/{id}", get(rule::page))
        .route("/rules/{id}/quarantine", post(rule::order_quarantine))
        .route("/rules/{id}/quarantine/decline", post(rule::decline_quarantine))
        .route("/rules/{id}/quarantine/lift", post(rule::lift_quarantine))
        .route("/rules/rollback", post(rules::roll_back))
        .route("/rules/versions/{id}", get(rule_version::page))
        .route("/rules/versions/{id}/actions", post(rule_version::act))
        .route("/rules/versions/{id}/backtest", post(rule_version::backtest))
        .route("/lists", get(catalogue::lists).post(catalogue::screen))
        .route("/dead-letters", get(dead_letters::list))
        .route("/dead-letters/{id}", get(dead_letters::page).post(dead_letters::send))
        .route("/configuration/{id}", post(configuration::act))
        .route("/suppressions", get(suppressions::page))
        .route("/suppressions/{id}", post(suppressions::act))
        .route("/audit", get(audit::page))
        .merge(assets::router())
        .with_state(Arc::clone(app))
}
