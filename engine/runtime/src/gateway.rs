//! The one place that writes to the payments log. Where the engine is in this process, what becomes durable is handed to it
//! in the order in which it became durable; engines of other processes read the log.
//!
//! Two ways lead in. What somebody waits for (a decision, an order) goes at once. What nobody waits for goes piece by
//! piece and in its turn: see [`crate::lanes`].

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use sluice_core::Layout;
use sluice_driver::{Handoff, records};
use sluice_log::{
    Append, Appended, Claim, Commit, Log, LogError, Offset, Offsets, Partition, Record, Topic, Transaction,
};
use sluice_model::{Control, DeadLetter, PaymentRecord};
use tokio::sync::oneshot;

use crate::{
    RuntimeError,
    lanes::{Body, Lanes},
    limits::{BULK_CHUNK_BYTES_MAX, BULK_CHUNK_RECORDS_MAX},
    progress::Progress,
    receipts::{Receipts, Slip},
    requests::Answered,
};

/// The embedded deployment has one payments partition.
pub const PAYMENTS: Partition = Topic::Payments.partition(0);
/// Where orders are written for engines of other processes.
pub const CONTROL: Partition = Topic::Control.partition(0);

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

/// Where what is taken in is judged.
#[derive(Clone)]
pub(crate) enum Judges {
    /// In this process, which hands it over in memory.
    Here {
        /// To the engine.
        handoff: Arc<Handoff<PaymentRecord>>,
        /// To whoever wants to know what came of it.
        receipts: Arc<Receipts>,
    },
    /// In others, which read a log that is divided like this.
    Elsewhere(Layout),
}

/// Writes to the payments log and hands over to the engine.
pub(crate) struct Gateway {
    log: Arc<dyn Log>,
    door: Door,
}

/// What the log's own thread does with what has become durable.
#[derive(Clone)]
struct Door {
    judges: Judges,
    lanes: Arc<Lanes>,
    progress: Arc<Progress>,
}

impl Gateway {
    pub(crate) fn new(log: Arc<dyn Log>, judges: Judges, lanes: Arc<Lanes>, progress: Arc<Progress>) -> Self {
        Self { log, door: Door { judges, lanes, progress } }
    }

    /// How many durable records lie before the engines.
    pub(crate) fn lag(&self) -> u64 {
        self.door.lanes.lag()
    }

    /// Take in at once, durable together or not at all, without waiting for room: [`LogError::Busy`] is the
    /// back-pressure. Durable when the future ends: the place of the first event on its partition, where there is one.
    pub(crate) async fn take_in(&self, intake: Intake) -> Result<Option<Offset>, RuntimeError> {
        let Intake { payments, dead_letters, answered, slip } = intake;
        let stored = payments.iter().map(records::payment).collect::<Result<_, _>>()?;
        let piece = Piece { stored, payments, dead_letters, answered, slip, ..Piece::default() };
        Ok(self.submit(piece, ())?.await.map_err(|_| LogError::Closed)??)
    }

    /// Take in what nobody waits for: in pieces, each in its turn. Durable when the future ends.
    pub(crate) async fn take_in_turns(&self, intake: Intake) -> Result<(), Partly> {
        let Intake { payments, dead_letters, answered, slip } = intake;
        let mut turns = self.turns(payments.len(), slip);
        let mut rest = payments.into_iter();
        while let Some(piece) = Piece::cut(&mut rest).map_err(|error| turns.broken(error))? {
            turns.add(piece).await?;
        }
        turns.end(dead_letters, answered).await
    }

