//! The past of the running process, for back-tests: its own payments log, and fresh engines aside.

use std::{sync::Arc, time::Instant};

use sluice_case_api::ports::{BacktestRun, Bounds, History, PortError};
use sluice_core::{Engine, EngineConfig, Library};
use sluice_log::{Log, Topic};
use sluice_model::RuleBundle;
use sluice_rules::Backtest;
use sluice_runtime::{Replay, Runtime};

use super::failed;
use crate::rules::history::events_of;

/// Each set is judged on one thread: the rest of the machine is for payments.
const SHARDS: u32 = 1;

pub(super) struct OwnLog {
    pub log: Arc<dyn Log>,
    pub runtime: Arc<Runtime>,
    pub library: Arc<dyn Library>,
}

impl History for OwnLog {
    fn backtest(
        &self,
        active: &RuleBundle,
        candidate: &RuleBundle,
        bounds: Bounds,
    ) -> Result<BacktestRun, PortError> {
        let end = self.log.end(Topic::Payments.partition(0))?;
        let from = end.saturating_sub(bounds.events_max);
        let began = Instant::now();
        let mut complete = true;
        let in_time = |next: u64| {
            complete = next >= end || began.elapsed() < bounds.time_max;
            next < end && complete
        };
        let source = events_of(Arc::clone(&self.log), from, in_time);
        let screening = self.runtime.status().screening;
        let replay = |rules: &RuleBundle| {
            let engine = Engine::new(EngineConfig { shards: SHARDS }, Arc::clone(&self.library));
            Replay::new(engine, rules.clone(), screening.clone())
        };
        let (replayed, [before, after]) =
            Replay::compare(source, [replay(active), replay(candidate)]).map_err(failed)?;
        Ok(BacktestRun { report: Backtest::compare(replayed.events, &before, &after, None), complete })
    }
}
