//! From a rule's finding to an alert: who it is about, what caused it, what was in force.

use std::collections::BTreeMap;

use sluice_lists::rescreen::Rescreened;
use sluice_model::{
    Action, Alert, AlertId, Cause, ENGINE_VERSION, EventTime, Hash256, HoldOutcome, HoldRecord, Key, KeyKind,
    ListSet, NotScreened, Observation, Outcome, PartyMatch, PaymentEvent, RuleFailure, Severity, Unnamed,
    Versions, WhyNotScreened,
};
use sluice_rules::{Finding, Rule};

use crate::{
    Offset,
    gather::REASON_ON_DEADLINE,
    screening::ScreeningDesk,
    wire::{Screened, Speaker, Verdict, VerdictFinding},
};

/// What was judged, on which key.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// The key that was watched.
    pub key: &'a Key,
    /// The event that was judged.
    pub event: &'a PaymentEvent,
    /// Its offset; `None` for an answer by deadline.
    pub offset: Option<Offset>,
    /// What screening found.
    pub screened: &'a Screened,
}

/// What the engine itself finds, without a rule. Their ids are reserved.
#[derive(Clone, Debug)]
pub(crate) enum EngineFinding<'a> {
    /// A frozen key was touched.
    Frozen {
        /// The key.
        key: &'a Key,
        /// The case that froze it.
        case_id: &'a str,
    },
    /// Not everything could be screened.
    NotScreened {
        /// What, and why.
        what: &'a [NotScreened],
        /// What is done with a side that has no name at all.
        unnamed: Unnamed,
    },
    /// An event that moves no money names somebody who is listed: a customer, the holder of an account.
    Listed,
    /// The deadline of a decision passed before every rule had answered.
    Deadline,
}

/// The alert of a rule.
pub(crate) fn of_rule(rule: &Rule, finding: Finding, scene: Scene<'_>) -> Alert {
    alert(
        scene,
        RuleIdentity {
            rule_id: &rule.meta.id,
            typology: &rule.meta.typology,
            content: rule.content,
            source: rule.source,
            parameters: rule.parameters.to_string(),
        },
        finding,
    )
}

/// What is noted of a rule that could not be evaluated. A typology fails with its members, which are noted
/// themselves.
pub(crate) fn failure(rule: &Rule, finding: &Finding, scene: Scene<'_>) -> Option<Observation> {
    let cause = finding.error.filter(|_| !rule.is_typology())?;
    Some(Observation::Failure(RuleFailure {
        rule_id: rule.meta.id.clone(),
        rule: rule.content,
        event_id: scene.event.event_id.clone(),
        payment_id: scene.event.payment_id().to_owned(),
        occurred_at: scene.event.occurred_at,
        on_error: rule.meta.on_error,
        reason: finding.reason.clone(),
        cause,
        key: Hash256::of_parts([scene.key.kind.name().as_bytes(), scene.key.value.as_bytes()]),
    }))
}

/// The id of the rule that an answer by policy is reported under.
const DEADLINE: &str = "ENGINE-DEADLINE";

/// The content of a rule that the engine itself is.
fn engine_rule(rule_id: &str) -> Hash256 {
    Hash256::of_parts([b"sluice/engine-rule/v1".as_slice(), rule_id.as_bytes()])
}

/// The key on which an event is judged by the engine itself.
fn payment_key(event: &PaymentEvent) -> Key {
    Key { kind: KeyKind::Payment, value: event.payment_id().to_owned() }
}

/// The id of the alert that an answer by policy raises: whoever gives the answer can name its alert before the engine
/// has applied the record.
pub fn deadline_alert(event: &PaymentEvent) -> AlertId {
    let cause = Cause::Event { event_id: event.event_id.clone() };
    Alert::id(engine_rule(DEADLINE), &payment_key(event), &cause)
}

