//! What the runtime counts, in one place: names are `sluice_<area>_<what>_<unit>[_total]`. Nothing personal is
//! ever a label.

use std::time::Duration;

use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts};
use sluice_core::{Counts, Output};
use sluice_http::metrics::Registry;
use sluice_model::{EventTime, Observation};

use crate::RuntimeError;

/// From 100 µs to 3.3 s: a commit, a decision.
const LATENCY_SECONDS: [f64; 15] =
    [0.0001, 0.0002, 0.0004, 0.0007, 0.001, 0.0015, 0.002, 0.003, 0.005, 0.01, 0.02, 0.05, 0.2, 1.0, 3.3];

/// The runtime's metrics.
#[derive(Clone)]
pub(crate) struct Telemetry {
    ingest_events: IntCounter,
    ingest_refusals: IntCounterVec,
    ingest_busy: IntCounter,
    webhooks: IntCounterVec,
    engine_events: IntCounter,
    engine_duplicates: IntCounter,
    engine_dead_letters: IntCounter,
    engine_illegal_statuses: IntCounter,
    engine_alerts: IntCounter,
    rule_failures: IntCounterVec,
    rule_shadow: IntCounterVec,
    rules_without_rate: IntGauge,
    engine_lag: IntGauge,
    stream_time: IntGauge,
    deadline_records: IntGauge,
    rescreened_parties: IntCounter,
    rescreen_left_out: IntGauge,
    engine_commit: Histogram,
    engine_commit_failures: IntCounter,
    snapshot_bytes: IntGauge,
    snapshot_failures: IntCounter,
    decision_latency: Histogram,
    decision_deadlines: IntCounter,
    config_failures: IntCounter,
}

