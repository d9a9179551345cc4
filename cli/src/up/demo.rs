//! The demonstration: invented people, an invented list, and traffic that goes on as one watches.

use std::{path::Path, sync::Arc, time::Duration};

use sluice_case_api::domain::{Role, Roles};
use sluice_list_store::{Arrival, FileRecord, Store};
use sluice_lists::import::{Format, Request, SourceFile, import};
use sluice_log::LogError;
use sluice_model::{EventTime, Hash256, Span};
use sluice_runtime::{Clock, Runtime, RuntimeError, SystemClock};
use sluice_simulator::traffic::{Config, Delivery, Listed, Traffic, demo_list_csv};

use crate::failure::Failure;

/// The list's source.
const SOURCE: &str = "demo-list";
/// Its file's name.
const FILE: &str = "demo-list.csv";
/// Traffic begins this long ago, so that windows hold something from the first minute.
const HISTORY: Span = Span::hours(8);
/// Ordinary events a day: about four a second at the busy hours.
const EVENTS_PER_DAY: u64 = 200_000;
/// Customers of the invented institution.
const CUSTOMERS: usize = 20_000;
/// Patterns of laundering for 10,000 ordinary events.
const PATTERNS: u64 = 25;
/// How long a pattern takes at most: short enough to be watched.
const PATTERN_SPAN: Span = Span::minutes(40);
/// Events that are taken in together while the past is caught up with.
const BATCH: usize = 1_000;
/// How often new events are due.
const TICK: Duration = Duration::from_millis(250);
/// How long to wait when the log takes no more for the moment.
const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// Who works in the demonstration, beside the operator.
pub(super) fn people() -> [(&'static str, Roles); 3] {
    [
        ("ada", Roles::new([Role::Analyst])),
        ("ivan", Roles::new([Role::Investigator])),
        ("mei", Roles::new([Role::Mlro])),
    ]
}

/// A folder of lists with the invented one active.
pub(super) fn lists(folder: &Path) -> Result<Store, Failure> {
    let store = Store::create(folder)?;
    let text = demo_list_csv();
    let files = [SourceFile { name: FILE, bytes: text.as_bytes() }];
    let import =
        import(&Request { format: Format::Csv, source: Some(SOURCE), encoding: None, files: &files })?;
    if store.active()?.get(SOURCE) == Some(&import.version.hash()) {
        store.record_check(SOURCE, SystemClock.now())?;
        return Ok(store);
    }
    let names = import.version.entries().iter().map(|entry| entry.names.len()).sum();
    let arrival = Arrival {
        at: SystemClock.now(),
        version: import.version.hash(),
        format: Format::Csv,
        files: vec![FileRecord {
            name: FILE.to_owned(),
            bytes: text.len() as u64,
            sha256: Hash256::of(text.as_bytes()),
        }],
        published: None,
        entries: import.version.entries().len(),
        names,
        skipped: import.skipped.len(),
        accepted: Vec::new(),
    };
    store.activate(&import, &arrival)?;
    Ok(store)
}

/// Events as they happen, after those of the last hours at once; until `stop` is ready.
pub(super) async fn traffic(runtime: Arc<Runtime>, stop: impl Future<Output = ()>) {
    tokio::select! {
        () = stop => {}
        result = send(&runtime) => {
            if let Err(error) = result {
                tracing::error!(%error, "the demonstration's traffic has stopped");
            }
        }
    }
}

async fn send(runtime: &Runtime) -> Result<(), RuntimeError> {
    let began = SystemClock.now();
    let mut traffic = Traffic::new(config(began)).map(|labelled| labelled.event).peekable();
    let mut tick = tokio::time::interval(TICK);
    loop {
        let now = SystemClock.now();
        let mut due = Vec::new();
        while due.len() < BATCH
            && let Some(event) = traffic.next_if(|event| event.occurred_at <= now)
        {
            due.push(event);
        }
        let is_live = due.len() < BATCH;
        while !due.is_empty()
            && let Err(error) = runtime.take_in(due.clone()).await
        {
            match error {
                RuntimeError::Log(LogError::Busy | LogError::Full { .. })
                | RuntimeError::Behind { .. }
                | RuntimeError::Clock(_) => tokio::time::sleep(BUSY_PAUSE).await,
                other => return Err(other),
            }
        }
        if is_live {
            tick.tick().await;
        }
    }
}

fn config(began: EventTime) -> Config {
    Config {
        // Other people at each start, so that no two streams share an id or a name.
        seed: began.micros().unsigned_abs(),
        start: began.minus(HISTORY),
        customers: CUSTOMERS,
        events_per_day: EVENTS_PER_DAY,
        patterns: PATTERNS,
        pattern_span: PATTERN_SPAN,
        listed: Listed::demo(),
        ids: format!("D{:X}", began.micros().div_euclid(1_000_000)),
        delivery: Delivery::default(),
    }
}
