//! Which records of the payments log an alert rests on, so that a bundle can include those and no others.

use std::collections::HashSet;

use sluice_model::{Alert, Control, Freeze, Key, Party, PaymentEvent, PaymentRecord, Unfreeze};

/// Chooses an alert's records in two passes over one partition: [`survey`](Self::survey) every record, then ask
/// [`has`](Self::has) of each again.
///
/// They are the events of the alert's key up to the one that was judged, whatever else happened to the same
/// payments, and the control records that those applied: rules, lists, and the freezes and suppressions of whom the
/// judged event names. Evaluated alone they give the same alert, since a key's windows are of its own events and
/// a payment's past is of its own. An event that the log holds but the engine refused as too old is among them,
/// and may then be taken where it was not: the evaluation differs visibly.
#[derive(Debug)]
pub struct Contributing<'a> {
    key: &'a Key,
    event_id: &'a str,
    payments: HashSet<String>,
    judged: Option<(u64, PaymentEvent)>,
}

impl<'a> Contributing<'a> {
    /// The records behind `alert`.
    pub fn to(alert: &'a Alert) -> Self {
        Self { key: &alert.key, event_id: &alert.event_id, payments: HashSet::new(), judged: None }
    }

    /// The first pass.
    pub fn survey(&mut self, offset: u64, record: &PaymentRecord) {
        let PaymentRecord::Event(record) = record else { return };
        if touches(&record.event, self.key) {
            self.payments.insert(record.event.payment_id().to_owned());
        }
        // The last one of that id: an event that was refused may have been sent again with a reason.
        if record.event.event_id == self.event_id {
            self.judged = Some((offset, PaymentEvent::clone(&record.event)));
        }
    }

    /// The second pass: whether a record is one of them.
    pub fn has(&self, offset: u64, record: &PaymentRecord) -> bool {
        let Some((last, judged)) = &self.judged else { return false };
        offset <= *last
            && match record {
                PaymentRecord::Event(record) => self.payments.contains(record.event.payment_id()),
                PaymentRecord::Control(control) => match control {
                    Control::Screening(_)
                    | Control::Prepare(_)
                    | Control::Activate { .. }
                    | Control::Quarantine(_)
                    | Control::LiftQuarantine(_)
                    | Control::SetStreamTime(_) => true,
                    Control::Freeze(Freeze { key, .. }) | Control::Unfreeze(Unfreeze { key, .. }) => {
                        touches(judged, key)
                    }
                    Control::Suppress(order) | Control::Unsuppress(order) => names(judged, &order.party),
                    Control::Deadline { event_id, .. } => event_id == self.event_id,
                    Control::Release(_) => false,
                },
            }
    }
}

fn touches(event: &PaymentEvent, key: &Key) -> bool {
    event.keys(key.kind).iter().any(|(value, _)| *value == key.value)
}

/// Whether an event names a party, or an institution, in any role.
fn names(event: &PaymentEvent, key: &Key) -> bool {
    let is = |p: &Party| [p.identity(), p.institution()].iter().flatten().any(|known| known == key);
    let related = event.related_parties.iter().map(|r| &r.party);
    event.debtor.iter().chain(&event.creditor).chain(&event.intermediaries).chain(related).any(is)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sluice_model::{EventTime, Freeze, Hash256, KeyKind, RuleBundle, Screening, Suppression};

    use super::*;

    fn event(id: &str, payment: &str, debtor: &str) -> PaymentRecord {
        serde_json::from_value(json!({"event": {
            "received_at": "2026-11-20T08:30:00Z",
            "event": {"event_id": id, "payment_id": payment, "occurred_at": "2026-11-20T08:30:00Z",
                      "debtor": {"customer_id": debtor, "name": format!("{debtor} Ltd")}},
        }}))
        .unwrap()
    }

    fn control(control: Control) -> PaymentRecord {
        PaymentRecord::Control(control)
    }

    fn freeze(customer: &str) -> PaymentRecord {
        let key = Key { kind: KeyKind::Customer, value: customer.into() };
        control(Control::Freeze(Freeze { key, case_id: "c".into(), at: EventTime::default() }))
    }

    fn suppress(customer: &str) -> PaymentRecord {
        control(Control::Suppress(Suppression {
            party: Key { kind: KeyKind::Customer, value: customer.into() },
            list: "un".into(),
            entry_id: "1".into(),
            entry_hash: Hash256::default(),
            reason: String::new(),
            approver: String::new(),
            expires_at: EventTime::default(),
        }))
    }

    fn deadline(event: &str) -> PaymentRecord {
        control(Control::Deadline { payment_id: "P1".into(), event_id: event.into(), event: None })
    }

    #[test]
    fn an_alerts_records_are_its_keys_their_payments_and_the_controls_they_felt() {
        let alert = json!({
            "alert_id": Hash256::default(), "rule_id": "R", "rule_version": "", "typology": "",
            "key": {"kind": "customer", "value": "A"}, "subjects": [], "event_id": "E4", "payment_id": "P2",
            "occurred_at": "2026-11-20T08:30:00Z", "severity": "low", "action": "alert", "reason": "", "windows": {},
            "matches": [], "cause": {"kind": "event", "event_id": "E4"},
            "versions": {"rule": "", "parameters": "", "lists": {}, "engine": ""},
        });
        let alert: Alert = serde_json::from_value(alert).unwrap();
        let log = [
            (control(Control::Screening(Screening::default())), true),
            (control(Control::Prepare(RuleBundle::default())), true),
            (event("E1", "P1", "A"), true),
            (event("E2", "P2", "B"), true), // another's event of a payment that becomes A's
            (event("E3", "P3", "B"), false),
            (freeze("A"), true),
            (freeze("B"), false),
            (suppress("A"), true),
            (suppress("B"), false),
            (deadline("E1"), false),
            (event("E4", "P2", "A"), true),
            (event("E5", "P1", "A"), false),
        ];
        let mut contributing = Contributing::to(&alert);
        for (offset, (record, _)) in log.iter().enumerate() {
            contributing.survey(offset as u64, record);
        }
        for (offset, (record, expected)) in log.iter().enumerate() {
            assert_eq!(contributing.has(offset as u64, record), *expected, "record {offset}");
        }
    }
}
