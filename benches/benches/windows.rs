//! What windows cost: many keys of few events, one key of many, each measure, late events, memory and restore.
//!
//! Every timed event is a steady-state one: a sample enters each window and, on average, one leaves it.

use std::{
    env, fs,
    hint::black_box,
    process::Command,
    time::{Duration, Instant},
};

use criterion::{BenchmarkId, Criterion, Throughput};
use sluice_core::window::{KeyWindows, Values, WindowPlan};
use sluice_model::{EventTime, Hash256, Span};
use sluice_rules::{Length, Measure, Window, Windows};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const KEYS: usize = 500_000;
const EVENTS_PER_KEY: usize = 30;
const HOT: i64 = 50_000;
const QUIET: i64 = 5;
const END: EventTime = EventTime::from_micros(i64::MAX / 2);
/// Names what a run of its own is to hold.
const MEMORY_OF: &str = "SLUICE_BENCH_MEMORY_OF";

/// SplitMix64: the same events in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    fn amount(&mut self) -> i64 {
        self.below(1_000_000) as i64
    }
}

fn plan(windows: &[(Measure, Span)]) -> WindowPlan {
    let window = |(measure, span): &(Measure, Span)| Window {
        stream: 0,
        measure: *measure,
        length: Length::Span(*span),
        before: false,
    };
    let windows: Vec<_> = windows.iter().map(window).collect();
    WindowPlan::of([Hash256::default()], &windows)
}

/// Every window, as if each were what a rule turns on.
fn read_all(reading: &impl Windows, windows: usize) {
    for slot in 0..windows {
        black_box(reading.value(slot));
    }
}

/// Sums and counts over 1 h, 24 h, 7 d and 30 d.
fn sums_and_counts() -> WindowPlan {
    let spans = [Span::hours(1), Span::hours(24), Span::days(7), Span::days(30)];
    plan(
        &spans
            .into_iter()
            .flat_map(|span| [(Measure::Sum, span), (Measure::Count, span)])
            .collect::<Vec<_>>(),
    )
}

/// Many keys, whose events come in random order over stream time.
struct Population {
    plan: WindowPlan,
    keys: Vec<KeyWindows>,
    at: EventTime,
    step: Span,
    random: Random,
    windows: usize,
    values: Values,
}

impl Population {
    /// Keys that hold `events` each, on average, in 30 days.
    fn new(plan: WindowPlan, keys: usize, events: usize) -> Self {
        let step = Span::from_micros(Span::days(30).micros() / (keys * events) as i64);
        let (at, random) = (EventTime::from_micros(0), Random(1));
        let (windows, values) = (plan.window_count(), Values::default());
        let mut new = Self { plan, keys: vec![KeyWindows::new(); keys], at, step, random, windows, values };
        (0..keys * events).for_each(|_| new.event());
        new
    }

    fn event(&mut self) {
        self.at = self.at.plus(self.step);
        let key = self.random.below(self.keys.len());
        let sample = [(0, self.random.amount())];
        let reading = self.keys[key].observe(&self.plan, self.at, &sample, &mut self.values);
        read_all(&reading, self.windows);
    }
}

/// One key with so many events in its longest window; some of them late.
struct Lone {
    plan: WindowPlan,
    key: KeyWindows,
    at: EventTime,
    step: Span,
    /// One event in so many is late; zero: none.
    late_one_in: u64,
    random: Random,
    windows: usize,
    values: Values,
}

impl Lone {
    fn new(plan: WindowPlan, window: Span, inside: i64, late_one_in: u64) -> Self {
        let step = Span::from_micros(window.micros() / inside);
        let (at, random) = (EventTime::from_micros(0), Random(1));
        let (windows, values) = (plan.window_count(), Values::default());
        let mut new = Self { plan, key: KeyWindows::new(), at, step, late_one_in, random, windows, values };
        (0..inside * 2).for_each(|_| new.event());
        new
    }

    fn event(&mut self) {
        // A few events in 30 days, many million times, reach the end of time: begin again.
        if self.at > END {
            (self.key, self.at) = (KeyWindows::new(), EventTime::from_micros(0));
        }
        self.at = self.at.plus(self.step);
        let late = self.late_one_in > 0 && self.random.next().is_multiple_of(self.late_one_in);
        let at = if late { self.at.minus(Span::minutes(10)) } else { self.at };
        let sample = [(0, self.random.amount())];
        let reading = self.key.observe(&self.plan, at, &sample, &mut self.values);
        read_all(&reading, self.windows);
    }
}

/// Time on the processor, so that whatever else the machine does counts less; wall time where the system does not say.
fn on_cpu(times: u64, mut event: impl FnMut()) -> Duration {
    let cpu = || {
        fs::read_to_string("/proc/self/schedstat")
            .ok()?
            .split(' ')
            .next()?
            .parse()
            .ok()
            .map(Duration::from_nanos)
    };
    let (wall, start) = (Instant::now(), cpu());
    (0..times).for_each(|_| event());
    cpu().zip(start).map_or_else(|| wall.elapsed(), |(end, start)| end - start)
}

