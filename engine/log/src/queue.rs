//! What waits for a writer.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
    mpsc::{SyncSender, TrySendError},
};

use crate::{Done, LogError, Transaction};

/// The most transactions that wait for a writer.
pub(crate) const TRANSACTIONS_MAX: usize = 4_096;
/// The most bytes that wait for a writer: eight request bodies of the largest size.
pub(crate) const BYTES_MAX: usize = 64 * 1024 * 1024;
/// The most transactions that become durable together: more would make the first of them wait for the last.
pub(crate) const GROUP_TRANSACTIONS_MAX: usize = 1_024;
/// The most bytes that become durable together.
pub(crate) const GROUP_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A transaction on its way.
pub(crate) struct Write {
    pub transaction: Transaction,
    pub bytes: usize,
    pub done: Done,
}

/// What waits, in bytes; the number of transactions is bounded by the channel itself.
#[derive(Clone)]
pub(crate) struct Queue {
    bytes: Arc<AtomicUsize>,
    bytes_max: usize,
}

impl Queue {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes: Arc::default(), bytes_max }
    }

    /// Queue a transaction if there is room for it now. An empty queue takes one of any size.
    pub(crate) fn try_send<R: From<Write>>(
        &self,
        sender: &SyncSender<R>,
        transaction: Transaction,
        done: Done,
    ) -> Result<(), LogError> {
        let bytes = transaction.size();
        let waiting = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        if waiting > 0 && waiting + bytes > self.bytes_max {
            self.leave(bytes);
            return Err(LogError::Busy);
        }
        sender.try_send(Write { transaction, bytes, done }.into()).map_err(|error| {
            self.leave(bytes);
            match error {
                TrySendError::Full(_) => LogError::Busy,
                TrySendError::Disconnected(_) => LogError::Closed,
            }
        })
    }

    /// Queue a transaction, waiting for room among the transactions.
    pub(crate) fn send<R: From<Write>>(
        &self,
        sender: &SyncSender<R>,
        transaction: Transaction,
        done: Done,
    ) -> Result<(), LogError> {
        let bytes = transaction.size();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        sender.send(Write { transaction, bytes, done }.into()).map_err(|_| {
            self.leave(bytes);
            LogError::Closed
        })
    }

    /// So many bytes wait no more.
    pub(crate) fn leave(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::{Record, Topic};

    fn transaction(bytes: usize) -> Transaction {
        Transaction::append(Topic::Payments.partition(0), vec![Record::new("", vec![0; bytes])])
    }

    #[test]
    fn a_queue_takes_what_fits_and_when_empty_anything() {
        let (sender, _receiver) = mpsc::sync_channel::<Write>(8);
        let queue = Queue::new(100);
        let send = |bytes| queue.try_send(&sender, transaction(bytes), Box::new(|_| ()));
        assert_eq!(send(60), Ok(()));
        assert_eq!(send(41), Err(LogError::Busy));
        assert_eq!(send(40), Ok(()), "what was refused takes no room");
        assert_eq!(send(1), Err(LogError::Busy));
        queue.leave(100);
        assert_eq!(send(1_000), Ok(()), "it would never fit");
    }
}
