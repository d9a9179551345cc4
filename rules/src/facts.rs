//! What a rule may know of one event, and why an expression may fail on it.

use sluice_model::{Currency, FailureCause, Money, PartyMatch, PaymentEvent, PaymentPast, Role, WindowValue};

/// Everything about one event, as one key sees it, that a rule may read.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The event.
    pub event: &'a PaymentEvent,
    /// What the payment is worth: the event's amount, or what several captures add up to.
    pub amount: Option<Money>,
    /// The sides on which the key is.
    pub role: Role,
    /// What the payment has been through.
    pub past: &'a PaymentPast,
    /// What screening found.
    pub matches: &'a [PartyMatch],
    /// Whether a party could not be screened.
    pub screening_failed: bool,
    /// The last `customer` event of the customer that is the key.
    pub profile: Option<&'a PaymentEvent>,
}

/// The values of a plan's windows at one event, asked for one by one: a window that no expression reaches is never
/// read.
pub trait Windows {
    /// The value of the window in this place of [`Plan::windows`](crate::Plan::windows).
    fn value(&self, slot: usize) -> WindowValue;
}

impl Windows for &[WindowValue] {
    fn value(&self, slot: usize) -> WindowValue {
        self[slot]
    }
}

/// For what reads no window: rules on payments, filters and values of streams.
pub const NO_WINDOWS: &[WindowValue] = &[];

/// Why an expression has no value for an event. Never carries a value of the event: messages reach logs.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EvalError {
    /// A field or window has no value here, and the rule did not say what then.
    #[error("`{0}` has no value here")]
    Missing(String),
    /// A field holds something else than its declared type.
    #[error("`{0}` is not of its declared type")]
    Mistyped(String),
    /// No rate for the currency on or before the event's day.
    #[error("no rate for {0} on the day of the event")]
    NoRate(Currency),
    /// A reference table has no row in force at the event's time.
    #[error("reference table `{0}` has nothing in force at the time of the event")]
    NotInForce(String),
    /// A party could not be screened, and the rule asks for matches.
    #[error("screening failed for a party of this payment")]
    ScreeningFailed,
    /// A whole number left 64 bits.
    #[error("arithmetic overflow")]
    Overflow,
    /// A division by zero.
    #[error("division by zero")]
    DivisionByZero,
    /// A limit of the interpreter was reached: operations, depth, sizes.
    #[error("the rule exceeded its limit of {0}")]
    Limit(&'static str),
    /// Anything else that the interpreter refused.
    #[error("the rule failed: {0}")]
    Failed(String),
}

impl EvalError {
    /// Whose fault it is, the one place that says so. A payer decides what an event holds, so whatever other values of the
    /// event would have avoided is the input's: it must never add up to a reason for hearing less of a rule. What is left
    /// is in the rule's own text, and even that adds up to a proposal, never to an act.
    pub fn cause(&self) -> FailureCause {
        match self {
            // The event, the profile or a window lacks what the rule asks for, or holds something else.
            Self::Missing(_) | Self::Mistyped(_) => FailureCause::Input,
            // The payer chooses the currency and the time; what is in force at it is the institution's to keep up to date.
            Self::NoRate(_) | Self::NotInForce(_) => FailureCause::Input,
            // Screening is off, or a party cannot be read: the rule only asks.
            Self::ScreeningFailed => FailureCause::Input,
            // Amounts that are large enough, or a sum that is zero. A rule that divides by what is often zero is better
            // guarded, but whether it is zero is the payer's to choose.
            Self::Overflow | Self::DivisionByZero => FailureCause::Input,
            // The rule asks for more work than a rule may. A payer can help by long texts and lists, which the codec bounds:
            // so keys are counted, each once, and a person decides, who sees which events it was.
            Self::Limit(_) => FailureCause::Rule,
            // The text does not fit the values that its own checks let through.
            Self::Failed(_) => FailureCause::Rule,
        }
    }
}
