//! The rules that are shipped inside the binary.

use include_dir::{Dir, include_dir};
use sluice_model::{RuleBundle, RuleFile};
use sluice_rules::CASES_SUFFIX;
use sluice_runtime::is_part_of_rules;

static PACKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../rules/packs");

/// The packs in force where no folder is named. `account-networks` is for books of accounts whose times are whole
/// days: beside rules that watch payments as they come it would say the same again, later and less surely.
const IN_FORCE: [&str; 2] = ["core", "hong-kong"];

/// The shipped packs in force, as one rule set.
pub(super) fn rules() -> RuleBundle {
    RuleBundle::new(files(is_part_of_rules))
}

/// Their cases.
pub(super) fn cases() -> Vec<RuleFile> {
    files(|path| path.ends_with(CASES_SUFFIX))
}

fn files(wanted: impl Fn(&str) -> bool) -> Vec<RuleFile> {
    let mut files = Vec::new();
    let mut folders: Vec<_> = IN_FORCE.iter().filter_map(|pack| PACKS.get_dir(pack)).collect();
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        files.extend(folder.files().filter_map(|file| {
            let path = file.path().to_str().filter(|path| wanted(path))?;
            Some(RuleFile { path: path.to_owned(), text: file.contents_utf8()?.to_owned() })
        }));
    }
    files
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_shipped_rules_are_those_of_their_folders_and_they_load() {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs");
        let mut read = sluice_runtime::read_rules(&packs).unwrap();
        read.files.retain(|file| IN_FORCE.iter().any(|pack| file.path.starts_with(&format!("{pack}/"))));
        assert!(read.files.len() > 60);
        assert_eq!(rules(), read);
        if let Err(errors) = sluice_rules::RuleSet::compile(&read) {
            panic!("{errors}");
        }
    }
}
