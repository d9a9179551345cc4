//! Each kind of alert as the engine writes it, in golden files: the shape is a contract.

use std::sync::Arc;

use serde_json::{Value, json};
use sluice_core::{Engine, EngineConfig, Library, Output, Stage as _, Unavailable};
use sluice_lists::{Entry, ListVersion, Screener, Settings};
use sluice_model::{
    Alert, Control, EntryKind, EventRecord, EventTime, Freeze, Hash256, Key, KeyKind, PaymentEvent,
    PaymentRecord, RuleBundle, RuleFile, Screening,
};
use sluice_rules::RuleSet;

/// The versions of one list, each of these persons.
struct Shelf(Vec<Arc<ListVersion>>);

impl Shelf {
    fn new(versions: &[&[&str]]) -> Self {
        let entry = |(n, name): (usize, &&str)| Entry::new(format!("H-{n}"), EntryKind::Person, *name);
        let version = |names: &&[&str]| {
            Arc::new(ListVersion::new("house", names.iter().enumerate().map(entry).collect()).unwrap())
        };
        Self(versions.iter().map(version).collect())
    }

    /// The order that puts the `n`th version in force.
    fn order(&self, n: usize) -> Control {
        let lists = [("house".to_owned(), self.0[n].hash())].into();
        Control::Screening(Screening { lists, ..Screening::default() })
    }
}

impl Library for Shelf {
    fn screener(&self, screening: &Screening) -> Result<Arc<Screener>, Unavailable> {
        let wanted = |hash: &Hash256| self.0.iter().find(|version| version.hash() == *hash).cloned();
        let versions: Option<Vec<_>> = screening.lists.values().map(wanted).collect();
        let versions = versions.ok_or_else(|| Unavailable("it is not here".into()))?;
        Ok(Arc::new(Screener::build(&versions, Settings::default())))
    }
}

/// An engine with rules and a list in force, and what it said.
struct World {
    engine: Engine,
    shelf: Arc<Shelf>,
    output: Output,
    offset: u64,
}

impl World {
    fn new(rules: &[RuleFile]) -> Self {
        let shelf = Arc::new(Shelf::new(&[&["Vasil Zorkin"], &["Vasil Zorkin", "陳大文"]]));
        let engine = Engine::new(EngineConfig { shards: 1 }, Arc::clone(&shelf) as _);
        let mut world = Self { engine, shelf, output: Output::default(), offset: 0 };
        let rules = RuleBundle::new(rules.to_vec());
        RuleSet::compile(&rules).unwrap();
        let hash = rules.hash();
        world.order(world.shelf.order(0));
        world.order(Control::Prepare(rules));
        world.order(Control::Activate { rules: hash });
        world
    }

    fn apply(&mut self, record: &PaymentRecord) {
        self.engine.apply(self.offset, record, &mut self.output);
        self.offset += 1;
    }

    fn order(&mut self, control: Control) {
        self.apply(&PaymentRecord::Control(control));
    }

    fn see(&mut self, event: PaymentEvent) {
        let received_at = event.occurred_at;
        let record = EventRecord { received_at, awaited: false, late_reason: None, event: event.into() };
        self.apply(&PaymentRecord::Event(record));
    }

    /// The last alert of that rule.
    fn alert(&self, rule_id: &str) -> &Alert {
        self.output.alerts.iter().rev().find(|alert| alert.rule_id == rule_id).unwrap()
    }
}

const AT: &str = "2026-11-20T08:30:00Z";

/// A payment from a customer with a name in two scripts, and whatever else is said of it.
fn payment(n: u32, more: &Value) -> PaymentEvent {
    let mut event = json!({
        "event_id": format!("E-{n}"), "payment_id": format!("P-{n}"), "type": "payment", "status": "completed",
        "occurred_at": AT, "amount": {"value": "7800.00", "currency": "HKD"},
        "debtor": {"customer_id": "C-1", "account": "012-345-678901", "name": "CHAN Tai Man", "name_local": "陳大文"},
        "creditor": {"customer_id": "C-2", "account": "024-9", "name": "Harbour Trading Limited"},
    });
    for (field, value) in more.as_object().unwrap() {
        event[field] = value.clone();
    }
    serde_json::from_value(event).unwrap()
}

