//! The rows of holds.

use sluice_model::HoldRecord;
use sqlx::{FromRow, Row};

use super::{Page, Store, StoreError, Tx, columns::Columns, sql::query};
use crate::domain::{Hold, HoldState};

impl<'r, R: Row + Columns> FromRow<'r, R> for Hold {
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.int("seq")?,
            payment_id: row.text("payment_id")?,
            event_id: row.text("event_id")?,
            because: row.text("because")?,
            case_id: row.text_or_none("case_id")?,
            state: row.named("state", HoldState::from_name)?,
            held_at: row.moment("held_at")?,
            proposed_by: row.text_or_none("proposed_by")?,
            proposed_at: row.moment_or_none("proposed_at")?,
            cleared_by: row.text_or_none("cleared_by")?,
            cleared_at: row.moment_or_none("cleared_at")?,
        })
    }
}

impl Store {
    /// Holds, newest first; of one state (`waiting`: held or proposed), or all.
    pub async fn holds(
        &self,
        state: Option<&str>,
        page: Page,
    ) -> Result<(Vec<Hold>, Option<i64>), StoreError> {
        let waiting = state == Some("waiting");
        let rows: Vec<Hold> = query(
            "SELECT * FROM holds
             WHERE seq < $1 AND ($2 IS NULL OR state = $2) AND ($4 = FALSE OR state IN ($5, $6))
             ORDER BY seq DESC LIMIT $3",
        )
        .bind(page.before())
        .bind(state.filter(|_| !waiting))
        .bind(page.fetch())
        .bind(waiting)
        .bind(HoldState::Held.name())
        .bind(HoldState::Proposed.name())
        .fetch_all(&mut self.read().await?)
        .await?;
        Ok(page.cut(rows, |hold| hold.seq))
    }

    /// The holds of a case, oldest first.
    pub async fn holds_of(&self, case_id: &str) -> Result<Vec<Hold>, StoreError> {
        Ok(query("SELECT * FROM holds WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(&mut self.read().await?)
            .await?)
    }

    /// How many payments wait.
    pub async fn holds_waiting(&self) -> Result<i64, StoreError> {
        Ok(query("SELECT COUNT(DISTINCT payment_id) FROM holds WHERE state IN ($1, $2)")
            .bind(HoldState::Held.name())
            .bind(HoldState::Proposed.name())
            .value(&mut self.read().await?)
            .await?)
    }
}

impl Tx<'_> {
    /// Whether a hold is recorded.
    pub(crate) async fn knows_hold(&mut self, payment_id: &str, because: &str) -> Result<bool, StoreError> {
        let known: i64 = query("SELECT COUNT(*) FROM holds WHERE payment_id = $1 AND because = $2")
            .bind(payment_id)
            .bind(because)
            .value(self.sql())
            .await?;
        Ok(known > 0)
    }

    /// Record a hold or refusal, with the case that answers for it.
    pub(crate) async fn add_hold(
        &mut self,
        said: &HoldRecord,
        state: HoldState,
        case_id: &str,
    ) -> Result<(), StoreError> {
        query(
            "INSERT INTO holds (payment_id, event_id, because, case_id, state, held_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&said.payment_id)
        .bind(&said.event_id)
        .bind(&said.because)
        .bind(case_id)
        .bind(state.name())
        .bind(said.at.micros())
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// Give the holds of an alert to its case, when the hold was read first.
    pub(crate) async fn adopt_holds(&mut self, case_id: &str, alert_id: &str) -> Result<(), StoreError> {
        query("UPDATE holds SET case_id = $1 WHERE because = $2 AND case_id IS NULL")
            .bind(case_id)
            .bind(alert_id)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// The holds that a case ever had, oldest first.
    pub(crate) async fn holds_of_case(&mut self, case_id: &str) -> Result<Vec<Hold>, StoreError> {
        Ok(query("SELECT * FROM holds WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(self.sql())
            .await?)
    }

    /// The holds that a payment ever had, whatever case they are of.
    pub(crate) async fn holds_on(&mut self, payment_id: &str) -> Result<Vec<Hold>, StoreError> {
        Ok(query("SELECT * FROM holds WHERE payment_id = $1 ORDER BY seq")
            .bind(payment_id)
            .fetch_all(self.sql())
            .await?)
    }

    /// Remember a proposal to release.
    pub(crate) async fn propose_release(&mut self, hold: &Hold, by: &str) -> Result<(), StoreError> {
        query("UPDATE holds SET state = $4, proposed_by = $2, proposed_at = $3 WHERE seq = $1")
            .bind(hold.seq)
            .bind(by)
            .bind(self.now.micros())
            .bind(HoldState::Proposed.name())
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// Clear a hold.
    pub(crate) async fn clear_hold(&mut self, hold: &Hold, by: &str) -> Result<(), StoreError> {
        query("UPDATE holds SET state = $4, cleared_by = $2, cleared_at = $3 WHERE seq = $1")
            .bind(hold.seq)
            .bind(by)
            .bind(self.now.micros())
            .bind(HoldState::Cleared.name())
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// The engine let the payment go from this alert.
    pub(crate) async fn set_released(&mut self, hold: &Hold) -> Result<(), StoreError> {
        query("UPDATE holds SET state = $2 WHERE seq = $1")
            .bind(hold.seq)
            .bind(HoldState::Released.name())
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// The case that answers for a payment: that of its newest hold.
    pub(crate) async fn case_of_payment(&mut self, payment_id: &str) -> Result<Option<String>, StoreError> {
        Ok(query("SELECT case_id FROM holds WHERE payment_id = $1 ORDER BY seq DESC LIMIT 1")
            .bind(payment_id)
            .value_or_none(self.sql())
            .await?)
    }
}
