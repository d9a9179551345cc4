//! The page of everything that cannot be evaluated: each test that it names is in the tree.

use crate::tree::{none, text, with_extension};

const PAGE: &str = "docs/fail-closed.md";

/// The rows of the page's tables, their heads and rules left out.
fn rows(page: &str) -> Vec<Vec<&str>> {
    let mut rows = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let is_head = lines.peek().is_some_and(|next| next.starts_with("|---"));
        if line.starts_with('|') && !line.starts_with("|---") && !is_head {
            rows.push(line.trim_matches('|').split('|').map(str::trim).collect());
        }
    }
    rows
}

/// The names between back-ticks in a cell.
fn named(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_the_page_of_failures_names_is_there() {
    let code: String = with_extension("rs").map(|file| text(&file)).collect();
    let page = text(PAGE);
    let rows = rows(&page);
    let mut found = Vec::new();
    for row in &rows {
        let [what, answered, seen, test] = row[..] else {
            found.push(format!("{PAGE}: not four cells: {row:?}"));
            continue;
        };
        if [what, answered, seen].iter().any(|cell| cell.is_empty()) {
            found.push(format!("{PAGE}: an empty cell: {row:?}"));
        }
        if named(test).next().is_none() {
            found.push(format!("{PAGE}: no test holds this: {what}"));
        }
        let missing = named(test).filter(|name| !code.contains(&format!("fn {name}(")));
        found.extend(missing.map(|name| format!("{PAGE}: no test is called {name}")));
    }
    println!("{} ways in which something cannot be evaluated", rows.len());
    assert!(!rows.is_empty(), "{PAGE} has no rows");
    none("rows whose tests are not there", &found);
}

#[test]
fn rows_and_names_are_found() {
    let page = "| a | b |\n|---|---|\n| one `x` | `two_three` and `four` |\nno row";
    let rows = rows(page);
    assert_eq!(rows, [["one `x`", "`two_three` and `four`"]]);
    assert_eq!(named(rows[0][1]).collect::<Vec<_>>(), ["two_three", "four"]);
}
