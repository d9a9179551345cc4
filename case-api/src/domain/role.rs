//! Who may do what: the one table of permissions.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What a person or program is here for.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// First line (L1): reads alerts, triages, explains, escalates.
    Analyst,
    /// Second line (L2): investigates, freezes, proposes releases and changes of the rules.
    Investigator,
    /// Money laundering reporting officer: decides, and approves rules.
    Mlro,
    /// Reads everything, changes nothing.
    Auditor,
    /// Keeps users and keys; decides no case.
    Admin,
    /// A payment service: sends events, asks for decisions, screens, reads.
    Service,
}

/// Something that may be allowed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Permission {
    /// See alerts, cases, holds, lists and rules.
    Read,
    /// Send events and ask for decisions.
    Ingest,
    /// Screen a name.
    Screen,
    /// Assign, comment, escalate from the first line, close as explained or false positive.
    Triage,
    /// Take part in an investigation: escalate to the MLRO, freeze, propose a release.
    Investigate,
    /// Unfreeze, release, close after review, report.
    Decide,
    /// Read the audit trail.
    Audit,
    /// Write a change of the rules, and have it checked and tested.
    ProposeRules,
    /// Say yes or no to another's change of the rules, put it in force, roll back.
    ApproveRules,
    /// Read what could not be taken in, mend it and send it again.
    Mend,
    /// Keep users and keys.
    Administer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] =
        [Self::Analyst, Self::Investigator, Self::Mlro, Self::Auditor, Self::Admin, Self::Service];

    /// The table.
    pub const fn permissions(self) -> &'static [Permission] {
        use Permission::{
            Administer, ApproveRules, Audit, Decide, Ingest, Investigate, Mend, ProposeRules, Read, Screen,
            Triage,
        };
        match self {
            Self::Analyst => &[Read, Screen, Triage],
            Self::Investigator => &[Read, Screen, Triage, Investigate, ProposeRules, Mend],
            Self::Mlro => {
                &[Read, Screen, Triage, Investigate, Decide, ProposeRules, ApproveRules, Mend, Audit]
            }
            Self::Auditor => &[Read, Audit],
            Self::Admin => &[Read, Audit, Administer],
            Self::Service => &[Read, Screen, Ingest, Mend],
        }
    }

    /// The lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Analyst => "analyst",
            Self::Investigator => "investigator",
            Self::Mlro => "mlro",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Service => "service",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(name: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|r| r.name() == name).ok_or(UnknownRole)
    }
}

/// Not one of the roles.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("not a role (analyst, investigator, mlro, auditor, admin, service)")]
pub struct UnknownRole;

/// The roles that one person or key has.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Roles(Vec<Role>);

impl Roles {
    /// These roles, each once, in order.
    pub fn new(roles: impl IntoIterator<Item = Role>) -> Self {
        let mut roles: Vec<Role> = roles.into_iter().collect();
        roles.sort_unstable();
        roles.dedup();
        Self(roles)
    }

    /// Whether any of the roles allows it.
    pub fn allow(&self, permission: Permission) -> bool {
        self.0.iter().any(|role| role.permissions().contains(&permission))
    }

    /// Whether a case can be given to whoever has them.
    pub fn work_cases(&self) -> bool {
        self.allow(Permission::Triage)
    }

    /// Each role.
    pub fn iter(&self) -> impl Iterator<Item = Role> {
        self.0.iter().copied()
    }
}

impl fmt::Display for Roles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, role) in self.0.iter().enumerate() {
            write!(f, "{}{}", if i == 0 { "" } else { "," }, role.name())?;
        }
        Ok(())
    }
}

impl FromStr for Roles {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let roles: Result<Vec<Role>, _> = text.split(',').filter(|r| !r.is_empty()).map(str::parse).collect();
        Ok(Self::new(roles?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_reads_only_changes_nothing() {
        let auditor = Roles::new([Role::Auditor]);
        for permission in [
            Permission::Ingest,
            Permission::Triage,
            Permission::Investigate,
            Permission::Decide,
            Permission::ProposeRules,
            Permission::ApproveRules,
            Permission::Mend,
            Permission::Administer,
        ] {
            assert!(!auditor.allow(permission), "{permission:?}");
        }
    }

    #[test]
    fn admins_decide_no_case_and_services_see_no_audit() {
        assert!(!Roles::new([Role::Admin]).allow(Permission::Triage));
        assert!(!Roles::new([Role::Admin]).allow(Permission::Decide));
        assert!(!Roles::new([Role::Service]).allow(Permission::Audit));
    }

    #[test]
    fn a_case_is_given_to_those_who_work_on_it() {
        for role in Role::ALL {
            let works = matches!(role, Role::Analyst | Role::Investigator | Role::Mlro);
            assert_eq!(Roles::new([role]).work_cases(), works, "{role:?}");
        }
    }

    #[test]
    fn roles_read_what_they_write() {
        let all = Roles::new(Role::ALL);
        assert_eq!(all.to_string().parse::<Roles>().unwrap(), all);
        assert!("chief".parse::<Roles>().is_err());
        assert!(all.iter().eq(Role::ALL));
    }
}
