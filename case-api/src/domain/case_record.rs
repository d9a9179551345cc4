//! A case as it is kept: how the alert that opens it, those that join it and the acts of officers change it.

use serde::Serialize;
use sluice_model::{Alert, EventTime, Severity};

use super::{Act, CaseState, sla};
use crate::stamp::Stamp;

/// A case, as lists and the API show it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Case {
    /// Its place in the order of opening.
    #[serde(skip)]
    pub seq: i64,
    /// `CASE-000042`.
    pub case_id: String,
    /// The pattern that its alerts point to.
    pub typology: String,
    /// Its state.
    pub state: CaseState,
    /// The gravest of its alerts'.
    #[schema(value_type = String)]
    pub severity: Severity,
    /// Whether one of its alerts has a list match.
    pub screening: bool,
    /// The officer who has it.
    pub assignee: Option<String>,
    /// How many alerts it has.
    pub alerts: i64,
    /// Whom it is about.
    pub subjects: Vec<String>,
    /// The case before it on the same subject and typology.
    pub previous_case_id: Option<String>,
    /// How it ended.
    pub disposition: Option<String>,
    /// When its first alert was recorded.
    pub opened_at: Stamp,
    /// When anything last happened to it.
    pub updated_at: Stamp,
    /// When its state becomes overdue, in microseconds; none once closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<Stamp>,
    /// When it was closed, in microseconds.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Stamp>,
}

impl Case {
    /// The case that an alert opens, before it is counted as the case's first. `previous`: the last case on its first
    /// subject and typology. It has a place and an id once it is kept.
    pub fn opened_by(alert: &Alert, previous: Option<String>, now: EventTime) -> Self {
        let screening = is_sanctions(alert);
        Self {
            seq: 0,
            case_id: String::new(),
            typology: alert.typology.clone(),
            state: CaseState::New,
            severity: alert.severity,
            screening,
            assignee: None,
            alerts: 0,
            subjects: Vec::new(),
            previous_case_id: previous,
            disposition: None,
            opened_at: Stamp(now),
            updated_at: Stamp(now),
            due_at: due(CaseState::New, screening, now),
            closed_at: None,
        }
    }

    /// The case with one more alert: it is as grave as the gravest, and a sanctions match does not wait for the queue that
    /// the case was in.
    pub fn joined_by(&self, alert: &Alert, now: EventTime) -> Self {
        let waits = matches!(self.state, CaseState::New | CaseState::Triage);
        let sooner = due(CaseState::New, true, now).filter(|_| waits && is_sanctions(alert));
        Self {
            alerts: self.alerts + 1,
            severity: self.severity.max(alert.severity),
            screening: self.screening || is_sanctions(alert),
            due_at: self.due_at.map(|due_at| sooner.map_or(due_at, |sooner| due_at.min(sooner))),
            updated_at: Stamp(now),
            ..self.clone()
        }
    }

    /// The case after an act that leads to `state`. Its clock begins anew with each state; whoever takes it up after it was
    /// handed on is somebody else.
    pub fn after(&self, act: &Act, state: CaseState, now: EventTime) -> Self {
        let due_at = if state == self.state { self.due_at } else { due(state, self.screening, now) };
        let assignee = match act {
            Act::Assign { to } => to.clone(),
            Act::Escalate { .. } | Act::Return { .. } | Act::Reopen { .. } => None,
            _ => self.assignee.clone(),
        };
        let (disposition, closed_at) = match act {
            Act::Close(closing) => (Some(closing.disposition.code().to_owned()), Some(Stamp(now))),
            Act::Reopen { .. } => (None, None),
            _ => (self.disposition.clone(), self.closed_at),
        };
        Self { state, assignee, due_at, disposition, closed_at, updated_at: Stamp(now), ..self.clone() }
    }
}

/// When a state that is entered now becomes overdue.
fn due(state: CaseState, screening: bool, now: EventTime) -> Option<Stamp> {
    sla(state, screening).map(|span| Stamp(now.plus(span)))
}

/// Whether an alert has a list match.
fn is_sanctions(alert: &Alert) -> bool {
    !alert.matches.is_empty()
}

#[cfg(test)]
mod tests {
    use sluice_model::{Hash256, HoldOutcome, HoldRecord, Key, KeyKind, PartyMatch, Span};

