//! Orders about time: the engine's time set back after a wrong clock, and a clock that somebody confirmed at the start.

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Control, EventTime, SetStreamTime};

use super::{ActError, Claim, Entry, Store, StoreError, acts::check_text};
use crate::domain::{Actor, Permission, Refusal};

/// Stream time that was ordered back.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct StreamTimeSet {
    /// The latest event time that counts as seen, once the engine has felt the order.
    #[schema(value_type = String)]
    pub to: EventTime,
    /// Whether the engine has the change: `delivered`, or `pending` while the log cannot be reached.
    pub control: &'static str,
    /// The control record's place in the outbox.
    #[serde(skip)]
    pub outbox: i64,
}

impl Store {
    /// Order stream time back to `to`. With a claim, the answer is stored in the same transaction.
    pub async fn set_stream_time(
        &self,
        to: EventTime,
        reason: &str,
        actor: &Actor,
        claim: Option<&Claim>,
        now: EventTime,
    ) -> Result<StreamTimeSet, ActError> {
        if !actor.roles.allow(Permission::Decide) && !actor.roles.allow(Permission::Administer) {
            return Err(Refusal::NotAllowed.into());
        }
        check_text(reason)?;
        if to > now {
            return Err(Refusal::Conflict("stream time is set back, not forward").into());
        }
        let order = SetStreamTime { to, reason: reason.to_owned(), at: now };
        let mut tx = self.begin(now).await?;
        let entry = Entry {
            kind: Kind::Configuration,
            act: "set_stream_time",
            actor: &actor.name,
            about: "stream_time",
            case_id: None,
        };
        tx.leaf(entry, &json!({ "actor": actor, "order": order })).await?;
        let outbox = tx.control(&Control::SetStreamTime(order)).await?;
        let set = StreamTimeSet { to, control: "pending", outbox };
        if let Some(claim) = claim {
            let answer = serde_json::to_vec(&set).map_err(StoreError::from)?;
            tx.keep_answer(claim, 200, "application/json", &answer).await?;
        }
        tx.commit().await?;
        Ok(set)
    }

    /// Remember that whoever started the process confirmed its clock. `against`: what spoke against it.
    pub async fn record_accepted_clock(&self, against: &str, now: EventTime) -> Result<(), StoreError> {
        let mut tx = self.begin(now).await?;
        let entry = Entry {
            kind: Kind::Configuration,
            act: "accept_clock",
            actor: "sluice up",
            about: "clock",
            case_id: None,
        };
        tx.leaf(entry, &json!({ "against": against })).await?;
        tx.commit().await
    }
}
