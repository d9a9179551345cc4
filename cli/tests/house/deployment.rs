//! The image and the units: they build what is tested, copy what is there, and say what systemd understands.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use crate::tree::{none, root, text};

const IMAGE: &str = "Dockerfile";
const UNITS: &str = "deploy/systemd";
/// Where the units expect the program.
const INSTALLED: &str = "/usr/local/bin/sluice";
/// How exposed a unit may be at most, as systemd counts: of 100.
const EXPOSED_AT_MOST: &str = "20";

/// The instructions of the image, each with its words.
fn instructions() -> Vec<Vec<String>> {
    let lines = text(IMAGE);
    let lines = lines.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// What is copied out of the repository.
fn copied() -> BTreeSet<String> {
    let all = instructions();
    let copies = all.iter().filter(|words| words[0] == "COPY" && !words[1].starts_with("--from"));
    copies.flat_map(|words| words[1..words.len() - 1].to_vec()).collect()
}

#[test]
fn the_image_copies_what_is_there_and_all_that_is_built() {
    let copied = copied();
    let manifest = text("Cargo.toml");
    let members = manifest.split("members = [").nth(1).and_then(|rest| rest.split(']').next()).unwrap();
    let members = members.split('"').skip(1).step_by(2).map(|member| member.split('/').next().unwrap());
    let mut found: Vec<_> = copied.iter().filter(|path| !root().join(path).exists()).cloned().collect();
    found.extend(
        members.filter(|member| !copied.contains(*member)).map(|member| format!("{member} is not copied")),
    );
    let sent = text(".dockerignore");
    let sent: BTreeSet<_> = sent.lines().filter_map(|line| line.strip_prefix('!')).collect();
    let differ = copied.iter().map(String::as_str).collect::<BTreeSet<_>>();
    found.extend(
        sent.symmetric_difference(&differ).map(|path| format!(".dockerignore and {IMAGE} differ in {path}")),
    );
    none("what the image is made of", &found);
}

#[test]
fn the_image_builds_what_is_tested_and_runs_it_as_nobody() {
    let all = instructions();
    let line = |first: &str| {
        let mut of = all.iter().filter(|words| words[0] == first);
        of.next_back().map(|words| words[1..].join(" ")).unwrap_or_default()
    };
    let build = line("RUN");
    let wanted = "--package sluice --features sluice/full";
    assert!(build.starts_with("cargo build --release --locked") && build.ends_with(wanted), "{build}");
    assert!(text("test").contains("--locked") && text("test").contains("--features sluice/full"));
    assert_eq!(line("USER"), "65532:65532");
    assert_eq!(line("ENTRYPOINT"), format!("[\"{INSTALLED}\"]"));
    let binary = ["COPY", "--from=build", "/src/target/release/sluice", INSTALLED];
    assert!(all.iter().any(|words| *words == binary));
    let manifest = text("Cargo.toml");
    let version = manifest.split("rust-version = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert!(all[0][1].contains(&format!("rust:{version}-")), "{} and rust-version {version}", all[0][1]);
}

#[test]
fn systemd_understands_the_units() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("left out: systemd units (no systemd-analyze)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut units = Vec::new();
    for entry in fs::read_dir(root().join(UNITS)).unwrap() {
        let entry = entry.unwrap();
        let unit = fs::read_to_string(entry.path()).unwrap();
        let to = folder.path().join(entry.file_name());
        fs::write(&to, unit.replace(INSTALLED, env!("CARGO_BIN_EXE_sluice"))).unwrap();
        units.push(to);
    }
    let analyze = |args: &[&str], units: &[&Path]| {
        let done = Command::new("systemd-analyze").args(args).args(units).output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8_lossy(&said).into_owned())
    };
    let units: Vec<&Path> = units.iter().map(AsRef::as_ref).collect();
    let (verified, said) = analyze(&["verify", "--man=no"], &units);
    assert!(verified && said.is_empty(), "{said}");
    for unit in units.iter().filter(|unit| unit.extension().is_some_and(|kind| kind == "service")) {
        let threshold = format!("--threshold={EXPOSED_AT_MOST}");
        let (is_closed, said) = analyze(&["security", "--offline=true", &threshold, "--no-pager"], &[unit]);
        assert!(is_closed, "{said}");
    }
}

#[test]
fn units_and_manifests_give_arguments_that_there_are() {
    let mut found = Vec::new();
    // A build without Kafka knows no argument of theirs.
    let over_kafka = ["k8s/overlays/kafka/engine.yaml", "k8s/overlays/kafka/api.yaml"]
        .into_iter()
        .filter(|_| cfg!(feature = "kafka"));
    let stateful: Vec<_> = over_kafka.chain(["k8s/overlays/embedded/sluice.yaml"]).map(text).collect();
    let units = ["sluice.service", "sluice-lists.service"].map(|unit| text(&format!("{UNITS}/{unit}")));
    let started = stateful.iter().map(|manifest| arguments(manifest)).chain(units.iter().map(|unit| {
        let line =
            unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/sluice ")).unwrap();
        line.split(' ').map(str::to_owned).collect()
    }));
    for words in started {
        let commands: Vec<_> = words.iter().take_while(|word| !word.starts_with('-')).cloned().collect();
        let help = Command::new(env!("CARGO_BIN_EXE_sluice")).args(&commands).arg("--help").output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let known = |flag: &str| help.split_whitespace().any(|word| word == flag);
        let flags =
            words.iter().filter(|word| word.starts_with("--")).map(|word| word.split('=').next().unwrap());
        found.extend(
            flags
                .filter(|flag| !known(flag))
                .map(|flag| format!("sluice {} has no {flag}", commands.join(" "))),
        );
        assert!(words.len() > commands.len() && !commands.is_empty(), "{words:?}");
    }
    none("arguments that there are not", &found);
}

/// The `args` of the first container of a manifest, an item a line.
fn arguments(manifest: &str) -> Vec<String> {
    let after = manifest.lines().skip_while(|line| line.trim() != "args:").skip(1);
    after
        .map_while(|line| line.trim().strip_prefix("- ").filter(|item| !item.starts_with('{')))
        .map(str::to_owned)
        .collect()
}