impl Telemetry {
    /// Metrics that `registry` gathers.
    pub(crate) fn new(registry: &Registry) -> Result<Self, RuntimeError> {
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone())).map(|()| counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone())).map(|()| gauge)
        };
        let latency = |name: &str, help: &str| {
            let histogram =
                Histogram::with_opts(HistogramOpts::new(name, help).buckets(LATENCY_SECONDS.to_vec()))?;
            registry.register(Box::new(histogram.clone())).map(|()| histogram)
        };
        let refusals = IntCounterVec::new(
            Opts::new("sluice_ingest_refusals_total", "Lines and bodies that could not be read, by kind"),
            &["code"],
        )?;
        registry.register(Box::new(refusals.clone()))?;
        let webhooks = IntCounterVec::new(
            Opts::new("sluice_webhooks_total", "Webhooks by who sends them and what became of them"),
            &["sender", "outcome"],
        )?;
        registry.register(Box::new(webhooks.clone()))?;
        let by_rule = |name: &str, help: &str| {
            let counter = IntCounterVec::new(Opts::new(name, help), &["rule"])?;
            registry.register(Box::new(counter.clone())).map(|()| counter)
        };
        let rule_failures = IntCounterVec::new(
            Opts::new(
                "sluice_rules_failures_total",
                "Events on which a rule failed, by rule and whose fault",
            ),
            &["rule", "cause"],
        )?;
        registry.register(Box::new(rule_failures.clone()))?;
        Ok(Self {
            rule_failures,
            rules_without_rate: gauge(
                "sluice_rules_currencies_without_rate",
                "Currencies for which the rules in force had no rate on the day they came into force here",
            )?,
            rule_shadow: by_rule(
                "sluice_rules_shadow_total",
                "What rules in shadow would have said, by rule",
            )?,
            ingest_refusals: refusals,
            ingest_events: counter("sluice_ingest_events_total", "Events made durable")?,
            webhooks,
            ingest_busy: counter("sluice_ingest_busy_total", "Requests told to come back: a queue was full")?,
            engine_events: counter("sluice_engine_events_total", "Events judged")?,
            engine_duplicates: counter("sluice_engine_duplicates_total", "Events that had come before")?,
            engine_dead_letters: counter(
                "sluice_engine_dead_letters_total",
                "Events the engine would not judge",
            )?,
            engine_illegal_statuses: counter(
                "sluice_engine_illegal_statuses_total",
                "Events judged at a status that their payment may not have after the one before",
            )?,
            engine_alerts: counter("sluice_engine_alerts_total", "Alerts committed")?,
            engine_lag: gauge("sluice_engine_lag_records", "Durable records that are not yet judged")?,
            stream_time: gauge(
                "sluice_engine_stream_timestamp_seconds",
                "The latest event time that the engine has applied, in seconds since 1970",
            )?,
            deadline_records: gauge(
                "sluice_decision_records_waiting",
                "Answers by policy that are not on the log yet",
            )?,
            rescreened_parties: counter(
                "sluice_rescreen_parties_total",
                "Known parties compared with what a new list version changed",
            )?,
            rescreen_left_out: gauge(
                "sluice_rescreen_left_out_sightings",
                "Sightings of parties that the last rescreening did not know, for want of room",
            )?,
            engine_commit: latency("sluice_engine_commit_seconds", "Time to commit a batch's output")?,
            engine_commit_failures: counter(
                "sluice_engine_commit_failures_total",
                "Commits that the log refused",
            )?,
            snapshot_bytes: gauge("sluice_engine_snapshot_bytes", "Size of the last snapshot")?,
            snapshot_failures: counter(
                "sluice_engine_snapshot_failures_total",
                "Snapshots that were not kept",
            )?,
            decision_latency: latency("sluice_decision_latency_seconds", "Time from request to answer")?,
            decision_deadlines: counter(
                "sluice_decision_deadlines_total",
                "Answers given because time was up",
            )?,
            config_failures: counter("sluice_config_failures_total", "Rules or lists that were not loaded")?,
        })
    }

    /// A body was made durable.
    pub(crate) fn taken_in(&self, events: usize, refused_codes: impl IntoIterator<Item = &'static str>) {
        self.ingest_events.inc_by(events as u64);
        for code in refused_codes {
            self.ingest_refusals.with_label_values(&[code]).inc();
        }
    }

    /// A webhook of a sender was `accepted`, `passed_over`, `refused` or `unverified`.
    pub(crate) fn webhook(&self, sender: &str, outcome: &'static str) {
        self.webhooks.with_label_values(&[sender, outcome]).inc();
    }

    /// A request was told to come back.
    pub(crate) fn busy(&self) {
        self.ingest_busy.inc();
    }

    /// A batch was committed.
    pub(crate) fn committed(&self, output: &Output, took: Duration, lag_records: u64) {
        let Counts { events, dead_letters, illegal_statuses } = output.counts;
        self.engine_events.inc_by(events);
        self.engine_duplicates.inc_by(output.duplicates.len() as u64);
        self.engine_dead_letters.inc_by(dead_letters);
        self.engine_illegal_statuses.inc_by(illegal_statuses);
        self.engine_alerts.inc_by(output.alerts.len() as u64);
        for observed in &output.observations {
            match observed {
                Observation::Shadow(alert) => self.rule_shadow.with_label_values(&[&alert.rule_id]).inc(),
                Observation::Failure(failure) => {
                    let labels = [failure.rule_id.as_str(), failure.cause.name()];
                    self.rule_failures.with_label_values(&labels).inc();
                }
            }
        }
        self.engine_commit.observe(took.as_secs_f64());
        self.lag(lag_records);
    }

    /// So many durable records are not yet judged.
    pub(crate) fn lag(&self, records: u64) {
        self.engine_lag.set(i64::try_from(records).unwrap_or(i64::MAX));
    }

    /// Rules are in force that have no rate for so many currencies.
    pub(crate) fn without_rate(&self, currencies: usize) {
        self.rules_without_rate.set(i64::try_from(currencies).unwrap_or(i64::MAX));
    }

    /// The engine's time.
    pub(crate) fn stream_time(&self, at: EventTime) {
        self.stream_time.set(at.micros().div_euclid(1_000_000));
    }

    /// So many answers by policy wait for the log.
    pub(crate) fn deadline_records(&self, waiting: usize) {
        self.deadline_records.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    }

    /// Known parties were compared with a new list version.
    pub(crate) fn rescreened(&self, checked: usize, left_out: u64) {
        self.rescreened_parties.inc_by(checked as u64);
        self.rescreen_left_out.set(i64::try_from(left_out).unwrap_or(i64::MAX));
    }

    /// The log refused a batch.
    pub(crate) fn commit_failed(&self) {
        self.engine_commit_failures.inc();
    }

    /// A snapshot was kept, of this size, or was not.
    pub(crate) fn snapshot(&self, kept: Option<usize>) {
        match kept {
            Some(bytes) => self.snapshot_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX)),
            None => self.snapshot_failures.inc(),
        }
    }

    /// A decision was answered.
    pub(crate) fn decided(&self, took: Duration, deadline_passed: bool) {
        self.decision_latency.observe(took.as_secs_f64());
        if deadline_passed {
            self.decision_deadlines.inc();
        }
    }

    /// Rules or lists were not loaded.
    pub(crate) fn config_failed(&self) {
        self.config_failures.inc();
    }
}
