//! What the rules of `account-networks` find: on AMLSim's labelled set where it lies beside the checkout, and on
//! networks of our own with other shapes. The figures and how they were come by: `benches/results/detection.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    sync::Arc,
};

use sluice_core::{Engine, EngineConfig, NoLists, Output, Stage};
use sluice_model::{
    Alert, Control, EventRecord, PaymentEvent, PaymentRecord, RuleBundle, RuleFile, Screening,
};
use sluice_simulator::{
    groups::{self, Group, Scores},
    network::{self, Config},
};

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rules() -> RuleBundle {
    let folder = workspace().join("rules/packs/account-networks");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let rules = files.filter(|path| path.extension().is_some_and(|extension| extension == "rhai"));
    let file = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        RuleFile { path: path.file_name().unwrap().to_string_lossy().into_owned(), text }
    };
    RuleBundle::new(rules.map(file).collect())
}

fn scores(events: impl Iterator<Item = PaymentEvent>, groups: &[Group]) -> Scores {
    let mut engine = Engine::new(EngineConfig { shards: 1 }, Arc::new(NoLists));
    let rules = rules();
    let activate = Control::Activate { rules: rules.hash() };
    let mut output = Output::default();
    for control in [Control::Screening(Screening::default()), Control::Prepare(rules), activate] {
        engine.apply(0, &PaymentRecord::Control(control), &mut output);
    }
    for event in events {
        let received_at = event.occurred_at;
        let record = EventRecord { received_at, awaited: false, late_reason: None, event: event.into() };
        engine.apply(0, &PaymentRecord::Event(record), &mut output);
    }
    assert_eq!(output.dead_letters.len(), 0);
    let alerts: &[Alert] = &output.alerts;
    let scores = groups::score(groups, alerts);
    println!("{scores:#?}");
    scores
}

/// The share of a kind's groups that a rule caught by itself, and the share of its alerts that are right.
fn recall_and_precision(scores: &Scores, rule: &str, kind: &str) -> (f64, f64) {
    let found = &scores.rules[rule];
    let caught = found.caught.get(kind).copied().unwrap_or(0);
    (caught as f64 / scores.groups[kind].groups as f64, found.precision().unwrap_or(1.0))
}

#[test]
fn amlsim_groups_are_found_and_few_others_are_accused() {
    let shared =
        std::env::var_os("SLUICE_SHARED").map_or_else(|| workspace().join("../shared"), PathBuf::from);
    let folder = shared.join("data/transactions/amlsim-10k");
    let Ok(transactions) = File::open(folder.join("transactions.csv")) else {
        println!("left out: {} is not there", folder.display());
        return;
    };
    let mapping = fs::read_to_string(workspace().join("rules/mappings/amlsim.toml")).unwrap();
    let rows = sluice_codec::Mapping::parse(&mapping).unwrap().rows(transactions).unwrap();
    let groups = groups::read_groups(File::open(folder.join("alert_transactions.csv")).unwrap()).unwrap();
    let scores = scores(rows.map(|row| row.unwrap().unwrap()), &groups);
    let (recall, precision) = recall_and_precision(&scores, "N01", "fan_out");
    assert!(recall >= 0.97 && precision >= 0.85, "fan-out: recall {recall}, precision {precision}");
    let (recall, precision) = recall_and_precision(&scores, "N02", "fan_in");
    assert!(recall >= 0.85 && precision >= 0.40, "fan-in: recall {recall}, precision {precision}");
}

/// In these networks people are paid by strangers and pay them every week, so most alerts are false as shipped.
/// What must hold is that groups of every pace are found; those of three to six members stay below the line.
#[test]
fn groups_of_other_shapes_are_found_too() {
    for seed in [1, 2] {
        let transfers = network::transfers(Config::of_seed(seed, "2026-01-01T00:00:00Z".parse().unwrap()));
        let mut labels = Vec::new();
        network::write_groups(&transfers, &mut labels).unwrap();
        let groups = groups::read_groups(&*labels).unwrap();
        let events = transfers.iter().enumerate().map(|(number, transfer)| network::event(number, transfer));
        let scores = scores(events, &groups);
        for (rule, kind) in [("N01", "fan_out"), ("N02", "fan_in")] {
            let (recall, _) = recall_and_precision(&scores, rule, kind);
            assert!(recall >= 0.65, "seed {seed}, {kind}: recall {recall}");
        }
    }
}

#[test]
fn a_network_is_a_function_of_its_seed_and_its_groups_are_what_they_say() {
    let config =
        |seed| Config { private: 400, ..Config::of_seed(seed, "2026-01-01T00:00:00Z".parse().unwrap()) };
    let transfers = network::transfers(config(5));
    assert_eq!(transfers, network::transfers(config(5)));
    assert_ne!(transfers, network::transfers(config(6)));
    assert!(transfers.is_sorted_by_key(|transfer| transfer.at));
    let mut labels = Vec::new();
    network::write_groups(&transfers, &mut labels).unwrap();
    let groups = groups::read_groups(&*labels).unwrap();
    assert_eq!(groups.len(), 150);
    for group in &groups {
        let hubs = group.hubs.len();
        let expected = match group.typology.as_str() {
            "fan_in" | "fan_out" => hubs == 1,
            // The same account may stand on both sides by chance, never more than two collect or disperse.
            "gather_scatter" | "scatter_gather" => (1..=2).contains(&hubs),
            _ => hubs >= 2,
        };
        assert!(expected, "{} has {hubs} hubs", group.typology);
    }
}
