//! Laundering, as the field describes it (`docs/events.md` names each typology's source), scripted onto customers
//! among their ordinary lives and labelled.

use std::{collections::BTreeMap, ops::RangeInclusive};

use sluice_model::{EventTime, Key, KeyKind, Party, Span};

use super::{
    Label, Labelled, Traffic,
    names::Listed,
    ordinary::{Holder, Plan, Transfer},
    people::Outside,
};
use crate::chance::{between, rounded, within};

/// An account is dormant after a quarter without a payment (91.3 days); it wakes some time after that.
const DORMANT_AFTER: Span = Span::days(93);
const WAKES_WITHIN: Span = Span::days(30);
/// The amount that makes a woken account speak (HK$10,000), and what comes in at the least.
const WAKES_WITH: i64 = 2_000_000;
/// Structuring keeps under HK$8,000, the amount from which the travel rule asks for particulars.
const STRUCTURED: (i64, i64) = (725_000, 799_000);

/// The patterns under way.
#[derive(Default)]
pub(super) struct Patterns {
    begun: u64,
    /// By number, so that what is unfinished comes out in one order.
    under_way: BTreeMap<u64, UnderWay>,
}

struct UnderWay {
    label: Label,
    remaining: usize,
}

impl Patterns {
    pub(super) fn unfinished(&self) -> Vec<Label> {
        let begun = self.under_way.values().filter(|under_way| !under_way.label.event_ids.is_empty());
        begun.map(|under_way| under_way.label.clone()).collect()
    }
}

impl Traffic {
    /// Begin a pattern of some kind.
    pub(super) fn begin_pattern(&mut self, at: EventTime) {
        match self.rng.below(if self.config.listed.is_empty() { 8 } else { 10 }) {
            0..2 => self.structuring(at),
            2..4 => self.fan_in(at),
            4..6 => self.fan_out(at),
            6..8 => self.pass_through(at),
            _ => self.listed_party(at),
        }
    }

    /// Three to six payments just under a threshold, to one or two payees.
    fn structuring(&mut self, at: EventTime) {
        let sender = self.city.person(&mut self.rng);
        let payees: Vec<Holder> = (0..between(1, 2, &mut self.rng))
            .map(|_| Holder::outside(self.rng.bits() >> 20, Outside::Person))
            .collect();
        let times = self.times(at, 3..=6);
        let steps: Vec<_> = times
            .into_iter()
            .map(|at| {
                let payee = self.rng.pick(&payees).clone();
                let sum = rounded(between(STRUCTURED.0, STRUCTURED.1, &mut self.rng), 1_000);
                (at, Transfer::new(Holder::Customer(sender), payee, sum, "fps"))
            })
            .collect();
        self.have_funds(sender, &steps);
        self.script("structuring", sender, steps);
    }

    /// Six to twelve payers to one account, which then sends most of it on.
    fn fan_in(&mut self, at: EventTime) {
        let collector = self.city.mule(&mut self.rng);
        let mut steps = Vec::new();
        let mut collected = 0;
        for at in self.times(at, 6..=12) {
            let sum = rounded(between(300_000, 2_500_000, &mut self.rng), 5_000);
            collected += sum;
            let payer = Holder::outside(self.rng.bits() >> 20, Outside::Person);
            steps.push((at, Transfer::new(payer, Holder::Customer(collector), sum, "fps")));
        }
        // Gathered money does not stay.
        let away = at.plus(self.config.pattern_span).plus(within(self.config.pattern_span, &mut self.rng));
        let onward = Holder::outside(self.rng.bits() >> 20, Outside::Company);
        let sum = rounded(collected * between(90, 97, &mut self.rng) / 100, 1_000);
        steps.push((away, Transfer::new(Holder::Customer(collector), onward, sum, "wire")));
        self.script("fan_in", collector, steps);
    }

    /// One account to seven to fifteen payees, within eight hours at most.
    fn fan_out(&mut self, at: EventTime) {
        let disperser = self.city.person(&mut self.rng);
        let steps: Vec<_> = self
            .times_within(at, 7..=15, Span::hours(7))
            .into_iter()
            .map(|at| {
                let payee = Holder::outside(self.rng.bits() >> 20, Outside::Person);
                let sum = rounded(between(100_000, 700_000, &mut self.rng), 10_000);
                (at, Transfer::new(Holder::Customer(disperser), payee, sum, "fps"))
            })
            .collect();
        self.have_funds(disperser, &steps);
        self.script("fan_out", disperser, steps);
    }

    /// A large sum in, and 92 to 98 % of all there is out again.
    fn pass_through(&mut self, at: EventTime) {
        let mule = self.city.mule(&mut self.rng);
        let held = self.city.customers[mule].balance;
        let sum = rounded(between(4_000_000, 30_000_000, &mut self.rng).max(held.saturating_mul(12)), 10_000);
        let times = self.times(at, 2..=4);
        let source = Holder::outside(self.rng.bits() >> 20, Outside::Company);
        let mut steps = Vec::new();
        let mut left = (sum + held) * between(94, 99, &mut self.rng) / 100;
        for (number, at) in times.iter().enumerate() {
            let transfer = if number == 0 {
                Transfer::new(source.clone(), Holder::Customer(mule), sum, "wire")
            } else {
                let last = number + 1 == times.len();
                let part = if last { left } else { left * between(30, 60, &mut self.rng) / 100 };
                left -= part;
                let to = Holder::outside(self.rng.bits() >> 20, Outside::Person);
                Transfer::new(Holder::Customer(mule), to, rounded(part, 100), "fps")
            };
            steps.push((*at, transfer));
        }
        self.script("pass_through", mule, steps);
    }