/// The alert of the engine itself.
pub(crate) fn of_engine(found: &EngineFinding<'_>, scene: Scene<'_>) -> Alert {
    let (rule_id, typology, severity, action, reason) = match found {
        EngineFinding::Frozen { key, case_id } => (
            "ENGINE-FROZEN",
            "frozen",
            Severity::High,
            Action::Reject,
            format!("the {} is frozen by case {case_id}", key.kind.name()),
        ),
        EngineFinding::NotScreened { what, unnamed } => (
            "ENGINE-NOT-SCREENED",
            "not_screened",
            Severity::High,
            action_of_not_screened(what, *unnamed, scene.event),
            not_screened(what),
        ),
        EngineFinding::Listed => (
            "ENGINE-LISTED",
            "sanctions",
            Severity::Critical,
            Action::Alert,
            format!("a party of this {} event meets a list", scene.event.event_type.name()),
        ),
        EngineFinding::Deadline => {
            (DEADLINE, "not_decided", Severity::High, Action::Hold, REASON_ON_DEADLINE.to_owned())
        }
    };
    let content = engine_rule(rule_id);
    let judged = RuleIdentity { rule_id, typology, content, source: content, parameters: String::new() };
    let finding = Finding { severity, action, reason, windows: BTreeMap::new(), error: None };
    alert(scene, judged, finding)
}

/// A payment is held until it has been screened; where no money moves there is nothing to hold.
fn action_of_not_screened(what: &[NotScreened], unnamed: Unnamed, event: &PaymentEvent) -> Action {
    let is_told_only = unnamed == Unnamed::Alert && what.iter().all(|not| not.why == WhyNotScreened::Unnamed);
    if is_told_only || !event.event_type.moves_money() { Action::Alert } else { Action::Hold }
}

/// What was not screened, in words.
fn not_screened(what: &[NotScreened]) -> String {
    let told = what.iter().map(|NotScreened { role, why }| match role.as_str() {
        "" => why.text().to_owned(),
        role => format!("{}: {}", role.replace('_', " "), why.text()),
    });
    format!("not everything was screened ({})", told.collect::<Vec<_>>().join("; "))
}

/// The alert of a known party that matches an entry of a new list version. There is no payment to hold: the party's
/// next one is screened against the same version.
pub(crate) fn of_rescreen(met: Rescreened<Key>, screening: &ScreeningDesk, at: EventTime) -> Alert {
    let Rescreened { party, name, hit } = met;
    let rule_id = "ENGINE-RESCREEN";
    let content = engine_rule(rule_id);
    let cause = Cause::Rescreen {
        list: hit.list.clone(),
        version: hit.version.clone(),
        entry_id: hit.entry_id.clone(),
        party: party.value.clone(),
    };
    Alert {
        alert_id: Alert::id(content, &party, &cause),
        rule_id: rule_id.to_owned(),
        rule_version: content.short(),
        typology: "sanctions".to_owned(),
        subjects: vec![party.value.clone()],
        event_id: String::new(),
        offset: None,
        payment_id: String::new(),
        occurred_at: at,
        severity: Severity::Critical,
        action: Action::Alert,
        reason: format!(
            "a known {} meets entry {} of a new version of {}, with a score of {:.2}",
            party.kind.name(),
            hit.entry_id,
            hit.list,
            hit.score
        ),
        failed_by: None,
        windows: BTreeMap::new(),
        matches: vec![PartyMatch {
            role: "known_party".to_owned(),
            name,
            // Who is known by name alone is nobody in particular.
            party: (party.kind != KeyKind::Party).then(|| party.clone()),
            matches: vec![hit],
        }],
        cause,
        versions: versions(content, String::new(), screening.lists(), screening.suppressions().version()),
        key: party,
    }
}

struct RuleIdentity<'a> {
    rule_id: &'a str,
    typology: &'a str,
    content: Hash256,
    source: Hash256,
    parameters: String,
}

