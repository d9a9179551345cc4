//! Rescreening: every known party against what changed between two versions of a list.

use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use rayon::prelude::*;
use sluice_benches::screening as data;
use sluice_lists::{
    Query, Screener, Settings,
    import::Format,
    rescreen::{KnownParty, rescreen},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A month's changes of the UN list against a million parties: ordinary names, each made another's by a number.
fn rescreening(c: &mut Criterion) {
    let versions = ["un_2025-11", "un_2026-02"].map(|folder| data::list(folder, Format::UnXml));
    let [Some(old), Some(new)] = versions else {
        println!("left out: rescreening (no ../shared)");
        return;
    };
    let names = data::ordinary_names(1);
    let screener = Screener::build(&[Arc::clone(&new)], Settings::default());
    let party =
        |n: usize| KnownParty { id: n, query: Query::name(format!("{} {n}", names[n % names.len()])) };
    let mut group = c.benchmark_group("screening");
    group.sample_size(10);
    group.bench_function("rescreen a million", |b| {
        b.iter(|| {
            let parties = (0..1_000_000).into_par_iter().map(party);
            rescreen(Some(&old), &new, &screener, parties).map(|done| (done.checked, done.hits.len()))
        });
    });
    group.finish();
}

criterion_group!(benches, rescreening);
criterion_main!(benches);
