//! Cases and their timelines, as read.

use serde::Serialize;
use sqlx::{FromRow, Row};

use super::{Page, Store, StoreError, Tx, columns::Columns, sql::query};
use crate::{
    domain::{Case, CaseState},
    stamp::Stamp,
    words,
};

impl<'r, R: Row + Columns> FromRow<'r, R> for Case {
    /// Without its subjects, which are in rows of their own.
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            seq: row.int("seq")?,
            case_id: row.text("case_id")?,
            typology: row.text("typology")?,
            state: row.named("state", CaseState::from_name)?,
            severity: row.named("severity", words::severity_of)?,
            screening: row.flag("screening")?,
            assignee: row.text_or_none("assignee")?,
            alerts: row.int("alerts")?,
            subjects: Vec::new(),
            previous_case_id: row.text_or_none("previous_case_id")?,
            disposition: row.text_or_none("disposition")?,
            opened_at: row.moment("opened_at")?,
            updated_at: row.moment("updated_at")?,
            due_at: row.moment_or_none("due_at")?,
            closed_at: row.moment_or_none("closed_at")?,
        })
    }
}

/// Something that happened to a case.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct TimelineEntry {
    /// When.
    pub at: Stamp,
    /// Who: a user, a key, or `engine`.
    pub actor: String,
    /// What: an act, or `alert`, `hold`, `reject`, `released`.
    pub kind: String,
    /// The case's state after it.
    pub state: CaseState,
    /// What was said in it.
    #[schema(value_type = Object)]
    pub body: serde_json::Value,
    /// Its leaf in the evidence log.
    pub leaf: i64,
}

impl<'r, R: Row + Columns> FromRow<'r, R> for TimelineEntry {
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        Ok(Self {
            at: row.moment("at")?,
            actor: row.text("actor")?,
            kind: row.text("kind")?,
            state: row.named("state", CaseState::from_name)?,
            body: row.json("body")?,
            leaf: row.int("leaf")?,
        })
    }
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

/// The only state that a filter's word asks for, and the one that it leaves out.
pub(super) fn states(word: Option<&str>) -> (Option<&str>, Option<&'static str>) {
    match word {
        Some("open") => (None, Some(CaseState::Closed.name())),
        state => (state, None),
    }
}

impl Store {
    /// One case with its subjects.
    pub async fn case(&self, case_id: &str) -> Result<Option<Case>, StoreError> {
        let case: Option<Case> = query("SELECT * FROM cases WHERE case_id = $1")
            .bind(case_id)
            .fetch_optional(&mut self.read().await?)
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
        let (state, but) = states(filter.state.as_deref());
        let rows: Vec<Case> = query(
            "SELECT * FROM cases c
             WHERE seq < $1 AND ($2 IS NULL OR state = $2) AND ($7 IS NULL OR state <> $7)
               AND ($3 IS NULL OR severity = $3) AND ($4 IS NULL OR assignee = $4)
               AND ($5 IS NULL OR EXISTS (SELECT 1 FROM case_subjects s WHERE s.case_id = c.case_id AND s.subject = $5))
             ORDER BY seq DESC LIMIT $6",
        )
        .bind(page.before())
        .bind(state)
        .bind(&filter.severity)
        .bind(&filter.assignee)
        .bind(&filter.subject)
        .bind(page.fetch())
        .bind(but)
        .fetch_all(&mut self.read().await?)
        .await?;
        let (rows, next) = page.cut(rows, |case| case.seq);
        Ok((self.with_subjects(rows).await?, next))
    }

    /// Open cases in the order in which they want an officer: what is due first.
    pub async fn queue(&self, filter: &CaseFilter, limit: u32) -> Result<Vec<Case>, StoreError> {
        let rows: Vec<Case> = query(
            "SELECT * FROM cases c
             WHERE state <> $6 AND ($1 IS NULL OR state = $1)
               AND ($2 IS NULL OR severity = $2) AND ($3 IS NULL OR assignee = $3)
               AND ($4 IS NULL OR EXISTS (SELECT 1 FROM case_subjects s WHERE s.case_id = c.case_id AND s.subject = $4))
             ORDER BY due_at, severity_rank DESC, seq LIMIT $5",
        )
        .bind(states(filter.state.as_deref()).0)
        .bind(&filter.severity)
        .bind(&filter.assignee)
        .bind(&filter.subject)
        .bind(i64::from(limit))
        .bind(CaseState::Closed.name())
        .fetch_all(&mut self.read().await?)
        .await?;
        self.with_subjects(rows).await
    }

