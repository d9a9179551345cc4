//! Rules in shadow, rules that fail, rules in quarantine: what is said, noted, and left unsaid; the same however many
//! shards there are, and after a snapshot.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use sluice_core::{
    Distributor, DistributorOutput, Engine, EngineConfig, Format, KeyedRecord, Layout, Library, NoLists,
    Output, Publication, Published, Stage,
};
use sluice_model::{
    Action, Control, Currency, EventRecord, EventTime, FailureCause, Hash256, KeyKind, Money, Observation,
    Outcome, Party, PaymentEvent, PaymentRecord, Quarantine, RuleBundle, RuleFile, Span, Topic,
};
use sluice_rules::{RuleSet, in_shadow};

/// A rule on the customer that asks for a hold on every second payment within an hour; `more` is added to what it
/// says of itself, and `condition` to what it asks.
fn rule(id: &str, more: &str, condition: &str) -> RuleFile {
    let text = format!(
        r#"rule {id} #{{ title: "{id}", key: "customer", severity: "high", action: "hold", typology: "test",
            regulation: #{{ text: "a test", source: "https://example.com", date: "2026-01-01" }}, {more} }};
        window payments #{{ measure: "count", role: "debtor", length: "1h" }};
        window receipts #{{ measure: "count", role: "creditor", length: "1h" }};
        condition {condition};
        reason `${{payments}} paid, ${{receipts}} received`;"#
    );
    RuleFile { path: format!("{id}.rhai"), text }
}

const EVERY: &str = r#"speaks: "every event""#;
const SECOND: &str = "payments >= 2 && receipts >= 0";

fn bundle(files: &[RuleFile]) -> RuleBundle {
    RuleBundle::new(files.to_vec())
}

fn content(bundle: &RuleBundle, id: &str) -> Hash256 {
    let set = RuleSet::compile(bundle).unwrap();
    let mut rules = KeyKind::ALL.into_iter().flat_map(|kind| &set.plan(kind).rules);
    rules.find(|rule| rule.meta.id == id).unwrap().content
}

/// The records that put rules in force.
fn in_force(bundle: &RuleBundle) -> [PaymentRecord; 2] {
    let activate = Control::Activate { rules: bundle.hash() };
    [PaymentRecord::Control(Control::Prepare(bundle.clone())), PaymentRecord::Control(activate)]
}

/// A payment of one of three customers, a minute after the one before.
fn payment(n: u32) -> PaymentRecord {
    let at = "2026-11-20T08:00:00Z".parse::<EventTime>().unwrap().plus(Span::minutes(i64::from(n)));
    let mut event = PaymentEvent::new(format!("E{n}"), at);
    event.amount = Some(Money::new(100_000, Currency::HKD));
    event.debtor = Some(Party { customer_id: Some(format!("C{}", n % 3)), ..Party::default() });
    let (received_at, late_reason) = (at, None);
    let awaited = n.is_multiple_of(2);
    PaymentRecord::Event(EventRecord { received_at, awaited, late_reason, event: event.into() })
}

fn engine(shards: u32) -> Engine {
    Engine::new(EngineConfig { shards }, Arc::new(NoLists))
}

fn run(shards: u32, records: &[PaymentRecord]) -> Output {
    let (mut engine, mut output) = (engine(shards), Output::default());
    records.iter().for_each(|record| engine.apply(0, record, &mut output));
    output
}

/// The events on which a rule in shadow would have spoken.
fn shadows(output: &Output) -> Vec<&str> {
    let all = output.observations.iter();
    all.filter_map(|observed| match observed {
        Observation::Shadow(alert) => Some(alert.event_id.as_str()),
        Observation::Failure(_) => None,
    })
    .collect()
}

/// Which rules failed, on which events.
fn failures(output: &Output) -> Vec<(&str, &str)> {
    let all = output.observations.iter();
    all.filter_map(|observed| match observed {
        Observation::Failure(failure) => Some((failure.rule_id.as_str(), failure.event_id.as_str())),
        Observation::Shadow(_) => None,
    })
    .collect()
}

