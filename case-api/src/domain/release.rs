//! Letting a payment go: an officer names the alerts that they saw hold it, and the engine keeps whatever else does.
//!
//! **Invariant.** Nothing is let go that an order does not name, and an order names nothing that its officer was not
//! shown: a hold that comes between a page and a click stays ([decision 0512]). Who may let go alone, and who proposes,
//! is [decision 0502].
//!
//! [decision 0502]: ../../../docs/decisions/0502-who-releases.md
//! [decision 0512]: ../../../docs/decisions/0512-orders-name-what-was-seen.md

use sluice_model::{AlertId, HoldOutcome, HoldRecord};

use super::{Actor, Hold, HoldState, Permission, Refusal};
use crate::limits::MLRO_RELEASES_ALONE;

/// What an officer's release comes to.
#[derive(Debug)]
pub struct Letting<'a> {
    /// The payment.
    pub payment: &'a str,
    /// Those of its holds that are let go, or proposed to be.
    pub holds: Vec<&'a Hold>,
    /// Their state then: [`HoldState::Proposed`] or [`HoldState::Cleared`].
    pub state: HoldState,
}

/// Which of the holds that a case ever had an officer lets go, or proposes to. `payment`: the one that is meant, where
/// the officer says; `seen`: the alerts that they saw hold it.
pub fn release<'a>(
    ever: &'a [Hold],
    payment: Option<&'a str>,
    seen: Option<&[AlertId]>,
    actor: &Actor,
) -> Result<Letting<'a>, Refusal> {
    let (payment, holds) = named(ever, payment, seen)?;
    let own = |hold: &Hold| hold.proposed_by.as_deref() == Some(actor.name.as_str());
    let is_proposed = |hold: &Hold| hold.state == HoldState::Proposed;
    let proposed_by_another = |hold: &&Hold| is_proposed(hold) && !own(hold);
    let decides = actor.roles.allow(Permission::Decide);
    let (chosen, state): (Vec<&Hold>, _) = if decides && holds.iter().any(proposed_by_another) {
        // What another person proposed is confirmed as it was proposed: what came since, they did not see.
        (holds.iter().copied().filter(proposed_by_another).collect(), HoldState::Cleared)
    } else if decides && MLRO_RELEASES_ALONE {
        (holds.clone(), HoldState::Cleared)
    } else {
        (holds.iter().copied().filter(|hold| !is_proposed(hold)).collect(), HoldState::Proposed)
    };
    if !chosen.is_empty() {
        return Ok(Letting { payment, holds: chosen, state });
    }
    Err(if holds.iter().any(|hold| own(hold)) {
        Refusal::SamePerson
    } else {
        Refusal::Conflict("its release is proposed already: an MLRO confirms it")
    })
}

/// The payment that is meant, and those of the case's holds on it that were seen and not yet cleared.
fn named<'a>(
    ever: &'a [Hold],
    payment: Option<&'a str>,
    seen: Option<&[AlertId]>,
) -> Result<(&'a str, Vec<&'a Hold>), Refusal> {
    let is_seen = |hold: &Hold| seen.is_none_or(|seen| names(seen, hold));
    let open: Vec<&Hold> = ever.iter().filter(|hold| hold.may_be_released() && is_seen(hold)).collect();
    let payment = match (payment, open.first()) {
        (Some(payment), _) => payment,
        (None, Some(first)) if open.iter().all(|hold| hold.payment_id == first.payment_id) => {
            first.payment_id.as_str()
        }
        _ => return Err(Refusal::NothingToActOn("say which held payment is to be released")),
    };
    let holds: Vec<&Hold> = open.into_iter().filter(|hold| hold.payment_id == payment).collect();
    if holds.is_empty() {
        return Err(Refusal::NothingToActOn(match seen {
            Some(_) => "none of these alerts holds that payment in this case",
            None => "this case holds no such payment",
        }));
    }
    // Whoever saw that the payment is held saw the one hold that there ever was.
    if seen.is_none() && ever.iter().filter(|hold| hold.payment_id == payment).count() > 1 {
        return Err(Refusal::NamesTooLittle(
            "several alerts of this case hold the payment, or held it: name in alerts those that you saw",
        ));
    }
    Ok((payment, holds))
}

/// The alerts that hold a payment beside these, in whatever case. `on_payment`: the holds that it ever had.
pub fn still_held_by(on_payment: &[Hold], beside: &[AlertId]) -> Vec<String> {
    let others = on_payment.iter().filter(|hold| hold.may_be_released() && !names(beside, hold));
    others.map(|hold| hold.because.clone()).collect()
}

/// What follows from the engine's answer to an order.
#[derive(Debug)]
pub struct HoldChanges<'a> {
    /// The holds that are let go with it.
    pub released: Vec<&'a Hold>,
    /// The cases that it concerns.
    pub cases: Vec<String>,
}

/// Bring the holds that a payment ever had in step with the engine's answer.
pub fn settle<'a>(on_payment: &'a [Hold], said: &HoldRecord) -> HoldChanges<'a> {
    let mut settled = HoldChanges { released: Vec::new(), cases: Vec::new() };
    for hold in on_payment {
        let (named, cleared) = (names(&said.alerts, hold), hold.state == HoldState::Cleared);
        let let_go = match said.state {
            // Records of older versions name nothing: the payment went from all that was cleared.
            HoldOutcome::Released => named || (said.alerts.is_empty() && cleared),
            // What the answer names still holds it.
            _ => !named && cleared,
        };
        if let_go && hold.state != HoldState::Released {
            settled.released.push(hold);
        }
        if let Some(case_id) = hold.case_id.as_ref().filter(|_| let_go || hold.waits())
            && !settled.cases.contains(case_id)
        {
            settled.cases.push(case_id.clone());
        }
    }
    settled
}

