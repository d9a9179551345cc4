//! Taking in what the engine says, exactly once: the records of a batch, what follows from them and the offset
//! after them commit in one transaction.

use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Alert, Decision, Disposition, DispositionState, EventTime, PaymentEvent};

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
        let (state, act) = match said.state {
            DispositionState::Held => (HoldState::Held, "hold"),
            DispositionState::Rejected => (HoldState::Rejected, "reject"),
            DispositionState::Released => return self.take_release(said).await,
        };
        let case_id: Option<String> = sqlx::query_scalar("SELECT case_id FROM alerts WHERE alert_id = $1")
            .bind(&said.because)
            .fetch_optional(self.sql())
            .await?;
        if !self.add_hold(said, state, case_id.as_deref()).await? {
            return Ok(());
        }
        let leaf = self.disposition_leaf(said, act, case_id.as_deref()).await?;
        if let Some(case_id) = &case_id {
            self.tell(case_id, ENGINE, act, &json!({ "payment_id": said.payment_id }), leaf).await?;
        }
        consumed.holds += u64::from(state == HoldState::Held);
        Ok(())
    }

    /// The engine let a payment go: what officers had cleared is now done.
    async fn take_release(&mut self, said: &Disposition) -> Result<(), StoreError> {
        let cases = self.settle_release(&said.payment_id).await?;
        let leaf = self.disposition_leaf(said, "released", cases.first().map(String::as_str)).await?;
        for case_id in &cases {
            self.tell(case_id, ENGINE, "released", &json!({ "payment_id": said.payment_id }), leaf).await?;
        }
        Ok(())
    }

    async fn disposition_leaf(
        &mut self,
        said: &Disposition,
        act: &str,
        case_id: Option<&str>,
    ) -> Result<i64, StoreError> {
        let entry = Entry { kind: Kind::Hold, act, actor: ENGINE, about: &said.payment_id, case_id };
        self.leaf(entry, &json!({ "disposition": said })).await
    }

    async fn take_decision(
        &mut self,
        decision: &Decision,
        consumed: &mut Consumed,
    ) -> Result<(), StoreError> {
        let known: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM leaves WHERE about = $1 AND kind = 'decision'")
                .bind(&decision.event_id)
                .fetch_one(self.sql())
                .await?;
        if known > 0 {
            return Ok(());
        }
        let case_id: Option<String> = match decision.alerts.first() {
            None => None,
            Some(alert) => {
                sqlx::query_scalar("SELECT case_id FROM alerts WHERE alert_id = $1")
                    .bind(alert.to_string())
                    .fetch_optional(self.sql())
                    .await?
            }
        };
        let entry = Entry {
            kind: Kind::Decision,
            act: words::outcome(decision.decision),
            actor: ENGINE,
            about: &decision.event_id,
            case_id: case_id.as_deref(),
        };
        self.leaf(entry, &json!({ "decision": decision })).await?;
        consumed.decisions += 1;
        Ok(())
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
