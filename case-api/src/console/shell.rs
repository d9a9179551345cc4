//! What every page has around it: navigation, counts, who is signed in, the banner when screening is off.

use std::fmt;

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};
use sluice_model::EventTime;

use super::assets;
use crate::{
    api::{Identity, Problem},
    app::App,
    domain::Permission,
    stamp::Stamp,
};

/// Around a page.
pub(crate) struct Shell {
    pub section: &'static str,
    pub user: String,
    pub roles: String,
    pub csrf: String,
    pub open_cases: i64,
    pub held: i64,
    pub screening: bool,
    pub audits: bool,
    pub mends: bool,
    /// What everybody has to know.
    pub notices: Vec<String>,
    /// Why the process is not ready.
    pub not_ready: Option<String>,
    pub now: EventTime,
}

impl Shell {
    pub(crate) const STYLE: &'static str = assets::STYLE;
    pub(crate) const HTMX: &'static str = assets::HTMX;

    /// For a page of a section, if this person may read at all.
    pub(crate) async fn new(app: &App, identity: &Identity, section: &'static str) -> Result<Self, Problem> {
        identity.need(Permission::Read)?;
        Ok(Self {
            section,
            user: identity.actor.name.clone(),
            roles: identity.actor.roles.to_string().replace(',', ", "),
            csrf: identity.csrf.clone(),
            open_cases: app.service.open_cases().await?,
            held: app.service.holds_waiting().await?,
            screening: !app.service.catalogue().lists().is_empty(),
            notices: app.service.catalogue().notices(),
            not_ready: app.service.catalogue().not_ready(),
            audits: identity.actor.roles.allow(Permission::Audit),
            mends: identity.actor.roles.allow(Permission::Mend),
            now: app.now(),
        })
    }

    /// `aria-current` for a navigation link.
    pub(crate) fn current(&self, section: &str) -> &'static str {
        if self.section == section { "page" } else { "false" }
    }

    /// A moment as pages show it.
    pub(crate) fn when(&self, at: impl Into<Stamp>) -> When {
        let at = at.into();
        When {
            iso: at.to_string(),
            hkt: at.hkt(),
            short: at.hkt_short(),
            relative: at.relative(self.now),
            late: false,
        }
    }

    /// A moment by which something is due.
    pub(crate) fn due(&self, at: impl Into<Stamp>) -> When {
        let at = at.into();
        When { late: at.0 < self.now, ..self.when(at) }
    }
}

impl From<EventTime> for Stamp {
    fn from(at: EventTime) -> Self {
        Self(at)
    }
}

/// A moment: how long ago, and when in Hong Kong. Its `Display` is HTML without a word from outside.
pub(crate) struct When {
    iso: String,
    hkt: String,
    short: String,
    relative: String,
    late: bool,
}

impl When {
    /// The moment in a few words, for where markup is not allowed.
    pub(crate) fn short(&self) -> &str {
        &self.short
    }
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let late = if self.late { " late" } else { "" };
        write!(
            f,
            r#"<time class="when{late}" datetime="{}" title="{} HKT"><b>{}</b> <span>{}</span></time>"#,
            self.iso, self.hkt, self.relative, self.short
        )
    }
}

pub(crate) fn render(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// `cash_in_then_send` for people: `cash in then send`.
pub(crate) fn words(name: &str) -> String {
    name.replace(['_', '-'], " ")
}

/// The first twelve characters of a hash: enough to know two apart on a page.
pub(crate) fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}
