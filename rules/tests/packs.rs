//! The packs that ship: they check without a warning, and their cases pass.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use sluice_model::{RuleBundle, RuleFile};
use sluice_rules::RuleSet;

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packs")
}

fn bundle(root: &Path) -> RuleBundle {
    fn collect(root: &Path, folder: &Path, files: &mut Vec<RuleFile>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                files.push(RuleFile { path: name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    let mut files = Vec::new();
    collect(root, root, &mut files);
    RuleBundle::new(files)
}

#[test]
fn every_pack_checks_without_a_warning() {
    let set = RuleSet::compile(&bundle(&packs())).unwrap_or_else(|found| panic!("{found}"));
    assert!(set.warnings().0.is_empty(), "{}", set.warnings());
    for description in set.descriptions() {
        println!("{}", description.text());
    }
}
