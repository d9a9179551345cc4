//! `docs/metrics.md`, the dashboard and the alert rules say what the processes register, and nothing else.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::Router;
use clap::Parser as _;
use sluice_core::Layout;
use sluice_http::metrics::{Described, Registry, timed};
use sluice_log::{EmbeddedLog, FileSnapshots};
use sluice_runtime::{CachingLibrary, Host, HostMetrics, HostParts, Sources};

use super::{dashboard::dashboard, registry};
use crate::{Cli, Command, up::Running};

/// Takes the files anew instead of comparing them.
const UPDATE: &str = "SLUICE_UPDATE_GOLDEN";
const PAGE: &str = "docs/metrics.md";
const DASHBOARD: &str = "k8s/components/monitoring/dashboard.json";
const ALERTS: &str = "k8s/components/monitoring/alerts.yaml";
const RUNBOOK: &str = "docs/kubernetes.md";

/// What is registered, by the processes that do.
pub(super) type Catalogue = BTreeMap<String, Vec<(Described, BTreeSet<&'static str>)>>;

#[test]
fn the_page_and_the_dashboard_are_those_of_the_code() {
    let catalogue = catalogue();
    golden(PAGE, &page(&catalogue));
    golden(DASHBOARD, &dashboard(&catalogue));
}

#[test]
fn names_are_as_prometheus_wants_them() {
    let mut found = Vec::new();
    for (name, described) in catalogue() {
        let (described, _) = &described[0];
        let is_ours = ["sluice_", "process_"].iter().any(|start| name.starts_with(start));
        let is_counter = described.kind == "counter";
        let is_odd = is_counter != name.ends_with("_total")
            || described.kind == "histogram"
                && !["_seconds", "_bytes"].iter().any(|unit| name.ends_with(unit))
            || ["_ms", "_millis", "_micros", "_minutes", "_kb", "_percent"]
                .iter()
                .any(|unit| name.contains(unit));
        if !is_ours || is_odd || described.kind == "untyped" || described.help.is_empty() {
            found.push(format!("{name}: {described:?}"));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn alerts_ask_for_metrics_that_there_are_and_have_a_line_in_the_runbook() {
    let known = catalogue();
    let is_known = |name: &str| {
        let parts = ["_bucket", "_count", "_sum"];
        known.contains_key(name)
            || parts.iter().any(|part| name.strip_suffix(part).is_some_and(|n| known.contains_key(n)))
    };
    let alerts = fs::read_to_string(at(ALERTS)).unwrap();
    let unknown: BTreeSet<_> = names(&alerts).filter(|name| !is_known(name)).collect();
    assert!(unknown.is_empty(), "{ALERTS} asks for {unknown:?}");

    let runbook = fs::read_to_string(at(RUNBOOK)).unwrap();
    let rules = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let rules: Vec<_> = rules.collect();
    assert!(rules.len() > 10, "{rules:?}");
    let silent: Vec<_> =
        rules.into_iter().filter(|rule| !runbook.contains(&format!("| `{rule}` |"))).collect();
    assert!(silent.is_empty(), "{RUNBOOK} has no line for {silent:?}");
}

/// What looks like one of our metrics.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("sluice_") || word.starts_with("process_"))
}

/// What the processes register, as they do when they run.
fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::new();
    // What serves is the same over an engine of its own and over those of others.
    let serving = of_up();
    for (process, registry) in
        [("sluice up", serving.clone()), ("sluice api", serving), ("sluice engine", of_engine())]
    {
        for (name, described) in registry.catalogue() {
            let known = catalogue.entry(name).or_default();
            match known.iter_mut().find(|(other, _)| *other == described) {
                Some((_, processes)) => drop(processes.insert(process)),
                None => known.push((described, [process].into())),
            }
        }
    }
    catalogue
}

fn of_up() -> Registry {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let line = ["sluice", "up", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()];
    let Command::Up(args) = Cli::parse_from(line).command else { panic!("up") };
    let registry = registry().unwrap();
    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    tokio.block_on(async {
        let running = Running::start(&args.service(), registry.clone()).await.unwrap();
        running.stop().await.unwrap();
    });
    registry
}

fn of_engine() -> Registry {
    let folder = tempfile::tempdir().unwrap();
    let host = Host::new(HostParts {
        log: Arc::new(EmbeddedLog::open(&folder.path().join("log")).unwrap()),
        snapshots: Arc::new(FileSnapshots::new(folder.path())),
        library: Arc::new(CachingLibrary::without_lists()),
        layout: Layout::SINGLE,
        snapshot_every_records: 1,
    });
    let registry = registry().unwrap();
    HostMetrics::register(&registry, Arc::new(host), Arc::new(Sources::default())).unwrap();
    let _ = timed(Router::new(), &registry).unwrap();
    registry
}

fn page(catalogue: &Catalogue) -> String {
    let mut by_processes: BTreeMap<Vec<&str>, Vec<String>> = BTreeMap::new();
    for (name, described) in catalogue {
        for (Described { kind, labels, help }, processes) in described {
            let labels: Vec<_> = labels.iter().map(|label| format!("`{label}`")).collect();
            let row =
                format!("| `{name}` | {kind} | {} | {} |", labels.join(", "), help.trim_end_matches('.'));
            by_processes.entry(processes.iter().copied().collect()).or_default().push(row);
        }
    }
    let mut sections: Vec<_> = by_processes.into_iter().collect();
    // What all have in common first.
    sections.sort_by_key(|(processes, _)| (usize::MAX - processes.len(), processes.clone()));
    let mut page = String::from(INTRODUCTION);
    for (processes, rows) in sections {
        let title: Vec<_> = processes.iter().map(|process| format!("`{process}`")).collect();
        page += &format!(
            "\n## {}\n\n| Metric | Type | Labels | Says |\n|---|---|---|---|\n",
            title.join(" and ")
        );
        page += &rows.join("\n");
        page += "\n";
    }
    page
}

const INTRODUCTION: &str = "\
# Metrics

Every process tells them at `/metrics`, in Prometheus's text format. This page is made from what the code registers; a test
compares it, and takes it anew with `SLUICE_UPDATE_GOLDEN=1 cargo test -p sluice --features full --bin sluice catalogue`. The
[dashboard](../k8s/components/monitoring/dashboard.json) is made from the same, and the
[alert rules](../k8s/components/monitoring/alerts.yaml) ask for nothing else ([what to do about each](kubernetes.md#alerts)).

A metric with labels has no series before it is counted. A label holds a name that you or we have given (a rule, a feed, a
route), never what a payment or a request says.
";

fn golden(file: &str, now: &str) {
    let path = at(file);
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(&path, now).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == now,
        "{file} is not what the code registers: {UPDATE}=1 cargo test -p sluice --features full --bin sluice catalogue takes \
         it anew; read the difference before you commit it"
    );
}

fn at(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}
