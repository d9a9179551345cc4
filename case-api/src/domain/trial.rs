//! Trying a proposed change of the rules: put together with what is in force, checked, its cases run. What does not
//! check, or fails a case, becomes no version. Nothing is stored here.

use serde::{Deserialize, Serialize};
use sluice_model::{
    RuleBundle, RuleFile,
    limits::{RULE_FILE_BYTES_MAX, RULE_FILES_MAX},
};
use sluice_rules::{CASES_SUFFIX, CaseEngine, CaseReport, Diagnostics, RuleSet, run_cases};

use crate::limits::{NOTE_CHARS_MAX, RULE_PATH_BYTES_MAX};

/// A change of the rules, as its author sends it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Why.
    pub rationale: String,
    /// Rules (`*.rhai`), parameters (`parameters.toml`), reference data (`reference/*.toml`) and cases
    /// (`*.cases.toml`) that are new or changed.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub files: Vec<RuleFile>,
    /// Paths that are to go.
    #[serde(default)]
    pub removed: Vec<String>,
    /// Whether `files` is the whole set; otherwise the rest stays as it is in force.
    #[serde(default)]
    pub whole: bool,
    /// Whether to keep it as a draft, which need not check.
    #[serde(default)]
    pub draft: bool,
}

/// What checking and testing a version came to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TrialReport {
    /// Rules and typologies in the set.
    pub rules: usize,
    /// What the check warns of, each with file and line.
    pub warnings: Vec<String>,
    /// Cases that were run; all of them passed. `None`: the set came from a folder and was not tested here.
    pub cases: Option<usize>,
    /// Ways through conditions: two for each, met and not met.
    pub branches: usize,
    /// How many of them a case went.
    pub tried: usize,
    /// Rules without cases.
    pub untested: Vec<String>,
    /// Rules that judge in shadow: nobody is alerted by them.
    #[serde(default)]
    pub shadow: Vec<String>,
    /// What is to be mended, as a terminal shows it: of a draft only.
    #[serde(default)]
    pub problems: String,
}

/// The set that a proposal makes of what is in force, and what trying it came to.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Every file, cases included, by path.
    pub files: Vec<RuleFile>,
    /// What checking and testing came to.
    pub report: TrialReport,
}

/// Why a proposal becomes no version.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// A path, a text or a number of files is not what it may be.
    #[error("{0}")]
    Malformed(String),
    /// It is what is in force.
    #[error("the proposal changes nothing")]
    NothingNew,
    /// The rules do not check.
    #[error("the rules do not check: {} found", .found.0.len())]
    DoesNotCheck {
        /// Everything that was found.
        found: Diagnostics,
        /// The same with its lines and carets, as a terminal shows it.
        rendered: String,
    },
    /// Cases fail.
    #[error("{} of the cases fail", .0.len())]
    CasesFail(Vec<CaseReport>),
}

impl TrialError {
    /// Everything that is to be mended, as a terminal shows it.
    pub fn in_full(&self) -> String {
        match self {
            Self::DoesNotCheck { rendered, .. } => rendered.clone(),
            Self::CasesFail(cases) => {
                let lines = |case: &CaseReport| {
                    let failures: String = case.failures.iter().map(|line| format!("    {line}\n")).collect();
                    format!("{}:{}: {}\n{failures}", case.file, case.line, case.name)
                };
                cases.iter().map(lines).collect()
            }
            Self::Malformed(_) | Self::NothingNew => String::new(),
        }
    }
}

/// What judges of a set of files: all but the cases. Its hash is the set's.
pub fn bundle_of(files: &[RuleFile]) -> RuleBundle {
    RuleBundle::new(files.iter().filter(|file| !is_cases(file)).cloned().collect())
}

fn is_cases(file: &RuleFile) -> bool {
    file.path.ends_with(CASES_SUFFIX)
}

