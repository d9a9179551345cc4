//! What the traffic promises: a function of its seed, in order, whole, and labelled truly.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sluice_model::{EventTime, EventType, PaymentEvent, Span};
use sluice_simulator::traffic::{
    Config, DEMO_LISTED, Delivery, Label, Labelled, Listed, Traffic, demo_list_csv,
};

const EVENTS: u64 = 60_000;

fn config(seed: u64) -> Config {
    let start = "2026-01-01T00:00:00Z".parse().unwrap();
    Config { listed: Listed::demo(), ..Config::spanning(EVENTS, seed, start) }
}

fn made(config: Config) -> Vec<Labelled> {
    Traffic::new(config).take(EVENTS as usize).collect()
}

/// The events of a label, in its order.
fn events_of<'a>(label: &Label, events: &'a HashMap<String, PaymentEvent>) -> Vec<&'a PaymentEvent> {
    label.event_ids.iter().map(|id| &events[id]).collect()
}

fn cents(event: &PaymentEvent) -> i64 {
    event.amount.map_or(0, |amount| amount.minor)
}

#[test]
fn the_same_seed_makes_the_same_traffic_and_another_makes_another() {
    let first: Vec<_> = Traffic::new(config(7)).take(5_000).collect();
    assert_eq!(first, Traffic::new(config(7)).take(5_000).collect::<Vec<_>>());
    assert_ne!(first, Traffic::new(config(8)).take(5_000).collect::<Vec<_>>());
    // The bytes themselves, once and for all: a change here is a change of every simulated data set.
    let mut bytes = Vec::new();
    for Labelled { event, .. } in &first {
        sluice_codec::encode_json(event, &mut bytes).unwrap();
    }
    println!("5,000 events, {} bytes each, hash {}", bytes.len() / 5_000, sluice_model::Hash256::of(&bytes));
}

#[test]
fn events_come_in_order_each_with_an_id_of_its_own_and_survive_the_codec() {
    let mut ids = BTreeSet::new();
    let mut last = EventTime::from_micros(0);
    let mut bytes = Vec::new();
    for Labelled { event, .. } in made(config(1)) {
        assert!(event.occurred_at >= last);
        last = event.occurred_at;
        assert!(ids.insert(event.event_id.clone()), "an id twice");
        assert_eq!(event.event_type.moves_money(), event.amount.is_some());
        bytes.clear();
        sluice_codec::encode_json(&event, &mut bytes).unwrap();
        assert_eq!(sluice_codec::decode_json(&bytes).unwrap(), event);
    }
    let days = last.since("2026-01-01T00:00:00Z".parse().unwrap()).micros() / Span::days(1).micros();
    assert!((90..160).contains(&days), "{EVENTS} events fill about five months: {days} days");
}

#[test]
fn labels_say_what_their_events_do() {
    let stream = made(config(2));
    let labels: Vec<Label> = stream.iter().filter_map(|labelled| labelled.label.clone()).collect();
    let typologies: HashMap<&str, &str> =
        stream.iter().filter_map(|l| Some((l.event.event_id.as_str(), l.typology?))).collect();
    let events: HashMap<String, PaymentEvent> =
        stream.iter().map(|l| (l.event.event_id.clone(), l.event.clone())).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for label in &labels {
        *counts.entry(label.typology).or_default() += 1;
        let of = events_of(label, &events);
        assert!(of.is_sorted_by_key(|event| event.occurred_at));
        assert_eq!((of[0].occurred_at, of[of.len() - 1].occurred_at), (label.from, label.to));
        assert!(label.event_ids.iter().all(|id| typologies[id.as_str()] == label.typology));
        let account = Some(label.key.value.as_str());
        let pays = |e: &&&PaymentEvent| e.debtor.as_ref().is_some_and(|d| d.account.as_deref() == account);
        let is_paid =
            |e: &&&PaymentEvent| e.creditor.as_ref().is_some_and(|c| c.account.as_deref() == account);
        let paid_in: i64 = of.iter().filter(is_paid).map(|e| cents(e)).sum();
        let paid_out: i64 = of.iter().filter(pays).map(|e| cents(e)).sum();
        let payers: BTreeSet<_> =
            of.iter().filter(is_paid).map(|e| e.debtor.as_ref().unwrap().account.clone()).collect();
        let payees: BTreeSet<_> =
            of.iter().filter(pays).map(|e| e.creditor.as_ref().unwrap().account.clone()).collect();
        match label.typology {
            "structuring" => {
                assert!(of.len() >= 3 && of.iter().all(|e| (720_000..800_000).contains(&cents(e))));
                assert!(label.to.since(label.from) <= Span::days(1));
            }
            "fan_in" => assert!(payers.len() >= 5, "{payers:?}"),
            "fan_out" => {
                assert!(payees.len() >= 5);
                assert!(label.to.since(label.from) <= Span::hours(8));
            }
            "pass_through" => {
                assert!(paid_in >= 2_000_000 && paid_out * 10 >= paid_in * 8, "{paid_in} in, {paid_out} out");
                let left = of[of.len() - 1].debtor.as_ref().unwrap().balance_after.unwrap().minor;
                assert!(left * 10 <= paid_in, "{left} left of {paid_in}");
            }
            "dormancy" => {
                assert!(paid_in >= 1_000_000);
                let since = label.from.minus(Span::from_micros(7_889_229_000_000));
                let disturbed = stream.iter().any(|l| {
                    let at = l.event.occurred_at;
                    let sides = [&l.event.debtor, &l.event.creditor];
                    let touches = sides.into_iter().flatten().any(|p| p.account.as_deref() == account);
                    l.event.event_type.moves_money() && touches && at > since && at < label.from
                });
                assert!(!disturbed, "the account was not dormant");
            }
            "listed_party" => assert_eq!(label.key.value, of[0].payment_id()),
            other => panic!("an unknown typology: {other}"),
        }
    }
    println!("{} events, labels: {counts:?}", stream.len());
    assert_eq!(counts.len(), 6, "every typology occurs: {counts:?}");
    let labelled = stream.iter().filter(|l| l.typology.is_some()).count();
    assert!(labelled * 20 < stream.len(), "laundering is rare: {labelled} of {}", stream.len());
}

