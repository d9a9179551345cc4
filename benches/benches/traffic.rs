//! Making traffic: events out of the simulator, and written as NDJSON. Budget: 300,000 events/s made.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use sluice_codec::encode_json;
use sluice_model::EventTime;
use sluice_simulator::traffic::{Config, Listed, Traffic};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EVENTS: usize = 100_000;

fn traffic() -> Traffic {
    let start = EventTime::from_micros(1_767_225_600_000_000);
    Traffic::new(Config { listed: Listed::demo(), ..Config::spanning(1_000_000, 1, start) })
}

fn make(c: &mut Criterion) {
    let mut group = c.benchmark_group("traffic");
    group.throughput(Throughput::Elements(EVENTS as u64)).sample_size(10);
    group.bench_function("made", |b| {
        b.iter_batched(traffic, |traffic| traffic.take(EVENTS).count(), BatchSize::PerIteration);
    });
    group.bench_function("made_and_written", |b| {
        b.iter_batched(
            traffic,
            |traffic| {
                let mut out = Vec::with_capacity(EVENTS * 800);
                for labelled in traffic.take(EVENTS) {
                    let _ = encode_json(&labelled.event, &mut out);
                    out.push(b'\n');
                }
                out.len()
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

criterion_group!(benches, make);
criterion_main!(benches);
