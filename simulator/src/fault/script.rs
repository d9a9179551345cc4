//! What clients and officers do in one simulation: events with duplicates, conflicts, disorder and times out of
//! bounds, and changes of rules, lists and freezes in between. All of it follows from the seed.

use std::{collections::BTreeMap, sync::Arc};

use sluice_lists::ListVersion;
use sluice_model::{
    Control, Currency, EventRecord, EventTime, EventType, Freeze, Hash256, Key, KeyKind, ListSet, Money,
    Party, PaymentEvent, PaymentStatus, Quarantine, Release, RuleBundle, Screening, Span, Suppression,
    Unfreeze,
};

use super::rng::Rng;

/// 2026-01-01T00:00:00Z: where the stream begins.
const START: EventTime = EventTime::from_micros(1_767_225_600_000_000);
/// Few customers, so that their windows meet, filter and overflow often.
const CUSTOMERS: usize = 7;

/// Events in the order in which clients first try to send them, and controls with their places between them.
pub struct Script {
    /// What clients send.
    pub events: Vec<EventRecord>,
    /// What officers do: before the event at that index.
    pub controls: Vec<(usize, Control)>,
}

/// What scripts choose from.
pub struct Repertoire {
    /// Rule sets: the first is in force from the beginning; another differs in a parameter, another in its windows.
    pub rules: Vec<RuleBundle>,
    /// The contents of the rules in them.
    pub contents: Vec<Hash256>,
    /// List versions, of the same source.
    pub lists: Vec<Arc<ListVersion>>,
}

impl Repertoire {
    /// The control records that make a rule set the one in force.
    pub fn rules_in_force(&self, which: usize) -> [Control; 2] {
        let bundle = self.rules[which].clone();
        let rules = bundle.hash();
        [Control::Prepare(bundle), Control::Activate { rules }]
    }

    /// The control record that makes a list version the one in force.
    pub fn lists_in_force(&self, which: usize) -> Control {
        let version = &self.lists[which];
        let lists: ListSet = BTreeMap::from([(version.source().to_owned(), version.hash())]);
        Control::Screening(Screening { lists, ..Screening::default() })
    }
}

impl Script {
    /// A script of about so many events.
    pub fn new(repertoire: &Repertoire, events: usize, rng: &mut Rng) -> Self {
        let events = write_events(events, rng);
        let controls = write_controls(repertoire, &events, rng);
        Self { events, controls }
    }
}

fn write_events(count: usize, rng: &mut Rng) -> Vec<EventRecord> {
    let mut events: Vec<EventRecord> = Vec::with_capacity(count);
    let mut now = START;
    for n in 0..count {
        now = now.plus(Span::seconds(rng.below(2_400) as i64));
        // An event that was let in although it is too old may be beyond what ids are remembered for: it is sent once.
        let known: Vec<&EventRecord> = events.iter().filter(|record| record.late_reason.is_none()).collect();
        let again = !known.is_empty() && rng.percent(12);
        let event = if again { variation(&rng.pick(&known).event, n, now, rng) } else { fresh(n, now, rng) };
        let late_reason = !again && rng.percent(2);
        events.push(EventRecord {
            // A source's clock is ahead of the event's own time by a little, or far behind it by mistake.
            received_at: if rng.percent(3) { now.minus(Span::hours(2)) } else { now.plus(Span::seconds(1)) },
            awaited: rng.percent(30),
            late_reason: late_reason.then(|| "found in a file of last week".to_owned()),
            event: Arc::new(event),
        });
    }
    events
}

fn fresh(n: usize, now: EventTime, rng: &mut Rng) -> PaymentEvent {
    let late = match rng.below(20) {
        0 => Span::days(4),
        1..=4 => Span::minutes(rng.below(180) as i64),
        _ => Span::ZERO,
    };
    let event_type = if rng.percent(6) { EventType::Customer } else { EventType::Payment };
    let mut event = PaymentEvent::new(format!("E{n}"), now.minus(late));
    event.event_type = event_type;
    event.debtor = Some(party(rng));
    if event_type == EventType::Payment {
        event.payment_id = Some(format!("P{n}"));
        event.creditor = Some(party(rng));
        event.amount = Some(Money::new(1 + rng.below(1_000_000) as i64, Currency::HKD));
        event.status =
            *rng.pick(&[PaymentStatus::Initiated, PaymentStatus::Authorized, PaymentStatus::Completed]);
    }
    event
}

/// The next status of a payment that was seen before; or the same event again, with the same content or other.
fn variation(of: &PaymentEvent, n: usize, now: EventTime, rng: &mut Rng) -> PaymentEvent {
    let mut event = of.clone();
    match rng.below(3) {
        0 => {}
        1 => event.purpose = Some("altered".to_owned()),
        _ => {
            event.event_id = format!("E{n}");
            event.occurred_at = now;
            event.status = PaymentStatus::Completed;
        }
    }
    event
}

