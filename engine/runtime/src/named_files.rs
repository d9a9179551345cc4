//! Folders in which each file `NAME.toml` describes something under its name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{RuntimeError, limits::NAMED_FILE_BYTES_MAX};

/// The longest name, in characters: it is a part of paths, of groups on brokers, and a label of metrics.
const NAME_CHARS_MAX: usize = 64;

/// A file that describes something.
pub(crate) struct NamedFile {
    pub name: String,
    pub path: PathBuf,
    pub text: String,
}

/// Every such file of a folder.
pub(crate) fn read(folder: &Path) -> Result<Vec<NamedFile>, RuntimeError> {
    let mut found = Vec::new();
    for path in files(folder).map_err(|error| failed(folder, error.to_string()))? {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !is_name(&name) {
            return Err(failed(&path, "a name has small letters, digits, - and _".into()));
        }
        let text = text(&path).map_err(|reason| failed(&path, reason))?;
        found.push(NamedFile { name, path, text });
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// That what is there cannot be used.
pub(crate) fn failed(at: &Path, reason: String) -> RuntimeError {
    RuntimeError::Folder { folder: at.to_owned(), reason }
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    Ok(found)
}

fn is_name(name: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(known)
}

fn text(path: &Path) -> Result<String, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if about.len() > NAMED_FILE_BYTES_MAX {
        return Err(format!("larger than {NAMED_FILE_BYTES_MAX} bytes"));
    }
    fs::read_to_string(path).map_err(|error| error.to_string())
}
