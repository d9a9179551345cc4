//! A payment that is not what it was is judged again, and windows take the difference; what is another payment counts
//! as one; money that goes back is judged; freezes bite on everybody; orders let go what they name.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};
use sluice_core::{Engine, EngineConfig, Library, Output, Stage, Unavailable, deadline_alert};
use sluice_lists::{Entry, ListVersion, Screener, Settings};
use sluice_model::{
    Alert, Control, EntryKind, EventRecord, EventTime, Freeze, Hash256, HoldOutcome, Key, KeyKind, Outcome,
    PaymentEvent, PaymentRecord, Release, RuleBundle, RuleFile, Screening, SetStreamTime, Span, Unfreeze,
    Unnamed,
};
use sluice_rules::RuleSet;

/// A rule of one key; `more` is what stands between its head and its condition.
fn rule(id: &str, key: &str, action: &str, more: &str, condition: &str, reason: &str) -> RuleFile {
    let text = format!(
        r#"rule {id} #{{ title: "{id}", key: "{key}", severity: "high", action: "{action}", typology: "test",
            regulation: #{{ text: "a test", source: "https://example.com", date: "2026-01-01" }},
            speaks: "every event" }};
        {more}
        condition {condition};
        reason `{reason}`;"#
    );
    RuleFile { path: format!("{id}.rhai"), text }
}

fn big() -> RuleFile {
    let least = r#"parameter least #{ value: 8000, unit: "HKD", range: [1, 1000000], owner: "MLRO", why: "A test." };"#;
    rule("BIG", "payment", "hold", least, "amount >= least", "${amount}")
}

/// The sum and the number of what an account paid within a day, and of payments of at least 8,000.
fn windows() -> RuleFile {
    let more = r#"
        window total #{ measure: "sum", of: amount, role: "debtor", length: "24h" };
        window n #{ measure: "count", role: "debtor", length: "24h" };
        window large #{ measure: "count", role: "debtor", where: amount >= hkd(8000), length: "24h" };"#;
    let reason = "${total} in ${n} of which ${large}";
    rule("WIN", "account", "alert", more, "is_debtor && n >= 0 && large >= 0 && total >= hkd(0)", reason)
}

fn listed() -> RuleFile {
    rule("LIST", "payment", "hold", "", "screening.matches >= 1", "listed")
}

fn far() -> RuleFile {
    rule("FAR", "payment", "hold", "", r#"device.country ?? "none" == "KP""#, "a device far away")
}

/// One list with one name on it.
struct Shelf(Hash256, Arc<Screener>);

impl Library for Shelf {
    fn screener(&self, screening: &Screening) -> Result<Arc<Screener>, Unavailable> {
        let is_it = screening.lists.get("house") == Some(&self.0);
        is_it.then(|| Arc::clone(&self.1)).ok_or_else(|| Unavailable("unknown".into()))
    }
}

struct World {
    engine: Engine,
    lists: Screening,
    out: Output,
    received_at: Option<EventTime>,
    awaited: bool,
}

impl World {
    fn new(rules: &[RuleFile]) -> Self {
        let entry = Entry::new("1", EntryKind::Person, "Borislav Tremontov");
        let version = Arc::new(ListVersion::new("house", vec![entry]).unwrap());
        let screener = Arc::new(Screener::build(&[Arc::clone(&version)], Settings::default()));
        let lists = Screening {
            lists: BTreeMap::from([("house".to_owned(), version.hash())]),
            unnamed: Unnamed::Accept,
            ..Screening::default()
        };
        let engine = Engine::new(EngineConfig { shards: 2 }, Arc::new(Shelf(version.hash(), screener)));
        let mut world = Self { engine, lists, out: Output::default(), received_at: None, awaited: true };
        let bundle = RuleBundle::new(rules.to_vec());
        let rules = bundle.hash();
        RuleSet::compile(&bundle).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
        world.order(Control::Prepare(bundle));
        world.order(Control::Activate { rules });
        world
    }

    fn screening(mut self) -> Self {
        self.order(Control::Screening(self.lists.clone()));
        self
    }

    fn order(&mut self, control: Control) {
        self.engine.apply(0, &PaymentRecord::Control(control), &mut self.out);
    }

    /// An event at so many minutes, with what is given over a payment of 10.00 from A to B.
    fn pay(&mut self, minute: i64, fields: Value) -> Vec<Alert> {
        let mut whole = json!({
            "event_id": format!("E{minute}"),
            "occurred_at": at(minute).to_string(),
            "amount": {"value": "10.00", "currency": "HKD"},
            "debtor": {"account": "A"},
            "creditor": {"account": "B"},
        });
        for (field, value) in fields.as_object().unwrap() {
            whole[field] = value.clone();
        }
        let event: PaymentEvent = serde_json::from_value(whole).unwrap();
        let received_at = self.received_at.unwrap_or(event.occurred_at);
        let awaited = self.awaited;
        let record = EventRecord { received_at, awaited, late_reason: None, event: event.into() };
        let before = self.out.alerts.len();
        self.engine.apply(0, &PaymentRecord::Event(record), &mut self.out);
        self.out.alerts[before..].to_vec()
    }

    fn last_decision(&self) -> (Outcome, usize) {
        let decision = self.out.decisions.last().unwrap();
        (decision.decision, decision.alerts.len())
    }
}

fn at(minute: i64) -> EventTime {
    "2026-11-20T08:00:00Z".parse::<EventTime>().unwrap().plus(Span::minutes(minute))
}

fn hkd(value: &str) -> Value {
    json!({"value": value, "currency": "HKD"})
}

fn ids(alerts: &[Alert]) -> Vec<&str> {
    alerts.iter().map(|alert| alert.rule_id.as_str()).collect()
}

fn said<'a>(alerts: &'a [Alert], rule: &str) -> Option<&'a str> {
    alerts.iter().find(|alert| alert.rule_id == rule).map(|alert| alert.reason.as_str())
}