/// Put the proposal together with what is in force, check it and run its cases. Takes as long as the cases take.
pub fn try_out(
    in_force: &[RuleFile],
    proposal: &Proposal,
    engine: &dyn CaseEngine,
) -> Result<Trial, TrialError> {
    let files = merged(in_force, proposal)?;
    match try_files(files.clone(), engine) {
        Err(refused) if proposal.draft => {
            let report = TrialReport { problems: refused.in_full(), ..TrialReport::default() };
            Ok(Trial { files, report })
        }
        tried => tried,
    }
}

/// Check a whole set and run its cases.
pub fn try_files(files: Vec<RuleFile>, engine: &dyn CaseEngine) -> Result<Trial, TrialError> {
    let bundle = bundle_of(&files);
    let refused = |found: Diagnostics| TrialError::DoesNotCheck { rendered: found.render(&bundle), found };
    let set = RuleSet::compile(&bundle).map_err(refused)?;
    let cases: Vec<RuleFile> = files.iter().filter(|file| is_cases(file)).cloned().collect();
    let tested = run_cases(&bundle, &cases, engine).map_err(refused)?;
    let ran = tested.cases.len();
    let failed: Vec<CaseReport> = tested.cases.into_iter().filter(|case| !case.failures.is_empty()).collect();
    if !failed.is_empty() {
        return Err(TrialError::CasesFail(failed));
    }
    let report = TrialReport {
        rules: set.files().len(),
        warnings: set.warnings().0.iter().map(ToString::to_string).collect(),
        cases: Some(ran),
        branches: tested.coverage.iter().map(|of| of.branches).sum(),
        tried: tested.coverage.iter().map(|of| of.tried).sum(),
        untested: tested.untested,
        shadow: set.descriptions().iter().filter(|rule| rule.shadow).map(|rule| rule.id.clone()).collect(),
        problems: String::new(),
    };
    Ok(Trial { files, report })
}

fn merged(in_force: &[RuleFile], proposal: &Proposal) -> Result<Vec<RuleFile>, TrialError> {
    let rationale = proposal.rationale.trim();
    if rationale.is_empty() || rationale.chars().count() > NOTE_CHARS_MAX {
        return Err(TrialError::Malformed(format!("a rationale has 1 to {NOTE_CHARS_MAX} characters")));
    }
    if let Some(file) = proposal.files.iter().find(|file| !is_path_of_rules(&file.path)) {
        let shown: String = file.path.chars().take(RULE_PATH_BYTES_MAX).collect();
        return Err(TrialError::Malformed(format!(
            "{shown:?} is no path of a rule set: write it with `/`, ending in .rhai or .toml"
        )));
    }
    if let Some(file) = proposal.files.iter().find(|file| file.text.len() > RULE_FILE_BYTES_MAX) {
        return Err(TrialError::Malformed(format!(
            "{:?} is larger than {RULE_FILE_BYTES_MAX} bytes",
            file.path
        )));
    }
    let kept = if proposal.whole { &[] } else { in_force };
    if let Some(path) = proposal.removed.iter().find(|path| !kept.iter().any(|file| file.path == **path)) {
        return Err(TrialError::Malformed(format!("{path:?} is not in force, so it cannot be removed")));
    }
    let stays = |file: &&RuleFile| {
        !proposal.removed.contains(&file.path) && !proposal.files.iter().any(|new| new.path == file.path)
    };
    let files: Vec<RuleFile> = kept.iter().filter(stays).chain(&proposal.files).cloned().collect();
    let files = RuleBundle::new(files).files;
    if let Some(pair) = files.windows(2).find(|pair| pair[0].path == pair[1].path) {
        return Err(TrialError::Malformed(format!("{:?} is in the proposal twice", pair[0].path)));
    }
    if files.is_empty() || files.len() > RULE_FILES_MAX {
        return Err(TrialError::Malformed(format!("a rule set has 1 to {RULE_FILES_MAX} files")));
    }
    if files == in_force { Err(TrialError::NothingNew) } else { Ok(files) }
}

