//! Rules on their way from a proposal into force: what the API and the console both ask for, and the work behind it.
//!
//! A proposal is tried, then stored; acts move it; [`advance`] sees what was ordered into force through `prepare` and
//! `activate`, as often as the engine must be asked. What the engine judges by is the engine's to say: a version is
//! in force here once it is there.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use similar::TextDiff;
use sluice_model::RuleFile;
use sluice_rules::{CaseEngine, RuleSet};
use tokio::task::{JoinError, spawn_blocking};

use crate::{
    app::App,
    auth::Actor,
    domain::{VersionAct, VersionState, next_version_state},
    ports::Standing,
    store::{Claim, RuleVersion, StoreError, VersionActed, VersionError, Written},
    trial::{Candidate, Proposal, TrialError, bundle_of, try_files, try_out},
    work::{self, WorkError},
};

/// Lines around a change that a difference shows.
const DIFF_CONTEXT: usize = 3;

/// Why a proposal was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// It was tried, and refused.
    #[error(transparent)]
    Trial(#[from] TrialError),
    /// The version does not allow it.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Trying it panicked or was cancelled.
    #[error("a proposal could not be tried: {0}")]
    Join(#[from] JoinError),
}

/// Try a proposal against what is in force, and keep it as a version; as a draft, whatever was found.
pub async fn propose(
    app: &Arc<App>,
    proposal: Proposal,
    author: &Actor,
    claim: Option<&Claim>,
) -> Result<RuleVersion, ProposeError> {
    let rationale = proposal.rationale.trim().to_owned();
    let state = if proposal.draft { VersionState::Draft } else { VersionState::Checked };
    let (base, tried) = try_on_what_is_in_force(app, proposal).await?;
    let outcome = if tried.is_ok() { "done" } else { "refused" };
    app.metrics.rule_acts.with_label_values(&["propose", outcome]).inc();
    let written = Written { candidate: &tried?, state, rationale: &rationale, base: base.as_deref() };
    Ok(app.store.propose_rules(written, author, claim, app.now()).await?)
}

/// Keep what the author of a draft has written since, on what is in force now.
pub async fn save_draft(
    app: &Arc<App>,
    version_id: &str,
    proposal: Proposal,
    author: &Actor,
) -> Result<RuleVersion, ProposeError> {
    let rationale = proposal.rationale.trim().to_owned();
    let (base, tried) = try_on_what_is_in_force(app, Proposal { draft: true, ..proposal }).await?;
    let state = VersionState::Draft;
    let written = Written { candidate: &tried?, state, rationale: &rationale, base: base.as_deref() };
    Ok(app.store.save_draft(version_id, written, author, app.now()).await?)
}

/// The version in force, and what the proposal comes to on it.
async fn try_on_what_is_in_force(
    app: &Arc<App>,
    proposal: Proposal,
) -> Result<(Option<String>, Result<Candidate, TrialError>), ProposeError> {
    let base = app.store.rules_in_force().await?.map(|active| active.version_id);
    let in_force = match &base {
        Some(base) => app.store.rule_files(base).await?,
        None => Vec::new(),
    };
    let tried = in_turn(app, move |engine| try_out(&in_force, &proposal, engine)).await?;
    Ok((base, tried))
}

/// Try something with the engine that runs cases, one after the other: each takes a core.
async fn in_turn<T: Send + 'static>(
    app: &Arc<App>,
    tried: impl FnOnce(&dyn CaseEngine) -> T + Send + 'static,
) -> Result<T, JoinError> {
    let engine = Arc::clone(&app.ports.cases);
    // The semaphore is never closed; were it, trying without a turn would do no harm.
    let _turn = app.trying.acquire().await;
    spawn_blocking(move || tried(&*engine)).await
}

