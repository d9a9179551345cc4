//! The rows of the rules' versions: each with its files, author, approver, reasons and test results. None is ever lost, and
//! none but a draft changed.

use serde::Serialize;
use sluice_model::{Hash256, Ordered, RuleBundle, RuleFile};
use sqlx::FromRow;

use super::{Page, Store, StoreError, Tx, columns::stamp_or_null, sql::query};
use crate::{
    domain::{Trial, TrialReport, VersionState, bundle_of},
    stamp::Stamp,
};

/// The origin of what an officer proposed.
pub const PROPOSAL: &str = "proposal";

/// A version of the rules, without its files.
#[derive(Clone, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct RuleVersion {
    /// Its place in the order of proposing.
    #[serde(skip)]
    pub seq: i64,
    /// `RV-000001`.
    pub version_id: String,
    /// The hash of what judges: every path and text, cases aside.
    pub hash: String,
    /// `proposal`; `folder` or `shipped` where it came into force without being asked for here.
    pub origin: String,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: VersionState,
    /// The version that was in force when it was proposed.
    pub base: Option<String>,
    /// Who wrote it.
    pub author: String,
    /// Why.
    pub rationale: String,
    /// What checking and testing came to.
    #[sqlx(try_from = "String")]
    pub report: TrialReport,
    /// When.
    #[sqlx(try_from = "i64")]
    pub proposed_at: Stamp,
    /// Who approved or rejected it.
    pub decided_by: Option<String>,
    /// When.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub decided_at: Option<i64>,
    /// Why.
    pub decision: Option<String>,
    /// Who ordered it into force, the last time.
    pub ordered_by: Option<String>,
    /// Why.
    pub order_reason: Option<String>,
    /// Since when it is in force, or was the last time.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub active_at: Option<i64>,
    /// When another followed it.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub retired_at: Option<i64>,
    /// The version that it followed into force: where a rollback leads.
    pub previous: Option<String>,
    /// The hash of the set by which it is judged in shadow, or will be: what is in force, and this beside it.
    #[sqlx(rename = "judged")]
    pub shadow: Option<String>,
    /// The place of its last order in the outbox.
    #[serde(skip)]
    pub control: Option<i64>,
    #[serde(skip)]
    activating: bool,
}

impl RuleVersion {
    /// The set that the engine is to judge by, where it is on its way.
    pub fn target(&self) -> &str {
        let in_shadow = self.shadow.as_deref().filter(|_| self.state == VersionState::Shadowing);
        in_shadow.unwrap_or(&self.hash)
    }

    /// How much the engine was ordered of it.
    pub fn ordered(&self) -> Ordered {
        match self.state {
            VersionState::Preparing => Ordered::Prepare,
            VersionState::Shadowing if !self.activating => Ordered::Prepare,
            VersionState::Shadowing | VersionState::Activating => Ordered::Activate,
            _ => Ordered::Nothing,
        }
    }
}

/// A version about to be stored.
pub struct NewVersion<'a> {
    /// The hash of what judges.
    pub hash: Hash256,
    /// `proposal`, or from where it came into force.
    pub origin: &'a str,
    /// Where it stands.
    pub state: VersionState,
    /// The version that is in force.
    pub base: Option<&'a str>,
    /// Who wrote it.
    pub author: &'a str,
    /// Why.
    pub rationale: &'a str,
    /// Every file, cases included.
    pub files: &'a [RuleFile],
    /// What checking and testing came to.
    pub report: &'a TrialReport,
}

/// Everything of a version but its files, which may be megabytes.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT seq, version_id, hash, origin, state, base, author, rationale, report, proposed_at, decided_by,
                    decided_at, decision, ordered_by, order_reason, active_at, retired_at, previous, control,
                    judged, activating
             FROM rule_versions ",
            $rest
        )
    };
}

impl Store {
    /// Versions, newest first.
    pub async fn rule_versions(&self, page: Page) -> Result<(Vec<RuleVersion>, Option<i64>), StoreError> {
        let rows = query(select!("WHERE seq < $1 ORDER BY seq DESC LIMIT $2"))
            .bind(page.before())
            .bind(page.fetch())
            .fetch_all(&mut self.read().await?)
            .await?;
        Ok(page.cut(rows, |version: &RuleVersion| version.seq))
    }

    /// One version.
    pub async fn rule_version(&self, version_id: &str) -> Result<Option<RuleVersion>, StoreError> {
        Ok(query(select!("WHERE version_id = $1"))
            .bind(version_id)
            .fetch_optional(&mut self.read().await?)
            .await?)
    }

    /// A version's files, cases included, by path.
    pub async fn rule_files(&self, version_id: &str) -> Result<Vec<RuleFile>, StoreError> {
        let text: Option<String> = query("SELECT files FROM rule_versions WHERE version_id = $1")
            .bind(version_id)
            .value_or_none(&mut self.read().await?)
            .await?;
        text.map_or(Ok(Vec::new()), |text| Ok(serde_json::from_str(&text)?))
    }

