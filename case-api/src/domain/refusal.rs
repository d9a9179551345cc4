//! Why an act is not done, and the texts that acts may carry.

use super::{ActKind, CaseState};
use crate::limits::NOTE_CHARS_MAX;

/// Why an act is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The roles do not allow it.
    #[error("your role does not allow this act")]
    NotAllowed,
    /// The state does not allow it.
    #[error("a case in state {} does not allow the act {}", .0.name(), .1.name())]
    WrongState(CaseState, ActKind),
    /// A false positive without how the two differ.
    #[error("a false positive needs a discriminator: how the customer differs from the listed party")]
    DiscriminatorMissing,
    /// Empty, or too long.
    #[error("a text is empty or longer than {} characters", NOTE_CHARS_MAX)]
    BadText,
    /// Money of this case is still held or frozen.
    #[error("{0} of this case would be left behind: clear it first, or close as EXIT, STR or TFS-MATCH")]
    FundsHeld(&'static str),
    /// No such hold, freeze or officer to act on.
    #[error("{0}")]
    NothingToActOn(&'static str),
    /// The order does not say which of several was seen.
    #[error("{0}")]
    NamesTooLittle(&'static str),
    /// The person who proposed may not confirm.
    #[error("what you proposed must be confirmed by another person")]
    SamePerson,
    /// Not a match that may be suppressed so, or not for so long.
    #[error(
        "a match is suppressed as FP-NAME, FP-DOB or FP-COUNTRY, for 1 to {} days",
        crate::limits::SUPPRESSION_DAYS_MAX
    )]
    NotSuppressible,
    /// More matches than one closing suppresses.
    #[error(
        "more than {} matches: look at each, and suppress one by one",
        crate::limits::SUPPRESSIONS_PER_CLOSING_MAX
    )]
    TooManyMatches,
    /// What was asked for does not fit the present state of things.
    #[error("{0}")]
    Conflict(&'static str),
}

/// A text that must be given, and is not too long.
pub fn check_text(text: &str) -> Result<(), Refusal> {
    let good = !text.trim().is_empty() && text.chars().count() <= NOTE_CHARS_MAX;
    if good { Ok(()) } else { Err(Refusal::BadText) }
}