/// Do an act on a version, count it, and see what follows from it onto the log.
pub async fn act(
    app: &Arc<App>,
    version_id: &str,
    act: &VersionAct,
    actor: &Actor,
    claim: Option<&Claim>,
) -> Result<VersionActed, ProposeError> {
    let done = match tried_for(app, version_id, act, actor).await {
        Ok(tried) => {
            let done = app.store.act_on_rules(version_id, act, tried.as_ref(), actor, claim, app.now()).await;
            done.map_err(ProposeError::from)
        }
        Err(refused) => Err(refused),
    };
    let outcome = if done.is_ok() { "done" } else { "refused" };
    app.metrics.rule_acts.with_label_values(&[act.name(), outcome]).inc();
    let acted = done?;
    if let Err(error) = work::deliver(app).await {
        tracing::warn!(%error, "an order about the rules waits in the outbox");
    }
    Ok(acted)
}

/// A draft is checked and tested when it is submitted.
async fn tried_for(
    app: &Arc<App>,
    version_id: &str,
    act: &VersionAct,
    actor: &Actor,
) -> Result<Option<Candidate>, ProposeError> {
    if *act != VersionAct::Submit {
        return Ok(None);
    }
    // Not for whoever may not submit it: cases cost a core.
    let version = app.store.rule_version(version_id).await?.ok_or(VersionError::NoVersion)?;
    let own = version.author == actor.name;
    next_version_state(version.state, act, &actor.roles, own).map_err(VersionError::from)?;
    let files = app.store.rule_files(version_id).await?;
    Ok(Some(in_turn(app, move |engine| try_files(files, engine)).await??))
}

/// Put the set that was in force before this one back in force.
pub async fn roll_back(
    app: &Arc<App>,
    reason: String,
    actor: &Actor,
    claim: Option<&Claim>,
) -> Result<VersionActed, ProposeError> {
    let active = app.store.rules_in_force().await?;
    let previous = active.and_then(|active| active.previous).ok_or(VersionError::NoVersion)?;
    act(app, &previous, &VersionAct::Activate { reason }, actor, claim).await
}

/// See a version that was ordered into force one step further, if there is one and the engine is ready for it.
pub async fn advance(app: &Arc<App>) -> Result<(), WorkError> {
    let Some(version) = app.store.rules_going_live().await? else { return Ok(()) };
    let standing = app.ports.catalogue.standing();
    if standing.in_force.to_string() == version.target() {
        app.store.rules_are_live(&version, app.now()).await?;
        tracing::info!(
            version = version.version_id,
            rules = version.target(),
            "the engine judges by a version"
        );
        return Ok(());
    }
    let ready = standing.prepared.is_some_and(|set| set.ready && set.rules.to_string() == version.target());
    if version.waits_for_windows() && ready {
        app.store.order_activation(&version, app.now()).await?;
        work::deliver(app).await?;
    }
    Ok(())
}

/// What is in force, and what is on its way.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct RulesStatus {
    /// The hash of the set that the engine judges by.
    pub rules: String,
    /// The version in force; `None` where the engine judges by none that is recorded here.
    pub in_force: Option<RuleVersion>,
    /// The version that is judged beside it, in shadow.
    pub in_shadow: Option<RuleVersion>,
    /// The version on its way into force or into shadow.
    pub going_live: Option<RuleVersion>,
    /// How far the windows of the prepared set are filled from history.
    pub filling: Option<Filling>,
}

/// How far windows are filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Filling {
    /// Records of the past that the windows have felt.
    pub felt: u64,
    /// Records of the past that there are.
    pub of: u64,
}

impl Filling {
    /// From 0 to 100.
    pub const fn percent(self) -> u64 {
        match self.felt.saturating_mul(100).checked_div(self.of) {
            Some(percent) if percent < 100 => percent,
            _ => 100,
        }
    }
}

/// Ask both sides.
pub async fn status(app: &App) -> Result<RulesStatus, StoreError> {
    let Standing { in_force, prepared } = app.ports.catalogue.standing();
    let rules = in_force.to_string();
    let in_shadow = app.store.rules_in_shadow(&rules).await?;
    let judges = |version: &RuleVersion| version.hash == rules || in_shadow.is_some();
    Ok(RulesStatus {
        in_force: app.store.rules_in_force().await?.filter(judges),
        in_shadow,
        going_live: app.store.rules_going_live().await?,
        filling: prepared.filter(|set| !set.ready).map(|set| Filling { felt: set.felt, of: set.of }),
        rules,
    })
}

