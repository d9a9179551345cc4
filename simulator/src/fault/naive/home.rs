//! The home of payments: what is new, what it has been through, whom it meets, what the rules on payments say, and which
//! keys are asked.

use std::sync::Arc;

use sluice_core::Library;
use sluice_model::{
    Action, Control, EventRecord, Hash256, Key, KeyKind, NotScreened, PaymentEvent, PaymentStatus, Role,
    Span, StatusSet, Unnamed, WhyNotScreened,
};

use super::{
    desk::{Desk, ScreeningResult},
    features::Features,
    freezes::Freezes,
    ids::{Fate, Ids},
    parties::Parties,
    past::{Past, Payments, Place},
    rules::{Condition, known_keys},
    sets::{Book, InForce},
    windows::Fault,
    words::{self, GatherInput, ModelAlert, Out},
};

/// A home, or the home of the embedded engine.
pub(super) struct Home<'a> {
    book: &'a Book,
    features: &'a Features,
    rules: InForce,
    ids: Ids,
    payments: Payments,
    desk: Desk,
    parties: Parties,
    freezes: Freezes,
    /// In which hour of the stream the failure of a quarantined rule was told last.
    failures: Vec<(Hash256, i64)>,
}

/// An event that is judged, as the keys that are asked will see it.
#[derive(Clone)]
pub(super) struct JudgedEvent {
    pub event: Arc<PaymentEvent>,
    pub awaited: bool,
    pub past: Arc<Past>,
    /// The keys that are asked, with the sides on which each stands.
    pub asked: Vec<(Key, Role)>,
}

impl<'a> Home<'a> {
    /// A home that has applied nothing.
    pub(super) fn new(library: Arc<dyn Library>, book: &'a Book, features: &'a Features) -> Self {
        Self {
            book,
            features,
            rules: InForce::default(),
            ids: Ids::default(),
            payments: Payments::default(),
            desk: Desk::new(library),
            parties: Parties::default(),
            freezes: Freezes::default(),
            failures: Vec::new(),
        }
    }

    /// Apply an event.
    pub(super) fn event(&mut self, record: &EventRecord, out: &mut Out) -> Option<JudgedEvent> {
        let event = &record.event;
        let payment = event.payment_id().to_owned();
        match self.ids.fate(record, self.features) {
            Fate::Judged => {}
            Fate::Duplicate => {
                if record.awaited {
                    let at = self.ids.stream_time;
                    out.send(GatherInput::Again { at, payment, event: event.event_id.clone() });
                }
                return None;
            }
            Fate::Refused(code) => {
                let original = String::from_utf8(serde_json::to_vec(&**event).unwrap_or_default());
                out.lines.push(format!("dead letter {code}: {original:?}"));
                return None;
            }
        }
        let mut screened = self.desk.screen(event, self.features);
        let now = self.ids.stream_time;
        let (past, place) = self.payments.past(event, &screened, now, self.features);
        self.forgive_unnamed(&mut screened, &past);
        self.parties.meet(event, now);
        let mut said = self.engine(event, place, &screened);
        said.extend(self.judge(event, &past, place, &screened, out));
        said.iter().for_each(|said| out.alert(said, &payment));
        let asked = self.asked(event, &past);
        for (key, _) in &asked {
            out.between.push(copy(key, &event.event_id, record.awaited, &screened.not));
        }
        let found = found(&said, record.awaited);
        if record.awaited || !found.is_empty() {
            out.send(GatherInput::Verdict {
                payment,
                event: event.event_id.clone(),
                at: now,
                awaited: record.awaited,
                from: None,
                asked: asked.len(),
                found,
            });
        }
        let (event, past) = (Arc::clone(event), Arc::new(past));
        Some(JudgedEvent { event, awaited: record.awaited, past, asked })
    }

