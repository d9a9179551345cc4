//! The rows of suppressions: who proposed, approved and ended each.

use std::collections::BTreeSet;

use serde::Serialize;
use sluice_model::{EventTime, Key, KeyKind, Suppression};
use sqlx::FromRow;

use super::{Page, Store, StoreError, Tx, columns::stamp_or_null, sql::query};
use crate::{
    domain::{SuppressionAct, SuppressionProposal, SuppressionState},
    stamp::Stamp,
};

/// A suppression, as lists and the API show it.
#[derive(Clone, Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct SuppressionRow {
    /// Its place in the order of proposing.
    #[serde(skip)]
    pub seq: i64,
    /// `SUP-000007`.
    pub suppression_id: String,
    /// The case in which it was proposed.
    pub case_id: String,
    /// Where it stands.
    #[sqlx(try_from = "String")]
    pub state: SuppressionState,
    /// The kind of the party's key: `customer`, `account`, or `party` for an institution's BIC.
    pub party_kind: String,
    /// Who is not the entry.
    pub party_value: String,
    /// The list source.
    pub list: String,
    /// The entry.
    pub entry_id: String,
    /// The hash of its content: the suppression ends when it changes.
    pub entry_hash: String,
    /// The entry's name that was met.
    pub listed_name: String,
    /// `FP-NAME`, `FP-DOB` or `FP-COUNTRY`.
    pub disposition: String,
    /// What tells the two apart.
    pub reason: String,
    /// When it ends, in event time.
    #[sqlx(try_from = "i64")]
    pub expires_at: Stamp,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    #[sqlx(try_from = "i64")]
    pub proposed_at: Stamp,
    /// Who approved it: another person.
    pub approved_by: Option<String>,
    /// When.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub approved_at: Option<i64>,
    /// Who refused or ended it.
    pub ended_by: Option<String>,
    /// When.
    #[serde(serialize_with = "stamp_or_null")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<i64>,
    /// Why.
    pub end_reason: Option<String>,
    /// The control record's place in the outbox.
    #[serde(skip)]
    #[sqlx(skip)]
    pub outbox: Option<i64>,
}

impl SuppressionRow {
    /// Whether it is waiting or in force, as far as its own dates say.
    pub fn is_current(&self, now: EventTime) -> bool {
        self.state != SuppressionState::Revoked && now < self.expires_at.0
    }

    /// Whether it ends where a case finds that these parties are listed: it is of one of them, or of that case.
    pub fn concerns(&self, case_id: &str, parties: &BTreeSet<Key>) -> bool {
        let is_of = |party: &Key| party.kind.name() == self.party_kind && party.value == self.party_value;
        self.case_id == case_id || parties.iter().any(is_of)
    }

    /// What the engine applies of it.
    pub(crate) fn order(&self) -> Result<Suppression, StoreError> {
        let kind = KeyKind::from_name(&self.party_kind).ok_or(StoreError::Corrupt("key kind"))?;
        Ok(Suppression {
            party: Key { kind, value: self.party_value.clone() },
            list: self.list.clone(),
            entry_id: self.entry_id.clone(),
            entry_hash: self.entry_hash.parse().map_err(|_| StoreError::Corrupt("entry hash"))?,
            reason: self.reason.clone(),
            approver: self.approved_by.clone().unwrap_or_default(),
            expires_at: self.expires_at.0,
        })
    }
}

/// Which suppressions to list.
#[derive(Clone, Debug, Default)]
pub struct SuppressionFilter {
    /// Only in this state.
    pub state: Option<String>,
    /// Only of this case.
    pub case_id: Option<String>,
    /// Only of the party of this value.
    pub party: Option<String>,
}

