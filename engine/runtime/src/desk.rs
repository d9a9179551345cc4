//! Who waits for which decision.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use sluice_log::Offset;
use sluice_model::{DeadLetter, Decision, PaymentEvent, RefusedEvent};
use tokio::sync::oneshot;

use crate::limits::DECISIONS_WAITING_MAX;

/// What comes of an event that somebody waits for.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The engine decided.
    Decided(Decision),
    /// The engine would not judge it: a conflict, or a time too far away.
    Refused {
        /// The dead letter's code.
        code: String,
        /// The dead letter's reason.
        reason: String,
    },
}

/// Why nobody may wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NoPlace {
    /// Another request waits for an event of this id with other content: which of them is first is not known
    /// yet, and their answers could not be distinguished.
    Contested,
    /// As many wait as may.
    Full,
}

/// The waiting, by event id.
#[derive(Default)]
pub(crate) struct Desk {
    waiting: Mutex<HashMap<String, Waiting>>,
    /// Of the next who waits.
    number: AtomicU64,
}

struct Waiting {
    content: u64,
    tickets: Vec<Waiter>,
}

/// One who waits. What was decided before it asked is not its answer: between that decision and its question
/// another may have been answered by policy, which then holds.
struct Waiter {
    number: u64,
    question: Question,
    told: oneshot::Sender<Answer>,
}

/// Where the event is that somebody asks about.
enum Question {
    /// On its way to the log. What was decided meanwhile, each with the place of the event that it answers.
    UnderWay(Vec<(Offset, Answer)>),
    /// At this place of its partition.
    At(Offset),
}

/// A place at the desk; given up when dropped.
pub(crate) struct Ticket {
    desk: Arc<Desk>,
    event_id: String,
    number: u64,
    answer: oneshot::Receiver<Answer>,
}

impl Desk {
    /// Wait for what comes of an event. To be asked for before the event is taken in, and told where it is once it is
    /// durable: [`Ticket::asked_at`].
    pub(crate) fn wait_for(self: &Arc<Self>, event: &PaymentEvent) -> Result<Ticket, NoPlace> {
        let mut waiting = self.lock();
        if waiting.len() >= DECISIONS_WAITING_MAX {
            return Err(NoPlace::Full);
        }
        let content = event.content_hash();
        let place =
            waiting.entry(event.event_id.clone()).or_insert_with(|| Waiting { content, tickets: Vec::new() });
        if place.content != content {
            return Err(NoPlace::Contested);
        }
        let (told, answer) = oneshot::channel();
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        place.tickets.push(Waiter { number, question: Question::UnderWay(Vec::new()), told });
        drop(waiting);
        Ok(Ticket { desk: Arc::clone(self), event_id: event.event_id.clone(), number, answer })
    }

    /// Answer whoever waits for these. Of several decisions of one event the last holds.
    pub(crate) fn tell(&self, decisions: &[Decision], refused: &[DeadLetter]) {
        let mut waiting = self.lock();
        for decision in decisions.iter().rev() {
            // A decision without a question was made by an older version, before whoever waits now asked.
            let Some(offset) = decision.offset else { continue };
            let answer = Decision { offset: None, ..decision.clone() };
            tell_place(&mut waiting, &decision.event_id, |_| true, offset, &Answer::Decided(answer));
        }
        for letter in refused {
            let Some(RefusedEvent { event_id, content, offset }) = &letter.event else { continue };
            let answer = Answer::Refused { code: letter.code.clone(), reason: letter.reason.clone() };
            tell_place(&mut waiting, event_id, |place| place.content == *content, *offset, &answer);
        }
    }

