//! A candidate beside the rules in force: what is below `shadow/` is judged as if it had replaced the files of the
//! same path, by itself, with its own parameters and tables. Where it says the same, nothing is judged twice; where it
//! differs, it is in shadow.

use sluice_model::{RuleBundle, RuleFile};

/// The folder of a candidate's files. An empty one means a file that is gone.
pub const SHADOW_FOLDER: &str = "shadow/";

/// Whether a file is a candidate's.
pub(crate) fn is_shadow(file: &RuleFile) -> bool {
    file.path.starts_with(SHADOW_FOLDER)
}

/// What is in force of a bundle, and, where there is a candidate, what would be in its stead. The candidate's files
/// keep their own paths, so that a diagnostic names them.
pub(crate) fn split(bundle: &RuleBundle) -> (RuleBundle, Option<RuleBundle>) {
    let (shadow, live): (Vec<RuleFile>, Vec<RuleFile>) = bundle.files.iter().cloned().partition(is_shadow);
    let live = RuleBundle::new(live);
    if shadow.is_empty() {
        return (live, None);
    }
    let replaced = |file: &&RuleFile| {
        shadow.iter().any(|new| new.path.strip_prefix(SHADOW_FOLDER) == Some(file.path.as_str()))
    };
    let kept = live.files.iter().filter(|file| !replaced(file));
    let new = shadow.iter().filter(|file| !file.text.is_empty());
    let candidate = RuleBundle::new(kept.chain(new).cloned().collect());
    (live, Some(candidate))
}

/// The rules in force with those of `next` in shadow beside them.
pub fn in_shadow(in_force: &RuleBundle, next: &RuleBundle) -> RuleBundle {
    let (live, _) = split(in_force);
    let (next, _) = split(next);
    let shadow = |file: &RuleFile, text: &str| RuleFile {
        path: format!("{SHADOW_FOLDER}{}", file.path),
        text: text.to_owned(),
    };
    let changed = next.files.iter().filter(|file| !live.files.contains(file));
    let gone = live.files.iter().filter(|file| !next.files.iter().any(|kept| kept.path == file.path));
    let beside: Vec<RuleFile> =
        changed.map(|file| shadow(file, &file.text)).chain(gone.map(|file| shadow(file, ""))).collect();
    RuleBundle::new(live.files.into_iter().chain(beside).collect())
}
