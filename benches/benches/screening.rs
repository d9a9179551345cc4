//! Screening side by side: cold and cached queries of several sorts against the lists of the shared data, beside a
//! plain scan of the same names with strsim and with rapidfuzz; loading, indexing and memory.
//!
//! An argument that is no option keeps only the sorts of query whose name it is part of, and leaves the peers out.

use std::{fs, hint::black_box, sync::Arc, time::Instant};

use sluice_benches::screening as data;
use sluice_lists::{ListVersion, Query, Screener, Settings, import::Format};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Queries of each sort; half of them are measured.
const QUERIES: usize = 4_000;
/// Queries put to a peer: each compares every name.
const PEER_QUERIES: usize = 40;
/// Names of the small run.
const FEW_NAMES: usize = 10_000;
const THRESHOLD: f64 = 0.80;

fn main() {
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("load average at the start: {}", load.trim());
    let before = resident();
    let began = Instant::now();
    let lists = lists();
    if lists.is_empty() {
        println!("left out: screening (no ../shared)");
        return;
    }
    let (parsed, with_lists) = (began.elapsed(), resident());
    let began = Instant::now();
    let all = Screener::build(&lists, Settings::default());
    println!(
        "{} names: parsed in {:.2} s, indexed in {:.2} s; resident: {} MiB of entries, {} MiB of index, {} at most",
        all.name_count(),
        parsed.as_secs_f64(),
        began.elapsed().as_secs_f64(),
        with_lists - before,
        resident().saturating_sub(with_lists),
        memory("VmHWM:"),
    );
    println!("| names | queries | p50 µs | p95 | p99 | CPU µs a query | queries/s | hits a query |");
    println!("|---|---|---|---|---|---|---|---|");
    let sorts = sorts(&lists);
    let wanted = |sort: &str| only.as_ref().is_none_or(|only| sort.contains(only.as_str()));
    let few = few(&lists);
    for (screener, names) in [(&few, few.name_count()), (&all, all.name_count())] {
        for (sort, queries) in sorts.iter().filter(|(sort, _)| wanted(sort)) {
            row(names, sort, queries, |query| screener.screen_cold(query).len());
        }
    }
    if only.is_some() {
        return;
    }
    let ordinary = &sorts[0].1;
    ordinary.iter().for_each(|query| drop(black_box(all.answer(query))));
    row(all.name_count(), "cached", ordinary, |query| all.answer(query).matches.len());
    peers(&lists, ordinary);
}

/// Puts the first half of the queries to warm up, as in a stream, then measures the others: none is put twice.
fn row(names: usize, sort: &str, queries: &[Query], ask: impl Fn(&Query) -> usize) {
    let (warm, queries) = queries.split_at(queries.len() / 2);
    for query in warm {
        black_box(ask(query));
    }
    let mut hits = 0;
    let (cpu, began) = (cpu_nanos(), Instant::now());
    let mut nanos: Vec<u128> = queries
        .iter()
        .map(|query| {
            let began = Instant::now();
            hits += black_box(ask(black_box(query)));
            began.elapsed().as_nanos()
        })
        .collect();
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_nanos() - cpu);
    nanos.sort_unstable();
    let count = queries.len() as f64;
    let at = |share: usize| nanos[(nanos.len() * share / 100).min(nanos.len() - 1)] as f64 / 1e3;
    println!(
        "| {names} | {sort} | {:.1} | {:.1} | {:.1} | {:.1} | {:.0} | {:.2} |",
        at(50),
        at(95),
        at(99),
        cpu as f64 / 1e3 / count,
        count / wall,
        hits as f64 / count,
    );
}

fn lists() -> Vec<Arc<ListVersion>> {
    let folders = [
        ("ofac_sdn_2021-07", Format::OfacCsv),
        ("ofac_sdn_2024-05_mixed", Format::OfacCsv),
        ("ofac_nonsdn_2025-12", Format::OfacCsv),
        ("un_2026-02", Format::UnXml),
    ];
    folders.into_iter().filter_map(|(folder, format)| data::list(folder, format)).collect()
}

/// A part of the first list.
fn few(lists: &[Arc<ListVersion>]) -> Screener {
    let mut names = 0;
    let part = lists[0].entries().iter().take_while(|entry| {
        names += entry.names.len();
        names <= FEW_NAMES
    });
    let part: Vec<_> = ListVersion::new("few", part.cloned().collect()).map(Arc::new).into_iter().collect();
    Screener::build(&part, Settings::default())
}

