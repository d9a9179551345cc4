//! Taking in what the engine says, exactly once: the records of a batch, what follows from them and the offset
//! after them commit in one transaction.

use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{
    Action, Alert, Cause, Decision, Disposition, DispositionState, EventTime, Hash256, Key, KeyKind, Outcome,
    PaymentEvent, Severity, Versions,
};

use super::{ENGINE, Entry, HoldState, Store, StoreError, Tx};
use crate::{
    domain::{CaseState, sla},
    ports::{Item, Record, Topic},
    words,
};

/// What a batch brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Consumed {
    /// Records taken in, known ones included.
    pub records: usize,
    /// Alerts not seen before.
    pub alerts: u64,
    /// Cases that they opened.
    pub cases: u64,
    /// Payments newly held.
    pub holds: u64,
    /// Answers to payment services.
    pub decisions: u64,
    /// What rules in shadow would have said.
    pub shadow_alerts: u64,
    /// Events on which a rule failed.
    pub failures: u64,
}

impl Store {
    /// The offset from which a feed is to be read.
    pub async fn offset(&self, topic: Topic) -> Result<u64, StoreError> {
        let next: Option<i64> = sqlx::query_scalar("SELECT next FROM offsets WHERE feed = $1")
            .bind(topic.name())
            .fetch_optional(&self.readers)
            .await?;
        u64::try_from(next.unwrap_or(0)).map_err(|_| StoreError::Corrupt("offset"))
    }

    /// Take in a batch that was read at this feed's offset. `owners`: who answers for a rule.
    pub async fn consume(
        &self,
        topic: Topic,
        items: &[Item],
        owners: &(dyn Fn(&str) -> Vec<String> + Sync),
        now: EventTime,
    ) -> Result<Consumed, StoreError> {
        let Some(last) = items.last() else { return Ok(Consumed::default()) };
        let mut tx = self.begin(now).await?;
        let mut consumed = Consumed { records: items.len(), ..Consumed::default() };
        for item in items {
            match &item.record {
                Record::Alert(alert, event) => tx.take_alert(alert, event.as_deref(), &mut consumed).await?,
                Record::Disposition(disposition) => tx.take_disposition(disposition, &mut consumed).await?,
                Record::Decision(decision) => tx.take_decision(decision, &mut consumed).await?,
                Record::Observation(observed) => {
                    tx.take_observation(observed, owners, &mut consumed).await?;
                }
            }
        }
        sqlx::query(
            "INSERT INTO offsets (feed, next) VALUES ($1, $2) ON CONFLICT (feed) DO UPDATE SET next = excluded.next",
        )
        .bind(topic.name())
        .bind(i64::try_from(last.offset + 1).map_err(|_| StoreError::Corrupt("offset"))?)
        .execute(tx.sql())
        .await?;
        tx.commit().await?;
        Ok(consumed)
    }
}

