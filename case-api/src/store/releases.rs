//! Letting a payment go: an officer names the alerts that they saw hold it, and the engine keeps whatever else does.
//!
//! **Invariant.** Nothing is let go that an order does not name, and an order names nothing that its officer was not
//! shown: a hold that comes between a page and a click stays ([decision 0512]).
//!
//! [decision 0512]: ../../../docs/decisions/0512-orders-name-what-was-seen.md

use serde_json::json;
use sluice_model::{AlertId, Control, Disposition, DispositionState, Release};

use super::{ActError, Case, Consumed, ENGINE, Hold, HoldState, StoreError, Tx, acts::Effect};
use crate::{
    domain::{Actor, Permission, Refusal},
    limits::MLRO_RELEASES_ALONE,
};

impl Tx<'_> {
    /// Propose or confirm the release of a payment from those of this case's holds that were seen.
    pub(super) async fn release(
        &mut self,
        case: &Case,
        payment: Option<&str>,
        seen: Option<&[AlertId]>,
        actor: &Actor,
    ) -> Result<Effect, ActError> {
        let (payment, holds) = self.named_holds(case, payment, seen).await?;
        let own = |hold: &Hold| hold.proposed_by.as_deref() == Some(actor.name.as_str());
        // What another person proposed is confirmed as it was proposed: what came since, they did not see.
        let proposed: Vec<&Hold> =
            holds.iter().filter(|hold| hold.state == HoldState::Proposed && !own(hold)).collect();
        let alone = actor.roles.allow(Permission::Decide) && MLRO_RELEASES_ALONE;
        let confirms = actor.roles.allow(Permission::Decide) && !proposed.is_empty();
        let (chosen, state): (Vec<&Hold>, _) = if confirms {
            (proposed, HoldState::Cleared)
        } else if alone {
            (holds.iter().collect(), HoldState::Cleared)
        } else {
            let open = |hold: &&Hold| hold.state != HoldState::Proposed;
            (holds.iter().filter(open).collect(), HoldState::Proposed)
        };
        if chosen.is_empty() {
            let by_another = Refusal::Conflict("its release is proposed already: an MLRO confirms it");
            return Err(if holds.iter().any(own) { Refusal::SamePerson } else { by_another }.into());
        }
        let mut alerts = Vec::with_capacity(chosen.len());
        for hold in chosen {
            match state {
                HoldState::Cleared => self.clear_hold(hold, &actor.name).await?,
                _ => self.propose_release(hold, &actor.name).await?,
            }
            alerts.push(hold.because.parse().map_err(|_| StoreError::Corrupt("alert id"))?);
        }
        let still_held_by = self.holding(&payment, &alerts).await?;
        let control = (state == HoldState::Cleared).then(|| {
            let (case_id, alerts) = (case.case_id.clone(), Some(alerts.clone()));
            Control::Release(Release { payment_id: payment, case_id, at: self.now, alerts })
        });
        Ok(Effect { control, hold: Some(state), alerts, still_held_by })
    }

    /// The payment that is meant, and those of the case's holds on it that were seen and not yet cleared.
    async fn named_holds(
        &mut self,
        case: &Case,
        payment: Option<&str>,
        seen: Option<&[AlertId]>,
    ) -> Result<(String, Vec<Hold>), ActError> {
        let ever = self.holds_of_case(&case.case_id).await?;
        let is_seen =
            |hold: &Hold| seen.is_none_or(|seen| seen.iter().any(|alert| alert.to_string() == hold.because));
        let open: Vec<&Hold> = ever.iter().filter(|hold| hold.may_be_released() && is_seen(hold)).collect();
        let payment = match (payment, open.first()) {
            (Some(payment), _) => payment.to_owned(),
            (None, Some(first)) if open.iter().all(|hold| hold.payment_id == first.payment_id) => {
                first.payment_id.clone()
            }
            _ => return Err(Refusal::NothingToActOn("say which held payment is to be released").into()),
        };
        let holds: Vec<Hold> = open.into_iter().filter(|hold| hold.payment_id == payment).cloned().collect();
        if holds.is_empty() {
            let none = match seen {
                Some(_) => "none of these alerts holds that payment in this case",
                None => "this case holds no such payment",
            };
            return Err(Refusal::NothingToActOn(none).into());
        }
        // Whoever saw that the payment is held saw the one hold that there ever was.
        if seen.is_none() && ever.iter().filter(|hold| hold.payment_id == payment).count() > 1 {
            let which =
                "several alerts of this case hold the payment, or held it: name in alerts those that you saw";
            return Err(Refusal::NamesTooLittle(which).into());
        }
        Ok((payment, holds))
    }

    /// What came of an order: the engine says which alerts it let go, or which still hold the payment.
    pub(super) async fn take_answer(
        &mut self,
        said: &Disposition,
        consumed: &mut Consumed,
    ) -> Result<(), StoreError> {
        let moved = said.state == DispositionState::Released;
        if !moved {
            // What holds it is known already, unless this record came before the others.
            for alert in &said.alerts {
                let hold = Disposition { because: alert.to_string(), alerts: Vec::new(), ..said.clone() };
                self.take_hold(&hold, consumed).await?;
            }
        }
        let cases = self.settle_release(said, moved).await?;
        let act = if moved { "released" } else { "still_held" };
        let leaf = self.disposition_leaf(said, act, cases.first().map(String::as_str)).await?;
        let told = json!({ "payment_id": said.payment_id, "alerts": said.alerts });
        for case_id in &cases {
            self.tell(case_id, ENGINE, act, &told, leaf).await?;
        }
        Ok(())
    }

    /// Bring the holds in step with the engine's answer; the cases that it concerns.
    async fn settle_release(&mut self, said: &Disposition, moved: bool) -> Result<Vec<String>, StoreError> {
        let mut cases = Vec::new();
        for hold in self.holds_on(&said.payment_id).await? {
            let named = said.alerts.iter().any(|alert| alert.to_string() == hold.because);
            // Records of older versions name nothing: the payment went from all that was cleared.
            let let_go = match moved {
                true => named || (said.alerts.is_empty() && hold.state == HoldState::Cleared),
                false => !named && hold.state == HoldState::Cleared,
            };
            if let_go && hold.state != HoldState::Released {
                self.set_released(&hold).await?;
            }
            let concerned = let_go || hold.stands();
            cases.extend(hold.case_id.filter(|id| concerned && !cases.contains(id)));
        }
        Ok(cases)
    }

    /// The alerts that hold a payment beside these, in whatever case.
    async fn holding(&mut self, payment: &str, beside: &[AlertId]) -> Result<Vec<String>, StoreError> {
        let holds = self.holds_on(payment).await?.into_iter();
        let others = holds.filter(|hold| hold.stands() || hold.state == HoldState::Rejected);
        let others = others.filter(|hold| !beside.iter().any(|alert| alert.to_string() == hold.because));
        Ok(others.map(|hold| hold.because).collect())
    }
}
