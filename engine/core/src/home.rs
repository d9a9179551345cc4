//! The home of payments: the one place that decides what is new. It knows each payment's past, screens every
//! party, judges the rules that need no window, and asks the keys that other rules watch.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};
use sluice_lists::{Screener, rescreen::rescreen};
use sluice_model::{
    Control, DeadLetter, EventRecord, EventTime, Hash256, Key, KeyKind, Observation, PaymentEvent,
    PaymentPast, PaymentRecord, RefusedEvent, Role, Screening, StatusSet, Topic, Unnamed, WhyNotScreened,
    add_key,
};
use sluice_rules::{Facts, Judgement, NO_WINDOWS};

use crate::{
    Counts, Format, Layout, Library, Offset, Publication, SnapshotError, Stage,
    alerting::{self, EngineFinding, Scene},
    dedupe::{Dedupe, Novelty},
    freezes::Freezes,
    noise::{self, NoiseOfHome},
    output::{HomeOutput, RescreenReport},
    parties::Parties,
    payments::{PaymentPlace, PaymentView, Payments, v9},
    publication::publications,
    rulebook::{Rulebook, Sources},
    screening::ScreeningDesk,
    snapshot,
    suppressions::Suppressions,
    wire::{KeyedEvent, Screened, Speaker, Verdict, VerdictFinding, VerdictRecord},
};

/// The home of the payments of one partition.
pub struct Home {
    rules: Rulebook,
    screening: ScreeningDesk,
    dedupe: Dedupe,
    payments: Payments,
    freezes: Freezes,
    parties: Parties,
    noise: NoiseOfHome,
    /// Filled with the past under prepared rules: keys are asked, nothing is judged.
    filling: bool,
    /// Reused between events.
    judgements: Vec<Judgement>,
}

#[derive(Serialize, Deserialize)]
struct State<'a, P: Clone = Payments> {
    rules: Sources,
    screening: Screening,
    suppressions: Suppressions,
    dedupe: Cow<'a, Dedupe>,
    payments: Cow<'a, P>,
    freezes: Freezes,
    parties: Cow<'a, Parties>,
    noise: Cow<'a, NoiseOfHome>,
}

impl<'a> From<State<'a, v9::Payments>> for State<'a> {
    fn from(of: State<'a, v9::Payments>) -> Self {
        State {
            rules: of.rules,
            screening: of.screening,
            suppressions: of.suppressions,
            dedupe: of.dedupe,
            payments: Cow::Owned(of.payments.into_owned().into()),
            freezes: of.freezes,
            parties: of.parties,
            noise: of.noise,
        }
    }
}

impl Home {
    /// A home that has applied nothing.
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
            parties: Parties::default(),
            noise: NoiseOfHome::default(),
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

    /// The latest event time applied; `None` before the first event.
    pub fn stream_time(&self) -> Option<EventTime> {
        Some(self.dedupe.stream_time()).filter(|at| *at != EventTime::default())
    }

    /// Screen an event against what is in force, without applying it. The same until the next control record.
    pub fn screen(&self, event: &PaymentEvent) -> Screened {
        self.screening.screen(event)
    }

    /// Apply an event, screened already by [`Home::screen`] or not.
    pub fn apply_event(
        &mut self,
        offset: Offset,
        record: &EventRecord,
        screened: Option<Screened>,
        out: &mut HomeOutput,
    ) {
        let event = &record.event;
        if let Err((code, reason)) = self.admit(record) {
            match code {
                Refusal::Duplicate => {
                    out.duplicates.push(offset);
                    if record.awaited {
                        out.verdicts.push(VerdictRecord::Again {
                            at: self.dedupe.stream_time(),
                            payment_id: event.payment_id().to_owned(),
                            event_id: event.event_id.clone(),
                            offset,
                        });
                    }
                }
                Refusal::DeadLetter(code) => {
                    out.counts.dead_letters += 1;
                    out.dead_letters.push(dead_letter(offset, record, code, reason));
                }
            }
            return;
        }
        out.counts.events += 1;
        let mut screened = screened.unwrap_or_else(|| self.screening.screen(event));
        let stream_time = self.dedupe.stream_time();
        let attributes = self.rules.active().attributes();
        let (known, place) = self.payments.apply(event, &screened, attributes, stream_time);
        out.counts.illegal_statuses += u64::from(known.past.illegal_after.is_some());
        forgive_unnamed(&mut screened, &known, self.screening.wanted().unnamed);
        let screened = Arc::new(screened);
        let first_alert = out.alerts.len();
        if !self.filling {
            self.parties.meet(event, stream_time);
            self.judge((offset, event), &known.past, place, &screened, out);
        }
        let asked = self.ask_keys((offset, record), &known, &screened, out);
        let alerts = &out.alerts[first_alert..];
        out.holds.extend(alerts.iter().filter_map(alerting::hold));
        let verdict = alerting::verdict(Speaker::Home { asked }, (offset, event), record.awaited, alerts);
        let verdict = verdict.map(|verdict| Verdict { at: stream_time, ..verdict });
        out.verdicts.extend(verdict.map(VerdictRecord::Verdict));
    }