fn is_path_of_rules(path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.contains(|c: char| c.is_control() || c == '\\')
    };
    path.len() <= RULE_PATH_BYTES_MAX
        && path.split('/').all(plain)
        && (path.ends_with(".rhai") || path.ends_with(".toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> RuleFile {
        RuleFile { path: path.to_owned(), text: text.to_owned() }
    }

    fn proposal(files: Vec<RuleFile>) -> Proposal {
        Proposal { rationale: "because".to_owned(), files, ..Proposal::default() }
    }

    fn paths(merged: Result<Vec<RuleFile>, TrialError>) -> Result<Vec<String>, String> {
        let paths = |files: Vec<RuleFile>| files.into_iter().map(|file| file.path).collect();
        merged.map(paths).map_err(|error| error.to_string())
    }

    #[test]
    fn a_proposal_changes_adds_and_removes_what_it_names_and_keeps_the_rest() {
        let in_force = [file("a.rhai", "1"), file("b.rhai", "1"), file("c.rhai", "1")];
        let with = |proposal: &Proposal| paths(merged(&in_force, proposal));
        let change = proposal(vec![file("b.rhai", "2"), file("d.rhai", "1")]);
        assert_eq!(with(&change).unwrap(), ["a.rhai", "b.rhai", "c.rhai", "d.rhai"]);
        let less = Proposal { removed: vec!["a.rhai".to_owned()], ..change.clone() };
        assert_eq!(with(&less).unwrap(), ["b.rhai", "c.rhai", "d.rhai"]);
        let whole = Proposal { whole: true, ..change.clone() };
        assert_eq!(with(&whole).unwrap(), ["b.rhai", "d.rhai"]);
        let unknown = Proposal { removed: vec!["z.rhai".to_owned()], ..change };
        assert!(with(&unknown).unwrap_err().contains("not in force"));
        assert!(
            with(&proposal(vec![file("d.rhai", "1"), file("d.rhai", "2")])).unwrap_err().contains("twice")
        );
        assert!(with(&proposal(vec![file("b.rhai", "1")])).unwrap_err().contains("changes nothing"));
    }

    #[test]
    fn a_proposal_is_as_large_as_it_may_be_and_no_larger() {
        let tried = |proposal: &Proposal| merged(&[], proposal).is_ok();
        let said =
            |chars: usize| Proposal { rationale: "x".repeat(chars), ..proposal(vec![file("a.rhai", "1")]) };
        assert!(!tried(&said(0)) && tried(&said(NOTE_CHARS_MAX)) && !tried(&said(NOTE_CHARS_MAX + 1)));
        let long = |bytes| proposal(vec![file("a.rhai", &"x".repeat(bytes))]);
        assert!(tried(&long(RULE_FILE_BYTES_MAX)) && !tried(&long(RULE_FILE_BYTES_MAX + 1)));
        let many = |files: usize| proposal((0..files).map(|n| file(&format!("{n}.rhai"), "1")).collect());
        assert!(!tried(&many(0)) && tried(&many(RULE_FILES_MAX)) && !tried(&many(RULE_FILES_MAX + 1)));
    }

    #[test]
    fn a_path_of_rules_stays_below_their_folder_and_says_what_it_is() {
        let long = |bytes: usize| format!("{}.rhai", "x".repeat(bytes - ".rhai".len()));
        for path in
            ["a.rhai", "packs/core/R1.rhai", "reference/rates.toml", "a b.rhai", &long(RULE_PATH_BYTES_MAX)]
        {
            assert!(is_path_of_rules(path), "{path}");
        }
        for path in [
            "",
            "a.txt",
            "/a.rhai",
            "a//b.rhai",
            "../a.rhai",
            ".hidden/a.rhai",
            ".rhai",
            "a\\b.rhai",
            "a\n.rhai",
            &long(RULE_PATH_BYTES_MAX + 1),
        ] {
            assert!(!is_path_of_rules(path), "{path:?}");
        }
    }
}
