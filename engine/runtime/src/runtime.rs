//! A running engine: its parts wired together, and what may be asked of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use axum::Router;
use sluice_codec::Zone;
use sluice_core::{Layout, Library};
use sluice_driver::Handoff;
use sluice_http::metrics::Registry;
use sluice_log::{Log, Offset, Snapshots, Topic};
use sluice_model::{Control, NextOrder, Ordered, PaymentEvent, PaymentRecord, RuleBundle, Screening};

use crate::{
    Clock, ClockFault, RuntimeError, Status, Webhooks,
    deadlines::Deadlines,
    desk::Desk,
    engine::{ENGINE, EngineThread},
    following::{Following, FollowingParts},
    gateway::{Gateway, Intake, Judges, Outbox, PAYMENTS},
    guard::{self, Guard},
    http::{self, App},
    ingest::Contents,
    lanes::Lanes,
    limits::{DEADLINE_RECORDS_WAITING_MAX, HANDOFF_RECORDS_MAX},
    progress::Progress,
    readiness,
    receipts::Receipts,
    requests::Requests,
    telemetry::Telemetry,
};

/// What a runtime is made of.
pub struct Parts {
    /// The truth.
    pub log: Arc<dyn Log>,
    /// Who judges what is taken in.
    pub engines: Engines,
    /// List versions and compiled rules.
    pub library: Arc<dyn Library>,
    /// Stamps what is taken in.
    pub clock: Arc<dyn Clock>,
    /// Somebody has confirmed that the clock is right, however far it is from the log's last record.
    pub accept_clock: bool,
    /// Those who send webhooks.
    pub webhooks: Webhooks,
    /// Where the times of messages that have no offset are at home, unless a request says otherwise.
    pub zone: Zone,
    /// Gathers the metrics.
    pub registry: Registry,
}

/// Who judges what is taken in.
pub enum Engines {
    /// One engine in this process, over a log of one partition.
    Here {
        /// Where state is kept to save time.
        snapshots: Arc<dyn Snapshots>,
        /// A snapshot is due after so many records: see [`crate::limits::SNAPSHOT_EVERY_RECORDS`].
        snapshot_every_records: u64,
    },
    /// Engines of other processes, over a log that is divided like this.
    Elsewhere(Layout),
}

/// A running engine, or the way to those of other processes, with its HTTP surface. Dropped or [stopped](Runtime::stop), an
/// engine of this process judges all that is durable, keeps a snapshot and ends.
pub struct Runtime {
    app: Arc<App>,
    running: Mutex<Option<Running>>,
}

/// What runs on threads of its own.
enum Running {
    Engine { handoff: Arc<Handoff<PaymentRecord>>, thread: JoinHandle<Result<(), RuntimeError>> },
    Following(Following),
}

impl Runtime {
    /// Start the engine on threads of its own, or follow those of other processes. It recovers in the background: see
    /// [`Runtime::wait_until_live`].
    pub fn start(parts: Parts) -> Result<Self, RuntimeError> {
        let Parts { log, engines, library, clock, accept_clock, webhooks, zone, registry } = parts;
        let telemetry = Telemetry::new(&registry)?;
        let payments = match &engines {
            Engines::Here { .. } => 1,
            Engines::Elsewhere(layout) => layout.partitions(Topic::Payments),
        };
        let newest = guard::newest_received_at(&*log, payments)?;
        let guard = Guard::new(Arc::clone(&clock), newest, accept_clock);
        if let Some(against) = guard.accepted {
            tracing::warn!(%against, "the clock was confirmed at the start");
        }
        if let Err(fault) = guard.stamp() {
            tracing::error!(%fault, "nothing is taken in for the present");
        }
        let desk = Arc::new(Desk::default());
        let progress = Arc::new(Progress::new());
        let requests = Arc::new(Requests::load(&*log, clock.now())?);
        let (judges, lanes, running) = match engines {
            Engines::Here { snapshots, snapshot_every_records } => {
                let end = log.end(PAYMENTS)?;
                let handoff = Arc::new(Handoff::new(end, HANDOFF_RECORDS_MAX));
                let lanes = Arc::new(Lanes::new(end, log.committed(ENGINE, PAYMENTS)?));
                let receipts = Arc::new(Receipts::default());
                let thread = EngineThread {
                    log: Arc::clone(&log),
                    snapshots,
                    library,
                    handoff: Arc::clone(&handoff),
                    desk: Arc::clone(&desk),
                    receipts: Arc::clone(&receipts),
                    progress: Arc::clone(&progress),
                    lanes: Arc::clone(&lanes),
                    clock,
                    telemetry: telemetry.clone(),
                    snapshot_every_records,
                }
                .start()?;
                let running = Running::Engine { handoff: Arc::clone(&handoff), thread };
                (Judges::Here { handoff, receipts }, lanes, running)
            }
            Engines::Elsewhere(layout) => {
                let lanes = Arc::new(Lanes::of_others());
                let following = Following::start(FollowingParts {
                    log: Arc::clone(&log),
                    layout,
                    library,
                    desk: Arc::clone(&desk),
                    requests: Arc::clone(&requests),
                    progress: Arc::clone(&progress),
                    lanes: Arc::clone(&lanes),
                    clock,
                    telemetry: telemetry.clone(),
                })?;
                (Judges::Elsewhere(layout), lanes, Running::Following(following))
            }
        };
        let gateway = Arc::new(Gateway::new(Arc::clone(&log), judges, lanes, Arc::clone(&progress)));
        let deadlines = Deadlines::start(Arc::clone(&gateway), telemetry.clone())?;
        let app = App {
            log,
            gateway,
            desk,
            requests,
            progress,
            guard,
            deadlines,
            telemetry,
            bodies: App::bodies(),
            decision_bodies: App::decision_bodies(),
            webhook_bodies: App::webhook_bodies(),
            decodes: App::decodes(),
            documents: App::documents(),
            webhooks,
            zone,
        };
        Ok(Self { app: Arc::new(app), running: Mutex::new(Some(running)) })
    }