    /// A side without a name is nothing to tell where the source is not bound to carry names, or where the payment named
    /// it before and it was screened then.
    fn forgive_unnamed(&self, screened: &mut ScreeningResult, past: &Past) {
        let features = self.features;
        let policy = self.desk.unnamed();
        screened.not.retain(|not| {
            if not.why != WhyNotScreened::Unnamed {
                return true;
            }
            let before = past.named[usize::from(not.role == "creditor")];
            features.met(match policy {
                _ if before => "screening: unnamed, named before",
                Unnamed::Accept => "screening: unnamed accepted",
                Unnamed::Alert => "screening: unnamed alerted",
                Unnamed::Hold => "screening: unnamed held",
            });
            !before && policy != Unnamed::Accept
        });
    }

    /// What needs no rule. A frozen key is rejected at each event that moves money. What was not screened holds, once for
    /// the same of a payment; it alerts where no money moves, or no name is all that is missing and that is the policy.
    /// Who is listed is alerted where no money moves.
    fn engine(&mut self, event: &PaymentEvent, place: Place, screened: &ScreeningResult) -> Vec<ModelAlert> {
        let key = Key { kind: KeyKind::Payment, value: event.payment_id().to_owned() };
        let say = |rule: &str, action| ModelAlert {
            rule: rule.to_owned(),
            key: key.clone(),
            event: event.event_id.clone(),
            action,
        };
        let moves = event.event_type.moves_money();
        let mut said = Vec::new();
        if moves && self.freezes.is_touched(event, self.features) {
            said.push(say("ENGINE-FROZEN", Action::Reject));
        }
        let words =
            || format!("not screened, {}: {}", alike(event.status), words::not_screened(&screened.not));
        if !screened.not.is_empty() && self.payments.says_new(place, words()) {
            let only_unnamed = screened.not.iter().all(|not| not.why == WhyNotScreened::Unnamed);
            let told_only = only_unnamed && self.desk.unnamed() == Unnamed::Alert;
            if !moves {
                self.features.met("screening: not screened, no money moves");
            }
            let action = if moves && !told_only { Action::Hold } else { Action::Alert };
            said.push(say("ENGINE-NOT-SCREENED", action));
        }
        if !moves && !screened.met.is_empty() {
            self.features.met("screening: listed, no money moves");
            said.push(say("ENGINE-LISTED", Action::Alert));
        }
        said
    }

    /// What the rules on payments say: the same once, of one payment that is worth the same and meets the same entries,
    /// alive or as it goes back.
    fn judge(
        &mut self,
        event: &PaymentEvent,
        past: &Past,
        place: Place,
        screened: &ScreeningResult,
        out: &mut Out,
    ) -> Vec<ModelAlert> {
        let mut all = Vec::new();
        for (content, rule) in self.rules.on(KeyKind::Payment) {
            if !event.event_type.moves_money() || !past.is_judged(rule.statuses, event.status) {
                continue;
            }
            let Condition::Payment(condition) = rule.condition else { continue };
            let quarantined = self.rules.is_quarantined(content);
            let worth = PaymentEvent { amount: past.worth, ..event.clone() };
            let (action, reason) = match condition(&worth, screened) {
                Ok(None) => continue,
                Ok(Some(reason)) => {
                    if quarantined {
                        self.features.met("quarantine: judges on");
                    }
                    (rule.action, reason)
                }
                Err(fault) => {
                    if fault == Fault::NoRate {
                        self.features.met("rules: no rate for a currency");
                    }
                    out.lines.push(failure(rule.id, &event.event_id));
                    if quarantined && rule.on_error == Action::Alert && !self.tells_failure(content) {
                        continue;
                    }
                    (rule.on_error, format!("{fault:?}"))
                }
            };
            if self.payments.says_new(
                place,
                format!("{content} {action:?} {reason}, {} {:?}", alike(event.status), screened.entries()),
            ) {
                all.push(ModelAlert {
                    rule: rule.id.to_owned(),
                    key: Key { kind: KeyKind::Payment, value: event.payment_id().to_owned() },
                    event: event.event_id.clone(),
                    action,
                });
            }
        }
        all
    }

