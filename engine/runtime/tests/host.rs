//! What is measured of the stages that a process hosts.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::{sync::Arc, time::Duration};

use prometheus::TextEncoder;
use serde_json::{Value, json};
use sluice_core::Layout;
use sluice_driver::records;
use sluice_http::metrics::Registry;
use sluice_log::{EmbeddedLog, FileSnapshots, Log, Topic};
use sluice_model::{EventRecord, EventTime, PaymentRecord};
use sluice_runtime::{CachingLibrary, Host, HostMetrics, HostParts, Sources};

/// More looks than a busy machine needs: one that never comes true fails, and does not hang.
const LOOKS_MAX: usize = 1_000;

struct Hosting {
    _folder: tempfile::TempDir,
    log: Arc<EmbeddedLog>,
    host: Arc<Host>,
    registry: Registry,
}

impl Hosting {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::new(EmbeddedLog::open(&folder.path().join("log")).unwrap());
        let host = Arc::new(Host::new(HostParts {
            log: Arc::clone(&log) as _,
            snapshots: Arc::new(FileSnapshots::new(folder.path().join("snapshots"))),
            library: Arc::new(CachingLibrary::without_lists()),
            layout: Layout::SINGLE,
            snapshot_every_records: 2,
        }));
        let registry = Registry::new();
        HostMetrics::register(&registry, Arc::clone(&host), Arc::new(Sources::default())).unwrap();
        Self { _folder: folder, log, host, registry }
    }

    fn send(&self, events: &[Value]) {
        let record = |event: &Value| {
            let event = Arc::new(serde_json::from_value(event.clone()).unwrap());
            let received_at = "2026-11-20T10:00:00Z".parse::<EventTime>().unwrap();
            records::payment(&PaymentRecord::Event(EventRecord {
                received_at,
                awaited: false,
                late_reason: None,
                event,
            }))
            .unwrap()
        };
        self.log.append(Topic::Payments.partition(0), events.iter().map(record).collect()).unwrap();
    }

    fn told(&self) -> String {
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap()
    }

    /// Look until a line is told that begins so. Nothing is ever written where it waits meanwhile.
    fn wait_for(&self, line: &str) -> String {
        for _ in 0..LOOKS_MAX {
            let told = self.told();
            if told.lines().any(|told| told.starts_with(line)) {
                return told;
            }
            self.log.wait(Topic::Requests.partition(0), 0, Duration::from_millis(20)).unwrap();
        }
        panic!("{line} is not told:\n{}", self.told());
    }
}

fn payment(id: &str, occurred_at: &str) -> Value {
    json!({"event_id": id, "payment_id": id, "occurred_at": occurred_at})
}

#[test]
fn stages_tell_what_they_have_done_and_what_is_before_them() {
    let hosting = Hosting::new();
    assert_eq!(hosting.told(), "", "nothing is hosted");
    hosting.send(&[
        payment("E-1", "2026-11-20T09:00:00Z"),
        payment("E-2", "2026-11-20T09:00:01Z"),
        payment("E-3", "2026-11-20T11:00:00Z"),
    ]);
    hosting.host.start(Topic::Payments.partition(0)).unwrap();
    hosting.wait_for(r#"sluice_engine_records_total{partition="0",stage="home"} 3"#);
    hosting.wait_for(r#"sluice_engine_lag_records{partition="0",stage="home"} 0"#);
    hosting.wait_for(r#"sluice_engine_snapshot_timestamp_seconds{partition="0",stage="home"} 1"#);
    let told = hosting.wait_for(r#"sluice_engine_live{partition="0",stage="shard"} 1"#);
    for line in [
        r#"sluice_engine_events_total{partition="0"} 2"#,
        // An hour after it came: in the future.
        r#"sluice_engine_dead_letters_total{partition="0"} 1"#,
        r#"sluice_engine_trouble{partition="0",stage="home"} 0"#,
        r#"sluice_engine_trouble{partition="0",stage="gather"} 0"#,
        r#"sluice_engine_snapshot_failures_total{partition="0",stage="home"} 0"#,
    ] {
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
    hosting.host.stop(Topic::Payments.partition(0));
    assert_eq!(hosting.told(), "", "a partition that has moved away leaves nothing behind");
}
