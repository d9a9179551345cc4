//! A folder of rules and reference data, and all below it, as one bundle.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use sluice_model::{
    RuleBundle, RuleFile,
    limits::{RULE_FILE_BYTES_MAX, RULE_FILES_MAX},
};

use crate::RuntimeError;

/// Cases are beside rules and are no part of what judges.
const CASES: &str = ".cases.toml";

/// What shows whether a folder has changed without reading its files: paths, sizes and times of change.
type Fingerprint = Vec<(PathBuf, u64, Option<SystemTime>)>;

/// A folder of rules that is looked at again and again.
#[derive(Clone, Debug)]
pub struct RuleFolder {
    path: PathBuf,
    seen: Fingerprint,
}

/// What a folder of rules holds.
#[derive(Clone, Debug)]
pub struct RuleFiles {
    /// What judges: rules and reference data.
    pub bundle: RuleBundle,
    /// The cases beside the rules.
    pub cases: Vec<RuleFile>,
}

impl RuleFolder {
    /// A folder, with what it holds.
    ///
    /// # Errors
    /// [`RuntimeError::Folder`].
    pub fn open(path: PathBuf) -> Result<(Self, RuleFiles), RuntimeError> {
        // What changes while it is read is seen at the next look.
        let seen = fingerprint(&path)?;
        let files = RuleFiles::read(&path)?;
        Ok((Self { path, seen }, files))
    }

    /// What it holds, where its rules or reference data are others than at the last look; `None` where they are not. What
    /// cannot be read is an error once, until it changes; a folder that cannot be looked at is one each time.
    ///
    /// # Errors
    /// [`RuntimeError::Folder`].
    pub fn read_if_changed(&mut self) -> Result<Option<RuleFiles>, RuntimeError> {
        let now = fingerprint(&self.path)?;
        if now == self.seen {
            return Ok(None);
        }
        self.seen = now;
        RuleFiles::read(&self.path).map(Some)
    }
}

impl RuleFiles {
    fn read(folder: &Path) -> Result<Self, RuntimeError> {
        let bundle = read_rules(folder)?;
        let cases = read_cases(folder, &bundle)?;
        Ok(Self { bundle, cases })
    }
}

/// Read the rules (`*.rhai`) and reference data (`*.toml`) of a folder and all below it. Hidden files and
/// folders are left out, as are cases (`*.cases.toml`).
pub fn read_rules(folder: &Path) -> Result<RuleBundle, RuntimeError> {
    let mut files = Vec::new();
    for (path, bytes, _) in fingerprint(folder)? {
        let text = text_of(folder, &path, bytes)?;
        let path =
            path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/");
        files.push(RuleFile { path, text });
    }
    Ok(RuleBundle::new(files))
}

/// Read the cases beside the rules of a folder.
pub fn read_cases(folder: &Path, rules: &RuleBundle) -> Result<Vec<RuleFile>, RuntimeError> {
    let mut cases = Vec::new();
    for stem in rules.files.iter().filter_map(|file| file.path.strip_suffix(".rhai")) {
        let path = format!("{stem}{CASES}");
        let about = fs::metadata(folder.join(&path)).ok().filter(fs::Metadata::is_file);
        if let Some(about) = about {
            let text = text_of(folder, Path::new(&path), about.len())?;
            cases.push(RuleFile { path, text });
        }
    }
    Ok(cases)
}

/// The text of a file of so many bytes.
fn text_of(folder: &Path, path: &Path, bytes: u64) -> Result<String, RuntimeError> {
    let failed = |reason: String| RuntimeError::Folder {
        folder: folder.to_owned(),
        reason: format!("{}{reason}", path.display()),
    };
    if bytes > RULE_FILE_BYTES_MAX as u64 {
        return Err(failed(format!(" is larger than {RULE_FILE_BYTES_MAX} bytes")));
    }
    fs::read_to_string(folder.join(path)).map_err(|error| failed(format!(": {error}")))
}

