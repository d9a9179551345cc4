//! Screening: cold and cached queries against every list of the shared data, and building the index.

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use rayon::prelude::*;
use sluice_benches::screening as data;
use sluice_lists::{
    ListVersion, Query, Screener, Settings,
    import::Format,
    rescreen::{KnownParty, rescreen},
};

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

criterion_group!(benches, screening, rescreening);
criterion_main!(benches);
