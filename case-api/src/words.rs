//! The model's words as SQL, pages and metrics carry them: the same as in JSON.

use sluice_model::{Action, Outcome, Severity};

/// `low`, `medium`, `high`, `critical`.
pub(crate) const fn severity(severity: Severity) -> &'static str {
    severity.name()
}

/// The severity of that word.
pub(crate) fn severity_of(word: &str) -> Option<Severity> {
    [Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|of| severity(*of) == word)
}

/// For sorting: the graver, the higher.
pub(crate) const fn severity_rank(severity: Severity) -> i64 {
    severity as i64
}

/// `alert`, `hold`, `reject`.
pub(crate) const fn action(action: Action) -> &'static str {
    action.name()
}

/// `allow`, `hold`, `reject`.
pub(crate) const fn outcome(outcome: Outcome) -> &'static str {
    outcome.name()
}

/// Every severity, gravest first.
pub(crate) const SEVERITIES: [&str; 4] = {
    let [low, medium, high, critical] = Severity::ALL;
    [critical.name(), high.name(), medium.name(), low.name()]
};
