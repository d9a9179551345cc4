//! How events reach their reader: in order, or with some late and some twice, as networks deliver them.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use sluice_model::{EventTime, Span};

use super::Labelled;
use crate::{chance::within, fault::rng::Rng};

/// How far delivery departs from the order of times. By default not at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Delivery {
    /// Of a thousand events, how many come late.
    pub late: u64,
    /// By how much at most.
    pub late_by: Span,
    /// Of a thousand events, how many come a second time, within `late_by` too.
    pub twice: u64,
}

/// Holds events back until they are due.
pub(super) struct Dispatch {
    delivery: Delivery,
    rng: Rng,
    held: BinaryHeap<Reverse<Delayed>>,
    /// The time of the newest event handed in: nothing still to come can be due before it.
    now: Option<EventTime>,
    handed_in: u64,
}

struct Delayed {
    due: EventTime,
    number: u64,
    event: Labelled,
}

impl Dispatch {
    pub(super) fn new(delivery: Delivery, seed: u64) -> Self {
        Self { delivery, rng: Rng::new(!seed), held: BinaryHeap::new(), now: None, handed_in: 0 }
    }

    /// Whether events come otherwise than in order.
    pub(super) const fn disturbs(&self) -> bool {
        self.delivery.late > 0 || self.delivery.twice > 0
    }

    pub(super) fn hand_in(&mut self, event: Labelled) {
        let at = event.event.occurred_at;
        self.now = Some(at);
        if self.rng.bits() % 1_000 < self.delivery.twice {
            // The second copy ends no pattern: its label came with the first.
            let again = Labelled { label: None, ..event.clone() };
            let due = at.plus(within(self.delivery.late_by, &mut self.rng));
            self.hold(due, again);
        }
        let late = self.rng.bits() % 1_000 < self.delivery.late;
        let by = if late { within(self.delivery.late_by, &mut self.rng) } else { Span::ZERO };
        self.hold(at.plus(by), event);
    }

    fn hold(&mut self, due: EventTime, event: Labelled) {
        self.handed_in += 1;
        self.held.push(Reverse(Delayed { due, number: self.handed_in, event }));
    }

    /// Whether the first event held may go: nothing handed in later can come before it.
    pub(super) fn has_due(&self) -> bool {
        matches!((self.held.peek(), self.now), (Some(Reverse(first)), Some(now)) if first.due < now)
    }

    pub(super) fn take(&mut self) -> Option<Labelled> {
        self.held.pop().map(|Reverse(held)| held.event)
    }
}

impl PartialEq for Delayed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Delayed {}

impl PartialOrd for Delayed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Delayed {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}