impl Tx<'_> {
    pub(super) async fn take_alert(
        &mut self,
        alert: &Alert,
        event: Option<&PaymentEvent>,
        consumed: &mut Consumed,
    ) -> Result<(), StoreError> {
        let id = alert.alert_id.to_string();
        let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM alerts WHERE alert_id = $1")
            .bind(&id)
            .fetch_one(self.sql())
            .await?;
        if known > 0 {
            return Ok(());
        }
        let subjects = subjects(alert);
        let case_id = match self.open_case_of(&alert.typology, &subjects).await? {
            Some(case_id) => case_id,
            None => {
                consumed.cases += 1;
                self.open_case(alert, &subjects).await?
            }
        };
        self.add_alert(&case_id, alert, event, &subjects).await?;
        let leaf = self
            .leaf(
                Entry { kind: Kind::Alert, act: "alert", actor: ENGINE, about: &id, case_id: Some(&case_id) },
                &json!({ "alert": alert, "event": event }),
            )
            .await?;
        let said = json!({ "alert_id": id, "rule_id": alert.rule_id, "reason": alert.reason });
        self.tell(&case_id, ENGINE, "alert", &said, leaf).await?;
        self.adopt_holds(&case_id, &id).await?;
        consumed.alerts += 1;
        Ok(())
    }

    /// The oldest open case of this typology on any of these subjects.
    async fn open_case_of(
        &mut self,
        typology: &str,
        subjects: &[String],
    ) -> Result<Option<String>, StoreError> {
        let mut oldest: Option<(i64, String)> = None;
        for subject in subjects {
            let found: Option<(i64, String)> = sqlx::query_as(
                "SELECT c.seq, c.case_id FROM case_subjects s JOIN cases c ON c.case_id = s.case_id
                 WHERE s.subject = $1 AND c.typology = $2 AND c.state <> 'CLOSED' ORDER BY c.seq LIMIT 1",
            )
            .bind(subject)
            .bind(typology)
            .fetch_optional(self.sql())
            .await?;
            oldest = oldest.into_iter().chain(found).min();
        }
        Ok(oldest.map(|(_, case_id)| case_id))
    }

    /// Open a case for an alert that joins none; the last closed one on its first subject is named as the previous.
    async fn open_case(&mut self, alert: &Alert, subjects: &[String]) -> Result<String, StoreError> {
        let previous: Option<String> = sqlx::query_scalar(
            "SELECT c.case_id FROM case_subjects s JOIN cases c ON c.case_id = s.case_id
             WHERE s.subject = $1 AND c.typology = $2 ORDER BY c.seq DESC LIMIT 1",
        )
        .bind(&subjects[0])
        .bind(&alert.typology)
        .fetch_optional(self.sql())
        .await?;
        let seq = self.next("cases").await?;
        let case_id = format!("CASE-{seq:06}");
        let screening = !alert.matches.is_empty();
        let due = sla(CaseState::New, screening).map(|span| self.now.plus(span).micros());
        sqlx::query(
            "INSERT INTO cases (seq, case_id, typology, state, severity, severity_rank, screening, alerts,
                                previous_case_id, opened_at, updated_at, due_at)
             VALUES ($1, $2, $3, 'NEW', $4, $5, $6, 0, $7, $8, $8, $9)",
        )
        .bind(seq)
        .bind(&case_id)
        .bind(&alert.typology)
        .bind(words::severity(alert.severity))
        .bind(words::severity_rank(alert.severity))
        .bind(screening)
        .bind(previous)
        .bind(self.now.micros())
        .bind(due)
        .execute(self.sql())
        .await?;
        Ok(case_id)
    }

    /// Add an alert to its case, with the subjects that the case did not have.
    async fn add_alert(
        &mut self,
        case_id: &str,
        alert: &Alert,
        event: Option<&PaymentEvent>,
        subjects: &[String],
    ) -> Result<(), StoreError> {
        let seq = self.next("alerts").await?;
        sqlx::query(
            "INSERT INTO alerts (seq, alert_id, case_id, rule_id, typology, severity, action, subject, event_id,
                                 payment_id, occurred_at, recorded_at, body, event)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(seq)
        .bind(alert.alert_id.to_string())
        .bind(case_id)
        .bind(&alert.rule_id)
        .bind(&alert.typology)
        .bind(words::severity(alert.severity))
        .bind(words::action(alert.action))
        .bind(&subjects[0])
        .bind(&alert.event_id)
        .bind(&alert.payment_id)
        .bind(alert.occurred_at.micros())
        .bind(self.now.micros())
        .bind(serde_json::to_string(alert)?)
        .bind(event.map(serde_json::to_string).transpose()?)
        .execute(self.sql())
        .await?;
        // A sanctions match cannot wait for the queue that the case was in.
        let screening = !alert.matches.is_empty();
        let due = sla(CaseState::New, screening).map(|span| self.now.plus(span).micros());
        sqlx::query(
            "UPDATE cases SET alerts = alerts + 1, updated_at = $2, screening = (screening OR $3),
               severity = CASE WHEN severity_rank < $5 THEN $4 ELSE severity END,
               severity_rank = CASE WHEN severity_rank < $5 THEN $5 ELSE severity_rank END,
               due_at = CASE WHEN $3 AND state IN ('NEW', 'TRIAGE') AND due_at > $6 THEN $6 ELSE due_at END
             WHERE case_id = $1",
        )
        .bind(case_id)
        .bind(self.now.micros())
        .bind(screening)
        .bind(words::severity(alert.severity))
        .bind(words::severity_rank(alert.severity))
        .bind(due)
        .execute(self.sql())
        .await?;
        for subject in subjects {
            sqlx::query(
                "INSERT INTO case_subjects (case_id, subject, position)
                 SELECT $1, $2, COUNT(*) FROM case_subjects WHERE case_id = $1
                 ON CONFLICT (case_id, subject) DO NOTHING",
            )
            .bind(case_id)
            .bind(subject)
            .execute(self.sql())
            .await?;
            self.see_subject(subject, event).await?;
        }
        Ok(())
    }

    async fn take_disposition(
        &mut self,
        said: &Disposition,
        consumed: &mut Consumed,
    ) -> Result<(), StoreError> {
        let answers = said.state == DispositionState::Released || !said.alerts.is_empty();
        if answers {
            return self.take_answer(said, consumed).await;
        }
        self.take_hold(said, consumed).await
    }

    /// A payment is held or refused: whoever answers for it has it in a case.
    pub(super) async fn take_hold(
        &mut self,
        said: &Disposition,
        consumed: &mut Consumed,
    ) -> Result<(), StoreError> {
        let (state, act) = match said.state {
            DispositionState::Rejected => (HoldState::Rejected, "reject"),
            _ => (HoldState::Held, "hold"),
        };
        if self.knows_hold(&said.payment_id, &said.because).await? {
            return Ok(());
        }
        let case_id = match self.case_of_alert(&said.because).await? {
            Some(case_id) => case_id,
            None => self.open_case_without_alert(said, consumed).await?,
        };
        self.add_hold(said, state, &case_id).await?;
        let leaf = self.disposition_leaf(said, act, Some(&case_id)).await?;
        self.tell(&case_id, ENGINE, act, &json!({ "payment_id": said.payment_id }), leaf).await?;
        consumed.holds += u64::from(state == HoldState::Held);
        Ok(())
    }

    /// The case of an alert.
    async fn case_of_alert(&mut self, alert_id: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT case_id FROM alerts WHERE alert_id = $1")
            .bind(alert_id)
            .fetch_optional(self.sql())
            .await?)
    }

    /// Open a case for a payment that the engine keeps for an alert that nobody has read: it must not wait unseen.
    async fn open_case_without_alert(
        &mut self,
        said: &Disposition,
        consumed: &mut Consumed,
    ) -> Result<String, StoreError> {
        let alert = unexplained(said);
        self.take_alert(&alert, None, consumed).await?;
        let case_id = self.case_of_alert(&alert.alert_id.to_string()).await?;
        case_id.ok_or(StoreError::Corrupt("case of an alert"))
    }

    pub(super) async fn disposition_leaf(
        &mut self,
        said: &Disposition,
        act: &str,
        case_id: Option<&str>,
    ) -> Result<i64, StoreError> {
        let entry = Entry { kind: Kind::Hold, act, actor: ENGINE, about: &said.payment_id, case_id };
        self.leaf(entry, &json!({ "disposition": said })).await
    }

    /// An answer that a payment service was given. One that differs from the one before corrects it: both are kept.
    async fn take_decision(
        &mut self,
        decision: &Decision,
        consumed: &mut Consumed,
    ) -> Result<(), StoreError> {
        let hash = Hash256::of(&serde_json::to_vec(decision)?).to_string();
        let known: Option<(String, i64)> =
            sqlx::query_as("SELECT hash, leaf FROM decisions WHERE event_id = $1")
                .bind(&decision.event_id)
                .fetch_optional(self.sql())
                .await?;
        let before = match known {
            Some((known, _)) if known == hash => return Ok(()),
            Some((_, leaf)) => Some(leaf),
            None => self.decision_of_older_versions(&decision.event_id).await?,
        };
        if decision.decision != Outcome::Allow && decision.alerts.is_empty() {
            self.take_hold(&held_by_decision(decision, self.now), consumed).await?;
        }
        let case_id = match decision.alerts.first() {
            Some(alert) => self.case_of_alert(&alert.to_string()).await?,
            None => self.case_of_payment(&decision.payment_id).await?,
        };
        let entry = Entry {
            kind: Kind::Decision,
            act: words::outcome(decision.decision),
            actor: ENGINE,
            about: &decision.event_id,
            case_id: case_id.as_deref(),
        };
        let leaf = self.leaf(entry, &json!({ "decision": decision, "corrects": before })).await?;
        if let (Some(before), Some(case_id)) = (before, &case_id) {
            let told = json!({
                "payment_id": decision.payment_id, "decision": words::outcome(decision.decision), "corrects": before,
            });
            self.tell(case_id, ENGINE, "corrected", &told, leaf).await?;
        }
        sqlx::query(
            "INSERT INTO decisions (event_id, hash, leaf) VALUES ($1, $2, $3)
             ON CONFLICT (event_id) DO UPDATE SET hash = excluded.hash, leaf = excluded.leaf",
        )
        .bind(&decision.event_id)
        .bind(&hash)
        .bind(leaf)
        .execute(self.sql())
        .await?;
        consumed.decisions += 1;
        Ok(())
    }

    /// The leaf of a decision that was recorded before corrections were.
    async fn decision_of_older_versions(&mut self, event_id: &str) -> Result<Option<i64>, StoreError> {
        Ok(sqlx::query_scalar("SELECT MAX(idx) FROM leaves WHERE about = $1 AND kind = 'decision'")
            .bind(event_id)
            .fetch_one(self.sql())
            .await?)
    }

    /// The case that answers for a payment: that of its newest hold.
    async fn case_of_payment(&mut self, payment_id: &str) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar("SELECT case_id FROM holds WHERE payment_id = $1 ORDER BY seq DESC LIMIT 1")
            .bind(payment_id)
            .fetch_optional(self.sql())
            .await?)
    }
}