    /// Take in a body of which not more than so many events will come.
    pub(crate) fn turns(&self, events: usize, slip: Option<Arc<Slip>>) -> Turns<'_> {
        let under_way = VecDeque::new();
        Turns { gateway: self, events, slip, body: None, held: None, under_way, accepted: 0 }
    }

    /// Write an order for all payments, or for what was decided of one, and wait until it is durable, for room in the queue
    /// too. Its place: on the payments log of the engine here, on that of control records for engines elsewhere.
    pub(crate) fn order(&self, control: Control, outbox: Option<Outbox>) -> Result<Appended, RuntimeError> {
        if matches!(self.door.judges, Judges::Here { .. }) {
            return self.write(vec![control], outbox);
        }
        let record = records::json(control.payment_id().unwrap_or_default(), &control)?;
        let transaction = Transaction::append(CONTROL, vec![record]);
        let offsets = self.log.transact(Outbox::with(transaction, outbox))?;
        Ok(offsets.into_iter().next().unwrap_or_default())
    }

    /// Write what was answered by policy behind the payments that it is about.
    pub(crate) fn deadlines(&self, deadlines: Vec<Control>) -> Result<(), RuntimeError> {
        self.write(deadlines, None).map(drop)
    }

    /// Write control records to payments, and wait until they are durable.
    fn write(&self, controls: Vec<Control>, outbox: Option<Outbox>) -> Result<Appended, RuntimeError> {
        let payments: Vec<_> = controls.into_iter().map(PaymentRecord::Control).collect();
        let stored = payments.iter().map(records::payment).collect::<Result<_, _>>()?;
        let piece = Piece { stored, payments, ..Piece::default() };
        let (sender, answer) = std::sync::mpsc::sync_channel(1);
        let (transaction, handed) = piece.transaction(&self.door.judges)?;
        let transaction = Outbox::with(transaction, outbox);
        let door = self.door.clone();
        let done = move |result: Result<Offsets, LogError>| {
            let stand = result.map(|offsets| {
                door.hand_over(handed, &offsets);
                offsets.into_iter().next().unwrap_or_default()
            });
            let stand = stand.map_err(|error| door.refused(error));
            let _ = sender.send(stand);
        };
        self.log.submit_waiting(transaction, Box::new(done))?;
        Ok(answer.recv().map_err(|_| LogError::Closed)??)
    }

    /// Hand a piece to the log. `until_answered` is kept until the log has answered.
    fn submit(&self, piece: Piece, until_answered: impl Send + 'static) -> Result<LogAnswer, RuntimeError> {
        let (transaction, handed) = piece.transaction(&self.door.judges)?;
        let (sender, answer) = oneshot::channel();
        let door = self.door.clone();
        let done = move |result: Result<Offsets, LogError>| {
            let result = result.map(|offsets| {
                let first = handed.appends(&offsets).first().and_then(|appended| appended.offsets.first());
                let first = first.copied();
                door.hand_over(handed, &offsets);
                first
            });
            let result = result.map_err(|error| door.refused(error));
            // After the records are handed over: whoever counts them does not miss any.
            drop(until_answered);
            // The client may have gone; what is durable is handed over all the same.
            let _ = sender.send(result);
        };
        self.log.submit(transaction, Box::new(done))?;
        Ok(answer)
    }
}

/// What the log will say of a piece that was handed to it: the place of its first event.
type LogAnswer = oneshot::Receiver<Result<Option<Offset>, LogError>>;

/// How far the outbox has come that an order is from.
#[derive(Default)]
pub struct Outbox {
    /// Durable together with the order.
    pub come: Vec<Commit>,
    /// Nothing is written once another has claimed the place.
    pub claim: Option<Claim>,
}

impl Outbox {
    fn with(transaction: Transaction, outbox: Option<Self>) -> Transaction {
        let Self { come, claim } = outbox.unwrap_or_default();
        Transaction { commits: come, claim, ..transaction }
    }
}

/// A body that is taken in piece by piece, each in its turn. Events keep their order; what could not be read and the
/// answer to a repeated request go with the last piece, so that a body of which less was taken in is done again.
pub(crate) struct Turns<'a> {
    gateway: &'a Gateway,
    events: usize,
    slip: Option<Arc<Slip>>,
    /// Its place in the line, once there is a piece.
    body: Option<Body>,
    /// The piece that came last, which waits to hear whether it is the last.
    held: Option<Piece>,
    under_way: VecDeque<(usize, LogAnswer)>,
    accepted: usize,
}

impl Turns<'_> {
    /// Take in the next events of the body.
    pub(crate) async fn add(&mut self, piece: Piece) -> Result<(), Partly> {
        if self.body.is_none() {
            self.body = Some(self.gateway.door.lanes.enter(self.events)?);
        }
        match self.held.replace(piece) {
            Some(before) => self.write(before, false).await,
            None => Ok(()),
        }
    }

    /// There is no more. All of it is durable when the future ends.
    pub(crate) async fn end(
        mut self,
        dead_letters: Vec<DeadLetter>,
        answered: Option<Answered>,
    ) -> Result<(), Partly> {
        let Some(last) = self.held.take() else {
            self.gateway.take_in(Intake { dead_letters, answered, ..Intake::default() }).await?;
            return Ok(());
        };
        self.write(Piece { dead_letters, answered, ..last }, true).await?;
        self.ended(true).await.map_err(|error| self.broken(error))
    }

    /// The body is not taken in whole.
    fn broken(&self, error: RuntimeError) -> Partly {
        Partly { accepted: self.accepted, error }
    }

    async fn write(&mut self, piece: Piece, is_last: bool) -> Result<(), Partly> {
        if let Err(error) = self.submit(piece, is_last).await {
            let _ = self.ended(true).await;
            return Err(self.broken(error));
        }
        Ok(())
    }

    async fn submit(&mut self, mut piece: Piece, is_last: bool) -> Result<(), RuntimeError> {
        let count = piece.payments.len();
        let turn = match &mut self.body {
            Some(body) => Some(body.turn(count).await),
            None => None,
        };
        // What the log answers of pieces before this one; before the last, of all of them.
        self.ended(is_last || matches!(turn, Some(Err(_)))).await?;
        let turn = turn.transpose()?;
        if let Some(slip) = &self.slip {
            slip.await_more(count);
        }
        piece.slip.clone_from(&self.slip);
        let answer = self.gateway.submit(piece, turn)?;
        self.under_way.push_back((count, answer));
        Ok(())
    }

    /// What the log answers of the oldest pieces under way; with `all`, of every one.
    async fn ended(&mut self, all: bool) -> Result<(), RuntimeError> {
        while let Some((count, answer)) = self.under_way.front_mut() {
            let answer = match answer.try_recv() {
                Ok(answer) => answer,
                Err(oneshot::error::TryRecvError::Empty) if !all => return Ok(()),
                Err(oneshot::error::TryRecvError::Empty) => answer.await.unwrap_or(Err(LogError::Closed)),
                Err(oneshot::error::TryRecvError::Closed) => Err(LogError::Closed),
            };
            let count = *count;
            self.under_way.pop_front();
            answer?;
            self.accepted += count;
        }
        Ok(())
    }
}

