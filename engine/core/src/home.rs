//! The home of payments: the one place that decides what is new. It knows each payment's past, screens every
//! party, judges the rules that need no window, and asks the keys that other rules watch.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sluice_model::{
    Control, DeadLetter, Disposition, DispositionState, EventRecord, Hash256, Key, KeyKind, PaymentEvent,
    PaymentRecord, Role, Screening, StatusSet, limits::FUTURE_TOLERANCE,
};
use sluice_rules::{Facts, Judgement};

use crate::{
    Library, SnapshotError, Stage,
    alerting::{self, EngineFinding, Scene},
    dedupe::{Dedupe, Seen},
    freezes::Freezes,
    output::HomeOutput,
    payments::Payments,
    rulebook::{Rulebook, Sources},
    screening::ScreeningDesk,
    snapshot,
    suppressions::Suppressions,
    wire::{Copy, Screened, Speaker, VerdictRecord},
};

/// The home of the payments of one partition.
pub struct Home {
    rules: Rulebook,
    screening: ScreeningDesk,
    dedupe: Dedupe,
    payments: Payments,
    freezes: Freezes,
    /// Filled with the past under prepared rules: keys are asked, nothing is judged.
    filling: bool,
    /// Reused between events.
    judgements: Vec<Judgement>,
}

#[derive(Serialize, Deserialize)]
struct State {
    rules: Sources,
    screening: Screening,
    suppressions: Suppressions,
    dedupe: Dedupe,
    payments: Payments,
    freezes: Freezes,
}

impl Home {
    /// A home that has felt nothing.
    pub fn new(library: Arc<dyn Library>) -> Self {
        Self::with(Rulebook::empty(), library)
    }

    fn with(rules: Rulebook, library: Arc<dyn Library>) -> Self {
        Self {
            rules,
            screening: ScreeningDesk::new(library),
            dedupe: Dedupe::default(),
            payments: Payments::default(),
            freezes: Freezes::default(),
            filling: false,
            judgements: Vec::new(),
        }
    }

    /// The rules in force here.
    pub fn rules(&self) -> &Rulebook {
        &self.rules
    }

    /// What screening runs against.
    pub fn screening(&self) -> &Screening {
        self.screening.wanted()
    }

    /// Screen an event against what is in force, without feeling it. The same until the next control record.
    pub fn screen(&self, event: &PaymentEvent) -> Screened {
        self.screening.screen(event)
    }

    /// Feel an event, screened already by [`Home::screen`] or not.
    pub fn feel_event(&mut self, record: &EventRecord, screened: Option<Screened>, out: &mut HomeOutput) {
        let event = &record.event;
        if let Err((code, reason)) = self.admit(record) {
            match code {
                Refusal::Duplicate => {
                    out.counts.duplicates += 1;
                    if record.awaited {
                        out.verdicts.push(VerdictRecord::Again {
                            payment_id: event.payment_id().to_owned(),
                            event_id: event.event_id.clone(),
                        });
                    }
                }
                Refusal::DeadLetter(code) => {
                    out.counts.dead_letters += 1;
                    out.dead_letters.push(dead_letter(record, code, reason));
                }
            }
            return;
        }
        out.counts.events += 1;
        let past = self.payments.feel(event, self.dedupe.stream_time());
        let screened = Arc::new(screened.unwrap_or_else(|| self.screening.screen(event)));
        // Other parties are another payment to whoever screens it.
        let judged_before = if past.parties_changed { StatusSet::EMPTY } else { past.prior };
        let first_alert = out.alerts.len();
        if !self.filling {
            self.judge(event, judged_before, &screened, out);
        }
        let asked = self.ask_keys(record, past.prior, &screened, out);
        let alerts = &out.alerts[first_alert..];
        out.dispositions.extend(alerts.iter().filter_map(alerting::disposition));
        let verdict = alerting::verdict(Speaker::Home { asked }, event, record.awaited, alerts);
        out.verdicts.extend(verdict.map(VerdictRecord::Verdict));
    }

    /// Whether the event is new, in time, and to be judged.
    fn admit(&mut self, record: &EventRecord) -> Result<(), (Refusal, &'static str)> {
        let at = record.event.occurred_at;
        if at > record.received_at.plus(FUTURE_TOLERANCE) {
            let reason = "occurred_at is more than 5 minutes after the event was received";
            return Err((Refusal::DeadLetter("far_future"), reason));
        }
        if record.late_reason.is_none() && self.dedupe.is_too_old(at) {
            let reason = "occurred_at is more than 3 days behind the stream: send it again with a reason";
            return Err((Refusal::DeadLetter("too_old"), reason));
        }
        match self.dedupe.see(&record.event) {
            Seen::New => Ok(()),
            Seen::Duplicate => Err((Refusal::Duplicate, "")),
            Seen::Conflict => {
                let reason = "another event with this event_id and other content was taken before";
                Err((Refusal::DeadLetter("conflict"), reason))
            }
        }
    }

