//! What officers and configuration order.

use std::{collections::BTreeMap, sync::Arc};

use sluice_model::{
    Control, EventRecord, EventTime, Freeze, Hash256, Key, KeyKind, ListSet, Quarantine, Screening,
    SetStreamTime, Span, Suppression, Unfreeze, Unnamed,
};

use super::{Repertoire, START, people};
use crate::fault::rng::Rng;

/// An order. What it names may depend on what was published until then.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    /// Written as it is.
    Control(Control),
    /// A release of some payment that is held.
    Release(Take),
}

/// Which alerts a release names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Take {
    /// All that hold the payment.
    All,
    /// The first of them.
    First,
    /// None.
    None,
    /// Those of another payment.
    OfAnother,
    /// It names nothing at all, as older versions did.
    Unsaid,
}

/// Orders for these events, each with its place between them.
pub(super) fn write(repertoire: &Repertoire, events: &[EventRecord], rng: &mut Rng) -> Vec<(usize, Order)> {
    let mut controls = Vec::new();
    rules(repertoire, events.len(), &mut controls, rng);
    lists(repertoire, events, &mut controls, rng);
    freezes(events.len(), &mut controls, rng);
    suppressions(repertoire, events.len(), &mut controls, rng);
    quarantine(repertoire, events.len(), &mut controls, rng);
    deadlines(events, &mut controls, rng);
    wrong_clock(events, &mut controls);
    let mut orders: Vec<(usize, Order)> =
        controls.into_iter().map(|(at, control)| (at, Order::Control(control))).collect();
    for _ in 0..rng.below(8) {
        let take = *rng.pick(&[Take::All, Take::All, Take::First, Take::None, Take::OfAnother, Take::Unsaid]);
        orders.push((rng.below(events.len()), Order::Release(take)));
    }
    orders.sort_by_key(|(at, _)| *at);
    orders
}

/// Controls, each with its place.
type Controls = Vec<(usize, Control)>;

fn rules(repertoire: &Repertoire, events: usize, controls: &mut Controls, rng: &mut Rng) {
    for _ in 0..rng.below(3) {
        let [prepare, activate] = repertoire.rules_in_force(rng.below(repertoire.rules.len()));
        let at = rng.below(events);
        controls.push((at, prepare));
        // Sometimes the rules are prepared and never activated, or others are prepared before they are.
        if rng.percent(85) {
            controls.push((at + rng.below(events / 4), activate));
        }
    }
}

/// Another version, one that cannot be read, one that ages, another policy for those without a name.
fn lists(repertoire: &Repertoire, events: &[EventRecord], controls: &mut Controls, rng: &mut Rng) {
    for _ in 0..rng.below(4) {
        let unnamed = *rng.pick(&[Unnamed::Accept, Unnamed::Alert, Unnamed::Hold, Unnamed::Hold]);
        let mut screening = repertoire.screening(rng.below(repertoire.lists.len()), unnamed);
        let at = rng.below(events.len());
        let list = screening.lists.keys().next().cloned().unwrap_or_default();
        match rng.below(8) {
            0 => {
                let unknown = Hash256::of(b"a version that nobody has");
                screening.lists = ListSet::from([(list, unknown)]);
                let after = repertoire.lists_in_force(rng.below(repertoire.lists.len()));
                controls.push((at + 1 + rng.below(10), after));
            }
            1 | 2 => {
                let now = events[at].event.occurred_at;
                screening.checked_at = BTreeMap::from([(list, now)]);
                screening.age_max = Some(Span::hours(1 + rng.below(12) as i64));
            }
            _ => {}
        }
        controls.push((at, Control::Screening(Screening { ..screening })));
    }
}

fn freezes(events: usize, controls: &mut Controls, rng: &mut Rng) {
    for n in 0..rng.below(4) {
        let key = frozen_key(rng);
        let case_id = format!("CASE-{n}");
        let order = |minutes| Freeze {
            key: key.clone(),
            case_id: case_id.clone(),
            at: START.plus(Span::minutes(minutes)),
        };
        let at = rng.below(events);
        controls.push((at, Control::Freeze(order(0))));
        let again = rng.percent(30);
        if again {
            controls.push((at + rng.below(10), Control::Freeze(order(5))));
        }
        if rng.percent(15) {
            let other = Freeze { case_id: "CASE-OTHER".to_owned(), ..order(1) };
            controls.push((at + rng.below(10), Control::Freeze(other)));
        }
        if rng.percent(60) {
            let seen = [None, Some(order(0).at), Some(order(0).at), Some(order(5).at)];
            let end = Unfreeze { key, case_id, at: START, frozen_at: *rng.pick(&seen) };
            controls.push((at + 10 + rng.below(10), Control::Unfreeze(end)));
        }
    }
}

