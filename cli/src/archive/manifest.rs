//! What a backup holds, by its own word.

use std::{
    collections::BTreeSet,
    path::{Component, Path},
};

use serde::{Deserialize, Serialize};
use sluice_model::{EventTime, Hash256};

use crate::data;

/// The format that this version writes and reads.
pub(crate) const FORMAT: u32 = 1;
/// The most parts of an archive: list versions are most of them, and ten sources changed daily take 27 years.
pub(super) const PARTS_MAX: usize = 100_000;
/// The longest path of a part: what a tar header holds by itself.
const PATH_BYTES_MAX: usize = 255;
/// The largest manifest: as many parts with paths of the usual length.
pub(super) const MANIFEST_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// What a backup holds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The format of the archive.
    pub format: u32,
    /// The version of Sluice that made it.
    pub sluice: String,
    /// When it was made.
    pub made_at: EventTime,
    /// How many leaves the evidence log had.
    pub leaves: u64,
    /// The public key that verifies evidence; `None` where the data folder had no key.
    pub verifier: Option<String>,
    /// What follows, in this order.
    pub parts: Vec<Part>,
}

/// A file of the data folder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Part {
    /// Where it is, from the data folder on.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of it.
    pub sha256: Hash256,
}

/// What is looked at before anything else of a manifest.
#[derive(Deserialize)]
struct Version {
    format: u32,
    #[serde(default)]
    sluice: String,
}

/// Why a manifest is not one that can be followed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ManifestError {
    #[error(
        "it was made by Sluice {by} in format {found}, and this version reads format {FORMAT}: restore it with that version or a newer one"
    )]
    Newer { found: u32, by: String },
    #[error("its manifest cannot be read: {0}")]
    Unreadable(String),
    #[error("its manifest names {0} parts, and {PARTS_MAX} are the most")]
    TooMany(usize),
    #[error("part {0} of its manifest is no file of a data folder")]
    Foreign(usize),
    #[error("its manifest names part {0} twice")]
    Twice(usize),
}

impl Manifest {
    /// Read and check one.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, ManifestError> {
        let unreadable = |error: serde_json::Error| ManifestError::Unreadable(error.to_string());
        let Version { format, sluice: by } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if format != FORMAT {
            return Err(ManifestError::Newer { found: format, by });
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(unreadable)?;
        if manifest.parts.len() > PARTS_MAX {
            return Err(ManifestError::TooMany(manifest.parts.len()));
        }
        let mut seen = BTreeSet::new();
        for (number, part) in (1..).zip(&manifest.parts) {
            if !is_of_a_data_folder(&part.path) {
                return Err(ManifestError::Foreign(number));
            }
            if !seen.insert(&part.path) {
                return Err(ManifestError::Twice(number));
            }
        }
        Ok(manifest)
    }

    /// What all parts come to.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.bytes))
    }

    /// Whether it holds the key that signs evidence.
    pub(crate) fn has_key(&self) -> bool {
        self.parts.iter().any(|part| part.path == data::KEY)
    }
}

/// Whether a path is a plain one, below the data folder, to something that Sluice keeps there.
fn is_of_a_data_folder(path: &str) -> bool {
    let mut names = Path::new(path).components().map(|component| match component {
        Component::Normal(name) => name.to_str(),
        _ => None,
    });
    let is_plain = names.clone().all(|name| name.is_some()) && path.len() <= PATH_BYTES_MAX;
    let is_canonical = !path.contains(['\\', '\0']) && !path.contains("//") && !path.contains("/./");
    is_plain && is_canonical && !path.ends_with('/') && names.next().flatten().is_some_and(data::is_ours)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(paths: &[&str]) -> serde_json::Value {
        let part = |path: &&str| json!({"path": path, "bytes": 1, "sha256": Hash256::of(b"x")});
        let parts: Vec<_> = paths.iter().map(part).collect();
        json!({
            "format": FORMAT, "sluice": "0.1.0", "made_at": "2026-11-20T08:30:00Z", "leaves": 3,
            "verifier": null, "parts": parts,
        })
    }

    fn read(manifest: &serde_json::Value) -> Result<Manifest, ManifestError> {
        Manifest::read(manifest.to_string().as_bytes())
    }

    #[test]
    fn paths_that_leave_the_folder_or_are_not_of_one_are_refused() {
        let read_one = |path| read(&of(&[path])).map(|manifest| manifest.parts.len());
        for path in ["log/log.sqlite", "cases.sqlite", "lists-in-force/versions/a.jsonl.zst"] {
            assert_eq!(read_one(path), Ok(1), "{path}");
        }
        for path in [
            "",
            "/etc/passwd",
            "../log/log.sqlite",
            "log/../../x",
            "log/./x",
            "./log/x",
            "log//x",
            "log/",
            "other",
            "log\\..\\x",
            "log/x\0",
            "manifest.json",
        ] {
            assert_eq!(read_one(path), Err(ManifestError::Foreign(1)), "{path:?}");
        }
        let long = format!("log/{}", "x".repeat(PATH_BYTES_MAX));
        assert_eq!(read_one(&long), Err(ManifestError::Foreign(1)));
        assert_eq!(read(&of(&["cases.sqlite", "cases.sqlite"])), Err(ManifestError::Twice(2)));
    }

    #[test]
    fn a_newer_format_is_told_before_what_it_holds() {
        let newer = json!({"format": 2, "sluice": "9.0.0", "what": "nobody knows"});
        assert_eq!(read(&newer), Err(ManifestError::Newer { found: 2, by: "9.0.0".into() }));
        let mut unknown = of(&[]);
        unknown["more"] = json!(1);
        assert!(matches!(read(&unknown), Err(ManifestError::Unreadable(_))));
        assert!(matches!(Manifest::read(b"{"), Err(ManifestError::Unreadable(_))));
    }
}