fn many_keys(c: &mut Criterion) {
    let mut group = c.benchmark_group("windows/many-keys");
    group
        .throughput(Throughput::Elements(1))
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    let mut population = Population::new(sums_and_counts(), KEYS, EVENTS_PER_KEY);
    // Beyond the horizon, samples leave as fast as they come.
    (0..KEYS * 4).for_each(|_| population.event());
    group.bench_function("500k-keys-of-30/sums-and-counts", |b| {
        b.iter_custom(|n| on_cpu(n, || population.event()))
    });
}

fn hot_and_quiet(c: &mut Criterion) {
    let mut group = c.benchmark_group("windows/one-key");
    group
        .throughput(Throughput::Elements(1))
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    for inside in [QUIET, 30, 300, HOT] {
        let mut key = Lone::new(sums_and_counts(), Span::days(30), inside, 0);
        group.bench_function(BenchmarkId::new("sums-and-counts", inside), |b| {
            b.iter_custom(|n| on_cpu(n, || key.event()))
        });
    }
    for one_in in [20, 5] {
        let mut key = Lone::new(sums_and_counts(), Span::days(30), HOT, one_in);
        group.bench_function(BenchmarkId::new("sums-and-counts/late-one-in", one_in), |b| {
            b.iter_custom(|n| on_cpu(n, || key.event()))
        });
    }
}

fn each_measure(c: &mut Criterion) {
    let mut group = c.benchmark_group("windows/measure");
    group
        .throughput(Throughput::Elements(1))
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(2));
    let measures = [
        ("count", Measure::Count),
        ("sum", Measure::Sum),
        ("average", Measure::Average),
        ("min", Measure::Min),
        ("max", Measure::Max),
        ("distinct", Measure::Distinct),
        ("first", Measure::First),
        ("last", Measure::Last),
        ("time-since", Measure::TimeSince),
        ("std-dev", Measure::StdDev),
        ("median", Measure::Median),
        ("percentile", Measure::Percentile(90)),
        ("share-within", Measure::ShareWithin { low: 100_000, high: 200_000 }),
        ("similar", Measure::Similar { percent: 10 }),
        ("occurrences", Measure::Occurrences),
        ("distinct-new", Measure::DistinctNew),
        ("day-total", Measure::DayTotal { rank: 1, utc_offset_hours: 8 }),
        ("benford", Measure::Benford),
    ];
    for (name, measure) in measures {
        for (inside, late_one_in) in [(QUIET, 0), (30, 0), (HOT, 0), (HOT, 20)] {
            let mut key = Lone::new(plan(&[(measure, Span::days(30))]), Span::days(30), inside, late_one_in);
            let id = if late_one_in > 0 {
                format!("{inside}-late-1-in-{late_one_in}")
            } else {
                inside.to_string()
            };
            group
                .bench_function(BenchmarkId::new(name, id), |b| b.iter_custom(|n| on_cpu(n, || key.event())));
        }
    }
}

/// Resident memory of this process, in bytes; zero where the system does not say.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap_or(0) * 1024
}

/// What a run of its own holds, so that nothing freed before is counted.
fn report_memory() {
    for name in ["500k-keys-of-30", "500k-keys-of-3", "100-keys-of-50k"] {
        let child = env::current_exe().and_then(|exe| Command::new(exe).env(MEMORY_OF, name).status());
        if let Err(error) = child {
            println!("memory/{name}: {error}");
        }
    }
}

fn report_memory_of(name: &str) {
    let (keys, events) = match name {
        "500k-keys-of-3" => (KEYS, 3),
        "100-keys-of-50k" => (100, HOT as usize),
        _ => (KEYS, EVENTS_PER_KEY),
    };
    let before = resident();
    let population = Population::new(sums_and_counts(), keys, events);
    let bytes = resident().saturating_sub(before);
    // All events are kept: none is older than 30 days yet.
    println!(
        "memory/{name}: {} B a key, {:.1} B an event",
        bytes / keys,
        bytes as f64 / (keys * events) as f64
    );
    black_box(&population.keys);
}

fn report_restore(keys: usize, events: usize) {
    let Population { plan, keys, at, windows, mut values, .. } =
        Population::new(sums_and_counts(), keys, events);
    let bytes = postcard::to_stdvec(&keys).unwrap_or_default();
    drop(keys);
    let start = Instant::now();
    let mut keys: Vec<KeyWindows> = postcard::from_bytes(&bytes).unwrap_or_default();
    let decoded = start.elapsed();
    let start = Instant::now();
    keys.iter_mut().for_each(|key| read_all(&key.observe(&plan, at, &[], &mut values), windows));
    println!(
        "restore/{}-keys-of-{events}: {} MB, decoded in {decoded:.2?}, first events in {:.2?}",
        keys.len(),
        bytes.len() / 1_000_000,
        start.elapsed()
    );
}

fn main() {
    if let Ok(name) = env::var(MEMORY_OF) {
        return report_memory_of(&name);
    }
    // Not timings of one event, so not criterion's: `cargo bench --bench windows -- memory`.
    if env::args().any(|arg| arg == "memory") {
        report_memory();
        return report_restore(1_000_000, EVENTS_PER_KEY);
    }
    let mut criterion = Criterion::default().configure_from_args();
    many_keys(&mut criterion);
    hot_and_quiet(&mut criterion);
    each_measure(&mut criterion);
    criterion.final_summary();
}
