//! Follows the engines of other processes: what they decide for whoever waits here, which orders are in force, what they
//! refused, how far they are behind. It judges nothing.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde::de::DeserializeOwned;
use sluice_core::{Home, Layout, Library, Rulebook, Stage};
use sluice_driver::records;
use sluice_log::{Log, Offset, Partition, ReadLimit, Topic};
use sluice_model::{Control, DeadLetter, Decision, Screening};

use crate::{
    Clock, RuntimeError,
    desk::Desk,
    lanes::Lanes,
    limits::{COMMIT_RETRY_AFTER, FOLLOWED_EVERY, FOLLOWING_WAIT, LAG_LOOKED_AT_EVERY},
    orders::Orders,
    progress::Progress,
    readiness::Refusals,
    requests::{Answered, Requests},
    telemetry::Telemetry,
};

const DECISIONS: Partition = Topic::Decisions.partition(0);
const DEAD_LETTERS: Partition = Topic::DeadLetters.partition(0);
const REQUESTS: Partition = Topic::Requests.partition(0);

/// What is needed to follow.
#[derive(Clone)]
pub(crate) struct FollowingParts {
    pub log: Arc<dyn Log>,
    pub layout: Layout,
    pub library: Arc<dyn Library>,
    pub desk: Arc<Desk>,
    pub requests: Arc<Requests>,
    pub progress: Arc<Progress>,
    pub lanes: Arc<Lanes>,
    pub clock: Arc<dyn Clock>,
    pub telemetry: Telemetry,
}

/// The threads that follow.
pub(crate) struct Following {
    stopping: Arc<AtomicBool>,
    progress: Arc<Progress>,
    /// Why each does not go on at this moment.
    troubles: Arc<Mutex<[Option<String>; 2]>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// One of them.
#[derive(Clone, Copy)]
enum Thread {
    /// Waits for decisions.
    Decisions,
    /// Looks for what else engines say.
    Rest,
}

impl Thread {
    const fn name(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Rest => "followed",
        }
    }
}

impl Following {
    /// Begin. What was decided before concerns nobody who waits here; orders are read from the first one on.
    pub(crate) fn start(parts: FollowingParts) -> Result<Self, RuntimeError> {
        let stopping = Arc::new(AtomicBool::new(false));
        let progress = Arc::clone(&parts.progress);
        let decisions = Decisions {
            next: parts.log.end(DECISIONS)?,
            log: Arc::clone(&parts.log),
            desk: Arc::clone(&parts.desk),
        };
        let engines = Followed {
            orders: Orders::new(Arc::clone(&parts.log)),
            dead_letters: parts.log.end(DEAD_LETTERS)?,
            requests: parts.log.end(REQUESTS)?,
            rules: Rulebook::empty(),
            screening: Screening::default(),
            refusals: Refusals::default(),
            refused: 0,
            looked_at: None,
            judged: vec![None; parts.layout.partitions(Topic::Payments) as usize],
            parts,
        };
        let following = Self { stopping, progress, troubles: Arc::default(), threads: Mutex::default() };
        following.run(Thread::Decisions, decisions, Decisions::follow)?;
        following.run(Thread::Rest, engines, Followed::follow)?;
        Ok(following)
    }

    /// Look again and again, on a thread, until it is to end.
    fn run<T: Send + 'static>(
        &self,
        of_thread: Thread,
        mut of: T,
        look: impl Fn(&mut T) -> Result<(), RuntimeError> + Send + 'static,
    ) -> Result<(), RuntimeError> {
        let (stopping, progress) = (Arc::clone(&self.stopping), Arc::clone(&self.progress));
        let troubles = Arc::clone(&self.troubles);
        let thread = thread::Builder::new().name(of_thread.name().to_owned()).spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                let trouble = look(&mut of).err().map(|error| error.to_string());
                let is_trouble = trouble.is_some();
                if let Some(error) = &trouble {
                    tracing::error!(error, "the engines cannot be followed at this moment");
                }
                let mut troubles = troubles.lock().unwrap_or_else(PoisonError::into_inner);
                if troubles[of_thread as usize] != trouble {
                    troubles[of_thread as usize] = trouble;
                    let first = troubles.iter().flatten().next().cloned();
                    progress.update(|status| status.trouble = first);
                }
                drop(troubles);
                if is_trouble {
                    thread::sleep(COMMIT_RETRY_AFTER);
                }
            }
        });
        let thread = thread.map_err(RuntimeError::Thread)?;
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
        Ok(())
    }

    /// Follow no more.
    pub(crate) fn stop(&self) -> Result<(), RuntimeError> {
        self.stopping.store(true, Ordering::Relaxed);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = threads.into_iter().map(|thread| thread.join().map_err(|_| RuntimeError::Stopped));
        let ended: Vec<_> = ended.collect();
        self.progress.update(|status| status.stopped = Some("stopped as asked".into()));
        ended.into_iter().collect()
    }
}

/// What is decided.
struct Decisions {
    log: Arc<dyn Log>,
    desk: Arc<Desk>,
    next: Offset,
}

