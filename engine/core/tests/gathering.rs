//! The decision on an event: the hardest of what was found, once everybody who was asked has answered, whatever came
//! first; and where orders go.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use sluice_core::{
    Distributor, DistributorOutput, Gather, GatherOutput, HOLDS_KEPT_FOR, Home, HomeOutput, Layout, NoLists,
    Publication, Published, REASON_ON_DEADLINE, Speaker, Stage, Verdict, VerdictFinding, VerdictRecord,
    partition_of,
};
use sluice_model::{
    Control, Decision, EventRecord, EventTime, Freeze, Hash256, HoldOutcome, Key, KeyKind, Outcome,
    PaymentEvent, PaymentRecord, Release, Span, Topic, Unfreeze, limits::DEDUPE_HORIZON,
};

const NOW: EventTime = EventTime::from_micros(1_800_000_000_000_000);

fn key(value: &str) -> Key {
    Key { kind: KeyKind::Account, value: value.to_owned() }
}

fn found(n: u8, outcome: Outcome) -> VerdictFinding {
    VerdictFinding { alert_id: Hash256([n; 32]), outcome, reason: format!("reason {n}") }
}

fn verdict(from: Speaker, found: Vec<VerdictFinding>) -> VerdictRecord {
    VerdictRecord::Verdict(Verdict {
        payment_id: "P".to_owned(),
        event_id: "E".to_owned(),
        offset: 7,
        at: NOW,
        awaited: true,
        from,
        outcome: found.iter().map(|found| found.outcome).max().unwrap_or_default(),
        found,
    })
}

fn apply(gather: &mut Gather, records: &[VerdictRecord]) -> Vec<Decision> {
    let mut out = GatherOutput::default();
    records.iter().for_each(|record| gather.apply(0, record, &mut out));
    out.decisions
}

#[test]
fn the_hardest_finding_decides_whatever_its_alert_is_called_and_whenever_it_comes() {
    let outcomes = [Outcome::Allow, Outcome::Hold, Outcome::Reject];
    for (a, b, c) in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)] {
        let of = |n: u8, place: usize| vec![found(n, outcomes[place])];
        let decisions = apply(
            &mut Gather::default(),
            &[
                verdict(Speaker::Key(key("A")), of(1, a)),
                verdict(Speaker::Home { asked: 2 }, of(2, b)),
                verdict(Speaker::Key(key("B")), of(3, c)),
            ],
        );
        assert_eq!(decisions.len(), 1);
        assert_eq!(decisions[0].decision, Outcome::Reject, "{a} {b} {c}");
        assert_eq!(decisions[0].alerts.len(), 3);
    }
}

#[test]
fn nothing_is_decided_before_the_last_answer() {
    let mut gather = Gather::default();
    let asked = verdict(Speaker::Home { asked: 2 }, Vec::new());
    assert_eq!(apply(&mut gather, &[asked, verdict(Speaker::Key(key("A")), Vec::new())]), []);
    // The same key answers once, however often it is heard.
    assert_eq!(apply(&mut gather, &[verdict(Speaker::Key(key("A")), Vec::new())]), []);
    let last = verdict(Speaker::Key(key("B")), vec![found(1, Outcome::Hold)]);
    let decisions = apply(&mut gather, &[last]);
    assert_eq!(decisions.iter().map(|d| d.decision).collect::<Vec<_>>(), [Outcome::Hold]);
    let again = verdict(Speaker::Home { asked: 0 }, Vec::new());
    assert_eq!(apply(&mut gather, &[again]), [], "it is decided");
}

#[test]
fn nothing_is_decided_where_nobody_waits() {
    let VerdictRecord::Verdict(unasked) = verdict(Speaker::Home { asked: 0 }, Vec::new()) else { panic!() };
    let unasked = VerdictRecord::Verdict(Verdict { awaited: false, ..unasked });
    assert_eq!(apply(&mut Gather::default(), &[unasked]), []);
}

