//! Events from a file through a fresh engine, as fast as the machine allows. What a replay says is what the
//! running engine would have said of the same events in the same order.

use std::{io, sync::mpsc, thread};

use sluice_codec::Refused;
use sluice_core::{Engine, Offset, Output, Stage};
use sluice_model::{Control, EventRecord, PaymentEvent, PaymentRecord, RuleBundle, Screening};

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
    /// Put rules and lists in force in an engine that has felt nothing.
    pub fn new(mut engine: Engine, rules: RuleBundle, screening: Screening) -> Self {
        let activate = Control::Activate { rules: rules.hash() };
        let mut nothing = Output::default();
        for control in [Control::Screening(screening), Control::Prepare(rules), activate] {
            engine.apply(&PaymentRecord::Control(control), &mut nothing);
        }
        Self { engine, next: 0 }
    }

    /// Everything that a source holds. `on_refused` is told of what could not be read, `on_output` of what the
    /// engine said, a batch at a time.
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
        thread::scope(|scope| {
            let (sender, batches) = mpsc::sync_channel(BATCHES_AHEAD);
            scope.spawn(move || read_ahead(source, &sender));
            for batch in batches {
                let Batch { events, refused, failed } = batch;
                replayed.dead_letters += refused.len() as u64;
                refused.iter().for_each(&mut on_refused);
                let output = self.judge(events);
                replayed.events += output.counts.events;
                replayed.duplicates += output.counts.duplicates;
                replayed.dead_letters += output.counts.dead_letters;
                on_output(output)?;
                failed.map_or(Ok(()), Err)?;
            }
            Ok(replayed)
        })
    }

    fn judge(&mut self, events: Vec<PaymentEvent>) -> Output {
        let records: Vec<(Offset, PaymentRecord)> =
            (self.next..).zip(events.into_iter().map(historical)).collect();
        self.next += records.len() as u64;
        let mut output = Output::default();
        self.engine.apply_all(&records, &mut output);
        output
    }
}

/// Historical events are stamped from their own times, so that replaying a file, posting it or simulating it is
/// the same.
fn historical(event: PaymentEvent) -> PaymentRecord {
    let received_at = event.occurred_at;
    PaymentRecord::Event(EventRecord { received_at, awaited: false, late_reason: None, event: event.into() })
}

#[derive(Default)]
struct Batch {
    events: Vec<PaymentEvent>,
    refused: Vec<Refused>,
    failed: Option<io::Error>,
}

/// Read batches until the source ends or fails, or nobody wants more.
fn read_ahead(source: impl Iterator<Item = Read>, sender: &mpsc::SyncSender<Batch>) {
    let mut batch = Batch::default();
    for read in source {
        match read {
            Ok(Ok(event)) => batch.events.push(event),
            Ok(Err(refused)) => batch.refused.push(refused),
            Err(error) => batch.failed = Some(error),
        }
        let full = batch.events.len() + batch.refused.len() >= BATCH_EVENTS;
        let failed = batch.failed.is_some();
        if full || failed {
            let nobody_listens = sender.send(std::mem::take(&mut batch)).is_err();
            if nobody_listens || failed {
                return;
            }
        }
    }
    // The engine may have stopped listening; then nobody misses the rest.
    drop(sender.send(batch));
}