#[test]
fn an_amount_that_rises_is_judged_again_and_windows_take_the_difference() {
    let mut world = World::new(&[big(), windows()]);
    let authorized = world.pay(0, json!({"payment_id": "P", "status": "authorized", "amount": hkd("1.00")}));
    assert_eq!(said(&authorized, "BIG"), None);
    assert_eq!(said(&authorized, "WIN"), Some("HK$1.00 in 1 of which 0"));
    let captured = world.pay(5, json!({"payment_id": "P", "status": "captured", "amount": hkd("900000.00")}));
    assert_eq!(said(&captured, "BIG"), Some("HK$900,000.00"));
    assert_eq!(said(&captured, "WIN"), Some("HK$900,000.00 in 1 of which 1"));
    let completed =
        world.pay(6, json!({"payment_id": "P", "status": "completed", "amount": hkd("900000.00")}));
    assert_eq!(ids(&completed), [""; 0], "nothing is new");
    let other = world.pay(7, json!({"payment_id": "Q", "amount": hkd("5.00")}));
    assert_eq!(said(&other, "WIN"), Some("HK$900,005.00 in 2 of which 1"));
}

#[test]
fn one_that_was_announced_small_counts_whole_when_it_is_authorized() {
    let mut world = World::new(&[windows()]);
    world.pay(0, json!({"payment_id": "P", "status": "authorized", "amount": hkd("1.00")}));
    world.pay(1, json!({"payment_id": "P", "status": "initiated", "amount": hkd("9000.00")}));
    let captured = world.pay(2, json!({"payment_id": "P", "status": "captured", "amount": hkd("9000.00")}));
    assert_eq!(
        said(&captured, "WIN"),
        Some("HK$9,000.00 in 1 of which 1"),
        "what never counted is not deducted"
    );
}

#[test]
fn an_event_that_leaves_its_sides_out_counts_for_those_known() {
    let mut world = World::new(&[windows()]);
    world.pay(0, json!({"payment_id": "P", "status": "authorized", "amount": hkd("1.00")}));
    let sparse = json!({"payment_id": "P", "status": "captured", "amount": hkd("9000.00"),
                        "debtor": null, "creditor": null});
    let alerts = world.pay(1, sparse);
    assert_eq!(said(&alerts, "WIN"), Some("HK$9,000.00 in 1 of which 1"));
    let alerts = world.pay(2, json!({"payment_id": "Q"}));
    assert_eq!(said(&alerts, "WIN"), Some("HK$9,010.00 in 2 of which 1"));
    let one_side = json!({"payment_id": "Q", "status": "captured", "amount": hkd("20.00"), "debtor": null});
    assert_eq!(said(&world.pay(3, one_side), "WIN"), Some("HK$9,020.00 in 2 of which 1"), "one side alone");
}

