//! Gathers the verdicts on a payment into a decision: reject > hold > allow, once every key that was asked has
//! answered, or by policy once the deadline has passed. A pure function of the verdicts' own log.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use sluice_model::{
    AlertId, Decision, EventTime, Hash256, HoldOutcome, HoldRecord, Key, Outcome, Release, Span,
    limits::DEDUPE_HORIZON,
};

use crate::{
    Layout, Library, Offset, Publication, SnapshotError, Stage,
    output::GatherOutput,
    publication::publications,
    snapshot,
    wire::{Found, Speaker, Verdict, VerdictRecord},
};

/// How long an answer is kept: as long as the home may know the id of its event, which it forgets an hour at a time.
const ANSWERS_KEPT_FOR: Span = Span::from_micros(DEDUPE_HORIZON.micros() + Span::hours(1).micros());

/// What is answered when the deadline passes before every verdict is in: closed, visibly.
pub const OUTCOME_ON_DEADLINE: Outcome = Outcome::Hold;
/// Why.
pub const REASON_ON_DEADLINE: &str = "not every rule had answered when the deadline passed";

/// The decisions of one partition's payments.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Gather {
    pending: HashMap<String, Pending>,
    /// By event; kept for [`ANSWERS_KEPT_FOR`], so that asking again returns the answer.
    decided: HashMap<String, Decision>,
    /// By the stream's time when they were decided.
    decided_at: BTreeMap<EventTime, Vec<String>>,
    stream_time: EventTime,
    /// By payment: a hold binds every later event of the payment until it is released.
    holds: HashMap<String, Findings>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Pending {
    payment_id: String,
    /// Where the last event that asked stands.
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
    fn add(&mut self, found: &Found) {
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
                self.stream_time = self.stream_time.max(*at);
                self.again(payment_id, event_id, *offset, out);
            }
            VerdictRecord::Released(order) => self.released(order, out),
            VerdictRecord::StreamTime { to } => self.stream_time = self.stream_time.min(*to),
        }
    }

    fn verdict(&mut self, verdict: &Verdict, out: &mut GatherOutput) {
        self.stream_time = self.stream_time.max(verdict.at);
        for found in verdict.found.iter().filter(|found| found.outcome != Outcome::Allow) {
            self.holds.entry(verdict.payment_id.clone()).or_default().add(found);
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
        if let Some(decision) = self.decided.get(event_id) {
            out.decisions.push(Decision { offset: Some(offset), ..decision.clone() });
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
    fn deadline(&mut self, payment_id: &str, event_id: &str, found: Option<&Found>, out: &mut GatherOutput) {
        if let Some(found) = found {
            self.holds.entry(payment_id.to_owned()).or_default().add(found);
        }
        match self.decided.get_mut(event_id) {
            Some(decision) if decision.deadline_passed => {}
            Some(decision) => {
                decision.decision = decision.decision.max(OUTCOME_ON_DEADLINE);
                decision.deadline_passed = true;
                decision.alerts.extend(found.map(|found| found.alert_id));
                decision.reasons.push(REASON_ON_DEADLINE.to_owned());
                out.decisions.push(decision.clone());
            }
            None => self.decide(event_id, true, out),
        }
    }

    fn decide(&mut self, event_id: &str, deadline_passed: bool, out: &mut GatherOutput) {
        let Some(mut pending) = self.pending.remove(event_id) else { return };
        if let Some(held) = self.holds.get(&pending.payment_id) {
            pending.findings.0.extend(held.0.clone());
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
        let decision = Decision {
            payment_id: pending.payment_id,
            event_id: event_id.to_owned(),
            decision: outcome,
            alerts: ids,
            reasons,
            deadline_passed,
            offset: Some(pending.offset),
        };
        self.decided_at.entry(self.stream_time).or_default().push(event_id.to_owned());
        self.decided.insert(event_id.to_owned(), decision.clone());
        self.forget();
        out.decisions.push(decision);
    }

    /// An officer lets go what they saw. What else holds the payment keeps it.
    fn released(&mut self, order: &Release, out: &mut GatherOutput) {
        let mut held = self.holds.remove(&order.payment_id).unwrap_or_default();
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
            self.holds.insert(order.payment_id.clone(), held);
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

    /// Forget the answers that lie further back than ids are remembered.
    fn forget(&mut self) {
        let kept = self.decided_at.split_off(&self.stream_time.minus(ANSWERS_KEPT_FOR));
        for event_id in std::mem::replace(&mut self.decided_at, kept).into_values().flatten() {
            self.decided.remove(&event_id);
        }
    }
}

impl Stage for Gather {
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

    fn restore(bytes: &[u8], _: &Arc<dyn Library>) -> Result<Self, SnapshotError> {
        snapshot::decode(bytes)
    }

    fn wants_filling(&self) -> Option<Hash256> {
        None
    }

    fn candidate(&self) -> Self {
        self.clone()
    }

    fn activates(_: &VerdictRecord) -> Option<Hash256> {
        None
    }

    fn adopt(&mut self, _: Self) {}
}
