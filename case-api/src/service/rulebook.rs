//! Rules on their way from a proposal into force: what the API and the console both ask for, and the work behind it.
//!
//! A proposal is tried, then stored; acts move it; [`Service::advance`] sees what was ordered into force through `prepare` and
//! `activate`, as often as the engine must be asked. What the engine judges by is the engine's to say: a version is
//! in force here once it is there.

use std::sync::Arc;

use serde::Serialize;
use sluice_rules::CaseEngine;
use tokio::task::{JoinError, spawn_blocking};

use super::{Service, WorkError, outcome};
use crate::{
    domain::{
        Actor, Candidate, Changes, Proposal, TrialError, VersionAct, VersionState, difference,
        next_version_state, try_files, try_out,
    },
    ports::Standing,
    store::{Claim, RuleVersion, StoreError, VersionActed, VersionError, Written},
};

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

impl Service {
    /// Try a proposal against what is in force, and keep it as a version; as a draft, whatever was found.
    pub async fn propose_rules(
        &self,
        proposal: Proposal,
        author: &Actor,
        claim: Option<&Claim>,
    ) -> Result<RuleVersion, ProposeError> {
        let rationale = proposal.rationale.trim().to_owned();
        let state = if proposal.draft { VersionState::Draft } else { VersionState::Checked };
        let (base, tried) = self.try_on_what_is_in_force(proposal).await?;
        self.metrics.rule_acts.with_label_values(&["propose", outcome(&tried)]).inc();
        let written = Written { candidate: &tried?, state, rationale: &rationale, base: base.as_deref() };
        Ok(self.store.propose_rules(written, author, claim, self.now()).await?)
    }

    /// Keep what the author of a draft has written since, on what is in force now.
    pub async fn save_draft(
        &self,
        version_id: &str,
        proposal: Proposal,
        author: &Actor,
    ) -> Result<RuleVersion, ProposeError> {
        let rationale = proposal.rationale.trim().to_owned();
        let (base, tried) = self.try_on_what_is_in_force(Proposal { draft: true, ..proposal }).await?;
        let state = VersionState::Draft;
        let written = Written { candidate: &tried?, state, rationale: &rationale, base: base.as_deref() };
        Ok(self.store.save_draft(version_id, written, author, self.now()).await?)
    }

    /// The version in force, and what the proposal comes to on it.
    async fn try_on_what_is_in_force(
        &self,
        proposal: Proposal,
    ) -> Result<(Option<String>, Result<Candidate, TrialError>), ProposeError> {
        let base = self.store.rules_in_force().await?.map(|active| active.version_id);
        let in_force = match &base {
            Some(base) => self.store.rule_files(base).await?,
            None => Vec::new(),
        };
        let tried = self.in_turn(move |engine| try_out(&in_force, &proposal, engine)).await?;
        Ok((base, tried))
    }

    /// Try something with the engine that runs cases, one after the other: each takes a core.
    async fn in_turn<T: Send + 'static>(
        &self,
        tried: impl FnOnce(&dyn CaseEngine) -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let engine = Arc::clone(&self.ports.cases);
        // The semaphore is never closed; were it, trying without a turn would do no harm.
        let _turn = self.trying.acquire().await;
        spawn_blocking(move || tried(&*engine)).await
    }

    /// Do an act on a version, count it, and see what follows from it onto the log.
    pub async fn act_on_rules(
        &self,
        version_id: &str,
        act: &VersionAct,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<VersionActed, ProposeError> {
        let done = match self.tried_for(version_id, act, actor).await {
            Ok(tried) => {
                let done =
                    self.store.act_on_rules(version_id, act, tried.as_ref(), actor, claim, self.now()).await;
                done.map_err(ProposeError::from)
            }
            Err(refused) => Err(refused),
        };
        self.metrics.rule_acts.with_label_values(&[act.name(), outcome(&done)]).inc();
        let acted = done?;
        if let Err(error) = self.deliver().await {
            tracing::warn!(%error, "an order about the rules waits in the outbox");
        }
        Ok(acted)
    }

    /// A draft is checked and tested when it is submitted.
    async fn tried_for(
        &self,
        version_id: &str,
        act: &VersionAct,
        actor: &Actor,
    ) -> Result<Option<Candidate>, ProposeError> {
        if *act != VersionAct::Submit {
            return Ok(None);
        }
        // Not for whoever may not submit it: cases cost a core.
        let version = self.store.rule_version(version_id).await?.ok_or(VersionError::NoVersion)?;
        let own = version.author == actor.name;
        next_version_state(version.state, act, &actor.roles, own).map_err(VersionError::from)?;
        let files = self.store.rule_files(version_id).await?;
        Ok(Some(self.in_turn(move |engine| try_files(files, engine)).await??))
    }

    /// Put the set that was in force before this one back in force.
    pub async fn roll_back_rules(
        &self,
        reason: String,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<VersionActed, ProposeError> {
        let active = self.store.rules_in_force().await?;
        let previous = active.and_then(|active| active.previous).ok_or(VersionError::NoVersion)?;
        self.act_on_rules(&previous, &VersionAct::Activate { reason }, actor, claim).await
    }

    /// See a version that was ordered into force one step further, if there is one and the engine is ready for it.
    pub async fn advance(&self) -> Result<(), WorkError> {
        let Some(version) = self.store.rules_going_live().await? else { return Ok(()) };
        let standing = self.ports.catalogue.standing();
        if standing.in_force.to_string() == version.target() {
            self.store.rules_are_live(&version, self.now()).await?;
            tracing::info!(
                version = version.version_id,
                rules = version.target(),
                "the engine judges by a version"
            );
            return Ok(());
        }
        let ready =
            standing.prepared.is_some_and(|set| set.ready && set.rules.to_string() == version.target());
        if version.waits_for_windows() && ready {
            self.store.order_activation(&version, self.now()).await?;
            self.deliver().await?;
        }
        Ok(())
    }

    /// Ask both sides.
    pub async fn rules_status(&self) -> Result<RulesStatus, StoreError> {
        let Standing { in_force, prepared } = self.ports.catalogue.standing();
        let rules = in_force.to_string();
        let in_shadow = self.store.rules_in_shadow(&rules).await?;
        let judges = |version: &RuleVersion| version.hash == rules || in_shadow.is_some();
        Ok(RulesStatus {
            in_force: self.store.rules_in_force().await?.filter(judges),
            in_shadow,
            going_live: self.store.rules_going_live().await?,
            filling: prepared.filter(|set| !set.ready).map(|set| Filling { felt: set.felt, of: set.of }),
            rules,
        })
    }

    /// What a version changes against the one it was written for; of a folder's set, the one that it followed.
    pub async fn rule_changes(&self, version: &RuleVersion) -> Result<Changes, ProposeError> {
        let after = self.store.rule_files(&version.version_id).await?;
        let before = match &version.base {
            Some(base) => self.store.rule_files(base).await?,
            // The first set of all changes nothing that anybody would compare it with.
            None => return Ok(Changes::default()),
        };
        Ok(spawn_blocking(move || difference(&before, &after)).await?)
    }
}