/// What a version changes.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Changes {
    /// File by file.
    pub files: Vec<FileChange>,
    /// Parameter by parameter, as they come into force.
    pub parameters: Vec<ParameterChange>,
}

/// A file that is not what it was.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FileChange {
    /// Which.
    pub path: String,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// The difference, in unified form.
    pub diff: String,
}

/// A parameter that is not what it was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct ParameterChange {
    /// The rule.
    pub rule: String,
    /// Its parameter.
    pub parameter: String,
    /// The value before; none where it is new.
    pub before: Option<String>,
    /// The value after; none where it is gone.
    pub after: Option<String>,
}

/// What a version changes against the one it was written for; of a folder's set, the one that it followed.
pub async fn changes(app: &Arc<App>, version: &RuleVersion) -> Result<Changes, ProposeError> {
    let after = app.store.rule_files(&version.version_id).await?;
    let before = match &version.base {
        Some(base) => app.store.rule_files(base).await?,
        // The first set of all changes nothing that anybody would compare it with.
        None => return Ok(Changes::default()),
    };
    Ok(spawn_blocking(move || difference(&before, &after)).await?)
}

fn difference(before: &[RuleFile], after: &[RuleFile]) -> Changes {
    let texts = |files: &[RuleFile]| -> BTreeMap<String, String> {
        files.iter().map(|file| (file.path.clone(), file.text.clone())).collect()
    };
    let (old, new) = (texts(before), texts(after));
    let mut files = Vec::new();
    for path in union(&old, &new) {
        let (was, is) = (old.get(path), new.get(path));
        if was == is {
            continue;
        }
        let (was_text, is_text) = (was.map_or("", String::as_str), is.map_or("", String::as_str));
        let diff = TextDiff::from_lines(was_text, is_text);
        files.push(FileChange {
            path: path.clone(),
            change: match (was, is) {
                (None, _) => "added",
                (_, None) => "removed",
                _ => "changed",
            },
            diff: diff.unified_diff().context_radius(DIFF_CONTEXT).to_string(),
        });
    }
    let (old, new) = (parameters(before), parameters(after));
    let changed = |key: &(String, String)| {
        let (before, after) = (old.get(key).cloned(), new.get(key).cloned());
        let (rule, parameter) = key.clone();
        (before != after).then_some(ParameterChange { rule, parameter, before, after })
    };
    Changes { files, parameters: union(&old, &new).into_iter().filter_map(changed).collect() }
}

/// The keys of both, each once, in order.
fn union<'a, K: Ord, V>(old: &'a BTreeMap<K, V>, new: &'a BTreeMap<K, V>) -> Vec<&'a K> {
    let mut keys: Vec<&K> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Every parameter of every rule, with its value in force. Amounts, shares and lengths of time carry their
/// unit already; a bare number is given its own.
fn parameters(files: &[RuleFile]) -> BTreeMap<(String, String), String> {
    let Ok(set) = RuleSet::compile(&bundle_of(files)) else { return BTreeMap::new() };
    let of = |rule: &sluice_rules::Description| {
        let id = rule.id.clone();
        let named = rule.parameters.iter().map(move |p| {
            let is_bare = p.value.parse::<f64>().is_ok();
            let value = if is_bare { format!("{} {}", p.value, p.unit) } else { p.value.clone() };
            ((id.clone(), p.name.clone()), value)
        });
        named.collect::<Vec<_>>()
    };
    set.descriptions().iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> RuleFile {
        RuleFile { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_difference_names_what_came_went_and_changed() {
        let before = [file("a.toml", "1\n2\n3\n"), file("b.toml", "same\n"), file("c.toml", "gone\n")];
        let after = [file("a.toml", "1\n二\n3\n"), file("b.toml", "same\n"), file("d.toml", "new\n")];
        let files = difference(&before, &after).files;
        let named: Vec<_> = files.iter().map(|f| (f.path.as_str(), f.change)).collect();
        assert_eq!(named, [("a.toml", "changed"), ("c.toml", "removed"), ("d.toml", "added")]);
        assert!(files[0].diff.contains("-2\n+二\n"), "{}", files[0].diff);
    }
}
