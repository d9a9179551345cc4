//! Payments that went wrong elsewhere, from the file to the alerts: what `sluice replay` says of them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

/// The folder of such inputs under `$SLUICE_SHARED`, or `../shared` beside the workspace; `None`, said plainly, where it is
/// absent.
fn inputs() -> Option<PathBuf> {
    let shared = std::env::var_os("SLUICE_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let folder = shared.join("faults/turn2");
    if !folder.exists() {
        println!("left out: {} is absent", folder.display());
        return None;
    }
    Some(folder)
}

fn sluice(args: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_sluice")).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// The summary and the alerts of a replay.
fn replay(events: &Path, rules: &Path, more: &[&str]) -> (Value, Vec<Value>) {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("alerts.ndjson");
    let [events, rules, out] = [events, rules, &out].map(|path| path.to_str().unwrap());
    let args = ["replay", "--json", "--events", events, "--rules", rules, "--alerts", out];
    let summary = sluice(&[&args, more].concat());
    let alerts = fs::read_to_string(out).unwrap();
    let parse = |line: &str| serde_json::from_str(line).unwrap();
    (serde_json::from_slice(&summary).unwrap(), alerts.lines().map(parse).collect())
}

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs")
}

fn of<'a>(alerts: &'a [Value], rule: &str) -> Vec<&'a Value> {
    alerts.iter().filter(|alert| alert["rule_id"] == rule).collect()
}

#[test]
fn the_order_of_arrival_hides_no_pattern() {
    let Some(inputs) = inputs() else { return };
    for (file, last) in [("in-order", "e3"), ("late", "e2")] {
        let events = inputs.join(format!("{file}.ndjson"));
        let (_, alerts) = replay(&events, &inputs.join("rules/WINDOWS"), &["--unnamed", "accept"]);
        let found = of(&alerts, "CNT");
        assert_eq!((found.len(), &found[0]["event_id"]), (1, &last.into()), "{file}");
    }
}

#[test]
fn a_payment_that_grows_is_judged_as_it_grows() {
    let Some(inputs) = inputs() else { return };
    let events = inputs.join("capture-grows.ndjson");
    let (_, alerts) = replay(&events, &inputs.join("rules/BIG"), &["--unnamed", "accept"]);
    assert_eq!(of(&alerts, "BIG").len(), 1);
    assert_eq!(alerts[0]["event_id"], "a2");
    let (_, alerts) = replay(&events, &inputs.join("rules/WINDOWS"), &["--unnamed", "accept"]);
    assert_eq!(of(&alerts, "SUM").len(), 1, "{alerts:?}");
}

#[test]
fn every_wage_of_one_reference_is_a_payment() {
    let Some(inputs) = inputs() else { return };
    let (summary, _) = replay(&inputs.join("payroll-one-reference.pain001.xml"), &packs(), &[]);
    assert_eq!((&summary["events"], &summary["dead_letters"]), (&3.into(), &0.into()));
}

#[test]
fn a_listed_agent_is_met_wherever_the_message_names_it() {
    let Some(inputs) = inputs() else { return };
    let folder = TempDir::new().unwrap();
    let lists = folder.path().join("lists");
    let (lists, list) = (lists.to_str().unwrap(), inputs.join("own.csv"));
    let list = list.to_str().unwrap();
    sluice(&["lists", "import", "--format", "csv", "--source", "own", "--lists", lists, list]);
    let events = inputs.join("reimbursement-agent-listed.pacs008.xml");
    let (summary, alerts) = replay(&events, &packs(), &["--lists", lists]);
    assert_eq!(summary["holds"], 1, "{alerts:?}");
    let roles: Vec<&Value> = alerts
        .iter()
        .flat_map(|alert| alert["matches"].as_array().unwrap())
        .map(|met| &met["role"])
        .collect();
    assert!(roles.contains(&&"instructing_reimbursement_agent".into()), "{roles:?}");
}
