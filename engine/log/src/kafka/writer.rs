//! Writes what nobody owns: requests that were taken in, control records. Whatever waits at a moment shares a transaction.

use std::{
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    LogError, Offsets, Transaction,
    kafka::{cluster::Cluster, producer::Transactions},
    queue::{GROUP_BYTES_MAX, GROUP_TRANSACTIONS_MAX, Queue, Write},
};

/// How long to wait before the brokers are asked again what became of a commit.
const ASK_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// The thread that writes. It ends when the sender is gone and the queue is empty.
pub(super) fn start(
    cluster: Arc<Cluster>,
    queue: Queue,
) -> Result<(SyncSender<Write>, JoinHandle<()>), LogError> {
    let (sender, receiver) = mpsc::sync_channel(cluster.options.queue_transactions_max);
    let brokers = cluster.options.brokers.clone();
    let writer = thread::Builder::new()
        .name("log-writer".into())
        .spawn(move || Writer { cluster, producer: None }.run(&receiver, &queue))
        .map_err(|error| LogError::Client { brokers, reason: error.to_string() })?;
    Ok((sender, writer))
}

struct Writer {
    cluster: Arc<Cluster>,
    /// Opened when there is something to write.
    producer: Option<Transactions>,
}

impl Writer {
    fn run(mut self, receiver: &Receiver<Write>, queue: &Queue) {
        while let Ok(first) = receiver.recv() {
            let group = gather(first, receiver);
            let written = self.write(&group.iter().map(|write| &write.transaction).collect::<Vec<_>>());
            queue.leave(group.iter().map(|write| write.bytes).sum());
            match written {
                Ok(offsets) => {
                    group.into_iter().zip(offsets).for_each(|(write, offsets)| (write.done)(Ok(offsets)))
                }
                Err(error) => {
                    tracing::error!(%error, transactions = group.len(), "the log could not write");
                    group.into_iter().for_each(|write| (write.done)(Err(error.clone())));
                }
            }
        }
    }

    /// Make a group durable. Whoever waits is told nothing before it is known whether it is.
    fn write(&mut self, transactions: &[&Transaction]) -> Result<Vec<Offsets>, LogError> {
        let producer = self.producer()?;
        let mut written = producer.write(transactions);
        while let Err(LogError::Unanswered { .. }) = written {
            tracing::warn!("the brokers have not said what became of a commit; they are asked again");
            thread::sleep(ASK_AGAIN_AFTER);
            written = producer.resolve().map(Option::unwrap_or_default);
        }
        if let Err(LogError::Client { .. }) = written {
            // It has ended; the next of its name goes on. One that was replaced stays as it is.
            self.producer = None;
        }
        written
    }

    fn producer(&mut self) -> Result<&mut Transactions, LogError> {
        let producer = match self.producer.take() {
            Some(producer) => producer,
            None => {
                let instance = self.cluster.options.instance.clone();
                let name = format!("sluice.writer.{instance}");
                Transactions::open(&self.cluster, &name, LogError::Replaced { instance })?
            }
        };
        Ok(self.producer.insert(producer))
    }
}

/// Everything that waits now, within the limits of a group.
fn gather(first: Write, receiver: &Receiver<Write>) -> Vec<Write> {
    let mut bytes = first.bytes;
    let mut group = vec![first];
    while group.len() < GROUP_TRANSACTIONS_MAX && bytes < GROUP_BYTES_MAX {
        let Ok(write) = receiver.try_recv() else { break };
        bytes += write.bytes;
        group.push(write);
    }
    group
}
