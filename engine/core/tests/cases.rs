//! Cases of rules run through the engine itself, each from nothing.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use sluice_core::CaseRunner;
use sluice_model::{Currency, EventTime, Money, PaymentEvent, PaymentStatus, RuleBundle, RuleFile, Span};
use sluice_rules::{CaseEngine, RuleSet};

fn rules(more: &str) -> Arc<RuleSet> {
    let text = format!(
        r#"rule BIG #{{ title: "BIG", key: "payment", severity: "high", action: "alert", typology: "test",
            regulation: #{{ text: "a test", source: "https://example.com", date: "2026-01-01" }},
            speaks: "every event"{more} }};
        condition amount >= hkd(8000);
        reason `large`;"#
    );
    let bundle = RuleBundle::new(vec![RuleFile { path: "big.rhai".into(), text }]);
    Arc::new(RuleSet::compile(&bundle).unwrap())
}

fn payment(id: &str, days: i64, minor: i64) -> PaymentEvent {
    let start: EventTime = "2026-11-20T08:00:00Z".parse().unwrap();
    let mut event = PaymentEvent::new(id.to_owned(), start.plus(Span::days(days)));
    event.status = PaymentStatus::Completed;
    event.amount = Some(Money::new(minor, Currency::HKD));
    event
}

#[test]
fn a_case_says_what_its_rules_alert_in_shadow_or_not_however_old_its_payments_are() {
    let events = [payment("E1", 9, 900_000), payment("E2", 10, 100), payment("E3", 0, 900_000)];
    for more in ["", ", shadow: true"] {
        let alerts = CaseRunner.run(&rules(more), &events).unwrap();
        let told: Vec<_> = alerts.iter().map(|alert| alert.event_id.as_str()).collect();
        assert_eq!(told, ["E1", "E3"], "{more}");
    }
}

#[test]
fn a_case_with_a_payment_that_would_be_refused_is_an_error() {
    let refused = CaseRunner.run(&rules(""), &[payment("E", 0, 100), payment("E", 0, 200)]).unwrap_err();
    assert!(refused.contains("refused"), "{refused}");
}
