//! Who waits for which decision.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sluice_model::{DeadLetter, Decision, PaymentEvent};
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
    /// yet, and their answers could not be told apart.
    Contested,
    /// As many wait as may.
    Full,
}

/// The waiting, by event id.
#[derive(Default)]
pub(crate) struct Desk {
    waiting: Mutex<HashMap<String, Waiting>>,
}

struct Waiting {
    content: u64,
    tickets: Vec<oneshot::Sender<Answer>>,
}

/// A place at the desk; given up when dropped.
pub(crate) struct Ticket {
    desk: Arc<Desk>,
    event_id: String,
    answer: oneshot::Receiver<Answer>,
}

impl Desk {
    /// Wait for what comes of an event. To be asked for before the event is taken in.
    pub fn wait_for(self: &Arc<Self>, event: &PaymentEvent) -> Result<Ticket, NoPlace> {
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
        let (sender, answer) = oneshot::channel();
        place.tickets.push(sender);
        drop(waiting);
        Ok(Ticket { desk: Arc::clone(self), event_id: event.event_id.clone(), answer })
    }

    /// Tell whoever waits for these what came of them.
    pub fn tell(&self, decisions: &[Decision], refused: &[DeadLetter]) {
        let mut waiting = self.lock();
        for decision in decisions {
            if let Some(place) = waiting.remove(&decision.event_id) {
                place.tell(&Answer::Decided(decision.clone()));
            }
        }
        if waiting.is_empty() {
            return;
        }
        for letter in refused {
            // The home writes its refusals as canonical events.
            let Ok(event) = serde_json::from_slice::<PaymentEvent>(&letter.original) else { continue };
            let content = event.content_hash();
            let found = waiting.get(&event.event_id).is_some_and(|place| place.content == content);
            if found && let Some(place) = waiting.remove(&event.event_id) {
                place.tell(&Answer::Refused { code: letter.code.clone(), reason: letter.reason.clone() });
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn tell(self, answer: &Answer) {
        for ticket in self.tickets {
            // Gone already: its deadline passed.
            let _ = ticket.send(answer.clone());
        }
    }
}

impl Ticket {
    /// What came of the event; `None` when the engine has stopped.
    pub async fn answer(&mut self) -> Option<Answer> {
        (&mut self.answer).await.ok()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.answer.close();
        let mut waiting = self.desk.lock();
        if let Some(place) = waiting.get_mut(&self.event_id) {
            place.tickets.retain(|ticket| !ticket.is_closed());
            if place.tickets.is_empty() {
                waiting.remove(&self.event_id);
            }
        }
    }
}
