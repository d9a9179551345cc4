//! What people do about rules that fail: a quarantine that is proposed is ordered or declined, one in force is lifted.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Control, EventTime, Quarantine};

use super::{ActError, Service, outcome};
use crate::{
    domain::{Actor, QuarantineAct, check_quarantine, quarantine_seen},
    store::{Claim, Entry},
};

/// Which quarantine, and why.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuarantineOrder {
    /// The version of the rule, as `/v1/rules` names it.
    pub version: String,
    /// The `proposed_at`, or `quarantined_at`, that was looked at: another since then is another quarantine.
    #[schema(value_type = String, format = DateTime)]
    pub since: EventTime,
    /// Why.
    pub reason: String,
}

/// What was done about a rule that fails.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct QuarantineOutcome {
    /// The rule.
    pub rule_id: String,
    /// The version that it was done about.
    pub version: String,
    /// Whether the engine has the order: `delivered`, or `pending` while the log cannot be reached. Absent where the
    /// engine need not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<&'static str>,
    /// The control record's place in the outbox.
    #[serde(skip)]
    pub outbox: Option<i64>,
}

impl Service {
    /// Act on the quarantine that is proposed, or in force, since the time that the officer saw; count the act, and see its
    /// control record, if it has one, onto the log.
    pub(crate) async fn act_on_quarantine(
        &self,
        act: QuarantineAct,
        rule_id: &str,
        seen: &QuarantineOrder,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<QuarantineOutcome, ActError> {
        let done = self.commit_quarantine(act, rule_id, seen, actor, claim).await;
        self.metrics.rule_acts.with_label_values(&[act.name(), outcome(&done)]).inc();
        let acted = done?;
        let control = match acted.outbox {
            Some(outbox) => Some(self.see_delivered(outbox).await?),
            None => None,
        };
        Ok(QuarantineOutcome { control, ..acted })
    }

    async fn commit_quarantine(
        &self,
        act: QuarantineAct,
        rule_id: &str,
        QuarantineOrder { version, since, reason }: &QuarantineOrder,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<QuarantineOutcome, ActError> {
        check_quarantine(actor, reason)?;
        let mut tx = self.store.begin(self.now()).await?;
        let known = match act {
            QuarantineAct::Lift => tx.quarantines(rule_id).await?,
            QuarantineAct::Order | QuarantineAct::Decline => tx.proposed_quarantines(rule_id).await?,
        };
        let rule = quarantine_seen(act, &known, version, *since)?;
        let order = Quarantine { rule, rule_id: rule_id.to_owned(), at: tx.now };
        let entry = Entry {
            kind: Kind::Configuration,
            act: act.name(),
            actor: &actor.name,
            about: rule_id,
            case_id: None,
        };
        tx.leaf(entry, &json!({ "actor": actor, "order": order, "since": since, "reason": reason })).await?;
        let control = match act {
            QuarantineAct::Order => {
                tx.begin_quarantine(rule).await?;
                Some(Control::Quarantine(order))
            }
            QuarantineAct::Decline => {
                tx.decline_quarantine(rule).await?;
                None
            }
            QuarantineAct::Lift => {
                tx.end_quarantine(rule).await?;
                Some(Control::LiftQuarantine(order))
            }
        };
        let outbox = tx.order(control.as_ref()).await?;
        let control = outbox.map(|_| "pending");
        let (rule_id, version) = (rule_id.to_owned(), version.to_owned());
        let acted = QuarantineOutcome { rule_id, version, control, outbox };
        tx.answer(claim, 200, &acted).await?;
        tx.commit().await?;
        Ok(acted)
    }
}
