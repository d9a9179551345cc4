//! How fast evidence is logged and verified. The budget: 50,000 leaves verified a second.
#![allow(clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sluice_evidence::{Bundle, Kind, verify};

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, reason = "shared with the tests, which use all of it")]
mod support;

/// The allocator of the binary, so that the figures are the product's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A bundle of 10,000 alerts out of a log of 100,000: each path is 17 hashes long.
fn verify_bundle(c: &mut Criterion) {
    let signer = support::signer(7);
    let mut log = support::Log::default();
    for n in 0..100_000 {
        log.append(Kind::Alert, &format!("alert-{n}"), support::alert(n));
    }
    let mut bundle = Bundle::new("case-1", signer.checkpoint(&log.tree), &signer);
    for index in (0..100_000).step_by(10) {
        log.prove(&mut bundle, index);
    }
    let bytes = bundle.seal(&signer).unwrap();
    let mut group = c.benchmark_group("evidence");
    group.sample_size(20).throughput(Throughput::Elements(10_000));
    group.bench_function("verify 10,000 leaves", |b| {
        b.iter(|| assert!(verify(black_box(&bytes), Some(&signer.verifier())).holds()));
    });
    group.throughput(Throughput::Elements(1));
    let mut n = 0;
    group.bench_function("log one alert", |b| {
        b.iter(|| {
            n += 1;
            log.append(Kind::Alert, "alert", support::alert(n))
        });
    });
    group.finish();
    println!(
        "bytes of a leaf and its body as stored: {}",
        log.records[7].0.encode().len() + serde_json::to_string(&log.records[7].1).map_or(0, |b| b.len())
    );
}

criterion_group!(benches, verify_bundle);
criterion_main!(benches);
