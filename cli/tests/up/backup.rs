//! `sluice backup` and `sluice restore`: of a running service and a stopped one, and archives that are not what they say.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use sluice_model::{EventTime, Hash256};
use tempfile::TempDir;

use crate::{
    process::{Client, Up, command, write_rules},
    small_disk::SmallDisk,
};

const DONE: Option<i32> = Some(0);
const USERS_ERROR: Option<i32> = Some(1);
const FAILED_CHECK: Option<i32> = Some(2);

fn payment(id: &str, customer: &str, value: &str) -> String {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now = EventTime::from_micros(i64::try_from(since.as_micros()).unwrap());
    json!({
        "event_id": id, "occurred_at": now.to_string(), "amount": {"value": value, "currency": "HKD"},
        "debtor": {"customer_id": customer, "name": "Payer"}, "creditor": {"name": "Payee"},
    })
    .to_string()
}

fn decide(client: &Client, id: &str, customer: &str, value: &str) -> Value {
    let body = payment(id, customer, value);
    let (status, answer) = client.post("/v1/decisions", "application/json", &body).unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["decision"].clone()
}

fn act(client: &Client, case: &str, act: &Value) {
    let path = format!("/v1/cases/{case}/actions");
    let (status, answer) = client.post(&path, "application/json", &act.to_string()).unwrap();
    assert_eq!(status, 200, "{answer}");
}

fn start(folder: &Path, data: &Path) -> Up {
    let mut command = command(data);
    command.arg("--rules").arg(folder.join("rules"));
    Up::start(command).unwrap()
}

fn backup(data: &Path, out: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.args(["backup", "--json", "--data"]).arg(data).arg("--out").arg(out).args(more);
    command.env_remove("SLUICE_DATABASE").output().unwrap()
}

fn restore(from: &Path, data: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command.args(["restore", "--json", "--from"]).arg(from).arg("--data").arg(data).args(more);
    command.output().unwrap()
}