#[test]
fn a_shadow_notes_what_its_rule_would_have_said_and_holds_nothing() {
    let shadow = format!("{EVERY}, shadow: true");
    let (live, aside) = (bundle(&[rule("R", EVERY, SECOND)]), bundle(&[rule("R", &shadow, SECOND)]));
    let payments: Vec<_> = (0..9).map(payment).collect();
    let with = |rules: &RuleBundle| run(2, &[in_force(rules).as_slice(), &payments].concat());
    let (loud, silent) = (with(&live), with(&aside));
    let said: Vec<_> = loud.alerts.iter().map(|alert| alert.event_id.as_str()).collect();
    assert_eq!(said.len(), 6);
    assert!(loud.alerts.iter().all(|alert| alert.failed_by.is_none()));
    assert_eq!(shadows(&silent), said);
    assert!(silent.alerts.is_empty() && silent.holds.is_empty());
    assert!(silent.decisions.iter().all(|decision| decision.alerts.is_empty()));
    assert_eq!(silent.decisions.len(), 5, "whoever waits is answered");
    same_through_snapshots(&[in_force(&aside).as_slice(), &payments].concat(), &silent);
}

#[test]
fn what_was_said_in_shadow_does_not_silence_the_rule_in_force() {
    let once = r#"speaks: "once per 24h""#;
    let (live, aside) =
        (bundle(&[rule("R", once, SECOND)]), bundle(&[rule("R", &format!("{once}, shadow: true"), SECOND)]));
    let before: Vec<_> = (0..9).map(payment).collect();
    let after: Vec<_> = (9..18).map(payment).collect();
    let output = run(2, &[&in_force(&aside)[..], &before, &in_force(&live), &after].concat());
    assert_eq!(shadows(&output), ["E3", "E4", "E5"], "once a customer");
    let said: Vec<_> = output.alerts.iter().map(|alert| alert.event_id.as_str()).collect();
    assert_eq!(said, ["E9", "E10", "E11"]);
}

