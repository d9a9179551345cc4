//! Acts on a version of the rules: submitted, into shadow, approved, rejected, into force, and back.

use serde::Serialize;
use serde_json::json;
use sluice_model::{Control, RuleBundle};
use sluice_rules::in_shadow;

use super::{
    super::{Service, outcome},
    ProposeError, VersionError, leaf,
};
use crate::{
    domain::{
        Actor, Trial, VersionAct, VersionRefusal, VersionState, bundle_of, check_alone, check_base,
        next_version_state, said_of, try_files,
    },
    store::{Claim, PROPOSAL, RuleVersion, StoreError, Tx},
};

/// What an act on a version did.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct VersionOutcome {
    /// The version.
    pub version_id: String,
    /// The act.
    pub action: String,
    /// The version's state after it.
    pub state: VersionState,
    /// Its leaf in the evidence log.
    pub leaf: i64,
}

impl Service {
    /// Do an act on a version, count it, and see what follows from it onto the log.
    pub(crate) async fn act_on_rules(
        &self,
        version_id: &str,
        act: &VersionAct,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<VersionOutcome, ProposeError> {
        let done = match self.tried_for(version_id, act, actor).await {
            Ok(tried) => {
                let done = self.commit_version_act(version_id, act, tried.as_ref(), actor, claim).await;
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
    ) -> Result<Option<Trial>, ProposeError> {
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
    pub(crate) async fn roll_back_rules(
        &self,
        reason: String,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<VersionOutcome, ProposeError> {
        let active = self.store.rules_in_force().await?;
        let previous = active.and_then(|active| active.previous).ok_or(VersionError::NoVersion)?;
        self.act_on_rules(&previous, &VersionAct::Activate { reason }, actor, claim).await
    }

    /// Do an act. `tried`: what checking and testing a draft came to, where it is submitted.
    async fn commit_version_act(
        &self,
        version_id: &str,
        act: &VersionAct,
        tried: Option<&Trial>,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<VersionOutcome, VersionError> {
        let said = said_of(act)?;
        let mut tx = self.store.begin(self.now()).await?;
        let version = tx.rule_version(version_id).await?.ok_or(VersionError::NoVersion)?;
        let own = version.origin == PROPOSAL && version.author == actor.name;
        let state = next_version_state(version.state, act, &actor.roles, own)?;
        match act {
            VersionAct::Activate { .. } => into_force(&mut tx, &version, said, &actor.name).await?,
            VersionAct::Shadow { .. } => into_shadow(&mut tx, &version).await?,
            VersionAct::Submit => {
                must_follow(&mut tx, &version).await?;
                // What was tried is what is kept: the draft may have been saved again in between.
                let tried = tried.filter(|tried| bundle_of(&tried.files).hash().to_string() == version.hash);
                tx.put_submitted(version_id, state, &tried.ok_or(VersionRefusal::Stale)?.report).await?;
            }
            VersionAct::Approve { .. } | VersionAct::Reject { .. } => {
                if state == VersionState::Rejected && version.shadow.is_some() {
                    out_of_shadow(&mut tx, &version).await?;
                }
                tx.put_decided(version_id, state, &actor.name, said).await?;
            }
        }
        let about = json!({
            "actor": actor, "version_id": version_id, "rules": version.hash, "act": act,
            "before": version.state, "after": state,
        });
        let leaf = leaf(&mut tx, &format!("{}_rules", act.name()), &actor.name, version_id, &about).await?;
        let acted =
            VersionOutcome { version_id: version_id.to_owned(), action: act.name().to_owned(), state, leaf };
        tx.answer(claim, 200, &acted).await?;
        tx.commit().await?;
        Ok(acted)
    }
}

/// Order a version into force: have its windows filled.
async fn into_force(tx: &mut Tx<'_>, version: &RuleVersion, why: &str, by: &str) -> Result<(), VersionError> {
    if version.active_at.is_none() {
        must_follow(tx, version).await?;
    }
    must_be_alone(tx, version).await?;
    let bundle = tx.rule_bundle(&version.version_id).await?;
    let control = tx.control(&Control::Prepare(bundle)).await?;
    Ok(tx.put_preparing(&version.version_id, by, why, control).await?)
}

/// Order a version into shadow, beside what is in force.
async fn into_shadow(tx: &mut Tx<'_>, version: &RuleVersion) -> Result<(), VersionError> {
    must_follow(tx, version).await?;
    must_be_alone(tx, version).await?;
    let live = bundle_in_force(tx).await?;
    let beside = in_shadow(&live, &tx.rule_bundle(&version.version_id).await?);
    let judged = beside.hash().to_string();
    tx.control(&Control::Prepare(beside)).await?;
    Ok(tx.put_shadowing(&version.version_id, &judged).await?)
}

/// Judge by what is in force alone. Its windows are all filled, so the engine need not be waited for.
async fn out_of_shadow(tx: &mut Tx<'_>, version: &RuleVersion) -> Result<(), VersionError> {
    must_be_alone(tx, version).await?;
    let live = bundle_in_force(tx).await?;
    let rules = live.hash();
    tx.control(&Control::Prepare(live)).await?;
    tx.control(&Control::Activate { rules }).await?;
    Ok(tx.forget_shadows("").await?)
}

async fn must_follow(tx: &mut Tx<'_>, version: &RuleVersion) -> Result<(), VersionError> {
    let in_force = tx.rules_in_force().await?.map(|active| active.version_id);
    Ok(check_base(version.base.as_deref(), in_force.as_deref())?)
}

async fn must_be_alone(tx: &mut Tx<'_>, version: &RuleVersion) -> Result<(), VersionError> {
    Ok(check_alone(tx.other_going_live(&version.version_id).await?)?)
}

async fn bundle_in_force(tx: &mut Tx<'_>) -> Result<RuleBundle, StoreError> {
    match tx.rules_in_force().await? {
        Some(active) => tx.rule_bundle(&active.version_id).await,
        None => Ok(RuleBundle::default()),
    }
}
