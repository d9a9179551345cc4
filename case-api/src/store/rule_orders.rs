//! The rows of versions of the rules on their way into force or into shadow.

use super::{StoreError, Tx, sql::query};
use crate::domain::VersionState;

impl Tx<'_> {
    /// Another version than this one that is on its way.
    pub(crate) async fn other_going_live(&mut self, version_id: &str) -> Result<Option<String>, StoreError> {
        Ok(query(
            "SELECT version_id FROM rule_versions
             WHERE state IN ($2, $3, $4) AND version_id <> $1",
        )
        .bind(version_id)
        .bind(VersionState::Preparing.name())
        .bind(VersionState::Activating.name())
        .bind(VersionState::Shadowing.name())
        .value_or_none(self.sql())
        .await?)
    }

    /// A version was ordered into force: its windows are being filled. `control`: the order's place in the outbox.
    pub(crate) async fn put_preparing(
        &mut self,
        version_id: &str,
        by: &str,
        why: &str,
        control: i64,
    ) -> Result<(), StoreError> {
        query(
            "UPDATE rule_versions SET state = $6, ordered_by = $2, ordered_at = $3, order_reason = $4,
                                      control = $5
             WHERE version_id = $1",
        )
        .bind(version_id)
        .bind(by)
        .bind(self.now.micros())
        .bind(why)
        .bind(control)
        .bind(VersionState::Preparing.name())
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// A version was ordered into shadow: the windows of the set that would judge it there are being filled.
    pub(crate) async fn put_shadowing(&mut self, version_id: &str, judged: &str) -> Result<(), StoreError> {
        query("UPDATE rule_versions SET state = $2, judged = $3, activating = FALSE WHERE version_id = $1")
            .bind(version_id)
            .bind(VersionState::Shadowing.name())
            .bind(judged)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// The engine was ordered to judge by a version whose windows are filled.
    pub(crate) async fn put_activating(
        &mut self,
        version_id: &str,
        state: VersionState,
        control: i64,
    ) -> Result<(), StoreError> {
        query("UPDATE rule_versions SET state = $2, control = $3, activating = TRUE WHERE version_id = $1")
            .bind(version_id)
            .bind(state.name())
            .bind(control)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// No version but this one is in shadow, or on its way there.
    pub(crate) async fn forget_shadows(&mut self, but: &str) -> Result<(), StoreError> {
        query("UPDATE rule_versions SET state = $2 WHERE state IN ($3, $4) AND version_id <> $1")
            .bind(but)
            .bind(VersionState::Checked.name())
            .bind(VersionState::Shadowing.name())
            .bind(VersionState::Shadow.name())
            .execute(self.sql())
            .await?;
        query("UPDATE rule_versions SET judged = NULL, activating = FALSE WHERE judged IS NOT NULL AND version_id <> $1")
            .bind(but)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// Payments are judged by this version from here on, which followed `before`. One that was in force before keeps what it
    /// had followed, so that rolling back twice goes further back.
    pub(crate) async fn put_in_force(
        &mut self,
        version_id: &str,
        before: Option<&str>,
    ) -> Result<(), StoreError> {
        query("UPDATE rule_versions SET state = $2, retired_at = $1 WHERE state = $3")
            .bind(self.now.micros())
            .bind(VersionState::Retired.name())
            .bind(VersionState::Active.name())
            .execute(self.sql())
            .await?;
        query(
            "UPDATE rule_versions SET state = $4, retired_at = NULL,
                    previous = CASE WHEN active_at IS NULL THEN $3 ELSE previous END, active_at = $2
             WHERE version_id = $1",
        )
        .bind(version_id)
        .bind(self.now.micros())
        .bind(before)
        .bind(VersionState::Active.name())
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// The versions on their way into force, each with whether it was in force before.
    pub(crate) async fn going_into_force(&mut self) -> Result<Vec<(String, bool)>, StoreError> {
        Ok(query("SELECT version_id, active_at IS NOT NULL FROM rule_versions WHERE state IN ($1, $2)")
            .bind(VersionState::Preparing.name())
            .bind(VersionState::Activating.name())
            .fetch_all(self.sql())
            .await?)
    }

    /// The state of a version has changed.
    pub(crate) async fn set_rules_state(
        &mut self,
        version_id: &str,
        state: VersionState,
    ) -> Result<(), StoreError> {
        query("UPDATE rule_versions SET state = $2 WHERE version_id = $1")
            .bind(version_id)
            .bind(state.name())
            .execute(self.sql())
            .await?;
        Ok(())
    }
}