/// The sorts of query: most payments are of ordinary people; the rest are what is hard.
fn sorts(lists: &[Arc<ListVersion>]) -> Vec<(&'static str, Vec<Query>)> {
    let queries = |names: Vec<String>| -> Vec<Query> { names.into_iter().map(Query::name).collect() };
    let ordinary = data::ordinary_names(1);
    let ordinary = ordinary.iter().step_by(ordinary.len() / QUERIES + 1).cloned().collect();
    let listed: Vec<&str> =
        lists.iter().flat_map(|l| l.entries()).flat_map(|e| &e.names).map(|n| n.text.as_str()).collect();
    let some = || listed.iter().step_by(listed.len() / QUERIES + 1).map(|name| (*name).to_owned());
    let misspelt = some().map(|name| {
        let mut letters: Vec<char> = name.chars().collect();
        letters.remove(letters.len() / 2);
        letters.into_iter().collect()
    });
    vec![
        ("ordinary", queries(ordinary)),
        ("common", queries(common(&listed))),
        ("listed", queries(some().collect())),
        ("misspelt", queries(misspelt.collect())),
        ("chinese", queries(chinese())),
    ]
}

/// Two of the words that most listed names have: as many near names as there can be.
fn common(listed: &[&str]) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::new();
    for word in listed.iter().flat_map(|name| name.split(|c: char| !c.is_alphabetic())) {
        if word.len() > 3 {
            *counts.entry(word.to_lowercase()).or_insert(0_u32) += 1;
        }
    }
    let mut words: Vec<_> = counts.into_iter().collect();
    words.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let words = &words[..words.len().min(64)];
    let pairs = words.iter().flat_map(|(a, _)| words.iter().map(move |(b, _)| (a, b)));
    pairs.filter(|(a, b)| a != b).map(|(a, b)| format!("{a} {b}")).take(QUERIES).collect()
}

/// Frequent surnames with given names of two frequent characters.
fn chinese() -> Vec<String> {
    let surnames = "陳李張黃王林吳劉周楊梁鄭謝何許郭曾葉";
    let given = "文偉明志強俊傑家嘉詠詩敏玲芳華建國慧怡思";
    let names = given.chars().flat_map(|a| given.chars().map(move |b| (a, b)));
    let all = names.flat_map(|(a, b)| surnames.chars().map(move |s| format!("{s}{a}{b}")));
    all.take(QUERIES).collect()
}

/// A plain scan over the same names, folded to lower case once.
fn peers(lists: &[Arc<ListVersion>], queries: &[Query]) {
    let names: Vec<String> = lists
        .iter()
        .flat_map(|l| l.entries())
        .flat_map(|e| &e.names)
        .map(|n| n.text.replace(',', "").to_lowercase())
        .collect();
    let queries = &queries[..queries.len().min(PEER_QUERIES)];
    row(names.len(), "strsim Jaro-Winkler scan", queries, |query| {
        let query = query.name.to_lowercase();
        names.iter().filter(|name| strsim::jaro_winkler(&query, name) >= THRESHOLD).count()
    });
    row(names.len(), "rapidfuzz Jaro-Winkler scan", queries, |query| {
        use rapidfuzz::distance::jaro_winkler::{Args, BatchComparator};
        let comparator = BatchComparator::new(query.name.to_lowercase().chars());
        let args = Args::default().score_cutoff(THRESHOLD);
        names.iter().filter(|name| comparator.similarity_with_args(name.chars(), &args).is_some()).count()
    });
    row(names.len(), "rapidfuzz ratio scan", queries, |query| {
        use rapidfuzz::fuzz::{Args, RatioBatchComparator};
        let comparator = RatioBatchComparator::new(query.name.to_lowercase().chars());
        let args = Args::default().score_cutoff(THRESHOLD);
        names.iter().filter(|name| comparator.similarity_with_args(name.chars(), &args).is_some()).count()
    });
}

/// What this thread has run for, whatever else the machine did.
fn cpu_nanos() -> u64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn resident() -> u64 {
    memory("VmRSS:")
}

/// A figure of this process in MiB.
fn memory(which: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(which));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1024
}
