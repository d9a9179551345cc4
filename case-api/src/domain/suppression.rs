//! A suppression's life: `proposed → approved`, or ended before or after. Two people, always: nothing is urgent about
//! hearing less, and what it hides is not seen again until it ends.

use serde::{Deserialize, Serialize};
use sluice_model::{Alert, AlertId, EventTime, Hash256, Key, Span};

use super::{Actor, DispositionCode, Permission, Refusal, Roles, check_text};
use crate::limits::{SUPPRESSION_DAYS_MAX, SUPPRESSIONS_PER_CLOSING_MAX};

/// The state of a suppression. That it expired, or that its entry changed, follows from what it binds.
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

/// A match of a case's alerts that a suppression could bind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseMatch {
    /// Who was screened.
    pub party: Key,
    /// Under which name.
    pub screened: String,
    /// The list source.
    pub list: String,
    /// The version that was screened against.
    pub version: String,
    /// The entry.
    pub entry_id: String,
    /// Its name that was met.
    pub listed: String,
    /// The alerts of the case that show it: what was decided on.
    pub alerts: Vec<AlertId>,
}

/// What somebody proposes to leave out.
#[derive(Clone, Debug)]
pub struct SuppressionProposal {
    /// The match.
    pub of: CaseMatch,
    /// The entry's content as it was seen.
    pub entry_hash: Hash256,
    /// The kind of false positive.
    pub disposition: DispositionCode,
    /// How the two differ.
    pub reason: String,
    /// For how long.
    pub days: u32,
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

/// The matches of a case that may be suppressed, each party and entry once, as last seen. `alerts`: the case's, newest
/// first.
pub fn matches_of(alerts: impl IntoIterator<Item = Alert>) -> Vec<CaseMatch> {
    let mut found: Vec<CaseMatch> = Vec::new();
    let met = alerts.into_iter().flat_map(|alert| {
        let id = alert.alert_id;
        alert.matches.into_iter().map(move |met| (id, met))
    });
    for (id, met) in met {
        let Some(party) = met.party else { continue };
        for hit in met.matches {
            let known =
                |m: &&mut CaseMatch| m.party == party && m.list == hit.list && m.entry_id == hit.entry_id;
            if let Some(known) = found.iter_mut().find(known) {
                if known.alerts.last() != Some(&id) {
                    known.alerts.push(id);
                }
            } else {
                found.push(CaseMatch {
                    party: party.clone(),
                    screened: met.name.clone(),
                    list: hit.list,
                    version: hit.version,
                    entry_id: hit.entry_id,
                    listed: hit.name,
                    alerts: vec![id],
                });
            }
        }
    }
    found
}

/// Whether all matches of a case may be proposed together.
pub fn check_together(shown: &[CaseMatch]) -> Result<(), Refusal> {
    if shown.is_empty() {
        let none = "no match of this case is of a known customer, account or institution";
        return Err(Refusal::NothingToActOn(none));
    }
    if shown.len() > SUPPRESSIONS_PER_CLOSING_MAX {
        return Err(Refusal::TooManyMatches);
    }
    Ok(())
}

impl SuppressionProposal {
    /// When it ends, proposed now.
    pub fn expires_at(&self, now: EventTime) -> EventTime {
        now.plus(Span::days(i64::from(self.days)))
    }

