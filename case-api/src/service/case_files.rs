//! What is in a case: whom it is about, what it holds and froze, what happened. And the queue of cases.

use super::Service;
use crate::{
    domain::{Case, CaseState, Hold, OrderedFreeze},
    store::{CaseFilter, Page, StoreError, Subject, TimelineEntry},
};

impl Service {
    /// One case with its subjects.
    pub(crate) async fn case(&self, case_id: &str) -> Result<Option<Case>, StoreError> {
        self.store.case(case_id).await
    }

    /// Cases, newest first.
    pub(crate) async fn cases(
        &self,
        filter: &CaseFilter,
        page: Page,
    ) -> Result<(Vec<Case>, Option<i64>), StoreError> {
        self.store.cases(filter, page).await
    }

    /// Open cases in the order in which they want an officer: what is due first.
    pub(crate) async fn queue(&self, filter: &CaseFilter, limit: u32) -> Result<Vec<Case>, StoreError> {
        self.store.queue(filter, limit).await
    }

    /// How many cases are in each state.
    pub(crate) async fn case_counts(&self) -> Result<Vec<(String, i64)>, StoreError> {
        self.store.case_counts().await
    }

    /// How many cases are not closed.
    pub(crate) async fn open_cases(&self) -> Result<i64, StoreError> {
        let counts = self.store.case_counts().await?;
        let open = counts.iter().filter(|(state, _)| state != CaseState::Closed.name());
        Ok(open.map(|(_, n)| n).sum())
    }

    /// What happened to a case, oldest first.
    pub(crate) async fn timeline(&self, case_id: &str) -> Result<Vec<TimelineEntry>, StoreError> {
        self.store.timeline(case_id).await
    }

    /// The holds of a case, oldest first.
    pub(crate) async fn holds_of(&self, case_id: &str) -> Result<Vec<Hold>, StoreError> {
        self.store.holds_of(case_id).await
    }

    /// The freezes that a case ordered, oldest first.
    pub(crate) async fn freezes_of(&self, case_id: &str) -> Result<Vec<OrderedFreeze>, StoreError> {
        self.store.freezes_of(case_id).await
    }

    /// The names last seen with the subjects of a case.
    pub(crate) async fn subject_names(
        &self,
        case_id: &str,
    ) -> Result<Vec<(String, Option<String>)>, StoreError> {
        self.store.subject_names(case_id).await
    }

    /// Whom alerts were about, newest first.
    pub(crate) async fn subjects(&self, page: Page) -> Result<(Vec<Subject>, Option<i64>), StoreError> {
        self.store.subjects(page).await
    }

    /// Holds, newest first; of one state (`waiting`: held or proposed), or all.
    pub(crate) async fn holds(
        &self,
        state: Option<&str>,
        page: Page,
    ) -> Result<(Vec<Hold>, Option<i64>), StoreError> {
        self.store.holds(state, page).await
    }

    /// How many payments wait.
    pub(crate) async fn holds_waiting(&self) -> Result<i64, StoreError> {
        self.store.holds_waiting().await
    }
}
