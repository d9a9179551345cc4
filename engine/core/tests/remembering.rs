//! How long things are remembered, to the hour and the day: ids, payments, parties, and what lies at a window's edge.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, sync::Arc};

use sluice_core::{Engine, EngineConfig, Library, Output, Stage, Unavailable};
use sluice_lists::{Entry, ListVersion, Screener, Settings};
use sluice_model::{
    Control, Currency, EntryKind, EventRecord, EventTime, Money, Party, PaymentEvent, PaymentRecord,
    PaymentStatus, RuleBundle, RuleFile, Screening, SetStreamTime, Span,
};

const START: EventTime = EventTime::from_micros(1_800_000_000_000_000);

/// One list, which names nobody, or one.
struct Shelf([Arc<ListVersion>; 2]);

impl Library for Shelf {
    fn screener(&self, screening: &Screening) -> Result<Arc<Screener>, Unavailable> {
        let wanted = screening.lists.get("house");
        let version = self.0.iter().find(|version| Some(&version.hash()) == wanted);
        let version = version.ok_or_else(|| Unavailable("unknown".into()))?;
        Ok(Arc::new(Screener::build(&[Arc::clone(version)], Settings::default())))
    }
}

struct World {
    engine: Engine,
    versions: [Arc<ListVersion>; 2],
    out: Output,
}

fn rule(id: &str, key: &str, more: &str, condition: &str, reason: &str) -> RuleFile {
    let text = format!(
        r#"rule {id} #{{ title: "{id}", key: "{key}", severity: "high", action: "alert", typology: "test",
            regulation: #{{ text: "a test", source: "https://example.com", date: "2026-01-01" }},
            speaks: "every event" }};
        {more}
        condition {condition};
        reason `{reason}`;"#
    );
    RuleFile { path: format!("{id}.rhai"), text }
}

impl World {
    fn new(rules: &[RuleFile]) -> Self {
        let version = |entries| Arc::new(ListVersion::new("house", entries).unwrap());
        let entry = Entry::new("1", EntryKind::Person, "Borislav Tremontov");
        let versions = [version(Vec::new()), version(vec![entry])];
        let engine = Engine::new(EngineConfig { shards: 1 }, Arc::new(Shelf(versions.clone())));
        let mut world = Self { engine, versions, out: Output::default() };
        let bundle = RuleBundle::new(rules.to_vec());
        let rules = bundle.hash();
        world.order(Control::Prepare(bundle));
        world.order(Control::Activate { rules });
        world
    }

    fn order(&mut self, control: Control) {
        self.engine.apply(0, &PaymentRecord::Control(control), &mut self.out);
    }

    fn lists(&mut self, which: usize) {
        let lists = BTreeMap::from([("house".to_owned(), self.versions[which].hash())]);
        self.order(Control::Screening(Screening { lists, ..Screening::default() }));
    }

    /// The reasons of the alerts on a payment from A to B.
    fn pay(&mut self, event: PaymentEvent) -> Vec<String> {
        self.pay_late(event, None)
    }

    /// The same of an event that is sent with a reason for coming late.
    fn pay_late(&mut self, event: PaymentEvent, late_reason: Option<&str>) -> Vec<String> {
        let before = self.out.alerts.len();
        let (received_at, event) = (event.occurred_at, Arc::new(event));
        let late_reason = late_reason.map(str::to_owned);
        let record = EventRecord { received_at, awaited: false, late_reason, event };
        self.engine.apply(0, &PaymentRecord::Event(record), &mut self.out);
        self.out.alerts[before..].iter().map(|alert| alert.reason.clone()).collect()
    }
}

fn payment(id: &str, at: Span, name: &str) -> PaymentEvent {
    let mut event = PaymentEvent::new(id.to_owned(), START.plus(at));
    event.status = PaymentStatus::Authorized;
    event.amount = Some(Money::new(100, Currency::HKD));
    let party = |account: &str, name: &str| Party {
        account: Some(account.to_owned()),
        name: Some(name.to_owned()),
        ..Party::default()
    };
    event.debtor = Some(party("A", name));
    event.creditor = Some(party("B", "Amara Okonjo"));
    event
}

const SOMEBODY: &str = "Chan Siu Ming";

