//! Events from a file through a fresh engine, as fast as the machine allows. What a replay says is what the
//! running engine would have output for the same events in the same order.

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
};

use sluice_codec::Refused;
use sluice_core::{Engine, Offset, Output, Stage};
use sluice_model::{Alert, Control, EventRecord, PaymentEvent, PaymentRecord, RuleBundle, Screening};

/// Events that go through the engine together.
const BATCH_EVENTS: usize = 4_096;
/// Batches read ahead of the engine.
const BATCHES_AHEAD: usize = 4;

/// One event of a source, or why there is none at that place.
pub type Read = io::Result<Result<PaymentEvent, Refused>>;

/// What a replay took in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Replayed {
    /// Events judged.
    pub events: u64,
    /// The same event again.
    pub duplicates: u64,
    /// What could not be read, or not be judged.
    pub dead_letters: u64,
}

/// A fresh engine with rules and lists in force.
pub struct Replay {
    engine: Engine,
    next: Offset,
}

impl Replay {
    /// Put rules and lists in force in an engine that has applied nothing.
    pub fn new(mut engine: Engine, rules: RuleBundle, screening: Screening) -> Self {
        let activate = Control::Activate { rules: rules.hash() };
        let mut nothing = Output::default();
        for control in [Control::Screening(screening), Control::Prepare(rules), activate] {
            engine.apply(0, &PaymentRecord::Control(control), &mut nothing);
        }
        Self { engine, next: 0 }
    }

    /// Everything that a source holds. `on_refused` is called with what could not be read, `on_output` of what the
    /// engine output, a batch at a time.
    ///
    /// # Errors
    /// When the source cannot be read; what came before has been judged.
    pub fn run(
        &mut self,
        source: impl Iterator<Item = Read> + Send,
        mut on_refused: impl FnMut(&Refused),
        mut on_output: impl FnMut(Output) -> io::Result<()>,
    ) -> io::Result<Replayed> {
        let mut replayed = Replayed::default();
        let next = self.next;
        thread::scope(|scope| {
            let (sender, batches) = mpsc::sync_channel(BATCHES_AHEAD);
            let reading = scope.spawn(move || read_ahead(source, next, &[sender]));
            for batch in batches {
                batch.refused.iter().for_each(&mut on_refused);
                on_output(self.judge(&batch, &mut replayed))?;
            }
            joined(reading)?;
            Ok(replayed)
        })
    }

    /// Two fresh engines over the same source: it is read once, and each engine has a thread of its own. What was
    /// taken in, as the first engine counts, and each engine's alerts.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn compare(
        source: impl Iterator<Item = Read> + Send,
        mut engines: [Self; 2],
    ) -> io::Result<(Replayed, [Vec<Alert>; 2])> {
        thread::scope(|scope| {
            let (senders, judging): (Vec<_>, Vec<_>) = engines
                .iter_mut()
                .map(|engine| {
                    let (sender, batches) = mpsc::sync_channel::<Arc<Batch>>(BATCHES_AHEAD);
                    let judge = move || {
                        let (mut replayed, mut alerts) = (Replayed::default(), Vec::new());
                        for batch in batches {
                            alerts.extend(engine.judge(&batch, &mut replayed).alerts);
                        }
                        (replayed, alerts)
                    };
                    (sender, scope.spawn(judge))
                })
                .unzip();
            let read = read_ahead(source, 0, &senders);
            drop(senders);
            let mut judged = judging.into_iter().map(joined);
            let (Some((replayed, active)), Some((_, candidate))) = (judged.next(), judged.next()) else {
                return Err(io::Error::other("two engines were to judge"));
            };
            read.map(|()| (replayed, [active, candidate]))
        })
    }

    fn judge(&mut self, batch: &Batch, replayed: &mut Replayed) -> Output {
        self.next += batch.records.len() as u64;
        let mut output = Output::default();
        self.engine.apply_all(&batch.records, &mut output);
        replayed.events += output.counts.events;
        replayed.duplicates += output.duplicates.len() as u64;
        replayed.dead_letters += output.counts.dead_letters + batch.refused.len() as u64;
        output
    }
}

/// What a thread came to; its panic is the caller's.
fn joined<T>(thread: thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Historical events are stamped from their own times, so that replaying a file, posting it or simulating it is
/// the same.
fn historical(event: PaymentEvent) -> PaymentRecord {
    let received_at = event.occurred_at;
    PaymentRecord::Event(EventRecord { received_at, awaited: false, late_reason: None, event: event.into() })
}

/// What was read together.
#[derive(Default)]
struct Batch {
    records: Vec<(Offset, PaymentRecord)>,
    refused: Vec<Refused>,
}

/// Read batches until the source ends or fails, or nobody wants more. Every listener gets every batch.
fn read_ahead(
    source: impl Iterator<Item = Read>,
    mut next: Offset,
    listeners: &[mpsc::SyncSender<Arc<Batch>>],
) -> io::Result<()> {
    let mut batch = Batch::default();
    let send = |batch: &mut Batch| {
        let batch = Arc::new(std::mem::take(batch));
        // A listener that has stopped misses nothing.
        listeners.iter().filter(|listener| listener.send(Arc::clone(&batch)).is_ok()).count() > 0
    };
    for read in source {
        match read {
            Ok(Ok(event)) => {
                batch.records.push((next, historical(event)));
                next += 1;
            }
            Ok(Err(refused)) => batch.refused.push(refused),
            Err(error) => {
                send(&mut batch);
                return Err(error);
            }
        }
        if batch.records.len() + batch.refused.len() >= BATCH_EVENTS && !send(&mut batch) {
            return Ok(());
        }
    }
    send(&mut batch);
    Ok(())
}
