//! The rules that are shipped inside the binary.

use include_dir::{Dir, include_dir};
use sluice_model::{RuleBundle, RuleFile};
use sluice_rules::CASES_SUFFIX;
use sluice_runtime::is_part_of_rules;

static PACKS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../rules/packs");

/// Every shipped pack, as one rule set.
pub fn rules() -> RuleBundle {
    RuleBundle::new(files(is_part_of_rules))
}

/// The cases of the shipped packs.
pub fn cases() -> Vec<RuleFile> {
    files(|path| path.ends_with(CASES_SUFFIX))
}

fn files(wanted: impl Fn(&str) -> bool) -> Vec<RuleFile> {
    let mut files = Vec::new();
    let mut folders = vec![&PACKS];
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
    use super::*;

    #[test]
    fn the_shipped_rules_are_those_of_the_folder_and_they_load() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../rules/packs");
        let read = sluice_runtime::read_rules(folder.as_ref()).unwrap();
        assert_eq!(rules(), read);
        if let Err(errors) = sluice_rules::RuleSet::compile(&read) {
            panic!("{errors}");
        }
    }
}
