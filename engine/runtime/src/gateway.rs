//! The one place that writes to the payments log. What becomes durable is handed to the engine in the order in
//! which it became durable.
//!
//! Two ways lead in. What somebody waits for (a decision, an order) goes at once. What nobody waits for goes piece by
//! piece and in its turn: see [`crate::lanes`].

use std::{collections::VecDeque, sync::Arc};

use sluice_driver::{Handoff, records};
use sluice_log::{Appended, Commit, Log, LogError, Offset, Offsets, Partition, Record, Topic, Transaction};
use sluice_model::{Control, DeadLetter, PaymentRecord};
use tokio::sync::oneshot;

use crate::{
    RuntimeError,
    lanes::Lanes,
    limits::{BULK_CHUNK_BYTES_MAX, BULK_CHUNK_RECORDS_MAX},
    receipts::{Receipts, Slip},
    requests::Answered,
};

/// The embedded deployment has one payments partition.
pub const PAYMENTS: Partition = Topic::Payments.partition(0);

/// What is taken in by one request.
#[derive(Default)]
pub(crate) struct Intake {
    /// For the payments log, in order.
    pub payments: Vec<PaymentRecord>,
    /// What could not be read.
    pub dead_letters: Vec<DeadLetter>,
    /// The answer that a repeated request gets.
    pub answered: Option<Answered>,
    /// Where what comes of what is taken in turns is written.
    pub slip: Option<Arc<Slip>>,
}

/// A body was not taken in whole.
#[derive(Debug)]
pub(crate) struct Partly {
    /// Its first events that are durable.
    pub accepted: usize,
    /// Why the rest is not.
    pub error: RuntimeError,
}

impl From<RuntimeError> for Partly {
    fn from(error: RuntimeError) -> Self {
        Self { accepted: 0, error }
    }
}

/// Writes to the payments log and hands over to the engine.
pub(crate) struct Gateway {
    log: Arc<dyn Log>,
    door: Door,
}

/// What the log's own thread does with what has become durable.
#[derive(Clone)]
struct Door {
    handoff: Arc<Handoff<PaymentRecord>>,
    lanes: Arc<Lanes>,
    receipts: Arc<Receipts>,
}

impl Gateway {
    pub(crate) fn new(
        log: Arc<dyn Log>,
        handoff: Arc<Handoff<PaymentRecord>>,
        lanes: Arc<Lanes>,
        receipts: Arc<Receipts>,
    ) -> Self {
        Self { log, door: Door { handoff, lanes, receipts } }
    }

    /// The end of the payments log: whatever is taken in from now on is there or later.
    pub(crate) fn end(&self) -> Offset {
        self.door.handoff.end()
    }

    /// How many durable records lie at or after `from`.
    pub(crate) fn ahead_of(&self, from: Offset) -> u64 {
        self.door.handoff.ahead_of(from)
    }

    /// Take in at once, durable together or not at all, without waiting for room: [`LogError::Busy`] is the
    /// back-pressure. Durable when the future ends.
    pub(crate) async fn take_in(&self, intake: Intake) -> Result<(), RuntimeError> {
        let Intake { payments, dead_letters, answered, slip } = intake;
        let stored = payments.iter().map(records::payment).collect::<Result<_, _>>()?;
        let piece = Piece { stored, payments, dead_letters, answered, slip };
        Ok(self.submit(piece, ())?.await.map_err(|_| LogError::Closed)??)
    }

    /// Take in what nobody waits for: in pieces, each in its turn. Events keep their order; what could not be read and
    /// the answer to a repeated request go with the last piece, so that a body of which less was taken in is done
    /// again. Durable when the future ends.
    pub(crate) async fn take_in_turns(&self, intake: Intake) -> Result<(), Partly> {
        if intake.payments.is_empty() {
            return Ok(self.take_in(intake).await?);
        }
        let Intake { payments, mut dead_letters, mut answered, slip } = intake;
        let mut body = self.door.lanes.enter(payments.len())?;
        let mut rest = payments.into_iter().peekable();
        let mut under_way = VecDeque::new();
        let mut accepted = 0;
        while rest.peek().is_some() {
            let mut piece = Piece::cut(&mut rest).map_err(|error| Partly { accepted, error })?;
            let turn = body.turn(piece.payments.len()).await;
            let is_last = rest.peek().is_none();
            // What the log answers of pieces before this one; before the last, of all of them.
            let turn = match ended(&mut under_way, &mut accepted, is_last || turn.is_err()).await {
                Ok(()) => turn.map_err(|error| Partly { accepted, error })?,
                Err(error) => {
                    let _ = ended(&mut under_way, &mut accepted, true).await;
                    return Err(Partly { accepted, error });
                }
            };
            if is_last {
                (piece.dead_letters, piece.answered) = (std::mem::take(&mut dead_letters), answered.take());
            }
            piece.slip.clone_from(&slip);
            let count = piece.payments.len();
            match self.submit(piece, turn) {
                Ok(answer) => under_way.push_back((count, answer)),
                Err(error) => {
                    let _ = ended(&mut under_way, &mut accepted, true).await;
                    return Err(Partly { accepted, error });
                }
            }
        }
        let all = ended(&mut under_way, &mut accepted, true).await;
        all.map_err(|error| Partly { accepted, error })
    }

