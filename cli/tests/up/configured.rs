//! What is configured never becomes less by itself: deleted, emptied and left-out configuration.

use std::{fs, path::Path, process::Command, time::SystemTime};

use serde_json::{Value, json};
use sluice_model::EventTime;

use crate::process::{Client, Up, command, write_rules};

fn import(folder: &Path, source: &str, names: &[&str]) {
    let file = folder.join(format!("{source}.csv"));
    let rows: String = names.iter().map(|name| format!("{name},{name}\n")).collect();
    fs::write(&file, format!("id,name\n{rows}")).unwrap();
    let mut import = Command::new(env!("CARGO_BIN_EXE_sluice"));
    import.args(["lists", "import", "--format", "csv", "--source", source, "--json", "--lists"]);
    assert!(import.arg(folder.join("lists")).arg(&file).output().unwrap().status.success());
}

fn decide(client: &Client, name: &str) -> Value {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    let at = EventTime::from_micros(i64::try_from(now).unwrap());
    let body = json!({
        "event_id": format!("{name}-{now}"), "occurred_at": at.to_string(),
        "amount": {"value": "10.00", "currency": "HKD"},
        "debtor": {"customer_id": name, "name": name}, "creditor": {"name": "Pia Halvorsen"},
    });
    let (status, answer) = client.post("/v1/decisions", "application/json", &body.to_string()).unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["decision"].clone()
}

/// Wait until readiness is as wanted; what it says.
fn ready(client: &Client, wanted: u16) -> String {
    let asked = std::iter::repeat_with(|| client.get("/readyz").unwrap());
    let (_, answer) = asked.into_iter().find(|(status, _)| *status == wanted).unwrap();
    answer["status"].as_str().unwrap().to_owned()
}

fn acts(client: &Client) -> Vec<String> {
    client.list("/v1/audit").iter().map(|entry| entry["act"].as_str().unwrap().to_owned()).collect()
}

fn post(client: &Client, path: &str, body: &Value) -> (u16, Value) {
    client.post(path, "application/json", &body.to_string()).unwrap()
}

#[test]
fn a_list_that_is_gone_goes_on_until_two_persons_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let lists = folder.path().join("lists");
    import(folder.path(), "house", &["Vasil Zorkin"]);
    let start = |with_lists: bool| {
        let mut up = command(&folder.path().join("data"));
        if with_lists {
            up.arg("--lists").arg(&lists);
        }
        Up::start(up).unwrap()
    };
    let up = start(true);
    assert_eq!(decide(&up.client(), "Vasil Zorkin"), "hold");
    assert_eq!(ready(&up.client(), 200), "ok");
    assert!(acts(&up.client()).contains(&"list_version".to_owned()));

    // Emptied, damaged and deleted while it runs: screening goes on, and it says so.
    let active = fs::read(lists.join("active.json")).unwrap();
    for broken in [Some("{}"), Some("{"), None] {
        match broken {
            Some(text) => fs::write(lists.join("active.json"), text).unwrap(),
            None => fs::remove_file(lists.join("active.json")).unwrap(),
        }
        ready(&up.client(), 503);
        assert_eq!(decide(&up.client(), "Vasil Zorkin"), "hold");
        fs::write(lists.join("active.json"), &active).unwrap();
        assert_eq!(ready(&up.client(), 200), "ok", "it is back");
    }
    assert_eq!(up.terminate().code(), Some(0));

    // Left out at the next start, and then the folder is emptied.
    let up = start(false);
    assert_eq!(up.ready["screening"], true);
    assert!(up.ready["notices"][0].as_str().unwrap().contains("house"), "{}", up.ready);
    assert!(ready(&up.client(), 503).contains("the list house is gone"));
    assert_eq!(decide(&up.client(), "Vasil Zorkin"), "hold");
    assert_eq!(up.terminate().code(), Some(0));
    fs::remove_dir_all(&lists).unwrap();
    fs::create_dir_all(&lists).unwrap();
    let up = start(true);
    let (client, operator) = (up.client(), up.operator());
    assert!(ready(&client, 503).contains("the list house is gone"));
    assert_eq!(decide(&client, "Vasil Zorkin"), "hold");

    // Two persons end it.
    let open = client.list("/v1/configuration").into_iter().find(|c| c["state"] == "found").unwrap();
    let path = format!("/v1/configuration/{}/actions", open["configuration_id"].as_str().unwrap());
    let act = |action: &str| json!({"action": action, "reason": "the list is withdrawn"});
    assert_eq!(post(&client, &path, &act("propose")).0, 200);
    assert_eq!(post(&client, &path, &act("approve")).0, 403, "nobody approves their own");
    assert_eq!(decide(&client, "Vasil Zorkin"), "hold");
    assert_eq!(post(&operator, &path, &act("approve")).0, 200);
    ready(&client, 200);
    assert_eq!(decide(&client, "Vasil Zorkin"), "allow");
    for act in ["propose_configuration", "approve_configuration", "configuration_less", "configuration_whole"]
    {
        assert!(acts(&client).contains(&act.to_owned()), "{act}");
    }
    assert_eq!(up.terminate().code(), Some(0));
}

