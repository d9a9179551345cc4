//! Cases and their timelines, as read.

use serde::Serialize;
use sqlx::{FromRow, Row, sqlite::SqliteRow};

use super::{
    Page, Store, StoreError, Tx,
    columns::{moment, moment_or_none, named},
};
use crate::{
    domain::{Case, CaseState},
    stamp::Stamp,
    words,
};

impl FromRow<'_, SqliteRow> for Case {
    /// Without its subjects, which stand in rows of their own.
    fn from_row(row: &SqliteRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.try_get("seq")?,
            case_id: row.try_get("case_id")?,
            typology: row.try_get("typology")?,
            state: named(row, "state", CaseState::from_name)?,
            severity: named(row, "severity", words::severity_of)?,
            screening: row.try_get("screening")?,
            assignee: row.try_get("assignee")?,
            alerts: row.try_get("alerts")?,
            subjects: Vec::new(),
            previous_case_id: row.try_get("previous_case_id")?,
            disposition: row.try_get("disposition")?,
            opened_at: moment(row, "opened_at")?,
            updated_at: moment(row, "updated_at")?,
            due_at: moment_or_none(row, "due_at")?,
            closed_at: moment_or_none(row, "closed_at")?,
        })
    }
}

/// Something that happened to a case.
#[derive(Clone, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct TimelineEntry {
    /// When.
    #[sqlx(try_from = "i64")]
    pub at: Stamp,
    /// Who: a user, a key, or `engine`.
    pub actor: String,
    /// What: an act, or `alert`, `hold`, `reject`, `released`.
    pub kind: String,
    /// The case's state after it.
    #[sqlx(try_from = "String")]
    pub state: CaseState,
    /// What was said in it.
    #[sqlx(json)]
    #[schema(value_type = Object)]
    pub body: serde_json::Value,
    /// Its leaf in the evidence log.
    pub leaf: i64,
}

/// Which cases to list.
#[derive(Clone, Debug, Default)]
pub struct CaseFilter {
    /// Only in this state; `open` for every state but `CLOSED`.
    pub state: Option<String>,
    /// Only of this severity.
    pub severity: Option<String>,
    /// Only with this officer.
    pub assignee: Option<String>,
    /// Only about this subject.
    pub subject: Option<String>,
}

impl Store {
    /// One case with its subjects.
    pub async fn case(&self, case_id: &str) -> Result<Option<Case>, StoreError> {
        let case: Option<Case> = sqlx::query_as("SELECT * FROM cases WHERE case_id = $1")
            .bind(case_id)
            .fetch_optional(&self.readers)
            .await?;
        match case {
            Some(case) => Ok(self.with_subjects(vec![case]).await?.pop()),
            None => Ok(None),
        }
    }

    /// Cases, newest first.
    pub async fn cases(
        &self,
        filter: &CaseFilter,
        page: Page,
    ) -> Result<(Vec<Case>, Option<i64>), StoreError> {
        let rows: Vec<Case> = sqlx::query_as(
            "SELECT * FROM cases c
             WHERE seq < $1 AND ($2 IS NULL OR state = $2 OR ($2 = 'open' AND state <> 'CLOSED'))
               AND ($3 IS NULL OR severity = $3) AND ($4 IS NULL OR assignee = $4)
               AND ($5 IS NULL OR EXISTS (SELECT 1 FROM case_subjects s WHERE s.case_id = c.case_id AND s.subject = $5))
             ORDER BY seq DESC LIMIT $6",
        )
        .bind(page.before())
        .bind(&filter.state)
        .bind(&filter.severity)
        .bind(&filter.assignee)
        .bind(&filter.subject)
        .bind(page.fetch())
        .fetch_all(&self.readers)
        .await?;
        let (rows, next) = page.cut(rows, |case| case.seq);
        Ok((self.with_subjects(rows).await?, next))
    }

    /// Open cases in the order in which they want an officer: what is due first.
    pub async fn queue(&self, filter: &CaseFilter, limit: u32) -> Result<Vec<Case>, StoreError> {
        let rows: Vec<Case> = sqlx::query_as(
            "SELECT * FROM cases c
             WHERE state <> 'CLOSED' AND ($1 IS NULL OR state = $1 OR $1 = 'open')
               AND ($2 IS NULL OR severity = $2) AND ($3 IS NULL OR assignee = $3)
               AND ($4 IS NULL OR EXISTS (SELECT 1 FROM case_subjects s WHERE s.case_id = c.case_id AND s.subject = $4))
             ORDER BY due_at, severity_rank DESC, seq LIMIT $5",
        )
        .bind(&filter.state)
        .bind(&filter.severity)
        .bind(&filter.assignee)
        .bind(&filter.subject)
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        self.with_subjects(rows).await
    }

