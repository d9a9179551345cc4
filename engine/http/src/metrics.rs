//! Metrics: where they are registered, what was registered, and how they are told. Which there are is said where they are
//! counted.
//!
//! Names are Prometheus's: `sluice_<area>_<what>_<unit>[_total]`. A label never holds what a request says: a path is the
//! route that it matched.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::header,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use prometheus::{
    Error, HistogramOpts, HistogramVec, TextEncoder, core::Collector, proto::MetricFamily, proto::MetricType,
};

/// From a page out of memory to a body that takes its turn. Few, since each is a series for every route and class.
const ANSWER_SECONDS: [f64; 8] = [0.005, 0.02, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];
/// The route of a request that matched none.
const NO_ROUTE: &str = "none";

/// What a metric is, whether it has been counted yet or not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Described {
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The names of its labels.
    pub labels: Vec<String>,
    /// What it says.
    pub help: String,
}

/// Prometheus's registry, which also knows what was registered: a metric with labels has no series before it is counted.
#[derive(Clone, Default)]
pub struct Registry {
    registry: prometheus::Registry,
    described: Arc<Mutex<BTreeMap<String, Described>>>,
}

impl Registry {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gather what a collector tells from now on.
    ///
    /// # Errors
    /// When a name is taken.
    pub fn register(&self, collector: Box<dyn Collector>) -> Result<(), Error> {
        let described = describe(&*collector);
        self.registry.register(collector)?;
        self.described().extend(described);
        Ok(())
    }

    /// Every metric that was registered, by name.
    pub fn catalogue(&self) -> BTreeMap<String, Described> {
        self.described().clone()
    }

    /// What all of them say now.
    pub fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    /// What all of them say now, as an answer in Prometheus's text format.
    ///
    /// # Errors
    /// When a collector contradicts itself.
    pub fn answer(&self) -> Result<Response, Error> {
        let text = TextEncoder::new().encode_to_string(&self.gather())?;
        Ok(([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response())
    }

    fn described(&self) -> MutexGuard<'_, BTreeMap<String, Described>> {
        self.described.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn describe(collector: &dyn Collector) -> Vec<(String, Described)> {
    let families = collector.collect();
    let kind = |name: &str| {
        let family = families.iter().find(|family| family.name() == name);
        match family.map(MetricFamily::get_field_type) {
            Some(MetricType::COUNTER) => "counter",
            Some(MetricType::HISTOGRAM) => "histogram",
            Some(MetricType::SUMMARY) => "summary",
            Some(MetricType::GAUGE) => "gauge",
            _ => "untyped",
        }
    };
    let described = collector.desc().into_iter().map(|desc| {
        let constant = desc.const_label_pairs.iter().map(|pair| pair.name().to_owned());
        let labels = constant.chain(desc.variable_labels.iter().cloned()).collect();
        let described = Described { kind: kind(&desc.fq_name), labels, help: desc.help.clone() };
        (desc.fq_name.clone(), described)
    });
    described.collect()
}

/// A router whose answers are counted and timed, by route and class of status: until the answer begins.
///
/// # Errors
/// When they are counted there already.
pub fn timed(router: Router, registry: &Registry) -> Result<Router, Error> {
    let options = HistogramOpts::new(
        "sluice_http_request_seconds",
        "Time until the answer to an HTTP request began, by route and class of status",
    );
    let seconds = HistogramVec::new(options.buckets(ANSWER_SECONDS.to_vec()), &["route", "class"])?;
    registry.register(Box::new(seconds.clone()))?;
    Ok(router.layer(from_fn_with_state(seconds, time)))
}

async fn time(State(seconds): State<HistogramVec>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let response = next.run(request).await;
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let class = match response.status().as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    };
    seconds.with_label_values(&[route, class]).observe(began.elapsed().as_secs_f64());
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use axum::{body::Body, http::StatusCode, routing::get};
    use prometheus::{IntCounterVec, IntGauge, Opts};
    use tower::ServiceExt;

    use super::*;

    #[test]
    fn the_catalogue_knows_what_was_never_counted() {
        let registry = Registry::new();
        let by_rule = IntCounterVec::new(Opts::new("rules_total", "Rules"), &["rule"]).unwrap();
        registry.register(Box::new(by_rule)).unwrap();
        registry.register(Box::new(IntGauge::new("lag_records", "Lag").unwrap())).unwrap();
        assert_eq!(registry.gather().len(), 1);
        let counter = Described { kind: "counter", labels: vec!["rule".into()], help: "Rules".into() };
        let gauge = Described { kind: "gauge", labels: Vec::new(), help: "Lag".into() };
        let expected = [("lag_records".to_owned(), gauge), ("rules_total".to_owned(), counter)];
        assert_eq!(registry.catalogue(), expected.into());
        let taken = IntGauge::new("lag_records", "Another").unwrap();
        assert!(registry.register(Box::new(taken)).is_err());
        assert_eq!(registry.catalogue()["lag_records"].help, "Lag");
    }

    #[tokio::test]
    async fn answers_are_counted_by_route_and_never_by_path() {
        let registry = Registry::new();
        let router = Router::new()
            .route("/v1/cases/{id}", get(async || "a case"))
            .route("/broken", get(async || StatusCode::BAD_GATEWAY));
        let router = timed(router, &registry).unwrap();
        for path in ["/v1/cases/Chan-Tai-Man", "/v1/cases/2", "/broken", "/Chan-Tai-Man"] {
            let request = Request::get(path).body(Body::empty()).unwrap();
            let _ = router.clone().oneshot(request).await.unwrap();
        }
        let counted = |route: &str, class: &str, count: u64| {
            format!("sluice_http_request_seconds_count{{class=\"{class}\",route=\"{route}\"}} {count}\n")
        };
        let told = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
        for line in
            [counted("/v1/cases/{id}", "2xx", 2), counted("/broken", "5xx", 1), counted("none", "4xx", 1)]
        {
            assert!(told.contains(&line), "{line}{told}");
        }
        assert!(!told.contains("Chan"), "{told}");
    }
}
