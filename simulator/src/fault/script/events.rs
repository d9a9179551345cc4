//! What clients send.

use std::sync::Arc;

use sluice_model::{
    Currency, Device, EventRecord, EventTime, EventType, Money, PaymentEvent, PaymentStatus, Span, StatusSet,
};

use super::{START, people, steps};
use crate::fault::rng::Rng;

/// Steps by which the stream moves on from one event to the next, at the most.
const STEPS_MAX: usize = 4;
/// Pauses after which more is forgotten each time: within the horizon of ids, beyond it, within that of payments, beyond
/// it, beyond what a month would remember of a party.
const PAUSES: [Span; 6] =
    [Span::hours(24), Span::hours(60), Span::hours(73), Span::days(20), Span::days(32), Span::days(45)];
/// Sources that take events in, each by a clock of its own.
const SOURCES: usize = 3;
/// By how much the clock of a source is off at the most, in seconds: what it stamps is still tolerated.
const OFF_BY_MAX: usize = 290;
/// How far ahead a wrong clock is.
const WRONG_CLOCK: Span = Span::days(400);

/// So many events, in order, and which of them come after a pause.
pub(super) fn write(count: usize, rng: &mut Rng) -> (Vec<EventRecord>, Vec<usize>) {
    let mut events: Vec<EventRecord> = Vec::with_capacity(count);
    let mut after_pauses = Vec::new();
    let mut now = START;
    let clocks: [Span; SOURCES] = std::array::from_fn(|_| off_by(rng));
    let wrong_clock = rng.percent(6).then(|| count / 2 + rng.below(count / 4));
    let pauses = if rng.percent(40) { 3 } else { 0 };
    for n in 0..count {
        now = now.plus(steps(rng.below(STEPS_MAX)));
        if rng.percent(pauses) {
            now = now.plus(*rng.pick(&PAUSES));
            after_pauses.push(n);
        }
        // An event that was let in although it is too old may be beyond what ids are remembered for: it is sent once.
        let is_lonely = |record: &&EventRecord| {
            record.event.debtor.as_ref().and_then(|p| p.account.as_ref()).is_some_and(|a| a.starts_with('L'))
        };
        let known: Vec<&EventRecord> = events.iter().filter(|record| !is_lonely(record)).collect();
        let again = !known.is_empty() && rng.percent(40);
        let mut event =
            if again { variation(&rng.pick(&known).event, n, now, rng) } else { fresh(n, now, rng) };
        let mut received_at =
            if rng.percent(3) { now.minus(Span::hours(2)) } else { now.plus(*rng.pick(&clocks)) };
        if wrong_clock == Some(n) {
            event = fresh(n, now.plus(WRONG_CLOCK), rng);
            received_at = now.plus(WRONG_CLOCK);
            lonely(&mut event, n);
        }
        let late_reason = !again && rng.percent(3);
        // So late is late for its keys too, whose newest event may have come by another home.
        if late_reason || event.occurred_at <= now.minus(Span::days(3)) {
            lonely(&mut event, n);
        }
        events.push(EventRecord {
            // A source's clock is off by a little, or far behind by mistake.
            received_at,
            awaited: rng.percent(30),
            late_reason: late_reason.then(|| "found in a file of last week".to_owned()),
            event: Arc::new(as_read(event)),
        });
    }
    (events, after_pauses)
}

/// By how much a clock is off: seconds or minutes, either way.
fn off_by(rng: &mut Rng) -> Span {
    let most = *rng.pick(&[10, OFF_BY_MAX]);
    Span::seconds(rng.below(2 * most) as i64 - most as i64)
}

/// As it is read from what a source writes: a party of which nothing is said is none.
fn as_read(event: PaymentEvent) -> PaymentEvent {
    let read = serde_json::to_vec(&event).and_then(|bytes| serde_json::from_slice(&bytes));
    read.unwrap_or(event)
}

fn fresh(n: usize, now: EventTime, rng: &mut Rng) -> PaymentEvent {
    let late = match rng.below(20) {
        0 => Span::days(4),
        1..=4 => steps(rng.below(18)),
        5 => Span::hours(6),
        6 => Span::hours(24),
        _ => Span::ZERO,
    };
    let mut event = PaymentEvent::new(format!("E{n}"), now.minus(late));
    event.event_type = match rng.below(40) {
        0..=2 => EventType::Customer,
        3 => EventType::Account,
        4 => EventType::Authentication,
        5 => EventType::Refund,
        6 => EventType::Payout,
        _ => EventType::Payment,
    };
    if !event.event_type.moves_money() {
        let party = if rng.percent(90) { people::customer(rng) } else { people::party(rng) };
        event.debtor = Some(party);
        return event;
    }
    event.debtor = Some(people::party(rng));
    event.payment_id = Some(payment_id(n, rng));
    event.creditor = Some(people::party(rng));
    event.amount = Some(amount(rng));
    event.status =
        *rng.pick(&[PaymentStatus::Initiated, PaymentStatus::Authorized, PaymentStatus::Completed]);
    match rng.below(20) {
        0 | 1 => event.device = Some(device(rng)),
        2 => event.related_parties = vec![people::related(rng)],
        3 => event.intermediaries = vec![people::intermediary(rng)],
        _ => {}
    }
    event
}

