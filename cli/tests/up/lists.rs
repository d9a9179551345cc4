//! Lists as officers live with them: a false positive is suppressed, a new version meets known parties.

use std::{fs, path::Path, process::Command, time::SystemTime};

use serde_json::{Value, json};
use sluice_model::EventTime;

use crate::process::{Client, Up, command};

fn import(folder: &Path, names: &[&str]) {
    let file = folder.join("house.csv");
    let rows: String = names.iter().map(|name| format!("{name},{name}\n")).collect();
    fs::write(&file, format!("id,name\n{rows}")).unwrap();
    let mut import = Command::new(env!("CARGO_BIN_EXE_sluice"));
    import.args(["lists", "import", "--format", "csv", "--source", "house", "--json", "--lists"]);
    assert!(import.arg(folder.join("lists")).arg(&file).output().unwrap().status.success());
}

fn decide(client: &Client, id: &str, customer: &str, name: &str) -> Value {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    let body = json!({
        "event_id": id, "type": "withdrawal", "occurred_at": EventTime::from_micros(i64::try_from(now).unwrap()).to_string(),
        "amount": {"value": "10.00", "currency": "HKD"}, "debtor": {"customer_id": customer, "name": name},
    });
    let (status, answer) = client.post("/v1/decisions", "application/json", &body.to_string()).unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["decision"].clone()
}

fn alert_of(client: &Client, rule: &str) -> Value {
    let alerts = std::iter::repeat_with(|| client.list("/v1/alerts"));
    alerts.into_iter().find_map(|alerts| alerts.into_iter().find(|a| a["rule_id"] == rule)).unwrap()
}

#[test]
fn a_match_is_suppressed_and_a_new_version_meets_known_parties() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path(), &["Vasil Zorkin"]);
    let mut up = command(&folder.path().join("data"));
    up.arg("--lists").arg(folder.path().join("lists")).args(["--unnamed", "accept"]);
    let up = Up::start(up).unwrap();
    let (client, operator) = (up.client(), up.operator());
    assert_eq!(decide(&client, "1", "C-1", "Pia Halvorsen"), "allow");
    assert_eq!(decide(&client, "2", "C-2", "Vasil Zorkin"), "hold");

    let alert = alert_of(&client, "R60");
    assert_eq!(alert["matches"][0]["party"], json!({"kind": "customer", "value": "C-2"}));
    let proposal = json!({
        "case_id": alert["case_id"], "party": alert["matches"][0]["party"], "list": "house",
        "entry_id": "Vasil Zorkin", "disposition": "FP-DOB", "reason": "born 1990, the listed man 1951",
    });
    let post = |client: &Client, path: &str, body: &Value| {
        client.post(path, "application/json", &body.to_string()).unwrap()
    };
    let (status, proposed) = post(&client, "/v1/suppressions", &proposal);
    assert_eq!(status, 201, "{proposed}");
    assert_eq!(decide(&client, "3", "C-2", "Vasil Zorkin"), "hold", "a proposal changes nothing");
    let approve = format!("/v1/suppressions/{}/approve", proposed["suppression_id"].as_str().unwrap());
    assert_eq!(post(&client, &approve, &json!({})).0, 403, "nobody approves their own");
    let (status, approved) = post(&operator, &approve, &json!({}));
    assert_eq!(
        (status, &approved["in_force"], &approved["control"]),
        (200, &json!(true), &json!("delivered"))
    );
    assert_eq!(decide(&client, "4", "C-2", "Vasil Zorkin"), "allow", "the next payment applies it");
    assert_eq!(decide(&client, "5", "C-3", "Vasil Zorkin"), "hold", "another customer's does not");

    import(folder.path(), &["Vasil Zorkin", "Pia Halvorsen"]);
    let alert = alert_of(&client, "ENGINE-RESCREEN");
    assert_eq!(alert["key"], json!({"kind": "customer", "value": "C-1"}));
    assert_eq!(
        (&alert["cause"]["kind"], &alert["cause"]["entry_id"]),
        (&json!("rescreen"), &json!("Pia Halvorsen"))
    );
    assert!(alert["case_id"].is_string());
    let lists = client.list("/v1/lists");
    assert_eq!(lists[0]["rescreened"], json!({"checked": 3, "entries": 1, "alerts": 1, "left_out": 0}));
    assert_eq!(decide(&client, "6", "C-2", "Vasil Zorkin"), "allow", "its entry has not changed");
    assert_eq!(up.terminate().code(), Some(0));
}

/// A list that nobody has checked for longer than `--list-age-max` screens nothing whole: what it would have cleared is held,
/// until it is checked again.
#[test]
fn a_list_that_is_too_old_holds_until_it_is_checked_again() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path(), &["Vasil Zorkin"]);
    let checked = folder.path().join("lists/checked/house.json");
    fs::write(&checked, format!("{}\n", json!({"at": "2026-01-01T00:00:00Z"}))).unwrap();
    let mut up = command(&folder.path().join("data"));
    up.arg("--lists").arg(folder.path().join("lists"));
    up.args(["--unnamed", "accept", "--list-age-max", "30d"]);
    let up = Up::start(up).unwrap();
    let client = up.client();
    assert_eq!(decide(&client, "1", "C-1", "Pia Halvorsen"), "hold");
    assert_eq!(alert_of(&client, "ENGINE-NOT-SCREENED")["payment_id"], "1");
    import(folder.path(), &["Vasil Zorkin"]);
    let decisions = (2..).map(|n: u64| decide(&client, &n.to_string(), "C-1", "Pia Halvorsen"));
    assert!(decisions.into_iter().any(|decision| decision == "allow"));
    assert_eq!(up.terminate().code(), Some(0));
}