/// The rule id of an alert that stands for one that nobody has read.
const UNEXPLAINED: &str = "ENGINE-UNEXPLAINED";

/// The alert that opens a case for a payment which the engine keeps without one.
fn unexplained(said: &Disposition) -> Alert {
    let key = Key { kind: KeyKind::Payment, value: said.payment_id.clone() };
    let cause = Cause::Event { event_id: said.event_id.clone() };
    let parts = [b"sluice/unexplained/v1".as_slice(), said.payment_id.as_bytes(), said.because.as_bytes()];
    Alert {
        alert_id: Hash256::of_parts(parts),
        rule_id: UNEXPLAINED.to_owned(),
        rule_version: String::new(),
        typology: "not_decided".to_owned(),
        key,
        subjects: vec![format!("payment:{}", said.payment_id)],
        event_id: said.event_id.clone(),
        offset: None,
        payment_id: said.payment_id.clone(),
        occurred_at: said.at,
        severity: Severity::High,
        action: Action::Hold,
        reason: "the engine keeps this payment, and no alert says why".to_owned(),
        windows: Default::default(),
        matches: Vec::new(),
        cause,
        versions: Versions::default(),
    }
}

/// The hold that an answer other than allow stands for, where it names no alert.
fn held_by_decision(decision: &Decision, at: EventTime) -> Disposition {
    let parts = [b"sluice/decision/v1".as_slice(), decision.event_id.as_bytes()];
    let state = match decision.decision {
        Outcome::Reject => DispositionState::Rejected,
        _ => DispositionState::Held,
    };
    Disposition {
        payment_id: decision.payment_id.clone(),
        event_id: decision.event_id.clone(),
        state,
        because: Hash256::of_parts(parts).to_string(),
        at,
        alerts: Vec::new(),
    }
}

/// Whom an alert is about; an alert that names nobody is about its key.
fn subjects(alert: &Alert) -> Vec<String> {
    let mut subjects: Vec<String> = Vec::with_capacity(alert.subjects.len());
    for subject in &alert.subjects {
        if !subject.is_empty() && !subjects.contains(subject) {
            subjects.push(subject.clone());
        }
    }
    if subjects.is_empty() {
        subjects.push(format!("{}:{}", alert.key.kind.name(), alert.key.value));
    }
    subjects
}
