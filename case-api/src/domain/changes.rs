//! What one rule set changes against another: file by file, and parameter by parameter.

use std::collections::BTreeMap;

use serde::Serialize;
use similar::TextDiff;
use sluice_model::RuleFile;
use sluice_rules::{CASES_SUFFIX, RuleSet};

use super::bundle_of;

/// Lines around a change that a difference shows.
const DIFF_CONTEXT: usize = 3;

/// What a version changes.
#[derive(Clone, Debug, Default, Serialize, utoipa::ToSchema)]
pub struct Changes {
    /// File by file.
    pub files: Vec<FileChange>,
    /// Parameter by parameter, as they come into force.
    pub parameters: Vec<ParameterChange>,
}

/// A file that is not what it was.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct FileChange {
    /// Which.
    pub path: String,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// The difference, in unified form.
    pub diff: String,
}

/// A parameter that is not what it was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct ParameterChange {
    /// The rule.
    pub rule: String,
    /// Its parameter.
    pub parameter: String,
    /// The value before; none where it is new.
    pub before: Option<String>,
    /// The value after; none where it is gone.
    pub after: Option<String>,
}

/// What comes, goes and changes from one set of files to the next.
pub fn difference(before: &[RuleFile], after: &[RuleFile]) -> Changes {
    let texts = |files: &[RuleFile]| -> BTreeMap<String, String> {
        files.iter().map(|file| (file.path.clone(), file.text.clone())).collect()
    };
    let (old, new) = (texts(before), texts(after));
    let mut files = Vec::new();
    for path in union(&old, &new) {
        let (was, is) = (old.get(path), new.get(path));
        if was == is {
            continue;
        }
        let (was_text, is_text) = (was.map_or("", String::as_str), is.map_or("", String::as_str));
        let diff = TextDiff::from_lines(was_text, is_text);
        files.push(FileChange {
            path: path.clone(),
            change: match (was, is) {
                (None, _) => "added",
                (_, None) => "removed",
                _ => "changed",
            },
            diff: diff.unified_diff().context_radius(DIFF_CONTEXT).to_string(),
        });
    }
    let (old, new) = (parameters(before), parameters(after));
    let changed = |key: &(String, String)| {
        let (before, after) = (old.get(key).cloned(), new.get(key).cloned());
        let (rule, parameter) = key.clone();
        (before != after).then_some(ParameterChange { rule, parameter, before, after })
    };
    Changes { files, parameters: union(&old, &new).into_iter().filter_map(changed).collect() }
}

/// What was written since a base: files that are new or changed, rules first, and paths that are gone.
pub fn written_since(base: &[RuleFile], files: Vec<RuleFile>) -> (Vec<RuleFile>, Vec<String>) {
    let gone = base.iter().filter(|file| !files.iter().any(|kept| kept.path == file.path));
    let gone = gone.map(|file| file.path.clone()).collect();
    let mut changed: Vec<RuleFile> = files.into_iter().filter(|file| !base.contains(file)).collect();
    changed.sort_by_key(|file| file.path.ends_with(CASES_SUFFIX));
    (changed, gone)
}

/// The keys of both, each once, in order.
fn union<'a, K: Ord, V>(old: &'a BTreeMap<K, V>, new: &'a BTreeMap<K, V>) -> Vec<&'a K> {
    let mut keys: Vec<&K> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// Every parameter of every rule, with its value in force. Amounts, shares and lengths of time carry their
/// unit already; a bare number is given its own.
fn parameters(files: &[RuleFile]) -> BTreeMap<(String, String), String> {
    let Ok(set) = RuleSet::compile(&bundle_of(files)) else { return BTreeMap::new() };
    let of = |rule: &sluice_rules::Description| {
        let id = rule.id.clone();
        let named = rule.parameters.iter().map(move |p| {
            let is_bare = p.value.parse::<f64>().is_ok();
            let value = if is_bare { format!("{} {}", p.value, p.unit) } else { p.value.clone() };
            ((id.clone(), p.name.clone()), value)
        });
        named.collect::<Vec<_>>()
    };
    set.descriptions().iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> RuleFile {
        RuleFile { path: path.into(), text: text.into() }
    }

    #[test]
    fn a_difference_names_what_came_went_and_changed() {
        let before = [file("a.toml", "1\n2\n3\n"), file("b.toml", "same\n"), file("c.toml", "gone\n")];
        let after = [file("a.toml", "1\n二\n3\n"), file("b.toml", "same\n"), file("d.toml", "new\n")];
        let files = difference(&before, &after).files;
        let named: Vec<_> = files.iter().map(|f| (f.path.as_str(), f.change)).collect();
        assert_eq!(named, [("a.toml", "changed"), ("c.toml", "removed"), ("d.toml", "added")]);
        assert!(files[0].diff.contains("-2\n+二\n"), "{}", files[0].diff);
    }

    #[test]
    fn what_was_written_since_a_base_is_told_rules_first() {
        let base = [file("a.rhai", "1"), file("b.rhai", "same"), file("c.rhai", "gone")];
        let files = vec![file("a.cases.toml", "cases"), file("a.rhai", "2"), file("b.rhai", "same")];
        let (changed, gone) = written_since(&base, files);
        let paths: Vec<_> = changed.iter().map(|file| file.path.as_str()).collect();
        assert_eq!((paths, gone), (vec!["a.rhai", "a.cases.toml"], vec!["c.rhai".to_owned()]));
    }
}
