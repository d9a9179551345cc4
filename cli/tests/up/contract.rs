//! The contract of `sluice up --json`.

use std::{fs, path::Path, time::SystemTime};

use serde_json::{Value, json};
use sluice_model::EventTime;

use crate::process::{Client, Up, command, write_rules};

fn now() -> EventTime {
    let since = SystemTime::UNIX_EPOCH.elapsed().unwrap();
    EventTime::from_micros(i64::try_from(since.as_micros()).unwrap())
}

fn payment(id: &str, value: &str) -> Value {
    json!({
        "event_id": id, "occurred_at": now().to_string(), "amount": {"value": value, "currency": "HKD"},
        "debtor": {"customer_id": "C-1", "name": "Payer"}, "creditor": {"name": "Payee"},
    })
}

/// On a folder of rules.
fn start(data: &Path, rules: &Path) -> Up {
    let mut command = command(data);
    command.arg("--rules").arg(rules);
    Up::start(command).unwrap()
}

#[test]
fn it_takes_events_alerts_and_ends_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    write_rules(&rules);
    let start = || start(&data, &rules);
    let up = start();
    assert_eq!(up.ready["ready"], true);
    assert_eq!(up.ready["screening"], false, "no list is configured, and it says so");
    for field in ["url", "user", "password", "api_key"] {
        assert!(!up.ready[field].as_str().unwrap().is_empty(), "{field}");
    }
    let client = up.client();
    assert_eq!(client.anonymous().post("/v1/events", "application/json", "{}").unwrap().0, 401);
    let (status, answer) =
        client.post("/v1/events", "application/json", &payment("1", "1900.00").to_string()).unwrap();
    let taken_in = ["accepted", "pending"].map(|count| answer[count].as_u64().unwrap());
    assert_eq!((status, taken_in.iter().sum()), (202, 1));
    let (status, answer) =
        client.post("/v1/decisions", "application/json", &payment("2", "5000.00").to_string()).unwrap();
    assert_eq!((status, &answer["decision"]), (200, &json!("hold")));
    let (status, answer) =
        client.post("/v1/decisions", "application/json", &payment("3", "5.00").to_string()).unwrap();
    assert_eq!((status, &answer["decision"]), (200, &json!("allow")));
    let (status, _) = client.post("/v1/events", "application/json", "{").unwrap();
    assert_eq!(status, 422);

    // The case side reads the alerts as they come; each request gives it time.
    let alerts =
        std::iter::repeat_with(|| client.list("/v1/alerts")).find(|alerts| alerts.len() == 3).unwrap();
    let mut found: Vec<_> =
        alerts.iter().map(|a| (a["rule_id"].as_str().unwrap(), a["event_id"].as_str().unwrap())).collect();
    found.sort_unstable();
    assert_eq!(found, [("T01", "1"), ("T01", "2"), ("T02", "3")]);
    assert_eq!(client.list("/v1/dead-letters").len(), 1);

    let first_key = up.ready["api_key"].clone();
    assert_eq!(up.terminate().code(), Some(0));
    let up = start();
    assert_ne!(up.ready["api_key"], first_key, "a key lives as long as its process");
    assert_eq!(up.client().list("/v1/alerts").len(), 3);
    assert_eq!(up.terminate().code(), Some(0));
}

#[test]
fn a_saved_rule_applies_and_a_broken_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    write_rules(&rules);
    let mut command = command(&folder.path().join("data"));
    command.arg("--watch-rules").arg("--rules").arg(&rules);
    let up = Up::start(command).unwrap();
    let client = up.client();
    let n = std::cell::Cell::new(0);
    let decide = |value: &str| {
        n.set(n.get() + 1);
        let body = payment(&n.get().to_string(), value).to_string();
        client.post("/v1/decisions", "application/json", &body).unwrap().1["decision"].clone()
    };
    assert_eq!(decide("500.00"), "allow");
    let text = fs::read_to_string(rules.join("T01.rhai")).unwrap();
    fs::write(rules.join("T01.rhai"), text.replace("value: 1900", "value: 500")).unwrap();
    std::iter::repeat_with(|| decide("500.00")).find(|decision| decision == "hold").unwrap();
    fs::write(rules.join("T01.rhai"), "rule T01 #{").unwrap();
    fs::write(rules.join("T03.rhai"), "nonsense").unwrap();
    // Whether or not the folder was looked at yet: the last good rules judge on.
    assert!((0..200).all(|_| decide("500.00") == "hold"));
    assert_eq!(up.terminate().code(), Some(0));
}

