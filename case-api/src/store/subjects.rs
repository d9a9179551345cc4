//! Whom alerts are about.

use serde::Serialize;
use sluice_model::PaymentEvent;
use sqlx::FromRow;

use super::{Page, Store, StoreError, Tx, sql::query};
use crate::{domain::CaseState, stamp::Stamp};

/// Someone whom an alert was about.
#[derive(Clone, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Subject {
    /// Its place in the order of first being seen.
    #[serde(skip)]
    pub seq: i64,
    /// The customer id; failing one, an account, a name, or `kind:value`.
    pub subject: String,
    /// The name last seen with it.
    pub name: Option<String>,
    /// Alerts about it.
    pub alerts: i64,
    /// Open cases about it.
    pub open_cases: i64,
    /// When it was first alerted on.
    #[sqlx(try_from = "i64")]
    pub first_seen: Stamp,
    /// When it was last alerted on.
    #[sqlx(try_from = "i64")]
    pub last_seen: Stamp,
}

impl Store {
    /// Subjects, newest first.
    pub async fn subjects(&self, page: Page) -> Result<(Vec<Subject>, Option<i64>), StoreError> {
        let rows: Vec<Subject> = query(
            "SELECT s.*, (SELECT COUNT(*) FROM case_subjects cs JOIN cases c ON c.case_id = cs.case_id
                          WHERE cs.subject = s.subject AND c.state <> $3) AS open_cases
             FROM subjects s WHERE s.seq < $1 ORDER BY s.seq DESC LIMIT $2",
        )
        .bind(page.before())
        .bind(page.fetch())
        .bind(CaseState::Closed.name())
        .fetch_all(&mut self.read().await?)
        .await?;
        Ok(page.cut(rows, |row| row.seq))
    }

    /// The names last seen with the subjects of a case.
    pub async fn subject_names(&self, case_id: &str) -> Result<Vec<(String, Option<String>)>, StoreError> {
        Ok(query(
            "SELECT cs.subject, s.name FROM case_subjects cs LEFT JOIN subjects s ON s.subject = cs.subject
             WHERE cs.case_id = $1 ORDER BY cs.position",
        )
        .bind(case_id)
        .fetch_all(&mut self.read().await?)
        .await?)
    }
}

impl Tx<'_> {
    /// Count an alert about a subject.
    pub(crate) async fn see_subject(
        &mut self,
        subject: &str,
        event: Option<&PaymentEvent>,
    ) -> Result<(), StoreError> {
        let name = event.and_then(|event| name_of(subject, event));
        let seen = query(
            "UPDATE subjects SET alerts = alerts + 1, last_seen = $3, name = COALESCE($2, name) WHERE subject = $1",
        )
        .bind(subject)
        .bind(&name)
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        if seen > 0 {
            return Ok(());
        }
        query(
            "INSERT INTO subjects (subject, name, alerts, first_seen, last_seen) VALUES ($1, $2, 1, $3, $3)",
        )
        .bind(subject)
        .bind(&name)
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        Ok(())
    }
}

/// The name that an event gives a subject, both scripts where it has both.
pub(crate) fn name_of(subject: &str, event: &PaymentEvent) -> Option<String> {
    let party = event.debtor.iter().chain(&event.creditor).find(|party| {
        [&party.customer_id, &party.account].into_iter().any(|id| id.as_deref() == Some(subject))
    })?;
    let names: Vec<&str> = party.name.iter().chain(&party.name_local).map(String::as_str).collect();
    (!names.is_empty()).then(|| names.join(" "))
}
