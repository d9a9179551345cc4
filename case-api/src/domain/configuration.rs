//! A configuration that is less than what is in force: nothing becomes less by itself. One person proposes to take it,
//! another, who may put rules in force, approves.

use serde::{Deserialize, Serialize};

use super::{Permission, Refusal, Roles};

/// The state of such a configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConfigurationState {
    /// The process found it; what was in force stays.
    Found,
    /// Somebody proposed to take it.
    Proposed,
    /// Another person approved: the order is on its way.
    Approved,
    /// What is configured is not less any more.
    Ended,
}

impl ConfigurationState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Found, Self::Proposed, Self::Approved, Self::Ended];

    /// The name in SQL and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Ended => "ended",
        }
    }

    /// The state of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// What a person does about it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum ConfigurationAct {
    /// Ask that it be taken.
    Propose {
        /// Why.
        reason: String,
    },
    /// Take it: another person than who proposed.
    Approve {
        /// Why.
        reason: String,
    },
    /// Refuse, or take back, a proposal: what was in force stays.
    Reject {
        /// Why.
        reason: String,
    },
}

impl ConfigurationAct {
    /// The name in JSON, evidence and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Propose { .. } => "propose",
            Self::Approve { .. } => "approve",
            Self::Reject { .. } => "reject",
        }
    }

    /// What was said.
    pub fn reason(&self) -> &str {
        match self {
            Self::Propose { reason } | Self::Approve { reason } | Self::Reject { reason } => reason,
        }
    }
}

/// The state after an act by a person with these roles. `own`: they proposed it.
pub fn next_configuration_state(
    state: ConfigurationState,
    act: &ConfigurationAct,
    roles: &Roles,
    own: bool,
) -> Result<ConfigurationState, Refusal> {
    use ConfigurationState::{Approved, Found, Proposed};
    let needed = match act {
        ConfigurationAct::Propose { .. } => Permission::ProposeRules,
        ConfigurationAct::Approve { .. } => Permission::ApproveRules,
        ConfigurationAct::Reject { .. } if own => Permission::ProposeRules,
        ConfigurationAct::Reject { .. } => Permission::ApproveRules,
    };
    if !roles.allow(needed) {
        return Err(Refusal::NotAllowed);
    }
    match (act, state) {
        (ConfigurationAct::Propose { .. }, Found) => Ok(Proposed),
        (ConfigurationAct::Approve { .. }, Proposed) if own => Err(Refusal::SamePerson),
        (ConfigurationAct::Approve { .. }, Proposed) => Ok(Approved),
        (ConfigurationAct::Reject { .. }, Proposed) => Ok(Found),
        _ => Err(Refusal::Conflict("this configuration does not wait for that: look at it as it is now")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Role;

    #[test]
    fn it_takes_two_persons_the_second_of_whom_may_put_rules_in_force() {
        let reason = "a".to_owned();
        let [propose, approve, reject] = [
            ConfigurationAct::Propose { reason: reason.clone() },
            ConfigurationAct::Approve { reason: reason.clone() },
            ConfigurationAct::Reject { reason },
        ];
        assert_eq!([&propose, &approve, &reject].map(ConfigurationAct::reason), ["a"; 3]);
        for role in Role::ALL {
            let roles = Roles::new([role]);
            let next =
                |state, act: &ConfigurationAct, own| next_configuration_state(state, act, &roles, own).ok();
            let (proposes, approves) =
                (roles.allow(Permission::ProposeRules), roles.allow(Permission::ApproveRules));
            let (found, proposed) = (ConfigurationState::Found, ConfigurationState::Proposed);
            assert_eq!(next(found, &propose, false), proposes.then_some(proposed), "{role:?}");
            assert_eq!(next(found, &approve, false), None, "nothing is approved that nobody proposed");
            assert_eq!(next(proposed, &approve, true), None, "nor by who proposed it");
            assert_eq!(next(proposed, &approve, false), approves.then_some(ConfigurationState::Approved));
            assert_eq!(next(proposed, &reject, false), approves.then_some(found));
            assert_eq!(next(proposed, &reject, true), proposes.then_some(found));
            for over in [ConfigurationState::Approved, ConfigurationState::Ended] {
                assert!([&propose, &approve, &reject].iter().all(|act| next(over, act, false).is_none()));
            }
        }
    }
}
