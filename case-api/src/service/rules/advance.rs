//! What was ordered goes into force: the engine fills windows, is ordered to judge by the set, and says when it does.

use serde_json::json;
use sluice_model::{Control, Hash256, NextOrder, RuleFile};

use super::{
    super::{ENGINE, Service, WorkError},
    leaf,
};
use crate::{
    domain::{TrialReport, VersionState, bundle_of, overtaken},
    store::{NewVersion, RuleVersion, StoreError, Tx},
};

impl Service {
    /// See a version that was ordered into force one step further, if there is one and the engine is ready for it.
    pub(crate) async fn advance(&self) -> Result<(), WorkError> {
        let Some(version) = self.store.rules_going_live().await? else { return Ok(()) };
        let target = version.target().parse().map_err(|_| StoreError::Corrupt("hash"))?;
        match self.ports.catalogue.rule_sets().next(target, version.ordered()) {
            NextOrder::Done => {
                if self.rules_are_live(&version).await? {
                    let (version, rules) = (version.version_id, target);
                    tracing::info!(version, %rules, "the engine judges by a version");
                }
            }
            NextOrder::Activate => {
                if self.order_activation(&version, target).await? {
                    self.deliver().await?;
                }
            }
            // It was ordered when somebody said so.
            NextOrder::Prepare | NextOrder::Wait => {}
        }
        Ok(())
    }

    /// The engine has filled the windows of a version that is being prepared: order it to judge by it. Whether the version
    /// is still where it was read.
    async fn order_activation(&self, version: &RuleVersion, rules: Hash256) -> Result<bool, StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        if !is_unmoved(&mut tx, version).await? {
            return Ok(false);
        }
        let control = tx.control(&Control::Activate { rules }).await?;
        let state = match version.state {
            VersionState::Shadowing => VersionState::Shadowing,
            _ => VersionState::Activating,
        };
        tx.put_activating(&version.version_id, state, control).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The engine judges by a version that was on its way, in force or in shadow. Whether it is still where it was read.
    async fn rules_are_live(&self, version: &RuleVersion) -> Result<bool, StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        if !is_unmoved(&mut tx, version).await? {
            return Ok(false);
        }
        if version.state == VersionState::Shadowing {
            in_shadow(&mut tx, version).await?;
        } else {
            let hash = version.hash.parse().map_err(|_| StoreError::Corrupt("hash"))?;
            in_force(&mut tx, &version.version_id, ENGINE, hash).await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Remember a set that is in force without having been proposed here: a folder's, or the shipped one.
    /// What was on its way into force is overtaken.
    pub(crate) async fn record_rules(
        &self,
        origin: &str,
        files: &[RuleFile],
        rules: usize,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
        let hash = bundle_of(files).hash();
        let active = tx.rules_in_force().await?;
        if active.as_ref().is_some_and(|active| active.hash == hash.to_string() && active.origin == origin) {
            return Ok(());
        }
        for (version_id, was_in_force) in tx.going_into_force().await? {
            tx.set_rules_state(&version_id, overtaken(was_in_force)).await?;
        }
        let row = NewVersion {
            hash,
            origin,
            state: VersionState::Activating,
            base: active.as_ref().map(|active| active.version_id.as_str()),
            author: origin,
            rationale: "",
            files,
            report: &TrialReport { rules, ..TrialReport::default() },
        };
        let version_id = tx.add_rule_version(row).await?;
        in_force(&mut tx, &version_id, origin, hash).await?;
        tx.commit().await
    }

    /// The hash of the newest set that came into force from this origin.
    pub(crate) async fn last_rules_from(&self, origin: &str) -> Result<Option<String>, StoreError> {
        self.store.last_rules_from(origin).await
    }
}

/// Whether a version stands where it was read: a person may have rejected it since, or another set may have overtaken it.
async fn is_unmoved(tx: &mut Tx<'_>, read: &RuleVersion) -> Result<bool, StoreError> {
    let now = tx.rule_version(&read.version_id).await?;
    Ok(now.is_some_and(|now| now.state == read.state && now.ordered() == read.ordered()))
}

/// The engine judges a version in shadow from here on, and no other.
async fn in_shadow(tx: &mut Tx<'_>, version: &RuleVersion) -> Result<(), StoreError> {
    tx.forget_shadows(&version.version_id).await?;
    tx.set_rules_state(&version.version_id, VersionState::Shadow).await?;
    let about = json!({ "version_id": version.version_id, "rules": version.hash, "judged": version.shadow });
    leaf(tx, "rules_in_shadow", ENGINE, &version.version_id, &about).await?;
    Ok(())
}

/// Payments are judged by a version from here on.
async fn in_force(tx: &mut Tx<'_>, version_id: &str, by: &str, hash: Hash256) -> Result<(), StoreError> {
    let before = tx.rules_in_force().await?.map(|active| active.version_id);
    tx.forget_shadows("").await?;
    tx.put_in_force(version_id, before.as_deref()).await?;
    let about = json!({ "version_id": version_id, "rules": hash.to_string(), "before": before });
    leaf(tx, "rules_in_force", by, version_id, &about).await?;
    Ok(())
}
