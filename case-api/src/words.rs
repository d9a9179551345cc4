//! The model's enums in the words that SQL, pages and metrics carry: the same as their JSON.

use sluice_model::{Action, Outcome, Severity};

/// `low`, `medium`, `high`, `critical`.
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// The severity of that word.
pub fn severity_of(word: &str) -> Option<Severity> {
    [Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|of| severity(*of) == word)
}

/// For sorting: the graver, the higher.
pub const fn severity_rank(severity: Severity) -> i64 {
    severity as i64
}

/// `alert`, `hold`, `reject`.
pub const fn action(action: Action) -> &'static str {
    match action {
        Action::Alert => "alert",
        Action::Hold => "hold",
        Action::Reject => "reject",
    }
}

/// `allow`, `hold`, `reject`.
pub const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allow",
        Outcome::Hold => "hold",
        Outcome::Reject => "reject",
    }
}

/// Every severity, gravest first.
pub const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];
