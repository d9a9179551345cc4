//! `sluice rules` from the shell: the packs that ship and every rule and case of the guide, by the binary itself.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn rules(verb: &str, path: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluice")).args(["rules", verb]).arg(path).args(more).output().unwrap()
}

/// `sluice rules backtest --json` of two sets.
fn backtest(active: &Path, candidate: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.args(["rules", "backtest", "--json", "--rules"]).arg(active).arg("--candidate").arg(candidate);
    command
}

#[track_caller]
fn passes(output: &Output) -> String {
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{out}\n{}", String::from_utf8_lossy(&output.stderr));
    out
}

#[test]
fn the_packs_check_and_their_cases_pass() {
    let packs = root().join("rules/packs");
    passes(&rules("check", &packs, &[]));
    let report: serde_json::Value =
        serde_json::from_str(&passes(&rules("test", &packs, &["--json"]))).unwrap();
    let cases = report["cases"].as_array().unwrap();
    assert!(!cases.is_empty());
    assert_eq!(report["untested"], serde_json::json!([]), "every rule has cases");
    let coverage = report["coverage"].as_array().unwrap().iter();
    let untried: String = coverage
        .filter(|rule| rule["missing"] != serde_json::json!([]))
        .map(|rule| format!("{} ({}): {}\n", rule["rule"], rule["file"], rule["missing"]))
        .collect();
    assert!(untried.is_empty(), "its cases never try a branch of\n{untried}");
    println!("{} cases", cases.len());
}

#[test]
fn each_pack_stands_alone() {
    for pack in fs::read_dir(root().join("rules/packs")).unwrap() {
        passes(&rules("test", &pack.unwrap().path(), &[]));
    }
}

#[test]
fn one_file_is_checked_with_the_reference_data_above_it() {
    let file = root().join("rules/packs/core/R05-pass-through.rhai");
    let explained = passes(&rules("explain", &file, &["--json"]));
    let explained: serde_json::Value = serde_json::from_str(&explained).unwrap();
    assert_eq!(explained[0]["id"], "R05");
    assert_eq!(explained[0]["evaluated"]["native"], true);
    let typology = passes(&rules("explain", &root().join("rules/packs/core"), &[]));
    assert!(
        typology.contains("T01  Money mule account") && typology.contains("R05 40, R06 20"),
        "{typology}"
    );
    passes(&rules("test", &file, &[]));
}

/// The fenced blocks of one language in the guide.
fn blocks(guide: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let parts = guide.split(&fence).skip(1);
    parts.filter_map(|rest| Some(rest.split_once("```")?.0.to_owned())).collect()
}

#[test]
fn every_snippet_of_the_guide_runs() {
    let guide = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("reference")).unwrap();
    for block in blocks(&guide, "rhai") {
        let words: Vec<&str> = block.lines().flat_map(str::split_whitespace).collect();
        let id = words.windows(2).find(|w| matches!(w[0], "rule" | "typology")).unwrap()[1];
        fs::write(folder.path().join(format!("{id}.rhai")), &block).unwrap();
    }
    let mut tables = 0;
    for block in blocks(&guide, "toml") {
        let name = if block.contains("[[case]]") {
            "FAN_IN.cases.toml".to_owned()
        } else if block.starts_with('[') {
            // Cases run without it, checks with it.
            "parameters.toml".to_owned()
        } else if block.contains("[[rate]]") {
            "reference/rates.toml".to_owned()
        } else {
            tables += 1;
            format!("reference/table_{tables}.toml")
        };
        fs::write(folder.path().join(name), block).unwrap();
    }
    assert_eq!(tables, 2);
    passes(&rules("check", folder.path(), &[]));
    let tested = passes(&rules("test", folder.path(), &[]));
    assert!(tested.contains("2 of 2 cases passed"), "{tested}");
}

#[test]
fn a_broken_rule_is_a_finding_with_a_caret() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("r.rhai"), "rule R #{ titel: \"x\" };\ncondition true;\nreason `x`;\n")
        .unwrap();
    let output = rules("check", folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(out.contains("did you mean `title`?") && out.contains("^^^^^"), "{out}");
    assert_eq!(rules("check", &folder.path().join("none"), &[]).status.code(), Some(1));
    assert_eq!(rules("test", folder.path(), &[]).status.code(), Some(2));
}