    /// Whether a person may propose it. `known`: one on the same party and entry is in force, or proposed.
    pub fn check(&self, actor: &Actor, known: bool) -> Result<(), Refusal> {
        if !actor.roles.allow(Permission::Triage) {
            return Err(Refusal::NotAllowed);
        }
        check_suppression(self.disposition, self.days)?;
        check_text(&self.reason)?;
        if known {
            return Err(Refusal::Conflict("this match is suppressed already, or proposed to be"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sluice_model::{HoldOutcome, HoldRecord, KeyKind, ListMatch, PartyMatch};

    use super::*;
    use crate::domain::{Role, unexplained};

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
            assert_eq!(next(SuppressionState::Proposed, &revoke, false).is_ok(), ends, "{role:?}");
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

    fn shown(alerts: &[u8]) -> CaseMatch {
        CaseMatch {
            party: Key { kind: KeyKind::Customer, value: "C-1".into() },
            screened: "Ada".into(),
            list: "un".into(),
            version: "v1".into(),
            entry_id: "H-17".into(),
            listed: "ADA".into(),
            alerts: alerts.iter().map(|n| Hash256::of(&[*n])).collect(),
        }
    }

    #[test]
    fn a_match_is_proposed_by_whoever_triages_once_and_ends_by_itself() {
        let proposal = SuppressionProposal {
            of: shown(&[1]),
            entry_hash: Hash256::of(b"entry"),
            disposition: DispositionCode::FpDob,
            reason: "born later".into(),
            days: 30,
        };
        let by =
            |role| Actor { name: "ada".into(), roles: Roles::new([role]), via: crate::domain::Via::Session };
        assert_eq!(proposal.check(&by(Role::Analyst), false), Ok(()));
        assert_eq!(proposal.check(&by(Role::Auditor), false), Err(Refusal::NotAllowed));
        assert!(matches!(proposal.check(&by(Role::Analyst), true), Err(Refusal::Conflict(_))));
        let silent = SuppressionProposal { reason: " ".into(), ..proposal.clone() };
        assert_eq!(silent.check(&by(Role::Analyst), false), Err(Refusal::BadText));
        let now = EventTime::from_micros(7);
        assert_eq!(proposal.expires_at(now).since(now), Span::days(30));
    }

    #[test]
    fn each_party_and_entry_is_shown_once_with_every_alert_that_shows_it() {
        let hit = |list: &str, entry: &str| ListMatch {
            score: 1.0,
            list: list.into(),
            version: "v1".into(),
            entry_id: entry.into(),
            name: "ADA".into(),
            reasons: Vec::new(),
        };
        let met = |customer: Option<&str>, matches: Vec<ListMatch>| PartyMatch {
            role: "debtor".into(),
            name: "Ada".into(),
            party: customer.map(|value| Key { kind: KeyKind::Customer, value: value.into() }),
            matches,
        };
        let said = HoldRecord {
            payment_id: "P".into(),
            event_id: "E".into(),
            state: HoldOutcome::Held,
            because: "?".into(),
            at: EventTime::from_micros(0),
            alerts: Vec::new(),
        };
        let alert = |n: u8, matches| Alert { alert_id: Hash256::of(&[n]), matches, ..unexplained(&said) };
        let found = matches_of([
            // The same entry meets both names of one party.
            alert(1, vec![met(Some("C-1"), vec![hit("un", "1")]), met(Some("C-1"), vec![hit("un", "1")])]),
            alert(2, vec![met(Some("C-1"), vec![hit("un", "2"), hit("eu", "1"), hit("un", "1")])]),
            alert(3, vec![met(Some("C-2"), vec![hit("un", "1")]), met(None, vec![hit("un", "1")])]),
        ]);
        let shown: Vec<_> = found
            .iter()
            .map(|m| (m.party.value.as_str(), m.list.as_str(), m.entry_id.as_str(), m.alerts.len()))
            .collect();
        let expected =
            [("C-1", "un", "1", 2), ("C-1", "un", "2", 1), ("C-1", "eu", "1", 1), ("C-2", "un", "1", 1)];
        assert_eq!(shown, expected);
        assert_eq!(found[0].alerts, [1, 2].map(|n| Hash256::of(&[n])));
    }

    #[test]
    fn a_closing_proposes_some_matches_and_neither_none_nor_many() {
        assert!(check_together(&[]).is_err());
        assert_eq!(check_together(&vec![shown(&[1]); SUPPRESSIONS_PER_CLOSING_MAX]), Ok(()));
        assert!(check_together(&vec![shown(&[1]); SUPPRESSIONS_PER_CLOSING_MAX + 1]).is_err());
    }
}
