//! The engine's thread: turns the driver of the composite engine over the payments log, and reports what came of
//! it. It decides nothing.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use sluice_core::{Engine, EngineConfig, Layout, Library, Output, RescreenReport, Stage, WorkerConfig};
use sluice_driver::{Assignment, Driver, Handoff, Report};
use sluice_log::{Log, LogError, Offset, Snapshots};
use sluice_model::{Control, PaymentRecord};
use sluice_rules::RuleSet;

use crate::{
    Clock, RuntimeError,
    desk::Desk,
    gateway::PAYMENTS,
    lanes::Lanes,
    limits::{BATCH_RECORDS_AWAITED_MAX, BATCH_RECORDS_MAX, COMMIT_RETRY_AFTER},
    progress::Progress,
    readiness::Refusals,
    receipts::Receipts,
    saver::Saver,
    telemetry::Telemetry,
};

/// The name under which the engine's offset is committed and its snapshots are kept.
pub const ENGINE: &str = Engine::NAME;

/// What the engine's thread works with.
pub(crate) struct EngineThread {
    pub log: Arc<dyn Log>,
    pub snapshots: Arc<dyn Snapshots>,
    pub library: Arc<dyn Library>,
    pub handoff: Arc<Handoff<PaymentRecord>>,
    pub desk: Arc<Desk>,
    pub receipts: Arc<Receipts>,
    pub progress: Arc<Progress>,
    pub lanes: Arc<Lanes>,
    pub clock: Arc<dyn Clock>,
    pub telemetry: Telemetry,
    pub snapshot_every_records: u64,
}

impl EngineThread {
    /// Run until the handoff is closed and all is judged, or something fails. Whatever ends it is reported to the progress.
    pub(crate) fn start(self) -> Result<thread::JoinHandle<Result<(), RuntimeError>>, RuntimeError> {
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
        let mut driver = self.driver()?;
        let mut refusals = Refusals::default();
        let mut judging = Duration::ZERO;
        loop {
            let began = Instant::now();
            match driver.step(self.batch_records_max())? {
                Report::Restored | Report::Saved => {}
                Report::Applied => {
                    judging = began.elapsed();
                    self.tell_progress(&driver);
                }
                Report::Committed(batch) => {
                    self.telemetry.committed(&batch.output, began.elapsed(), self.handoff.ahead_of(batch.to));
                    self.tell_rescreened(&batch.output.rescreened);
                    self.desk.tell(&batch.output.decisions, &batch.output.dead_letters);
                    self.receipts.tell(batch.to, &batch.output);
                    self.lanes.judged(batch.to, batch.records, judging);
                    self.tell_refused(&mut refusals, &batch.output, driver.records());
                    self.tell_progress(&driver);
                }
                Report::Refused(error) | Report::Aborted(error) => self.pause(error)?,
                // The engine goes on without this snapshot.
                Report::NotSaved(error) => {
                    tracing::error!(%error, "a snapshot could not be made");
                    self.telemetry.snapshot(None);
                }
                Report::Idle { from } => {
                    if !self.handoff.wait(from) {
                        return self.finish(driver);
                    }
                    self.progress.update(|status| status.came_further = self.clock.elapsed());
                }
                Report::Fenced => return Err(RuntimeError::Fenced),
            }
        }
    }

    fn driver(&self) -> Result<Driver<Engine>, RuntimeError> {
        let telemetry = self.telemetry.clone();
        let saver = Saver::start(Arc::clone(&self.snapshots), move |size| telemetry.snapshot(size))?;
        let assignment = Assignment {
            log: Arc::clone(&self.log),
            snapshots: Arc::new(saver),
            snapshots_name: ENGINE.to_owned(),
            library: Arc::clone(&self.library),
            partition: PAYMENTS.index,
            layout: Layout::SINGLE,
            config: WorkerConfig {
                batch_records_max: BATCH_RECORDS_MAX,
                snapshot_every_records: self.snapshot_every_records,
            },
            handoff: Some(Arc::clone(&self.handoff)),
        };
        let library = Arc::clone(&self.library);
        Ok(Driver::claim(assignment, move || Engine::new(EngineConfig::default(), Arc::clone(&library)))?)
    }

    /// Few, where somebody waits for what comes of one of them.
    fn batch_records_max(&self) -> usize {
        if self.desk.is_waited_at() { BATCH_RECORDS_AWAITED_MAX } else { BATCH_RECORDS_MAX }
    }

    /// The log has not taken a batch: wait before it is asked again, unless the process is to end. The output is not
    /// lost, since it is made again from the log.
    fn pause(&self, error: LogError) -> Result<(), RuntimeError> {
        self.telemetry.commit_failed();
        if self.handoff.is_closed() {
            return Err(error.into());
        }
        tracing::error!(%error, "the engine could not commit and tries again");
        self.progress.update(|status| status.trouble = Some(error.to_string()));
        thread::sleep(COMMIT_RETRY_AFTER);
        Ok(())
    }

    fn tell_progress(&self, driver: &Driver<Engine>) {
        let worker = driver.worker();
        let Some(engine) = worker.stage() else { return };
        if let Some(at) = engine.home().stream_time() {
            self.telemetry.stream_time(at);
        }
        let is_control = |(_, record): &(Offset, PaymentRecord)| matches!(record, PaymentRecord::Control(_));
        let changed = driver.records().iter().any(is_control);
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

    /// Rules that ask for an amount fail on a currency without a rate, by their policy: reported when they come into force.
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
            let judged = output.counts.events + output.counts.dead_letters;
            refusals.applied(judged, Refusals::of(&output.dead_letters));
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
    fn finish(&self, driver: Driver<Engine>) -> Result<(), RuntimeError> {
        if let Report::NotSaved(error) = driver.release()? {
            tracing::error!(%error, "the last snapshot could not be made");
        }
        self.progress.update(|status| status.stopped = Some("stopped as asked".into()));
        Ok(())
    }
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
