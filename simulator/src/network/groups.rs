//! Groups that launder: what the field calls fan-in, fan-out, gather-scatter, scatter-gather and cycle.

use sluice_model::{EventTime, Span};

use super::{Account, Network, Transfer};
use crate::chance::{amount, between};

const KINDS: [&str; 5] = ["fan_in", "fan_out", "gather_scatter", "scatter_gather", "cycle"];
/// How many accounts stand around the one that collects or disperses.
const MEMBERS: (i64, i64) = (3, 20);
/// How many accounts a cycle leads through.
const HOPS: (i64, i64) = (3, 10);
/// How long a group takes from its first payment to its last, in days.
const PERIODS: [i64; 6] = [1, 3, 7, 14, 30, 60];
/// Accounts opened or bought for the purpose, in percent; the others have an ordinary life besides.
const FRESH_PERCENT: usize = 40;
/// Runners who come a second time, in percent.
const AGAIN_PERCENT: usize = 10;

/// The plan of one group.
struct Scheme {
    label: (usize, &'static str),
    first: EventTime,
    period: Span,
    /// What one payment is about.
    median: i64,
    /// Whether all payments are nearly the same.
    alike: bool,
    /// Whether payments come at even distances.
    even: bool,
}

impl Network {
    /// All groups.
    pub(super) fn launder(&mut self) {
        for number in 0..self.config.groups * KINDS.len() {
            let kind = KINDS[number % KINDS.len()];
            let days = *self.rng.pick(&PERIODS);
            let first = self.moment(0, self.config.days - days - 1);
            let scheme = Scheme {
                label: (number, kind),
                first,
                period: Span::days(days),
                median: between(80_000, 900_000, &mut self.rng),
                alike: self.rng.percent(50),
                even: self.rng.percent(30),
            };
            let hub = self.recruit();
            match kind {
                "fan_in" => self.gather(&scheme, hub, 0, 100),
                "fan_out" => self.scatter(&scheme, hub, 0, 100),
                "gather_scatter" => {
                    self.gather(&scheme, hub, 0, 50);
                    self.scatter(&scheme, hub, 50, 100);
                }
                "scatter_gather" => self.scatter_gather(&scheme, hub),
                _ => self.cycle(&scheme, hub),
            }
        }
    }

    fn gather(&mut self, scheme: &Scheme, hub: Account, from: i64, to: i64) {
        let members = between(MEMBERS.0, MEMBERS.1, &mut self.rng);
        for i in 0..members {
            let member = self.recruit();
            self.step(scheme, member, hub, (from, to), (i, members));
            if self.rng.percent(AGAIN_PERCENT) {
                self.step(scheme, member, hub, (from, to), (i, members));
            }
        }
    }

    fn scatter(&mut self, scheme: &Scheme, hub: Account, from: i64, to: i64) {
        let members = between(MEMBERS.0, MEMBERS.1, &mut self.rng);
        for i in 0..members {
            let member = self.recruit();
            self.step(scheme, hub, member, (from, to), (i, members));
        }
    }

    fn scatter_gather(&mut self, scheme: &Scheme, source: Account) {
        let sink = self.recruit();
        let members = between(MEMBERS.0, MEMBERS.1, &mut self.rng);
        for i in 0..members {
            let member = self.recruit();
            self.step(scheme, source, member, (0, 50), (i, members));
            self.step(scheme, member, sink, (50, 100), (i, members));
        }
    }

    /// Round and back, each hop later than the one before.
    fn cycle(&mut self, scheme: &Scheme, origin: Account) {
        let hops = between(HOPS.0, HOPS.1, &mut self.rng);
        let mut from = origin;
        for hop in 0..hops {
            let to = if hop + 1 == hops { origin } else { self.recruit() };
            let stretch = (hop * 100 / hops, (hop + 1) * 100 / hops - 1);
            self.step(scheme, from, to, stretch, (0, 1));
            from = to;
        }
    }

    /// A payment within a stretch of the group's period, in percent of it; the `i`th of `of`.
    fn step(
        &mut self,
        scheme: &Scheme,
        from: Account,
        to: Account,
        stretch: (i64, i64),
        (i, of): (i64, i64),
    ) {
        let micros = |percent: i64| scheme.period.micros() / 100 * percent;
        let (begin, end) = (micros(stretch.0), micros(stretch.1));
        let after = match scheme.even {
            true => begin + (end - begin) / of * i,
            false => between(begin, end, &mut self.rng),
        };
        let amount = match scheme.alike {
            true => scheme.median / 100 * between(95, 105, &mut self.rng),
            false => amount(scheme.median, &mut self.rng),
        };
        let at = scheme.first.plus(Span::from_micros(after));
        self.transfers.push(Transfer { at, from, to, amount, group: Some(scheme.label) });
    }

    /// An account for the purpose, or somebody's.
    fn recruit(&mut self) -> Account {
        match self.rng.percent(FRESH_PERCENT) {
            true => self.open(1).start,
            false => self.rng.below(self.config.private),
        }
    }
}
