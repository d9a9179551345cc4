//! Engines in processes of their own, over Apache Kafka: they say what a replay of the same records says, however many they
//! are and however often they are killed.

#![cfg(feature = "kafka")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod api;
#[path = "../../../case-api/tests/support/cluster.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod cluster;
mod deployment;
mod oracle;
#[path = "../up/process.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod process;
mod sources;

use std::collections::BTreeSet;

use sluice_core::{Engine, EngineConfig, Stage};
use sluice_log::kafka::testing::Brokers;
use sluice_model::{Control, PaymentRecord};

use self::{
    deployment::{Deployment, events, rules},
    oracle::Oracle,
};

/// How much is tried: more with `./test --long`.
fn effort(short: usize, long: usize) -> usize {
    if std::env::var_os("SLUICE_LONG").is_some() { long } else { short }
}

/// One broker for all: each has a namespace of its own.
#[test]
fn engines_say_what_a_replay_says() {
    let Some(brokers) = Brokers::start(1, &[]) else { return };
    one_partition_says_what_a_file_says(&brokers);
    many_partitions_and_engines_that_are_killed_say_what_each_partition_says(&brokers);
    sources::records_of_others_are_taken_in_once_and_whole(&brokers);
    api::processes_serve_over_engines(&brokers);
}

/// The alerts of one input partition are those of the same events in a file.
fn one_partition_says_what_a_file_says(brokers: &Brokers) {
    let events = events(effort(3_000, 1_000_000), 11);
    let deployment = Deployment::new(brokers, "one", 1);
    let _engine = deployment.engine("engine-1");
    deployment.put_rules_in_force();
    deployment.send(&events);
    deployment.wait_until_all_is_judged();

    let mut engine = Engine::new(EngineConfig::default(), deployment.library());
    let bundle = rules();
    let activate = Control::Activate { rules: bundle.hash() };
    let controls = [Control::Prepare(bundle), activate].map(PaymentRecord::Control);
    let all = controls.into_iter().chain(events);
    let mut output = Default::default();
    for (offset, record) in all.enumerate() {
        engine.apply(offset as u64, &record, &mut output);
    }
    let expected: BTreeSet<_> = output.alerts.iter().map(|alert| alert.alert_id).collect();
    let alerts = deployment.alerts();
    assert_eq!(alerts.len(), expected.len(), "each once");
    assert_eq!(alerts.iter().map(|alert| alert.alert_id).collect::<BTreeSet<_>>(), expected);
    assert!(expected.len() > 10, "{}", expected.len());
    println!("one partition: {} alerts, the same as from a file", expected.len());
}

/// What each partition holds is what a replay of the partitions before it says: nothing is lost, nothing is there twice.
fn many_partitions_and_engines_that_are_killed_say_what_each_partition_says(brokers: &Brokers) {
    let (partitions, kills) = (4, effort(3, 100));
    let deployment = Deployment::new(brokers, "many", partitions);
    let mut engines = [deployment.engine("engine-1"), deployment.engine("engine-2")];
    deployment.put_rules_in_force();
    let events = events(effort(3_000, 100_000), 12);
    for (kill, part) in events.chunks(events.len().div_ceil(kills + 1)).enumerate() {
        deployment.send(part);
        if kill < kills {
            let name = format!("engine-{}", kill % 2 + 1);
            engines[kill % 2].kill();
            engines[kill % 2] = deployment.engine(&name);
        }
    }
    deployment.wait_until_all_is_judged();

    let oracle = Oracle::of(&deployment);
    let differences = oracle.compare(&deployment);
    assert!(differences.is_empty(), "{differences:#?}");
    let alerts = deployment.alerts().len();
    assert!(alerts > 10, "{alerts}");
    println!(
        "engines: {} events on {partitions} partitions, {kills} kills, {} records published, {alerts} alerts, 0 lost, 0 doubled",
        events.len(),
        oracle.records()
    );
}