    /// What the engine itself and the rules without windows say.
    fn judge(&mut self, event: &PaymentEvent, prior: StatusSet, screened: &Screened, out: &mut HomeOutput) {
        let key = Key { kind: KeyKind::Payment, value: event.payment_id().to_owned() };
        let scene = Scene { key: &key, event, screened };
        if event.event_type.moves_money() {
            if let Some((frozen, case_id)) = self.freezes.touched(event) {
                out.alerts.push(alerting::of_engine(&EngineFinding::Frozen { key: &frozen, case_id }, scene));
            }
            if screened.failed && StatusSet::ALIVE.counts(event.status, prior) {
                out.alerts.push(alerting::of_engine(&EngineFinding::NotScreened, scene));
            }
        }
        let plan = self.rules.active().plan(KeyKind::Payment);
        if plan.rules.is_empty() {
            return;
        }
        let facts = Facts {
            event,
            role: Role::NONE,
            prior,
            matches: &screened.matches,
            screening_failed: screened.failed,
            profile: None,
        };
        plan.judge(&facts, &[], &[], &mut self.judgements);
        for judgement in self.judgements.drain(..) {
            let rule = &plan.rules[judgement.rule];
            if !rule.meta.shadow {
                out.alerts.push(alerting::of_rule(rule, judgement.finding, scene));
            }
        }
    }

    /// One copy to each key that a rule watches, or will watch once the prepared rules are in force.
    fn ask_keys(
        &self,
        record: &EventRecord,
        prior: StatusSet,
        screened: &Arc<Screened>,
        out: &mut HomeOutput,
    ) -> u32 {
        let watches = |kind| {
            self.rules.active().watches(kind)
                || self.rules.prepared().is_some_and(|rules| rules.watches(kind))
        };
        let mut asked = 0;
        for kind in KeyKind::ALL.into_iter().filter(|kind| *kind != KeyKind::Payment && watches(*kind)) {
            for (value, role) in record.event.keys(kind) {
                asked += 1;
                out.copies.push(Copy {
                    key: Key { kind, value: value.to_owned() },
                    role,
                    prior,
                    awaited: record.awaited,
                    event: Arc::clone(&record.event),
                    screened: Arc::clone(screened),
                });
            }
        }
        asked
    }

    /// Feel a control record.
    pub fn feel_control(&mut self, control: &Control, out: &mut HomeOutput) {
        match control {
            Control::Prepare(_) | Control::Activate { .. } if self.filling => {}
            Control::Screening(screening) => self.screening.change(screening),
            Control::Prepare(bundle) => self.rules.prepare(bundle, &*self.screening.library()),
            Control::Activate { rules } => {
                self.rules.activate(*rules);
            }
            Control::Freeze(order) => self.freezes.freeze(order),
            Control::Unfreeze(order) => self.freezes.unfreeze(order),
            Control::Suppress(order) => {
                self.screening.suppressions_mut().suppress(order, self.dedupe.stream_time());
            }
            Control::Unsuppress(order) => self.screening.suppressions_mut().unsuppress(order),
            Control::Release(order) => {
                out.verdicts.push(VerdictRecord::Released { payment_id: order.payment_id.clone() });
                out.dispositions.push(Disposition {
                    payment_id: order.payment_id.clone(),
                    event_id: String::new(),
                    state: DispositionState::Released,
                    because: order.case_id.clone(),
                    at: order.at,
                });
            }
            Control::Deadline { payment_id, event_id } => out
                .verdicts
                .push(VerdictRecord::Deadline { payment_id: payment_id.clone(), event_id: event_id.clone() }),
        }
    }
}

/// Why an event is not judged.
enum Refusal {
    Duplicate,
    DeadLetter(&'static str),
}

fn dead_letter(record: &EventRecord, code: &str, reason: &str) -> DeadLetter {
    DeadLetter {
        received_at: record.received_at,
        source: "home".into(),
        code: code.into(),
        reason: reason.into(),
        // An event that was read can be written: the canonical form of what came.
        original: serde_json::to_vec(&*record.event).unwrap_or_default(),
    }
}

impl Stage for Home {
    type Record = PaymentRecord;
    type Output = HomeOutput;

    fn apply(&mut self, record: &PaymentRecord, out: &mut HomeOutput) {
        match record {
            PaymentRecord::Event(event) => self.feel_event(event, None, out),
            PaymentRecord::Control(control) => self.feel_control(control, out),
        }
    }

    fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        snapshot::encode(&State {
            rules: self.rules.sources(),
            screening: self.screening.wanted().clone(),
            suppressions: self.screening.suppressions().clone(),
            dedupe: self.dedupe.clone(),
            payments: self.payments.clone(),
            freezes: self.freezes.clone(),
        })
    }

    fn restore(bytes: &[u8], library: &Arc<dyn Library>) -> Result<Self, SnapshotError> {
        let state: State = snapshot::decode(bytes)?;
        let mut home = Self::with(Rulebook::restore(&state.rules, &**library)?, Arc::clone(library));
        home.screening.change(&state.screening);
        *home.screening.suppressions_mut() = state.suppressions;
        Ok(Self { dedupe: state.dedupe, payments: state.payments, freezes: state.freezes, ..home })
    }

    /// A home keeps no windows: rules go into force at once.
    fn wants_filling(&self) -> Option<Hash256> {
        None
    }

    fn candidate(&self) -> Self {
        Self { filling: true, ..Self::with(self.rules.candidate(), self.screening.library()) }
    }

    fn activates(_: &PaymentRecord) -> Option<Hash256> {
        None
    }

    fn adopt(&mut self, _: Self) {}
}