    /// Write control records and wait until they are durable, for room in the queue too. Their offsets.
    pub(crate) fn control(
        &self,
        controls: impl IntoIterator<Item = Control>,
    ) -> Result<Appended, RuntimeError> {
        self.control_from(controls, None)
    }

    /// The same, and how far their source has come with them.
    pub(crate) fn control_from(
        &self,
        controls: impl IntoIterator<Item = Control>,
        source: Option<Commit>,
    ) -> Result<Appended, RuntimeError> {
        let payments: Vec<_> = controls.into_iter().map(PaymentRecord::Control).collect();
        let stored = payments.iter().map(records::payment).collect::<Result<_, _>>()?;
        let piece = Piece { stored, payments, ..Piece::default() };
        let (sender, answer) = std::sync::mpsc::sync_channel(1);
        let (mut transaction, handed) = piece.transaction()?;
        transaction.commits.extend(source);
        let door = self.door.clone();
        let done = move |result: Result<Offsets, LogError>| {
            let stand = result.map(|offsets| {
                door.hand_over(handed, &offsets);
                offsets.into_iter().next().unwrap_or_default()
            });
            let _ = sender.send(stand);
        };
        self.log.submit_waiting(transaction, Box::new(done))?;
        Ok(answer.recv().map_err(|_| LogError::Closed)??)
    }

    /// Hand a piece to the log. `until_answered` is kept until the log has answered.
    fn submit(&self, piece: Piece, until_answered: impl Send + 'static) -> Result<LogAnswer, RuntimeError> {
        let (transaction, handed) = piece.transaction()?;
        let (sender, answer) = oneshot::channel();
        let door = self.door.clone();
        let done = move |result: Result<Offsets, LogError>| {
            let result = result.map(|offsets| door.hand_over(handed, &offsets));
            // After the records are handed over: whoever counts them does not miss any.
            drop(until_answered);
            // The client may have gone; what is durable is handed over all the same.
            let _ = sender.send(result);
        };
        self.log.submit(transaction, Box::new(done))?;
        Ok(answer)
    }
}

/// What the log will say of a piece that was handed to it.
type LogAnswer = oneshot::Receiver<Result<(), LogError>>;

/// What the log answers of the oldest pieces under way; with `all`, of every one.
async fn ended(
    under_way: &mut VecDeque<(usize, LogAnswer)>,
    accepted: &mut usize,
    all: bool,
) -> Result<(), RuntimeError> {
    while let Some((count, answer)) = under_way.front_mut() {
        let answer = match answer.try_recv() {
            Ok(answer) => answer,
            Err(oneshot::error::TryRecvError::Empty) if !all => return Ok(()),
            Err(oneshot::error::TryRecvError::Empty) => answer.await.unwrap_or(Err(LogError::Closed)),
            Err(oneshot::error::TryRecvError::Closed) => Err(LogError::Closed),
        };
        let count = *count;
        under_way.pop_front();
        answer?;
        *accepted += count;
    }
    Ok(())
}

impl Door {
    fn hand_over(&self, handed: Handed, offsets: &Offsets) {
        if let Some(appended) = offsets.first().filter(|appended| !appended.offsets.is_empty()) {
            if let Some(slip) = &handed.slip {
                self.receipts.expect(&appended.offsets, slip);
            }
            self.handoff.push(appended, handed.payments);
            self.lanes.durable_to(appended.end());
        }
    }
}

/// What becomes durable together or not at all.
#[derive(Default)]
struct Piece {
    stored: Vec<Record>,
    payments: Vec<PaymentRecord>,
    dead_letters: Vec<DeadLetter>,
    answered: Option<Answered>,
    slip: Option<Arc<Slip>>,
}

/// What the engine is handed of a piece that is durable.
struct Handed {
    payments: Vec<PaymentRecord>,
    slip: Option<Arc<Slip>>,
}

impl Piece {
    /// The next events of a body, as many as fit in one piece.
    fn cut(rest: &mut impl Iterator<Item = PaymentRecord>) -> Result<Self, RuntimeError> {
        let (mut piece, mut bytes) = (Self::default(), 0);
        while piece.payments.len() < BULK_CHUNK_RECORDS_MAX
            && bytes < BULK_CHUNK_BYTES_MAX
            && let Some(payment) = rest.next()
        {
            let stored = records::payment(&payment)?;
            bytes += stored.size();
            piece.stored.push(stored);
            piece.payments.push(payment);
        }
        Ok(piece)
    }

    /// The transaction that makes it durable, and what is to be handed over once it is.
    fn transaction(self) -> Result<(Transaction, Handed), RuntimeError> {
        let letters =
            self.dead_letters.iter().map(|l| records::json(&l.code, l)).collect::<Result<_, _>>()?;
        let answered = self.answered.iter().map(|a| records::json(&a.key, a)).collect::<Result<_, _>>()?;
        // Payments come first, so that their offsets are the first that are answered.
        let transaction = Transaction::append(PAYMENTS, self.stored)
            .and(Topic::DeadLetters, letters)
            .and(Topic::Requests, answered);
        Ok((transaction, Handed { payments: self.payments, slip: self.slip }))
    }
}
