//! Stores that do not belong together: a log that lost its tail, an older copy put back, another folder's database. Each is named and refused, and
//! goes on only when it is accepted, on record. A process that was killed leaves nothing to refuse.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::process::{Client, Up, command, write_rules};

/// The exit code of a failed check.
const FAILED_CHECK: Option<i32> = Some(2);

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to)
        } else {
            fs::copy(entry.path(), to).map(|_| ()).unwrap()
        }
    }
}

/// What is done to a store, by name.
type Case<'a> = (&'a str, &'a dyn Fn(&Path));

/// How a start ended that must not succeed, and what it said.
fn ended(mut command: Command) -> (Option<i32>, String) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    if !ready.is_empty() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(ready.is_empty(), "it started: {said}");
    (output.status.code(), said)
}

fn payment(id: &str, value: &str) -> String {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = sluice_model::EventTime::from_micros(i64::try_from(since.as_micros()).unwrap());
    json!({
        "event_id": id, "occurred_at": now.to_string(), "amount": {"value": value, "currency": "HKD"},
        "debtor": {"customer_id": "C-1", "name": "Payer"}, "creditor": {"name": "Payee"},
    })
    .to_string()
}

fn decide(client: &Client, id: &str, value: &str) -> Value {
    let (status, answer) = client.post("/v1/decisions", "application/json", &payment(id, value)).unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["decision"].clone()
}

/// Wait until the case side has so many alerts; each request gives it time.
fn alerts(client: &Client, count: usize) {
    std::iter::repeat_with(|| client.list("/v1/alerts").len()).find(|held| *held >= count).unwrap();
}

/// A data folder at two moments: `older`, after a clean stop, and `newer`, some alerts and a freeze later, as a kill
/// left it.
struct Moments {
    folder: tempfile::TempDir,
    older: PathBuf,
    newer: PathBuf,
}

impl Moments {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, older, newer) =
            (folder.path().join("data"), folder.path().join("older"), folder.path().join("newer"));
        write_rules(&folder.path().join("rules"));
        let moments = Self { folder, older, newer };
        let up = moments.start(&data, &[]).unwrap();
        assert_eq!(decide(&up.client(), "1", "5000.00"), "hold");
        alerts(&up.client(), 1);
        let freeze = json!({"action": "freeze", "reason": "because"}).to_string();
        let frozen = |client: &Client, case: &str| {
            let answer =
                client.post(&format!("/v1/cases/{case}/actions"), "application/json", &freeze).unwrap();
            assert_eq!((answer.0, &answer.1["control"]), (200, &json!("delivered")), "{}", answer.1);
        };
        let case = up.client().list("/v1/cases")[0]["case_id"].as_str().unwrap().to_owned();
        assert_eq!(up.terminate().code(), Some(0));
        copy(&data, &moments.older);

        let up = moments.start(&data, &[]).unwrap();
        assert_eq!(decide(&up.client(), "2", "5000.00"), "hold");
        alerts(&up.client(), 2);
        frozen(&up.client(), &case);
        assert_eq!(decide(&up.client(), "3", "1.00"), "reject");
        up.kill();
        copy(&data, &moments.newer);
        moments
    }

    fn command(&self, data: &Path, args: &[&str]) -> Command {
        let mut command = command(data);
        command.arg("--rules").arg(self.folder.path().join("rules")).args(args);
        command
    }

    fn start(&self, data: &Path, args: &[&str]) -> Option<Up> {
        Up::start(self.command(data, args))
    }

    /// The newer moment with something done to it.
    fn changed(&self, change: impl FnOnce(&Path)) -> PathBuf {
        let data = self.folder.path().join("changed");
        let _ = fs::remove_dir_all(&data);
        copy(&self.newer, &data);
        change(&data);
        data
    }

    /// What a start says that must be refused.
    fn refused(&self, data: &Path) -> String {
        let (code, said) = ended(self.command(data, &[]));
        assert_eq!(code, FAILED_CHECK, "{said}");
        assert!(said.contains("--accept-loss"), "{said}");
        said
    }

    /// Put a store of the older moment back, alone.
    fn put_back(&self, data: &Path, file: &str) {
        for more in ["-wal", "-shm"] {
            let _ = fs::remove_file(data.join(format!("{file}{more}")));
            assert!(!self.older.join(format!("{file}{more}")).exists(), "a clean stop leaves one file");
        }
        fs::copy(self.older.join(file), data.join(file)).unwrap();
    }

    /// Going on is possible, and on record; the next start has nothing to say.
    fn accepted(&self, data: &Path, store: &str) {
        let up = self.start(data, &["--accept-loss"]).unwrap_or_else(|| panic!("an accepted loss starts"));
        let audit = up.client().get("/v1/audit?limit=1000").unwrap().1;
        let leaf =
            audit["items"].as_array().unwrap().iter().find(|entry| entry["act"] == "accept_loss").unwrap();
        assert_eq!((&leaf["kind"], &leaf["actor"]), (&json!("configuration"), &json!("--accept-loss")));
        // What the cases still have of a freeze is applied again, once it is delivered.
        if store == "log" {
            let n = std::cell::Cell::new(0);
            let next = || {
                n.set(n.get() + 1);
                decide(&up.client(), &format!("after-{}", n.get()), "1.00")
            };
            std::iter::repeat_with(next).find(|decision| decision == "reject").unwrap();
        }
        assert_eq!(up.terminate().code(), Some(0));
        let up = self.start(data, &[]).unwrap_or_else(|| panic!("what was accepted is accepted"));
        assert_eq!(up.terminate().code(), Some(0));
    }
}