    use super::*;
    use crate::domain::{Closing, DispositionCode, freeze, unexplained};

    fn at(hours: i64) -> EventTime {
        EventTime::from_micros(Span::hours(hours).micros())
    }

    fn alert(severity: Severity, is_match: bool) -> Alert {
        let said = HoldRecord {
            payment_id: "P".into(),
            event_id: "E".into(),
            state: HoldOutcome::Held,
            because: Hash256::of(b"a").to_string(),
            at: at(0),
            alerts: Vec::new(),
        };
        let met = PartyMatch { role: "debtor".into(), name: "A".into(), party: None, matches: Vec::new() };
        Alert { severity, matches: is_match.then_some(met).into_iter().collect(), ..unexplained(&said) }
    }

    fn case() -> Case {
        Case::opened_by(&alert(Severity::Medium, false), None, at(0))
    }

    #[test]
    fn a_case_becomes_as_grave_as_its_gravest_alert_and_as_urgent_as_a_sanctions_match() {
        let case = case();
        assert_eq!((case.alerts, case.due_at), (0, Some(Stamp(at(24)))));
        let joined = case.joined_by(&alert(Severity::Low, false), at(1));
        assert_eq!((joined.alerts, joined.severity, joined.due_at), (1, Severity::Medium, case.due_at));
        assert_eq!(joined.updated_at, Stamp(at(1)));
        let met = joined.joined_by(&alert(Severity::Critical, true), at(2));
        assert_eq!((met.severity, met.screening, met.due_at), (Severity::Critical, true, Some(Stamp(at(3)))));
        let again = met.joined_by(&alert(Severity::Low, true), at(20));
        assert_eq!(again.due_at, met.due_at, "never later");
        let taken = Case { state: CaseState::Investigate, ..joined };
        assert_eq!(taken.joined_by(&alert(Severity::Low, true), at(2)).due_at, taken.due_at, "its own clock");
    }

    #[test]
    fn an_act_starts_the_clock_of_a_new_state_and_hands_the_case_on() {
        let reason = || "because".to_owned();
        let assigned = case().after(&Act::Assign { to: Some("ada".into()) }, CaseState::Triage, at(1));
        assert_eq!((assigned.assignee.as_deref(), assigned.due_at), (Some("ada"), Some(Stamp(at(25)))));
        let said = assigned.after(&Act::Comment { text: reason() }, CaseState::Triage, at(2));
        assert_eq!((said.assignee.as_deref(), said.due_at), (Some("ada"), assigned.due_at));
        assert_eq!(said.updated_at, Stamp(at(2)));
        let up = said.after(&Act::Escalate { reason: reason() }, CaseState::Investigate, at(3));
        assert_eq!((up.assignee, up.due_at), (None, Some(Stamp(at(3 + 5 * 24)))));
        let closing = Closing {
            disposition: DispositionCode::Mon,
            discriminator: None,
            reason: reason(),
            suppress_days: None,
        };
        let closed = said.after(&Act::Close(closing), CaseState::Closed, at(4));
        assert_eq!(
            (closed.due_at, closed.closed_at, closed.disposition.as_deref()),
            (None, Some(Stamp(at(4))), Some("MON"))
        );
        let reopened = closed.after(&Act::Reopen { reason: reason() }, CaseState::Investigate, at(5));
        assert_eq!((reopened.closed_at, reopened.disposition), (None, None));
    }

    #[test]
    fn a_case_freezes_whom_it_is_about_and_no_payment() {
        let about = |subject: &str| Case { subjects: vec![subject.to_owned()], ..case() };
        let key = |subject: &str| freeze(&about(subject), &[], None).map(|key| (key.kind, key.value));
        assert_eq!(key("C-1"), Ok((KeyKind::Customer, "C-1".to_owned())));
        assert_eq!(key("account:A-1"), Ok((KeyKind::Account, "A-1".to_owned())));
        assert!(key("payment:P").is_err() && freeze(&case(), &[], None).is_err());
        let named = Key { kind: KeyKind::Device, value: "D".into() };
        assert_eq!(freeze(&about("C-1"), &[], Some(&named)), Ok(named));
    }
}
