//! What each rule of the simulation says, stated once more by hand: see `fault/rules/*.rhai`.

use sluice_model::{Action, KeyKind, Party, PaymentEvent, PaymentStatus, Role, Span, StatusSet};

use super::{
    desk::ScreeningResult,
    often::Often,
    past::{Past, SideOf},
    windows::{
        Back, Fault, Side, View,
        What::{self, Amount, Counterparty},
        distinct, in_hkd, numbers,
    },
};

/// A rule.
#[derive(Clone, Copy)]
pub struct Rule {
    pub id: &'static str,
    pub key: KeyKind,
    pub action: Action,
    pub on_error: Action,
    pub often: Often,
    pub statuses: StatusSet,
    pub shadow: bool,
    pub condition: Condition,
    /// Its windows, where it is asked at later times too: none of them leaves out the event or measures from it.
    pub windows: &'static [(Side, What, Back)],
}

/// When it speaks.
#[derive(Clone, Copy)]
pub enum Condition {
    /// Of the payment alone, with a word for its reason.
    Payment(fn(&PaymentEvent, &ScreeningResult) -> Result<Option<String>, Fault>),
    /// Of what a key has seen.
    Key(fn(&View<'_>, Option<&PaymentEvent>) -> Result<bool, Fault>),
}

const DAY: Back = Back::Span(Span::hours(24));
const SIX_HOURS: Back = Back::Span(Span::hours(6));

const QUIET: Rule = Rule {
    id: "",
    key: KeyKind::Payment,
    action: Action::Alert,
    on_error: Action::Alert,
    often: Often::Every,
    statuses: StatusSet::SETTLED,
    shadow: false,
    condition: Condition::Payment(|_, _| Ok(None)),
    windows: &[],
};

/// Alive, and each time that it goes back.
pub(crate) const MOVING: StatusSet = RETURNS
    .with(PaymentStatus::Initiated)
    .with(PaymentStatus::Processing)
    .with(PaymentStatus::Authorized)
    .with(PaymentStatus::Captured)
    .with(PaymentStatus::Completed);
const RETURNS: StatusSet = StatusSet::EMPTY.with(PaymentStatus::Refunded).with(PaymentStatus::Disputed);

/// `hits.rhai`
pub(crate) const HIT: Rule = Rule {
    id: "HIT",
    action: Action::Hold,
    on_error: Action::Hold,
    statuses: MOVING,
    condition: Condition::Payment(|_, screened| {
        if !screened.not.is_empty() {
            return Err(Fault::NotScreened);
        }
        Ok((screened.score() >= 0.9).then(|| screened.met.len().to_string()))
    }),
    ..QUIET
};

/// `dear.rhai`
pub(crate) const DEAR: Rule = Rule {
    id: "DEAR",
    action: Action::Hold,
    on_error: Action::Hold,
    statuses: MOVING,
    condition: Condition::Payment(|event, _| {
        let amount = in_hkd(event.amount)?;
        Ok((amount >= 800_000).then(|| amount.to_string()))
    }),
    ..QUIET
};

/// `places.rhai`
pub(crate) const PLACE: Rule = Rule {
    id: "PLACE",
    action: Action::Reject,
    statuses: MOVING,
    condition: Condition::Payment(|event, _| {
        let country = event.device.as_ref().and_then(|device| device.country.as_deref());
        Ok((country == Some("KP")).then(String::new))
    }),
    ..QUIET
};

/// `returned.rhai`
pub(crate) const RETURNED: Rule = Rule {
    id: "RETURNED",
    statuses: RETURNS,
    condition: Condition::Payment(|event, _| Ok((in_hkd(event.amount)? > 100).then(String::new))),
    ..QUIET
};

/// `accounts.rhai` and `accounts-raised.rhai`
pub(crate) const ACCOUNTS: Rule =
    Rule { condition: Condition::Key(|view, _| accounts(view, 2)), ..ACCOUNTS_RAISED };
pub(crate) const ACCOUNTS_RAISED: Rule = Rule {
    id: "ACCOUNTS",
    key: KeyKind::Account,
    often: Often::Crossing,
    condition: Condition::Key(|view, _| accounts(view, 4)),
    windows: &[
        (Side::Creditor, Counterparty, DAY),
        (Side::Creditor, Amount, SIX_HOURS),
        (Side::Debtor, What::Event, Back::Ever),
    ],
    ..QUIET
};

fn accounts(view: &View<'_>, many: usize) -> Result<bool, Fault> {
    let payers = distinct(view.with_own(Side::Creditor, Counterparty, DAY)?);
    let received: i64 = numbers(view.with_own(Side::Creditor, Amount, SIX_HOURS)?).iter().sum();
    Ok(view.now.role.is_creditor() && payers >= many && received > 100)
}

/// `customers.rhai`
pub(crate) const CUSTOMERS: Rule = Rule {
    id: "CUSTOMERS",
    key: KeyKind::Customer,
    action: Action::Hold,
    often: Often::Once(Span::hours(3)),
    condition: Condition::Key(|view, _| {
        view.own(Side::Either, Amount)?;
        let quiet = view.time_since(Side::Either, What::Event);
        if quiet.is_some_and(|quiet| quiet > Span::hours(1)) {
            return Ok(true);
        }
        let largest = numbers(view.before(Side::Either, Amount, Back::Span(Span::days(2)))).into_iter().max();
        let Some(largest) = largest else { return Ok(false) };
        let today = view.with_own(Side::Either, What::Event, Back::Day)?.len();
        Ok(in_hkd(view.now.past.worth)? > largest && today > 2)
    }),
    ..QUIET
};

/// `shadowed.rhai`
pub(crate) const SHADOWED: Rule = Rule {
    id: "SHADOWED",
    key: KeyKind::Customer,
    action: Action::Hold,
    often: Often::Once(Span::hours(2)),
    shadow: true,
    windows: &[(Side::Debtor, What::Event, SIX_HOURS), (Side::Creditor, What::Event, SIX_HOURS)],
    condition: Condition::Key(|view, _| {
        let paid = view.with_own(Side::Debtor, What::Event, SIX_HOURS)?.len();
        let received = view.with_own(Side::Creditor, What::Event, SIX_HOURS)?.len();
        if received == 0 {
            return Err(Fault::ByZero);
        }
        Ok(paid as f64 / received as f64 >= 1.5)
    }),
    ..QUIET
};

/// `young.rhai`
pub(crate) const YOUNG: Rule = Rule {
    id: "YOUNG",
    key: KeyKind::Customer,
    condition: Condition::Key(|view, profile| {
        let born = profile.and_then(|event| event.debtor.as_ref()).and_then(|p| p.birth_date.as_deref());
        if born.is_some() {
            view.features.met("rules: profile read");
        }
        // The simulation knows two birth dates, and runs for less than eight years after the later one's childhood.
        Ok(born == Some(super::super::script::YOUNG))
    }),
    ..QUIET
};

/// `widened.rhai`
pub(crate) const WIDENED: Rule = Rule {
    id: "WIDENED",
    key: KeyKind::Account,
    windows: &[
        (Side::Either, Amount, Back::Span(Span::days(4))),
        (Side::Either, Counterparty, Back::Span(Span::hours(8))),
        (Side::Debtor, Amount, Back::Span(Span::hours(12))),
    ],
    condition: Condition::Key(|view, _| {
        let mut amounts = numbers(view.with_own(Side::Either, Amount, Back::Span(Span::days(4)))?);
        let partners = view.new_ones(Side::Either, Counterparty, Back::Span(Span::hours(8)))?;
        amounts.sort_unstable();
        let n = amounts.len();
        if n == 0 {
            return Ok(false);
        }
        let usual = (amounts[(n - 1) / 2] + amounts[n / 2]) as f64 / 2.0;
        Ok(in_hkd(view.now.past.worth)? as f64 > usual && partners >= 1)
    }),
    ..QUIET
};

/// `devices.rhai`
pub(crate) const DEVICES: Rule = Rule {
    id: "DEVICES",
    key: KeyKind::Device,
    action: Action::Hold,
    often: Often::Once(Span::hours(1)),
    windows: &[(Side::Either, What::Event, Back::Span(Span::hours(48)))],
    condition: Condition::Key(|view, _| {
        Ok(view.with_own(Side::Either, What::Event, Back::Span(Span::hours(48)))?.len() >= 2)
    }),
    ..QUIET
};

/// The values of a kind of key in an event, each once, with the sides on which it stands.
pub(crate) fn keys(event: &PaymentEvent, kind: KeyKind) -> Vec<(String, Role)> {
    let of_sides = |of: fn(&Party) -> Option<&String>| {
        let debtor = event.debtor.as_ref().and_then(of);
        let creditor = event.creditor.as_ref().and_then(of);
        match (debtor, creditor) {
            (Some(d), Some(c)) if d == c => vec![(d.clone(), Role::DEBTOR.and(Role::CREDITOR))],
            _ => {
                let debtor = debtor.map(|d| (d.clone(), Role::DEBTOR));
                debtor.into_iter().chain(creditor.map(|c| (c.clone(), Role::CREDITOR))).collect()
            }
        }
    };
    match kind {
        KeyKind::Customer => of_sides(|party| party.customer_id.as_ref()),
        KeyKind::Account => of_sides(|party| party.account.as_ref()),
        KeyKind::Device => {
            let id = event.device.as_ref().and_then(|device| device.id.clone());
            id.into_iter().map(|id| (id, Role::NONE)).collect()
        }
        // The simulation's rules watch no other.
        _ => Vec::new(),
    }
}

/// The same, with the account and the customer of a side of which the event says neither, as the payment knew them last.
pub(crate) fn known_keys(event: &PaymentEvent, past: &Past, kind: KeyKind) -> Vec<(String, Role)> {
    let field = |party: &Party| match kind {
        KeyKind::Account => party.account.clone(),
        KeyKind::Customer => party.customer_id.clone(),
        _ => None,
    };
    let mut all = keys(event, kind);
    let sides: [(SideOf, Role); 2] =
        [(|event| event.debtor.as_ref(), Role::DEBTOR), (|event| event.creditor.as_ref(), Role::CREDITOR)];
    for (side, role) in sides {
        if side(event).is_some_and(|party| party.account.is_some() || party.customer_id.is_some()) {
            continue;
        }
        let Some(last) = past.earlier.iter().rev().find_map(|event| field(side(event)?)) else { continue };
        match all.iter_mut().find(|(value, _)| *value == last) {
            Some((_, roles)) => *roles = roles.and(role),
            None => all.push((last, role)),
        }
    }
    all
}

/// Every key that a rule of the simulation may watch.
pub(crate) fn every_key(event: &PaymentEvent, past: &Past) -> Vec<(sluice_model::Key, Role)> {
    let of = |kind| {
        let keys = known_keys(event, past, kind).into_iter();
        keys.map(move |(value, role)| (sluice_model::Key { kind, value }, role))
    };
    KeyKind::ALL.into_iter().flat_map(of).collect()
}
