//! Labelled payment traffic: people, companies and merchants of an invented city, what they ordinarily do, and
//! laundering among it, told apart by labels.
//!
//! Everything is a function of [`Config`]: the same seed gives the same events, ids, times and labels on every
//! machine (distributions are integer tables, not floating point). Names are put together from small tables of
//! common words; whoever they resemble, they are nobody's.
//!
//! **Invariant.** No clock: times begin at `Config::start` and follow from the seed.

mod delivery;
mod demo;
mod names;
mod ordinary;
mod patterns;
mod people;
mod rhythm;

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, VecDeque},
};

use serde::Serialize;
use sluice_model::{EventTime, Key, PaymentEvent, Span};

pub use delivery::Delivery;
pub use demo::{DEMO_LISTED, demo_list_csv};
pub use names::Listed;

use crate::fault::rng::Rng;
use delivery::Dispatch;
use ordinary::Plan;
use patterns::Patterns;
use people::City;

/// What traffic to make.
#[derive(Clone, Debug)]
pub struct Config {
    /// Everything follows from it.
    pub seed: u64,
    /// When the first event may happen.
    pub start: EventTime,
    /// People and companies that bank with the institution.
    pub customers: usize,
    /// Ordinary events a day, on average over a week.
    pub events_per_day: u64,
    /// How many laundering patterns begin for 10,000 ordinary events.
    pub patterns: u64,
    /// How long a pattern takes at most; shorter for live demonstrations.
    pub pattern_span: Span,
    /// Listed parties, to some of whom payments go.
    pub listed: Vec<Listed>,
    /// Stands before every event's and payment's id, so that two streams never share one.
    pub ids: String,
    /// How the events reach the reader.
    pub delivery: Delivery,
}

/// About as many ordinary events as a customer has in a day.
const EVENTS_PER_CUSTOMER_AND_DAY: u64 = 1;
/// How many days [`Config::spanning`] spreads its events over: enough for an account to fall dormant and wake.
const DAYS_SPANNED: u64 = 150;
/// The fewest and most customers that [`Config::spanning`] makes.
const CUSTOMERS_SPANNED: std::ops::RangeInclusive<u64> = 60..=20_000;

impl Config {
    /// Traffic whose first `events` events fill about five months.
    pub fn spanning(events: u64, seed: u64, start: EventTime) -> Self {
        let events_per_day = (events / DAYS_SPANNED).max(1);
        let customers = (events_per_day / EVENTS_PER_CUSTOMER_AND_DAY)
            .clamp(*CUSTOMERS_SPANNED.start(), *CUSTOMERS_SPANNED.end());
        Self {
            seed,
            start,
            customers: usize::try_from(customers).unwrap_or(usize::MAX),
            events_per_day,
            patterns: 15,
            pattern_span: Span::hours(20),
            listed: Vec::new(),
            ids: format!("sim{seed}"),
            delivery: Delivery::default(),
        }
    }
}

/// One event of the stream, with the typology it belongs to, if it is no ordinary one.
#[derive(Clone, PartialEq, Debug)]
pub struct Labelled {
    /// The event.
    pub event: PaymentEvent,
    /// The pattern it is part of.
    pub typology: Option<&'static str>,
    /// The label of a pattern, with the event that ends it.
    pub label: Option<Label>,
}

/// A pattern of laundering in the stream: what it is, on which key it shows, and which events make it up.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Label {
    /// `structuring`, `fan_in`, `fan_out`, `pass_through`, `dormancy` or `listed_party`.
    pub typology: &'static str,
    /// The account that collects, disperses or sends; for a listed party, the payment.
    pub key: Key,
    /// The customers behind it.
    pub subjects: Vec<String>,
    /// Its events, in their order.
    pub event_ids: Vec<String>,
    /// When it began.
    pub from: EventTime,
    /// When it ended.
    pub to: EventTime,
}

/// An endless stream of labelled events, in the order of their times (unless [`Delivery`] disturbs it).
pub struct Traffic {
    city: City,
    patterns: Patterns,
    rng: Rng,
    config: Config,
    /// When the next ordinary event happens.
    next_ordinary: EventTime,
    /// What is to happen at a known time.
    planned: BinaryHeap<Planned>,
    /// How many plans were ever made: breaks ties in their order.
    plans: u64,
    /// How many ids were ever given.
    ids: u64,
    /// Events that are ready, in order.
    ready: VecDeque<Labelled>,
    dispatch: Dispatch,
}

/// Something that is to happen at a time.
struct Planned {
    at: EventTime,
    number: u64,
    plan: Plan,
}

impl Traffic {
    /// The traffic that a configuration describes.
    pub fn new(config: Config) -> Self {
        let mut rng = Rng::new(config.seed);
        let city = City::new(config.customers, &mut rng);
        let mut traffic = Self {
            patterns: Patterns::default(),
            next_ordinary: config.start,
            planned: BinaryHeap::new(),
            plans: 0,
            ids: 0,
            ready: VecDeque::new(),
            dispatch: Dispatch::new(config.delivery, config.seed),
            city,
            rng,
            config,
        };
        traffic.plan_calendar();
        traffic.plan_dormant();
        traffic.advance_ordinary(traffic.config.start);
        traffic
    }

    /// The labels of patterns that have begun and whose end has not been reached, with the events so far.
    pub fn unfinished(&self) -> Vec<Label> {
        self.patterns.unfinished()
    }

    fn plan_at(&mut self, at: EventTime, plan: Plan) {
        self.plans += 1;
        self.planned.push(Planned { at, number: self.plans, plan });
    }

    /// Let the next thing happen, whatever it is; it may leave events in `ready`.
    fn step(&mut self) {
        let due = self.planned.peek().filter(|planned| planned.at <= self.next_ordinary).is_some();
        match if due { self.planned.pop() } else { None } {
            Some(Planned { at, plan, .. }) => self.carry_out(at, plan),
            None => {
                let at = self.next_ordinary;
                self.ordinary(at);
                if self.rng.bits() % 10_000 < self.config.patterns {
                    self.begin_pattern(at);
                }
                self.advance_ordinary(at);
            }
        }
    }

    fn advance_ordinary(&mut self, from: EventTime) {
        self.next_ordinary = rhythm::next(from, self.config.events_per_day, &mut self.rng);
    }

    fn next_in_order(&mut self) -> Labelled {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return ready;
            }
            self.step();
        }
    }
}

impl Iterator for Traffic {
    type Item = Labelled;

    fn next(&mut self) -> Option<Labelled> {
        if !self.dispatch.disturbs() {
            return Some(self.next_in_order());
        }
        while !self.dispatch.has_due() {
            let event = self.next_in_order();
            self.dispatch.hand_in(event);
        }
        self.dispatch.take()
    }
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    /// The earliest is the greatest: a heap gives its greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}
