//! The form in which a rule is written: a change of one file, tried and kept as a proposal or a draft.

use std::sync::Arc;

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use sluice_model::RuleFile;
use sluice_rules::CASES_SUFFIX;

use super::{
    error::PageError,
    forms::{check_made, claim, do_once, once},
    shell::{Shell, render},
};
use crate::{
    api::Identity,
    app::App,
    domain::{Permission, Proposal, VersionAct},
    service::{Claim, ProposeError},
};

#[derive(Template)]
#[template(path = "propose.html")]
struct ProposePage {
    shell: Shell,
    paths: Vec<String>,
    path: String,
    text: String,
    cases: String,
    rationale: String,
    /// The draft that is written on, if one is.
    draft: String,
    once: String,
    error: String,
    /// What is to be mended, as a terminal shows it.
    found: String,
}

#[derive(Deserialize, Default)]
pub(crate) struct WhichFile {
    #[serde(default)]
    file: String,
    #[serde(default)]
    draft: String,
}

/// The form in which a file of the set in force, or of a draft, is changed, or a new one written.
pub(crate) async fn page(
    State(app): State<Arc<App>>,
    identity: Identity,
    Query(query): Query<WhichFile>,
) -> Result<Response, PageError> {
    identity.need(Permission::ProposeRules)?;
    let draft = app.service.rule_version(&query.draft).await?;
    let files = match &draft {
        Some(draft) => app.service.rule_files(&draft.version_id).await?,
        None => app.service.files_in_force().await?,
    };
    let path = match &draft {
        Some(_) if query.file.is_empty() => app.service.written_in(&query.draft).await?.0.into_iter().next(),
        _ => Some(RuleFile { path: query.file.clone(), text: String::new() }),
    };
    let path = path.map(|file| file.path).unwrap_or_default();
    let text_of = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.clone());
    let page = ProposePage {
        shell: Shell::new(&app, &identity, "rules").await?,
        text: text_of(&path).unwrap_or_default(),
        cases: cases_path(&path).and_then(|path| text_of(&path)).unwrap_or_default(),
        paths: paths(&files),
        path,
        rationale: draft.as_ref().map(|draft| draft.rationale.clone()).unwrap_or_default(),
        found: draft.as_ref().map(|draft| draft.report.problems.clone()).unwrap_or_default(),
        draft: draft.map(|draft| draft.version_id).unwrap_or_default(),
        once: once()?,
        error: String::new(),
    };
    Ok(render(StatusCode::OK, &page))
}

/// The files that the form offers: cases come with their rule.
fn paths(files: &[RuleFile]) -> Vec<String> {
    files.iter().map(|file| file.path.clone()).filter(|path| !path.ends_with(CASES_SUFFIX)).collect()
}

/// Where the cases of a rule file are; none of any other file.
fn cases_path(path: &str) -> Option<String> {
    path.strip_suffix(".rhai").map(|stem| format!("{stem}{CASES_SUFFIX}"))
}

/// The form of a proposal.
#[derive(Deserialize)]
pub(crate) struct ProposeForm {
    csrf: String,
    once: String,
    path: String,
    text: String,
    #[serde(default)]
    cases: String,
    rationale: String,
    /// The draft that is written on, if one is.
    #[serde(default)]
    draft: String,
    /// `draft`, to save it as one.
    #[serde(default)]
    send: String,
}

/// Check and test a change of one file, and keep it as a proposal or a draft.
pub(crate) async fn propose(
    State(app): State<Arc<App>>,
    identity: Identity,
    Form(form): Form<ProposeForm>,
) -> Result<Response, PageError> {
    check_made(&identity, &form.csrf)?;
    identity.need(Permission::ProposeRules)?;
    // Browsers send lines as CRLF; files keep LF, so that a hash is of what was written.
    let unix = |text: &str| text.replace("\r\n", "\n");
    let path = form.path.trim().to_owned();
    let mut files = vec![RuleFile { path: path.clone(), text: unix(&form.text) }];
    if let Some(cases) = cases_path(&path).filter(|_| !form.cases.trim().is_empty()) {
        files.push(RuleFile { path: cases, text: unix(&form.cases) });
    }
    let as_draft = form.send == "draft";
    let proposal =
        Proposal { rationale: form.rationale.clone(), files, draft: as_draft, ..Proposal::default() };
    let claim = claim(&form.once, &["propose", &form.text, &form.cases], &identity);
    let sending = async {
        if form.draft.is_empty() {
            let kept = app.service.propose_rules(proposal, &identity.actor, Some(&claim)).await?;
            return Ok(kept.version_id);
        }
        go_on_with_draft(&app, &form.draft, proposal, &identity, &claim).await
    };
    match do_once(&app, &claim, sending).await? {
        Ok(None) => Ok(Redirect::to("/rules").into_response()),
        Ok(Some(id)) => {
            let done = if as_draft { "draft" } else { "propose" };
            Ok(Redirect::to(&format!("/rules/versions/{id}?done={done}")).into_response())
        }
        Err(ProposeError::Trial(refused)) => {
            let page = ProposePage {
                shell: Shell::new(&app, &identity, "rules").await?,
                paths: paths(&app.service.files_in_force().await?),
                path,
                text: form.text,
                cases: form.cases,
                rationale: form.rationale,
                draft: form.draft,
                once: once()?,
                error: refused.to_string(),
                found: refused.in_full(),
            };
            Ok(render(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(error) => Err(error.into()),
    }
}

/// Save one more file of a draft beside what it holds already; submit it unless it is to stay a draft.
async fn go_on_with_draft(
    app: &Arc<App>,
    draft: &str,
    proposal: Proposal,
    identity: &Identity,
    claim: &Claim,
) -> Result<String, ProposeError> {
    let (mut files, removed) = app.service.written_in(draft).await?;
    files.retain(|file| !proposal.files.iter().any(|new| new.path == file.path));
    files.extend(proposal.files);
    let submits = !proposal.draft;
    let whole = Proposal { rationale: proposal.rationale, files, removed, whole: false, draft: true };
    let saved = app.service.save_draft(draft, whole, &identity.actor).await?;
    if submits {
        app.service.act_on_rules(draft, &VersionAct::Submit, &identity.actor, Some(claim)).await?;
    }
    Ok(saved.version_id)
}
