//! The one thread that writes, and the queue before it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
};

use crate::{
    Claim, Done, LogError, Offsets, Partition, Transaction,
    claim::Claims,
    embedded::{
        checkpoints::Checkpoints,
        store::{Ends, Store},
    },
};

/// The most transactions that share an `fsync`: more would make the first of them wait for the last.
const GROUP_TRANSACTIONS_MAX: usize = 1_024;
/// The most bytes that share an `fsync`.
const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What the writer is asked for.
pub(super) enum Request {
    /// To make a transaction durable.
    Write(Write),
    /// A new owner of a consumer's place.
    Claim { consumer: String, partition: Partition, told: SyncSender<Claim> },
    /// That this owner has gone.
    Release(Claim),
}

/// A transaction on its way to the disk.
pub(super) struct Write {
    transaction: Transaction,
    bytes: usize,
    done: Done,
}

/// What waits, in bytes; the number of transactions is bounded by the channel itself.
#[derive(Clone)]
pub(super) struct Queue {
    bytes: Arc<AtomicUsize>,
    bytes_max: usize,
}

impl Queue {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes: Arc::default(), bytes_max }
    }

    /// Queue a request if there is room for it now. An empty queue takes a request of any size.
    pub(super) fn try_send(
        &self,
        sender: &SyncSender<Request>,
        transaction: Transaction,
        done: Done,
    ) -> Result<(), LogError> {
        let bytes = transaction.size();
        let waiting = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if waiting > 0 && waiting + bytes > self.bytes_max {
            self.leave(bytes);
            return Err(LogError::Busy);
        }
        sender.try_send(Request::Write(Write { transaction, bytes, done })).map_err(|error| {
            self.leave(bytes);
            match error {
                TrySendError::Full(_) => LogError::Busy,
                TrySendError::Disconnected(_) => LogError::Closed,
            }
        })
    }

    /// Queue a request, waiting for room among the transactions.
    pub(super) fn send(
        &self,
        sender: &SyncSender<Request>,
        transaction: Transaction,
        done: Done,
    ) -> Result<(), LogError> {
        let bytes = transaction.size();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        sender.send(Request::Write(Write { transaction, bytes, done })).map_err(|_| {
            self.leave(bytes);
            LogError::Closed
        })
    }

    fn leave(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Start the writer. It ends when every sender is gone and the queue is empty.
pub(super) fn start(
    store: Store,
    ends: Arc<Ends>,
    queue: Queue,
    transactions_max: usize,
) -> Result<(SyncSender<Request>, JoinHandle<()>), LogError> {
    let (sender, receiver) = mpsc::sync_channel(transactions_max);
    let folder = store.folder().to_owned();
    let checkpoints = Checkpoints::start(&folder)?;
    let writer = thread::Builder::new()
        .name("log-writer".into())
        .spawn(move || run(store, &ends, &queue, &receiver, checkpoints))
        .map_err(|error| LogError::storage(&folder, error))?;
    Ok((sender, writer))
}

fn run(
    mut store: Store,
    ends: &Ends,
    queue: &Queue,
    receiver: &Receiver<Request>,
    mut checkpoints: Checkpoints,
) {
    let mut claims = Claims::default();
    let mut next = None;
    while let Some(request) = next.take().or_else(|| receiver.recv().ok()) {
        let first = match request {
            Request::Write(write) => write,
            Request::Claim { consumer, partition, told } => {
                // Whoever asked may have gone.
                let _ = told.send(claims.claim(&consumer, partition));
                continue;
            }
            Request::Release(claim) => {
                claims.release(&claim);
                continue;
            }
        };
        let mut group = Group::default();
        group.add(first, &claims);
        next = group.gather(receiver, &claims);
        group.refused.into_iter().for_each(|(done, error)| done(Err(error)));
        let written = store.write(&group.transactions.iter().collect::<Vec<_>>(), ends);
        queue.leave(group.bytes);
        if let Err(error) = &written {
            tracing::error!(%error, transactions = group.transactions.len(), "the log could not write");
        }
        answer(group.waiting, written);
        checkpoints.written(group.bytes, &store);
    }
    // Every sender is gone: leave one tidy file behind.
    drop(checkpoints);
    if let Err(error) = store.restart_wal() {
        tracing::warn!(%error, "the log's last checkpoint failed; it is made up for at the next start");
    }
}

/// Transactions that share an `fsync`.
#[derive(Default)]
struct Group {
    bytes: usize,
    transactions: Vec<Transaction>,
    waiting: Vec<Done>,
    /// Those of owners that have been replaced.
    refused: Vec<(Done, LogError)>,
}

impl Group {
    fn add(&mut self, write: Write, claims: &Claims) {
        self.bytes += write.bytes;
        match claims.check(&write.transaction.commits) {
            Ok(()) => {
                self.transactions.push(write.transaction);
                self.waiting.push(write.done);
            }
            Err(fenced) => self.refused.push((write.done, fenced)),
        }
    }

    /// Everything that waits now, within the limits of a group, up to a request of another sort, which is given back.
    fn gather(&mut self, receiver: &Receiver<Request>, claims: &Claims) -> Option<Request> {
        while self.transactions.len() < GROUP_TRANSACTIONS_MAX && self.bytes < GROUP_BYTES_MAX {
            match receiver.try_recv() {
                Ok(Request::Write(write)) => self.add(write, claims),
                Ok(other) => return Some(other),
                Err(_) => return None,
            }
        }
        None
    }
}

/// Tell each what became of its transaction.
fn answer(waiting: Vec<Done>, written: Result<Vec<Offsets>, LogError>) {
    match written {
        Ok(offsets) => waiting.into_iter().zip(offsets).for_each(|(done, offsets)| done(Ok(offsets))),
        Err(error) => waiting.into_iter().for_each(|done| done(Err(error.clone()))),
    }
}