    /// Whether anybody waits.
    pub(crate) fn is_waited_at(&self) -> bool {
        !self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tell those at one place whose own record may be the one at `offset`; the place goes when nobody is left. Who does not know
/// yet where its own is keeps the answer until it does.
fn tell_place(
    waiting: &mut HashMap<String, Waiting>,
    event_id: &str,
    is_theirs: impl Fn(&Waiting) -> bool,
    offset: Offset,
    answer: &Answer,
) {
    let Some(place) = waiting.get_mut(event_id).filter(|place| is_theirs(place)) else { return };
    for waiter in &mut place.tickets {
        if let Question::UnderWay(early) = &mut waiter.question {
            early.push((offset, answer.clone()));
        }
    }
    let is_theirs = |waiter: &mut Waiter| matches!(waiter.question, Question::At(asked) if asked <= offset);
    for waiter in place.tickets.extract_if(.., is_theirs) {
        // Gone already: its deadline passed.
        let _ = waiter.told.send(answer.clone());
    }
    if place.tickets.is_empty() {
        waiting.remove(event_id);
    }
}

impl Ticket {
    /// The event is durable at this place of its partition.
    pub(crate) fn asked_at(&self, offset: Offset) {
        let mut waiting = self.desk.lock();
        let Some(place) = waiting.get_mut(&self.event_id) else { return };
        let Some(index) = place.tickets.iter().position(|waiter| waiter.number == self.number) else {
            return;
        };
        let question = std::mem::replace(&mut place.tickets[index].question, Question::At(offset));
        let Question::UnderWay(early) = question else { return };
        if let Some((_, answer)) = early.into_iter().find(|(at, _)| *at >= offset) {
            let _ = place.tickets.remove(index).told.send(answer);
            if place.tickets.is_empty() {
                waiting.remove(&self.event_id);
            }
        }
    }

    /// What came of the event; `None` when the engine has stopped.
    pub(crate) async fn answer(&mut self) -> Option<Answer> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.answer.close();
        let mut waiting = self.desk.lock();
        if let Some(place) = waiting.get_mut(&self.event_id) {
            place.tickets.retain(|asked| !asked.told.is_closed());
            if place.tickets.is_empty() {
                waiting.remove(&self.event_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use sluice_model::Outcome;

    use super::*;

    fn decision(outcome: Outcome, offset: Offset) -> Decision {
        Decision {
            payment_id: "P-1".into(),
            event_id: "1".into(),
            decision: outcome,
            alerts: Vec::new(),
            reasons: Vec::new(),
            deadline_passed: false,
            offset: Some(offset),
        }
    }

    fn event() -> PaymentEvent {
        let text = r#"{"event_id":"1","occurred_at":"2026-11-20T09:59:00Z"}"#;
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"))
    }

    async fn outcome(mut ticket: Ticket) -> Outcome {
        match ticket.answer().await {
            Some(Answer::Decided(decision)) => decision.decision,
            other => panic!("{other:?}"),
        }
    }

    fn waits(desk: &Arc<Desk>) -> Ticket {
        desk.wait_for(&event()).unwrap_or_else(|error| panic!("{error:?}"))
    }

    #[tokio::test]
    async fn a_decision_from_before_the_question_is_no_answer_to_it() {
        let desk = Arc::new(Desk::default());
        let (before, after) = (waits(&desk), waits(&desk));
        before.asked_at(5);
        after.asked_at(7);
        desk.tell(&[decision(Outcome::Allow, 5)], &[]);
        desk.tell(&[decision(Outcome::Allow, 7), decision(Outcome::Hold, 7)], &[]);
        assert_eq!(outcome(before).await, Outcome::Allow);
        assert_eq!(outcome(after).await, Outcome::Hold, "of several the last holds");
    }

    #[tokio::test]
    async fn a_decision_may_come_before_the_place_of_its_question() {
        let desk = Arc::new(Desk::default());
        let ticket = waits(&desk);
        desk.tell(&[decision(Outcome::Allow, 4)], &[]);
        desk.tell(&[decision(Outcome::Allow, 5), decision(Outcome::Hold, 5)], &[]);
        desk.tell(&[decision(Outcome::Reject, 9)], &[]);
        assert!(desk.is_waited_at());
        ticket.asked_at(5);
        assert!(!desk.is_waited_at());
        assert_eq!(
            outcome(ticket).await,
            Outcome::Hold,
            "the first that may be its answer, the last of that time"
        );
    }

    #[tokio::test]
    async fn a_decision_of_an_earlier_record_is_no_answer() {
        let desk = Arc::new(Desk::default());
        let ticket = waits(&desk);
        ticket.asked_at(5);
        desk.tell(&[decision(Outcome::Allow, 4)], &[]);
        desk.tell(&[decision(Outcome::Hold, 5)], &[]);
        assert_eq!(outcome(ticket).await, Outcome::Hold);
    }
}
