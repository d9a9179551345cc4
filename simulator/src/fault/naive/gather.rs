//! The decision on an event: reject over hold over allow, once every key that was asked has answered.

use std::collections::BTreeMap;

use sluice_model::{
    EventTime, Key, Outcome, Span,
    limits::{DEDUPE_HORIZON, WINDOW_LENGTH_MAX},
};

use super::{
    features::Features,
    words::{GatherInput, ModelAlert, Out, hold_line, list},
};

/// A decision that was given.
#[derive(Clone, Debug)]
struct Decision {
    payment: String,
    event: String,
    outcome: Outcome,
    alerts: Vec<ModelAlert>,
    late: bool,
    /// Stream time when it was.
    at: EventTime,
}

/// An event that somebody waits for.
#[derive(Debug, Default)]
struct AwaitedEvent {
    payment: String,
    event: String,
    asked: Option<usize>,
    answered: Vec<Key>,
    found: Vec<ModelAlert>,
}

/// What is known of one partition's decisions.
#[derive(Debug, Default)]
pub(super) struct Gather {
    stream_time: EventTime,
    waiting: Vec<AwaitedEvent>,
    decided: Vec<Decision>,
    /// What holds payments: it binds every later event of the payment until it is released, or nothing was found of the
    /// payment for as long as windows reach.
    holds: Vec<(String, ModelAlert)>,
    /// Stream time at the last finding of each payment.
    found_at: BTreeMap<String, EventTime>,
    /// Those by a deadline.
    late_holds: Vec<ModelAlert>,
}

impl Gather {
    /// Apply one input.
    pub(super) fn apply(&mut self, input: &GatherInput, out: &mut Out, features: &Features) {
        match input {
            GatherInput::Verdict { payment, event, at, awaited, from, asked, found } => {
                self.advance(*at, features);
                found.iter().filter(|said| said.outcome() != Outcome::Allow).for_each(|said| {
                    self.hold(payment, said);
                });
                if !awaited || self.decided.iter().any(|decided| decided.event == *event) {
                    return;
                }
                let waiting = self.waiting(payment, event);
                waiting.found.extend(found.iter().cloned());
                match from {
                    None => waiting.asked = Some(*asked),
                    Some(key) if waiting.answered.contains(key) => {}
                    Some(key) => waiting.answered.push(key.clone()),
                }
                if waiting.asked.is_some_and(|asked| waiting.answered.len() >= asked) {
                    self.decide(event, false, out, features);
                }
            }
            GatherInput::Again { at, payment, event } => {
                self.advance(*at, features);
                features.met("gather: asked again");
                if let Some(decided) = self.decided.iter().find(|decided| decided.event == *event) {
                    out.lines.push(decided.line());
                } else if self.waiting.iter().all(|waiting| waiting.event != *event) {
                    // It was judged when nobody waited: what holds its payment is the answer.
                    self.waiting(payment, event);
                    self.decide(event, false, out, features);
                }
            }
            GatherInput::Deadline { payment, event, found } => {
                if let Some(said) = found {
                    self.hold(payment, said);
                    self.late_holds.push(said.clone());
                }
                self.deadline(event, found.as_ref(), out, features);
            }
            GatherInput::Released { payment, case, alerts } => {
                self.release(payment, case, alerts.as_deref(), out, features);
            }
            GatherInput::StreamTime { to } => self.stream_time = self.stream_time.min(*to),
        }
    }

    fn advance(&mut self, at: EventTime, features: &Features) {
        self.stream_time = self.stream_time.max(at);
        let oldest = self.stream_time.minus(WINDOW_LENGTH_MAX);
        let found_at = &self.found_at;
        let before = self.holds.len();
        self.holds.retain(|(payment, _)| found_at.get(payment).is_some_and(|at| *at >= oldest));
        if self.holds.len() < before {
            features.met("gather: a hold is forgotten");
        }
    }

    fn hold(&mut self, payment: &str, said: &ModelAlert) {
        self.found_at.insert(payment.to_owned(), self.stream_time);
        let hold = (payment.to_owned(), said.clone());
        if !self.holds.contains(&hold) {
            self.holds.push(hold);
        }
    }