fn party(rng: &mut Rng) -> Party {
    party_numbered(rng.below(CUSTOMERS))
}

fn party_numbered(n: usize) -> Party {
    Party {
        customer_id: (!n.is_multiple_of(3)).then(|| format!("C{n}")),
        account: Some(format!("A{n}")),
        name: Some(NAMES[n].to_owned()),
        country: Some(if n == 5 { "IR" } else { "HK" }.to_owned()),
        ..Party::default()
    }
}

/// Invented; the lists of the simulation name the third and the last.
pub const NAMES: [&str; CUSTOMERS] = [
    "Wong Ka Yan",
    "Peter Lindqvist",
    "Borislav Tremontov",
    "Chan Siu Ming",
    "Amara Okonjo",
    "Farid Darvishan",
    "Golden Lantern Trading Limited",
];

/// That a party is not an entry of some version: mostly one that it meets.
fn suppression(repertoire: &Repertoire, rng: &mut Rng) -> Suppression {
    let versions = repertoire.lists.iter();
    let listed: Vec<_> = versions.flat_map(|v| v.entries().iter().map(move |e| (v.source(), e))).collect();
    let (list, entry) = *rng.pick(&listed);
    let n = NAMES.iter().position(|name| *name == entry.primary_name()).unwrap_or_default();
    let account = || Key { kind: KeyKind::Account, value: format!("A{n}") };
    Suppression {
        party: party_numbered(n).identity().unwrap_or_else(account),
        list: list.to_owned(),
        entry_id: entry.id.clone(),
        entry_hash: entry.hash(),
        reason: "another person".to_owned(),
        approver: "officer".to_owned(),
        expires_at: START.plus(Span::hours(rng.below(400) as i64)),
    }
}

fn write_controls(repertoire: &Repertoire, events: &[EventRecord], rng: &mut Rng) -> Vec<(usize, Control)> {
    let mut controls = Vec::new();
    for _ in 0..rng.below(3) {
        let [prepare, activate] = repertoire.rules_in_force(rng.below(repertoire.rules.len()));
        let at = rng.below(events.len());
        controls.push((at, prepare));
        // Sometimes the rules are prepared and never activated, or others are prepared before they are.
        if rng.percent(85) {
            controls.push((at + rng.below(events.len() / 4), activate));
        }
    }
    for _ in 0..rng.below(3) {
        controls
            .push((rng.below(events.len()), repertoire.lists_in_force(rng.below(repertoire.lists.len()))));
    }
    for case in 0..rng.below(3) {
        let n = rng.below(CUSTOMERS);
        let key = Key { kind: KeyKind::Account, value: format!("A{n}") };
        let order = Freeze { key, case_id: format!("CASE-{case}"), at: START };
        let at = rng.below(events.len());
        controls.push((at, Control::Freeze(order.clone())));
        if rng.percent(60) {
            let Freeze { key, case_id, at: frozen } = order;
            let end = Unfreeze { key, case_id, at: START, frozen_at: Some(frozen) };
            controls.push((at + rng.below(20), Control::Unfreeze(end)));
        }
    }
    for _ in 0..rng.below(4) {
        let order = suppression(repertoire, rng);
        let at = rng.below(events.len());
        controls.push((at, Control::Suppress(order.clone())));
        if rng.percent(40) {
            controls.push((at + rng.below(20), Control::Unsuppress(order)));
        }
    }
    for _ in 0..rng.below(4) {
        let payment_id = rng.pick(events).event.payment_id().to_owned();
        let order = Release { payment_id, case_id: "CASE-R".to_owned(), at: START, alerts: None };
        controls.push((rng.below(events.len()), Control::Release(order)));
    }
    if rng.percent(40) {
        let rule = *rng.pick(&repertoire.contents);
        let order = Quarantine { rule, rule_id: "SIMULATED".to_owned(), at: START };
        let at = rng.below(events.len());
        controls.push((at, Control::Quarantine(order.clone())));
        if rng.percent(40) {
            controls.push((at + rng.below(20), Control::LiftQuarantine(order)));
        }
    }
    for _ in 0..rng.below(3) {
        let event = &rng.pick(events).event;
        let (payment_id, event_id) = (event.payment_id().to_owned(), event.event_id.clone());
        controls.push((
            rng.below(events.len()),
            Control::Deadline { payment_id, event_id, event: Some(Arc::clone(event)) },
        ));
    }
    controls.sort_by_key(|(at, _)| *at);
    controls
}