impl Store {
    /// Suppressions, newest first.
    pub async fn suppressions(
        &self,
        filter: &SuppressionFilter,
        page: Page,
    ) -> Result<(Vec<SuppressionRow>, Option<i64>), StoreError> {
        let rows: Vec<SuppressionRow> = query(
            "SELECT * FROM suppressions
             WHERE seq < $1 AND ($2 IS NULL OR state = $2) AND ($3 IS NULL OR case_id = $3)
               AND ($4 IS NULL OR party_value = $4) ORDER BY seq DESC LIMIT $5",
        )
        .bind(page.before())
        .bind(&filter.state)
        .bind(&filter.case_id)
        .bind(&filter.party)
        .bind(page.fetch())
        .fetch_all(&mut self.read().await?)
        .await?;
        Ok(page.cut(rows, |row| row.seq))
    }
}

impl Tx<'_> {
    /// One suppression.
    pub(crate) async fn suppression(&mut self, id: &str) -> Result<Option<SuppressionRow>, StoreError> {
        Ok(query("SELECT * FROM suppressions WHERE suppression_id = $1")
            .bind(id)
            .fetch_optional(self.sql())
            .await?)
    }

    /// Those that are in force or proposed, oldest first.
    pub(crate) async fn standing_suppressions(&mut self) -> Result<Vec<SuppressionRow>, StoreError> {
        Ok(query("SELECT * FROM suppressions WHERE state <> $2 AND expires_at > $1 ORDER BY seq")
            .bind(self.now.micros())
            .bind(SuppressionState::Revoked.name())
            .fetch_all(self.sql())
            .await?)
    }

    /// Whether one on the same party and entry is active.
    pub(crate) async fn is_suppressed(&mut self, proposal: &SuppressionProposal) -> Result<bool, StoreError> {
        let standing: i64 = query(
            "SELECT COUNT(*) FROM suppressions
             WHERE party_kind = $1 AND party_value = $2 AND list = $3 AND entry_id = $4 AND entry_hash = $5
               AND state <> $7 AND expires_at > $6",
        )
        .bind(proposal.of.party.kind.name())
        .bind(&proposal.of.party.value)
        .bind(&proposal.of.list)
        .bind(&proposal.of.entry_id)
        .bind(proposal.entry_hash.to_string())
        .bind(self.now.micros())
        .bind(SuppressionState::Revoked.name())
        .value(self.sql())
        .await?;
        Ok(standing > 0)
    }

    /// Write a proposal; its id.
    pub(crate) async fn add_suppression(
        &mut self,
        case_id: &str,
        proposal: &SuppressionProposal,
        by: &str,
    ) -> Result<String, StoreError> {
        let SuppressionProposal { of, entry_hash, disposition, reason, .. } = proposal;
        Ok(query(
            "INSERT INTO suppressions (case_id, state, party_kind, party_value, list, entry_id, entry_hash, listed_name,
                                       disposition, reason, expires_at, proposed_by, proposed_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING suppression_id",
        )
        .bind(case_id)
        .bind(SuppressionState::Proposed.name())
        .bind(of.party.kind.name())
        .bind(&of.party.value)
        .bind(&of.list)
        .bind(&of.entry_id)
        .bind(entry_hash.to_string())
        .bind(&of.listed)
        .bind(disposition.code())
        .bind(reason)
        .bind(proposal.expires_at(self.now).micros())
        .bind(by)
        .bind(self.now.micros())
        .value(self.sql())
        .await?)
    }

    /// Write what became of a suppression.
    pub(crate) async fn put_suppression(
        &mut self,
        id: &str,
        act: &SuppressionAct,
        next: SuppressionState,
        by: &str,
    ) -> Result<(), StoreError> {
        let text = match act {
            SuppressionAct::Approve => {
                "UPDATE suppressions SET state = $2, approved_by = $3, approved_at = $4 WHERE suppression_id = $1"
            }
            SuppressionAct::Revoke { .. } => {
                "UPDATE suppressions SET state = $2, ended_by = $3, ended_at = $4, end_reason = $5
                 WHERE suppression_id = $1"
            }
        };
        let mut update = query(text).bind(id).bind(next.name()).bind(by).bind(self.now.micros());
        if let SuppressionAct::Revoke { reason } = act {
            update = update.bind(reason);
        }
        update.execute(self.sql()).await?;
        Ok(())
    }
}
