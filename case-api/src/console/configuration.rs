//! The part of the lists page where two persons take a configuration that is less than what is in force.

use std::sync::Arc;

use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    error::PageError,
    forms::check_made,
    shell::{Shell, When},
};
use crate::{
    api::Identity,
    app::App,
    domain::{ConfigurationAct, ConfigurationState, next_configuration_state},
    limits::PAGE_DEFAULT,
    service::{Configuration, Page},
};

/// A configuration that waits.
pub(crate) struct ConfigurationView {
    pub row: Configuration,
    pub found: When,
    /// The acts that this person may do now: name and label.
    pub acts: Vec<(&'static str, &'static str)>,
}

/// Those that wait.
pub(crate) async fn open(
    app: &App,
    identity: &Identity,
    shell: &Shell,
) -> Result<Vec<ConfigurationView>, PageError> {
    let (rows, _) = app.service.configurations(Page::first(PAGE_DEFAULT)).await?;
    let view = |row: Configuration| ConfigurationView {
        found: shell.when(row.found_at),
        acts: acts(&row, identity),
        row,
    };
    Ok(rows.into_iter().filter(Configuration::is_open).map(view).collect())
}

fn acts(row: &Configuration, identity: &Identity) -> Vec<(&'static str, &'static str)> {
    let own = row.proposed_by.as_deref() == Some(identity.actor.name.as_str());
    let may = |act: &ConfigurationAct| {
        row.approvable && next_configuration_state(row.state, act, &identity.actor.roles, own).is_ok()
    };
    let reason = String::new;
    [
        (ConfigurationAct::Propose { reason: reason() }, "Propose to take it"),
        (ConfigurationAct::Approve { reason: reason() }, "Approve: it takes effect at once"),
        (ConfigurationAct::Reject { reason: reason() }, "Refuse"),
    ]
    .into_iter()
    .filter(|(act, _)| may(act))
    .map(|(act, label)| (act.name(), label))
    .collect()
}

#[derive(Deserialize)]
pub(crate) struct ConfigurationForm {
    csrf: String,
    action: String,
    #[serde(default)]
    text: String,
}

pub(crate) async fn act(
    State(app): State<Arc<App>>,
    identity: Identity,
    Path(id): Path<String>,
    Form(form): Form<ConfigurationForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    let reason = form.text;
    let act = match form.action.as_str() {
        "propose" => ConfigurationAct::Propose { reason },
        "approve" => ConfigurationAct::Approve { reason },
        _ => ConfigurationAct::Reject { reason },
    };
    let done = app.service.act_on_configuration(&id, &act, &identity.actor, None).await?;
    let flash = if done.state == ConfigurationState::Approved { "approved" } else { act.name() };
    Ok(Redirect::to(&format!("/lists?done={flash}")).into_response())
}
