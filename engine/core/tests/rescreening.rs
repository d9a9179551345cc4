//! A new list version is compared with everybody whom events named, once, and the same after a restart.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use sluice_core::{Format, Home, HomeOutput, Library, PARTY_KNOWN_FOR, Stage, Unavailable};
use sluice_lists::{Entry, ListVersion, Screener, Settings};
use sluice_model::{
    Alert, Cause, Control, EntryKind, EventRecord, EventTime, Hash256, Key, KeyKind, ListSet, Party,
    PaymentEvent, PaymentRecord, Screening, Span, Suppression,
};

#[derive(Default)]
struct Shelf(Mutex<BTreeMap<Hash256, Arc<ListVersion>>>);

impl Shelf {
    /// A list of these persons, in force beside others.
    fn put(&self, lists: &mut ListSet, source: &str, names: &[&str]) -> Control {
        let entries = names.iter().map(|name| Entry::new(*name, EntryKind::Person, *name)).collect();
        let version = Arc::new(ListVersion::new(source, entries).unwrap());
        lists.insert(source.to_owned(), version.hash());
        self.0.lock().unwrap().insert(version.hash(), version);
        Control::Screening(Screening { lists: lists.clone(), ..Screening::default() })
    }
}

impl Library for Shelf {
    fn screener(&self, screening: &Screening) -> Result<Arc<Screener>, Unavailable> {
        let held = self.0.lock().unwrap();
        let versions: Option<Vec<_>> = screening.lists.values().map(|hash| held.get(hash).cloned()).collect();
        let versions = versions.ok_or_else(|| Unavailable("unknown".into()))?;
        Ok(Arc::new(Screener::build(&versions, Settings::default())))
    }
}

struct World {
    home: Home,
    shelf: Arc<Shelf>,
    lists: ListSet,
}

impl World {
    fn new() -> Self {
        let shelf = Arc::new(Shelf::default());
        Self { home: Home::new(Arc::clone(&shelf) as _), shelf, lists: ListSet::new() }
    }

    fn apply(&mut self, record: PaymentRecord) -> HomeOutput {
        let mut out = HomeOutput::default();
        self.home.apply(0, &record, &mut out);
        out
    }

    fn activate(&mut self, source: &str, names: &[&str]) -> HomeOutput {
        let control = self.shelf.put(&mut self.lists, source, names);
        self.apply(PaymentRecord::Control(control))
    }

    fn pay(&mut self, n: i64, debtor: Party, creditor: Party) {
        let mut event = PaymentEvent::new(format!("E{n}"), at(n));
        (event.debtor, event.creditor) = (Some(debtor), Some(creditor));
        let record =
            EventRecord { received_at: at(n), awaited: false, late_reason: None, event: event.into() };
        self.apply(PaymentRecord::Event(record));
    }

    fn restart(&mut self) {
        let bytes = self.home.snapshot().unwrap();
        self.home = Home::restore(&bytes, Format::CURRENT, &(Arc::clone(&self.shelf) as _)).unwrap();
    }
}

fn at(days: i64) -> EventTime {
    let start: EventTime = "2026-11-20T08:30:00Z".parse().unwrap();
    start.plus(Span::days(days))
}

fn customer(id: &str, name: &str) -> Party {
    Party { customer_id: Some(id.into()), name: Some(name.into()), ..Party::default() }
}

fn named(name: &str) -> Party {
    Party { name: Some(name.into()), ..Party::default() }
}

fn keys(alerts: &[Alert]) -> Vec<(KeyKind, &str)> {
    alerts.iter().map(|alert| (alert.key.kind, alert.key.value.as_str())).collect()
}