/// An event of parties that no other event names. A key that saw an event more than three days later is judged by what is
/// left of its past (decision 0302), which the model does not say.
fn lonely(event: &mut PaymentEvent, n: usize) {
    for (side, party) in [("D", &mut event.debtor), ("C", &mut event.creditor)] {
        if let Some(party) = party {
            (party.account, party.customer_id) = (Some(format!("L{side}{n}")), None);
        }
    }
    event.device = None;
}

/// Mostly one of its own; sometimes one that another payment has.
fn payment_id(n: usize, rng: &mut Rng) -> String {
    if rng.percent(4) { "P-SHARED".to_owned() } else { format!("P{n}") }
}

/// Few different amounts, so that some are equal; now and then in a currency with a rate, or without.
fn amount(rng: &mut Rng) -> Money {
    let minor = [50, 100, 70_000, 300_000, 900_000][rng.below(5)] + rng.below(3) as i64;
    match rng.below(25) {
        0 => Money::new(minor, Currency::CNY),
        1 | 2 => Money::new(minor, Currency::USD),
        _ => Money::new(minor, Currency::HKD),
    }
}

fn device(rng: &mut Rng) -> Device {
    Device {
        id: Some(format!("D{}", rng.below(3))),
        country: Some(if rng.percent(25) { "KP" } else { "HK" }.to_owned()),
        ..Device::default()
    }
}

/// The same event again, with the same content or other; or what follows in its payment, where nothing or one thing is
/// another.
fn variation(of: &PaymentEvent, n: usize, now: EventTime, rng: &mut Rng) -> PaymentEvent {
    let mut event = of.clone();
    // Were the first refused, the second would be new, at the time of the first.
    let is_near = of.occurred_at > now.minus(Span::hours(66));
    match rng.below(10) {
        0 | 1 if is_near => return event,
        2 if is_near => {
            event.purpose = Some("altered".to_owned());
            return event;
        }
        _ => {}
    }
    event.event_id = format!("E{n}");
    event.occurred_at = if rng.percent(10) { now.minus(steps(rng.below(12))) } else { now };
    if !event.event_type.moves_money() {
        event.debtor = Some(people::customer(rng));
        return event;
    }
    let unpaid: Vec<PaymentStatus> = StatusSet::UNPAID.iter().collect();
    let moving: Vec<PaymentStatus> = StatusSet::ALIVE.iter().collect();
    event.status = match rng.below(10) {
        0 => PaymentStatus::Refunded,
        1 => PaymentStatus::Disputed,
        2 => *rng.pick(&unpaid),
        _ => *rng.pick(&moving),
    };
    another(&mut event, rng);
    event
}

/// One thing that is another than before, or nothing.
fn another(event: &mut PaymentEvent, rng: &mut Rng) {
    match rng.below(22) {
        0 | 1 => {
            if let Some(amount) = &mut event.amount {
                amount.minor += 1 + rng.below(900_000) as i64;
            }
        }
        2 => event.amount = Some(amount(rng)),
        3 => {
            if let Some(party) = &mut event.creditor {
                party.name = Some(people::NAMES[rng.below(people::CUSTOMERS)].to_owned());
            }
        }
        4 => {
            if let Some(party) = &mut event.debtor {
                party.name = None;
            }
        }
        5 => event.creditor = Some(people::party(rng)),
        6 => {
            // The source says no more than that it goes on.
            (event.debtor, event.creditor, event.amount) = (None, None, None);
            (event.device, event.purpose) = (None, None);
        }
        7 => event.amount = None,
        8 | 9 => event.device = Some(device(rng)),
        10 => event.related_parties.push(people::related(rng)),
        11 => event.intermediaries.push(people::intermediary(rng)),
        12 => event.purpose = Some("another".to_owned()),
        13 => event.event_type = if rng.percent(50) { EventType::Chargeback } else { EventType::Refund },
        14 => (event.debtor, event.creditor) = (None, event.creditor.take()),
        _ => {}
    }
}
