//! The past of the running process, for back-tests: its own payments log, and fresh engines aside.

use std::{
    iter::Peekable,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use sluice_case_api::ports::{BacktestRun, Bounds, History, PortError};
use sluice_core::{Engine, EngineConfig, Library};
use sluice_log::{Log, Topic};
use sluice_model::RuleBundle;
use sluice_rules::Backtest;
use sluice_runtime::{Read, Replay, Runtime};

use super::failed;
use crate::rules::history::events_of;

/// Each set is judged on one thread: the rest of the machine is for payments.
const SHARDS: u32 = 1;

pub(super) struct OwnLog {
    pub log: Arc<dyn Log>,
    /// Into how many partitions its payments are divided.
    pub partitions: u32,
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
        let began = Instant::now();
        let complete = AtomicBool::new(true);
        let mut each = Vec::new();
        for index in 0..self.partitions {
            let payments = Topic::Payments.partition(index);
            let end = self.log.end(payments)?;
            let from = end.saturating_sub(bounds.events_max / u64::from(self.partitions));
            let (complete, began) = (&complete, &began);
            let in_time = move |next: u64| {
                let is_in_time = next >= end || began.elapsed() < bounds.time_max;
                complete.fetch_and(is_in_time, Ordering::Relaxed);
                next < end && is_in_time
            };
            each.push(events_of(Arc::clone(&self.log), payments, from, in_time));
        }
        let source = in_order(each);
        let screening = self.runtime.status().screening;
        let replay = |rules: &RuleBundle| {
            let engine = Engine::new(EngineConfig { shards: SHARDS }, Arc::clone(&self.library));
            Replay::new(engine, rules.clone(), screening.clone())
        };
        let (replayed, [before, after]) =
            Replay::compare(source, [replay(active), replay(candidate)]).map_err(failed)?;
        let report = Backtest::compare(replayed.events, &before, &after, None);
        Ok(BacktestRun { report, complete: complete.into_inner() })
    }
}

/// The events of several partitions in the order in which they occurred, as far as each is in that order.
fn in_order<I: Iterator<Item = Read>>(partitions: Vec<I>) -> impl Iterator<Item = Read> {
    let mut partitions: Vec<Peekable<I>> = partitions.into_iter().map(Iterator::peekable).collect();
    std::iter::from_fn(move || {
        // What cannot be read comes first: it ends the comparison.
        let occurred_at = |read: &Read| match read {
            Ok(Ok(event)) => Some(event.occurred_at),
            _ => None,
        };
        let heads = partitions.iter_mut().enumerate();
        let heads = heads.filter_map(|(index, events)| Some((occurred_at(events.peek()?), index)));
        let (_, first) = heads.min()?;
        partitions[first].next()
    })
}
