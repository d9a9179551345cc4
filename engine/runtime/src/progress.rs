//! How far the engine has come, for those who wait for it and those who ask.

use std::{
    collections::BTreeMap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sluice_core::RescreenReport;
use sluice_log::Offset;
use sluice_model::{EventTime, Hash256, Prepared, RuleBundle, RuleSets, Screening};
use sluice_rules::RuleSet;

use crate::{RuntimeError, limits::BATCH_RECORDS_MAX};

/// How far the engine has come.
#[derive(Clone)]
pub struct Status {
    /// Every record before this has been judged and its output committed.
    pub applied: Offset,
    /// Whether everything that was committed before this process has been applied again.
    pub is_live: bool,
    /// Keys with state.
    pub keys: usize,
    /// The rules in force.
    pub rules: Arc<RuleSet>,
    /// What screening runs against.
    pub screening: Screening,
    /// The last rescreening of each list since this process started, with how many known parties were compared.
    pub rescreened: BTreeMap<String, RescreenReport>,
    /// The files that the rules in force were made from.
    pub files: Arc<RuleBundle>,
    /// The contents of rules whose failures are alerted seldom, since they fail again and again.
    pub quarantined: Vec<Hash256>,
    /// The rules prepared to follow them.
    pub prepared: Option<Hash256>,
    /// Prepared rules whose windows are being filled, how many records they have applied and of how many.
    pub filling: Option<(Hash256, Offset, Offset)>,
    /// The latest event time that the engine has applied; `None` before the first.
    pub stream_time: Option<EventTime>,
    /// How many of the last events were refused for their time, and of how many, where that is most of them.
    pub refused_for_their_time: Option<(u64, u64)>,
    /// When the engine last came further or had nothing to do, as [`Clock::elapsed`](crate::Clock::elapsed) gives it.
    pub came_further: Duration,
    /// What hinders the engine at this moment, such as a full disk.
    pub trouble: Option<String>,
    /// Why the engine has ended; `None` while it runs.
    pub stopped: Option<String>,
}

impl Status {
    /// Before anything was applied.
    pub(crate) fn starting() -> Self {
        Self {
            applied: 0,
            is_live: false,
            keys: 0,
            rules: Arc::new(RuleSet::empty()),
            screening: Screening::default(),
            rescreened: BTreeMap::new(),
            files: Arc::default(),
            quarantined: Vec::new(),
            prepared: None,
            filling: None,
            stream_time: None,
            refused_for_their_time: None,
            came_further: Duration::ZERO,
            trouble: None,
            stopped: None,
        }
    }

    /// What the engine judges by, and what it is making ready.
    pub fn rule_sets(&self) -> RuleSets {
        let prepared = self.prepared.map(|rules| {
            let filling = self.filling.filter(|(filling, ..)| *filling == rules);
            let (applied, of) = filling.map_or((0, 0), |(_, applied, of)| (applied, of));
            // What is left to fill is a batch: traffic need not wait for it.
            Prepared { rules, ready: of - applied <= BATCH_RECORDS_MAX as Offset, applied, of }
        });
        RuleSets { in_force: self.rules.hash(), prepared }
    }
}

/// A status that can be waited for.
pub(crate) struct Progress {
    status: Mutex<Status>,
    changed: Condvar,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { status: Mutex::new(Status::starting()), changed: Condvar::new() }
    }

    /// The status now.
    pub(crate) fn now(&self) -> Status {
        self.lock().clone()
    }

    /// Whether any rule is in force.
    pub(crate) fn has_rules(&self) -> bool {
        !self.lock().rules.descriptions().is_empty()
    }

    /// Change the status and wake who waits for it.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Wait until the status is as wanted.
    pub(crate) fn wait(&self, is_as_wanted: impl Fn(&Status) -> bool) -> Result<Status, RuntimeError> {
        let not_yet = |status: &mut Status| !is_as_wanted(status) && status.stopped.is_none();
        let status = self.changed.wait_while(self.lock(), not_yet).unwrap_or_else(PoisonError::into_inner);
        if is_as_wanted(&status) { Ok(status.clone()) } else { Err(RuntimeError::Stopped) }
    }

    fn lock(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
