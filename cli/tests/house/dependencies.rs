//! Which crate may depend on which, and on what from outside.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

use crate::tree::{none, root};

/// What each crate may depend on within the workspace. Nothing points back; tests may reach further.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("sluice-model", &[]),
    ("sluice-xml", &[]),
    ("sluice-http", &["sluice-model"]),
    ("sluice-codec", &["sluice-xml", "sluice-model"]),
    ("sluice-evidence", &["sluice-model"]),
    ("sluice-rules", &["sluice-model"]),
    ("sluice-lists", &["sluice-xml", "sluice-model"]),
    ("sluice-list-store", &["sluice-lists", "sluice-model"]),
    ("sluice-log", &["sluice-model"]),
    ("sluice-core", &["sluice-rules", "sluice-lists", "sluice-model"]),
    ("sluice-driver", &["sluice-core", "sluice-log", "sluice-model"]),
    (
        "sluice-runtime",
        &[
            "sluice-driver",
            "sluice-core",
            "sluice-http",
            "sluice-codec",
            "sluice-log",
            "sluice-list-store",
            "sluice-rules",
            "sluice-lists",
            "sluice-model",
        ],
    ),
    (
        "sluice-case-api",
        &[
            "sluice-evidence",
            "sluice-http",
            "sluice-rules",
            "sluice-lists",
            "sluice-list-store",
            "sluice-log",
            "sluice-model",
        ],
    ),
    (
        "sluice-simulator",
        &[
            "sluice-driver",
            "sluice-core",
            "sluice-codec",
            "sluice-log",
            "sluice-rules",
            "sluice-lists",
            "sluice-model",
        ],
    ),
];

/// Crates that know everything, and that nothing knows.
const ENDS: &[&str] = &["sluice", "sluice-benches"];

/// A library, and the only crates that may know it. Benchmarks compare whatever they like.
const ONLY: &[(&str, &[&str])] = &[
    ("rhai", &["sluice-rules"]),
    ("quick-xml", &["sluice-xml"]),
    ("object_store", &["sluice-log"]),
    ("rdkafka", &["sluice-log"]),
    ("fluvio", &["sluice-log"]),
    ("rusqlite", &["sluice-log"]),
    ("sqlx", &["sluice-case-api"]),
    ("askama", &["sluice-case-api"]),
    ("axum", &["sluice-http", "sluice-runtime", "sluice-case-api", "sluice"]),
    ("ureq", &["sluice-list-store", "sluice-simulator", "sluice-case-api", "sluice"]),
    ("clap", &["sluice"]),
    ("anyhow", &["sluice"]),
];

/// What a crate that reads no clock, random source, file or socket has no use for.
const IMPURE: &[&str] =
    &["tokio", "getrandom", "rand", "ureq", "rusqlite", "sqlx", "tempfile", "tracing", "uuid"];

/// The crates that are handed bytes and times.
pub const PURE: &[(&str, &str)] = &[
    ("sluice-model", "engine/model"),
    ("sluice-xml", "engine/xml"),
    ("sluice-codec", "engine/codec"),
    ("sluice-core", "engine/core"),
    ("sluice-evidence", "engine/evidence"),
    ("sluice-rules", "rules"),
    ("sluice-lists", "lists"),
];

/// Licences that ask for no more than their text and a notice.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "MPL-2.0+",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

fn metadata(more: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked"])
        .args(more)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Each crate of the workspace with what it depends on, tests aside.
fn known() -> BTreeMap<String, Vec<String>> {
    let metadata = metadata(&["--no-deps"]);
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let known = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap();
        dependencies.iter().filter(|d| d["kind"] != "dev").map(|d| text(&d["name"])).collect()
    };
    metadata["packages"].as_array().unwrap().iter().map(|p| (text(&p["name"]), known(p))).collect()
}

#[test]
fn dependencies_run_one_way() {
    let known = known();
    let mut found = Vec::new();
    for (name, dependencies) in known.iter().filter(|(name, _)| !ENDS.contains(&&***name)) {
        let (_, allowed) = MAY_KNOW
            .iter()
            .find(|(n, _)| n == name)
            .unwrap_or_else(|| panic!("{name} is new: say what it may know"));
        let within = dependencies.iter().filter(|d| known.contains_key(*d));
        let beyond = within.filter(|d| !allowed.contains(&&***d));
        found.extend(beyond.map(|dependency| format!("{name} must not know {dependency}")));
    }
    none("dependencies that point back", &found);
    for name in MAY_KNOW.iter().map(|(n, _)| n).chain(ENDS) {
        assert!(known.contains_key(*name), "{name} is not in the workspace");
    }
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut found = Vec::new();
    for (name, dependencies) in known().into_iter().filter(|(name, _)| name != "sluice-benches") {
        let pure = PURE.iter().any(|(n, _)| *n == name);
        for dependency in &dependencies {
            let elsewhere = ONLY.iter().any(|(l, allowed)| l == dependency && !allowed.contains(&&*name));
            if elsewhere || pure && IMPURE.contains(&&**dependency) {
                found.push(format!("{name} must not know {dependency}"));
            }
        }
    }
    none("libraries out of their rooms", &found);
}

#[test]
fn licences_are_permissive() {
    let metadata = metadata(&[]);
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    let licence = |package: &Value| package["license"].as_str().unwrap_or("none stated").to_owned();
    let found: Vec<String> = packages
        .iter()
        .filter(|p| !permissive(&licence(p)))
        .map(|p| format!("{} is licensed {}", p["name"], licence(p)))
        .collect();
    none("licences that are not on the list", &found);
}

/// Whether an SPDX expression can be met with permissive licences alone: one of each alternative.
fn permissive(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], "");
    // A conjunction inside an alternative needs no precedence here: every part of it must be permissive, or an
    // alternative to it is.
    plain
        .split(" AND ")
        .all(|part| part.split(" OR ").flat_map(|p| p.split('/')).any(|l| PERMISSIVE.contains(&l.trim())))
}

#[test]
fn licence_expressions_are_read() {
    for good in ["MIT", "MIT/Apache-2.0", "GPL-3.0 OR MIT", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
        assert!(permissive(good), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-2.0", "none stated", "AGPL-3.0 OR GPL-3.0"] {
        assert!(!permissive(bad), "{bad}");
    }
}
