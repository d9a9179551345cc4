//! The state machine of a case: the one place that says which act is allowed in which state and to whom.
//!
//! `NEW → TRIAGE → INVESTIGATE → MLRO_REVIEW → CLOSED`, and back down by `return`, and up again by `reopen`.
//! Where the money is is another matter: holds and freezes have states of their own.

use serde::{Deserialize, Serialize};
use sluice_model::Span;

use super::{Act, Closing, DispositionCode, Permission, Refusal, Roles};

/// The state of a case.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CaseState {
    /// Opened by an alert; nobody has looked.
    New,
    /// With the first line.
    Triage,
    /// With the second line.
    Investigate,
    /// With the money laundering reporting officer.
    MlroReview,
    /// Ended, with a disposition.
    Closed,
}

impl CaseState {
    /// Every state, in order.
    pub const ALL: [Self; 5] = [Self::New, Self::Triage, Self::Investigate, Self::MlroReview, Self::Closed];

    /// The name in JSON and SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::Triage => "TRIAGE",
            Self::Investigate => "INVESTIGATE",
            Self::MlroReview => "MLRO_REVIEW",
            Self::Closed => "CLOSED",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == name)
    }

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Triage => "Triage",
            Self::Investigate => "Investigation",
            Self::MlroReview => "MLRO review",
            Self::Closed => "Closed",
        }
    }
}

/// The state after `act`, if a person with `roles` may do it to a case in `state`. `None`: the state stays.
pub fn next_state(state: CaseState, act: &Act, roles: &Roles) -> Result<Option<CaseState>, Refusal> {
    let (permission, next) = step(state, act)?;
    if !roles.allow(permission) {
        return Err(Refusal::NotAllowed);
    }
    Ok(next.filter(|next| *next != state))
}

/// What an act in a state needs, and where it leads.
fn step(state: CaseState, act: &Act) -> Result<(Permission, Option<CaseState>), Refusal> {
    use CaseState::{Closed, Investigate, MlroReview, New, Triage};
    use Permission::{Decide, Investigate as Investigates, Triage as Triages};
    let stay = |permission| (permission, None);
    let to = |permission, next| (permission, Some(next));
    Ok(match (act, state) {
        (Act::Comment { .. }, _) => stay(Triages),
        (Act::Unfreeze { .. }, _) => stay(Decide),
        // Somebody asks; whether that clears the hold or proposes it, `release` says.
        (Act::Release { .. }, _) => stay(Investigates),
        (Act::Reopen { .. }, Closed) => to(Investigates, Investigate),
        (Act::Reopen { .. }, _) | (_, Closed) => return Err(Refusal::WrongState(state, act.kind())),

        (Act::Assign { .. }, New) => to(Triages, Triage),
        (Act::Assign { .. }, Triage) => stay(Triages),
        (Act::Assign { .. }, Investigate) => stay(Investigates),
        (Act::Assign { .. }, MlroReview) => stay(Decide),
        (Act::Freeze { .. }, _) => stay(Investigates),
        (Act::Escalate { .. }, New | Triage) => to(Triages, Investigate),
        (Act::Escalate { .. }, Investigate) => to(Investigates, MlroReview),
        (Act::Return { .. }, Investigate) => to(Investigates, Triage),
        (Act::Return { .. }, MlroReview) => to(Decide, Investigate),
        (Act::Close(closing), New | Triage) => {
            closing.check()?;
            to(closing.disposition.permission(), Closed)
        }
        (Act::Close(closing), Investigate) => {
            closing.check()?;
            let permission = match closing.disposition.permission() {
                Decide => Decide,
                _ => Investigates,
            };
            to(permission, Closed)
        }
        (Act::Close(closing), MlroReview) => {
            closing.check()?;
            to(Decide, Closed)
        }
        (Act::Escalate { .. }, MlroReview) | (Act::Return { .. }, New | Triage) => {
            return Err(Refusal::WrongState(state, act.kind()));
        }
    })
}

/// The ways in which a person with `roles` may close a case in `state`.
pub fn closings(state: CaseState, roles: &Roles) -> Vec<DispositionCode> {
    let may = |code: &DispositionCode| {
        let said = Some("said".to_owned());
        let closing =
            Closing { disposition: *code, discriminator: said, reason: String::new(), suppress_days: None };
        next_state(state, &Act::Close(closing), roles).is_ok()
    };
    DispositionCode::ALL.into_iter().filter(may).collect()
}

/// How long a case may stay in a state before it is overdue; a sanctions hold cannot wait for a queue.
pub const fn sla(state: CaseState, sanctions: bool) -> Option<Span> {
    match state {
        CaseState::New | CaseState::Triage if sanctions => Some(Span::hours(1)),
        CaseState::New | CaseState::Triage => Some(Span::hours(24)),
        CaseState::Investigate => Some(Span::days(5)),
        CaseState::MlroReview => Some(Span::days(2)),
        CaseState::Closed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ActKind, Role};

    fn act(kind: ActKind, code: DispositionCode) -> Act {
        let reason = "because".to_owned();
        match kind {
            ActKind::Assign => Act::Assign { to: Some("ada".into()) },
            ActKind::Comment => Act::Comment { text: reason },
            ActKind::Escalate => Act::Escalate { reason },
            ActKind::Return => Act::Return { reason },
            ActKind::Freeze => Act::Freeze { key: None, reason },
            ActKind::Unfreeze => Act::Unfreeze { key: None, frozen_at: None, reason },
            ActKind::Release => Act::Release { payment_id: None, alerts: None, reason },
            ActKind::Close => Act::Close(Closing {
                disposition: code,
                discriminator: Some("born later".into()),
                reason,
                suppress_days: None,
            }),
            ActKind::Reopen => Act::Reopen { reason },
        }
    }

    /// Every state, act and role, one line each: a change of the machine shows as a change of this table.
    #[test]
    fn the_machine_is_this_table() {
        let mut table = String::new();
        for state in CaseState::ALL {
            for kind in ActKind::ALL {
                let act = act(kind, DispositionCode::FpName);
                for role in Role::ALL {
                    if let Ok(next) = next_state(state, &act, &Roles::new([role])) {
                        let next = next.unwrap_or(state).name();
                        table += &format!("{} {} {} -> {next}\n", state.name(), kind.name(), role.name());
                    }
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn only_the_mlro_reports_or_ends_a_relationship() {
        for state in [CaseState::Triage, CaseState::Investigate, CaseState::MlroReview] {
            for code in [DispositionCode::Str, DispositionCode::Exit, DispositionCode::TfsMatch] {
                for role in Role::ALL {
                    let done = next_state(state, &act(ActKind::Close, code), &Roles::new([role]));
                    assert_eq!(done.is_ok(), role == Role::Mlro, "{state:?} {code:?} {role:?}");
                }
            }
        }
    }
}
