//! Does the I/O that the core's worker asks for: reads the payments log, commits each batch's output with its
//! offset in one transaction, keeps snapshots. It decides nothing.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sluice_core::{
    Batch, Engine, EngineConfig, Layout, Library, Output, RescreenReport, Stage, Step, Worker, WorkerConfig,
};
use sluice_log::{Append, Log, Offset, ReadLimit, Snapshots, Transaction};
use sluice_model::{Control, PaymentRecord};
use sluice_rules::RuleSet;

use crate::{
    Clock, RuntimeError,
    desk::Desk,
    gateway::PAYMENTS,
    handoff::{Handoff, Taken},
    lanes::Lanes,
    limits::{BATCH_RECORDS_AWAITED_MAX, BATCH_RECORDS_MAX, COMMIT_RETRY_AFTER, REPLAY_BYTES_MAX},
    progress::Progress,
    readiness::Refusals,
    records,
    saver::Saver,
    telemetry::Telemetry,
};

/// The name under which the engine's offset is committed and its snapshots are kept.
pub const ENGINE: &str = "engine";

/// What the driver works with.
pub(crate) struct Driver {
    pub log: Arc<dyn Log>,
    pub snapshots: Arc<dyn Snapshots>,
    pub library: Arc<dyn Library>,
    pub handoff: Arc<Handoff>,
    pub desk: Arc<Desk>,
    pub progress: Arc<Progress>,
    pub lanes: Arc<Lanes>,
    pub clock: Arc<dyn Clock>,
    pub telemetry: Telemetry,
    pub snapshot_every_records: u64,
}

type Records = Vec<(Offset, PaymentRecord)>;

impl Driver {
    /// Run on a thread of its own until the handoff is closed and all is judged, or something fails. Whatever
    /// ends it is told to the progress.
    pub fn start(self) -> Result<thread::JoinHandle<Result<(), RuntimeError>>, RuntimeError> {
        thread::Builder::new()
            .name("engine".into())
            .spawn(move || {
                let end = EndGuard(Arc::clone(&self.progress));
                let result = self.run();
                if let Err(error) = &result {
                    tracing::error!(%error, "the engine has stopped");
                    end.tell(error.to_string());
                }
                result
            })
            .map_err(RuntimeError::Thread)
    }

    fn run(&self) -> Result<(), RuntimeError> {
        let mut worker = self.worker()?;
        let saver = Saver::start(Arc::clone(&self.snapshots), self.telemetry.clone())?;
        // The records of the batch under way.
        let mut batch_records = Records::new();
        // Where the worker was told that the log ends: told twice, there is nothing to do but wait.
        let mut ends_at = None;
        let mut refusals = Refusals::default();
        let mut judging = Duration::ZERO;
        loop {
            match worker.step() {
                Ok(Step::Restore { at_most }) => worker.restored(self.newest_first(at_most)?),
                Ok(Step::Read { from, limit }) => {
                    batch_records = self.read(from, limit)?;
                    if batch_records.is_empty() && ends_at == Some(from) {
                        if !self.handoff.wait(from) {
                            return self.finish(worker, saver);
                        }
                        self.progress.update(|status| status.came_further = self.clock.elapsed());
                        continue;
                    }
                    ends_at = batch_records.is_empty().then_some(from);
                    let began = Instant::now();
                    worker.records(&batch_records)?;
                    judging = began.elapsed();
                    self.tell_progress(&worker, &batch_records);
                }
                Ok(Step::Commit(batch)) => {
                    self.commit(&batch)?;
                    worker.committed()?;
                    self.tell_rescreened(&batch.output.rescreened);
                    self.desk.tell(&batch.output.decisions, &batch.output.dead_letters);
                    self.lanes.judged(batch.to, batch.to - batch.from, judging);
                    self.tell_refused(&mut refusals, &batch.output, &batch_records);
                    self.tell_progress(&worker, &batch_records);
                }
                Ok(Step::Save { offset, bytes }) => saver.save(offset, bytes),
                Ok(Step::Await) => return Err(sluice_core::WorkerError::NotAsked("a pause").into()),
                // The worker goes on without this snapshot.
                Err(error) => {
                    tracing::error!(%error, "a snapshot could not be made");
                    self.telemetry.snapshot(None);
                }
            }
        }
    }

    fn worker(&self) -> Result<Worker<Engine>, RuntimeError> {
        let config = WorkerConfig {
            batch_records_max: BATCH_RECORDS_MAX,
            snapshot_every_records: self.snapshot_every_records,
        };
        let committed = self.log.committed(ENGINE, PAYMENTS)?;
        let library = Arc::clone(&self.library);
        let fresh = move || Engine::new(EngineConfig::default(), Arc::clone(&library));
        Ok(Worker::new(config, Arc::clone(&self.library), committed, fresh))
    }

    /// The snapshots at or before an offset, each read only when the one before it was of no use.
    fn newest_first(&self, at_most: Offset) -> Result<impl Iterator<Item = Vec<u8>>, RuntimeError> {
        let offsets = self.snapshots.offsets(ENGINE)?;
        Ok(offsets.into_iter().filter(move |offset| *offset <= at_most).filter_map(|offset| {
            self.snapshots
                .get(ENGINE, offset)
                .inspect_err(|error| tracing::warn!(%error, offset, "a snapshot could not be read"))
                .ok()
        }))
    }

