//! The one thread that writes.

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender},
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
    queue::{GROUP_BYTES_MAX, GROUP_TRANSACTIONS_MAX, Queue, Write},
};

/// What the writer is asked for.
pub(super) enum Request {
    /// To make a transaction durable.
    Write(Write),
    /// A new owner of a consumer's place.
    Claim { consumer: String, partition: Partition, told: SyncSender<Claim> },
    /// That this owner has gone.
    Release(Claim),
}

impl From<Write> for Request {
    fn from(write: Write) -> Self {
        Self::Write(write)
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
        match claims.check(&write.transaction) {
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