/// The rules in force with others in shadow beside them: exactly what each would do alone, under whatever the two
/// differ in.
#[test]
fn a_candidate_is_judged_beside_the_rule_in_force_as_each_would_be_alone() {
    let once = r#"speaks: "once per 2h""#;
    let live = rule("R", once, SECOND);
    let other = rule("OTHER", EVERY, SECOND);
    let third = rule("R", once, "payments >= 3 && receipts >= 0");
    let longer = RuleFile { text: live.text.replace(r#"length: "1h""#, r#"length: "6h""#), ..live.clone() };
    let every = rule("R", EVERY, SECOND);
    let moved = RuleFile { path: "elsewhere/R.rhai".into(), ..third.clone() };
    let weighs = |weight: u32| RuleFile {
        path: "t.rhai".into(),
        text: format!(
            r#"typology T #{{ title: "T", key: "customer", severity: "high", typology: "test", {EVERY},
                regulation: #{{ text: "a test", source: "https://example.com", date: "2026-01-01" }},
                alert_at: 60, weights: #{{ R: {weight}, OTHER: 40 }} }};"#
        ),
    };
    let base = [live.clone(), other.clone(), weighs(20)];
    let payments: Vec<_> = (0..90).map(|n| payment(n * 7)).collect();
    let with = |rules: &RuleBundle| run(2, &[in_force(rules).as_slice(), &payments].concat());
    let said = |output: &Output| -> Vec<(String, String, Action)> {
        let said = |a: &sluice_model::Alert| (a.rule_id.clone(), a.event_id.clone(), a.action);
        output.alerts.iter().map(said).collect()
    };
    let noted = |output: &Output| -> Vec<(String, String, Action)> {
        let shadow = |observed: &Observation| match observed {
            Observation::Shadow(alert) => Some((alert.rule_id.clone(), alert.event_id.clone(), alert.action)),
            Observation::Failure(_) => None,
        };
        output.observations.iter().filter_map(shadow).collect()
    };
    for (next, differ) in [
        (vec![third, other.clone(), weighs(20)], &["R", "T"][..]),
        (vec![longer, other.clone(), weighs(20)], &["R", "T"]),
        (vec![every, other.clone(), weighs(20)], &["R", "T"]),
        (vec![moved, other.clone(), weighs(20)], &["R", "T"]),
        (vec![live.clone(), other.clone(), weighs(60)], &["T"]),
        (vec![live, rule("NEW", EVERY, SECOND), other, weighs(20)], &["NEW"]),
    ] {
        let (base, next) = (bundle(&base), bundle(&next));
        let beside = with(&in_shadow(&base, &next));
        assert_eq!(said(&beside), said(&with(&base)), "what is in force goes on as it was");
        let mut alone = said(&with(&next));
        alone.retain(|(rule, ..)| differ.contains(&rule.as_str()));
        assert!(!alone.is_empty() && noted(&beside) == alone, "{differ:?}: {:?}, {alone:?}", noted(&beside));
    }
    let same = bundle(&base);
    assert_eq!(in_shadow(&same, &same), same);
}

#[test]
fn a_candidate_has_its_own_parameters_and_is_left_when_its_files_are() {
    let text = rule("R", EVERY, "payments >= most && receipts >= 0").text + "
        parameter most #{ value: 2, unit: \"payments\", range: [1, 100], owner: \"MLRO\", why: \"A test.\" };";
    let overlay = |value: u32| RuleFile {
        path: "parameters.toml".into(),
        text: format!("[R.most]\nvalue = {value}\nwhy = \"A test.\"\nowner = \"MLRO\"\n"),
    };
    let (live, next) = (
        bundle(&[RuleFile { path: "R.rhai".into(), text: text.clone() }, overlay(3)]),
        bundle(&[RuleFile { path: "R.rhai".into(), text }]),
    );
    let beside = in_shadow(&live, &next);
    assert!(beside.files.iter().any(|file| file.path == "shadow/parameters.toml" && file.text.is_empty()));
    let payments = |from, to| (from..to).map(payment).collect::<Vec<_>>();
    let records = [
        &in_force(&live)[..],
        &payments(0, 3),
        &in_force(&beside),
        &payments(3, 9),
        &in_force(&next),
        &payments(9, 12),
    ]
    .concat();
    let output = run(2, &records);
    let said: Vec<_> = output.alerts.iter().map(|alert| alert.event_id.as_str()).collect();
    // Windows stay filled across both changes.
    assert_eq!(said, ["E6", "E7", "E8", "E9", "E10", "E11"]);
    assert_eq!(shadows(&output), ["E3", "E4", "E5", "E6", "E7", "E8"]);
}

#[test]
fn a_rule_that_fails_on_every_event_is_noted_and_the_others_go_on() {
    let fails = rule("FAILS", EVERY, "payments / receipts > 1.0");
    let alone = bundle(&[rule("R", EVERY, SECOND)]);
    let both = bundle(&[rule("R", EVERY, SECOND), fails]);
    let payments: Vec<_> = (0..9).map(payment).collect();
    let with = |rules: &RuleBundle| run(2, &[in_force(rules).as_slice(), &payments].concat());
    let (without, output) = (with(&alone), with(&both));
    let events: Vec<String> = (0..9).map(|n| format!("E{n}")).collect();
    assert_eq!(failures(&output), events.iter().map(|event| ("FAILS", event.as_str())).collect::<Vec<_>>());
    assert!(failures(&without).is_empty());
    let of = |output: &Output| -> Vec<_> {
        output.alerts.iter().filter(|alert| alert.rule_id == "R").cloned().collect()
    };
    assert_eq!(of(&output), of(&without));
    // Its policy speaks: an alert, never a silent no.
    let spoken: Vec<_> = output.alerts.iter().filter(|alert| alert.rule_id == "FAILS").collect();
    assert!(spoken.len() == 9 && spoken.iter().all(|alert| alert.action == Action::Alert));
    assert!(spoken[0].reason.contains("division by zero"), "{}", spoken[0].reason);
}

/// The events of a rule's alerts.
fn said<'a>(output: &'a Output, rule: &str) -> Vec<&'a str> {
    let alerts = output.alerts.iter().filter(|alert| alert.rule_id == rule);
    alerts.map(|alert| alert.event_id.as_str()).collect()
}

/// A rule that fails on the first two payments of each customer within an hour, and finds from the third on.
fn fails_then_finds(more: &str) -> RuleBundle {
    bundle(&[rule("MIXED", more, "if payments <= 2 { payments / receipts > 1.0 } else { payments >= 3 }")])
}

/// A rule that asks for more than a rule may, on whatever comes.
fn dear(id: &str) -> RuleFile {
    let file = rule(
        id,
        EVERY,
        "payments >= 1 && receipts >= 0 && spin([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]) > 0",
    );
    let spin =
        "fn spin(l) { let n = 0; for a in l { for b in l { for c in l { for d in l { n += 1; } } } } n }";
    RuleFile { text: file.text.replace("condition", &format!("{spin}\ncondition")), ..file }
}

