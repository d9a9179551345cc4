//! What the stages of a process are measured by: asked for when somebody looks, so that a partition that has moved away
//! leaves nothing behind.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus::{
    IntCounterVec, IntGaugeVec, Opts,
    core::{Collector, Desc},
    proto::MetricFamily,
};
use sluice_http::metrics::Registry;
use sluice_model::Topic;

use super::{Host, Hosted};
use crate::{RuntimeError, Sources};

/// What tells one stage from another.
const STAGE: &[&str] = &["stage", "partition"];
const SOURCE: &[&str] = &["source"];

/// Measures a host, and the topics of others that are taken in beside it.
pub struct HostMetrics {
    host: Arc<Host>,
    sources: Arc<Sources>,
    /// Two that look at once would count twice.
    series: Mutex<Series>,
    descriptions: Vec<Desc>,
}

struct Series {
    lag: IntGaugeVec,
    live: IntGaugeVec,
    trouble: IntGaugeVec,
    records: IntCounterVec,
    events: IntCounterVec,
    dead_letters: IntCounterVec,
    commit_failures: IntCounterVec,
    snapshot_failures: IntCounterVec,
    snapshot_timestamp: IntGaugeVec,
    source_records: IntCounterVec,
    source_trouble: IntGaugeVec,
}

impl HostMetrics {
    /// Have a registry gather what becomes of them.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn register(registry: &Registry, host: Arc<Host>, sources: Arc<Sources>) -> Result<(), RuntimeError> {
        let series = Series::new()?;
        let descriptions = series.all().into_iter().flat_map(Collector::desc).cloned().collect();
        let metrics = Self { host, sources, series: Mutex::new(series), descriptions };
        Ok(registry.register(Box::new(metrics))?)
    }
}

impl Collector for HostMetrics {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        series.reset();
        self.host.hosted().iter().for_each(|hosted| series.tell(hosted));
        for source in self.sources.progress() {
            let label = [source.name.as_str()];
            series.source_records.with_label_values(&label).inc_by(source.records);
            series.source_trouble.with_label_values(&label).set(source.trouble.is_some().into());
        }
        series.all().into_iter().flat_map(Collector::collect).collect()
    }
}

impl Series {
    fn new() -> Result<Self, prometheus::Error> {
        let counter = |name, help, labels| IntCounterVec::new(Opts::new(name, help), labels);
        let gauge = |name, help, labels| IntGaugeVec::new(Opts::new(name, help), labels);
        Ok(Self {
            lag: gauge(
                "sluice_engine_lag_records",
                "Durable records that a stage has not applied yet, at most",
                STAGE,
            )?,
            live: gauge(
                "sluice_engine_live",
                "Whether a stage has applied again all that was committed before it was started",
                STAGE,
            )?,
            trouble: gauge("sluice_engine_trouble", "Whether a stage does not go on at this moment", STAGE)?,
            records: counter("sluice_engine_records_total", "Records that a stage has committed", STAGE)?,
            events: counter("sluice_engine_events_total", "Events judged", &["partition"])?,
            dead_letters: counter(
                "sluice_engine_dead_letters_total",
                "Events the engine would not judge",
                &["partition"],
            )?,
            commit_failures: counter(
                "sluice_engine_commit_failures_total",
                "Commits that the log refused",
                STAGE,
            )?,
            snapshot_failures: counter(
                "sluice_engine_snapshot_failures_total",
                "Snapshots that were not kept",
                STAGE,
            )?,
            snapshot_timestamp: gauge(
                "sluice_engine_snapshot_timestamp_seconds",
                "When a stage's last snapshot was kept here, in seconds since 1970",
                STAGE,
            )?,
            source_records: counter(
                "sluice_source_records_total",
                "Records of a topic of others that were taken in",
                SOURCE,
            )?,
            source_trouble: gauge(
                "sluice_source_trouble",
                "Whether a topic of others is not taken in at this moment",
                SOURCE,
            )?,
        })
    }

    fn all(&self) -> [&dyn Collector; 11] {
        [
            &self.lag,
            &self.live,
            &self.trouble,
            &self.records,
            &self.events,
            &self.dead_letters,
            &self.commit_failures,
            &self.snapshot_failures,
            &self.snapshot_timestamp,
            &self.source_records,
            &self.source_trouble,
        ]
    }

    fn reset(&self) {
        for gauge in [&self.lag, &self.live, &self.trouble, &self.snapshot_timestamp, &self.source_trouble] {
            gauge.reset();
        }
        let counted = [&self.records, &self.events, &self.dead_letters, &self.commit_failures];
        for counter in counted.into_iter().chain([&self.snapshot_failures, &self.source_records]) {
            counter.reset();
        }
    }

    fn tell(&self, hosted: &Hosted) {
        let Hosted { stage, partition, is_live, trouble, counted } = hosted;
        let index = partition.index.to_string();
        let label = [*stage, index.as_str()];
        self.live.with_label_values(&label).set((*is_live).into());
        self.trouble.with_label_values(&label).set(trouble.is_some().into());
        self.records.with_label_values(&label).inc_by(counted.records);
        self.commit_failures.with_label_values(&label).inc_by(counted.commit_failures);
        self.snapshot_failures.with_label_values(&label).inc_by(counted.snapshot_failures);
        if let Some(lag) = counted.lag_records {
            self.lag.with_label_values(&label).set(i64::try_from(lag).unwrap_or(i64::MAX));
        }
        if let Some(at) = counted.snapshot_at {
            let seconds = at.micros().div_euclid(1_000_000);
            self.snapshot_timestamp.with_label_values(&label).set(seconds);
        }
        if partition.topic == Topic::Payments {
            self.events.with_label_values(&[&index]).inc_by(counted.of_events.events);
            self.dead_letters.with_label_values(&[&index]).inc_by(counted.of_events.dead_letters);
        }
    }
}
