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
    Done, LogError, Offsets, Transaction,
    embedded::{
        checkpoints::Checkpoints,
        store::{Ends, Store},
    },
};

/// The most transactions that share an `fsync`: more would make the first of them wait for the last.
const GROUP_TRANSACTIONS_MAX: usize = 1_024;
/// The most bytes that share an `fsync`.
const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A transaction on its way to the disk.
pub(super) struct Request {
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
        sender.try_send(Request { transaction, bytes, done }).map_err(|error| {
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
        sender.send(Request { transaction, bytes, done }).map_err(|_| {
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
    while let Ok(first) = receiver.recv() {
        let (transactions, waiting) = gather(first, receiver);
        let bytes = waiting.iter().map(|(bytes, _)| bytes).sum();
        let written = store.write(&transactions.iter().collect::<Vec<_>>(), ends);
        queue.leave(bytes);
        if let Err(error) = &written {
            tracing::error!(%error, transactions = transactions.len(), "the log could not write");
        }
        answer(waiting, written);
        checkpoints.written(bytes, &store);
    }
    // Every sender is gone: leave one tidy file behind.
    drop(checkpoints);
    if let Err(error) = store.restart_wal() {
        tracing::warn!(%error, "the log's last checkpoint failed; it is made up for at the next start");
    }
}

/// Everything that waits now, within the limits of a group.
fn gather(first: Request, receiver: &Receiver<Request>) -> (Vec<Transaction>, Vec<(usize, Done)>) {
    let mut bytes = first.bytes;
    let mut transactions = vec![first.transaction];
    let mut waiting = vec![(first.bytes, first.done)];
    while transactions.len() < GROUP_TRANSACTIONS_MAX && bytes < GROUP_BYTES_MAX {
        let Ok(request) = receiver.try_recv() else { break };
        bytes += request.bytes;
        transactions.push(request.transaction);
        waiting.push((request.bytes, request.done));
    }
    (transactions, waiting)
}

/// Tell each what became of its transaction.
fn answer(waiting: Vec<(usize, Done)>, written: Result<Vec<Offsets>, LogError>) {
    match written {
        Ok(offsets) => waiting.into_iter().zip(offsets).for_each(|((_, done), offsets)| done(Ok(offsets))),
        Err(error) => waiting.into_iter().for_each(|(_, done)| done(Err(error.clone()))),
    }
}