#[test]
fn a_failure_says_whose_fault_it_is_and_names_its_key_by_a_hash() {
    let rules = bundle(&[dear("DEAR"), rule("FAILS", EVERY, "payments / receipts > 1.0")]);
    let payments: Vec<_> = (0..6).map(payment).collect();
    let output = run(2, &[in_force(&rules).as_slice(), &payments].concat());
    let noted: Vec<_> = output
        .observations
        .iter()
        .map(|observed| match observed {
            Observation::Failure(failure) => (failure.rule_id.as_str(), failure.cause, failure.key),
            Observation::Shadow(_) => panic!("nothing is in shadow"),
        })
        .collect();
    let key = |n: u32| Hash256::of_parts([b"customer".as_slice(), format!("C{}", n % 3).as_bytes()]);
    let both = |n| [("DEAR", FailureCause::Rule, key(n)), ("FAILS", FailureCause::Input, key(n))];
    assert_eq!(noted, (0..6).flat_map(both).collect::<Vec<_>>());
    let alerted: Vec<_> =
        output.alerts.iter().map(|alert| (alert.rule_id.as_str(), alert.failed_by)).collect();
    let both = [("DEAR", Some(FailureCause::Rule)), ("FAILS", Some(FailureCause::Input))];
    assert_eq!(alerted, both.repeat(6), "its alert says so too");
}

#[test]
fn a_quarantined_rules_failures_are_alerted_once_a_day_of_each_key_until_it_is_mended() {
    let fails = |condition: &str| bundle(&[rule("R", EVERY, SECOND), rule("FAILS", EVERY, condition)]);
    let (broken, mended) =
        (fails("payments / receipts > 1.0"), fails("receipts > 0 && payments / receipts > 1.0"));
    let quarantine = PaymentRecord::Control(Control::Quarantine(order(&broken, "FAILS")));
    let payments = |from, to| (from..to).map(payment).collect::<Vec<_>>();
    let tomorrow = 24 * 60;
    let records = [
        &in_force(&broken)[..],
        &payments(0, 4),
        std::slice::from_ref(&quarantine),
        &payments(4, 8),
        // Mended, it is another content; the broken one back in force is still the broken one.
        &in_force(&mended),
        &payments(8, 12),
        &in_force(&broken),
        &payments(12, 16),
        &payments(tomorrow, tomorrow + 6),
    ]
    .concat();
    let output = run(2, &records);
    let failed: Vec<_> = failures(&output).iter().map(|(_, event)| *event).collect();
    let noted = (0..8).chain(12..16).chain(tomorrow..tomorrow + 6).map(|n| format!("E{n}"));
    assert_eq!(failed, noted.collect::<Vec<_>>(), "each is noted");
    // Three customers: once each today, once each tomorrow.
    let alerted = ["E0", "E1", "E2", "E3", "E4", "E5", "E6", "E1440", "E1441", "E1442"];
    assert_eq!(said(&output, "FAILS"), alerted);
    assert!(said(&output, "R").len() > 8, "the others go on");
    same_through_snapshots(&records, &output);
}

#[test]
fn a_quarantined_rule_finds_what_it_finds_and_holds_what_it_holds() {
    let quarantine = |rules: &RuleBundle| PaymentRecord::Control(Control::Quarantine(order(rules, "MIXED")));
    let payments: Vec<_> = (0..12).map(payment).collect();
    for more in [EVERY, r#"speaks: "on crossing""#, r#"speaks: "once per 24h""#] {
        let rules = fails_then_finds(more);
        let free = run(2, &[&in_force(&rules)[..], &payments].concat());
        let records = [&in_force(&rules)[..], &[quarantine(&rules)], &payments].concat();
        let output = run(2, &records);
        assert_eq!(output.holds, free.holds, "{more}");
        assert!(output.holds.len() >= 3, "{more}");
        assert_eq!(output.observations, free.observations, "{more}");
        same_through_snapshots(&records, &output);
    }
    // By policy each failure holds: on every payment, all day.
    let holds =
        bundle(&[rule("MIXED", &format!("{EVERY}, on_error: \"hold\""), "payments / receipts > 1.0")]);
    let records = [&in_force(&holds)[..], &[quarantine(&holds)], &payments].concat();
    let output = run(2, &records);
    assert_eq!(output.holds.len(), payments.len());
    assert!(output.decisions.iter().all(|decision| decision.decision == Outcome::Hold));
}

