//! Which folder of the case side may import which: the layers of `case-api/src`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    sources::{code, without_tests},
    tree::{none, text, with_extension},
};

const SOURCES: &str = "case-api/src/";

/// What each folder, or file beside them, may import of the crate. Whoever is named later in the list may know whoever is
/// named before, never the other way round: so there are no circles.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("stamp", &[]),
    ("words", &[]),
    ("metrics", &[]),
    ("domain", &["limits", "stamp"]),
    ("ports", &["domain"]),
    ("health", &["limits", "ports"]),
    ("store", &["domain", "limits", "stamp", "words"]),
    ("log_ports", &["ports", "store"]),
    ("service", &["domain", "health", "limits", "metrics", "ports", "stamp", "store", "words"]),
    ("auth", &["domain", "limits", "service"]),
    ("app", &["auth", "service"]),
    ("work", &["app", "limits", "service"]),
    ("api", &["app", "auth", "domain", "limits", "ports", "service"]),
    ("console", &["api", "app", "auth", "domain", "limits", "ports", "service", "stamp", "words"]),
    ("server", &["api", "app", "auth", "console", "domain", "metrics", "ports", "service", "store", "work"]),
];

/// A library, and the only folders that name it: SQL, HTTP and pages each have their room, and the domain none of them.
const ONLY: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("axum", &["api", "app", "console", "server"]),
    ("askama", &["console"]),
    ("argon2", &["auth"]),
    ("tokio", &["auth", "health", "server", "service", "store", "work"]),
];

/// The folder of a file of the crate, or the file itself where it stands in none; `None` for the crate's root.
fn folder(file: &str) -> Option<&str> {
    let path = file.strip_prefix(SOURCES)?;
    let name = path.split('/').next()?.trim_end_matches(".rs");
    (name != "lib").then_some(name)
}

/// Whether `super` is the crate's root there.
fn stands_at_the_root(file: &str) -> bool {
    file.ends_with("/mod.rs") && file.matches('/').count() == 3 || file.matches('/').count() == 2
}

/// What a source names after `crate::`, or another way to the root, at any depth of braces.
fn imports(source: &str, root: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for rest in source.split(root).skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(word(rest));
            continue;
        };
        let (mut depth, mut starts) = (0, true);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => starts = true,
                _ if depth == 0 && starts && c.is_alphabetic() => {
                    found.insert(word(&group[at..]));
                    starts = false;
                }
                _ => {}
            }
        }
    }
    found
}

#[test]
fn the_folders_of_the_case_side_import_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for file in with_extension("rs") {
        let Some(folder) = folder(&file) else { continue };
        let Some(allowed) = allowed.get(folder) else {
            found.push(format!("{folder} is new: say what it may import"));
            continue;
        };
        seen.insert(folder.to_owned());
        let source = code(without_tests(&text(&file)));
        let mut imports = imports(&source, "crate::");
        if stands_at_the_root(&file) {
            imports.extend(self::imports(&source, "super::"));
        }
        let beyond = imports.iter().filter(|name| *name != folder && !allowed.contains(&name.as_str()));
        found.extend(beyond.map(|name| format!("{file} imports {name}, and {folder} may not")));
    }
    none("imports against the layers", &found);
    for (folder, _) in MAY_IMPORT {
        assert!(seen.contains(*folder), "{folder} is not in {SOURCES}");
    }
}

#[test]
fn libraries_stay_in_their_folders() {
    let mut found = Vec::new();
    for file in with_extension("rs") {
        let Some(folder) = folder(&file) else { continue };
        let source = code(without_tests(&text(&file)));
        let elsewhere = ONLY.iter().filter(|(name, only)| {
            !only.contains(&folder)
                && (source.contains(&format!("{name}::")) || source.contains(&format!("use {name};")))
        });
        found.extend(elsewhere.map(|(name, _)| format!("{file} names {name}, and {folder} may not")));
    }
    none("libraries out of their folders", &found);
}

#[test]
fn the_table_of_folders_has_no_circle() {
    let mut before = BTreeSet::new();
    let mut found = Vec::new();
    for (folder, imports) in MAY_IMPORT {
        let later = imports.iter().filter(|name| !before.contains(*name));
        found.extend(later.map(|name| format!("{folder} may import {name}, which stands after it")));
        before.insert(folder);
    }
    none("circles", &found);
}

#[test]
fn imports_are_found_at_any_depth() {
    let source = "use crate::app::App;\nuse crate::{\n    domain::{Act, Case},\n    store, words as names,\n};\n\
                  fn f() { crate::limits::PAGE_MAX }";
    let expected = ["app", "domain", "limits", "store", "words"].map(String::from);
    assert_eq!(imports(source, "crate::"), expected.into());
    assert_eq!(folder("case-api/src/api/mod.rs"), Some("api"));
    assert_eq!(folder("case-api/src/work.rs"), Some("work"));
    assert_eq!(folder("case-api/src/lib.rs"), None);
    for (file, is_root) in [("work.rs", true), ("api/mod.rs", true), ("api/page.rs", false)] {
        assert_eq!(stands_at_the_root(&format!("{SOURCES}{file}")), is_root, "{file}");
    }
    assert!(!stands_at_the_root(&format!("{SOURCES}service/rules/mod.rs")));
}
