//! The repository's own files.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The repository's top folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every file that belongs to the repository, by its path from the top with `/`, in order. What git ignores
/// (builds, data, logs) is left aside by the same few names.
pub fn files() -> Vec<String> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    found.sort();
    assert!(found.len() > 50, "the repository's files were not found");
    found
}

/// Every file with that extension.
pub fn with_extension(extension: &str) -> impl Iterator<Item = String> {
    let end = format!(".{extension}");
    files().into_iter().filter(move |f| f.ends_with(&end))
}

/// A file's text.
pub fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{prefix}{name}");
        if matches!(&*path, "data" | ".git") || name == "target" || name.ends_with(".log") {
            continue;
        }
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else if kind.is_file() {
            found.push(path);
        }
    }
}

/// Fail with everything found, not with the first.
pub fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}
