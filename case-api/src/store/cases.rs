//! Cases and their timelines, as read.

use serde::Serialize;
use sqlx::FromRow;

use super::{Page, Store, StoreError, Tx};
use crate::{domain::CaseState, stamp::Stamp};

/// A case, as lists and the API show it.
#[derive(Clone, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Case {
    /// Its place in the order of opening.
    #[serde(skip)]
    pub seq: i64,
    /// `CASE-000042`.
    pub case_id: String,
    /// The pattern that its alerts point to.
    pub typology: String,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: CaseState,
    /// The gravest of its alerts'.
    pub severity: String,
    /// Whether a list match stands behind one of its alerts.
    pub screening: bool,
    /// The officer who has it.
    pub assignee: Option<String>,
    /// How many alerts it has.
    pub alerts: i64,
    /// Whom it is about.
    #[sqlx(skip)]
    pub subjects: Vec<String>,
    /// The case before it on the same subject and typology.
    pub previous_case_id: Option<String>,
    /// How it ended.
    pub disposition: Option<String>,
    /// When its first alert was recorded.
    #[sqlx(try_from = "i64")]
    pub opened_at: Stamp,
    /// When anything last happened to it.
    #[sqlx(try_from = "i64")]
    pub updated_at: Stamp,
    /// When its state becomes overdue, in microseconds; none once closed.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub due_at: Option<i64>,
    /// When it was closed, in microseconds.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<i64>,
}

/// Optional moments are plain integers in rows and RFC 3339 in JSON.
pub(super) fn stamp_or_null<S: serde::Serializer>(micros: &Option<i64>, s: S) -> Result<S::Ok, S::Error> {
    micros.map(Stamp::from).serialize(s)
}

/// Not the name of a state.
#[derive(Debug, thiserror::Error)]
#[error("not a state")]
pub struct UnknownState;

impl TryFrom<String> for CaseState {
    type Error = UnknownState;

    fn try_from(name: String) -> Result<Self, UnknownState> {
        Self::from_name(&name).ok_or(UnknownState)
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
    /// Write a line of a case's timeline, with the state that the case is in by then.
    pub(super) async fn tell<T: Serialize>(
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