    /// A payment to a party of a list, whose name is written as people write names.
    fn listed_party(&mut self, at: EventTime) {
        let sender = self.city.person(&mut self.rng);
        let at_list = self.rng.below(self.config.listed.len());
        let payee = written(&self.config.listed[at_list], self.rng.below(3));
        let sum = rounded(between(200_000, 5_000_000, &mut self.rng), 10_000);
        let mut transfer =
            Transfer::new(Holder::Customer(sender), Holder::Other(Box::new(payee)), sum, "wire");
        transfer.purpose = Some("GDDS");
        let steps = vec![(at.plus(Span::seconds(1)), transfer)];
        self.have_funds(sender, &steps);
        self.script("listed_party", sender, steps);
    }

    /// Accounts that pay once, fall silent for more than a quarter, and wake with large sums.
    pub(super) fn plan_dormant(&mut self) {
        for account in self.city.dormant_range() {
            let begins = self.config.start.plus(within(Span::days(2), &mut self.rng));
            let wakes = begins.plus(DORMANT_AFTER).plus(within(WAKES_WITHIN, &mut self.rng));
            let first = Holder::outside(self.rng.bits() >> 20, Outside::Person);
            let source = Holder::outside(self.rng.bits() >> 20, Outside::Company);
            let onward = Holder::outside(self.rng.bits() >> 20, Outside::Person);
            let sum = rounded(between(WAKES_WITH, WAKES_WITH * 6, &mut self.rng), 10_000);
            let sent_on = rounded(sum * between(70, 95, &mut self.rng) / 100, 10_000);
            let small = Transfer::new(first, Holder::Customer(account), 50_000, "fps");
            // The first payment is ordinary; only the waking is labelled.
            self.plan_at(begins, Plan::Step { pattern: 0, transfer: Box::new(small) });
            let later = wakes.plus(Span::hours(2)).plus(within(Span::hours(10), &mut self.rng));
            let steps = vec![
                (wakes, Transfer::new(source, Holder::Customer(account), sum, "wire")),
                (later, Transfer::new(Holder::Customer(account), onward, sent_on, "fps")),
            ];
            self.script("dormancy", account, steps);
        }
    }

    /// So many moments after `at`, in order, within a pattern's span.
    fn times(&mut self, at: EventTime, count: RangeInclusive<i64>) -> Vec<EventTime> {
        self.times_within(at, count, self.config.pattern_span)
    }

    fn times_within(&mut self, at: EventTime, count: RangeInclusive<i64>, most: Span) -> Vec<EventTime> {
        let span = most.min(self.config.pattern_span);
        let count = between(*count.start(), *count.end(), &mut self.rng);
        let mut times: Vec<_> =
            (0..count).map(|_| at.plus(Span::seconds(1)).plus(within(span, &mut self.rng))).collect();
        times.sort();
        times
    }

    /// What a pattern spends was there before it: savings, as far as the stream knows.
    fn have_funds(&mut self, customer: usize, steps: &[(EventTime, Transfer)]) {
        let spent: i64 = steps.iter().map(|(_, transfer)| transfer.amount).sum();
        self.city.customers[customer].balance += spent;
    }

    /// Plan a pattern's transfers and open its label.
    fn script(&mut self, typology: &'static str, subject: usize, steps: Vec<(EventTime, Transfer)>) {
        let (Some((from, _)), Some((to, _))) = (steps.first(), steps.last()) else { return };
        let party = &self.city.customers[subject].party;
        let key = Key { kind: KeyKind::Account, value: party.account.clone().unwrap_or_default() };
        let subjects = party.customer_id.iter().cloned().collect();
        let label = Label { typology, key, subjects, event_ids: Vec::new(), from: *from, to: *to };
        self.patterns.begun += 1;
        let pattern = self.patterns.begun;
        self.patterns.under_way.insert(pattern, UnderWay { label, remaining: steps.len() });
        for (at, transfer) in steps {
            self.plan_at(at, Plan::Step { pattern, transfer: Box::new(transfer) });
        }
    }

    pub(super) fn step_of_pattern(&mut self, at: EventTime, pattern: u64, transfer: &Transfer) {
        let typology = self.patterns.under_way.get(&pattern).map(|under_way| under_way.label.typology);
        let ids = self.transfer(at, transfer, typology);
        let Some(under_way) = self.patterns.under_way.get_mut(&pattern) else { return };
        if typology == Some("listed_party") {
            under_way.label.key = Key { kind: KeyKind::Payment, value: ids.payment_id };
        }
        under_way.label.event_ids.push(ids.event_id);
        under_way.remaining -= 1;
        if under_way.remaining == 0 {
            let ended = self.patterns.under_way.remove(&pattern).map(|under_way| under_way.label);
            if let Some(Labelled { label, .. }) = self.ready.back_mut() {
                *label = ended;
            }
        }
    }
}

/// A listed party as the payee of a payment: as listed, in capitals, or with its last word first.
fn written(listed: &Listed, how: usize) -> Party {
    let name = match (how, listed.name.rsplit_once(' ')) {
        (1, _) => listed.name.to_uppercase(),
        (2, Some((first, last))) if listed.kind == sluice_model::EntryKind::Person => {
            format!("{last} {first}")
        }
        _ => listed.name.clone(),
    };
    Party {
        name: Some(name),
        name_local: listed.name_local.clone(),
        kind: Some(listed.kind),
        country: listed.country.clone(),
        account: Some("900000000001".into()),
        ..Party::default()
    }
}