impl Door {
    /// Why the log has not taken something. A process that was replaced takes nothing in any more: it ends.
    fn refused(&self, error: LogError) -> LogError {
        if matches!(error, LogError::Replaced { .. }) {
            self.progress.update(|status| {
                status.stopped.get_or_insert_with(|| error.to_string());
            });
        }
        error
    }

    fn hand_over(&self, handed: Handed, offsets: &Offsets) {
        match &self.judges {
            Judges::Here { handoff, receipts } => {
                let Some(appended) = handed.appends(offsets).first() else { return };
                if let Some(slip) = &handed.slip {
                    receipts.expect(&appended.offsets, slip);
                }
                handoff.push(appended, handed.payments);
                self.lanes.durable_to(appended.end());
            }
            Judges::Elsewhere(_) => self.lanes.more_durable(handed.payments.len() as u64),
        }
    }
}

/// What becomes durable together or not at all.
#[derive(Default)]
pub(crate) struct Piece {
    stored: Vec<Record>,
    /// How large its events are.
    bytes: usize,
    payments: Vec<PaymentRecord>,
    dead_letters: Vec<DeadLetter>,
    answered: Option<Answered>,
    slip: Option<Arc<Slip>>,
}

/// What the engine is handed of a piece that is durable.
struct Handed {
    payments: Vec<PaymentRecord>,
    slip: Option<Arc<Slip>>,
    /// On how many partitions of payments they are: the first appends of the transaction.
    partitions: usize,
}

impl Handed {
    /// Where the payments are.
    fn appends<'a>(&self, offsets: &'a Offsets) -> &'a [Appended] {
        offsets.get(..self.partitions).unwrap_or_default()
    }
}

impl Piece {
    /// The next events of a body, as many as fit in one piece.
    pub(crate) fn cut(rest: &mut impl Iterator<Item = PaymentRecord>) -> Result<Option<Self>, RuntimeError> {
        let mut piece = Self::default();
        while !piece.is_full()
            && let Some(payment) = rest.next()
        {
            piece.add(payment)?;
        }
        Ok(Some(piece).filter(|piece| piece.count() > 0))
    }

    /// One more event.
    pub(crate) fn add(&mut self, payment: PaymentRecord) -> Result<(), RuntimeError> {
        let stored = records::payment(&payment)?;
        self.bytes += stored.size();
        self.stored.push(stored);
        self.payments.push(payment);
        Ok(())
    }

    /// Whether no more events fit.
    pub(crate) const fn is_full(&self) -> bool {
        self.payments.len() >= BULK_CHUNK_RECORDS_MAX || self.bytes >= BULK_CHUNK_BYTES_MAX
    }

    /// How many events it has.
    pub(crate) const fn count(&self) -> usize {
        self.payments.len()
    }

    /// The transaction that makes it durable, and what is to be handed over once it is.
    fn transaction(self, judges: &Judges) -> Result<(Transaction, Handed), RuntimeError> {
        let letters =
            self.dead_letters.iter().map(|l| records::json(&l.code, l)).collect::<Result<_, _>>()?;
        let answered = self.answered.iter().map(|a| records::json(&a.key, a)).collect::<Result<_, _>>()?;
        let mut by_partition: BTreeMap<Partition, Vec<Record>> = BTreeMap::new();
        for record in self.stored {
            let partition = judges.partition(&record.key);
            by_partition.entry(partition).or_default().push(record);
        }
        let partitions = by_partition.len();
        let appends = by_partition.into_iter().map(|(partition, records)| Append { partition, records });
        // Payments come first, so that their offsets are the first that are answered.
        let transaction = Transaction { appends: appends.collect(), ..Transaction::default() }
            .and(Topic::DeadLetters, letters)
            .and(Topic::Requests, answered);
        Ok((transaction, Handed { payments: self.payments, slip: self.slip, partitions }))
    }
}

impl Judges {
    /// The partition of a payment.
    fn partition(&self, payment_id: &str) -> Partition {
        match self {
            Self::Here { .. } => PAYMENTS,
            Self::Elsewhere(layout) => layout.partition(Topic::Payments, payment_id),
        }
    }
}
