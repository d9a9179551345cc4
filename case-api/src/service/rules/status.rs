//! What judges, what is on its way, and what a version changes.

use serde::Serialize;
use sluice_model::RuleFile;
use tokio::task::spawn_blocking;

use super::{super::Service, ProposeError};
use crate::{
    domain::{BacktestReport, Changes, difference, written_since},
    ports::RuleSets,
    store::{Page, RuleCounts, RuleVersion, ShadowAlert, StoreError},
};

/// What is in force, and what is on its way.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct RulesStatus {
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
pub(crate) struct Filling {
    /// Records of the past that the windows have applied.
    pub applied: u64,
    /// Records of the past that there are.
    pub of: u64,
}

impl Filling {
    /// From 0 to 100.
    pub(crate) const fn percent(self) -> u64 {
        match self.applied.saturating_mul(100).checked_div(self.of) {
            Some(percent) if percent < 100 => percent,
            _ => 100,
        }
    }
}

impl Service {
    /// Ask both sides.
    pub(crate) async fn rules_status(&self) -> Result<RulesStatus, StoreError> {
        let RuleSets { in_force, prepared } = self.ports.catalogue.rule_sets();
        let rules = in_force.to_string();
        let in_shadow = self.store.rules_in_shadow(&rules).await?;
        let judges = |version: &RuleVersion| version.hash == rules || in_shadow.is_some();
        Ok(RulesStatus {
            in_force: self.store.rules_in_force().await?.filter(judges),
            in_shadow,
            going_live: self.store.rules_going_live().await?,
            filling: prepared
                .filter(|set| !set.ready)
                .map(|set| Filling { applied: set.applied, of: set.of }),
            rules,
        })
    }

    /// What a version changes against the one it was written for; of a folder's set, the one that it followed.
    pub(crate) async fn rule_changes(&self, version: &RuleVersion) -> Result<Changes, ProposeError> {
        let after = self.store.rule_files(&version.version_id).await?;
        let before = match &version.base {
            Some(base) => self.store.rule_files(base).await?,
            // The first set of all changes nothing that anybody would compare it with.
            None => return Ok(Changes::default()),
        };
        Ok(spawn_blocking(move || difference(&before, &after)).await?)
    }

    /// Versions, newest first.
    pub(crate) async fn rule_versions(
        &self,
        page: Page,
    ) -> Result<(Vec<RuleVersion>, Option<i64>), StoreError> {
        self.store.rule_versions(page).await
    }

    pub(crate) async fn rule_version(&self, version_id: &str) -> Result<Option<RuleVersion>, StoreError> {
        self.store.rule_version(version_id).await
    }

    /// A version's files, cases included, by path.
    pub(crate) async fn rule_files(&self, version_id: &str) -> Result<Vec<RuleFile>, StoreError> {
        self.store.rule_files(version_id).await
    }

    /// The files of the version in force; none where none is.
    pub(crate) async fn files_in_force(&self) -> Result<Vec<RuleFile>, StoreError> {
        match self.store.rules_in_force().await? {
            Some(active) => self.store.rule_files(&active.version_id).await,
            None => Ok(Vec::new()),
        }
    }

    /// What a version's author has written so far: files that are new or changed, rules first, and paths that are gone.
    pub(crate) async fn written_in(
        &self,
        version_id: &str,
    ) -> Result<(Vec<RuleFile>, Vec<String>), StoreError> {
        let Some(version) = self.store.rule_version(version_id).await? else { return Ok(Default::default()) };
        let base = match &version.base {
            Some(base) => self.store.rule_files(base).await?,
            None => Vec::new(),
        };
        Ok(written_since(&base, self.store.rule_files(version_id).await?))
    }

    /// What is noted of each rule that ever spoke, would have spoken, or failed.
    pub(crate) async fn rule_counts(&self) -> Result<Vec<RuleCounts>, StoreError> {
        self.store.rule_counts().await
    }

    /// What a rule in shadow would have said, newest first.
    pub(crate) async fn shadow_alerts(
        &self,
        rule_id: &str,
        page: Page,
    ) -> Result<(Vec<ShadowAlert>, Option<i64>), StoreError> {
        self.store.shadow_alerts(rule_id, page).await
    }

    /// What the last back-test of a version came to.
    pub(crate) async fn backtest(&self, version_id: &str) -> Result<Option<BacktestReport>, StoreError> {
        self.store.backtest(version_id).await
    }
}
