//! The documentation: links that lead somewhere, decisions that are numbered.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path, PathBuf},
};

use crate::tree::{none, root, text, with_extension};

/// A Markdown text without what stands in code.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            // Every other part between back-ticks is code.
            prose.extend(line.split('`').step_by(2));
            prose.push('\n');
        }
    }
    prose
}

/// The targets of `[text](target)` and `[name]: target`.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let inline = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let named = prose.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ").map(|(_, to)| to));
    inline.chain(named).map(|link| link.split_whitespace().next().unwrap_or_default().to_owned()).collect()
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut seen = BTreeMap::<String, usize>::new();
    let mut fenced = false;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        let heading = line.trim_start_matches('#');
        if fenced || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
        let slug: String =
            heading.trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-");
        let again = seen.entry(slug.clone()).and_modify(|n| *n += 1).or_default();
        found.insert(if *again == 0 { slug } else { format!("{slug}-{again}") });
    }
    found
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
        plain
    })
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    let mut looked_at = 0;
    for file in with_extension("md") {
        let page = text(&file);
        for link in links(&page) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            looked_at += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = Path::new(&file).parent().unwrap_or(Path::new(""));
            let target = if path.is_empty() { PathBuf::from(&file) } else { plain(&folder.join(path)) };
            let exists = !target.is_absolute() && root().join(&target).exists();
            let anchored = || anchors(&text(&target.to_string_lossy())).contains(anchor);
            if !exists || !(anchor.is_empty() || anchored()) {
                broken.push(format!("{file}: {link}"));
            }
        }
    }
    println!("{looked_at} links within the documentation");
    none("links that lead nowhere", &broken);
}

#[test]
fn links_and_anchors_are_found() {
    let page = "# One `two`, three\n## One\n```\n# no\n[no](no.md)\n```\n[a](b.md#c \"t\") `[no](no)` [x][y]\n[y]: z.md\n# One";
    assert_eq!(links(page), ["b.md#c", "z.md"]);
    assert_eq!(anchors(page), ["one-two-three", "one", "one-1"].map(String::from).into());
}

#[test]
fn decisions_are_numbered_once_and_have_their_parts() {
    let mut numbers = BTreeMap::new();
    let mut found = Vec::new();
    for file in with_extension("md").filter(|f| f.starts_with("docs/decisions/")) {
        let name = file.trim_start_matches("docs/decisions/");
        let number = name.split('-').next().unwrap_or_default().to_owned();
        let page = text(&file);
        if number.len() != 4 || !number.bytes().all(|b| b.is_ascii_digit()) {
            found.push(format!("{file}: a name like 0001-slug.md is expected"));
        }
        if !page.starts_with("# ") {
            found.push(format!("{file} has no title"));
        }
        let parts = ["Context", "Decision", "Consequences"].into_iter().filter(|part| !page.contains(part));
        found.extend(parts.map(|part| format!("{file} has no {part}")));
        if let Some(other) = numbers.insert(number, file.clone()) {
            found.push(format!("{file} and {other} have one number"));
        }
    }
    assert!(!numbers.is_empty());
    none("decisions", &found);
}