fn alert(scene: Scene<'_>, judged: RuleIdentity<'_>, finding: Finding) -> Alert {
    let Scene { key, event, offset, screened } = scene;
    let cause = Cause::Event { event_id: event.event_id.clone() };
    Alert {
        alert_id: Alert::id(judged.content, key, &cause),
        rule_id: judged.rule_id.to_owned(),
        rule_version: judged.content.short(),
        typology: judged.typology.to_owned(),
        key: key.clone(),
        subjects: subjects(key, event),
        event_id: event.event_id.clone(),
        offset,
        payment_id: event.payment_id().to_owned(),
        occurred_at: event.occurred_at,
        severity: finding.severity,
        action: finding.action,
        reason: finding.reason,
        failed_by: finding.error,
        windows: finding.windows,
        matches: screened.matches.clone(),
        cause,
        versions: versions(judged.source, judged.parameters, &screened.lists, screened.suppressions),
    }
}

fn versions(rule: Hash256, parameters: String, lists: &ListSet, suppressions: Option<Hash256>) -> Versions {
    Versions {
        rule: rule.to_string(),
        parameters,
        lists: lists.iter().map(|(list, hash)| (list.clone(), hash.to_string())).collect(),
        suppressions: suppressions.map_or_else(String::new, |version| version.to_string()),
        engine: ENGINE_VERSION.to_owned(),
    }
}

/// Whom a case is about: the customer behind the key where there is one, else the key itself; for a payment,
/// both of its sides.
fn subjects(key: &Key, event: &PaymentEvent) -> Vec<String> {
    let sides = [&event.debtor, &event.creditor].into_iter().flatten();
    let names = |p: &sluice_model::Party| {
        p.customer_id
            .clone()
            .or_else(|| p.account.clone())
            .or_else(|| p.name.clone())
            .or_else(|| p.name_local.clone())
    };
    let mut subjects: Vec<String> = match key.kind {
        KeyKind::Payment => sides.filter_map(names).collect(),
        KeyKind::Account => sides
            .filter(|p| p.account.as_deref() == Some(&key.value))
            .filter_map(|p| p.customer_id.clone())
            .collect(),
        _ => Vec::new(),
    };
    if subjects.is_empty() {
        subjects.push(key.value.clone());
    }
    subjects.dedup();
    subjects
}

/// The hold or refusal that an alert asks for, if it asks for one.
pub(crate) fn hold(alert: &Alert) -> Option<HoldRecord> {
    let state = match alert.action {
        Action::Alert => return None,
        Action::Hold => HoldOutcome::Held,
        Action::Reject => HoldOutcome::Rejected,
    };
    Some(HoldRecord {
        payment_id: alert.payment_id.clone(),
        event_id: alert.event_id.clone(),
        state,
        because: alert.alert_id.to_string(),
        at: alert.occurred_at,
        alerts: Vec::new(),
    })
}

/// The verdict that alerts on the event at `offset` amount to. `None` where nobody waits and the payment may go on.
pub(crate) fn verdict(
    from: Speaker,
    (offset, event): (Offset, &PaymentEvent),
    awaited: bool,
    alerts: &[Alert],
) -> Option<Verdict> {
    let outcome = alerts.iter().map(|a| Outcome::from(a.action)).max().unwrap_or_default();
    let found: Vec<VerdictFinding> =
        alerts.iter().map(found).filter(|found| found.outcome != Outcome::Allow || awaited).collect();
    let at: EventTime = event.occurred_at;
    (awaited || outcome != Outcome::Allow).then(|| Verdict {
        payment_id: event.payment_id().to_owned(),
        event_id: event.event_id.clone(),
        offset,
        at,
        awaited,
        from,
        outcome,
        found,
    })
}

/// An alert as a verdict refers to it.
pub(crate) fn found(alert: &Alert) -> VerdictFinding {
    VerdictFinding { alert_id: alert.alert_id, outcome: alert.action.into(), reason: alert.reason.clone() }
}