/// A rule on payments meets a new key at each event: its home says an hour's failures once, whatever is late.
#[test]
fn a_home_alerts_the_failures_of_a_quarantined_rule_once_an_hour() {
    let text = r#"rule HOME #{ title: "HOME", key: "payment", severity: "high", action: "alert", typology: "test",
            regulation: #{ text: "a test", source: "https://example.com", date: "2026-01-01" }, speaks: "every event" };
        condition amount / (amount - amount) > 1.0;
        reason `never`;"#;
    let rules = bundle(&[RuleFile { path: "home.rhai".into(), text: text.into() }, rule("R", EVERY, SECOND)]);
    let quarantine = PaymentRecord::Control(Control::Quarantine(order(&rules, "HOME")));
    let late = |n: u32| (n..n + 20).rev().step_by(5).map(payment);
    let payments: Vec<_> = (0..130).step_by(10).map(payment).chain(late(131)).chain(late(161)).collect();
    let records = [&in_force(&rules)[..], &[quarantine], &payments].concat();
    let output = run(2, &records);
    assert_eq!(said(&output, "HOME"), ["E0", "E60", "E120", "E180"]);
    assert_eq!(failures(&output).len(), payments.len());
    same_through_snapshots(&records, &output);
}

#[test]
fn a_lifted_rules_failures_are_alerted_like_any_others() {
    let rules = bundle(&[rule("R", EVERY, SECOND), rule("FAILS", EVERY, "payments / receipts > 1.0")]);
    let quarantine = PaymentRecord::Control(Control::Quarantine(order(&rules, "FAILS")));
    let lift = PaymentRecord::Control(Control::LiftQuarantine(order(&rules, "FAILS")));
    let payments = |from, to| (from..to).map(payment).collect::<Vec<_>>();
    let records = [
        &in_force(&rules)[..],
        &payments(0, 4),
        &[quarantine.clone(), quarantine.clone()],
        &payments(4, 8),
        // Delivered twice, both do what they do once.
        &[lift.clone(), lift.clone()],
        &payments(8, 12),
        std::slice::from_ref(&quarantine),
        &payments(12, 16),
    ]
    .concat();
    let output = run(2, &records);
    let alerted = ["E0", "E1", "E2", "E3", "E4", "E5", "E6", "E8", "E9", "E10", "E11"];
    assert_eq!(said(&output, "FAILS"), alerted, "what was said today under quarantine was said");
    for (until, quarantined) in [(records.len(), vec![content(&rules, "FAILS")]), (records.len() - 5, vec![])]
    {
        let mut engine = engine(2);
        records[..until].iter().for_each(|record| engine.apply(0, record, &mut Output::default()));
        assert_eq!(engine.home().rules().quarantined(), quarantined);
        assert_eq!(**engine.home().rules().files(), rules);
    }
    assert_eq!(failures(&output).len(), 16);
    same_through_snapshots(&records, &output);
}

#[test]
fn a_quarantine_and_its_end_reach_every_home_and_every_shard() {
    let order = order(&bundle(&[rule("R", EVERY, SECOND)]), "R");
    for control in [Control::Quarantine(order.clone()), Control::LiftQuarantine(order)] {
        let mut out = DistributorOutput::default();
        Distributor.apply(0, &control, &mut out);
        let to = |topic: Topic, record: &Published| {
            let to = |index| Publication { partition: topic.partition(index), record: record.clone() };
            [0, 1].map(to)
        };
        let homes = to(Topic::Payments, &Published::Payment(PaymentRecord::Control(control.clone())));
        let keys = to(Topic::Keyed, &Published::Keyed(KeyedRecord::Control(control)));
        assert_eq!(Distributor::publish(out, &Layout::of_stages(2)), [homes, keys].concat());
    }
}

/// The order that quarantines a rule, or lifts that.
fn order(rules: &RuleBundle, id: &str) -> Quarantine {
    let at = "2026-11-20T08:00:00Z".parse().unwrap();
    Quarantine { rule: content(rules, id), rule_id: id.into(), at }
}

/// However many shards there are, in one batch, and through a snapshot at any place.
fn same_through_snapshots(records: &[PaymentRecord], output: &Output) {
    let library: Arc<dyn Library> = Arc::new(NoLists);
    let batch: Vec<_> = records.iter().map(|record| (0, record.clone())).collect();
    let mut told = Output::default();
    engine(3).apply_all(&batch, &mut told);
    assert_eq!(told.alerts, output.alerts, "in one batch");
    assert_eq!(told.observations, output.observations, "in one batch");
    assert_eq!(told.decisions, output.decisions, "in one batch");
    for cut in 0..=records.len() {
        let (mut first, mut told) = (engine(5), Output::default());
        records[..cut].iter().for_each(|record| first.apply(0, record, &mut told));
        let mut second = Engine::restore(&first.snapshot().unwrap(), Format::CURRENT, &library).unwrap();
        records[cut..].iter().for_each(|record| second.apply(0, record, &mut told));
        assert_eq!(told.alerts, output.alerts, "cut at {cut}");
        assert_eq!(told.observations, output.observations, "cut at {cut}");
    }
}
