//! A rule that fails by its own fault on many keys is proposed for quarantine, where its failures are alerted seldom and it
//! judges on. A person orders that, declines it, or lifts it; nothing that events do does.

use sluice_model::{
    Action, Alert, Cause, EventTime, FailureCause, Hash256, Key, KeyKind, RuleFailure, Severity, Versions,
};

use super::{Actor, Permission, Refusal, check_text};
use crate::limits::FAILING_KEYS_BEFORE_PROPOSAL;

/// The rule id of the alert by which a rule's owner hears of its failures.
const FAILING: &str = "ENGINE-RULE-FAILS";

/// What a person does about a rule that fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QuarantineAct {
    /// Do what is proposed: its failures are alerted seldom from the order's place in the log on.
    Order,
    /// Leave it as it is. It is not proposed again until as many further keys have failed.
    Decline,
    /// End a quarantine: its failures are alerted like any other's, and keys count anew.
    Lift,
}

impl QuarantineAct {
    /// Its name in the audit trail, in metrics, and where the same request is to be run once.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Order => "quarantine_rule",
            Self::Decline => "decline_quarantine",
            Self::Lift => "lift_quarantine",
        }
    }
}

/// Whether a person may act on quarantines, and says why.
pub fn check_quarantine(actor: &Actor, reason: &str) -> Result<(), Refusal> {
    if !actor.roles.allow(Permission::ApproveRules) {
        return Err(Refusal::NotAllowed);
    }
    check_text(reason)
}

/// The content of the rule that is meant: of those that are proposed, or in quarantine, the version that the officer saw,
/// since the time that they saw.
pub fn quarantine_seen(
    act: QuarantineAct,
    known: &[(Hash256, EventTime)],
    version: &str,
    since: EventTime,
) -> Result<Hash256, Refusal> {
    let seen = known.iter().find(|(rule, at)| rule.short() == version && *at == since);
    seen.map(|(rule, _)| *rule).ok_or(Refusal::Conflict(match act {
        QuarantineAct::Lift => "this version of the rule is not in quarantine since then",
        QuarantineAct::Order | QuarantineAct::Decline => {
            "no quarantine of this version of the rule is proposed since then"
        }
    }))
}

/// Whether the key of a failure is noted: it is the rule's own fault, and fewer keys failed than propose a quarantine.
/// `declined`: how many had failed when one was last declined.
pub fn counts_towards_quarantine(failure: &RuleFailure, failing_keys: i64, declined: i64) -> bool {
    failure.cause == FailureCause::Rule && failing_keys < FAILING_KEYS_BEFORE_PROPOSAL + declined
}

/// Whether as many keys have failed by now as propose a quarantine.
pub const fn proposes_quarantine(failing_keys: i64, declined: i64) -> bool {
    failing_keys == FAILING_KEYS_BEFORE_PROPOSAL + declined
}

/// The alert that opens a case for whoever answers for the rule.
pub fn owners_alert(failure: &RuleFailure, holds: bool, owners: &[String]) -> Alert {
    let content =
        Hash256::of_parts([b"sluice/engine-rule/v1".as_slice(), FAILING.as_bytes(), &failure.rule.0]);
    let key = Key { kind: KeyKind::Payment, value: failure.payment_id.clone() };
    let cause = Cause::Event { event_id: failure.event_id.clone() };
    let what = match holds {
        true => "goes on holding by its failure policy",
        false => "its quarantine is proposed, for an MLRO to order or decline",
    };
    let owners = if owners.is_empty() { "nobody named".to_owned() } else { owners.join(", ") };
    Alert {
        alert_id: Alert::id(content, &key, &cause),
        rule_id: FAILING.to_owned(),
        rule_version: failure.rule.short(),
        typology: "rule_failure".to_owned(),
        key,
        subjects: vec![format!("rule:{}", failure.rule_id)],
        event_id: failure.event_id.clone(),
        offset: None,
        payment_id: failure.payment_id.clone(),
        occurred_at: failure.occurred_at,
        severity: Severity::High,
        action: Action::Alert,
        reason: format!(
            "{} failed by its own fault on {FAILING_KEYS_BEFORE_PROPOSAL} more keys and {what}; its owner: {owners}. \
             The last time: {}",
            failure.rule_id, failure.reason
        ),
        failed_by: None,
        windows: Default::default(),
        matches: Vec::new(),
        cause,
        versions: Versions { rule: failure.rule.to_string(), ..Versions::default() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Role, Roles, Via};

    #[test]
    fn a_quarantine_is_proposed_once_and_again_after_as_many_further_keys() {
        let many = FAILING_KEYS_BEFORE_PROPOSAL;
        assert!(!proposes_quarantine(many - 1, 0) && proposes_quarantine(many, 0));
        assert!(!proposes_quarantine(many + 1, 0), "once");
        assert!(proposes_quarantine(2 * many, many), "declined at so many");
    }

    #[test]
    fn an_order_is_about_the_quarantine_that_was_seen() {
        let (rule, other) = (Hash256::of(b"rule"), Hash256::of(b"other"));
        let at = EventTime::from_micros;
        let known = [(other, at(1)), (rule, at(2))];
        let seen = |act, version: &str, since| quarantine_seen(act, &known, version, at(since));
        assert_eq!(seen(QuarantineAct::Order, &rule.short(), 2), Ok(rule));
        assert!(seen(QuarantineAct::Order, &rule.short(), 1).is_err(), "another since then");
        assert!(seen(QuarantineAct::Lift, "?", 2).is_err());
    }

    #[test]
    fn an_owners_alert_names_the_rule_that_failed() {
        let failure = RuleFailure {
            rule_id: "R".into(),
            rule: Hash256::of(b"rule"),
            event_id: "E".into(),
            payment_id: "P".into(),
            occurred_at: EventTime::from_micros(0),
            on_error: Action::Alert,
            reason: "a missing field".into(),
            cause: FailureCause::Rule,
            key: Hash256::of(b"key"),
        };
        let alert = owners_alert(&failure, false, &["ines".to_owned()]);
        assert_eq!(
            (alert.versions.rule, alert.rule_version),
            (failure.rule.to_string(), failure.rule.short())
        );
        assert!(
            alert.reason.contains("ines") && alert.reason.contains("a missing field"),
            "{}",
            alert.reason
        );
    }

    #[test]
    fn only_who_approves_rules_acts_and_says_why() {
        for role in Role::ALL {
            let actor = Actor { name: "mei".into(), roles: Roles::new([role]), via: Via::Session };
            let expected = if role == Role::Mlro { Ok(()) } else { Err(Refusal::NotAllowed) };
            assert_eq!(check_quarantine(&actor, "noise"), expected, "{role:?}");
            assert!(check_quarantine(&actor, " ").is_err());
        }
    }
}