/// As long as a home may know the id of an event, and so may ask for its answer: three days and the hour that ids are
/// forgotten by.
#[test]
fn an_answer_is_kept_as_long_as_its_event_may_be_asked_for_again() {
    let asks = |event: &str, at: EventTime| VerdictRecord::Again {
        at,
        payment_id: format!("payment of {event}"),
        event_id: event.to_owned(),
        offset: 9,
    };
    let kept = NOW.plus(DEDUPE_HORIZON).plus(Span::hours(1));
    for (later, alerts) in [(kept, 1), (kept.plus(Span::from_micros(1)), 0)] {
        let mut gather = Gather::default();
        apply(&mut gather, &[verdict(Speaker::Home { asked: 0 }, vec![found(1, Outcome::Allow)])]);
        // Answers are forgotten when another is given.
        let told = apply(&mut gather, &[asks("other", later), asks("E", later)]);
        assert_eq!(told[1].alerts.len(), alerts);
        assert_eq!(told[1].offset, Some(9), "the event that asks");
    }
}

/// A verdict that moves no payment's home may be the last that gathering hears of the time.
#[test]
fn a_homes_verdict_tells_how_late_it_is() {
    let mut home = Home::new(Arc::new(NoLists));
    let mut out = HomeOutput::default();
    for (n, at) in [NOW.plus(Span::minutes(5)), NOW].into_iter().enumerate() {
        let event = PaymentEvent::new(format!("E{n}"), at);
        let record = EventRecord { received_at: at, awaited: true, late_reason: None, event: event.into() };
        home.apply(0, &PaymentRecord::Event(record), &mut out);
    }
    let times = out.verdicts.iter().map(|record| match record {
        VerdictRecord::Verdict(verdict) => verdict.at,
        other => panic!("{other:?}"),
    });
    assert_eq!(times.collect::<Vec<_>>(), [NOW.plus(Span::minutes(5)); 2]);
}

#[test]
fn a_deadline_holds_what_would_have_been_allowed_and_lowers_nothing() {
    let late = || VerdictRecord::Deadline {
        payment_id: "P".to_owned(),
        event_id: "E".to_owned(),
        found: Some(found(9, Outcome::Hold)),
    };
    for (outcome, answer) in
        [(Outcome::Allow, Outcome::Hold), (Outcome::Hold, Outcome::Hold), (Outcome::Reject, Outcome::Reject)]
    {
        let asked = verdict(Speaker::Home { asked: 1 }, vec![found(1, outcome)]);
        let answered = verdict(Speaker::Key(key("A")), Vec::new());
        let before = apply(&mut Gather::default(), &[asked.clone(), late(), answered.clone()]);
        assert_eq!(
            before.iter().map(|d| (d.decision, d.deadline_passed)).collect::<Vec<_>>(),
            [(answer, true)]
        );
        let after = apply(&mut Gather::default(), &[asked, answered, late(), late()]);
        let told: Vec<_> = after.iter().map(|d| (d.decision, d.deadline_passed)).collect();
        assert_eq!(told, [(outcome, false), (answer, true)], "once, however often it passes");
    }
    // Why it was held is said once, whether its alert says so or not.
    for reason in ["another", REASON_ON_DEADLINE] {
        let found = VerdictFinding { reason: reason.to_owned(), ..found(9, Outcome::Hold) };
        let passed = VerdictRecord::Deadline {
            payment_id: "P".to_owned(),
            event_id: "E".to_owned(),
            found: Some(found),
        };
        let told = apply(&mut Gather::default(), &[verdict(Speaker::Home { asked: 1 }, Vec::new()), passed]);
        let says_so = told[0].reasons.iter().filter(|reason| *reason == REASON_ON_DEADLINE).count();
        assert_eq!(says_so, 1, "{:?}", told[0].reasons);
    }
}