/// A rule may count payments before they are authorized, alone or with those that are.
#[test]
fn an_amount_that_rises_counts_by_its_rise_at_whatever_statuses_a_rule_counts() {
    let counting = |statuses: &str| {
        let more = r#"
            window total #{ measure: "sum", of: amount, role: "debtor", where: has(amount), length: "24h" };
            window n #{ measure: "count", role: "debtor", length: "24h" };
            window small #{ measure: "count", role: "debtor", where: has(amount) && amount < hkd(10), length: "24h" };"#;
        let condition = "is_debtor && n >= 0 && small >= 0 && total >= hkd(0)";
        let mut rule = rule("WIN", "account", "alert", more, condition, "${total} in ${n}, ${small} small");
        rule.text = rule.text.replace("speaks:", &format!("statuses: [{statuses}], speaks:"));
        rule
    };
    let announced = r#""initiated", "processing""#;
    let settled = r#""authorized", "captured", "completed""#;
    for (statuses, steps, total) in [
        (
            announced,
            [("initiated", "1.00"), ("initiated", "9000.00"), ("processing", "5.00")],
            "HK$9,020.00 in 2, 1 small",
        ),
        (
            announced,
            [("initiated", ""), ("processing", "9000.00"), ("processing", "")],
            "HK$9,020.00 in 2, 0 small",
        ),
        (
            settled,
            [("authorized", ""), ("captured", "9000.00"), ("completed", "")],
            "HK$9,020.00 in 2, 0 small",
        ),
        (
            settled,
            [("initiated", "1.00"), ("authorized", "9000.00"), ("captured", "")],
            "HK$9,020.00 in 2, 0 small",
        ),
        (
            settled,
            [("initiated", "9000.00"), ("authorized", ""), ("captured", "9000.00")],
            "HK$9,020.00 in 2, 0 small",
        ),
        (
            &format!("{announced}, {settled}"),
            [("initiated", "1.00"), ("authorized", "9000.00"), ("completed", "9000.00")],
            "HK$9,020.00 in 2, 1 small",
        ),
        (
            &format!("{announced}, {settled}"),
            [("processing", "9000.00"), ("authorized", "9000.00"), ("completed", "")],
            "HK$9,020.00 in 2, 0 small",
        ),
    ] {
        let mut world = World::new(&[counting(statuses)]);
        for (minute, (status, amount)) in (0..).zip(steps) {
            let amount = if amount.is_empty() { Value::Null } else { hkd(amount) };
            world.pay(minute, json!({"payment_id": "P", "status": status, "amount": amount}));
        }
        let first = if statuses.contains("authorized") { "authorized" } else { "initiated" };
        let other = world.pay(5, json!({"payment_id": "Q", "status": first, "amount": hkd("20.00")}));
        assert_eq!(said(&other, "WIN"), Some(total), "{statuses}: {steps:?}");
    }
}

#[test]
fn captures_add_up_and_windows_take_the_difference() {
    let mut world = World::new(&[big(), windows()]);
    let captured = |amount| json!({"payment_id": "P", "status": "captured", "amount": hkd(amount)});
    let first = world.pay(0, captured("5000.00"));
    assert_eq!((said(&first, "BIG"), said(&first, "WIN")), (None, Some("HK$5,000.00 in 1 of which 0")));
    let second = world.pay(1, captured("4000.00"));
    assert_eq!(said(&second, "BIG"), Some("HK$9,000.00"));
    assert_eq!(said(&second, "WIN"), Some("HK$9,000.00 in 1 of which 1"));
    let done = world.pay(2, json!({"payment_id": "P", "status": "completed", "amount": hkd("9000.00")}));
    assert_eq!(ids(&done), [""; 0], "nothing is new");
    world.pay(3, json!({"payment_id": "Q", "status": "authorized", "amount": hkd("100.00")}));
    for minute in [4, 5] {
        let part =
            world.pay(minute, json!({"payment_id": "Q", "status": "captured", "amount": hkd("50.00")}));
        assert_eq!(ids(&part), [""; 0], "no more than was authorized");
    }
}

#[test]
fn what_ends_unpaid_leaves_the_sums_and_stays_an_attempt() {
    for end in ["failed", "declined", "cancelled", "expired"] {
        let mut world = World::new(&[windows()]);
        world.pay(0, json!({"payment_id": "P", "status": "authorized", "amount": hkd("1.00")}));
        world.pay(1, json!({"payment_id": "P", "status": "authorized", "amount": hkd("9000.00")}));
        world.pay(2, json!({"payment_id": "R", "status": "authorized", "amount": hkd("30.00")}));
        world.pay(3, json!({"payment_id": "R", "status": "captured", "amount": hkd("20.00")}));
        world.pay(
            3,
            json!({"event_id": "S0", "payment_id": "S", "status": "initiated", "amount": hkd("7.00")}),
        );
        world.pay(
            3,
            json!({"event_id": "S1", "payment_id": "S", "status": "authorized", "amount": hkd("7.00")}),
        );
        // It says nothing of the payment but its end.
        let nothing = json!({"amount": null, "debtor": null, "creditor": null, "status": end});
        for (minute, payment) in [(4, "P"), (5, "R"), (5, "S")] {
            let mut fields = nothing.clone();
            fields["payment_id"] = payment.into();
            fields["event_id"] = format!("{payment}-end").into();
            assert_eq!(ids(&world.pay(minute, fields)), [""; 0]);
        }
        let other = world.pay(6, json!({"payment_id": "Q", "amount": hkd("5.00")}));
        assert_eq!(said(&other, "WIN"), Some("HK$35.00 in 4 of which 1"), "{end}: R was captured in part");
    }
}