/// One shipped rule in a folder of its own, with the schema that it reads.
fn put_fan_out(folder: &Path) {
    let pack = root().join("rules/packs/core");
    fs::copy(pack.join("R10-fan-out.rhai"), folder.join("r.rhai")).unwrap();
    fs::create_dir(folder.join("reference")).unwrap();
    fs::copy(pack.join("reference/schema.toml"), folder.join("reference/schema.toml")).unwrap();
}

#[test]
fn a_case_that_does_not_hold_fails_and_says_what_there_was() {
    let folder = tempfile::tempdir().unwrap();
    put_fan_out(folder.path());
    let cases = "[[case]]\nname = \"wrong\"\npayments = [{ at = \"2026-03-02T08:00:00Z\", amount = \"1.00 HKD\", \
                 debtor.account = \"A\", creditor.account = \"B\" }]\nalerts = [{ on = 1, key = \"A\" }]\n";
    fs::write(folder.path().join("r.cases.toml"), cases).unwrap();
    let output = rules("test", folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(out.contains("expected an alert on payment 1 on A; there was none"), "{out}");
}

/// A rule that counts large payments of an account, and cases that pay these amounts.
fn put_counting(folder: &Path, name: &str, least: u32, amounts: &[u32]) {
    let rule = format!(
        r#"rule {name} #{{ title: "Large payments", key: "account", severity: "low", action: "alert", typology: "large",
    regulation: #{{ text: "a test", source: "internal", date: "2026-01-01" }}, speaks: "every event" }};
window large #{{ measure: "count", where: amount >= hkd(1000), length: "24h" }};
condition large >= {least};
reason `${{large}} large payments`;
"#
    );
    let payment = |amount: &u32| {
        format!("{{ at = \"2026-03-02T08:00:00Z\", amount = \"{amount}.00 HKD\", debtor.account = \"A\" }}")
    };
    let payments: Vec<_> = amounts.iter().map(payment).collect();
    let cases = format!("[[case]]\nname = \"some\"\npayments = [{}]\nalerts = []\n", payments.join(", "));
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join(format!("{name}.rhai")), rule).unwrap();
    fs::write(folder.join(format!("{name}.cases.toml")), cases).unwrap();
}

#[test]
fn filters_of_windows_are_covered_by_the_cases_of_their_own_rule() {
    let folder = tempfile::tempdir().unwrap();
    // Both rules mean the same window; the second's cases never try what does not enter.
    put_counting(folder.path(), "BOTH", 2, &[900, 1000]);
    put_counting(folder.path(), "ONE", 2, &[1000]);
    let report: serde_json::Value =
        serde_json::from_str(&passes(&rules("test", folder.path(), &["--json"]))).unwrap();
    let missing = |rule: usize| report["coverage"][rule]["missing"].clone();
    let condition = serde_json::json!({ "line": 4, "column": 17, "never": true });
    assert_eq!(missing(0), serde_json::json!([condition]));
    let filter = serde_json::json!({ "line": 3, "column": 49, "never": false });
    assert_eq!(missing(1), serde_json::json!([filter, condition]));
}

#[test]
fn cases_of_a_candidate_run_as_if_it_were_in_force_and_those_in_force_as_if_it_were_not() {
    let folder = tempfile::tempdir().unwrap();
    put_counting(folder.path(), "R", 3, &[1000, 1000]);
    put_counting(&folder.path().join("shadow"), "R", 4, &[1000, 1000, 1000]);
    let report: serde_json::Value =
        serde_json::from_str(&passes(&rules("test", folder.path(), &["--json"]))).unwrap();
    let files: Vec<_> = report["coverage"].as_array().unwrap().iter().map(|of| of["file"].clone()).collect();
    assert_eq!(files, ["R.rhai", "shadow/R.rhai"]);
    put_counting(&folder.path().join("shadow"), "R", 3, &[1000, 1000, 1000]);
    let output = rules("test", folder.path(), &[]);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(out.contains("shadow/R.cases.toml:1") && out.contains("1 of 2 cases passed"), "{out}");

    // What does not check in both is told once, where it stands.
    for (file, wrong) in [("R.rhai", "R.rhai:4"), ("shadow/R.rhai", "shadow/R.rhai:4")] {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("condition large", "condition lagre")).unwrap();
        let out = rules("check", folder.path(), &[]).stdout;
        let out = String::from_utf8_lossy(&out).into_owned();
        assert!(out.matches(wrong).count() == 1, "{out}");
        fs::write(&path, text).unwrap();
    }
}

