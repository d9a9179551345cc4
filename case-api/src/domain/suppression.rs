//! A suppression's life: `proposed → approved`, or ended before or after. Two people, always: nothing is urgent about
//! hearing less, and what it hides is not seen again until it ends.

use serde::{Deserialize, Serialize};

use super::{DispositionCode, Permission, Refusal, Roles};
use crate::limits::SUPPRESSION_DAYS_MAX;

/// Where a suppression stands. That it expired, or that its entry changed, follows from what it binds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SuppressionState {
    /// Somebody proposed it; the engine does not know it.
    Proposed,
    /// A second person approved it: the engine leaves the match out.
    Approved,
    /// Refused before it was approved, or revoked after.
    Revoked,
}

impl SuppressionState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Proposed, Self::Approved, Self::Revoked];

    /// The name in SQL and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Revoked => "revoked",
        }
    }
}

/// Not the name of a suppression's state.
#[derive(Debug, thiserror::Error)]
#[error("not a state of a suppression")]
pub struct UnknownSuppressionState;

impl TryFrom<String> for SuppressionState {
    type Error = UnknownSuppressionState;

    fn try_from(name: String) -> Result<Self, UnknownSuppressionState> {
        Self::ALL.into_iter().find(|s| s.name() == name).ok_or(UnknownSuppressionState)
    }
}

/// What is done to a proposed or approved suppression.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum SuppressionAct {
    /// Have the engine leave the match out.
    Approve,
    /// Refuse or end it.
    Revoke {
        /// Why.
        reason: String,
    },
}

impl SuppressionAct {
    /// The name in evidence, timelines and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Approve => "approve_suppression",
            Self::Revoke { .. } => "revoke_suppression",
        }
    }
}

/// The state after `act`, if a person with `roles` may do it. `own`: the same person proposed it.
pub fn next_suppression_state(
    state: SuppressionState,
    act: &SuppressionAct,
    roles: &Roles,
    own: bool,
) -> Result<SuppressionState, Refusal> {
    use SuppressionState::{Approved, Proposed, Revoked};
    let (needed, next) = match (act, state) {
        (SuppressionAct::Approve, Proposed) => (Permission::Decide, Approved),
        (SuppressionAct::Approve, _) => {
            return Err(Refusal::Conflict("only a proposed suppression can be approved"));
        }
        // To hear more is safe: whoever proposed it may take it back, an investigator may end it.
        (SuppressionAct::Revoke { .. }, Proposed) if own => (Permission::Triage, Revoked),
        (SuppressionAct::Revoke { .. }, Proposed | Approved) => (Permission::Investigate, Revoked),
        (SuppressionAct::Revoke { .. }, Revoked) => {
            return Err(Refusal::Conflict("this suppression has ended already"));
        }
    };
    if !roles.allow(needed) {
        return Err(Refusal::NotAllowed);
    }
    if next == Approved && own {
        return Err(Refusal::SamePerson);
    }
    Ok(next)
}

/// Whether matches may be suppressed under this disposition and for so long.
pub fn check_suppression(disposition: DispositionCode, days: u32) -> Result<(), Refusal> {
    let fits = disposition.may_suppress() && (1..=SUPPRESSION_DAYS_MAX).contains(&days);
    if fits { Ok(()) } else { Err(Refusal::NotSuppressible) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Role;

    #[test]
    fn it_takes_two_people_of_whom_one_decides() {
        let revoke = SuppressionAct::Revoke { reason: "seen again".into() };
        for role in Role::ALL {
            let roles = Roles::new([role]);
            let next = |state, act, own| next_suppression_state(state, act, &roles, own);
            let decides = role == Role::Mlro;
            let approved = next(SuppressionState::Proposed, &SuppressionAct::Approve, false);
            assert_eq!(approved.is_ok(), decides, "{role:?}");
            assert!(next(SuppressionState::Proposed, &SuppressionAct::Approve, true).is_err(), "{role:?}");
            assert!(next(SuppressionState::Revoked, &SuppressionAct::Approve, false).is_err(), "{role:?}");
            let ends = matches!(role, Role::Investigator | Role::Mlro);
            assert_eq!(next(SuppressionState::Approved, &revoke, false).is_ok(), ends, "{role:?}");
            let takes_back = ends || role == Role::Analyst;
            assert_eq!(next(SuppressionState::Proposed, &revoke, true).is_ok(), takes_back, "{role:?}");
        }
    }

    #[test]
    fn only_another_person_is_suppressed_and_for_a_year_at_most() {
        for code in DispositionCode::ALL {
            let expected =
                [DispositionCode::FpName, DispositionCode::FpDob, DispositionCode::FpCountry].contains(&code);
            assert_eq!(check_suppression(code, 365).is_ok(), expected, "{code:?}");
            assert!(check_suppression(code, 0).is_err() && check_suppression(code, 366).is_err());
        }
    }
}
