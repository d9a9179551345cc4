//! The life of a rule set: the one place that says which act is allowed on a version in which state, and to whom.
//!
//! `DRAFT → CHECKED → (SHADOWING → SHADOW →) APPROVED → PREPARING → ACTIVATING → ACTIVE → RETIRED`, and back to
//! `PREPARING` from `RETIRED` by rolling back; `REJECTED` from where it is not yet in force. A set that does not check, or
//! whose cases fail, is a draft or no version at all.

use serde::{Deserialize, Serialize};

use super::{Permission, Roles};
use crate::limits::NOTE_CHARS_MAX;

/// The state of a version of the rules.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum VersionState {
    /// Its author still writes it: it need not check.
    Draft,
    /// It checks, its cases pass, and a second person is to decide.
    Checked,
    /// On its way into shadow: the engine fills the windows that it needs from history.
    Shadowing,
    /// It is judged beside what is in force, alerting nobody; a second person is to decide.
    Shadow,
    /// A second person has said yes.
    Approved,
    /// On its way into force: the engine fills the windows that it needs from history.
    Preparing,
    /// On its way into force: the order to judge by it is given.
    Activating,
    /// Payments are judged by it.
    Active,
    /// Payments were judged by it.
    Retired,
    /// Somebody has said no.
    Rejected,
}

impl VersionState {
    /// Every state, in order.
    pub const ALL: [Self; 10] = [
        Self::Draft,
        Self::Checked,
        Self::Shadowing,
        Self::Shadow,
        Self::Approved,
        Self::Preparing,
        Self::Activating,
        Self::Active,
        Self::Retired,
        Self::Rejected,
    ];

    /// The name in JSON and SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Checked => "CHECKED",
            Self::Shadowing => "SHADOWING",
            Self::Shadow => "SHADOW",
            Self::Approved => "APPROVED",
            Self::Preparing => "PREPARING",
            Self::Activating => "ACTIVATING",
            Self::Active => "ACTIVE",
            Self::Retired => "RETIRED",
            Self::Rejected => "REJECTED",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// For people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Checked => "waits for approval",
            Self::Shadowing => "filling windows for shadow",
            Self::Shadow => "in shadow",
            Self::Approved => "approved",
            Self::Preparing => "filling windows",
            Self::Activating => "going live",
            Self::Active => "in force",
            Self::Retired => "retired",
            Self::Rejected => "rejected",
        }
    }
}

/// One act on a version of the rules. The JSON is what `POST /v1/rules/versions/{id}/actions` takes and what the
/// evidence keeps.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum VersionAct {
    /// Propose one's own draft: it is checked and tested now.
    Submit,
    /// Have it judged beside what is in force, alerting nobody.
    Shadow {
        /// Why.
        reason: String,
    },
    /// Say yes to another person's proposal.
    Approve {
        /// Why.
        reason: String,
    },
    /// Say no, or take one's own proposal back.
    Reject {
        /// Why.
        reason: String,
    },
    /// Put an approved version in force, or one that was in force before: a rollback.
    Activate {
        /// Why.
        reason: String,
    },
}

impl VersionAct {
    /// The name in JSON, evidence and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Shadow { .. } => "shadow",
            Self::Approve { .. } => "approve",
            Self::Reject { .. } => "reject",
            Self::Activate { .. } => "activate",
        }
    }

    /// What the officer says; a draft says it itself.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Submit => None,
            Self::Shadow { reason }
            | Self::Approve { reason }
            | Self::Reject { reason }
            | Self::Activate { reason } => Some(reason),
        }
    }
}

/// Why an act on a version is not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionRefusal {
    /// The roles do not allow it.
    #[error("your role does not allow this act")]
    NotAllowed,
    /// Four eyes.
    #[error("a proposal is approved by another person than its author")]
    SamePerson,
    /// A draft is its author's alone.
    #[error("a draft is its author's alone")]
    OthersDraft,
    /// The state does not allow it.
    #[error("a version in state {} does not allow the act {}", .0.name(), .1)]
    WrongState(VersionState, &'static str),
    /// The set was written against another one than is in force.
    #[error(
        "the rules in force have changed since this was proposed: propose it again on what is in force now"
    )]
    Stale,
    /// Another version is on its way into force.
    #[error("{0} is on its way into force: wait until it is")]
    Busy(String),
    /// Another back-test runs.
    #[error("{0} is being back-tested: wait until it is done")]
    Backtesting(String),
    /// Empty, or too long.
    #[error("a reason has 1 to {} characters", NOTE_CHARS_MAX)]
    BadText,
}

/// The state after `act`, if a person with `roles` may do it to a version in `state`. `own`: whether the person
/// wrote the version.
pub fn next_version_state(
    state: VersionState,
    act: &VersionAct,
    roles: &Roles,
    own: bool,
) -> Result<VersionState, VersionRefusal> {
    use VersionState::{
        Activating, Approved, Checked, Draft, Preparing, Rejected, Retired, Shadow, Shadowing,
    };
    let next = match (act, state) {
        (VersionAct::Submit, Draft) => Checked,
        // Once more where the first order came to nothing: another set was prepared in between.
        (VersionAct::Shadow { .. }, Checked | Shadowing) => Shadowing,
        (VersionAct::Approve { .. }, Checked | Shadow) => Approved,
        (VersionAct::Reject { .. }, Draft | Checked | Shadowing | Shadow | Approved) => Rejected,
        (VersionAct::Activate { .. }, Approved | Retired | Preparing | Activating) => Preparing,
        _ => return Err(VersionRefusal::WrongState(state, act.name())),
    };
    let takes_back = own && matches!(act, VersionAct::Reject { .. });
    let harmless = matches!(act, VersionAct::Submit | VersionAct::Shadow { .. }) || takes_back;
    let allowed = roles.allow(Permission::ApproveRules) || harmless && roles.allow(Permission::ProposeRules);
    if !allowed {
        return Err(VersionRefusal::NotAllowed);
    }
    if state == Draft && !own {
        return Err(VersionRefusal::OthersDraft);
    }
    if own && matches!(act, VersionAct::Approve { .. }) {
        return Err(VersionRefusal::SamePerson);
    }
    Ok(next)
}