#[test]
fn a_backtest_shows_what_a_parameter_moves() {
    let folder = tempfile::tempdir().unwrap();
    let (active, candidate) = (folder.path().join("active"), folder.path().join("candidate"));
    for set in [&active, &candidate] {
        fs::create_dir(set).unwrap();
        put_fan_out(set);
    }
    let overlay = "[R10.payees_min]\nvalue = 3\nwhy = \"trial\"\nowner = \"MLRO\"\n";
    fs::write(candidate.join("parameters.toml"), overlay).unwrap();
    let payment = |n: usize| {
        format!(
            "{{\"event_id\":\"{n}\",\"type\":\"payment\",\"status\":\"completed\",\"occurred_at\":\"2026-03-02T08:0{n}:00Z\",\
             \"amount\":{{\"value\":\"1.00\",\"currency\":\"HKD\"}},\"debtor\":{{\"account\":\"A\"}},\"creditor\":{{\"account\":\"B{n}\"}}}}\n"
        )
    };
    let events = folder.path().join("events.ndjson");
    fs::write(&events, (1..=4).map(payment).collect::<String>()).unwrap();
    let page = folder.path().join("page.html");
    let nowhere = folder.path().join("none");
    let refused = backtest(&active, &candidate).arg("--log").arg(&nowhere).output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "a folder without a log is the user's to mend");
    let output =
        backtest(&active, &candidate).arg("--events").arg(&events).arg("--html").arg(&page).output().unwrap();
    let report: serde_json::Value = serde_json::from_str(&passes(&output)).unwrap();
    assert_eq!(report["events"], 4);
    assert_eq!(report["below"], 1);
    assert_eq!(report["lost"], 0);
    assert_eq!(report["appears"][0]["event_id"], "3");
    let page = fs::read_to_string(page).unwrap();
    assert!(page.contains("<svg") && !page.contains("http"), "the page stands alone");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let from = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// Rules that ask for an amount fail on a currency without a rate: whoever starts is told which.