fn rule(id: &str, key: &str, windows: &str, condition: &str, reason: &str) -> RuleFile {
    let text = format!(
        r#"rule {id} #{{ title: "{id}", key: "{key}", severity: "high", action: "hold", typology: "test",
            regulation: #{{ text: "a test", source: "https://example.com", date: "2026-01-01" }},
            speaks: "every event" }};
        {windows}
        condition {condition};
        reason `{reason}`;"#
    );
    RuleFile { path: format!("{id}.rhai"), text }
}

#[track_caller]
fn is_golden(name: &str, alert: &Alert) {
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!(format!("alert_{name}"), serde_json::to_string_pretty(alert).unwrap());
    });
}

#[test]
fn the_alert_of_a_rule_of_a_rule_that_failed_and_of_a_typology() {
    let paid = r#"window payments #{ measure: "count", role: "debtor", length: "1h" };
        window total #{ measure: "sum", of: amount, role: "debtor", length: "1h" };"#;
    let both = r#"window paid #{ measure: "count", role: "debtor", length: "1h" };
        window received #{ measure: "count", role: "creditor", length: "1h" };"#;
    let found = rule("R1", "customer", paid, "payments >= 1", "${payments} payments, ${total} in all");
    let fails = rule("R2", "customer", both, "paid / received > 1.0", "never said");
    let typology = RuleFile {
        path: "T1.rhai".into(),
        text: r#"typology T1 #{ title: "Both", key: "customer", severity: "medium", typology: "both",
            regulation: #{ text: "a test", source: "https://example.com", date: "2026-01-01" },
            speaks: "every event", alert_at: 30, hold_at: 60, weights: #{ R1: 40, R2: 30 } };"#
            .into(),
    };
    let mut world = World::new(&[found, fails, typology]);
    world.see(payment(1, &json!({})));
    is_golden("of_a_rule", world.alert("R1"));
    is_golden("of_a_rule_that_failed", world.alert("R2"));
    is_golden("of_a_typology", world.alert("T1"));
}

#[test]
fn the_alert_of_a_rule_that_reads_list_matches() {
    let meets = rule("R60", "payment", "", "screening.score >= 0.9", "a party meets a list");
    let mut world = World::new(&[meets]);
    world.see(payment(1, &json!({"creditor": {"account": "024-9", "name": "Vasil Zorkin"}})));
    is_golden("with_a_list_match", world.alert("R60"));
}

#[test]
fn the_alerts_of_the_engine_itself() {
    let mut world = World::new(&[]);
    world.see(payment(1, &json!({"creditor": {"account": "024-9"}})));
    is_golden("not_screened", world.alert("ENGINE-NOT-SCREENED"));

    let listed = json!({"type": "customer", "debtor": {"customer_id": "C-3", "name": "Vasil Zorkin"}});
    world.see(payment(2, &listed));
    is_golden("listed", world.alert("ENGINE-LISTED"));

    let key = Key { kind: KeyKind::Customer, value: "C-1".into() };
    let at: EventTime = AT.parse().unwrap();
    world.order(Control::Freeze(Freeze { key, case_id: "CASE-000001".into(), at }));
    world.see(payment(3, &json!({})));
    is_golden("frozen", world.alert("ENGINE-FROZEN"));

    let event = payment(4, &json!({}));
    let (payment_id, event_id) = (event.payment_id().to_owned(), event.event_id.clone());
    world.order(Control::Deadline { payment_id, event_id, event: Some(Arc::new(event)) });
    is_golden("deadline", world.alert("ENGINE-DEADLINE"));

    world.order(world.shelf.order(1));
    is_golden("rescreened", world.alert("ENGINE-RESCREEN"));
}
