//! What the sources say and do not say.

use crate::{
    dependencies::PURE,
    tree::{files, none, root, text, with_extension},
};

/// What a pure crate never names, outside its tests.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::io::stdin",
    "std::time",
    "SystemTime",
    "Instant",
    "Timestamp::now",
    "Zoned::now",
    "rand::",
    "getrandom",
    "File::open",
    "thread_rng",
];

/// Reports that a command writes as one page to be opened anywhere: the only HTML outside the case API.
const REPORT_PAGES: &[&str] = &["rules/src/backtest.rs", "lists/src/calibrate.rs", "simulator/src/sweep.rs"];

/// A source's text without its unit tests, which stand at the end.
pub fn without_tests(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod ").next().unwrap_or_default()
}

/// A source without comments.
pub fn code(source: &str) -> String {
    source.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn sources_of(folder: &str) -> impl Iterator<Item = String> {
    let start = format!("{folder}/src/");
    with_extension("rs").filter(move |f| f.starts_with(&start))
}

#[test]
fn pure_crates_read_no_clock_random_source_file_or_socket() {
    let mut found = Vec::new();
    for (name, folder) in PURE {
        let mut looked_at = 0;
        for file in sources_of(folder) {
            looked_at += 1;
            let code = code(without_tests(&text(&file)));
            let named = IMPURE.iter().filter(|word| code.contains(**word));
            found.extend(named.map(|word| format!("{file} names {word}, and {name} is pure")));
        }
        assert!(looked_at > 0, "{folder} has no sources");
    }
    none("clocks, random sources, files or sockets in pure crates", &found);
}

#[test]
fn only_the_case_api_and_the_log_speak_sql_and_only_the_case_api_html() {
    let sql = |code: &str| {
        ["SELECT ", "INSERT INTO", "DELETE FROM", "CREATE TABLE"].iter().any(|w| code.contains(w))
    };
    let html = |code: &str| ["<!DOCTYPE", "<html", "<div"].iter().any(|w| code.contains(w));
    let mut found = Vec::new();
    for file in with_extension("rs").filter(|f| f.contains("/src/") && !f.starts_with("case-api/")) {
        let code = code(without_tests(&text(&file)));
        if sql(&code) && !file.starts_with("engine/log/") {
            found.push(format!("{file} speaks SQL"));
        }
        if html(&code) && !REPORT_PAGES.contains(&&*file) {
            found.push(format!("{file} speaks HTML"));
        }
    }
    none("languages out of their rooms", &found);
}

#[test]
fn nothing_is_left_unfinished_or_switched_off() {
    let words = ["todo!", "unimplemented!", "dbg!", "#[ignore", "FIXME", "// XXX", "// TODO"];
    let mut found = Vec::new();
    for file in with_extension("rs").filter(|f| !f.starts_with("cli/tests/house/")) {
        let text = text(&file);
        found.extend(words.iter().filter(|w| text.contains(**w)).map(|word| format!("{file} has {word}")));
    }
    none("unfinished or switched off", &found);
}

#[test]
fn no_path_of_one_machine_is_written_down() {
    let words = ["work", "root", "home", "Users", "farm"].map(|folder| format!("/{folder}/"));
    // Part of a longer path, a URL or a module's name it is none of a machine.
    let longer = |before: &str| before.ends_with(|c: char| c.is_alphanumeric() || "_.-}$".contains(c));
    let mut found = Vec::new();
    for file in files() {
        let Ok(text) = std::fs::read_to_string(root().join(&file)) else { continue };
        for (i, line) in text.lines().enumerate() {
            let at = |word: &String| line.find(word.as_str()).filter(|&at| !longer(&line[..at]));
            found.extend(
                words.iter().filter(|w| at(w).is_some()).map(|w| format!("{file}:{} has {w}", i + 1)),
            );
        }
    }
    none("paths of one machine", &found);
}

#[test]
fn every_crate_has_the_workspace_lints() {
    let manifests = with_extension("toml").filter(|f| f.ends_with("/Cargo.toml") && !f.starts_with("fuzz/"));
    let bare: Vec<String> = manifests.filter(|m| !text(m).contains("[lints]\nworkspace = true")).collect();
    none("crates without the workspace's lints", &bare);
}

#[test]
fn every_module_says_what_it_owns() {
    let sources = with_extension("rs").filter(|f| f.contains("/src/"));
    let silent: Vec<String> = sources.filter(|f| !text(f).starts_with("//! ")).collect();
    none("modules that do not say what they own", &silent);
}

#[test]
fn every_limit_is_documented() {
    let (mut looked_at, mut found) = (0, Vec::new());
    for file in with_extension("rs").filter(|f| f.contains("/src/")) {
        let text = text(&file);
        let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
        for (i, line) in lines.iter().enumerate().filter(|(_, line)| is_limit(line)) {
            looked_at += 1;
            // Constants that stand together may share the comment above the first.
            let above = lines[..i].iter().rev().find(|l| !l.starts_with("#[") && !is_constant(l));
            if !above.is_some_and(|l| l.starts_with("//")) {
                found.push(format!("{file}:{}: {line}", i + 1));
            }
        }
    }
    assert!(looked_at > 10, "limits were not found");
    println!("{looked_at} limits");
    none("limits without a comment that says why", &found);
}

fn is_constant(line: &str) -> bool {
    let declared = line.strip_prefix("pub ").or(line.strip_prefix("pub(crate) ")).unwrap_or(line);
    declared.starts_with("const ") && declared.contains(": ")
}

/// Whether a line declares a limit: a constant named as one.
fn is_limit(line: &str) -> bool {
    let name = line.split("const ").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or_default();
    is_constant(line) && ["_MAX", "_MIN", "_LIMIT"].iter().any(|end| name.ends_with(end))
}

#[test]
fn no_file_is_large() {
    const BYTES_MAX: u64 = 1_500_000;
    let bytes = |file: &String| std::fs::metadata(root().join(file)).unwrap().len();
    let large: Vec<String> = files().into_iter().filter(|f| bytes(f) > BYTES_MAX).collect();
    none("files too large for a repository", &large);
}