    /// Whether the event is new, in time, and to be judged.
    fn admit(&mut self, record: &EventRecord) -> Result<(), (Refusal, &'static str)> {
        let at = record.event.occurred_at;
        if at > record.received_at.plus(record.event.future_tolerance()) {
            let reason = "occurred_at is more than 5 minutes after the event was received (a day without a time: more \
                          than 14 hours)";
            return Err((Refusal::DeadLetter("far_future"), reason));
        }
        if record.late_reason.is_none() && self.dedupe.is_too_old(at) {
            let reason = "occurred_at is more than 3 days behind the stream: send it again with a reason";
            return Err((Refusal::DeadLetter("too_old"), reason));
        }
        match self.dedupe.see(&record.event) {
            Novelty::New => Ok(()),
            Novelty::Duplicate => Err((Refusal::Duplicate, "")),
            Novelty::Conflict => {
                let reason = "another event with this event_id and other content was taken before";
                Err((Refusal::DeadLetter("conflict"), reason))
            }
        }
    }

    /// What the engine itself and the rules without windows say. What was said of a payment for the same reason is not
    /// said again while it meets the same entries; money that goes back is told anew.
    fn judge(
        &mut self,
        (offset, event): (Offset, &PaymentEvent),
        past: &PaymentPast,
        place: PaymentPlace,
        screened: &Screened,
        out: &mut HomeOutput,
    ) {
        let key = Key { kind: KeyKind::Payment, value: event.payment_id().to_owned() };
        let scene = Scene { key: &key, event, offset: Some(offset), screened };
        let alike = (!StatusSet::ALIVE.has(event.status)).then_some(event.status);
        let met: Vec<_> = screened
            .matches
            .iter()
            .flat_map(|found| {
                found.matches.iter().map(|hit| (&found.role, &found.name, &hit.list, &hit.entry_id))
            })
            .collect();
        if let Some((frozen, case_id)) =
            self.freezes.touched(event).filter(|_| event.event_type.moves_money())
        {
            out.alerts.push(alerting::of_engine(&EngineFinding::Frozen { key: &frozen, case_id }, scene));
        }
        if screened.failed() && self.payments.says_new(place, &(NOT_SCREENED, alike, &screened.not_screened))
        {
            let unnamed = self.screening.wanted().unnamed;
            let finding = EngineFinding::NotScreened { what: &screened.not_screened, unnamed };
            out.alerts.push(alerting::of_engine(&finding, scene));
        }
        if !event.event_type.moves_money() && !screened.matches.is_empty() {
            out.alerts.push(alerting::of_engine(&EngineFinding::Listed, scene));
        }
        let plan = self.rules.active().plan(KeyKind::Payment);
        if plan.rules.is_empty() {
            return;
        }
        let facts = Facts {
            event,
            amount: past.captured.or(event.amount),
            role: Role::NONE,
            past,
            matches: &screened.matches,
            screening_failed: screened.failed(),
            profile: None,
        };
        plan.judge(&facts, &NO_WINDOWS, &[], &mut self.judgements);
        for judgement in self.judgements.drain(..) {
            let rule = &plan.rules[judgement.rule];
            let finding = judgement.finding;
            out.observations.extend(alerting::failure(rule, &finding, scene));
            // Before what was said is remembered: what is left out as noise was not.
            let is_noise = noise::is_noise(&self.rules, rule, &finding);
            if is_noise && !self.noise.may_say(rule.content, self.dedupe.stream_time()) {
                continue;
            }
            let said = (rule.content.0, rule.meta.shadow, finding.action as u8, &finding.reason, alike, &met);
            if !self.payments.says_new(place, &said) {
                continue;
            }
            let alert = alerting::of_rule(rule, finding, scene);
            if rule.meta.shadow {
                out.observations.push(Observation::Shadow(Box::new(alert)));
            } else {
                out.alerts.push(alert);
            }
        }
    }

