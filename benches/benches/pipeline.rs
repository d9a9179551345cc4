//! The whole pipeline: decoded events through home, screening, windows, rules and gathering, with the shipped
//! rules and the invented demo list. Batches as `sluice replay` makes them, and single events as a synchronous
//! decision sees them.

use std::{path::Path, sync::Arc};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sluice_core::{Engine, EngineConfig, NoLists, Offset, Output, Stage};
use sluice_model::{Control, EventRecord, EventTime, PaymentRecord, RuleBundle, Screening};
use sluice_runtime::read_rules;
use sluice_simulator::traffic::{Config, Traffic};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Events applied before the clock starts, so that windows hold something.
const WARM: usize = 100_000;
/// Events measured.
const MEASURED: usize = 20_000;
/// As `sluice replay` batches.
const BATCH: usize = 4_096;

fn records(skip: usize, count: usize) -> Vec<(Offset, PaymentRecord)> {
    let start = EventTime::from_micros(1_767_225_600_000_000);
    let traffic = Traffic::new(Config::spanning(1_000_000, 1, start)).skip(skip).take(count);
    let record = |event: sluice_model::PaymentEvent| {
        let received_at = event.occurred_at;
        PaymentRecord::Event(EventRecord {
            received_at,
            awaited: false,
            late_reason: None,
            event: Arc::new(event),
        })
    };
    (0..).zip(traffic.map(|labelled| record(labelled.event))).collect()
}

fn engine(rules: &RuleBundle) -> Engine {
    let mut engine = Engine::new(EngineConfig::default(), Arc::new(NoLists));
    let mut out = Output::default();
    let activate = Control::Activate { rules: rules.hash() };
    for control in [Control::Screening(Screening::default()), Control::Prepare(rules.clone()), activate] {
        engine.apply(0, &PaymentRecord::Control(control), &mut out);
    }
    for batch in records(0, WARM).chunks(BATCH) {
        engine.apply_all(batch, &mut Output::default());
    }
    engine
}

fn pipeline(c: &mut Criterion) {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs");
    let Ok(rules) = read_rules(&packs) else { return };
    let measured = records(WARM, MEASURED);
    let mut group = c.benchmark_group("pipeline");
    group.throughput(Throughput::Elements(MEASURED as u64)).sample_size(10);
    for (name, batch) in [("batches", BATCH), ("one_by_one", 1)] {
        group.bench_function(name, |b| {
            b.iter_batched(
                || engine(&rules),
                |mut engine| {
                    for batch in measured.chunks(batch) {
                        engine.apply_all(batch, &mut Output::default());
                    }
                    engine
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
