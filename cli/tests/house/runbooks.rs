//! The runbooks: every metric that the code keeps has its row.

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
