//! No event that moves money ends without having been screened whole and judged by every rule in force, or without a hold
//! that says what was not; and what an officer lets go is what they saw, not what comes after it.
//!
//! One payment goes through whatever a source may do to it. Every reason why it must not go on is worked out here from the
//! event alone; an answer that lets it go on needs each of them to have been told, and let go.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::prelude::*;
use sluice_core::{Engine, EngineConfig, Library, Output, Stage, Unavailable};
use sluice_lists::{Entry, ListVersion, Screener, Settings};
use sluice_model::{
    Action, AlertId, Control, Currency, Device, EntryKind, EventRecord, EventTime, Hash256, Money, Outcome,
    Party, PaymentEvent, PaymentRecord, PaymentStatus, Release, RuleBundle, RuleFile, Screening, Span,
    limits::NAME_CHARS_MAX,
};

const START: EventTime = EventTime::from_micros(1_800_000_000_000_000);
const LISTED: [&str; 2] = ["Borislav Tremontov", "Golden Lantern Trading Limited"];
/// From this amount on somebody has to look.
const LARGE: i64 = 800_000;

/// Who stands on a side.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Who {
    Plain,
    Listed(usize),
    TooLong,
    Unreadable,
    Unnamed,
}

/// What the lists are worth when an event comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lists {
    Good,
    Unreadable,
    TooOld,
}

/// One event, and what an officer does after it.
#[derive(Clone, Debug)]
struct Step {
    status: PaymentStatus,
    minor: i64,
    currency: Currency,
    sides: [Option<Who>; 2],
    in_between: Option<Who>,
    device: Option<&'static str>,
    lists: Lists,
    let_go: bool,
}

/// A reason why an event must not go on before somebody has looked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reason {
    /// A party meets a list: in which part, whom.
    Listed(&'static str, usize),
    /// Something was not looked at: in which part (none: the whole), why.
    NotScreened(&'static str, &'static str),
    /// So much money.
    Large,
    /// Nobody can say how much.
    NoRate,
    /// The device is in a place that nobody deals with.
    Far,
}

/// A reason, in which currency, and how the payment goes back if it does.
type About = (Reason, Currency, Option<PaymentStatus>);

impl Reason {
    /// Which alert tells it.
    fn rules(&self) -> &'static [&'static str] {
        match self {
            Self::Listed(..) => &["LIST"],
            Self::NotScreened(..) => &["ENGINE-NOT-SCREENED"],
            Self::Large | Self::NoRate => &["BIG"],
            Self::Far => &["FAR"],
        }
    }
}

impl Step {
    fn event(&self, n: usize) -> PaymentEvent {
        let mut event = PaymentEvent::new(format!("E{n}"), START.plus(Span::minutes(n as i64)));
        event.payment_id = Some("P".to_owned());
        event.status = self.status;
        event.amount = Some(Money::new(self.minor, self.currency));
        event.debtor = self.sides[0].map(|who| party("A", who));
        event.creditor = self.sides[1].map(|who| party("B", who));
        event.intermediaries = self.in_between.map(|who| party("C", who)).into_iter().collect();
        event.device =
            self.device.map(|country| Device { country: Some(country.to_owned()), ..Device::default() });
        event
    }

    /// Everything that somebody has to look at, of an event worth `minor`. `named` are the sides that were named and looked
    /// at before.
    fn reasons(&self, minor: i64, named: [bool; 2]) -> BTreeSet<Reason> {
        let mut reasons = BTreeSet::new();
        match self.lists {
            Lists::Good => {}
            Lists::Unreadable => drop(reasons.insert(Reason::NotScreened("", "unreadable"))),
            Lists::TooOld => drop(reasons.insert(Reason::NotScreened("", "too old"))),
        }
        let parts =
            [("debtor", self.sides[0]), ("creditor", self.sides[1]), ("intermediary", self.in_between)];
        for (at, (part, who)) in parts.into_iter().enumerate() {
            let before = named.get(at).copied().unwrap_or(true);
            let seen = self.lists != Lists::Unreadable;
            match who {
                Some(Who::Listed(entry)) if seen => drop(reasons.insert(Reason::Listed(part, entry))),
                Some(Who::TooLong) if seen => drop(reasons.insert(Reason::NotScreened(part, "too long"))),
                Some(Who::Unreadable) if seen => drop(reasons.insert(Reason::NotScreened(part, "signs"))),
                None | Some(Who::Unnamed) if seen && !before => {
                    reasons.insert(Reason::NotScreened(part, "unnamed"));
                }
                _ => {}
            }
        }
        match self.currency {
            Currency::HKD if minor >= LARGE => drop(reasons.insert(Reason::Large)),
            Currency::HKD => {}
            _ => drop(reasons.insert(Reason::NoRate)),
        }
        if self.device == Some("KP") {
            reasons.insert(Reason::Far);
        }
        reasons
    }
}