/// A key that some event will touch, in one of the ways in which people write it.
fn frozen_key(rng: &mut Rng) -> Key {
    let n = rng.below(people::CUSTOMERS);
    let (kind, value) = match rng.below(10) {
        0 => (KeyKind::Customer, format!("C{n}")),
        1 => (KeyKind::Party, people::NAMES[n].to_lowercase()),
        2 => (KeyKind::Party, people::BICS[n % 2].to_owned()),
        3 => (KeyKind::Device, format!("D{}", n % 3)),
        4 => (KeyKind::Account, format!("a {n}")),
        _ => (KeyKind::Account, format!("A{n}")),
    };
    Key { kind, value }
}

/// That a party is not an entry of some version: mostly one that it meets.
fn suppressions(repertoire: &Repertoire, events: usize, controls: &mut Controls, rng: &mut Rng) {
    for _ in 0..rng.below(4) {
        let order = suppression(repertoire, rng);
        let at = rng.below(events);
        controls.push((at, Control::Suppress(order.clone())));
        if rng.percent(40) {
            controls.push((at + rng.below(20), Control::Unsuppress(order)));
        }
    }
}

fn suppression(repertoire: &Repertoire, rng: &mut Rng) -> Suppression {
    let versions = repertoire.lists.iter();
    let listed: Vec<_> = versions.flat_map(|v| v.entries().iter().map(move |e| (v.source(), e))).collect();
    let (list, entry) = *rng.pick(&listed);
    let n = people::NAMES.iter().position(|name| *name == entry.primary_name()).unwrap_or_default();
    let account = || Key { kind: KeyKind::Account, value: format!("A{n}") };
    Suppression {
        party: people::party_numbered(n).identity().unwrap_or_else(account),
        list: list.to_owned(),
        entry_id: entry.id.clone(),
        entry_hash: entry.hash(),
        reason: "another person".to_owned(),
        approver: "officer".to_owned(),
        expires_at: START.plus(Span::hours(rng.below(400) as i64)),
    }
}

fn quarantine(repertoire: &Repertoire, events: usize, controls: &mut Controls, rng: &mut Rng) {
    for _ in 0..rng.below(5) {
        let rule = *rng.pick(&repertoire.contents);
        let order = Quarantine { rule, rule_id: "SIMULATED".to_owned(), at: START };
        let at = rng.below(events / 2);
        controls.push((at, Control::Quarantine(order.clone())));
        if rng.percent(40) {
            controls.push((at + rng.below(40), Control::LiftQuarantine(order)));
        }
    }
}

/// The deadline of an event passes: about when it was sent, or long after; told with the event or, as older versions did,
/// without; once or twice.
fn deadlines(events: &[EventRecord], controls: &mut Controls, rng: &mut Rng) {
    for _ in 0..rng.below(5) {
        let at = rng.below(events.len());
        let event = &events[at].event;
        let control = Control::Deadline {
            payment_id: event.payment_id().to_owned(),
            event_id: event.event_id.clone(),
            event: rng.percent(80).then(|| Arc::clone(event)),
        };
        let told = if rng.percent(60) { at + rng.below(4) } else { rng.below(events.len()) };
        controls.push((told, control.clone()));
        if rng.percent(20) {
            controls.push((told + rng.below(10), control));
        }
    }
}

/// After an event under a wrong clock somebody sets the stream back.
fn wrong_clock(events: &[EventRecord], controls: &mut Controls) {
    let mut newest = EventTime::default();
    for (at, record) in events.iter().enumerate() {
        let now = record.event.occurred_at;
        if newest != EventTime::default() && now > newest.plus(Span::days(300)) {
            let order = SetStreamTime { to: newest, reason: "a wrong clock".to_owned(), at: newest };
            controls.push((at + 5, Control::SetStreamTime(order)));
            return;
        }
        newest = newest.max(now);
    }
}
