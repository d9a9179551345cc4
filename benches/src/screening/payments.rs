//! Simulated payments, screened as the engine screens them.

use std::collections::BTreeSet;

use sluice_lists::Screener;
use sluice_model::{EventTime, PartyMatch, PaymentEvent};
use sluice_simulator::traffic::{Config, Traffic};

/// Simulated payments between ordinary parties of Hong Kong and abroad; none goes to a listed party.
pub fn payments(count: usize) -> Vec<PaymentEvent> {
    let start = EventTime::from_micros(1_767_225_600_000_000);
    Traffic::new(Config::spanning(count as u64, 7, start)).take(count).map(|l| l.event).collect()
}

/// Of payments, how many meet something, and whose names it is that do, with what they met best.
pub fn held(screener: &Screener, payments: &[PaymentEvent]) -> (usize, BTreeSet<(String, String)>) {
    let mut names = BTreeSet::new();
    let met = payments.iter().filter(|payment| {
        let found = screener.screen_event(payment);
        let told = |m: &PartyMatch| {
            let best = m.matches.first();
            (m.name.clone(), best.map_or_else(String::new, |b| format!("{:.3} {}", b.score, b.name)))
        };
        names.extend(found.matches.iter().map(told));
        !found.matches.is_empty() || !found.not_screened.is_empty()
    });
    (met.count(), names)
}
