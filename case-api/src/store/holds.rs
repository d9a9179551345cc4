//! Holds: why a payment is not let go. A payment may have several; it moves once every one is cleared.

use serde::Serialize;
use sluice_model::Disposition;
use sqlx::FromRow;

use super::{Page, Store, StoreError, Tx, cases::stamp_or_null};
use crate::stamp::Stamp;

/// Where a hold stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HoldState {
    /// The payment waits.
    Held,
    /// Somebody proposed to let it go; another person must confirm.
    Proposed,
    /// An officer cleared it; other holds of the payment may stand.
    Cleared,
    /// The engine let the payment go.
    Released,
    /// The payment was refused outright: nothing to release.
    Rejected,
}

impl HoldState {
    /// The name in SQL and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Proposed => "proposed",
            Self::Cleared => "cleared",
            Self::Released => "released",
            Self::Rejected => "rejected",
        }
    }
}

/// Not the name of a hold's state.
#[derive(Debug, thiserror::Error)]
#[error("not a hold state")]
pub struct UnknownHoldState;

impl TryFrom<String> for HoldState {
    type Error = UnknownHoldState;

    fn try_from(name: String) -> Result<Self, UnknownHoldState> {
        [Self::Held, Self::Proposed, Self::Cleared, Self::Released, Self::Rejected]
            .into_iter()
            .find(|s| s.name() == name)
            .ok_or(UnknownHoldState)
    }
}

/// One reason why a payment was held or refused.
#[derive(Clone, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Hold {
    /// Its place in the order of recording.
    #[serde(skip)]
    pub seq: i64,
    /// The payment.
    pub payment_id: String,
    /// The event that was judged.
    pub event_id: String,
    /// The alert that holds it.
    pub because: String,
    /// The case of that alert.
    pub case_id: Option<String>,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: HoldState,
    /// The event's own time.
    #[sqlx(try_from = "i64")]
    pub held_at: Stamp,
    /// Who proposed its release.
    pub proposed_by: Option<String>,
    /// When.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub proposed_at: Option<i64>,
    /// Who cleared it.
    pub cleared_by: Option<String>,
    /// When.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cleared_at: Option<i64>,
}

impl Hold {
    /// Whether the payment still waits because of it.
    pub const fn stands(&self) -> bool {
        matches!(self.state, HoldState::Held | HoldState::Proposed)
    }

    /// Whether it can be let go: a refusal too binds the payment's later events until somebody ends that.
    pub const fn may_be_released(&self) -> bool {
        self.stands() || matches!(self.state, HoldState::Rejected)
    }
}

impl Store {
    /// Holds, newest first; of one state (`waiting`: held or proposed), or all.
    pub async fn holds(
        &self,
        state: Option<&str>,
        page: Page,
    ) -> Result<(Vec<Hold>, Option<i64>), StoreError> {
        let rows: Vec<Hold> = sqlx::query_as(
            "SELECT * FROM holds
             WHERE seq < $1 AND ($2 IS NULL OR state = $2 OR ($2 = 'waiting' AND state IN ('held', 'proposed')))
             ORDER BY seq DESC LIMIT $3",
        )
        .bind(page.before())
        .bind(state)
        .bind(page.fetch())
        .fetch_all(&self.readers)
        .await?;
        Ok(page.cut(rows, |hold| hold.seq))
    }

    /// The holds of a case, oldest first.
    pub async fn holds_of(&self, case_id: &str) -> Result<Vec<Hold>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM holds WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(&self.readers)
            .await?)
    }

    /// How many payments wait.
    pub async fn holds_waiting(&self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT COUNT(DISTINCT payment_id) FROM holds WHERE state IN ('held', 'proposed')",
        )
        .fetch_one(&self.readers)
        .await?)
    }
}

impl Tx<'_> {
    /// Whether a hold is recorded.
    pub(super) async fn knows_hold(&mut self, payment_id: &str, because: &str) -> Result<bool, StoreError> {
        let known: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM holds WHERE payment_id = $1 AND because = $2")
                .bind(payment_id)
                .bind(because)
                .fetch_one(self.sql())
                .await?;
        Ok(known > 0)
    }

    /// Record a hold or refusal, with the case that answers for it.
    pub(super) async fn add_hold(
        &mut self,
        said: &Disposition,
        state: HoldState,
        case_id: &str,
    ) -> Result<(), StoreError> {
        let seq = self.next("holds").await?;
        sqlx::query(
            "INSERT INTO holds (seq, payment_id, event_id, because, case_id, state, held_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(seq)
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
    pub(super) async fn adopt_holds(&mut self, case_id: &str, alert_id: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE holds SET case_id = $1 WHERE because = $2 AND case_id IS NULL")
            .bind(case_id)
            .bind(alert_id)
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// The holds of a case that still stand.
    pub(super) async fn standing_holds(&mut self, case_id: &str) -> Result<Vec<Hold>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT * FROM holds WHERE case_id = $1 AND state IN ('held', 'proposed') ORDER BY seq",
        )
        .bind(case_id)
        .fetch_all(self.sql())
        .await?)
    }

    /// The holds that a case ever had, oldest first.
    pub(super) async fn holds_of_case(&mut self, case_id: &str) -> Result<Vec<Hold>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM holds WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(self.sql())
            .await?)
    }

    /// The holds that a payment ever had, whatever case they are of.
    pub(super) async fn holds_on(&mut self, payment_id: &str) -> Result<Vec<Hold>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM holds WHERE payment_id = $1 ORDER BY seq")
            .bind(payment_id)
            .fetch_all(self.sql())
            .await?)
    }

    /// Remember a proposal to release.
    pub(super) async fn propose_release(&mut self, hold: &Hold, by: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE holds SET state = 'proposed', proposed_by = $2, proposed_at = $3 WHERE seq = $1")
            .bind(hold.seq)
            .bind(by)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// Clear a hold.
    pub(super) async fn clear_hold(&mut self, hold: &Hold, by: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE holds SET state = 'cleared', cleared_by = $2, cleared_at = $3 WHERE seq = $1")
            .bind(hold.seq)
            .bind(by)
            .bind(self.now.micros())
            .execute(self.sql())
            .await?;
        Ok(())
    }

    /// The engine let the payment go from this alert.
    pub(super) async fn set_released(&mut self, hold: &Hold) -> Result<(), StoreError> {
        sqlx::query("UPDATE holds SET state = 'released' WHERE seq = $1")
            .bind(hold.seq)
            .execute(self.sql())
            .await?;
        Ok(())
    }
}