    /// How many cases are in each state.
    pub async fn case_counts(&self) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(sqlx::query_as("SELECT state, COUNT(*) FROM cases GROUP BY state")
            .fetch_all(&self.readers)
            .await?)
    }

    /// What happened to a case, oldest first.
    pub async fn timeline(&self, case_id: &str) -> Result<Vec<TimelineEntry>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT at, actor, kind, state, body, leaf FROM timeline WHERE case_id = $1 ORDER BY seq",
        )
        .bind(case_id)
        .fetch_all(&self.readers)
        .await?)
    }

    async fn with_subjects(&self, mut cases: Vec<Case>) -> Result<Vec<Case>, StoreError> {
        for case in &mut cases {
            case.subjects =
                sqlx::query_scalar("SELECT subject FROM case_subjects WHERE case_id = $1 ORDER BY position")
                    .bind(&case.case_id)
                    .fetch_all(&self.readers)
                    .await?;
        }
        Ok(cases)
    }
}

impl Tx<'_> {
    /// A case with its subjects.
    pub(crate) async fn case(&mut self, case_id: &str) -> Result<Option<Case>, StoreError> {
        let case: Option<Case> = sqlx::query_as("SELECT * FROM cases WHERE case_id = $1")
            .bind(case_id)
            .fetch_optional(self.sql())
            .await?;
        let Some(mut case) = case else { return Ok(None) };
        case.subjects =
            sqlx::query_scalar("SELECT subject FROM case_subjects WHERE case_id = $1 ORDER BY position")
                .bind(case_id)
                .fetch_all(self.sql())
                .await?;
        Ok(Some(case))
    }

    /// The oldest open case of a typology on a subject, with its place in the order of opening.
    pub(crate) async fn oldest_open_case(
        &mut self,
        typology: &str,
        subject: &str,
    ) -> Result<Option<(i64, String)>, StoreError> {
        Ok(sqlx::query_as(
            "SELECT c.seq, c.case_id FROM case_subjects s JOIN cases c ON c.case_id = s.case_id
             WHERE s.subject = $1 AND c.typology = $2 AND c.state <> 'CLOSED' ORDER BY c.seq LIMIT 1",
        )
        .bind(subject)
        .bind(typology)
        .fetch_optional(self.sql())
        .await?)
    }

    /// The last case of a typology on a subject, open or closed.
    pub(crate) async fn last_case(
        &mut self,
        typology: &str,
        subject: &str,
    ) -> Result<Option<String>, StoreError> {
        Ok(sqlx::query_scalar(
            "SELECT c.case_id FROM case_subjects s JOIN cases c ON c.case_id = s.case_id
             WHERE s.subject = $1 AND c.typology = $2 ORDER BY c.seq DESC LIMIT 1",
        )
        .bind(subject)
        .bind(typology)
        .fetch_optional(self.sql())
        .await?)
    }

    /// Keep a new case.
    pub(crate) async fn add_case(&mut self, case: &Case) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO cases (seq, case_id, typology, state, severity, severity_rank, screening, alerts,
                                previous_case_id, opened_at, updated_at, due_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(case.seq)
        .bind(&case.case_id)
        .bind(&case.typology)
        .bind(case.state.name())
        .bind(words::severity(case.severity))
        .bind(words::severity_rank(case.severity))
        .bind(case.screening)
        .bind(case.alerts)
        .bind(&case.previous_case_id)
        .bind(case.opened_at.0.micros())
        .bind(case.updated_at.0.micros())
        .bind(case.due_at.map(|at| at.0.micros()))
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// Keep a case as it has become.
    pub(crate) async fn put_case(&mut self, case: &Case) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE cases SET state = $2, severity = $3, severity_rank = $4, screening = $5, alerts = $6, assignee = $7,
                              due_at = $8, disposition = $9, closed_at = $10, updated_at = $11
             WHERE case_id = $1",
        )
        .bind(&case.case_id)
        .bind(case.state.name())
        .bind(words::severity(case.severity))
        .bind(words::severity_rank(case.severity))
        .bind(case.screening)
        .bind(case.alerts)
        .bind(&case.assignee)
        .bind(case.due_at.map(|at| at.0.micros()))
        .bind(&case.disposition)
        .bind(case.closed_at.map(|at| at.0.micros()))
        .bind(case.updated_at.0.micros())
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// Have a case be about a subject, behind those that it is about already.
    pub(crate) async fn add_case_subject(&mut self, case_id: &str, subject: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO case_subjects (case_id, subject, position)
             SELECT $1, $2, COUNT(*) FROM case_subjects WHERE case_id = $1
             ON CONFLICT (case_id, subject) DO NOTHING",
        )
        .bind(case_id)
        .bind(subject)
        .execute(self.sql())
        .await?;
        Ok(())
    }

    /// Write a line of a case's timeline, with the state that the case is in by then.
    pub(crate) async fn note<T: Serialize>(
        &mut self,
        case_id: &str,
        actor: &str,
        kind: &str,
        body: &T,
        leaf: i64,
    ) -> Result<(), StoreError> {
        let seq = self.next("timeline").await?;
        sqlx::query(
            "INSERT INTO timeline (seq, case_id, at, actor, kind, state, body, leaf)
             SELECT $1, case_id, $3, $4, $5, state, $6, $7 FROM cases WHERE case_id = $2",
        )
        .bind(seq)
        .bind(case_id)
        .bind(self.now.micros())
        .bind(actor)
        .bind(kind)
        .bind(serde_json::to_string(body)?)
        .bind(leaf)
        .execute(self.sql())
        .await?;
        Ok(())
    }
}
