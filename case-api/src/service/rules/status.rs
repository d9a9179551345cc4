//! What judges, what is on its way, and what a version changes.

use serde::Serialize;
use tokio::task::spawn_blocking;

use super::{super::Service, ProposeError};
use crate::{
    domain::{Changes, difference},
    ports::Standing,
    store::{RuleVersion, StoreError},
};

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
