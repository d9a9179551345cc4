//! The seeded fault simulation. `SLUICE_SIM_SEEDS` sets how many seeds, `SLUICE_SIM_FIRST` the first of them:
//! a failure names its seed, and `SLUICE_SIM_FIRST=<seed> SLUICE_SIM_SEEDS=1` repeats it exactly.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use sluice_simulator::fault::{SimLibrary, Tally, Topology, simulate};

/// Seeds in an ordinary run.
const SEEDS: u64 = 2_000;
/// Seeds under `./test --long`.
const SEEDS_LONG: u64 = 50_000;

fn from_environment(name: &str, or: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or)
}

#[test]
fn alerts_equal_an_undisturbed_replay_whatever_goes_wrong() {
    let first = from_environment("SLUICE_SIM_FIRST", 0);
    let usual = if std::env::var_os("SLUICE_LONG").is_some() { SEEDS_LONG } else { SEEDS };
    let seeds = from_environment("SLUICE_SIM_SEEDS", usual);
    let library = Arc::new(SimLibrary::new());
    let next = AtomicU64::new(first);
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let tallies: Vec<Tally> = thread::scope(|scope| {
        let run = || {
            let mut tally = Tally::default();
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= first + seeds {
                    return tally;
                }
                // Three in four over partitioned topics, one in four embedded.
                let topology = if seed % 4 == 3 { Topology::Embedded } else { Topology::Distributed };
                match simulate(seed, topology, &library) {
                    Ok(one) => tally.add(one),
                    Err(broken) => panic!("seed {seed} ({topology:?}): {broken}"),
                }
            }
        };
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(run)).collect();
        running.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let mut tally = Tally::default();
    tallies.into_iter().for_each(|one| tally.add(one));
    println!("fault simulation: {seeds} seeds from {first}: {tally:?}");
    assert!(
        tally.alerts > 0 && tally.observations > 0 && tally.crashes > 0 && tally.moves > 0,
        "the simulation must not be idle: {tally:?}"
    );
}
