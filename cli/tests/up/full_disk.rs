//! A disk that fills while the process runs: 507, not ready, nothing acknowledged lost, and on it goes once there is room.

use std::{fs, process::Stdio};

use serde_json::json;
use sluice_log::{EmbeddedLog, Log, ReadLimit, Topic};

use crate::{
    process::{Up, command, write_rules},
    small_disk::SmallDisk,
};

/// Payments of one request: enough bytes to need room each time.
fn payments(request: usize) -> (Vec<String>, String) {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = sluice_model::EventTime::from_micros(i64::try_from(since.as_micros()).unwrap());
    let ids: Vec<String> = (0..50).map(|n| format!("E-{request}-{n}")).collect();
    let line = |id: &String| {
        json!({
            "event_id": id, "occurred_at": now.to_string(), "amount": {"value": "5000.00", "currency": "HKD"},
            "debtor": {"customer_id": "C-1", "name": "Payer"}, "creditor": {"name": "Payee"},
            "remittance": "x".repeat(100),
        })
        .to_string()
    };
    let lines: Vec<String> = ids.iter().map(line).collect();
    (ids, lines.join("\n"))
}

#[test]
fn a_full_disk_is_507_and_passes_without_a_restart() {
    let Some(disk) = SmallDisk::mount(96) else { return };
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (disk.path().join("data"), folder.path().join("rules"));
    write_rules(&rules);
    let start = || {
        let mut command = command(&data);
        command.env("SLUICE_LOG", "off").arg("--rules").arg(&rules);
        command
    };
    let up = Up::start(start()).unwrap();
    let client = up.client();
    let mut acknowledged = Vec::new();
    let mut request = 0;
    let mut post = || {
        request += 1;
        let (ids, body) = payments(request);
        let (status, answer) = client.post("/v1/events", "application/x-ndjson", &body).unwrap();
        if status == 202 {
            acknowledged.extend(ids);
        }
        (status, answer)
    };
    assert_eq!(post().0, 202);
    std::iter::repeat_with(|| client.list("/v1/cases")).find(|cases| !cases.is_empty()).unwrap();
    let comment = || {
        let act = json!({"action": "comment", "text": "long ".repeat(700)}).to_string();
        client.post("/v1/cases/CASE-000001/actions", "application/json", &act).unwrap().0
    };
    assert_eq!(comment(), 200);

    let ballast = disk.fill(0);
    let (status, answer) = std::iter::repeat_with(&mut post).find(|(status, _)| *status != 202).unwrap();
    assert_eq!((status, &answer["code"]), (507, &json!("disk_full")), "{answer}");
    assert_eq!(std::iter::repeat_with(comment).find(|status| *status != 200).unwrap(), 507);
    let (status, why) = client.get("/readyz").unwrap();
    assert_eq!(status, 503, "{why}");
    assert_eq!(client.get("/v1/alerts").unwrap().0, 200, "reading goes on");

    fs::remove_file(ballast).unwrap();
    std::iter::repeat_with(&mut post).find(|(status, _)| *status == 202).unwrap();
    assert_eq!(comment(), 200);
    std::iter::repeat_with(|| client.get("/readyz").unwrap()).find(|(status, _)| *status == 200).unwrap();
    // Every payment alerts once: all that were acknowledged are judged, and reach the officers.
    let expected = acknowledged.len();
    std::iter::repeat_with(|| client.list("/v1/holds").len()).find(|held| *held >= expected).unwrap();
    assert_eq!(up.terminate().code(), Some(0));

    let log = EmbeddedLog::open(&data.join("log")).unwrap();
    assert_eq!(log.lost(), []);
    let all = ReadLimit { records: usize::MAX, bytes: usize::MAX };
    let there: String = log
        .read(Topic::Payments.partition(0), 0, all)
        .unwrap()
        .iter()
        .map(|record| String::from_utf8_lossy(&record.value).into_owned())
        .collect();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !there.contains(&format!("\"{id}\""))).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    drop(log);

    // A start that finds nearly nothing says so, and leaves everything as it is.
    let ballast = disk.fill(1024 * 1024);
    let output = start().stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("are left on the disk of"), "{said}");
    fs::remove_file(ballast).unwrap();
    assert_eq!(Up::start(start()).unwrap().terminate().code(), Some(0));
}
