//! The records of answers that were given by policy. An answer is not unmade because the log was slow or full when it
//! was given: its record waits here until the log has it, for as long as the process lives.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use sluice_model::Control;
use tokio::sync::oneshot;

use crate::{
    RuntimeError,
    gateway::Gateway,
    limits::{DEADLINE_RECORDS_AT_ONCE, DEADLINE_RECORDS_WAITING_MAX, DEADLINE_RETRY_AFTER},
    telemetry::Telemetry,
};

/// Writes the records on a thread of its own.
pub(crate) struct Deadlines {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// As many records wait as may: no further answer is given by policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full;

struct Shared {
    gateway: Arc<Gateway>,
    telemetry: Telemetry,
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Whether the log refused the last attempt.
    is_failing: AtomicBool,
}

#[derive(Default)]
struct Queue {
    /// The oldest first; those that are being written stay until the log has them.
    waiting: VecDeque<(Control, oneshot::Sender<()>)>,
    closed: bool,
}

impl Deadlines {
    pub(crate) fn start(gateway: Arc<Gateway>, telemetry: Telemetry) -> Result<Self, RuntimeError> {
        let shared = Arc::new(Shared {
            gateway,
            telemetry,
            queue: Mutex::default(),
            changed: Condvar::new(),
            is_failing: AtomicBool::new(false),
        });
        let writer = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("deadline-records".into())
            .spawn(move || writer.run())
            .map_err(RuntimeError::Thread)?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Have a record written. Told once the log has it.
    pub(crate) fn record(&self, record: Control) -> Result<oneshot::Receiver<()>, Full> {
        let (told, durable) = oneshot::channel();
        let mut queue = self.shared.lock();
        if queue.closed || queue.waiting.len() >= DEADLINE_RECORDS_WAITING_MAX {
            return Err(Full);
        }
        queue.waiting.push_back((record, told));
        self.shared.telemetry.deadline_records(queue.waiting.len());
        drop(queue);
        self.shared.changed.notify_all();
        Ok(durable)
    }

    /// How many wait, and whether the log refuses them.
    pub(crate) fn waiting(&self) -> (usize, bool) {
        (self.shared.lock().waiting.len(), self.shared.is_failing.load(Ordering::Relaxed))
    }

    /// Write what waits, once more if the log fails, and end.
    pub(crate) fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Deadlines {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn run(&self) {
        while let Some(records) = self.next() {
            let written = self.gateway.deadlines(records.clone());
            self.is_failing.store(written.is_err(), Ordering::Relaxed);
            match written {
                Ok(()) => {
                    let mut queue = self.lock();
                    for (_, told) in queue.waiting.drain(..records.len()) {
                        // Whoever waited has waited long enough and has gone.
                        let _ = told.send(());
                    }
                    self.telemetry.deadline_records(queue.waiting.len());
                }
                Err(error) => {
                    tracing::error!(%error, records = records.len(), "answers by policy are not on the log yet");
                    let queue = self.lock();
                    let (queue, _) = self
                        .changed
                        .wait_timeout_while(queue, DEADLINE_RETRY_AFTER, |queue| !queue.closed)
                        .unwrap_or_else(PoisonError::into_inner);
                    if queue.closed {
                        drop(queue);
                        self.write_once_more();
                        return;
                    }
                }
            }
        }
    }

    /// The oldest records; `None` when none will come any more.
    fn next(&self) -> Option<Vec<Control>> {
        let is_idle = |queue: &mut Queue| queue.waiting.is_empty() && !queue.closed;
        let queue = self.changed.wait_while(self.lock(), is_idle).unwrap_or_else(PoisonError::into_inner);
        let records: Vec<_> =
            queue.waiting.iter().take(DEADLINE_RECORDS_AT_ONCE).map(|(record, _)| record.clone()).collect();
        (!records.is_empty()).then_some(records)
    }

    fn write_once_more(&self) {
        let records: Vec<_> = self.lock().waiting.drain(..).map(|(record, _)| record).collect();
        let count = records.len();
        if let Err(error) = self.gateway.deadlines(records) {
            tracing::error!(%error, records = count, "answers by policy were never recorded: their payments are not held");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