#[test]
fn a_start_names_the_currencies_without_a_rate() {
    let folder = tempfile::tempdir().unwrap();
    let (set, events) = (folder.path().join("set"), folder.path().join("events.ndjson"));
    copy(&root().join("rules/packs/core"), &set);
    fs::write(&events, "").unwrap();
    let replay = |more: &[&str]| {
        let mut replay = Command::new(env!("CARGO_BIN_EXE_sluice"));
        replay.args(["replay", "--rules"]).arg(&set).arg("--events").arg(&events).arg("--alerts");
        let output = replay.arg(folder.path().join("alerts")).args(more).output().unwrap();
        (passes(&output), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let without = || -> Vec<String> {
        let summary: serde_json::Value = serde_json::from_str(&replay(&["--json"]).0).unwrap();
        serde_json::from_value(summary["currencies_without_rate"].clone()).unwrap()
    };
    assert_eq!(without(), [""; 0]);
    assert!(!replay(&[]).1.contains("no rate"));
    let few = "about = \"x\"\n[[rate]]\neffective = \"2020-01-01\"\nsource = \"x\"\nhkd_for_one = { USD = \"7.8\" }\n";
    fs::write(set.join("reference/rates.toml"), few).unwrap();
    let codes = without();
    assert!(codes.contains(&"EGP".to_owned()) && codes.len() > 150, "{codes:?}");
    assert!(!codes.iter().any(|code| ["HKD", "USD"].contains(&code.as_str())), "{codes:?}");
    assert!(replay(&[]).1.contains("no rate is in force for AED, AFN"), "{}", replay(&[]).1);
}

/// How many alerts of each rule a replay under one set alone says.
fn alone(set: &Path, events: &Path) -> BTreeMap<String, usize> {
    let alerts = set.with_extension("alerts");
    let output = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["replay", "--json", "--rules"])
        .arg(set)
        .arg("--events")
        .arg(events)
        .arg("--alerts")
        .arg(&alerts)
        .output()
        .unwrap();
    passes(&output);
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(alerts).unwrap().lines() {
        let alert: serde_json::Value = serde_json::from_str(line).unwrap();
        *counts.entry(alert["rule_id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn a_backtest_says_what_each_set_says_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (active, candidate) = (folder.path().join("active"), folder.path().join("candidate"));
    for set in [&active, &candidate] {
        copy(&root().join("rules/packs/core"), &set.join("core"));
    }
    // A parameter of a rule that a typology weighs moves, another rule goes.
    let overlay = "[R08.payers_min]\nvalue = 3\nwhy = \"trial\"\nowner = \"MLRO\"\n";
    fs::write(candidate.join("parameters.toml"), overlay).unwrap();
    fs::remove_file(candidate.join("core/R57-beyond-profile.rhai")).unwrap();
    let events = folder.path().join("events.ndjson");
    let simulate = Command::new(env!("CARGO_BIN_EXE_sluice"))
        .args(["simulate", "--events", "20000", "--seed", "5", "--out"])
        .arg(&events)
        .output()
        .unwrap();
    passes(&simulate);
    let table = candidate.join("core/reference/trial.toml");
    let tables =
        ["", "about = \"x\"\n[[version]]\neffective = \"2026-01-01\"\nsource = \"x\"\nvalues = [\"KP\"]\n"];
    let expected = [alone(&active, &events), alone(&candidate, &events)];
    assert_ne!(expected[0], expected[1]);
    // In one pass, and, where tables differ, in two.
    for text in tables {
        if !text.is_empty() {
            fs::create_dir_all(table.parent().unwrap()).unwrap();
            fs::write(&table, text).unwrap();
        }
        let output = backtest(&active, &candidate).arg("--events").arg(&events).output().unwrap();
        let report: serde_json::Value = serde_json::from_str(&passes(&output)).unwrap();
        for (side, expected) in ["active", "candidate"].into_iter().zip(&expected) {
            let rules = report["rules"].as_object().unwrap();
            let said: BTreeMap<String, usize> = rules
                .iter()
                .map(|(rule, counts)| (rule.clone(), counts[side].as_u64().unwrap() as usize))
                .filter(|(_, count)| *count > 0)
                .collect();
            assert_eq!(&said, expected, "{side}");
        }
    }
}

#[test]
fn a_sweep_moves_a_parameter_over_labelled_history() {
    let folder = tempfile::tempdir().unwrap();
    let payment = |n: usize| {
        format!(
            "{{\"event_id\":\"{n}\",\"type\":\"payment\",\"status\":\"completed\",\"occurred_at\":\"2026-03-0{n}T08:00:00Z\",\
             \"amount\":{{\"value\":\"1.00\",\"currency\":\"HKD\"}},\"debtor\":{{\"account\":\"A{n}\"}},\"creditor\":{{\"account\":\"B\"}}}}\n"
        )
    };
    let label = |n: usize| format!("1,fan_in,A{n},B,2026-03-0{n}T08:00:00Z\n");
    let (events, groups) = (folder.path().join("events.ndjson"), folder.path().join("groups.csv"));
    fs::write(&events, (1..=5).map(payment).collect::<String>()).unwrap();
    let header = "alert_id,alert_type,orig_acct,bene_acct,tran_timestamp\n".to_owned();
    fs::write(&groups, format!("{header}{}", (1..=5).map(label).collect::<String>())).unwrap();
    let page = folder.path().join("page.html");
    let sweep = |vary: &str| {
        Command::new(env!("CARGO_BIN_EXE_sluice"))
            .args(["rules", "sweep", "--json", "--vary", vary, "--rules"])
            .arg(root().join("rules/packs/account-networks"))
            .arg("--events")
            .arg(&events)
            .arg("--groups")
            .arg(&groups)
            .arg("--html")
            .arg(&page)
            .output()
            .unwrap()
    };
    let curves: serde_json::Value = serde_json::from_str(&passes(&sweep("N02.new_payers_min=4,6"))).unwrap();
    let points = &curves[0]["points"];
    assert_eq!((&points[0]["caught"], &points[0]["alerts"]), (&1.into(), &1.into()), "{points}");
    assert_eq!((&points[1]["caught"], &points[1]["alerts"]), (&0.into(), &0.into()), "{points}");
    assert!(fs::read_to_string(&page).unwrap().contains("<svg"));
    assert_eq!(sweep("N02.no_such=1").status.code(), Some(1));
    assert_eq!(sweep("N99.new_payers_min=1").status.code(), Some(1));
}