#[test]
fn a_process_that_was_killed_starts_again_without_a_word() {
    let moments = Moments::make();
    let up = moments.start(&moments.changed(|_| ()), &[]).expect("a crash is no loss");
    assert_eq!(decide(&up.client(), "4", "1.00"), "reject", "the freeze stands");
    assert_eq!(up.terminate().code(), Some(0));
    // So does one that was stopped, and one whose mark is an older version's: none.
    let data = moments.changed(|data| fs::remove_file(data.join("log/ends")).unwrap());
    assert_eq!(moments.start(&data, &[]).unwrap().terminate().code(), Some(0));
}

#[test]
fn a_log_that_lost_its_tail_is_refused_and_says_what_is_missing() {
    let moments = Moments::make();
    let wal = |data: &Path| data.join("log/log.sqlite-wal");
    let deleted = |data: &Path| fs::remove_file(wal(data)).unwrap();
    let cut = |data: &Path| {
        let bytes = fs::read(wal(data)).unwrap();
        fs::write(wal(data), &bytes[..bytes.len() / 3]).unwrap();
    };
    let older = |data: &Path| moments.put_back(data, "log/log.sqlite");
    let gone = |data: &Path| fs::remove_dir_all(data.join("log")).unwrap();
    let cases: [Case<'_>; 4] = [("deleted", &deleted), ("cut", &cut), ("older", &older), ("gone", &gone)];
    for (name, lose) in cases {
        let said = moments.refused(&moments.changed(lose));
        assert!(said.contains("log: sluice.payments/0 ends at offset") || name == "gone", "{name}: {said}");
        // The case database alone knows it too.
        let blind = moments.changed(|data| {
            lose(data);
            let _ = fs::remove_file(data.join("log/ends"));
        });
        let said = moments.refused(&blind);
        assert!(
            said.contains("log: 1 control records that cases.sqlite has delivered are missing"),
            "{name}: {said}"
        );
        if name != "cut" {
            assert!(said.contains("log: sluice.alerts/0 ends at offset"), "{name}: {said}");
        }
    }
    // Only the engine's snapshots know: the case database is as old as the log.
    let data = moments.changed(|data| {
        older(data);
        moments.put_back(data, "cases.sqlite");
        fs::remove_file(data.join("log/ends")).unwrap();
        let newest = data.join("snapshots/engine/00000000000000999999.snapshot");
        fs::write(newest, "of a future that is not on the log").unwrap();
    });
    let said = moments.refused(&data);
    assert!(said.contains("log: the engine had committed sluice.payments/0 up to offset 999999"), "{said}");
    moments.accepted(&data, "snapshots");

    let data = moments.changed(older);
    moments.accepted(&data, "log");
}

#[test]
fn an_older_case_database_is_refused_and_says_what_is_missing() {
    let moments = Moments::make();
    let older = |data: &Path| moments.put_back(data, "cases.sqlite");
    let gone = |data: &Path| {
        for file in ["cases.sqlite", "cases.sqlite-wal", "cases.sqlite-shm"] {
            let _ = fs::remove_file(data.join(file));
        }
    };
    let cases: [Case<'_>; 2] = [("older", &older), ("gone", &gone)];
    for (name, lose) in cases {
        let data = moments.changed(lose);
        let said = moments.refused(&data);
        assert!(said.contains("cases.sqlite: its outbox ends at number"), "{name}: {said}");
        if name == "gone" {
            assert!(said.contains("cases.sqlite: it holds 0 leaves of evidence"), "{said}");
        }
        moments.accepted(&data, "cases.sqlite");
    }
}

#[test]
fn the_case_database_of_another_folder_is_refused() {
    let moments = Moments::make();
    let other = moments.folder.path().join("other");
    assert_eq!(moments.start(&other, &[]).unwrap().terminate().code(), Some(0));
    fs::copy(moments.older.join("cases.sqlite"), other.join("cases.sqlite")).unwrap();
    let said = moments.refused(&other);
    assert!(said.contains("cases.sqlite: this database belongs to another data folder"), "{said}");
    moments.accepted(&other, "cases.sqlite");
}

#[test]
fn a_damaged_store_is_refused_and_cannot_be_accepted() {
    let moments = Moments::make();
    let stopped = moments.changed(|_| ());
    assert_eq!(moments.start(&stopped, &[]).unwrap().terminate().code(), Some(0));
    for file in ["log/log.sqlite", "cases.sqlite"] {
        let data = moments.folder.path().join("damaged");
        let _ = fs::remove_dir_all(&data);
        copy(&stopped, &data);
        let mut bytes = fs::read(data.join(file)).unwrap();
        // Every page but the first: whatever is looked at is not what it was.
        for page in bytes.chunks_mut(4_096).skip(1) {
            page[..8].fill(0xff);
        }
        fs::write(data.join(file), bytes).unwrap();
        let (code, said) = ended(moments.command(&data, &["--accept-loss"]));
        assert_eq!(code, FAILED_CHECK, "{file}: {said}");
        assert!(said.contains("damaged") || said.contains("malformed"), "{file}: {said}");
    }
}
