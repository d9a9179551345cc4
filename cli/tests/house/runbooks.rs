//! The runbooks: every metric that the code keeps has its row, and what a row says that the program says, it says.

use crate::{
    sources::{code, without_tests},
    tree::{none, text, with_extension},
};

const PAGE: &str = "docs/runbooks.md";
/// What begins like a metric and is a cookie.
const COOKIES: &[&str] = &["sluice_session", "sluice_device"];

/// The names of metrics between quotes.
fn metrics(source: &str) -> impl Iterator<Item = &str> {
    let quoted = source.split('"').skip(1).step_by(2);
    quoted.filter(|name| {
        let is_name =
            |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        name.strip_prefix("sluice_").is_some_and(is_name) && !COOKIES.contains(name)
    })
}

#[test]
fn every_metric_has_a_row_in_the_runbooks() {
    let page = text(PAGE);
    let (mut looked_at, mut found) = (0, Vec::new());
    for file in with_extension("rs").filter(|f| f.contains("/src/") && !f.starts_with("cli/tests/")) {
        let source = code(without_tests(&text(&file)));
        for name in metrics(&source).filter(|name| !name.starts_with("sluice_runtime")) {
            looked_at += 1;
            if !page.contains(&format!("`{name}`")) {
                found.push(format!("{file} keeps {name}"));
            }
        }
    }
    println!("{looked_at} metrics");
    assert!(looked_at > 20, "metrics were not found");
    none("metrics without a row in the runbooks", &found);
}

/// The first cells of a section's table, each in its literal parts: `…` stands for what differs, `/` between texts.
fn said(page: &str, section: &str) -> Vec<String> {
    let section = page.split(&format!("## {section}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).skip(2);
    let cells = rows.map(|row| row.split('|').nth(1).unwrap());
    let parts = cells.flat_map(|cell| cell.split(['…', '/']).map(|part| part.trim().to_owned()));
    parts.filter(|part| part.len() > 3).collect()
}

#[test]
fn what_the_runbooks_say_that_the_program_says_it_says() {
    let sources = with_extension("rs").filter(|f| f.contains("/src/")).map(|file| text(&file));
    // A text over several lines of source is one.
    let one_line = |source: String| {
        let lines = source.split("\\\n").map(str::trim_start);
        lines.collect::<String>()
    };
    let program: String = sources.map(one_line).collect();
    let page = text(PAGE);
    let parts: Vec<String> = ["Why a start is refused", "Why `/readyz` is 503"]
        .iter()
        .flat_map(|section| said(&page, section))
        .collect();
    assert!(parts.len() > 15, "{parts:?}");
    let found: Vec<String> = parts.into_iter().filter(|part| !program.contains(part.as_str())).collect();
    none("texts of the runbooks that no part of the program says", &found);
}