#[test]
fn a_payment_that_goes_on_after_its_end_counts_and_is_told_anew() {
    let odd = rule("ODD", "payment", "alert", "", "has(illegal_after)", "odd");
    let mut world = World::new(&[big(), windows(), odd]);
    let payment = |status: &str| json!({"payment_id": "P", "status": status, "amount": hkd("9000.00")});
    let authorized = world.pay(0, payment("authorized"));
    assert_eq!(ids(&authorized), ["BIG", "WIN"]);
    assert_eq!(ids(&world.pay(1, payment("failed"))), [""; 0]);
    assert_eq!(world.out.counts.illegal_statuses, 0);
    let captured = world.pay(2, payment("captured"));
    assert_eq!(ids(&captured), ["BIG", "ODD", "WIN"], "the failed one was let go, this one moves");
    assert_eq!(said(&captured, "WIN"), Some("HK$9,000.00 in 2 of which 2"));
    assert_eq!(world.out.counts.illegal_statuses, 1);
    let late = json!({"payment_id": "P", "status": "processing", "occurred_at": at(-5).to_string()});
    world.pay(3, late);
    assert_eq!(world.out.counts.illegal_statuses, 1, "a late event says nothing of the order of statuses");
    // The rest of an authorisation that was captured in part may end: the payment goes on as it was.
    for (minute, status, told) in [
        (4, "authorized", &["BIG", "WIN"][..]),
        (5, "captured", &[]),
        (6, "cancelled", &[]),
        (7, "completed", &[]),
    ] {
        let told_now =
            world.pay(minute, json!({"payment_id": "R", "status": status, "amount": hkd("9000.00")}));
        let told_now: Vec<_> = ids(&told_now).into_iter().filter(|id| *id != "ODD").collect();
        assert_eq!(told_now, told, "{status}");
    }
}