/// What a command said that did as asked.
fn done(output: &Output) -> Value {
    assert_eq!(output.status.code(), DONE, "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a command said, all of it, that did not.
fn refused(output: &Output, code: Option<i32>) -> String {
    let said = [&*output.stdout, &*output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(output.status.code(), code, "{said}");
    said
}

/// What is in a folder, whatever its name begins with.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Items of a list by their id.
fn by_id(client: &Client, list: &str, id: &str) -> BTreeMap<String, Value> {
    client.list(list).into_iter().map(|item| (item[id].as_str().unwrap().to_owned(), item)).collect()
}

/// Whether all of one map is in another, as it was.
fn holds(all: &BTreeMap<String, Value>, some: &BTreeMap<String, Value>) -> bool {
    some.iter().all(|(id, item)| all.get(id) == Some(item))
}

/// A data folder with an alert, a case, a comment and a freeze, stopped.
struct Stopped {
    folder: TempDir,
    data: PathBuf,
}

impl Stopped {
    fn make() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        write_rules(&folder.path().join("rules"));
        let up = start(folder.path(), &data);
        let client = up.client();
        assert_eq!(decide(&client, "1", "C-1", "5000.00"), "hold");
        let case =
            std::iter::repeat_with(|| client.list("/v1/cases")).find(|cases| !cases.is_empty()).unwrap();
        let case = case[0]["case_id"].as_str().unwrap();
        act(&client, case, &json!({"action": "comment", "text": "looked at it"}));
        act(&client, case, &json!({"action": "freeze", "reason": "because"}));
        assert_eq!(up.terminate().code(), DONE);
        Self { folder, data }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn backup(&self) -> PathBuf {
        let out = self.path("backup");
        done(&backup(&self.data, &out, &[]));
        out
    }
}

#[test]
fn a_running_service_is_backed_up_under_load_and_goes_on_from_the_copy() {
    const BACKUPS: usize = 4;
    let folder = tempfile::tempdir().unwrap();
    let (data, rules) = (folder.path().join("data"), folder.path().join("rules"));
    write_rules(&rules);
    let up = start(folder.path(), &data);
    let client = up.client();
    assert_eq!(decide(&client, "first", "first", "5000.00"), "hold");
    let case = std::iter::repeat_with(|| client.list("/v1/cases")).find(|cases| !cases.is_empty()).unwrap();
    let case = case[0]["case_id"].as_str().unwrap().to_owned();

    // Payments, each with an alert, and orders of officers, until they are told to stop.
    let stop = Arc::new(AtomicBool::new(false));
    let payments = {
        let (client, stop) = (client.clone(), Arc::clone(&stop));
        thread::spawn(move || {
            let ids = (0..).take_while(|_| !stop.load(Ordering::Relaxed));
            ids.map(|n| decide(&client, &format!("E-{n}"), &format!("C-{n}"), "5000.00")).count()
        })
    };
    let orders = {
        let (client, stop) = (client.clone(), Arc::clone(&stop));
        thread::spawn(move || {
            let rounds = (0..).take_while(|_: &usize| !stop.load(Ordering::Relaxed));
            let newest = || client.get("/v1/cases?limit=1").unwrap().1["items"][0]["case_id"].clone();
            let order = |_| {
                let path = format!("/v1/cases/{}/actions", newest().as_str().unwrap());
                let freeze = json!({"action": "freeze", "reason": "because"}).to_string();
                client.post(&path, "application/json", &freeze).unwrap().0
            };
            rounds.map(order).filter(|status| *status == 200).count()
        })
    };
    let mut moments = Vec::new();
    for n in 0..BACKUPS {
        let alerts = by_id(&client, "/v1/alerts", "alert_id");
        let out = folder.path().join(format!("backup-{n}"));
        let said = done(&backup(&data, &out, &[]));
        assert_eq!(said["key"], true);
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
        moments.push((out, alerts, said));
    }
    stop.store(true, Ordering::Relaxed);
    let (judged, ordered) = (payments.join().unwrap(), orders.join().unwrap());
    assert!(judged > 0 && ordered > 0, "{judged} {ordered}");
    std::iter::repeat_with(|| client.list("/v1/alerts").len()).find(|held| *held > judged).unwrap();
    let all = by_id(&client, "/v1/alerts", "alert_id");
    assert_eq!(up.terminate().code(), DONE);
    let leftover: Vec<String> =
        names(folder.path()).into_iter().filter(|name| name.starts_with('.')).collect();
    assert_eq!(leftover, [""; 0]);

    for (n, (out, before, made)) in moments.iter().enumerate() {
        let restored = folder.path().join(format!("restored-{n}"));
        let said = done(&restore(out, &restored, &[]));
        assert_eq!((&said["verified"], &said["leaves"]), (&json!(true), &made["leaves"]), "{said}");
        let up = start(folder.path(), &restored);
        let client = up.client();
        let alerts = || by_id(&client, "/v1/alerts", "alert_id");
        std::iter::repeat_with(alerts).find(|alerts| holds(alerts, before)).unwrap();
        assert!(alerts().keys().all(|id| all.contains_key(id)), "an alert that was never raised");
        assert!(client.list("/v1/cases").iter().any(|of| of["case_id"] == *case));
        // It goes on: what comes next is judged, and reaches the officers.
        assert_eq!(decide(&client, "after", "after", "5000.00"), "hold");
        let is_there = |alerts: &Vec<Value>| alerts.iter().any(|alert| alert["event_id"] == "after");
        std::iter::repeat_with(|| client.list("/v1/alerts")).find(is_there).unwrap();
        assert_eq!(up.terminate().code(), DONE);
    }
}

#[test]
fn a_stopped_service_is_backed_up_and_its_orders_stand_in_the_copy() {
    let stopped = Stopped::make();
    let before = names(&stopped.data);
    let out = stopped.backup();
    let restored = stopped.path("restored");
    fs::create_dir(&restored).unwrap();
    let said = done(&restore(&out, &restored, &[]));
    assert_eq!((&said["verified"], &said["key"]), (&json!(true), &json!(true)), "{said}");
    assert!(before.iter().all(|name| names(&stopped.data).contains(name)));
    let key = |data: &Path| fs::read(data.join("evidence.key")).unwrap();
    assert_eq!(key(&restored), key(&stopped.data));
    for data in [&restored, &stopped.data] {
        let up = start(stopped.folder.path(), data);
        assert_eq!(decide(&up.client(), "2", "C-1", "1.00"), "reject", "the freeze stands");
        assert_eq!(up.client().list("/v1/alerts").len(), 1);
        assert_eq!(up.terminate().code(), DONE);
    }
}

#[test]
fn a_backup_without_the_key_is_completed_by_the_key_that_was_kept_apart() {
    let stopped = Stopped::make();
    let out = stopped.path("backup");
    assert_eq!(done(&backup(&stopped.data, &out, &["--without-key"]))["key"], false);
    let (bare, whole) = (stopped.path("bare"), stopped.path("whole"));
    assert_eq!(done(&restore(&out, &bare, &[]))["key"], false);
    assert!(!bare.join("evidence.key").exists(), "no key is made up");
    let key = stopped.data.join("evidence.key");
    let other = stopped.path("other.key");
    fs::write(&other, "07".repeat(32)).unwrap();
    let refused = refused(&restore(&out, &whole, &["--key", other.to_str().unwrap()]), USERS_ERROR);
    assert!(refused.contains("the key is another than the backup's"), "{refused}");
    assert_eq!(done(&restore(&out, &whole, &["--key", key.to_str().unwrap()]))["key"], true);
    assert_eq!(fs::read(whole.join("evidence.key")).unwrap(), fs::read(key).unwrap());
}

#[test]
fn evidence_that_was_changed_is_found_by_a_restore() {
    let stopped = Stopped::make();
    let cases = stopped.data.join("cases.sqlite");
    let mut bytes = fs::read(&cases).unwrap();
    let said = b"looked at it";
    let at: Vec<usize> =
        bytes.windows(said.len()).enumerate().filter(|(_, w)| w == said).map(|(at, _)| at).collect();
    assert!(!at.is_empty());
    at.iter().for_each(|at| bytes[*at..*at + said.len()].copy_from_slice(b"was not here"));
    fs::write(&cases, bytes).unwrap();
    let restored = stopped.path("restored");
    let said = refused(&restore(&stopped.backup(), &restored, &[]), FAILED_CHECK);
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(report["verified"], false);
    assert!(said.contains("does not commit to its body"), "{said}");
    assert!(!restored.exists());
}

#[test]
fn stores_that_do_not_belong_together_are_not_backed_up() {
    let stopped = Stopped::make();
    let (cases, older) = (stopped.data.join("cases.sqlite"), stopped.path("older"));
    fs::copy(&cases, &older).unwrap();
    let up = start(stopped.folder.path(), &stopped.data);
    let client = up.client();
    let case = client.list("/v1/cases")[0]["case_id"].as_str().unwrap().to_owned();
    act(&client, &case, &json!({"action": "release", "reason": "because"}));
    assert_eq!(up.terminate().code(), DONE);
    fs::copy(&older, &cases).unwrap();
    for left in ["cases.sqlite-wal", "cases.sqlite-shm"] {
        let _ = fs::remove_file(stopped.data.join(left));
    }
    let out = stopped.path("backup");
    let said = refused(&backup(&stopped.data, &out, &[]), FAILED_CHECK);
    assert!(said.contains("lacks what the log knows of it"), "{said}");
    assert!(!out.exists());
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_said() {
    let stopped = Stopped::make();
    let out = stopped.backup();
    let (empty, other) = (stopped.path("empty"), stopped.path("other"));
    fs::create_dir(&empty).unwrap();
    let said = refused(&backup(&empty, &other, &[]), USERS_ERROR);
    assert!(said.contains("is no data folder of `sluice up`"), "{said}");
    let said = refused(&backup(&stopped.data, &out, &[]), USERS_ERROR);
    assert!(said.contains("is there already"), "{said}");
    let url = "postgres://sluice:secret@db.example/sluice";
    let said = refused(&backup(&stopped.data, &other, &["--database", url]), USERS_ERROR);
    assert!(said.contains("pg_dump") && !said.contains("secret"), "{said}");
    let said = refused(&restore(&out, &stopped.data, &[]), USERS_ERROR);
    assert!(said.contains("holds something"), "{said}");
    refused(&restore(&other, &empty, &[]), USERS_ERROR);
    assert!(!other.exists());
    assert_eq!(names(&empty), [""; 0]);
}

#[test]
fn a_full_disk_leaves_no_half_backup_and_no_half_folder() {
    let Some(disk) = SmallDisk::mount(2) else { return };
    let stopped = Stopped::make();
    // More than the disk takes, of what cannot be compressed.
    let list = stopped.data.join("lists-in-force/large");
    let noise: Vec<u8> = (0_u64..4 * 1024 * 32).flat_map(|n| Sha256::digest(n.to_be_bytes())).collect();
    fs::write(list, noise).unwrap();
    let said = refused(&backup(&stopped.data, &disk.path().join("backup"), &[]), USERS_ERROR);
    assert!(said.contains("No space left") || said.contains("no space is left"), "{said}");
    assert_eq!(names(disk.path()), [""; 0]);
    let out = stopped.backup();
    let said = refused(&restore(&out, &disk.path().join("data"), &[]), USERS_ERROR);
    assert!(said.contains("are left on the disk of"), "{said}");
    assert_eq!(names(disk.path()), [""; 0]);
}

/// The commands of the guide, as they stand there.
#[test]
fn the_guide_backs_up_and_restores() {
    let guide =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md")).unwrap();
    let commands = guide.split("```sh run\n").nth(1).unwrap().split("```").next().unwrap();
    let stopped = Stopped::make();
    fs::rename(&stopped.data, stopped.path("sluice-data")).unwrap();
    let beside = Path::new(env!("CARGO_BIN_EXE_sluice")).parent().unwrap();
    let path = format!("{}:{}", beside.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell
        .args(["-euc", commands])
        .current_dir(stopped.folder.path())
        .env("PATH", path)
        .env_remove("SLUICE_DATABASE");
    let output = shell.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("verified: "), "{said}");
    let up = start(stopped.folder.path(), &stopped.path("sluice-restored"));
    assert_eq!(decide(&up.client(), "2", "C-1", "1.00"), "reject", "the freeze stands");
    assert_eq!(up.terminate().code(), DONE);
}

/// An archive as nobody of ours writes it.
struct Forged {
    entries: Vec<(String, tar::EntryType, Vec<u8>)>,
}

impl Forged {
    /// One file, and a manifest that says so.
    fn new() -> Self {
        Self { entries: vec![("log/log.sqlite".into(), tar::EntryType::Regular, b"abc".to_vec())] }
            .with_manifest(|_| ())
    }

    /// With a manifest of what is there, and a change to it.
    fn with_manifest(mut self, change: impl FnOnce(&mut Value)) -> Self {
        self.entries.retain(|(path, ..)| path != "manifest.json");
        let part = |(path, _, bytes): &(String, _, Vec<u8>)| json!({"path": path, "bytes": bytes.len(), "sha256": Hash256::of(bytes)});
        let mut manifest = json!({
            "format": 1, "sluice": "0.1.0", "made_at": "2026-11-20T08:30:00Z", "leaves": 0, "verifier": null,
            "parts": self.entries.iter().map(part).collect::<Vec<_>>(),
        });
        change(&mut manifest);
        let manifest =
            ("manifest.json".to_owned(), tar::EntryType::Regular, manifest.to_string().into_bytes());
        self.entries.insert(0, manifest);
        self
    }

    /// Its one file is another.
    fn with(mut self, path: &str, kind: tar::EntryType, bytes: &[u8]) -> Self {
        self.entries[1] = (path.to_owned(), kind, bytes.to_vec());
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut tar = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
        for (path, kind, bytes) in &self.entries {
            let mut header = tar::Header::new_ustar();
            header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            header.set_cksum();
            tar.append(&header, &**bytes).unwrap();
        }
        sealed(tar.into_inner().unwrap().finish().unwrap())
    }
}

/// With the end that a whole archive has.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let hash = Hash256::of(&bytes);
    bytes.write_all(&[0x5a, 0x2a, 0x4d, 0x18, 32, 0, 0, 0]).unwrap();
    bytes.write_all(&hash.0).unwrap();
    bytes
}

#[test]
fn an_archive_that_is_not_what_was_written_is_refused_with_its_reason() {
    let stopped = Stopped::make();
    let whole = fs::read(stopped.backup()).unwrap();
    let (from, data) = (stopped.path("bad"), stopped.path("restored"));
    let check = |name: &str, bytes: &[u8], code, reason: &str| {
        fs::write(&from, bytes).unwrap();
        let said = refused(&restore(&from, &data, &[]), code);
        assert!(said.contains(reason), "{name}: {said}");
        assert!(!data.exists(), "{name}");
        assert!(names(stopped.folder.path()).iter().all(|name| !name.starts_with('.')), "{name}");
    };
    let last = whole.len() - 1;
    for at in [0, 4, 5, 6, 100, last / 2, last - 40, last - 31, last] {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        check(&format!("byte {at}"), &flipped, FAILED_CHECK, "it is damaged");
    }
    let mut flipped = whole.clone();
    flipped[last - 36] ^= 1;
    check("the end's head", &flipped, FAILED_CHECK, "its end is missing");
    for bytes in [0, 1, 39, last / 2, last] {
        check(&format!("{bytes} bytes"), &whole[..bytes], FAILED_CHECK, "its end is missing");
    }
    check("another file", &sealed(b"no archive".to_vec()), FAILED_CHECK, "it is no backup of Sluice");

    use tar::EntryType::{Regular, Symlink, XHeader};
    let newer = Forged::new().with_manifest(|manifest| manifest["format"] = json!(2));
    check("newer", &newer.bytes(), USERS_ERROR, "in format 2, and this version reads format 1");
    for path in ["../outside", "log/../../outside", "/outside", "outside"] {
        let slip = Forged::new().with(path, Regular, b"abc").with_manifest(|_| ());
        check(path, &slip.bytes(), FAILED_CHECK, "is no file of a data folder");
        assert!(!stopped.path("outside").exists());
        // The manifest says one thing, the entry another.
        let slip = Forged::new().with(path, Regular, b"abc");
        check(path, &slip.bytes(), FAILED_CHECK, "part 1 is another than its manifest names");
    }
    for kind in [Symlink, XHeader] {
        let link = Forged::new().with("log/log.sqlite", kind, b"abc");
        check(
            "no file",
            &link.bytes(),
            FAILED_CHECK,
            "part 1 is another than its manifest names, or no plain file",
        );
    }
    let large = Forged::new().with("log/log.sqlite", Regular, &[0; 100_000]);
    check("larger", &large.bytes(), FAILED_CHECK, "part 1 is not as large as its manifest says");
    let other = Forged::new().with("log/log.sqlite", Regular, b"abd");
    check(
        "other bytes",
        &other.bytes(),
        FAILED_CHECK,
        "part 1 does not have the hash that its manifest says",
    );
    let vast = Forged::new().with_manifest(|manifest| manifest["parts"][0]["bytes"] = json!(1_u64 << 60));
    check("vast", &vast.bytes(), USERS_ERROR, "are left on the disk of");
    let mut more = Forged::new();
    more.entries.push(("log/more".into(), Regular, Vec::new()));
    check("more", &more.bytes(), FAILED_CHECK, "it holds more than its manifest names");
    let mut less = Forged::new();
    less.entries.pop();
    check("less", &less.bytes(), FAILED_CHECK, "it ends before all that its manifest names");
    check(
        "no stores",
        &Forged::new().with_manifest(|_| ()).bytes(),
        FAILED_CHECK,
        "the backup holds no log, or no cases",
    );
}
