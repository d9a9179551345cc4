//! The one place that writes to the payments log. What becomes durable is handed to the engine in the order in
//! which it became durable.

use std::sync::Arc;

use sluice_log::{Commit, Log, LogError, Offset, Offsets, Partition, Topic, Transaction};
use sluice_model::{Control, DeadLetter, PaymentRecord};

use crate::{RuntimeError, handoff::Handoff, records, requests::Answered};

/// The embedded deployment has one payments partition.
pub const PAYMENTS: Partition = Topic::Payments.partition(0);

/// What is taken in at once, durable together or not at all.
#[derive(Default)]
pub(crate) struct Intake {
    /// For the payments log, in order.
    pub payments: Vec<PaymentRecord>,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
    /// The answer that a repeated request gets.
    pub answered: Option<Answered>,
}

/// Writes to the payments log and hands over to the engine.
pub(crate) struct Gateway {
    log: Arc<dyn Log>,
    handoff: Arc<Handoff>,
}

impl Gateway {
    pub fn new(log: Arc<dyn Log>, handoff: Arc<Handoff>) -> Self {
        Self { log, handoff }
    }

    /// The end of the payments log: whatever is taken in from now on stands there or later.
    pub fn end(&self) -> Offset {
        self.handoff.end()
    }

    /// Take in without waiting for room: [`LogError::Busy`] is the back-pressure. Durable when the future ends.
    pub async fn take_in(&self, intake: Intake) -> Result<(), RuntimeError> {
        let (transaction, payments) = transaction(intake)?;
        let (told, answer) = tokio::sync::oneshot::channel();
        let handoff = Arc::clone(&self.handoff);
        let done = move |result: Result<Offsets, LogError>| {
            let result = result.map(|offsets| hand_over(&handoff, payments, &offsets));
            // The client may have gone; what is durable is handed over all the same.
            let _ = told.send(result);
        };
        self.log.submit(transaction, Box::new(done))?;
        Ok(answer.await.map_err(|_| LogError::Closed)??)
    }

    /// Write control records and wait until they are durable, for room in the queue too. The offset after them.
    pub fn control(&self, controls: impl IntoIterator<Item = Control>) -> Result<Offset, RuntimeError> {
        self.control_from(controls, None)
    }

    /// The same, and how far their source has come with them.
    pub fn control_from(
        &self,
        controls: impl IntoIterator<Item = Control>,
        source: Option<Commit>,
    ) -> Result<Offset, RuntimeError> {
        let payments = controls.into_iter().map(PaymentRecord::Control).collect();
        let (mut transaction, payments) = transaction(Intake { payments, ..Intake::default() })?;
        transaction.commits.extend(source);
        let (told, answer) = std::sync::mpsc::sync_channel(1);
        let handoff = Arc::clone(&self.handoff);
        let done = move |result: Result<Offsets, LogError>| {
            let end = result.map(|offsets| {
                hand_over(&handoff, payments, &offsets);
                offsets.first().map_or(0, |range| range.end)
            });
            let _ = told.send(end);
        };
        self.log.submit_waiting(transaction, Box::new(done))?;
        Ok(answer.recv().map_err(|_| LogError::Closed)??)
    }
}

/// The transaction that makes an intake durable, and the records to be handed over once it is.
fn transaction(intake: Intake) -> Result<(Transaction, Vec<PaymentRecord>), RuntimeError> {
    let payments = intake.payments.iter().map(records::payment).collect::<Result<_, _>>()?;
    let letters = intake.dead_letters.iter().map(records::dead_letter).collect::<Result<_, _>>()?;
    let answered = intake.answered.iter().map(|a| records::json(&a.key, a)).collect::<Result<_, _>>()?;
    // First, so that its offsets are the first that are told.
    let transaction = Transaction::append(PAYMENTS, payments)
        .and(Topic::DeadLetters, letters)
        .and(Topic::Requests, answered);
    Ok((transaction, intake.payments))
}

fn hand_over(handoff: &Handoff, payments: Vec<PaymentRecord>, offsets: &Offsets) {
    if let Some(range) = offsets.first().filter(|range| !range.is_empty()) {
        handoff.push(range.start, payments);
    }
}