    /// The routes for events, decisions and dead letters, without sign-in.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.app))
    }

    /// The routes for webhooks, which need no sign-in: what they take in is signed.
    pub fn webhook_router(&self) -> Router {
        http::webhook_router(Arc::clone(&self.app))
    }

    /// How far the engine has come.
    pub fn status(&self) -> Status {
        self.app.progress.now()
    }

    /// Why traffic cannot be taken at this moment; nothing where it can.
    pub fn not_ready(&self) -> Vec<String> {
        let status = self.status();
        let lag = self.app.gateway.lag();
        let still_for = self.app.guard.elapsed().saturating_sub(status.came_further);
        let mut reasons = readiness::not_ready(&status, lag, still_for);
        reasons.extend(self.app.stamp().err().map(|why| why.to_string()));
        let (waiting, is_failing) = self.app.deadlines.waiting();
        if is_failing || waiting >= DEADLINE_RECORDS_WAITING_MAX {
            reasons.push(format!("{waiting} answers by policy are not on the log yet"));
        }
        reasons
    }

    /// What spoke against the clock at the start, where whoever started confirmed it.
    pub fn accepted_clock(&self) -> Option<ClockFault> {
        self.app.guard.accepted
    }

    /// Wait until everything that was committed before this process is applied again.
    pub fn wait_until_live(&self) -> Result<Status, RuntimeError> {
        self.app.progress.wait(|status| status.is_live)
    }

    /// Wait until the engine has ended, and why it did.
    pub fn wait_until_stopped(&self) -> String {
        let status = self.app.progress.wait(|status| status.stopped.is_some());
        status.ok().and_then(|status| status.stopped).unwrap_or_default()
    }

    /// Take in events as from any source: stamped now, in turns with other sources, durable when the future ends. After
    /// an error a part of them may be taken in: sent again, they count once.
    pub async fn take_in(&self, mut events: Vec<PaymentEvent>) -> Result<(), RuntimeError> {
        let count = events.len();
        events.iter_mut().for_each(PaymentEvent::normalise);
        let contents = Contents { events, ..Contents::default() };
        let (payments, dead_letters) = contents.into_records(self.app.stamp()?, "source");
        let intake = Intake { payments, dead_letters, ..Intake::default() };
        self.app.gateway.take_in_turns(intake).await.map_err(|partly| partly.error)?;
        self.app.telemetry.taken_in(count, []);
        Ok(())
    }

    /// Write a control record. When this returns, it is durable; an engine of this process applies it to every event that is
    /// taken in afterwards, others once it has come to them. Its offset on the partition where orders are kept.
    pub fn control(&self, control: Control, outbox: Outbox) -> Result<Offset, RuntimeError> {
        let appended = self.app.gateway.order(control, Some(outbox))?;
        Ok(appended.offsets.first().copied().unwrap_or(appended.after))
    }

    /// Put rules in force: prepare them, let their windows be filled from history while traffic goes on, then
    /// activate them. The caller has compiled them; nothing is written when they are in force already.
    /// Whether anything was.
    pub fn put_rules_in_force(&self, bundle: &RuleBundle) -> Result<bool, RuntimeError> {
        let rules = bundle.hash();
        let mut status = self.wait_until_live()?;
        let mut ordered = Ordered::Nothing;
        loop {
            let (order, now_ordered) = match status.rule_sets().next(rules, ordered) {
                NextOrder::Done => return Ok(ordered != Ordered::Nothing),
                NextOrder::Prepare => (Control::Prepare(bundle.clone()), Ordered::Prepare),
                NextOrder::Activate => (Control::Activate { rules }, Ordered::Activate),
                NextOrder::Wait => return Err(RuntimeError::RulesOvertaken),
            };
            let applied = self.app.gateway.order(order, None)?.end();
            ordered = now_ordered;
            status = self.app.progress.wait(|status| {
                let sets = status.rule_sets();
                let is_ours = sets.prepared.is_some_and(|prepared| prepared.rules == rules);
                // Once the order is applied, only its own windows are waited for.
                status.applied >= applied && (sets.next(rules, ordered) != NextOrder::Wait || !is_ours)
            })?;
        }
    }

    /// Screen against these versions from here on; nothing is written when that is so already. Whether anything
    /// was.
    pub fn screen_against(&self, screening: Screening) -> Result<bool, RuntimeError> {
        if self.wait_until_live()?.screening == screening {
            return Ok(false);
        }
        let written = self.app.gateway.order(Control::Screening(screening), None)?.end();
        self.app.progress.wait(|status| status.applied >= written)?;
        Ok(true)
    }

    /// Count rules or lists that were not loaded.
    pub fn config_failed(&self) {
        self.app.telemetry.config_failed();
    }

    /// Judge all that is durable, keep a snapshot and end. To be called once nothing is taken in any more.
    pub fn stop(&self) -> Result<(), RuntimeError> {
        // What was answered is judged too.
        self.app.deadlines.close();
        match self.running.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(Running::Engine { handoff, thread }) => {
                handoff.close();
                thread.join().map_err(|_| RuntimeError::Stopped)?
            }
            Some(Running::Following(following)) => following.stop(),
            None => Ok(()),
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "the engine did not stop cleanly");
        }
    }
}
