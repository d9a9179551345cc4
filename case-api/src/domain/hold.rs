//! Holds: why a payment is not let go. A payment may have several; it moves once every one is cleared.

use serde::Serialize;
use sluice_model::{HoldOutcome, HoldRecord};

use crate::stamp::Stamp;

/// The state of a hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum HoldState {
    /// The payment waits.
    Held,
    /// Somebody proposed to let it go; another person must confirm.
    Proposed,
    /// An officer cleared it; the payment may wait for other holds.
    Cleared,
    /// The engine let the payment go.
    Released,
    /// The payment was refused outright: nothing to release.
    Rejected,
}

impl HoldState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Held, Self::Proposed, Self::Cleared, Self::Released, Self::Rejected];

    /// The name in SQL and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Proposed => "proposed",
            Self::Cleared => "cleared",
            Self::Released => "released",
            Self::Rejected => "rejected",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// The state in which a payment is that the engine has just kept.
    pub const fn kept(said: &HoldRecord) -> Self {
        match said.state {
            HoldOutcome::Rejected => Self::Rejected,
            _ => Self::Held,
        }
    }
}

/// One reason why a payment was held or refused.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, utoipa::ToSchema)]
pub struct Hold {
    /// Its place in the order of recording.
    #[serde(skip)]
    pub seq: i64,
    /// The payment.
    pub payment_id: String,
    /// The event that was judged.
    pub event_id: String,
    /// The alert that holds it.
    pub because: String,
    /// The case of that alert.
    pub case_id: Option<String>,
    /// Its state.
    pub state: HoldState,
    /// The event's own time.
    pub held_at: Stamp,
    /// Who proposed its release.
    pub proposed_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub proposed_at: Option<Stamp>,
    /// Who cleared it.
    pub cleared_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub cleared_at: Option<Stamp>,
}

impl Hold {
    /// Whether the payment still waits because of it.
    pub const fn waits(&self) -> bool {
        matches!(self.state, HoldState::Held | HoldState::Proposed)
    }

    /// Whether it can be let go: a refusal too binds the payment's later events until somebody ends that.
    pub const fn may_be_released(&self) -> bool {
        self.waits() || matches!(self.state, HoldState::Rejected)
    }
}
