//! The payment state machine's states, and small sets of them.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{EventTime, Money};

/// The status of a payment: INITIATED → PROCESSING → AUTHORIZED → CAPTURED → COMPLETED, or an end that is none.
/// [`Self::may_follow`] has the whole state machine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the standard's own")]
pub enum PaymentStatus {
    Initiated,
    Processing,
    Authorized,
    Captured,
    Completed,
    Failed,
    Declined,
    Refunded,
    Disputed,
    Cancelled,
    Expired,
}

impl PaymentStatus {
    /// Every status, in the order of the state machine.
    pub const ALL: [Self; 11] = [
        Self::Initiated,
        Self::Processing,
        Self::Authorized,
        Self::Captured,
        Self::Completed,
        Self::Failed,
        Self::Declined,
        Self::Refunded,
        Self::Disputed,
        Self::Cancelled,
        Self::Expired,
    ];

    /// The lower-case name, as events carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Initiated => "initiated",
            Self::Processing => "processing",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Declined => "declined",
            Self::Refunded => "refunded",
            Self::Disputed => "disputed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The status of that lower-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// The statuses that a payment may have next, the one it has left out: a source may say that again.
    pub const fn next(self) -> StatusSet {
        const GOES_BACK: StatusSet =
            StatusSet::EMPTY.with(PaymentStatus::Refunded).with(PaymentStatus::Disputed);
        match self {
            Self::Initiated => StatusSet::SETTLED.and(StatusSet::UNPAID).with(Self::Processing),
            // A bank says that a transfer it was sent is pending.
            Self::Authorized => {
                StatusSet::UNPAID.with(Self::Processing).with(Self::Captured).with(Self::Completed)
            }
            Self::Processing => StatusSet::SETTLED.and(StatusSet::UNPAID),
            // What is left of an authorisation that was captured in part may end.
            Self::Captured => StatusSet::UNPAID.and(GOES_BACK).with(Self::Completed),
            Self::Completed => GOES_BACK,
            Self::Refunded => StatusSet::EMPTY.with(Self::Disputed),
            Self::Disputed => StatusSet::EMPTY.with(Self::Completed).with(Self::Refunded),
            Self::Failed | Self::Declined | Self::Cancelled | Self::Expired => StatusSet::EMPTY,
        }
    }

    /// Whether a payment of a status may come to this one.
    pub const fn may_follow(self, before: Self) -> bool {
        self as u16 == before as u16 || before.next().has(self)
    }
}

/// A set of statuses: those a rule counts, or those a payment has had.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct StatusSet(u16);

impl StatusSet {
    /// No status.
    pub const EMPTY: Self = Self(0);
    /// What a windowed rule counts unless it says otherwise: the first of authorized, captured, completed.
    pub const SETTLED: Self = Self::EMPTY
        .with(PaymentStatus::Authorized)
        .with(PaymentStatus::Captured)
        .with(PaymentStatus::Completed);
    /// A payment that goes on: from its beginning to its completion.
    pub const ALIVE: Self = Self::SETTLED.with(PaymentStatus::Initiated).with(PaymentStatus::Processing);

    /// Ends at which no money has moved, unless it was captured before.
    pub const UNPAID: Self = Self::EMPTY
        .with(PaymentStatus::Failed)
        .with(PaymentStatus::Declined)
        .with(PaymentStatus::Cancelled)
        .with(PaymentStatus::Expired);

    /// Statuses at which money has moved, be it back.
    pub const PAID: Self = Self::EMPTY
        .with(PaymentStatus::Captured)
        .with(PaymentStatus::Completed)
        .with(PaymentStatus::Refunded)
        .with(PaymentStatus::Disputed);

    /// What a rule without windows judges unless it says otherwise: a payment alive once, and each time that it goes
    /// back.
    pub const MOVING: Self = Self::ALIVE.with(PaymentStatus::Refunded).with(PaymentStatus::Disputed);

    /// Every status.
    pub const ALL: Self = Self((1 << PaymentStatus::ALL.len()) - 1);

    /// The statuses at which the same is judged as at this one: any at which a payment is alive, or this one alone.
    pub const fn alike(status: PaymentStatus) -> Self {
        if Self::ALIVE.has(status) { Self::ALIVE } else { Self::EMPTY.with(status) }
    }

    /// This set without those of another.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The statuses of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// This set and one more.
    #[must_use]
    pub const fn with(self, status: PaymentStatus) -> Self {
        Self(self.0 | 1 << status as u16)
    }

    /// Whether the status is in the set.
    pub const fn has(self, status: PaymentStatus) -> bool {
        self.0 & (1 << status as u16) != 0
    }

    /// Whether the sets share a status.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether an event with `status`, of a payment that had `prior` statuses before, is the first that this
    /// set counts: a payment counts once.
    pub const fn counts(self, status: PaymentStatus, prior: Self) -> bool {
        self.has(status) && !self.meets(prior)
    }

    /// Whether a rule of this set judges an event: the first of its payment that the set counts, each of refunded and
    /// disputed for itself, and any other that says what no event so judged has said of the payment as it is now.
    pub fn judges(self, status: PaymentStatus, past: &PaymentPast) -> bool {
        let alike = Self(self.0 & Self::alike(status).0);
        self.has(status) && (!alike.meets(past.prior) || past.said_at.iter().any(|at| !at.meets(alike)))
    }

    /// The statuses in the set.
    pub fn iter(self) -> impl Iterator<Item = PaymentStatus> {
        PaymentStatus::ALL.into_iter().filter(move |s| self.has(*s))
    }
}

impl FromIterator<PaymentStatus> for StatusSet {
    fn from_iter<I: IntoIterator<Item = PaymentStatus>>(iter: I) -> Self {
        iter.into_iter().fold(Self::EMPTY, Self::with)
    }
}

/// What a payment has been through, as one of its events finds it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct PaymentPast {
    /// The statuses that the payment had before this event.
    pub prior: StatusSet,
    /// For each thing that this event says of the payment, the statuses at which it was said since the payment last
    /// changed: since its amount rose, or anything else that a rule reads became another. Equal sets stand here once;
    /// the empty one says that there is something new.
    pub said_at: SmallVec<[StatusSet; 4]>,
    /// The amount that it counted with before, where this event raises it or gives it in another currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Money>,
    /// What the payment's captures add up to, where this event is one of several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<Money>,
    /// The amounts that it counted with, where this event ends it before any money moved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uncounted: Vec<Counted>,
    /// The status that the payment had, where it may not come from there to this event's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub illegal_after: Option<PaymentStatus>,
}

/// An amount with which a payment counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Counted {
    /// The time of the event that said so.
    pub at: EventTime,
    /// Its status.
    pub status: PaymentStatus,
    /// What the payment was worth then: more than before.
    pub worth: Money,
}