#[test]
fn ordinary_life_has_its_rhythm_and_its_means() {
    let stream = made(config(3));
    let mut by_hour = [0; 24];
    let mut by_method: BTreeMap<String, usize> = BTreeMap::new();
    for Labelled { event, .. } in &stream {
        let local = event.occurred_at.plus(Span::hours(8));
        by_hour
            [usize::try_from(local.since(local.day_start(0)).micros() / Span::hours(1).micros()).unwrap()] +=
            1;
        if let Some(method) = &event.method {
            *by_method.entry(method.clone()).or_default() += 1;
        }
        if let Some(balance) = event.debtor.as_ref().and_then(|debtor| debtor.balance_after) {
            assert!(balance.minor >= 0, "nobody spends what is not there: {event:?}");
        }
    }
    assert!(by_hour[19] > by_hour[3] * 5, "{by_hour:?}");
    for method in ["fps", "card", "octopus", "wire", "remittance", "transfer", "cash"] {
        assert!(by_method.contains_key(method), "{method} in {by_method:?}");
    }
    let profiles = stream.iter().filter(|l| l.event.event_type == EventType::Customer).count();
    let local = stream.iter().filter_map(|l| l.event.debtor.as_ref()?.name_local.as_ref()).next();
    assert!(profiles > 100 && local.is_some());
}

#[test]
fn disturbed_delivery_loses_nothing_and_repeats_only_copies() {
    let delivery = Delivery { late: 50, late_by: Span::minutes(10), twice: 20 };
    let plain: Vec<_> = Traffic::new(config(4)).take(20_000).map(|l| l.event).collect();
    let disturbed: Vec<_> = Traffic::new(Config { delivery, ..config(4) }).take(20_000).collect();
    let mut seen: HashMap<String, PaymentEvent> = HashMap::new();
    let (mut twice, mut late, mut newest) = (0, 0, EventTime::from_micros(0));
    for Labelled { event, .. } in disturbed {
        let behind = newest.since(event.occurred_at);
        late += usize::from(behind > Span::ZERO);
        assert!(behind <= Span::minutes(10));
        newest = newest.max(event.occurred_at);
        if let Some(first) = seen.insert(event.event_id.clone(), event.clone()) {
            assert_eq!(first, event);
            twice += 1;
        }
    }
    assert!((200..600).contains(&twice), "{twice} twice");
    assert!(late > 500, "{late} late");
    let delivered_by = newest.minus(Span::minutes(10));
    assert!(plain.iter().filter(|e| e.occurred_at < delivered_by).all(|e| seen.contains_key(&e.event_id)));
}

#[test]
fn the_demonstration_has_a_list_for_its_payments() {
    let csv = demo_list_csv();
    assert_eq!(csv.lines().count(), DEMO_LISTED + 1);
    let columns = csv.lines().next().unwrap().split(',').count();
    assert!(csv.lines().all(|line| line.split(',').count() == columns));
    assert!(Listed::demo().iter().all(|listed| csv.contains(&listed.name)));
}