    /// The version in force.
    pub async fn rules_in_force(&self) -> Result<Option<RuleVersion>, StoreError> {
        Ok(query(select!("WHERE state = $1 ORDER BY seq DESC LIMIT 1"))
            .bind(VersionState::Active.name())
            .fetch_optional(&mut self.read().await?)
            .await?)
    }

    /// The version on its way into force or into shadow.
    pub async fn rules_going_live(&self) -> Result<Option<RuleVersion>, StoreError> {
        Ok(query(select!("WHERE state IN ($1, $2, $3) ORDER BY seq DESC LIMIT 1"))
            .bind(VersionState::Preparing.name())
            .bind(VersionState::Activating.name())
            .bind(VersionState::Shadowing.name())
            .fetch_optional(&mut self.read().await?)
            .await?)
    }

    /// The version that is judged in shadow when the engine judges by this set.
    pub async fn rules_in_shadow(&self, judged: &str) -> Result<Option<RuleVersion>, StoreError> {
        Ok(query(select!("WHERE judged = $1 AND state <> $2 LIMIT 1"))
            .bind(judged)
            .bind(VersionState::Shadowing.name())
            .fetch_optional(&mut self.read().await?)
            .await?)
    }

    /// The hash of the newest set that came into force from this origin.
    pub async fn last_rules_from(&self, origin: &str) -> Result<Option<String>, StoreError> {
        Ok(query("SELECT hash FROM rule_versions WHERE origin = $1 ORDER BY seq DESC LIMIT 1")
            .bind(origin)
            .value_or_none(&mut self.read().await?)
            .await?)
    }
}

impl Tx<'_> {
    pub(crate) async fn rule_version(&mut self, version_id: &str) -> Result<Option<RuleVersion>, StoreError> {
        Ok(query(select!("WHERE version_id = $1")).bind(version_id).fetch_optional(self.sql()).await?)
    }

    /// The version in force.
    pub(crate) async fn rules_in_force(&mut self) -> Result<Option<RuleVersion>, StoreError> {
        Ok(query(select!("WHERE state = $1 ORDER BY seq DESC LIMIT 1"))
            .bind(VersionState::Active.name())
            .fetch_optional(self.sql())
            .await?)
    }

    /// Keep a new version; its id.
    pub(crate) async fn add_rule_version(&mut self, row: NewVersion<'_>) -> Result<String, StoreError> {
        Ok(query(
            "INSERT INTO rule_versions (hash, origin, state, base, author, rationale, files, report, proposed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING version_id",
        )
        .bind(row.hash.to_string())
        .bind(row.origin)
        .bind(row.state.name())
        .bind(row.base)
        .bind(row.author)
        .bind(row.rationale)
        .bind(serde_json::to_string(row.files)?)
        .bind(serde_json::to_string(row.report)?)
        .bind(self.now.micros())
        .value(self.sql())
        .await?)
    }

    /// What judges of a version.
    pub(crate) async fn rule_bundle(&mut self, version_id: &str) -> Result<RuleBundle, StoreError> {
        let files: String = query("SELECT files FROM rule_versions WHERE version_id = $1")
            .bind(version_id)
            .value(self.sql())
            .await?;
        Ok(bundle_of(&serde_json::from_str::<Vec<RuleFile>>(&files)?))
    }

    /// Keep what the author of a draft has written since.
    pub(crate) async fn put_draft(
        &mut self,
        version_id: &str,
        Trial { files, report }: &Trial,
        rationale: &str,
        base: Option<&str>,
    ) -> Result<(), StoreError> {
        query(
            "UPDATE rule_versions SET hash = $2, base = $3, rationale = $4, files = $5, report = $6, proposed_at = $7
             WHERE version_id = $1",
        )
        .bind(version_id)
        .bind(bundle_of(files).hash().to_string())
        .bind(base)
        .bind(rationale)
        .bind(serde_json::to_string(files)?)
        .bind(serde_json::to_string(report)?)
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// A draft is proposed, with what checking and testing it came to.
    pub(crate) async fn put_submitted(
        &mut self,
        version_id: &str,
        state: VersionState,
        report: &TrialReport,
    ) -> Result<(), StoreError> {
        query("UPDATE rule_versions SET state = $2, report = $3 WHERE version_id = $1")
            .bind(version_id)
            .bind(state.name())
            .bind(serde_json::to_string(report)?)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// Somebody approved or rejected it.
    pub(crate) async fn put_decided(
        &mut self,
        version_id: &str,
        state: VersionState,
        by: &str,
        why: &str,
    ) -> Result<(), StoreError> {
        query(
            "UPDATE rule_versions SET state = $2, decided_by = $3, decided_at = $4, decision = $5
             WHERE version_id = $1",
        )
        .bind(version_id)
        .bind(state.name())
        .bind(by)
        .bind(self.now.micros())
        .bind(why)
        .execute(self.sql())
        .await?;
        Ok(())
    }
}
