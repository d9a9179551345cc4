//! A version is back-tested over the log of the running process, before anybody approves it.

use std::fs;

use serde_json::{Value, json};

use crate::process::{Up, command, write_rules};

#[test]
fn a_version_is_back_tested_over_what_the_process_has_judged() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    write_rules(&rules);
    let mut up = command(&data);
    up.arg("--rules").arg(&rules);
    let up = Up::start(up).unwrap();
    let client = up.client();
    let post = |path: &str, body: Value| {
        let (status, answer) = client.post(path, "application/json", &body.to_string()).unwrap();
        assert!((200..300).contains(&status), "{path}: {answer}");
        answer
    };
    for (minute, amount) in ["499.99", "500.00", "1900.00", "5000.00"].into_iter().enumerate() {
        let payment = json!({
            "event_id": format!("E{minute}"), "occurred_at": format!("2026-03-02T08:0{minute}:00Z"),
            "amount": {"value": amount, "currency": "HKD"}, "debtor": {"customer_id": "C-1"},
        });
        post("/v1/decisions", payment);
    }

    let text = fs::read_to_string(rules.join("T01.rhai")).unwrap().replace("value: 1900", "value: 500");
    let files = json!([{ "path": "T01.rhai", "text": text }]);
    let proposed = post("/v1/rules/versions", json!({ "rationale": "lower", "files": files }));
    let version = format!("/v1/rules/versions/{}", proposed["version_id"].as_str().unwrap());
    post(&format!("{version}/backtest"), json!({}));
    let (_, tested) = std::iter::repeat_with(|| client.get(&version).unwrap())
        .find(|(_, version)| version["backtesting"] == false)
        .unwrap();
    let report = &tested["backtest"];
    assert_eq!(report["failed"], Value::Null);
    assert_eq!((&report["events"], &report["complete"]), (&json!(4), &json!(true)), "{report}");
    // What was held already is held for another reason: its words name the limit.
    let rules = json!({
        "T01": {"active": 2, "candidate": 3, "appears": 1, "disappears": 0, "changes": 2},
        "T02": {"active": 1, "candidate": 1, "appears": 0, "disappears": 0, "changes": 0},
    });
    assert_eq!(report["rules"], rules, "{report}");
    let appears = report["appears"].as_array().unwrap().iter().map(|alert| &alert["event_id"]);
    assert_eq!(appears.collect::<Vec<_>>(), ["E1"]);
    assert_eq!(report["disappears"], json!([]));
    assert_eq!(up.terminate().code(), Some(0));
}
