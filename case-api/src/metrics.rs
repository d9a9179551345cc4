//! What the case side counts. Names are `sluice_<area>_<what>_<unit>[_total]`; labels never hold personal data.

use prometheus::{IntCounterVec, IntGauge, Opts};
use sluice_http::metrics::Registry;

/// The counters, registered once.
pub(crate) struct Metrics {
    /// Where they are registered, with the runtime's beside them.
    pub registry: Registry,
    /// Records taken in, by feed.
    pub consumed: IntCounterVec,
    /// Alerts, cases, holds and decisions recorded, by `what`.
    pub recorded: IntCounterVec,
    /// Acts on cases, by act and outcome.
    pub acts: IntCounterVec,
    /// Acts on versions of the rules, by act and outcome.
    pub rule_acts: IntCounterVec,
    /// Sign-ins, by outcome.
    pub sign_ins: IntCounterVec,
    /// Control records not yet on the log.
    pub outbox_waiting: IntGauge,
    /// Leaves in the evidence log.
    pub evidence_leaves: IntGauge,
    /// Cases that are not closed.
    pub cases_open: IntGauge,
    /// Payments that wait for a release.
    pub payments_held: IntGauge,
}

impl Metrics {
    /// Registered with `registry`.
    pub(crate) fn new(registry: Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        Ok(Self {
            consumed: counter("sluice_cases_consumed_records_total", "Records taken in, by feed", &["feed"])?,
            recorded: counter("sluice_cases_recorded_total", "What was recorded, by kind", &["what"])?,
            acts: counter(
                "sluice_cases_acts_total",
                "Acts on cases, by act and outcome",
                &["act", "outcome"],
            )?,
            rule_acts: counter(
                "sluice_rules_acts_total",
                "Acts on versions of the rules, by act and outcome",
                &["act", "outcome"],
            )?,
            sign_ins: counter("sluice_auth_sign_ins_total", "Sign-ins, by outcome", &["outcome"])?,
            outbox_waiting: gauge("sluice_cases_outbox_waiting", "Control records not yet on the log")?,
            evidence_leaves: gauge("sluice_evidence_leaves", "Leaves in the evidence log")?,
            cases_open: gauge("sluice_cases_open", "Cases that are not closed")?,
            payments_held: gauge("sluice_cases_payments_held", "Payments that wait for a release")?,
            registry,
        })
    }
}