    fn waiting(&mut self, payment: &str, event: &str) -> &mut AwaitedEvent {
        let at = self.waiting.iter().position(|waiting| waiting.event == event).unwrap_or_else(|| {
            self.waiting.push(AwaitedEvent { event: event.to_owned(), ..AwaitedEvent::default() });
            self.waiting.len() - 1
        });
        let waiting = &mut self.waiting[at];
        payment.clone_into(&mut waiting.payment);
        waiting
    }

    /// Whoever waited was told to hold. That was the answer, and it is the answer ever after.
    fn deadline(&mut self, event: &str, found: Option<&ModelAlert>, out: &mut Out, features: &Features) {
        if let Some(decided) = self.decided.iter_mut().find(|decided| decided.event == event) {
            if decided.late {
                features.met("deadline: again");
                return;
            }
            features.met("deadline: after the decision");
            decided.outcome = decided.outcome.max(Outcome::Hold);
            decided.late = true;
            decided.alerts.extend(found.cloned());
            out.lines.push(decided.line());
        } else if self.waiting.iter().any(|waiting| waiting.event == event) {
            features.met("deadline: before the decision");
            self.decide(event, true, out, features);
        } else {
            features.met("deadline: nobody waited");
        }
    }

    fn decide(&mut self, event: &str, late: bool, out: &mut Out, features: &Features) {
        let Some(at) = self.waiting.iter().position(|waiting| waiting.event == event) else { return };
        let AwaitedEvent { payment, found, .. } = self.waiting.remove(at);
        let mut alerts = found;
        for (held, said) in &self.holds {
            if *held == payment && !alerts.contains(said) {
                features.met("gather: held by an earlier event");
                if self.late_holds.contains(said) {
                    features.met("deadline: holds what comes next");
                }
                alerts.push(said.clone());
            }
        }
        features.met("gather: decided");
        if alerts.len() > 1 {
            features.met("gather: several alerts");
        }
        let hardest = alerts.iter().map(ModelAlert::outcome).max().unwrap_or(Outcome::Allow);
        let outcome = if late { hardest.max(Outcome::Hold) } else { hardest };
        let decided =
            Decision { payment, event: event.to_owned(), outcome, alerts, late, at: self.stream_time };
        out.lines.push(decided.line());
        self.decided.push(decided);
        let oldest = self.stream_time.minus(DEDUPE_HORIZON).minus(Span::hours(1));
        self.decided.retain(|decided| decided.at >= oldest);
    }

    /// What is named is let go, and what else holds the payment keeps it.
    fn release(
        &mut self,
        payment: &str,
        case: &str,
        named: Option<&[ModelAlert]>,
        out: &mut Out,
        features: &Features,
    ) {
        let held: Vec<ModelAlert> =
            self.holds.iter().filter(|(held, _)| held == payment).map(|(_, said)| said.clone()).collect();
        let (gone, kept): (Vec<ModelAlert>, Vec<ModelAlert>) =
            held.into_iter().partition(|said| named.is_none_or(|named| named.contains(said)));
        self.holds.retain(|(held, said)| held != payment || kept.contains(said));
        features.met(match named {
            None => "release: names nothing",
            Some([]) => "release: of none",
            Some(_) if gone.is_empty() => "release: of what does not hold",
            Some(_) if kept.is_empty() => "release: of all",
            Some(_) => "release: of some, others hold",
        });
        out.lines.push(match kept.iter().map(ModelAlert::outcome).max() {
            None => hold_line(payment, "", "released", case, &gone),
            Some(Outcome::Reject) => hold_line(payment, "", "rejected", "one of them", &kept),
            Some(_) => hold_line(payment, "", "held", "one of them", &kept),
        });
    }
}

impl Decision {
    fn line(&self) -> String {
        let Self { payment, event, outcome, alerts, late, .. } = self;
        decision(payment, event, *outcome, *late, alerts)
    }
}

/// A decision as a line.
pub(super) fn decision(
    payment: &str,
    event: &str,
    outcome: Outcome,
    late: bool,
    alerts: &[ModelAlert],
) -> String {
    format!("decision on {event} of {payment}: {outcome:?}, deadline passed {late}, because {}", list(alerts))
}