/// What the officer says of an act, if they must say something and it is not too long.
pub fn said_of(act: &VersionAct) -> Result<&str, VersionRefusal> {
    let Some(said) = act.reason() else { return Ok("") };
    let said = said.trim();
    let fits = !said.is_empty() && said.chars().count() <= NOTE_CHARS_MAX;
    if fits { Ok(said) } else { Err(VersionRefusal::BadText) }
}

/// Whether a draft may be saved again: it is still one, and its author alone writes it.
pub fn check_saving(state: VersionState, author: &str, by: &str) -> Result<(), VersionRefusal> {
    if state != VersionState::Draft {
        return Err(VersionRefusal::WrongState(state, "save"));
    }
    if author == by { Ok(()) } else { Err(VersionRefusal::OthersDraft) }
}

/// What was proposed against a set that is no longer in force would take back what came in between.
pub fn check_base(base: Option<&str>, in_force: Option<&str>) -> Result<(), VersionRefusal> {
    if base == in_force { Ok(()) } else { Err(VersionRefusal::Stale) }
}

/// The state of a version that another one overtook on its way into force.
pub const fn overtaken(was_in_force: bool) -> VersionState {
    if was_in_force { VersionState::Retired } else { VersionState::Approved }
}

/// One set is made ready at a time. `other`: a version that is on its way.
pub fn check_alone(other: Option<String>) -> Result<(), VersionRefusal> {
    other.map_or(Ok(()), |other| Err(VersionRefusal::Busy(other)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Role;

    fn acts() -> [VersionAct; 5] {
        let reason = || "because".to_owned();
        [
            VersionAct::Submit,
            VersionAct::Shadow { reason: reason() },
            VersionAct::Approve { reason: reason() },
            VersionAct::Reject { reason: reason() },
            VersionAct::Activate { reason: reason() },
        ]
    }

    /// Every state, act, role and authorship, one line each: a change of the machine shows as a change of this table.
    #[test]
    fn the_life_of_a_version_is_this_table() {
        let mut table = String::new();
        for state in VersionState::ALL {
            for act in acts() {
                for role in Role::ALL {
                    for own in [false, true] {
                        if let Ok(next) = next_version_state(state, &act, &Roles::new([role]), own) {
                            let whose = if own { "own" } else { "other's" };
                            let (state, act, role) = (state.name(), act.name(), role.name());
                            table += &format!("{state} {act} {role} {whose} -> {}\n", next.name());
                        }
                    }
                }
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn nobody_approves_what_he_wrote_whatever_his_roles() {
        let everything = Roles::new(Role::ALL);
        let approve = &acts()[2];
        let refused = next_version_state(VersionState::Checked, approve, &everything, true);
        assert_eq!(refused, Err(VersionRefusal::SamePerson));
        assert!(next_version_state(VersionState::Checked, approve, &everything, false).is_ok());
    }

    #[test]
    fn a_version_follows_what_is_in_force_and_is_alone_on_its_way() {
        assert_eq!(check_base(Some("RV-1"), Some("RV-1")), Ok(()));
        assert_eq!(check_base(None, None), Ok(()), "the first set of all");
        assert_eq!(check_base(Some("RV-1"), Some("RV-2")), Err(VersionRefusal::Stale));
        assert_eq!(check_alone(None), Ok(()));
        assert_eq!(check_alone(Some("RV-9".into())), Err(VersionRefusal::Busy("RV-9".into())));
    }

    #[test]
    fn whoever_acts_says_why_but_for_a_draft_which_says_it_itself() {
        let reject = |reason: &str| VersionAct::Reject { reason: reason.to_owned() };
        let said = acts().map(|act| said_of(&act).map(str::to_owned));
        assert_eq!(said, ["", "because", "because", "because", "because"].map(|said| Ok(said.to_owned())));
        assert_eq!(acts().map(|act| act.reason().is_some()), [false, true, true, true, true]);
        assert_eq!(
            said_of(&reject(&format!(" {} ", "x".repeat(NOTE_CHARS_MAX)))).map(str::len),
            Ok(NOTE_CHARS_MAX)
        );
        for bad in [" ", &"x".repeat(NOTE_CHARS_MAX + 1)] {
            assert_eq!(said_of(&reject(bad)), Err(VersionRefusal::BadText));
        }
    }

    #[test]
    fn a_draft_is_saved_by_its_author_alone() {
        assert_eq!(check_saving(VersionState::Draft, "ines", "ines"), Ok(()));
        assert_eq!(check_saving(VersionState::Draft, "ines", "mei"), Err(VersionRefusal::OthersDraft));
        assert!(check_saving(VersionState::Checked, "ines", "ines").is_err());
    }
}
