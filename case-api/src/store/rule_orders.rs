//! The rows of versions of the rules on their way into force or into shadow.

use super::{StoreError, Tx};
use crate::domain::VersionState;

impl Tx<'_> {
    /// Another version than this one that is on its way.
    pub(crate) async fn other_going_live(&mut self, version_id: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT version_id FROM rule_versions
             WHERE state IN ('PREPARING', 'ACTIVATING', 'SHADOWING') AND version_id <> $1",
        )
        .bind(version_id)
        .fetch_optional(self.sql())
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
        sqlx::query(
            "UPDATE rule_versions SET state = 'PREPARING', ordered_by = $2, ordered_at = $3, order_reason = $4,
                                      control = $5
             WHERE version_id = $1",
        )
        .bind(version_id)
        .bind(by)
        .bind(self.now.micros())
        .bind(why)
        .bind(control)
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// A version was ordered into shadow: the windows of the set that would judge it there are being filled.
    pub(crate) async fn put_shadowing(&mut self, version_id: &str, judged: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO rule_shadows (version_id, judged, activating) VALUES ($1, $2, 0)
             ON CONFLICT (version_id) DO UPDATE SET judged = excluded.judged, activating = 0",
        )
        .bind(version_id)
        .bind(judged)
        .execute(self.sql())
        .await?;
        sqlx::query("UPDATE rule_versions SET state = 'SHADOWING' WHERE version_id = $1")
            .bind(version_id)
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
        sqlx::query("UPDATE rule_versions SET state = $2, control = $3 WHERE version_id = $1")
            .bind(version_id)
            .bind(state.name())
            .bind(control)
            .execute(self.sql())
            .await?;
        sqlx::query("UPDATE rule_shadows SET activating = 1 WHERE version_id = $1")
            .bind(version_id)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// No version but this one is in shadow, or on its way there.
    pub(crate) async fn forget_shadows(&mut self, but: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE rule_versions SET state = 'CHECKED' WHERE state IN ('SHADOWING', 'SHADOW') AND version_id <> $1",
        )
        .bind(but)
        .execute(self.sql())
        .await?;
        sqlx::query("DELETE FROM rule_shadows WHERE version_id <> $1").bind(but).execute(self.sql()).await?;
        Ok(())
    }

    /// Payments are judged by this version from here on, which followed `before`. One that was in force before keeps what it
    /// had followed, so that rolling back twice goes further back.
    pub(crate) async fn put_in_force(
        &mut self,
        version_id: &str,
        before: Option<&str>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE rule_versions SET state = 'RETIRED', retired_at = $1 WHERE state = 'ACTIVE'")
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        sqlx::query(
            "UPDATE rule_versions SET state = 'ACTIVE', retired_at = NULL,
                    previous = CASE WHEN active_at IS NULL THEN $3 ELSE previous END, active_at = $2
             WHERE version_id = $1",
        )
        .bind(version_id)
        .bind(self.now.micros())
        .bind(before)
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// The versions on their way into force, each with whether it was in force before.
    pub(crate) async fn going_into_force(&mut self) -> Result<Vec<(String, bool)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT version_id, active_at IS NOT NULL FROM rule_versions WHERE state IN ('PREPARING', 'ACTIVATING')",
        )
        .fetch_all(self.sql())
        .await?)
    }

    /// A version stands elsewhere than it did.
    pub(crate) async fn set_rules_state(
        &mut self,
        version_id: &str,
        state: VersionState,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE rule_versions SET state = $2 WHERE version_id = $1")
            .bind(version_id)
            .bind(state.name())
            .execute(self.sql())
            .await?;
        Ok(())
    }
}