#[test]
fn an_order_of_an_older_version_releases_everything() {
    let mut gather = Gather::default();
    let asked =
        || verdict(Speaker::Home { asked: 0 }, vec![found(1, Outcome::Hold), found(2, Outcome::Reject)]);
    apply(&mut gather, &[asked()]);
    let mut out = GatherOutput::default();
    let order = Release { payment_id: "P".to_owned(), case_id: "CASE".to_owned(), at: NOW, alerts: None };
    gather.apply(0, &VerdictRecord::Released(order), &mut out);
    assert_eq!(out.holds[0].state, HoldOutcome::Released);
    assert_eq!(out.holds[0].alerts.len(), 2);
    // Nothing holds the payment's next event.
    let VerdictRecord::Verdict(next) = verdict(Speaker::Home { asked: 0 }, Vec::new()) else { panic!() };
    let next = VerdictRecord::Verdict(Verdict { event_id: "E2".to_owned(), ..next });
    assert_eq!(apply(&mut gather, &[next])[0].decision, Outcome::Allow);
}

#[test]
fn a_freeze_and_its_end_reach_every_home() {
    let (key, case_id) = (key("A"), "CASE".to_owned());
    let orders = [
        Control::Freeze(Freeze { key: key.clone(), case_id: case_id.clone(), at: NOW }),
        Control::Unfreeze(Unfreeze { key, case_id, at: NOW, frozen_at: Some(NOW) }),
    ];
    let layout = Layout::of_stages(3);
    let mut out = DistributorOutput::default();
    orders.iter().for_each(|order| Distributor.apply(0, order, &mut out));
    let to_all = |order: Control| {
        (0..3).map(move |home| Publication {
            partition: Topic::Payments.partition(home),
            record: Published::Payment(PaymentRecord::Control(order.clone())),
        })
    };
    assert_eq!(Distributor::publish(out, &layout), orders.into_iter().flat_map(to_all).collect::<Vec<_>>());
}

#[test]
fn a_verdict_goes_where_its_payment_is_and_the_streams_time_everywhere() {
    const PARTITIONS: u32 = 64;
    let verdicts =
        vec![verdict(Speaker::Home { asked: 0 }, Vec::new()), VerdictRecord::StreamTime { to: NOW }];
    let out = HomeOutput { verdicts, ..HomeOutput::default() };
    let to: Vec<_> =
        Home::publish(out, &Layout::of_stages(PARTITIONS)).iter().map(|one| one.partition).collect();
    let expected = [partition_of("P", PARTITIONS)].into_iter().chain(0..PARTITIONS);
    assert_eq!(to, expected.map(|index| Topic::Verdicts.partition(index)).collect::<Vec<_>>());
}

#[test]
fn a_hold_lasts_as_long_as_windows_reach_after_its_last_finding() {
    let finding = |n: u8, payment: &str, at: EventTime| match verdict(
        Speaker::Key(key("A")),
        vec![found(n, Outcome::Reject)],
    ) {
        VerdictRecord::Verdict(verdict) => VerdictRecord::Verdict(Verdict {
            payment_id: payment.to_owned(),
            event_id: format!("{payment}-{n}"),
            at,
            awaited: false,
            ..verdict
        }),
        other => other,
    };
    let asked = |payment: &str, event: &str, at: EventTime| VerdictRecord::Again {
        at,
        payment_id: payment.to_owned(),
        event_id: event.to_owned(),
        offset: 9,
    };
    let day = |n: i64| NOW.plus(Span::days(n));
    let mut gather = Gather::default();
    // P is found twice, Q once.
    apply(&mut gather, &[finding(1, "P", day(0)), finding(2, "Q", day(0)), finding(3, "P", day(1))]);
    let last = day(0).plus(HOLDS_KEPT_FOR);
    let told = apply(&mut gather, &[asked("P", "p1", last), asked("Q", "q1", last)]);
    assert_eq!(told.iter().map(|d| d.decision).collect::<Vec<_>>(), [Outcome::Reject; 2]);
    let later = last.plus(Span::hours(1));
    let told = apply(&mut gather, &[asked("P", "p2", later), asked("Q", "q2", later)]);
    assert_eq!(told.iter().map(|d| d.decision).collect::<Vec<_>>(), [Outcome::Reject, Outcome::Allow]);
    assert_eq!(told[0].alerts.len(), 2, "all that was found of it");
    let told = apply(&mut gather, &[asked("P", "p3", later.plus(Span::days(1)))]);
    assert_eq!(told[0].decision, Outcome::Allow);
}
