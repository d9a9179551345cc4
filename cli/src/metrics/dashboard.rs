//! A Grafana dashboard with a panel for each metric of the catalogue.

use serde_json::{Value, json};
use sluice_http::metrics::Described;

use super::catalogue::Catalogue;

/// What is looked at first; each is in its area, too.
const FIRST: &[&str] = &[
    "sluice_engine_lag_records",
    "sluice_engine_events_total",
    "sluice_engine_alerts_total",
    "sluice_decision_latency_seconds",
    "sluice_engine_trouble",
    "sluice_engine_dead_letters_total",
    "sluice_cases_open",
    "sluice_cases_payments_held",
    "sluice_http_request_seconds",
];
/// Grafana's grid has 24 columns: three panels a line.
const WIDTH: usize = 8;
const HEIGHT: usize = 7;
const COLUMNS: usize = 24 / WIDTH;

pub(super) fn dashboard(catalogue: &Catalogue) -> String {
    let mut sheet = Sheet::default();
    let metric = |name: &str| (name.to_owned(), catalogue[name][0].0.clone());
    sheet.row("At a glance", FIRST.iter().map(|name| metric(name)), false);
    let mut areas: Vec<&str> = catalogue.keys().map(|name| area(name)).collect();
    areas.dedup();
    for of in areas {
        let metrics = catalogue.keys().filter(|name| area(name) == of).map(|name| metric(name));
        sheet.row(of, metrics, true);
    }
    let dashboard = json!({
        "title": "Sluice",
        "uid": "sluice",
        "tags": ["sluice"],
        "description": "Made from what the code registers (docs/metrics.md).",
        "schemaVersion": 39,
        "editable": true,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {"list": [
            {"name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source"},
            {
                "name": "job", "type": "query", "label": "Job", "multi": true, "includeAll": true, "refresh": 2,
                "datasource": {"type": "prometheus", "uid": "${datasource}"},
                "query": "label_values(sluice_build_info, job)",
            },
        ]},
        "panels": sheet.panels,
    });
    format!("{dashboard:#}\n")
}

/// The second word of a name.
fn area(name: &str) -> &str {
    let rest = name.strip_prefix("sluice_");
    rest.map_or("process", |rest| rest.split('_').next().unwrap_or(rest))
}

#[derive(Default)]
struct Sheet {
    panels: Vec<Value>,
    line: usize,
    panel: usize,
}

impl Sheet {
    /// A row of panels; what a closed one holds is within it.
    fn row(&mut self, title: &str, metrics: impl Iterator<Item = (String, Described)>, closed: bool) {
        let at = json!({"h": 1, "w": 24, "x": 0, "y": self.line});
        let id = self.next();
        self.line += 1;
        let metrics: Vec<_> = metrics.collect();
        let lines = metrics.len().div_ceil(COLUMNS);
        let panels: Vec<_> = metrics
            .iter()
            .enumerate()
            .map(|(place, (name, described))| {
                let (x, y) = (place % COLUMNS * WIDTH, self.line + place / COLUMNS * HEIGHT);
                panel(self.next(), name, described, &json!({"h": HEIGHT, "w": WIDTH, "x": x, "y": y}))
            })
            .collect();
        let (within, beside) = if closed { (panels, Vec::new()) } else { (Vec::new(), panels) };
        self.panels.push(json!({
            "id": id, "type": "row", "title": title, "gridPos": at, "collapsed": closed, "panels": within,
        }));
        self.panels.extend(beside);
        self.line += if closed { 0 } else { lines * HEIGHT };
    }

    fn next(&mut self) -> usize {
        self.panel += 1;
        self.panel
    }
}

fn panel(id: usize, name: &str, described: &Described, at: &Value) -> Value {
    let targets: Vec<_> = queries(name, described)
        .into_iter()
        .enumerate()
        .map(|(place, (expr, legend))| {
            json!({"refId": format!("{}", char::from(b'A' + u8::try_from(place).unwrap_or(0))), "expr": expr, "legendFormat": legend})
        })
        .collect();
    json!({
        "id": id,
        "type": "timeseries",
        "title": name,
        "description": described.help,
        "gridPos": at,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "fieldConfig": {"defaults": {"unit": unit(name, described), "min": 0}, "overrides": []},
        "targets": targets,
    })
}

/// What is asked of a metric, and how each line is called.
fn queries(name: &str, described: &Described) -> Vec<(String, String)> {
    let labels: Vec<&str> = described.labels.iter().map(String::as_str).collect();
    let legend =
        |labels: &[&str]| labels.iter().map(|label| format!("{{{{{label}}}}}")).collect::<Vec<_>>().join(" ");
    let series = format!("{name}{{job=~\"$job\"}}");
    match described.kind {
        "counter" => {
            let by = if labels.is_empty() { vec!["instance"] } else { labels };
            let rate = format!("sum by ({}) (rate({series}[$__rate_interval]))", by.join(", "));
            vec![(rate, legend(&by))]
        }
        "histogram" => {
            let by = [&["le"][..], &labels].concat();
            let buckets = format!("rate({name}_bucket{{job=~\"$job\"}}[$__rate_interval])");
            let quantile =
                |q: &str| format!("histogram_quantile({q}, sum by ({}) ({buckets}))", by.join(", "));
            let called = |q: &str| format!("{q} {}", legend(&labels)).trim_end().to_owned();
            vec![(quantile("0.5"), called("p50")), (quantile("0.99"), called("p99"))]
        }
        _ => {
            let by = [&["instance"][..], &labels].concat();
            let value =
                if name.ends_with("_timestamp_seconds") { format!("time() - {series}") } else { series };
            vec![(format!("max by ({}) ({value})", by.join(", ")), legend(&by))]
        }
    }
}

/// Grafana's name for it.
fn unit(name: &str, described: &Described) -> &'static str {
    match described.kind {
        "counter" if name.ends_with("_seconds_total") => "percentunit",
        "counter" => "ops",
        _ if name.ends_with("_seconds") => "s",
        _ if name.ends_with("_bytes") => "bytes",
        _ => "short",
    }
}