/// Whether a hold's alert is among these.
fn names(alerts: &[AlertId], hold: &Hold) -> bool {
    alerts.iter().any(|alert| alert.to_string() == hold.because)
}

#[cfg(test)]
mod tests {
    use sluice_model::{EventTime, Hash256};

    use super::*;
    use crate::{
        domain::{Role, Roles, Via},
        stamp::Stamp,
    };

    fn hold(n: u8, payment: &str, state: HoldState, proposed_by: Option<&str>) -> Hold {
        Hold {
            seq: n.into(),
            payment_id: payment.to_owned(),
            event_id: format!("E-{n}"),
            because: alert(n).to_string(),
            case_id: Some(format!("CASE-{n}")),
            state,
            held_at: Stamp(EventTime::from_micros(n.into())),
            proposed_by: proposed_by.map(str::to_owned),
            proposed_at: None,
            cleared_by: None,
            cleared_at: None,
        }
    }

    fn alert(n: u8) -> AlertId {
        Hash256::of(&[n])
    }

    fn actor(name: &str, role: Role) -> Actor {
        Actor { name: name.to_owned(), roles: Roles::new([role]), via: Via::Session }
    }

    fn let_go(holds: &[Hold], seen: &[u8], by: &Actor) -> Result<(Vec<i64>, HoldState), Refusal> {
        let seen: Vec<AlertId> = seen.iter().map(|n| alert(*n)).collect();
        release(holds, None, Some(&seen), by)
            .map(|letting| (letting.holds.iter().map(|hold| hold.seq).collect(), letting.state))
    }

    #[test]
    fn an_investigator_proposes_and_an_mlro_confirms_what_was_proposed() {
        let (ines, mei) = (actor("ines", Role::Investigator), actor("mei", Role::Mlro));
        let held = hold(1, "P", HoldState::Held, None);
        let later = hold(2, "P", HoldState::Held, None);
        let proposed = hold(1, "P", HoldState::Proposed, Some("ines"));
        assert_eq!(let_go(&[held], &[1], &ines), Ok((vec![1], HoldState::Proposed)));
        let now = [proposed, later];
        assert_eq!(let_go(&now, &[1, 2], &mei), Ok((vec![1], HoldState::Cleared)), "what came since stays");
        assert_eq!(let_go(&now, &[2], &mei), Ok((vec![2], HoldState::Cleared)), "an act of her own");
        assert_eq!(let_go(&now, &[1], &ines), Err(Refusal::SamePerson));
        let other = actor("omar", Role::Investigator);
        assert!(matches!(let_go(&now, &[1], &other), Err(Refusal::Conflict(_))));
    }

    #[test]
    fn an_order_names_what_it_lets_go_unless_there_was_only_one() {
        let mei = actor("mei", Role::Mlro);
        let once = [hold(1, "P", HoldState::Held, None)];
        let twice = [hold(1, "P", HoldState::Released, None), hold(2, "P", HoldState::Held, None)];
        let two = [hold(1, "P", HoldState::Held, None), hold(2, "Q", HoldState::Rejected, None)];
        assert_eq!(release(&once, None, None, &mei).unwrap().payment, "P");
        assert!(matches!(release(&twice, None, None, &mei), Err(Refusal::NamesTooLittle(_))));
        assert!(matches!(release(&two, None, None, &mei), Err(Refusal::NothingToActOn(_))));
        assert_eq!(release(&two, Some("Q"), None, &mei).unwrap().holds[0].seq, 2, "a refusal too is ended");
        assert!(matches!(let_go(&twice, &[1], &mei), Err(Refusal::NothingToActOn(_))));
    }

    #[test]
    fn an_answer_settles_what_was_cleared_and_nothing_that_still_holds() {
        let holds = [
            hold(1, "P", HoldState::Cleared, None),
            hold(2, "P", HoldState::Held, None),
            hold(3, "P", HoldState::Rejected, None),
        ];
        let said = |state, alerts: &[u8]| HoldRecord {
            payment_id: "P".into(),
            event_id: "E".into(),
            state,
            because: String::new(),
            at: EventTime::from_micros(9),
            alerts: alerts.iter().map(|n| alert(*n)).collect(),
        };
        let released = |said: &HoldRecord| {
            let settled = settle(&holds, said);
            (settled.released.iter().map(|hold| hold.seq).collect::<Vec<_>>(), settled.cases)
        };
        let cases = |of: &[u8]| of.iter().map(|n| format!("CASE-{n}")).collect::<Vec<_>>();
        assert_eq!(released(&said(HoldOutcome::Held, &[2])), (vec![1], cases(&[1, 2])));
        assert_eq!(released(&said(HoldOutcome::Released, &[3])), (vec![3], cases(&[2, 3])));
        assert_eq!(released(&said(HoldOutcome::Released, &[])), (vec![1], cases(&[1, 2])), "older records");
        assert_eq!(still_held_by(&holds, &[alert(2)]), [alert(3).to_string()]);
    }
}
