//! What is written is its owner's alone, whatever the rights that were asked for.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use crate::process::{Up, command};

/// Everything below a folder that groups or others may touch, with its mode.
fn wide(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(path) = left.pop() {
        let about = fs::symlink_metadata(&path).unwrap();
        if about.is_dir() {
            left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let mode = about.permissions().mode() & 0o777;
        let wanted = if about.is_dir() { 0o700 } else { 0o600 };
        if mode & !wanted != 0 {
            found.push((path, format!("{mode:o}")));
        }
    }
    found
}

/// A command as most shells start it: what it writes could be read by everybody.
fn with_a_wide_umask(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 022; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        value.map(|value| shell.env(name, value));
    }
    shell.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::piped());
    shell
}

#[test]
fn the_data_folder_and_what_was_wider_before_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = || {
        let mut demo = command(&data);
        demo.arg("--demo");
        Up::start(with_a_wide_umask(&demo)).unwrap()
    };
    let up = start();
    let client = up.client();
    std::iter::repeat_with(|| client.list("/v1/alerts")).find(|alerts| !alerts.is_empty()).unwrap();
    assert_eq!(wide(&data), []);
    assert_eq!(up.terminate().code(), Some(0));
    assert_eq!(wide(&data), []);
    let files: Vec<_> =
        ["log/log.sqlite", "log/ends", "cases.sqlite", "evidence.key", "snapshots/engine", "lists"]
            .into_iter()
            .filter(|file| !data.join(file).exists())
            .collect();
    assert!(files.is_empty(), "not looked at: {files:?}");

    // As an earlier version left it.
    let set =
        |path: &str, mode| fs::set_permissions(data.join(path), fs::Permissions::from_mode(mode)).unwrap();
    for (path, mode) in [("", 0o755), ("log", 0o755), ("log/log.sqlite", 0o644), ("cases.sqlite", 0o644)] {
        set(path, mode);
    }
    let up = start();
    assert_eq!(wide(&data), []);
    assert_eq!(up.terminate().code(), Some(0));
}

#[test]
fn exports_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("payments.ndjson");
    let mut simulate = Command::new(env!("CARGO_BIN_EXE_sluice"));
    simulate.args(["simulate", "--events", "20", "--out"]).arg(&out);
    let output = with_a_wide_umask(&simulate).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
}