/// What was captured before, in which currency, and one capture more. Another currency begins anew.
fn add_up((captured, currency): (i64, Currency), capture: &Step) -> (i64, Currency) {
    let before = if currency == capture.currency { captured } else { 0 };
    (before + capture.minor, capture.currency)
}

fn party(account: &str, who: Who) -> Party {
    let name = match who {
        Who::Plain => Some("Chan Siu Ming".to_owned()),
        Who::Listed(entry) => Some(LISTED[entry].to_owned()),
        Who::TooLong => Some("a".repeat(NAME_CHARS_MAX + 1)),
        Who::Unreadable => Some("· ·".to_owned()),
        Who::Unnamed => None,
    };
    Party { account: Some(account.to_owned()), name, ..Party::default() }
}

/// One list of two names, where it can be read.
struct Shelf(Hash256, Arc<Screener>);

impl Library for Shelf {
    fn screener(&self, screening: &Screening) -> Result<Arc<Screener>, Unavailable> {
        let is_it = screening.lists.get("house") == Some(&self.0);
        is_it.then(|| Arc::clone(&self.1)).ok_or_else(|| Unavailable("unknown".into()))
    }
}

fn rule(id: &str, condition: &str) -> RuleFile {
    let text = format!(
        r#"rule {id} #{{ title: "{id}", key: "payment", severity: "high", action: "hold", typology: "test",
            regulation: #{{ text: "a test", source: "https://example.com", date: "2026-01-01" }},
            speaks: "every event", on_error: "hold" }};
        condition {condition};
        reason `{id}`;"#
    );
    RuleFile { path: format!("{id}.rhai"), text }
}

struct World {
    engine: Engine,
    version: Hash256,
    out: Output,
}

