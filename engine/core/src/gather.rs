//! Gathers the verdicts on a payment into a decision: reject > hold > allow, once every key that was asked has
//! answered, or by policy once the deadline has passed. A pure function of the verdicts' own log.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sluice_model::{
    AlertId, Decision, EventTime, Hash256, HoldOutcome, HoldRecord, Key, Outcome, Release, Span, Topic,
    limits::{DEDUPE_HORIZON, WINDOW_LENGTH_MAX},
};

use crate::{
    Format, Layout, Library, Offset, Publication, SnapshotError, Stage,
    output::GatherOutput,
    publication::publications,
    snapshot,
    wire::{Speaker, Verdict, VerdictFinding, VerdictRecord},
};

/// How long an answer is kept: as long as the home may know the id of its event, which it forgets an hour at a time.
const ANSWERS_KEPT_FOR: Span = Span::from_micros(DEDUPE_HORIZON.micros() + Span::hours(1).micros());

/// How long a payment stays held after its last finding, in stream time: as long as windows reach. Whatever comes of it later
/// is judged like the payment of a stranger, by every rule and every list.
pub const HOLDS_KEPT_FOR: Span = WINDOW_LENGTH_MAX;

/// What is answered when the deadline passes before every verdict is in: closed, visibly.
pub const OUTCOME_ON_DEADLINE: Outcome = Outcome::Hold;
/// Why.
pub const REASON_ON_DEADLINE: &str = "not every rule had answered when the deadline passed";

/// The decisions of one partition's payments.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Gather {
    pending: HashMap<String, Pending>,
    /// By event; kept for [`ANSWERS_KEPT_FOR`], so that asking again returns the answer.
    decided: HashMap<String, Answer>,
    /// By the stream's time when they were decided.
    decided_at: BTreeMap<EventTime, Vec<String>>,
    stream_time: EventTime,
    /// By payment: a hold binds every later event of the payment until it is released, or for [`HOLDS_KEPT_FOR`].
    holds: HashMap<String, Hold>,
    /// By the stream's time of a finding; those of a payment that had another since are passed over.
    held_at: BTreeMap<EventTime, Vec<String>>,
}

/// A payment that must not go on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Hold {
    findings: Findings,
    /// The stream's time of the last finding.
    at: EventTime,
}

/// What was answered: a [`Decision`], as state keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Answer {
    payment_id: String,
    outcome: Outcome,
    alerts: Vec<AlertId>,
    reasons: Vec<String>,
    deadline_passed: bool,
    /// The offset of the last event that asked.
    offset: Offset,
}

