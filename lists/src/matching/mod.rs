//! Matching: from two names to a score with its reasons.
//!
//! The way of a name: `normalise` (what the eye does not see) → `tokens` (which part each word plays, and every
//! form it may be written in, by `scripts` and `vocabulary`: a `name`) → `similarity` (how near two forms are) → `scorer`
//! (what met, what did not) → `explain` (in words). `index` finds the names that can reach a threshold without
//! comparing all; `phrases` finds listed names in free text.
//!
//! Never reads a clock, a file or a list source's format.

pub(crate) mod acronyms;
pub(crate) mod explain;
pub(crate) mod index;
pub(crate) mod name;
pub(crate) mod normalise;
pub(crate) mod numbers;
pub(crate) mod phrases;
pub(crate) mod scorer;
pub(crate) mod scoring;
pub(crate) mod scripts;
pub(crate) mod similarity;
pub(crate) mod tokens;
pub(crate) mod vocabulary;

pub use normalise::COMPARED_CHARS_MAX;
pub use scoring::Scoring;
pub use tokens::TOKENS_MAX;

use sluice_model::Reason;

/// Scores the first name, as a query, against the second, as a listed name, without any list: tokens weigh what
/// they weigh in general.
pub(crate) fn score_pair(query: &str, listed: &str, scoring: &Scoring) -> (f64, Vec<Reason>) {
    let (query, listed) = (tokens::read(query, false, scoring), tokens::read(listed, false, scoring));
    let pairs = scorer::pairs(&query, &listed, scoring);
    let alike = |q: usize, n: usize| scorer::alike(&query, q, &listed, n);
    let outcome = scorer::score(query.side(), listed.side(), &pairs, scoring, alike);
    (explain::rounded(outcome.score), explain::reasons(&query, &listed, &outcome))
}
