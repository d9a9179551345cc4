//! How what the engine says finds its case: whom an alert is about, which open case it joins, and the alert or hold
//! in place of one that nobody has read.

use sluice_model::{
    Action, Alert, Cause, Decision, EventTime, Hash256, HoldOutcome, HoldRecord, Key, KeyKind, Outcome,
    Severity, Versions,
};

/// The rule id of an alert in place of one that nobody has read.
const UNEXPLAINED: &str = "ENGINE-UNEXPLAINED";

/// Whom an alert is about; an alert that names nobody is about its key.
pub fn subjects(alert: &Alert) -> Vec<String> {
    let mut subjects: Vec<String> = Vec::with_capacity(alert.subjects.len());
    for subject in &alert.subjects {
        if !subject.is_empty() && !subjects.contains(subject) {
            subjects.push(subject.clone());
        }
    }
    if subjects.is_empty() {
        subjects.push(format!("{}:{}", alert.key.kind.name(), alert.key.value));
    }
    subjects
}

/// The case that an alert joins: of the open cases of its typology on its subjects, each with its place in the order of
/// opening, the oldest. It opens one where there is none.
pub fn joins(open: impl IntoIterator<Item = (i64, String)>) -> Option<String> {
    open.into_iter().min().map(|(_, case_id)| case_id)
}

/// The alert that opens a case for a payment which the engine keeps without one: it must not wait unseen.
pub fn unexplained(said: &HoldRecord) -> Alert {
    let key = Key { kind: KeyKind::Payment, value: said.payment_id.clone() };
    let cause = Cause::Event { event_id: said.event_id.clone() };
    let parts = [b"sluice/unexplained/v1".as_slice(), said.payment_id.as_bytes(), said.because.as_bytes()];
    Alert {
        alert_id: Hash256::of_parts(parts),
        rule_id: UNEXPLAINED.to_owned(),
        rule_version: String::new(),
        typology: "not_decided".to_owned(),
        key,
        subjects: vec![format!("payment:{}", said.payment_id)],
        event_id: said.event_id.clone(),
        offset: None,
        payment_id: said.payment_id.clone(),
        occurred_at: said.at,
        severity: Severity::High,
        action: Action::Hold,
        reason: "the engine keeps this payment, and no alert says why".to_owned(),
        failed_by: None,
        windows: Default::default(),
        matches: Vec::new(),
        cause,
        versions: Versions::default(),
    }
}

/// The hold behind an answer other than allow that names no alert.
pub fn held_by_decision(decision: &Decision, at: EventTime) -> HoldRecord {
    let parts = [b"sluice/decision/v1".as_slice(), decision.event_id.as_bytes()];
    let state = match decision.decision {
        Outcome::Reject => HoldOutcome::Rejected,
        _ => HoldOutcome::Held,
    };
    HoldRecord {
        payment_id: decision.payment_id.clone(),
        event_id: decision.event_id.clone(),
        state,
        because: Hash256::of_parts(parts).to_string(),
        at,
        alerts: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::HoldState;

    #[test]
    fn an_alert_joins_the_oldest_open_case_and_is_about_somebody() {
        assert_eq!(joins([(9, "CASE-9".to_owned()), (3, "CASE-3".to_owned())]).as_deref(), Some("CASE-3"));
        assert_eq!(joins([]), None);
        let said = HoldRecord {
            payment_id: "P".into(),
            event_id: "E".into(),
            state: HoldOutcome::Held,
            because: "?".into(),
            at: EventTime::from_micros(0),
            alerts: Vec::new(),
        };
        let named = |names: &[&str]| {
            let named = names.iter().map(|name| (*name).to_owned()).collect();
            subjects(&Alert { subjects: named, ..unexplained(&said) })
        };
        assert_eq!(named(&["C-1", "", "A-1", "C-1"]), ["C-1", "A-1"]);
        assert_eq!(named(&[""]), ["payment:P"]);
    }

    #[test]
    fn an_answer_without_an_alert_keeps_the_payment_as_it_says() {
        let answer = |decision| {
            let (payment_id, event_id) = ("P".to_owned(), "E".to_owned());
            let (alerts, reasons) = Default::default();
            let decision = Decision {
                payment_id,
                event_id,
                decision,
                alerts,
                reasons,
                deadline_passed: false,
                offset: None,
            };
            let said = held_by_decision(&decision, EventTime::from_micros(0));
            (HoldState::kept(&said), said.state)
        };
        assert_eq!(answer(Outcome::Reject), (HoldState::Rejected, HoldOutcome::Rejected));
        assert_eq!(answer(Outcome::Hold), (HoldState::Held, HoldOutcome::Held));
    }
}