    /// The event to each key that a rule watches, or will watch once the prepared rules are in force.
    fn ask_keys(
        &self,
        (offset, record): (Offset, &EventRecord),
        known: &PaymentView,
        screened: &Arc<Screened>,
        out: &mut HomeOutput,
    ) -> u32 {
        let watches = |kind| {
            self.rules.active().watches(kind)
                || self.rules.prepared().is_some_and(|rules| rules.watches(kind))
        };
        let mut asked = 0;
        for kind in KeyKind::ALL.into_iter().filter(|kind| *kind != KeyKind::Payment && watches(*kind)) {
            let mut keys = record.event.keys(kind);
            for (key, role) in known.left_out.iter().filter(|(key, _)| key.kind == kind) {
                add_key(&mut keys, &key.value, *role);
            }
            for (value, role) in keys {
                asked += 1;
                out.keyed.push(KeyedEvent {
                    key: Key { kind, value: value.to_owned() },
                    role,
                    past: known.past.clone(),
                    awaited: record.awaited,
                    offset,
                    event: Arc::clone(&record.event),
                    screened: Arc::clone(screened),
                });
            }
        }
        asked
    }

    /// Compare every known party with what the lists in force say and those before them did not. A party that was
    /// met while nothing could be screened was compared with nothing, nor was one with a higher threshold.
    fn rescreen(&self, before: Option<&Screener>, out: &mut HomeOutput) {
        let Some(screener) = self.screening.screener() else { return };
        let before = before.filter(|before| before.threshold() <= screener.threshold());
        let at = self.dedupe.stream_time();
        for (list, version) in screener.lists() {
            let Some(new) = screener.version(list) else { continue };
            let old = before.and_then(|before| before.version(list));
            if old.is_some_and(|old| old.hash() == *version) {
                continue;
            }
            // Entries of a version that was read make a version again.
            let Ok(found) = rescreen(old.map(|old| &**old), new, screener, self.parties.at(at)) else {
                continue;
            };
            let first = out.alerts.len();
            let known = self.screening.suppressions();
            let hits = found.hits.into_iter().filter(|met| !known.covers(&met.party, &met.hit, at, screener));
            out.alerts.extend(hits.map(|met| alerting::of_rescreen(met, &self.screening, at)));
            out.rescreened.push(RescreenReport {
                list: list.clone(),
                version: *version,
                entries: found.entries,
                checked: found.checked,
                alerts: out.alerts.len() - first,
                left_out: self.parties.left_out(),
            });
        }
    }

    /// The alert of an answer by policy: a hold like any other, with a case and an owner.
    fn hold_by_deadline(&self, event: &PaymentEvent, out: &mut HomeOutput) -> VerdictFinding {
        let key = Key { kind: KeyKind::Payment, value: event.payment_id().to_owned() };
        let screened = Screened { lists: Arc::clone(self.screening.lists()), ..Screened::default() };
        let scene = Scene { key: &key, event, offset: None, screened: &screened };
        let alert = alerting::of_engine(&EngineFinding::Deadline, scene);
        let found = alerting::found(&alert);
        out.holds.extend(alerting::hold(&alert));
        out.alerts.push(alert);
        found
    }

    /// Apply a control record.
    pub fn apply_control(&mut self, control: &Control, out: &mut HomeOutput) {
        match control {
            Control::Prepare(_) | Control::Activate { .. } if self.filling => {}
            Control::Screening(screening) => {
                let before = self.screening.change(screening);
                if !self.filling {
                    self.rescreen(before.as_deref(), out);
                }
            }
            Control::Prepare(bundle) => self.rules.prepare(bundle, &*self.screening.library()),
            Control::Activate { rules } => {
                self.rules.activate(*rules);
            }
            Control::Quarantine(order) => self.rules.quarantine(order.rule),
            Control::LiftQuarantine(order) => self.rules.lift_quarantine(order.rule),
            Control::Freeze(order) => self.freezes.freeze(order),
            Control::Unfreeze(order) => self.freezes.unfreeze(order),
            Control::Suppress(order) => {
                self.screening.suppressions_mut().suppress(order, self.dedupe.stream_time());
            }
            Control::Unsuppress(order) => self.screening.suppressions_mut().unsuppress(order),
            Control::Release(order) => out.verdicts.push(VerdictRecord::Released(order.clone())),
            Control::Deadline { payment_id, event_id, event } => {
                let found = event.as_ref().map(|event| self.hold_by_deadline(event, out));
                out.verdicts.push(VerdictRecord::Deadline {
                    payment_id: payment_id.clone(),
                    event_id: event_id.clone(),
                    found,
                });
            }
            Control::SetStreamTime(order) => {
                self.dedupe.set_back(order.to);
                out.verdicts.push(VerdictRecord::StreamTime { to: order.to });
            }
        }
    }
}