impl World {
    fn new() -> Self {
        let entry = |n: usize| Entry::new(format!("L{n}"), EntryKind::Person, LISTED[n]);
        let version = Arc::new(ListVersion::new("house", vec![entry(0), entry(1)]).unwrap());
        let screener = Arc::new(Screener::build(&[Arc::clone(&version)], Settings::default()));
        let shelf = Arc::new(Shelf(version.hash(), screener));
        let engine = Engine::new(EngineConfig { shards: 1 }, shelf);
        let mut world = Self { engine, version: version.hash(), out: Output::default() };
        let rules = [
            rule("LIST", "screening.matches >= 1"),
            rule("BIG", "amount >= hkd(8000)"),
            rule("FAR", r#"device.country ?? "none" == "KP""#),
        ];
        let bundle = RuleBundle::new(rules.to_vec());
        let rules = bundle.hash();
        world.order(Control::Prepare(bundle));
        world.order(Control::Activate { rules });
        world
    }

    fn order(&mut self, control: Control) {
        self.engine.apply(0, &PaymentRecord::Control(control), &mut self.out);
    }

    fn lists(&mut self, lists: Lists) {
        let hash = if lists == Lists::Unreadable { Hash256::of(b"unknown") } else { self.version };
        let mut screening =
            Screening { lists: BTreeMap::from([("house".to_owned(), hash)]), ..Screening::default() };
        if lists == Lists::TooOld {
            screening.checked_at.insert("house".to_owned(), START.minus(Span::days(2)));
            screening.age_max = Some(Span::days(1));
        }
        self.order(Control::Screening(screening));
    }
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        6 => Just(Who::Plain),
        2 => (0..LISTED.len()).prop_map(Who::Listed),
        1 => Just(Who::TooLong),
        1 => Just(Who::Unreadable),
        1 => Just(Who::Unnamed),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let moving = [
        PaymentStatus::Initiated,
        PaymentStatus::Processing,
        PaymentStatus::Authorized,
        PaymentStatus::Captured,
        PaymentStatus::Completed,
        PaymentStatus::Refunded,
        PaymentStatus::Disputed,
    ];
    let euro: Currency = "EUR".parse().unwrap();
    let side = || prop_oneof![5 => who().prop_map(Some), 1 => Just(None)];
    let lists = prop_oneof![8 => Just(Lists::Good), 1 => Just(Lists::Unreadable), 1 => Just(Lists::TooOld)];
    (
        prop::sample::select(moving.to_vec()),
        prop::sample::select(vec![100, LARGE - 1, LARGE, 2 * LARGE]),
        prop_oneof![6 => Just(Currency::HKD), 1 => Just(euro)],
        (side(), side()),
        prop::option::weighted(0.2, who()),
        prop::option::weighted(0.4, prop::sample::select(vec!["HK", "KP"])),
        lists,
        prop::bool::weighted(0.7),
    )
        .prop_map(|(status, minor, currency, (debtor, creditor), in_between, device, lists, let_go)| {
            Step { status, minor, currency, sides: [debtor, creditor], in_between, device, lists, let_go }
        })
}

proptest! {
    #[test]
    fn no_event_that_moves_money_passes_unless_every_reason_was_told_and_let_go(
        steps in prop::collection::vec(step(), 1..8),
    ) {
        let mut world = World::new();
        let (mut told, mut named) = (BTreeMap::<About, i64>::new(), [false; 2]);
        // The greatest amount since the currency last changed.
        let mut worth = (0, steps[0].currency);
        let mut captures = (0, steps[0].currency);
        let mut holding = BTreeSet::<AlertId>::new();
        for (n, step) in steps.iter().enumerate() {
            world.lists(step.lists);
            // Captures add up: each is worth what has been captured with it.
            let minor = if step.status == PaymentStatus::Captured {
                captures = add_up(captures, step);
                captures.0
            } else {
                step.minor
            };
            let reasons = step.reasons(minor, named);
            let before = world.out.alerts.len();
            let event = Arc::new(step.event(n));
            let record = EventRecord { received_at: event.occurred_at, awaited: true, late_reason: None, event };
            world.engine.apply(0, &PaymentRecord::Event(record), &mut world.out);
            let alerts: Vec<_> = world.out.alerts[before..].to_vec();
            let spoke = |reason: &Reason| {
                alerts.iter().any(|a| reason.rules().contains(&a.rule_id.as_str()) && a.action >= Action::Hold)
            };
            // What was told of the payment when it was worth as much as this event says covers it; money that goes back is
            // told anew.
            let returns = [PaymentStatus::Refunded, PaymentStatus::Disputed].contains(&step.status);
            let about = |reason: &Reason| {
                (reason.clone(), step.currency, returns.then_some(step.status))
            };
            worth = match worth {
                (known, currency) if currency == step.currency => (known.max(minor), currency),
                _ => (minor, step.currency),
            };
            // An amount was told, whichever way the money went.
            let large = told.iter().filter(|((reason, currency, _), _)| {
                *reason == Reason::Large && *currency == step.currency
            });
            let large = large.map(|(_, known)| *known).max();
            let covered = |reason: &Reason| {
                told.get(&about(reason)).is_some_and(|known| *known >= minor)
                    || (*reason == Reason::Large && large >= Some(minor))
            };
            for reason in &reasons {
                prop_assert!(
                    spoke(reason) || covered(reason),
                    "event {n}: {reason:?} was never told, of {reasons:?}; told before: {told:?}"
                );
            }
            for reason in reasons.iter().filter(|reason| spoke(reason)) {
                let known = told.entry(about(reason)).or_insert(worth.0);
                *known = worth.0.max(*known);
            }
            holding.extend(alerts.iter().filter(|a| a.action >= Action::Hold).map(|a| a.alert_id));
            let decision = world.out.decisions.last().unwrap().clone();
            prop_assert_eq!(&decision.event_id, &format!("E{n}"), "whoever waits is answered");
            prop_assert_eq!(decision.decision == Outcome::Allow, holding.is_empty());
            for (at, side) in step.sides.into_iter().enumerate() {
                named[at] |= step.lists == Lists::Good && matches!(side, Some(Who::Plain | Who::Listed(_)));
            }
            if step.let_go {
                let alerts = Some(std::mem::take(&mut holding).into_iter().collect());
                let case_id = "CASE".to_owned();
                world.order(Control::Release(Release { payment_id: "P".to_owned(), case_id, at: START, alerts }));
            }
        }
    }
}