#[test]
fn what_changed_is_compared_with_every_known_party_once() {
    let mut world = World::new();
    world.activate("un", &["Vasil Zorkin"]);
    world.pay(0, customer("C-1", "Pia Halvorsen"), named("Tariq Okonjo"));
    world.pay(
        1,
        customer("C-2", "Lam Siu Fong"),
        Party { account: Some("88-1".into()), ..named("Vasil Zorkin") },
    );
    world.pay(1, customer("C-1", "Pia Halvorsen"), named("Tariq Okonjo"));

    let out = world.activate("un", &["Vasil Zorkin", "Halvorsen Pia", "Tariq Okonjo"]);
    let [report] = &out.rescreened[..] else { panic!("one list changed") };
    assert_eq!((report.list.as_str(), report.entries, report.checked, report.alerts), ("un", 2, 4, 2));
    assert_eq!(keys(&out.alerts), [(KeyKind::Customer, "C-1"), (KeyKind::Party, "Tariq Okonjo")]);
    let alert = &out.alerts[0];
    assert_eq!((alert.occurred_at, alert.event_id.as_str()), (at(1), ""));
    assert_eq!(alert.versions.lists["un"], world.lists["un"].to_string());
    let cause = Cause::Rescreen {
        list: "un".into(),
        version: world.lists["un"].to_string(),
        entry_id: "Halvorsen Pia".into(),
        party: "C-1".into(),
    };
    assert_eq!(alert.cause, cause);

    // The same version again, or another list: nothing that was compared is compared again.
    let again = Control::Screening(Screening { lists: world.lists.clone(), ..Screening::default() });
    assert!(world.apply(PaymentRecord::Control(again)).rescreened.is_empty());
    let out = world.activate("eu", &["Somebody Else"]);
    assert_eq!(out.rescreened.iter().map(|r| r.list.as_str()).collect::<Vec<_>>(), ["eu"]);
    assert!(out.alerts.is_empty());

    assert_eq!(world.home.screening().lists, world.lists);

    // Two lists at once: each tells its own.
    let World { shelf, lists, .. } = &mut world;
    shelf.put(lists, "eu", &["Somebody Else", "Lam Siu Fong"]);
    let both = shelf.put(lists, "un", &["Vasil Zorkin", "Lam Siu Fong"]);
    let out = world.apply(PaymentRecord::Control(both));
    let told: Vec<_> = out.rescreened.iter().map(|r| (r.list.as_str(), r.alerts, r.left_out)).collect();
    assert_eq!(told, [("eu", 1, 0), ("un", 1, 0)]);
}

#[test]
fn a_restart_changes_nothing_and_a_suppressed_match_raises_nothing() {
    let (mut one, mut other) = (World::new(), World::new());
    for world in [&mut one, &mut other] {
        world.activate("un", &["Vasil Zorkin"]);
        for n in 0..20 {
            world.pay(n, customer(&format!("C-{n}"), "Pia Halvorsen"), named("Tariq Okonjo"));
        }
    }
    other.restart();
    let names = ["Vasil Zorkin", "Pia Halvorsen"];
    let suppress = Suppression {
        party: Key { kind: KeyKind::Customer, value: "C-7".into() },
        list: "un".into(),
        entry_id: "Pia Halvorsen".into(),
        entry_hash: Entry::new("Pia Halvorsen", EntryKind::Person, "Pia Halvorsen").hash(),
        reason: "known".into(),
        approver: "mlro".into(),
        expires_at: at(300),
    };
    for world in [&mut one, &mut other] {
        world.apply(PaymentRecord::Control(Control::Suppress(suppress.clone())));
    }
    let (a, b) = (one.activate("un", &names), other.activate("un", &names));
    assert_eq!(a.alerts, b.alerts);
    assert_eq!(a.alerts.len(), 19, "all but the suppressed one");
    assert!(!keys(&a.alerts).contains(&(KeyKind::Customer, "C-7")));
}

#[test]
fn who_was_met_while_nothing_could_be_screened_is_compared_with_everything() {
    let mut world = World::new();
    world.activate("un", &["Vasil Zorkin"]);
    let lists = world.lists.clone();
    let off = Control::Screening(Screening::default());
    world.apply(PaymentRecord::Control(off));
    world.pay(0, customer("C-1", "Vasil Zorkin"), named("Tariq Okonjo"));
    let on = Control::Screening(Screening { lists, ..Screening::default() });
    assert_eq!(keys(&world.apply(PaymentRecord::Control(on)).alerts), [(KeyKind::Customer, "C-1")]);
}

#[test]
fn who_was_not_seen_for_long_is_known_no_more() {
    let mut world = World::new();
    world.activate("un", &["Vasil Zorkin"]);
    world.pay(0, customer("C-1", "Pia Halvorsen"), named("Tariq Okonjo"));
    let days = PARTY_KNOWN_FOR.micros() / Span::days(1).micros();
    world.pay(days, customer("C-2", "Lam Siu Fong"), named("Tariq Okonjo"));
    let out = world.activate("un", &["Pia Halvorsen", "Tariq Okonjo"]);
    assert_eq!(keys(&out.alerts), [(KeyKind::Party, "Tariq Okonjo")]);
    assert_eq!(out.rescreened[0].checked, 2);
}