    /// The failures of a quarantined rule are told once in an hour of the stream.
    fn tells_failure(&mut self, rule: Hash256) -> bool {
        let hour = self.ids.stream_time.micros().div_euclid(Span::hours(1).micros());
        self.failures.retain(|(_, told)| *told == hour);
        let tells = !self.failures.contains(&(rule, hour));
        if tells {
            self.failures.push((rule, hour));
        }
        tells
    }

    /// Every key of the event, or of a side that it leaves out, that a rule in force, or one made ready, watches.
    fn asked(&self, event: &PaymentEvent, past: &Past) -> Vec<(Key, Role)> {
        let of = |kind| known_keys(event, past, kind);
        let kinds = KeyKind::ALL.into_iter().filter(|kind| *kind != KeyKind::Payment);
        let watched = kinds.filter(|kind| !of(*kind).is_empty() && self.rules.watches(*kind, self.features));
        let of = |kind| of(kind).into_iter().map(move |(value, role)| (Key { kind, value }, role));
        watched.flat_map(of).collect()
    }

    /// Apply a control record. `names` are the alerts that were published, by what identifies them.
    pub(super) fn control(&mut self, control: &Control, names: &super::names::Names, out: &mut Out) {
        match control {
            Control::Screening(wanted) => {
                let before = self.desk.change(wanted);
                let now = self.ids.stream_time;
                out.lines.extend(self.parties.compare(before.as_deref(), &self.desk, now, self.features));
            }
            Control::Prepare(bundle) => self.rules.prepare(bundle, self.book, self.features),
            Control::Activate { rules } => self.rules.activate(*rules, self.features),
            Control::Quarantine(order) => self.rules.quarantine(order.rule),
            Control::LiftQuarantine(order) => self.rules.lift(order.rule, self.features),
            Control::Freeze(order) => self.freezes.freeze(order),
            Control::Unfreeze(order) => self.freezes.unfreeze(order, self.features),
            Control::Suppress(order) => self.desk.suppress(order, self.ids.stream_time),
            Control::Unsuppress(order) => self.desk.unsuppress(order),
            Control::Release(order) => out.send(GatherInput::Released {
                payment: order.payment_id.clone(),
                case: order.case_id.clone(),
                alerts: order.alerts.as_ref().map(|ids| ids.iter().map(|id| names.of(*id)).collect()),
            }),
            Control::Deadline { payment_id, event_id, event } => {
                let found = event.as_ref().map(|event| ModelAlert {
                    rule: "ENGINE-DEADLINE".to_owned(),
                    key: Key { kind: KeyKind::Payment, value: event.payment_id().to_owned() },
                    event: event.event_id.clone(),
                    action: Action::Hold,
                });
                match &found {
                    Some(said) => out.alert(said, payment_id),
                    None => self.features.met("deadline: without the event"),
                }
                let (payment, event) = (payment_id.clone(), event_id.clone());
                out.send(GatherInput::Deadline { payment, event, found });
            }
            Control::SetStreamTime(order) => {
                if order.to < self.ids.stream_time {
                    self.features.met("stream time: set back");
                }
                self.ids.stream_time = self.ids.stream_time.min(order.to);
                out.send(GatherInput::StreamTime { to: order.to });
            }
        }
    }
}

/// Whether the payment is alive, or how it ends.
fn alike(status: PaymentStatus) -> &'static str {
    if StatusSet::ALIVE.has(status) { "alive" } else { status.name() }
}

/// What is told of what was said: all of it to whoever waits, else what holds.
pub(super) fn found(said: &[ModelAlert], awaited: bool) -> Vec<ModelAlert> {
    said.iter().filter(|said| awaited || said.action != Action::Alert).cloned().collect()
}

/// A copy for a key, as a line.
pub(super) fn copy(key: &Key, event: &str, awaited: bool, not: &[NotScreened]) -> String {
    let not = words::not_screened(not);
    format!("copy of {event} to {}, awaited {awaited}, not screened {not}", words::name(key))
}

/// The failure of a rule, as a line.
pub(super) fn failure(rule: &str, event: &str) -> String {
    format!("{rule} fails at {event}")
}
