//! Screening: cold and cached queries against every list of the shared data, and building the index.

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use sluice_benches::screening as data;
use sluice_lists::{ListVersion, Query, Screener, Settings, import::Format};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn lists() -> Vec<Arc<ListVersion>> {
    let folders = [
        ("ofac_sdn_2021-07", Format::OfacCsv),
        ("ofac_sdn_2024-05_mixed", Format::OfacCsv),
        ("ofac_nonsdn_2025-12", Format::OfacCsv),
        ("un_2026-02", Format::UnXml),
    ];
    folders.into_iter().filter_map(|(folder, format)| data::list(folder, format)).collect()
}

fn screening(c: &mut Criterion) {
    let lists = lists();
    if lists.is_empty() {
        println!("left out: screening (no ../shared)");
        return;
    }
    let screener = Screener::build(&lists, Settings::default());
    println!("{} names", screener.name_count());
    let queries: Vec<Query> = data::ordinary_names(50).into_iter().map(Query::name).collect();

    let mut at = 0;
    c.bench_function("screening/cold", |b| {
        b.iter(|| {
            at = (at + 1) % queries.len();
            black_box(screener.screen_cold(&queries[at]))
        });
    });
    screener.screen_shared(&queries[0]);
    c.bench_function("screening/cached", |b| b.iter(|| black_box(screener.screen_shared(&queries[0]))));
    let mut group = c.benchmark_group("screening");
    group.sample_size(10);
    group.bench_function("build", |b| b.iter(|| Screener::build(black_box(&lists), Settings::default())));
    group.finish();
}

criterion_group!(benches, screening);
criterion_main!(benches);
