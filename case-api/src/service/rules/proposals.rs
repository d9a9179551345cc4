//! A proposal is tried before it is kept: put together with what is in force, checked, its cases run.

use std::sync::Arc;

use serde_json::json;
use sluice_rules::CaseEngine;
use tokio::task::{JoinError, spawn_blocking};

use super::{
    super::{Service, outcome},
    ProposeError, VersionError, leaf,
};
use crate::{
    domain::{Actor, Proposal, Trial, TrialError, VersionState, bundle_of, check_saving, try_out},
    store::{Claim, NewVersion, PROPOSAL, RuleVersion, StoreError},
};

impl Service {
    /// Try a proposal against what is in force, and keep it as a version; as a draft, whatever was found.
    pub(crate) async fn propose_rules(
        &self,
        proposal: Proposal,
        author: &Actor,
        claim: Option<&Claim>,
    ) -> Result<RuleVersion, ProposeError> {
        let rationale = proposal.rationale.trim().to_owned();
        let state = if proposal.draft { VersionState::Draft } else { VersionState::Checked };
        let (base, tried) = self.try_on_what_is_in_force(proposal).await?;
        self.metrics.rule_acts.with_label_values(&["propose", outcome(&tried)]).inc();
        let Trial { files, report } = tried?;
        let hash = bundle_of(&files).hash();
        let mut tx = self.store.begin(self.now()).await?;
        let row = NewVersion {
            hash,
            origin: PROPOSAL,
            state,
            base: base.as_deref(),
            author: &author.name,
            rationale: &rationale,
            files: &files,
            report: &report,
        };
        let version_id = tx.add_rule_version(row).await?;
        let about = json!({
            "actor": author, "version_id": version_id, "rules": hash.to_string(), "base": base,
            "rationale": rationale, "report": report,
        });
        leaf(&mut tx, proposing(state), &author.name, &version_id, &about).await?;
        let version = tx.rule_version(&version_id).await?.ok_or(StoreError::Corrupt("version"))?;
        tx.answer(claim, 201, &version).await?;
        tx.commit().await?;
        Ok(version)
    }

    /// Keep what the author of a draft has written since, on what is in force now.
    pub(crate) async fn save_draft(
        &self,
        version_id: &str,
        proposal: Proposal,
        author: &Actor,
    ) -> Result<RuleVersion, ProposeError> {
        let rationale = proposal.rationale.trim().to_owned();
        let (base, tried) = self.try_on_what_is_in_force(Proposal { draft: true, ..proposal }).await?;
        let tried = tried?;
        let mut tx = self.store.begin(self.now()).await?;
        let version = tx.rule_version(version_id).await?.ok_or(VersionError::NoVersion)?;
        check_saving(version.state, &version.author, &author.name).map_err(VersionError::from)?;
        tx.put_draft(version_id, &tried, &rationale, base.as_deref()).await?;
        let about = json!({
            "actor": author, "version_id": version_id, "rules": bundle_of(&tried.files).hash().to_string(),
            "base": base, "rationale": rationale, "report": tried.report,
        });
        leaf(&mut tx, proposing(VersionState::Draft), &author.name, version_id, &about).await?;
        let version = tx.rule_version(version_id).await?.ok_or(VersionError::NoVersion)?;
        tx.commit().await?;
        Ok(version)
    }

    /// The version in force, and what the proposal comes to on it.
    async fn try_on_what_is_in_force(
        &self,
        proposal: Proposal,
    ) -> Result<(Option<String>, Result<Trial, TrialError>), ProposeError> {
        let base = self.store.rules_in_force().await?.map(|active| active.version_id);
        let in_force = match &base {
            Some(base) => self.store.rule_files(base).await?,
            None => Vec::new(),
        };
        let tried = self.in_turn(move |engine| try_out(&in_force, &proposal, engine)).await?;
        Ok((base, tried))
    }

    /// Try something with the engine that runs cases, one after the other: each takes a core.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        tried: impl FnOnce(&dyn CaseEngine) -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        let engine = Arc::clone(&self.ports.cases);
        // The semaphore is never closed; were it, trying without a turn would do no harm.
        let _turn = self.trying.acquire().await;
        spawn_blocking(move || tried(&*engine)).await
    }
}

/// The name of proposing, by what becomes of it.
const fn proposing(state: VersionState) -> &'static str {
    match state {
        VersionState::Draft => "draft_rules",
        _ => "propose_rules",
    }
}