impl Decisions {
    fn follow(&mut self) -> Result<(), RuntimeError> {
        if self.log.wait(DECISIONS, self.next, FOLLOWING_WAIT)? {
            let decisions: Vec<Decision> = read(&*self.log, DECISIONS, &mut self.next)?;
            self.desk.tell(&decisions, &[]);
        }
        Ok(())
    }
}

/// What else engines say.
struct Followed {
    parts: FollowingParts,
    orders: Orders,
    /// How far each was read.
    dead_letters: Offset,
    requests: Offset,
    /// What is in force.
    rules: Rulebook,
    screening: Screening,
    refusals: Refusals,
    /// What was refused for its time since it was last seen how many were judged.
    refused: u64,
    /// When it was last looked how far the engines are behind.
    looked_at: Option<Duration>,
    /// How far each home had come then.
    judged: Vec<Option<Offset>>,
}

impl Followed {
    fn follow(&mut self) -> Result<(), RuntimeError> {
        self.apply_orders()?;
        let letters: Vec<DeadLetter> = read(&*self.parts.log, DEAD_LETTERS, &mut self.dead_letters)?;
        self.parts.desk.tell(&[], &letters);
        self.refused += Refusals::of(&letters);
        let answered: Vec<Answered> = read(&*self.parts.log, REQUESTS, &mut self.requests)?;
        let now = self.parts.clock.now();
        answered.iter().for_each(|answered| self.parts.requests.learn(answered, now));
        let elapsed = self.parts.clock.elapsed();
        if self.looked_at.is_none_or(|at| elapsed.saturating_sub(at) >= LAG_LOOKED_AT_EVERY) {
            self.lag(elapsed)?;
        }
        thread::sleep(FOLLOWED_EVERY);
        Ok(())
    }

    /// Orders in their order. Once all are read that were there at the start, what is in force is known.
    fn apply_orders(&mut self) -> Result<(), RuntimeError> {
        loop {
            let orders = self.orders.more()?;
            let is_all = orders.is_empty();
            let is_set_back = orders.iter().any(|order| matches!(order, Control::SetStreamTime(_)));
            orders.iter().for_each(|order| self.apply(order));
            if is_set_back {
                self.refusals.forget();
            }
            let rules = &self.rules;
            self.parts.progress.update(|status| {
                status.applied = self.orders.next();
                status.is_live |= is_all;
                if !is_all {
                    status.rules = Arc::clone(rules.active());
                    status.files = Arc::clone(rules.files());
                    status.quarantined = rules.quarantined().to_vec();
                    status.prepared = rules.prepared().map(|set| set.hash());
                    status.screening = self.screening.clone();
                }
            });
            if is_all {
                return Ok(());
            }
        }
    }

    fn apply(&mut self, order: &Control) {
        match order {
            Control::Screening(screening) => self.screening = screening.clone(),
            Control::Prepare(bundle) => self.rules.prepare(bundle, &*self.parts.library),
            Control::Activate { rules } => drop(self.rules.activate(*rules)),
            Control::Quarantine(order) => self.rules.quarantine(order.rule),
            Control::LiftQuarantine(order) => self.rules.lift_quarantine(order.rule),
            _ => {}
        }
    }

    /// How far the homes of all partitions are behind.
    fn lag(&mut self, now: Duration) -> Result<(), RuntimeError> {
        let (mut lag, mut judged) = (0, 0);
        for (before, index) in self.judged.iter_mut().zip(0..) {
            let partition = Topic::Payments.partition(index);
            let come = self.parts.log.committed(Home::NAME, partition)?;
            let bounds = self.parts.log.bounds(partition)?;
            lag += bounds.end.saturating_sub(come.max(bounds.start));
            judged += before.replace(come).map_or(0, |before| come.saturating_sub(before));
        }
        let took = self.looked_at.replace(now).map_or(Duration::ZERO, |at| now.saturating_sub(at));
        self.parts.lanes.seen(lag, judged, took);
        self.parts.telemetry.lag(lag);
        if judged > 0 {
            self.refusals.applied(judged, std::mem::take(&mut self.refused));
        }
        self.parts.progress.update(|status| {
            if lag == 0 || judged > 0 {
                status.came_further = now;
            }
            status.refused_for_their_time = self.refusals.most();
        });
        Ok(())
    }
}

/// The next records of a partition. One that cannot be read is another application's: it is passed over.
fn read<T: DeserializeOwned>(
    log: &dyn Log,
    partition: Partition,
    next: &mut Offset,
) -> Result<Vec<T>, RuntimeError> {
    let stored = log.read(partition, *next, ReadLimit::default())?;
    if let Some(last) = stored.last() {
        *next = last.offset + 1;
    }
    let parsed = stored.iter().map(|stored| records::parse(partition, stored));
    let said = parsed.inspect(|record| {
        if let Err(error) = record {
            tracing::error!(%error, "a record is passed over");
        }
    });
    Ok(said.filter_map(Result::ok).collect())
}