/// Under what it is remembered that a payment was not screened.
const NOT_SCREENED: &str = "not screened";

/// A side that an earlier event of the payment named was screened then; and where a source is not bound to carry names,
/// a side without one is nothing to tell.
fn forgive_unnamed(screened: &mut Screened, known: &PaymentView, policy: Unnamed) {
    screened.not_screened.retain(|not| {
        not.why != WhyNotScreened::Unnamed
            || !(policy == Unnamed::Accept
                || (not.role == "debtor" && known.debtor_named)
                || (not.role == "creditor" && known.creditor_named))
    });
}

/// Why an event is not judged.
enum Refusal {
    Duplicate,
    DeadLetter(&'static str),
}

fn dead_letter(offset: Offset, record: &EventRecord, code: &str, reason: &str) -> DeadLetter {
    DeadLetter {
        received_at: record.received_at,
        source: "home".into(),
        code: code.into(),
        reason: reason.into(),
        // An event that was read can be written: the canonical form of what came.
        original: serde_json::to_vec(&*record.event).unwrap_or_default(),
        event: Some(RefusedEvent {
            offset,
            event_id: record.event.event_id.clone(),
            content: record.event.content_hash(),
        }),
    }
}

impl Stage for Home {
    const NAME: &str = "home";
    const READS: Topic = Topic::Payments;

    type Record = PaymentRecord;
    type Output = HomeOutput;

    fn apply(&mut self, offset: Offset, record: &PaymentRecord, out: &mut HomeOutput) {
        match record {
            PaymentRecord::Event(event) => self.apply_event(offset, event, None, out),
            PaymentRecord::Control(control) => self.apply_control(control, out),
        }
    }

    fn counts(output: &HomeOutput) -> Counts {
        output.counts
    }

    fn publish(output: HomeOutput, layout: &Layout) -> Vec<Publication> {
        publications(output.published(), layout)
    }

    fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        snapshot::encode(&State {
            rules: self.rules.sources(),
            screening: self.screening.wanted().clone(),
            suppressions: self.screening.suppressions().clone(),
            dedupe: Cow::Borrowed(&self.dedupe),
            payments: Cow::Borrowed(&self.payments),
            freezes: self.freezes.clone(),
            parties: Cow::Borrowed(&self.parties),
            noise: Cow::Borrowed(&self.noise),
        })
    }

    fn restore(bytes: &[u8], format: Format, library: &Arc<dyn Library>) -> Result<Self, SnapshotError> {
        let state: State<'_> = match format {
            Format::V9 => snapshot::decode::<State<'_, v9::Payments>>(bytes)?.into(),
            Format::V10 => snapshot::decode(bytes)?,
        };
        let mut home = Self::with(Rulebook::restore(&state.rules, &**library)?, Arc::clone(library));
        home.screening.change(&state.screening);
        *home.screening.suppressions_mut() = state.suppressions;
        Ok(Self {
            dedupe: state.dedupe.into_owned(),
            payments: state.payments.into_owned(),
            freezes: state.freezes,
            parties: state.parties.into_owned(),
            noise: state.noise.into_owned(),
            ..home
        })
    }

    /// A home keeps no windows: rules go into force at once.
    fn wants_filling(&self) -> Option<Hash256> {
        None
    }

    fn successor(&self) -> Self {
        Self { filling: true, ..Self::with(self.rules.successor(), self.screening.library()) }
    }

    fn activates(_: &PaymentRecord) -> Option<Hash256> {
        None
    }

    fn adopt(&mut self, _: Self) {}
}