/// Whether a file of this name is a part of a rule set.
pub fn is_part_of_rules(name: &str) -> bool {
    name.ends_with(".rhai") || (name.ends_with(".toml") && !name.ends_with(CASES))
}

/// The files of a folder of rules as they are now, in order.
fn fingerprint(folder: &Path) -> Result<Fingerprint, RuntimeError> {
    let failed =
        |error: io::Error| RuntimeError::Folder { folder: folder.to_owned(), reason: error.to_string() };
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') {
                continue;
            }
            // Follows links, as whoever mounts a folder of links expects.
            let about = fs::metadata(&path).map_err(failed)?;
            if about.is_dir() {
                folders.push(path);
            } else if is_part_of_rules(&name) {
                let relative = path.strip_prefix(folder).unwrap_or(&path).to_owned();
                files.push((relative, about.len(), about.modified().ok()));
            }
        }
        if files.len() + folders.len() > RULE_FILES_MAX {
            let reason = format!("more than {RULE_FILES_MAX} rule and reference files");
            return Err(RuntimeError::Folder { folder: folder.to_owned(), reason });
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_the_rules_and_reference_data_of_the_whole_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("b/reference")).unwrap();
        fs::create_dir_all(folder.path().join(".git")).unwrap();
        for path in
            ["b/two.rhai", "a.rhai", "b/two.cases.toml", "b/reference/rates.toml", "notes.md", ".git/c.rhai"]
        {
            fs::write(folder.path().join(path), path).unwrap();
        }
        let bundle = read_rules(folder.path()).unwrap();
        let paths: Vec<_> = bundle.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["a.rhai", "b/reference/rates.toml", "b/two.rhai"]);
        assert_eq!(bundle.files[2].text, "b/two.rhai");
        let cases = read_cases(folder.path(), &bundle).unwrap();
        assert_eq!(cases.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["b/two.cases.toml"]);
        assert!(read_rules(&folder.path().join("none")).is_err());
    }

    #[test]
    fn a_folder_is_read_again_where_it_changed() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| fs::write(folder.path().join(path), text).unwrap();
        write("a.rhai", "one");
        let (mut rules, files) = RuleFolder::open(folder.path().to_owned()).unwrap();
        assert_eq!(files.bundle.files[0].text, "one");
        assert!(rules.read_if_changed().unwrap().is_none());
        write("a.rhai", "other");
        write("a.cases.toml", "a case");
        let files = rules.read_if_changed().unwrap().unwrap();
        assert_eq!((files.bundle.files[0].text.as_str(), files.cases.len()), ("other", 1));
        write("b.toml", &"x".repeat(RULE_FILE_BYTES_MAX + 1));
        assert!(rules.read_if_changed().is_err());
        assert!(rules.read_if_changed().unwrap().is_none(), "said once");
        fs::remove_file(folder.path().join("b.toml")).unwrap();
        assert_eq!(rules.read_if_changed().unwrap().unwrap().bundle.files.len(), 1);
        fs::remove_dir_all(folder.path()).unwrap();
        for _ in 0..2 {
            assert!(rules.read_if_changed().is_err());
        }
    }

    #[test]
    fn rules_reference_data_and_cases_have_one_limit() {
        for path in ["a.rhai", "b.toml", "a.cases.toml"] {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("a.rhai"), "").unwrap();
            let read = || read_rules(folder.path()).and_then(|rules| read_cases(folder.path(), &rules));
            fs::write(folder.path().join(path), "x".repeat(RULE_FILE_BYTES_MAX)).unwrap();
            assert!(read().is_ok(), "{path}");
            fs::write(folder.path().join(path), "x".repeat(RULE_FILE_BYTES_MAX + 1)).unwrap();
            assert!(read().unwrap_err().to_string().contains("is larger than 262144 bytes"), "{path}");
        }
    }
}