#[test]
fn a_list_of_its_own_goes_on_while_another_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let lists = folder.path().join("lists");
    import(folder.path(), "house", &["Vasil Zorkin"]);
    import(folder.path(), "other", &["Igor Malenko"]);
    let mut up = command(&folder.path().join("data"));
    up.arg("--lists").arg(&lists);
    let up = Up::start(up).unwrap();
    let active: Value = serde_json::from_slice(&fs::read(lists.join("active.json")).unwrap()).unwrap();
    fs::write(lists.join("active.json"), json!({"house": active["house"]}).to_string()).unwrap();
    ready(&up.client(), 503);
    import(folder.path(), "house", &["Vasil Zorkin", "Nadia Petrel"]);
    let client = up.client();
    std::iter::repeat_with(|| decide(&client, "Nadia Petrel")).find(|decision| decision == "hold").unwrap();
    assert_eq!(decide(&client, "Igor Malenko"), "hold");
    assert_eq!(up.terminate().code(), Some(0));
}

#[test]
fn a_list_has_an_age() {
    let folder = tempfile::tempdir().unwrap();
    import(folder.path(), "house", &["Vasil Zorkin"]);
    let start = |limit: &str| {
        let mut up = command(&folder.path().join("data"));
        up.arg("--lists").arg(folder.path().join("lists")).arg("--list-age-max").arg(limit);
        Up::start(up).unwrap()
    };
    let up = start("12h");
    let metrics = up.client().get("/metrics").unwrap().1;
    assert!(metrics.as_str().unwrap().contains("sluice_lists_age_seconds{source=\"house\"}"), "{metrics}");
    assert!(up.client().list("/v1/lists")[0]["checked_at"].is_string());
    assert_eq!(up.terminate().code(), Some(0));
    let up = start("never");
    assert!(ready(&up.client(), 503).contains("older than 12h"), "a longer limit is less");
    assert_eq!(up.terminate().code(), Some(0));
    // A list that nobody checks for longer than the limit.
    let checked = folder.path().join("lists/checked/house.json");
    fs::write(&checked, r#"{"at":"2020-01-01T00:00:00Z"}"#).unwrap();
    let up = start("6h");
    let notices = up.ready["notices"].to_string();
    assert!(notices.contains("beyond its limit of 6h"), "{notices}");
    assert_eq!(up.terminate().code(), Some(0));
}

#[test]
fn rules_never_become_none() {
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    let empty = folder.path().join("empty");
    fs::create_dir_all(&empty).unwrap();
    let with = |args: &[&str]| {
        let mut command = command(&data);
        command.args(args);
        command
    };
    let mut first = with(&["--rules", empty.to_str().unwrap()]);
    assert_eq!(first.output().unwrap().status.code(), Some(1), "nothing would be watched");
    write_rules(&rules);
    let rules = rules.to_str().unwrap();
    let up = Up::start(with(&["--rules", rules])).unwrap();
    assert_eq!((&up.ready["rules_watched"], &up.ready["rules"]), (&json!(false), &json!(2)));
    assert_eq!(up.terminate().code(), Some(0));

    // By approval: another folder changes nothing, and that it differs is told.
    let up = Up::start(with(&["--rules", empty.to_str().unwrap()])).unwrap();
    assert_eq!(up.ready["rules"], 2);
    assert!(up.ready["notices"].to_string().contains("differs"), "{}", up.ready);
    assert_eq!(ready(&up.client(), 200), "ok");
    assert_eq!(up.terminate().code(), Some(0));

    // Watched: for development, and it says so. An empty folder is refused even then.
    let up = Up::start(with(&["--watch-rules", "--rules", rules])).unwrap();
    assert_eq!(up.ready["rules_watched"], true);
    assert!(up.ready["notices"].to_string().contains("For development"), "{}", up.ready);
    let text = fs::read(Path::new(rules).join("T01.rhai")).unwrap();
    fs::rename(rules, folder.path().join("aside")).unwrap();
    fs::create_dir(rules).unwrap();
    assert!(ready(&up.client(), 503).contains("no rule"));
    assert_eq!(up.client().list("/v1/rules").len(), 2);
    fs::write(Path::new(rules).join("T01.rhai"), text).unwrap();
    assert_eq!(ready(&up.client(), 200), "ok");
    assert_eq!(up.client().list("/v1/rules").len(), 1, "a single rule may go");
    // Its leaves follow what is in force.
    for act in ["configuration_less", "configuration_whole"] {
        std::iter::repeat_with(|| acts(&up.client()))
            .find(|acts| acts.iter().any(|told| told == act))
            .unwrap();
    }
    assert_eq!(up.terminate().code(), Some(0));
}

#[test]
fn a_demonstration_says_so_and_its_people_stay_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let start = |demo: bool| {
        let mut up = command(folder.path());
        if demo {
            up.arg("--demo");
        }
        Up::start(up).unwrap()
    };
    let up = start(true);
    assert_eq!(up.ready["demo"], true);
    assert!(up.ready["notices"][0].as_str().unwrap().contains("demonstration"));
    let mei = up.ready["people"].as_array().unwrap().iter().find(|p| p["user"] == "mei").unwrap().clone();
    let sign_in = |up: &Up| {
        let body = json!({"user": mei["user"], "password": mei["password"]});
        post(&up.client().anonymous(), "/v1/sessions", &body).0
    };
    assert_eq!(sign_in(&up), 201);
    assert_eq!(up.terminate().code(), Some(0));
    let up = start(false);
    assert_eq!((&up.ready["demo"], sign_in(&up)), (&json!(false), 401));
    assert!(up.ready["notices"].to_string().contains("demonstration"), "{}", up.ready);
    assert_eq!(up.terminate().code(), Some(0));
}

/// Log lines are read by machines as well as by people.
#[test]
fn log_lines_are_json_where_asked_and_never_coloured_in_a_file() {
    for format in ["text", "json"] {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log.txt");
        let mut up = command(&folder.path().join("data"));
        up.args(["--log", format]).env("SLUICE_LOG", "info").stderr(fs::File::create(&log).unwrap());
        assert_eq!(Up::start(up).unwrap().terminate().code(), Some(0));
        let lines = fs::read_to_string(log).unwrap();
        assert!(lines.lines().count() > 0 && !lines.contains('\u{1b}'), "{lines}");
        if format == "json" {
            for line in lines.lines() {
                let line: Value = serde_json::from_str(line).unwrap();
                assert!(line["level"].is_string() && line["message"].is_string(), "{line}");
            }
        }
    }
}
