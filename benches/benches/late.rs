//! What a late event costs on a hot key, for which rules are asked again at later times: all shipped rules, one customer who
//! pays without end. Not a criterion suite: each event changes the state that the next one finds.
//!
//! `cargo bench -p sluice-benches --bench late`; `SLUICE_LATE_SAMPLES` says how many payments the customer has made.

use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use sluice_core::{Engine, EngineConfig, NoLists, Offset, Output, Stage};
use sluice_model::{Control, EventRecord, EventTime, PaymentEvent, PaymentRecord, Screening, Span};
use sluice_runtime::read_rules;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Payments of the one customer before the clock starts, over thirty days.
const SAMPLES: u64 = 1_000_000;
const SPAN: Span = Span::days(30);
const START: EventTime = EventTime::from_micros(1_767_225_600_000_000);
/// To whom they go in turn.
const CREDITORS: u64 = 1_000;
/// Events measured of each kind.
const MEASURED: usize = 200;
/// As `sluice replay` batches.
const BATCH: usize = 4_096;

/// A customer's payments, each to the next creditor.
struct Payments {
    to: Vec<PaymentEvent>,
    made: u64,
}

impl Payments {
    fn new() -> Result<Self, serde_json::Error> {
        let to = |n: u64| {
            serde_json::from_value(json!({
                "event_id": "E", "occurred_at": "2026-01-01T00:00:00Z", "method": "fps", "status": "authorized",
                "amount": {"value": format!("{}.{:02}", 100 + n * 37 % 9_000, n % 100), "currency": "HKD"},
                "debtor": {"customer_id": "C-1", "name": "Busy Trading Limited", "account": "A-1"},
                "creditor": {"name": format!("Creditor {n}"), "account": format!("B-{n}")},
            }))
        };
        Ok(Self { to: (0..CREDITORS).map(to).collect::<Result<_, _>>()?, made: 0 })
    }

    fn next(&mut self, at: EventTime) -> (Offset, PaymentRecord) {
        let mut event = self.to[(self.made % CREDITORS) as usize].clone();
        event.event_id = self.made.to_string();
        event.occurred_at = at;
        self.made += 1;
        let record = EventRecord {
            received_at: at.plus(SPAN),
            awaited: false,
            late_reason: None,
            event: Arc::new(event),
        };
        (self.made, PaymentRecord::Event(record))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let samples = std::env::var("SLUICE_LATE_SAMPLES").ok().and_then(|n| n.parse().ok()).unwrap_or(SAMPLES);
    let rules = read_rules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs"))?;
    let mut engine = Engine::new(EngineConfig::default(), Arc::new(NoLists));
    let activate = Control::Activate { rules: rules.hash() };
    for control in [Control::Screening(Screening::default()), Control::Prepare(rules), activate] {
        engine.apply(0, &PaymentRecord::Control(control), &mut Output::default());
    }
    let mut payments = Payments::new()?;
    let step = Span::from_micros(SPAN.micros() / samples.max(1).cast_signed());
    let mut now = START;
    let began = Instant::now();
    while payments.made < samples {
        let mut batch = Vec::with_capacity(BATCH);
        while batch.len() < BATCH && payments.made < samples {
            now = now.plus(step);
            batch.push(payments.next(now));
        }
        engine.apply_all(&batch, &mut Output::default());
    }
    println!("{samples} payments of one customer in {:.1?}", began.elapsed());
    let lags = [
        ("on time", Span::seconds(0)),
        ("a minute late", Span::minutes(1)),
        ("an hour late", Span::hours(1)),
        ("a day late", Span::days(1)),
        ("70 hours late", Span::hours(70)),
    ];
    for (name, lag) in lags {
        let mut took: Vec<Duration> = (0..MEASURED)
            .map(|_| {
                now = now.plus(step);
                let (offset, record) = payments.next(now.minus(lag));
                let began = Instant::now();
                engine.apply(offset, &record, &mut Output::default());
                began.elapsed()
            })
            .collect();
        took.sort_unstable();
        let mean = took.iter().sum::<Duration>() / took.len() as u32;
        println!(
            "{name}: mean {mean:.1?}, median {:.1?}, worst {:.1?}",
            took[took.len() / 2],
            took[took.len() - 1]
        );
    }
    Ok(())
}