#[test]
fn an_id_is_known_for_three_days_of_the_stream() {
    let mut world = World::new(&[]);
    // In the middle of an hour: ids are forgotten by the hour.
    let days = |days: i64, minutes: i64| Span::minutes(24 * 60 * days + minutes);
    let first = payment("E", days(1, 30), SOMEBODY);
    world.pay(first.clone());
    world.pay(payment("later", days(4, 29), SOMEBODY));
    world.pay(first.clone());
    assert_eq!(
        (world.out.counts.events, world.out.duplicates.len()),
        (2, 1),
        "a minute less than three days"
    );
    let mut other = first.clone();
    other.purpose = Some("altered".to_owned());
    world.pay(other);
    assert_eq!(world.out.dead_letters.last().unwrap().code, "conflict", "other content under its id");
    world.pay(payment("latest", days(4, 30), SOMEBODY));
    world.pay(first.clone());
    assert_eq!(world.out.dead_letters.last().unwrap().code, "too_old", "three days later it is no duplicate");
    world.pay(payment("the next hour", days(4, 90), SOMEBODY));
    world.pay_late(first, Some("sent again"));
    assert_eq!(world.out.counts.events, 5, "an id is not remembered for ever");
}

#[test]
fn a_payment_is_known_for_thirty_days_after_its_last_event() {
    let paid = rule(
        "PAID",
        "account",
        r#"window n #{ measure: "count", role: "debtor", length: "60d" };"#,
        "is_debtor",
        "${n} paid",
    );
    let mut world = World::new(&[paid]);
    let next =
        |id: &str, at: Span| PaymentEvent { payment_id: Some("P".to_owned()), ..payment(id, at, SOMEBODY) };
    assert_eq!(world.pay(next("E1", Span::ZERO)), ["1 paid"]);
    assert_eq!(world.pay(next("E2", Span::days(29))), [""; 0], "it counted");
    let last = Span::minutes(59 * 24 * 60 - 1);
    world.pay(payment("other", last, SOMEBODY));
    assert_eq!(world.pay(next("E3", last)), [""; 0], "30 days less a minute after its last event");
    world.pay(payment("another", Span::days(90), SOMEBODY));
    // 59 days hold the other one; the payment is forgotten, and a payment of its id is a new one.
    assert_eq!(world.pay(next("E4", Span::days(90))), ["3 paid"]);
    assert_eq!(world.engine.keys(), 2, "one account pays, one is paid");
}

#[test]
fn a_party_is_known_for_as_long_as_windows_reach() {
    for (days, met) in [(60, 1), (399, 1), (401, 0)] {
        let mut world = World::new(&[]);
        world.lists(0);
        world.pay(payment("E1", Span::ZERO, "Borislav Tremontov"));
        world.pay(payment("E2", Span::days(days), SOMEBODY));
        let before = world.out.alerts.len();
        world.lists(1);
        assert_eq!(world.out.alerts.len() - before, met, "{days} days later");
    }
}

#[test]
fn a_late_event_at_the_edge_of_a_window_stays_outside() {
    let hour = rule(
        "HOUR",
        "account",
        r#"window n #{ measure: "count", role: "debtor", length: "1h" };"#,
        "is_debtor",
        "${n}",
    );
    let mut world = World::new(&[hour]);
    assert_eq!(world.pay(payment("E1", Span::minutes(60), SOMEBODY)), ["1"]);
    assert_eq!(world.pay(payment("E2", Span::ZERO, SOMEBODY)), ["1"], "late, and alone in its own hour");
    assert_eq!(world.pay(payment("E3", Span::minutes(60), SOMEBODY)), ["2"], "an hour before is outside");
    assert_eq!(world.pay(payment("E4", Span::minutes(1), SOMEBODY)), ["2"], "a minute later is inside");
    assert_eq!(world.pay(payment("E5", Span::minutes(60), SOMEBODY)), ["4"]);
}

/// What a wrong clock brought must not make windows blind for as long as it was ahead.
#[test]
fn windows_see_again_once_stream_time_is_set_back() {
    let hour = rule(
        "HOUR",
        "account",
        r#"window n #{ measure: "count", role: "debtor", length: "1h" };
        window fresh #{ measure: "distinct_new", of: counterparty.account, where: has(counterparty.account), role: "debtor", length: "1h" };"#,
        "is_debtor",
        "${n}, ${fresh} new",
    );
    let mut world = World::new(&[hour]);
    assert_eq!(world.pay(payment("E1", Span::ZERO, SOMEBODY)), ["1, 1 new"]);
    let mut wrong = payment("E2", Span::days(400), SOMEBODY);
    wrong.creditor.as_mut().unwrap().account = Some("C".to_owned());
    assert_eq!(world.pay(wrong), ["1, 1 new"]);
    let to = START.plus(Span::hours(2));
    world.order(Control::SetStreamTime(SetStreamTime { to, reason: "a wrong clock".to_owned(), at: to }));
    for (n, minute) in (1..).zip([121, 122, 123]) {
        let said = world.pay(payment(&format!("F{n}"), Span::minutes(minute), SOMEBODY));
        assert_eq!(said, [format!("{n}, 0 new")]);
    }
}
