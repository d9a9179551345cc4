//! Orders about time: the engine's time set back after a wrong clock, and a clock that somebody confirmed at the start.

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Control, EventTime, SetStreamTime};

use super::{ActError, Service};
use crate::{
    domain::{Actor, check_stream_time},
    store::{Claim, Entry, StoreError},
};

/// Stream time that was ordered back.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StreamTimeSet {
    /// The latest event time that counts as seen, once the engine has applied the order.
    #[schema(value_type = String)]
    pub to: EventTime,
    /// Whether the engine has the change: `delivered`, or `pending` while the log cannot be reached.
    pub control: &'static str,
}

impl Service {
    /// Order stream time back to `to`, and see the order onto the log.
    pub(crate) async fn set_stream_time(
        &self,
        to: EventTime,
        reason: &str,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<StreamTimeSet, ActError> {
        let now = self.now();
        check_stream_time(to, reason, actor, now)?;
        let order = SetStreamTime { to, reason: reason.to_owned(), at: now };
        let mut tx = self.store.begin(now).await?;
        let entry = Entry {
            kind: Kind::Configuration,
            act: "set_stream_time",
            actor: &actor.name,
            about: "stream_time",
            case_id: None,
        };
        tx.leaf(entry, &json!({ "actor": actor, "order": order })).await?;
        let outbox = tx.control(&Control::SetStreamTime(order)).await?;
        let set = StreamTimeSet { to, control: "pending" };
        tx.answer(claim, 200, &set).await?;
        tx.commit().await?;
        Ok(StreamTimeSet { control: self.see_delivered(outbox).await?, ..set })
    }

    /// Remember that whoever started the process confirmed its clock. `against`: what spoke against it.
    pub(crate) async fn record_accepted_clock(&self, against: &str) -> Result<(), StoreError> {
        let mut tx = self.store.begin(self.now()).await?;
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
