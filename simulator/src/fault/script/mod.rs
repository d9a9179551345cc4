//! What clients and officers do in one simulation: payments that change in every way, duplicates, conflicts, disorder and
//! wrong clocks, and orders of every kind in between. All of it follows from the seed.

mod events;
mod orders;
mod people;

use std::{collections::BTreeMap, sync::Arc};

use sluice_lists::ListVersion;
use sluice_model::{Control, EventRecord, EventTime, Hash256, ListSet, RuleBundle, Screening, Span, Unnamed};

pub(super) use self::{
    orders::{Order, Take},
    people::{NAMES, YOUNG},
};
use super::rng::Rng;

/// 2026-01-01T00:00:00Z: where the stream begins.
const START: EventTime = EventTime::from_micros(1_767_225_600_000_000);
/// Times are whole steps apart, so that windows end at events often.
const STEP: Span = Span::minutes(10);

/// Events in the order in which clients first try to send them, and orders with their places between them.
pub(super) struct Script {
    /// What clients send.
    pub events: Vec<EventRecord>,
    /// The events before which the stream stands still for a day or more: by then everything before has been applied.
    pub after_pauses: Vec<usize>,
    /// What officers do: before the event at that index.
    pub orders: Vec<(usize, Order)>,
}

/// What scripts choose from.
pub struct Repertoire {
    /// Rule sets: the first is in force from the beginning; another differs in a parameter, another in its windows, the
    /// last does not compile.
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
        Control::Screening(self.screening(which, Unnamed::default()))
    }

    fn screening(&self, which: usize, unnamed: Unnamed) -> Screening {
        let version = &self.lists[which];
        let lists: ListSet = BTreeMap::from([(version.source().to_owned(), version.hash())]);
        Screening { lists, unnamed, ..Screening::default() }
    }
}

impl Script {
    /// A script of about so many events.
    pub(super) fn new(repertoire: &Repertoire, events: usize, rng: &mut Rng) -> Self {
        let (events, after_pauses) = events::write(events, rng);
        let orders = orders::write(repertoire, &events, rng);
        Self { events, after_pauses, orders }
    }
}

/// A whole number of steps.
fn steps(n: usize) -> Span {
    Span::from_micros(STEP.micros() * n as i64)
}