impl Answer {
    /// The decision on an event at `offset`.
    fn decision(&self, event_id: &str, offset: Offset) -> Decision {
        Decision {
            payment_id: self.payment_id.clone(),
            event_id: event_id.to_owned(),
            decision: self.outcome,
            alerts: self.alerts.clone(),
            reasons: self.reasons.clone(),
            deadline_passed: self.deadline_passed,
            offset: Some(offset),
        }
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Pending {
    payment_id: String,
    /// The offset of the last event that asked.
    offset: Offset,
    asked: Option<u32>,
    answered: BTreeSet<Key>,
    findings: Findings,
}

/// What verdicts amount to: alerts, each with what it asks for and why. Ordered by alert, so that the order of arrival
/// does not show.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Findings(BTreeMap<AlertId, (Outcome, String)>);

impl Findings {
    fn add(&mut self, found: &VerdictFinding) {
        self.0.insert(found.alert_id, (found.outcome, found.reason.clone()));
    }

    fn outcome(&self) -> Outcome {
        self.0.values().map(|(outcome, _)| *outcome).max().unwrap_or_default()
    }
}

impl Gather {
    /// Apply one record of the verdicts.
    pub(crate) fn apply_verdict(&mut self, record: &VerdictRecord, out: &mut GatherOutput) {
        match record {
            VerdictRecord::Verdict(verdict) => self.verdict(verdict, out),
            VerdictRecord::Deadline { payment_id, event_id, found } => {
                self.deadline(payment_id, event_id, found.as_ref(), out);
            }
            VerdictRecord::Again { at, payment_id, event_id, offset } => {
                self.advance(*at);
                self.again(payment_id, event_id, *offset, out);
            }
            VerdictRecord::Released(order) => self.released(order, out),
            VerdictRecord::StreamTime { to } => self.stream_time = self.stream_time.min(*to),
        }
    }

    fn verdict(&mut self, verdict: &Verdict, out: &mut GatherOutput) {
        self.advance(verdict.at);
        for found in verdict.found.iter().filter(|found| found.outcome != Outcome::Allow) {
            self.hold(&verdict.payment_id, found);
        }
        if !verdict.awaited || self.decided.contains_key(&verdict.event_id) {
            return;
        }
        let pending = self.pending.entry(verdict.event_id.clone()).or_default();
        pending.payment_id.clone_from(&verdict.payment_id);
        pending.offset = verdict.offset.max(pending.offset);
        verdict.found.iter().for_each(|found| pending.findings.add(found));
        match &verdict.from {
            Speaker::Home { asked } => pending.asked = Some(*asked),
            Speaker::Key(key) => {
                pending.answered.insert(key.clone());
            }
        }
        if pending.asked.is_some_and(|asked| pending.answered.len() >= asked as usize) {
            self.decide(&verdict.event_id, false, out);
        }
    }

    /// Asked again: the answer that was given. Asked for the first time after the event was judged for nobody:
    /// what is known of its payment now. Still being decided: the answer will come.
    fn again(&mut self, payment_id: &str, event_id: &str, offset: Offset, out: &mut GatherOutput) {
        if let Some(answer) = self.decided.get(event_id) {
            out.decisions.push(answer.decision(event_id, offset));
        } else if let Some(pending) = self.pending.get_mut(event_id) {
            pending.offset = offset.max(pending.offset);
        } else {
            let pending = Pending { payment_id: payment_id.to_owned(), offset, ..Pending::default() };
            self.pending.insert(event_id.to_owned(), pending);
            self.decide(event_id, false, out);
        }
    }

    /// Whoever waited was answered by policy. That was the answer, even where the last verdict came in before
    /// this record: asking again returns it.
    fn deadline(
        &mut self,
        payment_id: &str,
        event_id: &str,
        found: Option<&VerdictFinding>,
        out: &mut GatherOutput,
    ) {
        if let Some(found) = found {
            self.hold(payment_id, found);
        }
        match self.decided.get_mut(event_id) {
            Some(answer) if answer.deadline_passed => {}
            Some(answer) => {
                answer.outcome = answer.outcome.max(OUTCOME_ON_DEADLINE);
                answer.deadline_passed = true;
                answer.alerts.extend(found.map(|found| found.alert_id));
                answer.reasons.push(REASON_ON_DEADLINE.to_owned());
                out.decisions.push(answer.decision(event_id, answer.offset));
            }
            None => self.decide(event_id, true, out),
        }
    }

    fn decide(&mut self, event_id: &str, deadline_passed: bool, out: &mut GatherOutput) {
        let Some(mut pending) = self.pending.remove(event_id) else { return };
        if let Some(held) = self.holds.get(&pending.payment_id) {
            pending.findings.0.extend(held.findings.0.clone());
        }
        let mut outcome = pending.findings.outcome();
        let (ids, mut reasons): (Vec<_>, Vec<_>) =
            pending.findings.0.into_iter().map(|(id, (_, reason))| (id, reason)).unzip();
        if deadline_passed {
            outcome = outcome.max(OUTCOME_ON_DEADLINE);
            if !reasons.iter().any(|reason| reason == REASON_ON_DEADLINE) {
                reasons.push(REASON_ON_DEADLINE.to_owned());
            }
        }
        let Pending { payment_id, offset, .. } = pending;
        let answer = Answer { payment_id, outcome, alerts: ids, reasons, deadline_passed, offset };
        out.decisions.push(answer.decision(event_id, offset));
        self.decided_at.entry(self.stream_time).or_default().push(event_id.to_owned());
        self.decided.insert(event_id.to_owned(), answer);
        self.forget_answers();
    }

    /// An officer releases what they saw. What else holds the payment keeps it.
    fn released(&mut self, order: &Release, out: &mut GatherOutput) {
        let Hold { findings: mut held, at } = self.holds.remove(&order.payment_id).unwrap_or_default();
        let mut let_go = Findings::default();
        match &order.alerts {
            Some(seen) => {
                for id in seen {
                    let_go.0.extend(held.0.remove_entry(id));
                }
            }
            None => let_go = std::mem::take(&mut held),
        }
        let still = held.0.keys().next().copied();
        let (state, because, alerts) = match still {
            None => (HoldOutcome::Released, order.case_id.clone(), let_go.0.into_keys().collect()),
            Some(first) => (held.outcome().into(), first.to_string(), held.0.keys().copied().collect()),
        };
        if still.is_some() {
            self.holds.insert(order.payment_id.clone(), Hold { findings: held, at });
        }
        out.holds.push(HoldRecord {
            payment_id: order.payment_id.clone(),
            event_id: String::new(),
            state,
            because,
            at: order.at,
            alerts,
        });
    }

    /// A payment must not go on.
    fn hold(&mut self, payment_id: &str, found: &VerdictFinding) {
        let held = self.holds.entry(payment_id.to_owned()).or_default();
        if held.findings.0.is_empty() || held.at != self.stream_time {
            self.held_at.entry(self.stream_time).or_default().push(payment_id.to_owned());
        }
        held.at = self.stream_time;
        held.findings.add(found);
    }

    /// Time goes on: forget the payments whose last finding lies too far back.
    fn advance(&mut self, at: EventTime) {
        if at <= self.stream_time {
            return;
        }
        self.stream_time = at;
        let oldest = at.minus(HOLDS_KEPT_FOR);
        while let Some(entry) = self.held_at.first_entry().filter(|entry| *entry.key() < oldest) {
            let (found_at, payments) = entry.remove_entry();
            for payment_id in payments {
                if self.holds.get(&payment_id).is_some_and(|held| held.at == found_at) {
                    self.holds.remove(&payment_id);
                }
            }
        }
    }

    /// Forget the answers that lie further back than ids are remembered.
    fn forget_answers(&mut self) {
        let kept = self.decided_at.split_off(&self.stream_time.minus(ANSWERS_KEPT_FOR));
        for event_id in std::mem::replace(&mut self.decided_at, kept).into_values().flatten() {
            self.decided.remove(&event_id);
        }
    }
}

impl Stage for Gather {
    const NAME: &str = "gather";
    const READS: Topic = Topic::Verdicts;

    type Record = VerdictRecord;
    type Output = GatherOutput;

    fn apply(&mut self, _: Offset, record: &VerdictRecord, out: &mut GatherOutput) {
        self.apply_verdict(record, out);
    }

    fn publish(output: GatherOutput, layout: &Layout) -> Vec<Publication> {
        publications(output.published(), layout)
    }

    fn snapshot(&self) -> Result<Vec<u8>, SnapshotError> {
        snapshot::encode(self)
    }

    fn restore(bytes: &[u8], _: Format, _: &Arc<dyn Library>) -> Result<Self, SnapshotError> {
        snapshot::decode(bytes)
    }

    fn wants_filling(&self) -> Option<Hash256> {
        None
    }

    fn successor(&self) -> Self {
        self.clone()
    }

    fn activates(_: &VerdictRecord) -> Option<Hash256> {
        None
    }

    fn adopt(&mut self, _: Self) {}
}
