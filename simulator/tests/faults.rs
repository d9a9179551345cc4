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

use sluice_simulator::fault::{Disk, FEATURES, SimLibrary, Tally, Topology, simulate, simulate_on};

/// Seeds in an ordinary run.
const SEEDS: u64 = 2_000;
/// Seeds under `./test --long`.
const SEEDS_LONG: u64 = 50_000;

/// From so many seeds on, how often each feature came up means something.
const SEEDS_TO_COUNT: u64 = 1_000;
/// Each feature of the model comes up in at least one of so many seeds.
const ONE_IN: u64 = 100;
/// Home, shard, gathering, distributor, and the composite engine.
const STAGES: usize = 5;
/// Seeds on disks that lie.
const LYING_SEEDS: u64 = 80;

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
    println!("fault simulation: {seeds} seeds from {first}: {tally:#?}");
    assert_eq!(tally.losses, 0, "an honest disk loses nothing");
    if seeds < SEEDS_TO_COUNT {
        return;
    }
    assert!(
        [
            tally.alerts,
            tally.observations,
            tally.crashes,
            tally.moves,
            tally.moves_in_a_batch,
            tally.twins_fenced,
            tally.power_cuts,
            tally.foreseen,
            tally.lost_tails,
            tally.skewed,
        ]
        .iter()
        .all(|times| *times > 0),
        "the simulation must not be idle: {tally:?}"
    );
    assert_eq!(tally.lost_answers.len(), STAGES, "each stage loses an answer: {:?}", tally.lost_answers);
    let times = |feature: &str| tally.features.get(feature).copied().unwrap_or_default();
    let rare: Vec<_> =
        FEATURES.iter().map(|f| (*f, times(f))).filter(|(_, n)| (*n as u64) < seeds / ONE_IN).collect();
    assert!(rare.is_empty(), "the repertoire hardly drives {rare:?} in {seeds} seeds");
}

/// A log whose disk says that it has what it does not have loses what it acknowledged when the power fails, and the oracle
/// says so, whatever it is that was lost: an event, an order, or a commit.
#[test]
fn a_disk_that_lies_is_told_apart() {
    let library = Arc::new(SimLibrary::new());
    let (mut lost, mut unseen) = (0, Vec::new());
    for seed in 0..LYING_SEEDS {
        let topology = if seed % 4 == 3 { Topology::Embedded } else { Topology::Distributed };
        let (has_lost, came) = simulate_on(Disk::Lying, seed, topology, &library);
        lost += u64::from(has_lost);
        if has_lost && came.is_ok() {
            unseen.push(seed);
        }
        assert!(has_lost || came.is_ok(), "seed {seed}: nothing was lost, and yet {came:?}");
    }
    println!(
        "disks that lie: {LYING_SEEDS} seeds, {lost} lost something, {} of them unseen: {unseen:?}",
        unseen.len()
    );
    // What was lost may come again: a record that clients sent anew, a commit that was repeated whole.
    assert!(lost > LYING_SEEDS / 3 && (unseen.len() as u64) < lost / 2, "{lost} lost, unseen {unseen:?}");
}