#[test]
fn an_approved_rule_applies_to_the_next_payment_and_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    write_rules(&rules);
    let start = || start(&data, &rules);
    let n = std::cell::Cell::new(0);
    let decide = |up: &Up, value: &str| {
        n.set(n.get() + 1);
        let body = payment(&n.get().to_string(), value).to_string();
        up.client().post("/v1/decisions", "application/json", &body).unwrap().1["decision"].clone()
    };
    let up = start();
    // The key of the process writes, the operator approves: another person.
    let (writer, operator) = (up.client(), up.operator());
    let post = |client: &Client, path: &str, body: Value| {
        let (status, answer) = client.post(path, "application/json", &body.to_string()).unwrap();
        assert!((200..300).contains(&status), "{path}: {answer}");
        answer
    };
    let text = fs::read_to_string(rules.join("T01.rhai")).unwrap().replace("value: 1900", "value: 500");
    let files = json!([{ "path": "T01.rhai", "text": text }]);
    let proposed = post(&writer, "/v1/rules/versions", json!({ "rationale": "lower", "files": files }));
    let acts = format!("/v1/rules/versions/{}/actions", proposed["version_id"].as_str().unwrap());
    for action in ["approve", "activate"] {
        assert_eq!(decide(&up, "500.00"), "allow");
        post(&operator, &acts, json!({ "action": action, "reason": "a test" }));
    }
    std::iter::repeat_with(|| decide(&up, "500.00")).find(|decision| decision == "hold").unwrap();
    // By approval alone: a saved file changes nothing, now or at a restart.
    fs::write(rules.join("T01.rhai"), "rule T01 #{").unwrap();
    fs::remove_file(rules.join("T01.rhai")).unwrap();
    assert_eq!(up.terminate().code(), Some(0));
    let up = start();
    assert_eq!(decide(&up, "500.00"), "hold");
    post(&up.operator(), "/v1/rules/rollback", json!({ "reason": "a test" }));
    std::iter::repeat_with(|| decide(&up, "500.00")).find(|decision| decision == "allow").unwrap();
    assert_eq!(up.terminate().code(), Some(0));
}

#[test]
fn what_is_wrong_is_said_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    fs::create_dir_all(&rules).unwrap();
    fs::write(rules.join("T01.rhai"), "rule T01 #{").unwrap();
    let told = |args: &[&str]| {
        let mut command = command(&data);
        command.args(args).stderr(std::process::Stdio::piped());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = told(&["--rules", rules.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(said.contains("T01.rhai:1"), "{said}");
    let (code, said) = told(&["--lists", "/no/such/folder"]);
    assert_eq!(code, Some(1), "{said}");

    let up = Up::start(command(&data)).unwrap();
    let (code, said) = told(&[]);
    assert_eq!(code, Some(1));
    assert!(said.contains("in use"), "{said}");
    assert_eq!(up.terminate().code(), Some(0));
}

#[test]
fn a_demonstration_alerts_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(folder.path());
    command.arg("--demo");
    let up = Up::start(command).unwrap();
    assert_eq!(up.ready["screening"], true);
    let client = up.client();
    let (_, first) = std::iter::repeat_with(|| client.get("/v1/alerts?limit=1").unwrap())
        .find(|(_, page)| page["items"].as_array().is_some_and(|items| !items.is_empty()))
        .unwrap();
    assert!(first["items"][0]["alert_id"].is_string());
    let rules = client.list("/v1/rules");
    let unnamed: Vec<_> = rules.iter().filter(|rule| rule["file"] == "" || rule["text"] == "").collect();
    assert!(unnamed.is_empty(), "{unnamed:?}");
    assert!(rules.iter().any(|rule| rule["id"] == "T01"), "typologies too");
    assert_eq!(up.terminate().code(), Some(0));
}