    /// How many cases are in each state.
    pub async fn case_counts(&self) -> Result<Vec<(String, i64)>, StoreError> {
        Ok(query("SELECT state, COUNT(*) FROM cases GROUP BY state")
            .fetch_all(&mut self.read().await?)
            .await?)
    }

    /// What happened to a case, oldest first.
    pub async fn timeline(&self, case_id: &str) -> Result<Vec<TimelineEntry>, StoreError> {
        Ok(query("SELECT at, actor, kind, state, body, leaf FROM timeline WHERE case_id = $1 ORDER BY seq")
            .bind(case_id)
            .fetch_all(&mut self.read().await?)
            .await?)
    }

    async fn with_subjects(&self, mut cases: Vec<Case>) -> Result<Vec<Case>, StoreError> {
        for case in &mut cases {
            case.subjects = query("SELECT subject FROM case_subjects WHERE case_id = $1 ORDER BY position")
                .bind(&case.case_id)
                .values(&mut self.read().await?)
                .await?;
        }
        Ok(cases)
    }
}

impl Tx<'_> {
    /// A case with its subjects.
    pub(crate) async fn case(&mut self, case_id: &str) -> Result<Option<Case>, StoreError> {
        let case: Option<Case> =
            query("SELECT * FROM cases WHERE case_id = $1").bind(case_id).fetch_optional(self.sql()).await?;
        let Some(mut case) = case else { return Ok(None) };
        case.subjects = query("SELECT subject FROM case_subjects WHERE case_id = $1 ORDER BY position")
            .bind(case_id)
            .values(self.sql())
            .await?;
        Ok(Some(case))
    }

    /// The oldest open case of a typology on a subject, with its place in the order of opening.
    pub(crate) async fn oldest_open_case(
        &mut self,
        typology: &str,
        subject: &str,
    ) -> Result<Option<(i64, String)>, StoreError> {
        Ok(query(
            "SELECT c.seq, c.case_id FROM case_subjects s JOIN cases c ON c.case_id = s.case_id
             WHERE s.subject = $1 AND c.typology = $2 AND c.state <> $3 ORDER BY c.seq LIMIT 1",
        )
        .bind(subject)
        .bind(typology)
        .bind(CaseState::Closed.name())
        .fetch_optional(self.sql())
        .await?)
    }

    /// The last case of a typology on a subject, open or closed.
    pub(crate) async fn last_case(
        &mut self,
        typology: &str,
        subject: &str,
    ) -> Result<Option<String>, StoreError> {
        Ok(query(
            "SELECT c.case_id FROM case_subjects s JOIN cases c ON c.case_id = s.case_id
             WHERE s.subject = $1 AND c.typology = $2 ORDER BY c.seq DESC LIMIT 1",
        )
        .bind(subject)
        .bind(typology)
        .value_or_none(self.sql())
        .await?)
    }

    /// Keep a new case; it has its place and its id from here on.
    pub(crate) async fn add_case(&mut self, case: Case) -> Result<Case, StoreError> {
        let (seq, case_id) = query(
            "INSERT INTO cases (typology, state, severity, severity_rank, screening, alerts, previous_case_id,
                                opened_at, updated_at, due_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING seq, case_id",
        )
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
        .fetch_one(self.sql())
        .await?;
        Ok(Case { seq, case_id, ..case })
    }

    /// Keep a case as it has become.
    pub(crate) async fn put_case(&mut self, case: &Case) -> Result<(), StoreError> {
        query(
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
        query(
            "INSERT INTO case_subjects (case_id, subject, position)
             SELECT $1, $2, COUNT(*) FROM case_subjects WHERE case_id = $1
             HAVING COUNT(*) FILTER (WHERE subject = $2) = 0",
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
        query(
            "INSERT INTO timeline (case_id, at, actor, kind, state, body, leaf)
             SELECT case_id, $2, $3, $4, state, $5, $6 FROM cases WHERE case_id = $1",
        )
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