#[test]
fn a_late_event_completes_what_its_key_has_seen() {
    let window =
        |more: &str| format!(r#"window n #{{ measure: "count", role: "debtor", length: "1h"{more} }};"#);
    let often = rule("CNT", "account", "alert", &window(""), "is_debtor && n >= 3", "${n} in an hour");
    let before =
        rule("BEF", "account", "alert", &window(", before: true"), "is_debtor && n >= 2", "${n} before");
    let typology = RuleFile {
        path: "t.rhai".into(),
        text: r#"typology TYP #{ title: "TYP", key: "account", severity: "high", typology: "test", speaks: "every event",
            regulation: #{ text: "a test", source: "https://example.com", date: "2026-01-01" },
            alert_at: 60, weights: #{ CNT: 60 } };"#
            .into(),
    };
    let mut world = World::new(&[often, before, typology]);
    world.pay(0, json!({}));
    assert_eq!(ids(&world.pay(50, json!({}))), [""; 0]);
    let late = world.pay(30, json!({}));
    assert_eq!(said(&late, "CNT"), Some("3 in an hour"), "at 50 there were three");
    assert!(ids(&late).contains(&"TYP"), "what it completes is weighed: {:?}", ids(&late));
    assert_eq!(said(&late, "BEF"), None, "what looks back from the event alone is not asked later");
    world.pay(200, json!({}));
    assert_eq!(ids(&world.pay(100, json!({}))), [""; 0], "nothing later reaches back to it");
    for n in 0..3 {
        world.pay(360, json!({"event_id": format!("L{n}")}));
    }
    assert_eq!(
        ids(&world.pay(300, json!({}))),
        [""; 0],
        "an hour before is outside: what was said is not said again"
    );
}

#[test]
fn a_day_without_a_time_may_begin_later_than_it_arrives() {
    let mut world = World::new(&[windows()]);
    world.received_at = Some("2026-11-20T11:00:00Z".parse().unwrap());
    world.pay(0, json!({"occurred_at": "2026-11-21"}));
    assert!(world.out.dead_letters.is_empty(), "in Kiritimati it is that day already");
    world.pay(1, json!({"occurred_at": "2026-11-21T00:00:00Z"}));
    world.pay(2, json!({"occurred_at": "2026-11-22"}));
    let codes: Vec<_> = world.out.dead_letters.iter().map(|letter| letter.code.as_str()).collect();
    assert_eq!(codes, ["far_future", "far_future"]);
    assert_eq!(world.out.counts.dead_letters, 2);
    world.received_at = Some(at(3));
    world.pay(8, json!({}));
    assert_eq!(world.out.dead_letters.len(), 2, "five minutes ahead is not yet too far");
    world.pay(9, json!({}));
    assert_eq!(world.out.dead_letters.len(), 3);
}

#[test]
fn another_pair_of_accounts_is_another_payment_whatever_its_id() {
    let mut world = World::new(&[windows()]);
    for minute in 0..8 {
        world.pay(minute, json!({"payment_id": "REF", "creditor": {"account": format!("B{minute}")}}));
    }
    let alerts = world.pay(9, json!({"payment_id": "other"}));
    assert_eq!(said(&alerts, "WIN"), Some("HK$90.00 in 9 of which 0"));
    let again =
        world.pay(10, json!({"payment_id": "REF", "creditor": {"account": "B3"}, "status": "captured"}));
    assert_eq!(ids(&again), [""; 0], "it is one of those already known");
}

#[test]
fn an_id_that_stands_for_none_is_none() {
    let mut world = World::new(&[windows()]);
    for (minute, id) in (0..8).zip(["NA", "n/a", "NOTPROVIDED", "0"].repeat(2)) {
        world.pay(minute, json!({ "payment_id": id }));
    }
    let alerts = world.pay(9, json!({}));
    assert_eq!(said(&alerts, "WIN"), Some("HK$90.00 in 9 of which 0"));
}

#[test]
fn whatever_a_rule_reads_is_judged_again_and_the_same_finding_is_said_once() {
    let mut world = World::new(&[far(), big()]);
    let payment = |status: &str, more: Value| {
        let mut fields = json!({"payment_id": "P", "status": status, "amount": hkd("9000.00")});
        for (field, value) in more.as_object().unwrap() {
            fields[field] = value.clone();
        }
        fields
    };
    assert_eq!(ids(&world.pay(0, payment("authorized", json!({"device": {"country": "HK"}})))), ["BIG"]);
    assert_eq!(ids(&world.pay(1, payment("captured", json!({"device": {"country": "KP"}})))), ["FAR"]);
    assert_eq!(ids(&world.pay(2, payment("completed", json!({"purpose": "rent"})))), [""; 0]);
    assert_eq!(ids(&world.pay(3, payment("failed", json!({"device": {"country": "RU"}})))), [""; 0]);
}

#[test]
fn another_fact_at_the_same_status_is_judged() {
    let mut world = World::new(&[far()]);
    let device =
        |country: &str| json!({"payment_id": "P", "status": "authorized", "device": {"country": country}});
    assert_eq!(ids(&world.pay(0, device("HK"))), [""; 0]);
    assert_eq!(ids(&world.pay(1, device("KP"))), ["FAR"]);
}

/// What was said while a rule did not look is judged when it is said again.
#[test]
fn a_fact_that_was_said_at_another_status_is_judged_at_the_rules_own() {
    let far = far();
    let captures =
        RuleFile { text: far.text.replace("speaks:", r#"statuses: ["captured"], speaks:"#), ..far };
    let mut world = World::new(&[captures]);
    let payment = |status: &str| json!({"payment_id": "P", "status": status, "amount": null});
    let with_device = |status: &str| {
        let mut fields = payment(status);
        fields["device"] = json!({"country": "KP"});
        fields
    };
    assert_eq!(ids(&world.pay(0, with_device("authorized"))), [""; 0], "no rule judges this status");
    assert_eq!(ids(&world.pay(1, payment("captured"))), [""; 0], "nothing is said of a device");
    assert_eq!(ids(&world.pay(2, with_device("captured"))), ["FAR"]);
}

#[test]
fn a_rule_that_alerts_on_crossing_alerts_anew_once_its_condition_did_not_hold() {
    let condition = r#"is_debtor && amount >= hkd(8000)"#;
    let crossing = |id: &str, condition: &str| {
        let rule = rule(id, "account", "alert", "", condition, "crossed");
        RuleFile { text: rule.text.replace("every event", "on crossing"), ..rule }
    };
    let mut world =
        World::new(&[crossing("CRO", condition), crossing("ODD", "is_debtor && amount == hkd(10)")]);
    let pay = |world: &mut World, minute: i64, amount: &str, status: &str| {
        ids(&world.pay(minute, json!({"amount": hkd(amount), "status": status}))).contains(&"CRO")
    };
    assert!(pay(&mut world, 0, "9000.00", "completed"));
    assert!(!pay(&mut world, 1, "9000.00", "completed"), "it holds still");
    assert!(!pay(&mut world, 2, "10.00", "initiated"), "an event that it does not judge says nothing");
    assert!(!pay(&mut world, 3, "9000.00", "completed"));
    assert!(!pay(&mut world, 4, "10.00", "completed"), "it holds no more");
    assert!(pay(&mut world, 5, "9000.00", "completed"));
}

#[test]
fn what_a_key_found_while_nobody_waited_holds_the_payments_next_event() {
    let large = rule("KEY", "account", "hold", "", "is_debtor && amount >= hkd(8000)", "large");
    let mut world = World::new(&[large]);
    world.awaited = false;
    let alerts = world.pay(
        0,
        json!({"payment_id": "P", "status": "authorized", "amount": hkd("9000.00"),
                                     "debtor": {"account": "A", "customer_id": "C-1"}}),
    );
    assert_eq!((ids(&alerts), alerts[0].subjects.as_slice()), (vec!["KEY"], &["C-1".to_owned()][..]));
    assert!(world.out.decisions.is_empty(), "nobody asked");
    world.awaited = true;
    assert_eq!(ids(&world.pay(1, json!({"payment_id": "P", "status": "processing"}))), [""; 0]);
    assert_eq!(world.last_decision(), (Outcome::Hold, 1));
}

#[test]
fn a_party_swapped_on_a_later_status_is_screened_and_judged() {
    let named = |name: &str| json!({"account": "B", "name": name});
    let mut world = World::new(&[listed()]).screening();
    let clean = json!({"payment_id": "P", "status": "authorized", "creditor": named("Chan Siu Ming")});
    assert_eq!(ids(&world.pay(0, clean)), [""; 0]);
    for (minute, place) in [(1, "intermediaries"), (2, "related_parties")] {
        let mut other = json!({"payment_id": "P", "status": "captured"});
        other[place] = json!([{"name": format!("Borislav Tremontov{}", " ".repeat(minute)), "role": "ubo"}]);
        if place == "intermediaries" {
            other[place][0].as_object_mut().unwrap().remove("role");
        }
        let minute = i64::try_from(minute).unwrap();
        let alerts = world.pay(minute, other);
        assert_eq!(ids(&alerts), ["LIST"], "{place}");
    }
    let swapped = json!({"payment_id": "P", "status": "completed", "creditor": named("Borislav Tremontov")});
    assert_eq!(ids(&world.pay(3, swapped)), ["LIST"], "another who is listed, in the same words");
}

#[test]
fn money_that_goes_back_is_judged() {
    let mut world = World::new(&[listed()]).screening();
    let payment = |status: &str, name: &str| json!({"payment_id": "P", "status": status, "creditor": {"account": "B", "name": name}});
    assert_eq!(ids(&world.pay(0, payment("completed", "Chan Siu Ming"))), [""; 0]);
    assert_eq!(ids(&world.pay(1, payment("refunded", "Borislav Tremontov"))), ["LIST"]);
    for (minute, kind) in (2..).zip(["refund", "chargeback", "payout", "withdrawal"]) {
        let back = json!({"type": kind, "creditor": {"account": "B", "name": "Borislav Tremontov"}});
        assert_eq!(ids(&world.pay(minute, back)), ["LIST"], "{kind}");
    }
    let disputed = json!({"status": "disputed", "debtor": {"account": "A", "name": "Borislav Tremontov"}});
    assert_eq!(ids(&world.pay(8, disputed)), ["LIST"]);
}

#[test]
fn a_listed_person_is_told_where_no_money_moves() {
    let mut world = World::new(&[listed()]).screening();
    for (minute, kind) in (0..).zip(["customer", "account", "authentication"]) {
        let event = json!({"type": kind, "creditor": null, "amount": null,
            "debtor": {"customer_id": "C-1", "name": "Borislav Tremontov"}});
        assert_eq!(ids(&world.pay(minute, event)), ["ENGINE-LISTED"], "{kind}");
    }
}

fn freeze(kind: KeyKind, value: &str, minute: i64) -> Control {
    Control::Freeze(Freeze { key: key(kind, value), case_id: "CASE".into(), at: at(minute) })
}

fn key(kind: KeyKind, value: &str) -> Key {
    Key { kind, value: value.into() }
}

#[test]
fn a_freeze_bites_however_its_key_is_written_and_in_whatever_part() {
    for (kind, frozen, event) in [
        (
            KeyKind::Account,
            "GB33 BUKB 2020 1555 5555 55",
            json!({"creditor": {"account": "gb33bukb20201555555555"}}),
        ),
        (KeyKind::Account, "012345678901", json!({"debtor": {"account": "012‑345‑678901"}})),
        (KeyKind::Account, "012-345-678901", json!({"debtor": {"account": "０１２ ３４５ ６７８９０１"}})),
        (
            KeyKind::Account,
            "+852-91234567",
            json!({"creditor": {"proxy": {"type": "mobile", "id": "+852 9123 4567"}}}),
        ),
        (KeyKind::Customer, "C-1", json!({"debtor": {"customer_id": " C-1\u{200b}"}})),
        (KeyKind::Customer, "C-1", json!({"creditor": {"customer_id": "c- 1"}})),
        (KeyKind::Account, "acct-17", json!({"creditor": {"account": "ACCT–17"}})),
        (
            KeyKind::Customer,
            "C-1",
            json!({"related_parties": [{"role": "ultimate_debtor", "customer_id": "C-1"}]}),
        ),
        (KeyKind::Account, "777-100200-9", json!({"intermediaries": [{"account": "7771002009"}]})),
        (KeyKind::Party, "HSBCHKHH", json!({"creditor": {"agent_bic": "hsbchkhhxxx"}})),
        (KeyKind::Party, "HSBCHKHHXXX", json!({"creditor": {"agent_bic": "HSBCHKHH"}})),
        (
            KeyKind::Party,
            "Chan  Tai Man",
            json!({"related_parties": [{"role": "ubo", "name": "CHAN Tai Man"}]}),
        ),
        (KeyKind::Device, "D-1 ", json!({"device": {"id": "D-1"}})),
        (KeyKind::Ip, "192.0.2.1", json!({"device": {"ip": "::ffff:192.0.2.1"}})),
    ] {
        let mut world = World::new(&[]);
        assert_eq!(ids(&world.pay(0, event.clone())), [""; 0]);
        world.order(freeze(kind, frozen, 1));
        let bitten = world.pay(2, event.clone());
        assert_eq!(ids(&bitten), ["ENGINE-FROZEN"], "{kind:?} {frozen} {event}");
        assert_eq!(world.last_decision().0, Outcome::Reject);
        let end =
            Unfreeze { key: key(kind, frozen), case_id: "CASE".into(), at: at(3), frozen_at: Some(at(1)) };
        world.order(Control::Unfreeze(end));
        assert_eq!(ids(&world.pay(4, event)), [""; 0]);
    }
    let mut world = World::new(&[]);
    world.order(freeze(KeyKind::Party, "Chan Tai Man", 1));
    let other = json!({"creditor": {"name": "Chantai Man"}});
    assert_eq!(ids(&world.pay(2, other)), [""; 0], "a blank elsewhere makes another name");
}

#[test]
fn an_unfreeze_ends_the_freeze_that_was_seen() {
    let mut world = World::new(&[]);
    world.order(freeze(KeyKind::Account, "A", 0));
    world.order(freeze(KeyKind::Account, "A", 5));
    let end = |seen| Unfreeze {
        key: key(KeyKind::Account, "A"),
        case_id: "CASE".into(),
        at: at(6),
        frozen_at: seen,
    };
    world.order(Control::Unfreeze(end(Some(at(0)))));
    assert_eq!(ids(&world.pay(7, json!({}))), ["ENGINE-FROZEN"], "it was frozen again since");
    world.order(Control::Unfreeze(end(Some(at(5)))));
    assert_eq!(ids(&world.pay(8, json!({}))), [""; 0]);
}

#[test]
fn a_release_lets_go_the_alerts_that_it_names() {
    let mut world = World::new(&[big(), far()]);
    let first = world.pay(0, json!({"payment_id": "P", "status": "authorized", "amount": hkd("9000.00")}));
    let second = world.pay(1, json!({"payment_id": "P", "status": "captured", "device": {"country": "KP"}}));
    assert_eq!((ids(&first), ids(&second)), (vec!["BIG"], vec!["FAR"]));
    let release = |alerts: &[Alert]| {
        let alerts = Some(alerts.iter().map(|alert| alert.alert_id).collect());
        Control::Release(Release { payment_id: "P".into(), case_id: "CASE".into(), at: at(2), alerts })
    };
    world.order(release(&first));
    let told = world.out.holds.last().unwrap();
    assert_eq!((told.state, &told.alerts), (HoldOutcome::Held, &vec![second[0].alert_id]));
    world.pay(3, json!({"payment_id": "P", "status": "completed"}));
    assert_eq!(world.last_decision(), (Outcome::Hold, 1));
    world.order(release(&second));
    let told = world.out.holds.last().unwrap();
    assert_eq!((told.state, told.because.as_str()), (HoldOutcome::Released, "CASE"));
    world.pay(4, json!({"payment_id": "P", "status": "refunded"}));
    assert_eq!(world.last_decision(), (Outcome::Allow, 0));
}

#[test]
fn a_hold_by_deadline_has_an_alert_and_binds_the_next_event() {
    let mut world = World::new(&[]).screening();
    world.pay(0, json!({"payment_id": "P", "status": "authorized"}));
    assert_eq!(world.last_decision(), (Outcome::Allow, 0));
    let event = json!({"event_id": "E0", "occurred_at": at(0).to_string(), "payment_id": "P",
                       "debtor": {"customer_id": "C-1"}});
    let event: PaymentEvent = serde_json::from_value(event).unwrap();
    let (payment_id, event_id) = ("P".to_owned(), "E0".to_owned());
    let foreseen = deadline_alert(&event);
    world.order(Control::Deadline { payment_id, event_id, event: Some(Arc::new(event)) });
    assert_eq!(world.last_decision(), (Outcome::Hold, 1), "the answer is corrected");
    let alert = world.out.alerts.last().unwrap();
    assert_eq!(alert.alert_id, foreseen, "whoever gave the answer named it already");
    assert_eq!(alert.versions.lists["house"], world.lists.lists["house"].to_string());
    assert_eq!(
        (alert.rule_id.as_str(), alert.subjects.as_slice()),
        ("ENGINE-DEADLINE", &["C-1".to_owned()][..])
    );
    assert_eq!(world.out.holds.last().unwrap().because, alert.alert_id.to_string());
    world.pay(1, json!({"payment_id": "P", "status": "captured"}));
    assert_eq!(world.last_decision(), (Outcome::Hold, 1), "the next event is not waved through");
}

#[test]
fn what_is_not_screened_is_told_once_for_each_reason_and_held_or_told_by_policy() {
    let nameless = || json!({"payment_id": "P", "status": "authorized"});
    for (unnamed, expected) in
        [(Unnamed::Accept, Outcome::Allow), (Unnamed::Alert, Outcome::Allow), (Unnamed::Hold, Outcome::Hold)]
    {
        let mut world = World::new(&[]);
        world.lists.unnamed = unnamed;
        let mut world = world.screening();
        let alerts = world.pay(0, nameless());
        assert_eq!(alerts.len(), usize::from(unnamed != Unnamed::Accept), "{unnamed:?}");
        let names_both =
            |alert: &Alert| ["debtor", "creditor"].iter().all(|side| alert.reason.contains(side));
        assert!(alerts.iter().all(names_both), "{alerts:?}");
        assert_eq!(world.last_decision().0, expected, "{unnamed:?}");
        assert_eq!(ids(&world.pay(1, json!({"payment_id": "P", "status": "captured"}))), [""; 0]);
    }
    let mut world = World::new(&[]);
    world.lists.unnamed = Unnamed::Hold;
    let mut world = world.screening();
    let named = json!({"payment_id": "P", "status": "authorized", "debtor": {"name": "Wong Ka Yan"},
                       "creditor": {"name": "Peter Lindqvist"}});
    assert_eq!(ids(&world.pay(0, named)), [""; 0]);
    let sparse = json!({"payment_id": "P", "status": "captured", "debtor": null, "creditor": null});
    assert_eq!(ids(&world.pay(1, sparse)), [""; 0], "both sides were named before");
}

#[test]
fn a_list_that_cannot_be_read_or_is_too_old_screens_nothing() {
    let mut world = World::new(&[]);
    world.order(Control::Screening(Screening {
        lists: BTreeMap::from([("house".to_owned(), Hash256::of(b"lost"))]),
        ..world.lists.clone()
    }));
    assert_eq!(ids(&world.pay(0, json!({}))), ["ENGINE-NOT-SCREENED"]);
    let mut world = World::new(&[]);
    world.lists.checked_at.insert("house".to_owned(), at(0));
    world.lists.age_max = Some(Span::minutes(10));
    let mut world = world.screening();
    assert_eq!(ids(&world.pay(10, json!({}))), [""; 0], "as old as it may be");
    assert_eq!(ids(&world.pay(11, json!({}))), ["ENGINE-NOT-SCREENED"]);
    assert_eq!(world.last_decision().0, Outcome::Hold);
    // What the engine finds of one event for several reasons are several alerts.
    world.order(freeze(KeyKind::Account, "A", 12));
    let both = world.pay(13, json!({}));
    assert_eq!(ids(&both), ["ENGINE-FROZEN", "ENGINE-NOT-SCREENED"]);
    assert_ne!(both[0].alert_id, both[1].alert_id);
}

#[test]
fn stream_time_that_a_wrong_clock_moved_can_be_set_back() {
    let mut world = World::new(&[]);
    let now = |world: &World| world.engine.home().stream_time();
    assert_eq!(now(&world), None);
    world.pay(0, json!({}));
    assert_eq!(now(&world), Some(at(0)));
    let ahead = 400 * 24 * 60;
    world.pay(ahead, json!({}));
    world.pay(1, json!({}));
    assert_eq!(world.out.dead_letters.last().unwrap().code, "too_old");
    world.order(Control::SetStreamTime(SetStreamTime {
        to: at(1),
        reason: "a wrong clock".into(),
        at: at(2),
    }));
    assert_eq!(now(&world), Some(at(1)));
    let refused = world.out.dead_letters.len();
    world.pay(3, json!({}));
    assert_eq!(world.out.dead_letters.len(), refused);
    world.pay(3, json!({"amount": hkd("11.00")}));
    assert_eq!(world.out.dead_letters.last().unwrap().code, "conflict", "ids stay known");
}