    /// Records from memory where they are there, from the log where they are not, none at its end. Few, where somebody
    /// waits for what comes of one of them.
    fn read(&self, from: Offset, limit: usize) -> Result<Records, RuntimeError> {
        let limit = if self.desk.is_waited_at() { limit.min(BATCH_RECORDS_AWAITED_MAX) } else { limit };
        match self.handoff.take(from, limit) {
            Taken::Records(records) => Ok(records),
            Taken::None => Ok(Records::new()),
            Taken::InTheLog => {
                let limit = ReadLimit { records: limit, bytes: REPLAY_BYTES_MAX };
                let stored = self.log.read(PAYMENTS, from, limit)?;
                stored.iter().map(|record| Ok((record.offset, records::parse_payment(record)?))).collect()
            }
        }
    }

    /// Commit a batch's output and offset. A log that fails is tried again until it does not, or until the
    /// process is to end: the output is not lost, since it is made again from the log.
    fn commit(&self, batch: &Batch<Output>) -> Result<(), RuntimeError> {
        let transaction = transaction(batch)?;
        let began = Instant::now();
        while let Err(error) = self.log.transact(transaction.clone()) {
            self.telemetry.commit_failed();
            if !error.is_transient() || self.handoff.is_closed() {
                return Err(error.into());
            }
            tracing::error!(%error, "the engine could not commit and tries again");
            self.progress.update(|status| status.trouble = Some(error.to_string()));
            thread::sleep(COMMIT_RETRY_AFTER);
            // Refused in words but kept in fact: committing again would double it.
            if self.log.committed(ENGINE, PAYMENTS)? == batch.to {
                break;
            }
        }
        self.telemetry.committed(&batch.output, began.elapsed(), self.handoff.ahead_of(batch.to));
        Ok(())
    }

    fn tell_progress(&self, worker: &Worker<Engine>, applied: &[(Offset, PaymentRecord)]) {
        let Some(engine) = worker.stage() else { return };
        if let Some(at) = engine.home().stream_time() {
            self.telemetry.stream_time(at);
        }
        let is_control = |(_, record): &(Offset, PaymentRecord)| matches!(record, PaymentRecord::Control(_));
        let changed = applied.iter().any(is_control);
        self.progress.update(|status| {
            let restored = !status.is_live && worker.is_live();
            status.applied = worker.committed_offset();
            status.is_live |= worker.is_live();
            status.keys = engine.keys();
            status.filling = worker.filling();
            status.trouble = None;
            status.came_further = self.clock.elapsed();
            status.stream_time = engine.home().stream_time();
            if changed || restored {
                let rules = engine.home().rules();
                if !Arc::ptr_eq(&status.rules, rules.active()) {
                    self.tell_rates(rules.active());
                }
                status.rules = Arc::clone(rules.active());
                status.files = Arc::clone(rules.files());
                status.quarantined = rules.quarantined().to_vec();
                status.prepared = rules.prepared().map(|set| set.hash());
                status.screening = engine.home().screening().clone();
            }
        });
    }

    /// Rules that ask for an amount fail on a currency without a rate, by their policy: told when they come into force.
    fn tell_rates(&self, rules: &RuleSet) {
        let without = rules.currencies_without_rate(self.clock.now());
        self.telemetry.without_rate(without.len());
        if !without.is_empty() {
            tracing::warn!(currencies = ?without, "no rate is in force for some currencies");
        }
    }

    /// How many of a batch were refused for their time.
    fn tell_refused(&self, refusals: &mut Refusals, output: &Output, applied: &[(Offset, PaymentRecord)]) {
        let is_set_back = |(_, record): &(Offset, PaymentRecord)| {
            matches!(record, PaymentRecord::Control(Control::SetStreamTime(_)))
        };
        if applied.iter().any(is_set_back) {
            refusals.forget();
        } else {
            refusals.applied(output.counts.events + output.counts.dead_letters, &output.dead_letters);
        }
        self.progress.update(|status| status.refused_for_their_time = refusals.most());
    }

    /// Known parties were compared with a new list version.
    fn tell_rescreened(&self, reports: &[RescreenReport]) {
        for report in reports {
            let RescreenReport { list, version, entries, checked, alerts, left_out } = report;
            tracing::info!(list, version = %version.short(), entries, checked, alerts, left_out, "known parties were rescreened");
            self.telemetry.rescreened(*checked, *left_out);
            self.progress.update(|status| {
                status.rescreened.insert(list.clone(), report.clone());
            });
        }
    }

    /// All is judged and nothing more will come.
    fn finish(&self, mut worker: Worker<Engine>, saver: Saver) -> Result<(), RuntimeError> {
        worker.want_snapshot();
        match worker.step() {
            Ok(Step::Save { offset, bytes }) => saver.save(offset, bytes),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the last snapshot could not be made"),
        }
        self.progress.update(|status| status.stopped = Some("stopped as asked".into()));
        Ok(())
    }
}

/// Everything that a batch publishes, and the offset it moves.
fn transaction(batch: &Batch<Output>) -> Result<Transaction, RuntimeError> {
    let published = Engine::publish(batch.output.clone(), &Layout::SINGLE);
    let mut transaction = Transaction::default().commit(ENGINE, PAYMENTS, batch.to);
    for run in published.chunk_by(|a, b| a.partition == b.partition) {
        let records = run.iter().map(|one| records::published(&one.record)).collect::<Result<_, _>>()?;
        transaction.appends.push(Append { partition: run[0].partition, records });
    }
    Ok(transaction)
}

/// Tells whoever waits that the engine has ended, should it end without saying so.
struct EndGuard(Arc<Progress>);

impl EndGuard {
    fn tell(&self, reason: String) {
        self.0.update(|status| status.stopped = Some(reason));
    }
}

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.update(|status| {
            status.stopped.get_or_insert_with(|| "the engine failed unexpectedly".to_owned());
        });
    }
}
