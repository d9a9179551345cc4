//! Suppressions: who proposed, approved and ended each, and the control record that makes the engine feel it.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{AlertId, Control, EventTime, Hash256, Key, KeyKind, Span, Suppression};
use sqlx::FromRow;

use super::{
    ActError, AlertFilter, Claim, Entry, Page, Store, StoreError, Tx, acts::check_text, cases::stamp_or_null,
};
use crate::{
    domain::{
        Actor, DispositionCode, Permission, Refusal, SuppressionAct, SuppressionState, check_suppression,
        next_suppression_state,
    },
    limits::PAGE_MAX,
    stamp::Stamp,
};

/// A match of a case's alerts that a suppression could bind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseMatch {
    /// Who was screened.
    pub party: Key,
    /// Under which name.
    pub screened: String,
    /// The list source.
    pub list: String,
    /// The version that was screened against.
    pub version: String,
    /// The entry.
    pub entry_id: String,
    /// Its name that was met.
    pub listed: String,
    /// The alerts of the case that show it: what was decided on.
    pub alerts: Vec<AlertId>,
}

/// What somebody proposes to leave out.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The match.
    pub of: CaseMatch,
    /// The entry's content as it was seen.
    pub entry_hash: Hash256,
    /// The kind of false positive.
    pub disposition: DispositionCode,
    /// What tells the two apart.
    pub reason: String,
    /// For how long.
    pub days: u32,
}

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
    pub fn stands(&self, now: EventTime) -> bool {
        self.state != SuppressionState::Revoked && now < self.expires_at.0
    }

    fn control(&self) -> Result<Suppression, StoreError> {
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
        let rows: Vec<SuppressionRow> = sqlx::query_as(
            "SELECT * FROM suppressions
             WHERE seq < $1 AND ($2 IS NULL OR state = $2) AND ($3 IS NULL OR case_id = $3)
               AND ($4 IS NULL OR party_value = $4) ORDER BY seq DESC LIMIT $5",
        )
        .bind(page.before())
        .bind(&filter.state)
        .bind(&filter.case_id)
        .bind(&filter.party)
        .bind(page.fetch())
        .fetch_all(&self.readers)
        .await?;
        Ok(page.cut(rows, |row| row.seq))
    }

    /// The matches of a case that may be suppressed, each party and entry once, as last seen.
    pub async fn case_matches(&self, case_id: &str) -> Result<Vec<CaseMatch>, StoreError> {
        let filter = AlertFilter { case_id: Some(case_id.to_owned()), ..AlertFilter::default() };
        let (alerts, _) = self.alerts(&filter, Page::first(PAGE_MAX)).await?;
        let mut found: Vec<CaseMatch> = Vec::new();
        let met = alerts.into_iter().flat_map(|stored| {
            let id = stored.alert.alert_id;
            stored.alert.matches.into_iter().map(move |met| (id, met))
        });
        for (id, met) in met {
            let Some(party) = met.party else { continue };
            for hit in met.matches {
                let known =
                    |m: &&mut CaseMatch| m.party == party && m.list == hit.list && m.entry_id == hit.entry_id;
                if let Some(known) = found.iter_mut().find(known) {
                    if known.alerts.last() != Some(&id) {
                        known.alerts.push(id);
                    }
                } else {
                    found.push(CaseMatch {
                        party: party.clone(),
                        screened: met.name.clone(),
                        list: hit.list,
                        version: hit.version,
                        entry_id: hit.entry_id,
                        listed: hit.name,
                        alerts: vec![id],
                    });
                }
            }
        }
        Ok(found)
    }

    /// Propose to leave a match out. With a claim, the answer is stored in the same transaction.
    pub async fn propose_suppression(
        &self,
        case_id: &str,
        proposal: &Proposal,
        actor: &Actor,
        claim: Option<&Claim>,
        now: EventTime,
    ) -> Result<SuppressionRow, ActError> {
        let mut tx = self.begin(now).await?;
        let row = tx.propose_suppression(case_id, proposal, actor).await?;
        tx.answer(claim, 201, &row).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Approve or end a suppression.
    pub async fn act_on_suppression(
        &self,
        id: &str,
        act: &SuppressionAct,
        actor: &Actor,
        claim: Option<&Claim>,
        now: EventTime,
    ) -> Result<SuppressionRow, ActError> {
        if let SuppressionAct::Revoke { reason } = act {
            check_text(reason)?;
        }
        let mut tx = self.begin(now).await?;
        let row = tx.suppression(id).await?.ok_or(ActError::NoSuppression)?;
        let own = row.proposed_by == actor.name;
        let next = next_suppression_state(row.state, act, &actor.roles, own)?;
        if next == SuppressionState::Approved && !row.stands(now) {
            return Err(Refusal::Conflict("its time has passed: propose it anew").into());
        }
        let row = tx.change_suppression(&row, act, next, actor).await?;
        tx.answer(claim, 200, &row).await?;
        tx.commit().await?;
        Ok(row)
    }
}

impl Tx<'_> {
    async fn suppression(&mut self, id: &str) -> Result<Option<SuppressionRow>, StoreError> {
        Ok(sqlx::query_as("SELECT * FROM suppressions WHERE suppression_id = $1")
            .bind(id)
            .fetch_optional(self.sql())
            .await?)
    }

    /// Write what became of a suppression, with its evidence, and have the engine feel it.
    async fn change_suppression(
        &mut self,
        before: &SuppressionRow,
        act: &SuppressionAct,
        next: SuppressionState,
        actor: &Actor,
    ) -> Result<SuppressionRow, ActError> {
        let text = match act {
            SuppressionAct::Approve => {
                "UPDATE suppressions SET state = $2, approved_by = $3, approved_at = $4 WHERE suppression_id = $1"
            }
            SuppressionAct::Revoke { .. } => {
                "UPDATE suppressions SET state = $2, ended_by = $3, ended_at = $4, end_reason = $5
                 WHERE suppression_id = $1"
            }
        };
        let id = &before.suppression_id;
        let mut update =
            sqlx::query(text).bind(id).bind(next.name()).bind(&actor.name).bind(self.now.micros());
        if let SuppressionAct::Revoke { reason } = act {
            update = update.bind(reason);
        }
        update.execute(self.sql()).await?;
        let mut row = self.suppression(id).await?.ok_or(ActError::NoSuppression)?;
        self.record(act.name(), &row, actor, &json!(act)).await?;
        let was_felt = before.state == SuppressionState::Approved;
        let control = match act {
            SuppressionAct::Approve => Some(Control::Suppress(row.control()?)),
            SuppressionAct::Revoke { .. } => {
                was_felt.then(|| row.control().map(Control::Unsuppress)).transpose()?
            }
        };
        if let Some(control) = control {
            row.outbox = Some(self.control(&control).await?);
        }
        Ok(row)
    }

    /// A case found that these parties are listed: nothing that was suppressed of them stands, nor what the case
    /// itself proposed. The place of the last control record, if any.
    pub(super) async fn end_suppressions(
        &mut self,
        case_id: &str,
        parties: &BTreeSet<Key>,
        actor: &Actor,
    ) -> Result<Option<i64>, ActError> {
        let standing: Vec<SuppressionRow> = sqlx::query_as(
            "SELECT * FROM suppressions WHERE state <> 'revoked' AND expires_at > $1 ORDER BY seq",
        )
        .bind(self.now.micros())
        .fetch_all(self.sql())
        .await?;
        let concerned = |row: &&SuppressionRow| {
            row.case_id == case_id
                || parties.iter().any(|p| p.kind.name() == row.party_kind && p.value == row.party_value)
        };
        let act = SuppressionAct::Revoke { reason: format!("{case_id} found a true match") };
        let mut last = None;
        for row in standing.iter().filter(concerned) {
            let ended = self.change_suppression(row, &act, SuppressionState::Revoked, actor).await?;
            last = ended.outbox.or(last);
        }
        Ok(last)
    }

    /// Write a proposal. One on the same party and entry that stands already is enough.
    pub(super) async fn propose_suppression(
        &mut self,
        case_id: &str,
        proposal: &Proposal,
        actor: &Actor,
    ) -> Result<SuppressionRow, ActError> {
        let Proposal { of, entry_hash, disposition, reason, days } = proposal;
        if !actor.roles.allow(Permission::Triage) {
            return Err(Refusal::NotAllowed.into());
        }
        check_suppression(*disposition, *days)?;
        check_text(reason)?;
        let hash = entry_hash.to_string();
        let standing: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM suppressions
             WHERE party_kind = $1 AND party_value = $2 AND list = $3 AND entry_id = $4 AND entry_hash = $5
               AND state <> 'revoked' AND expires_at > $6",
        )
        .bind(of.party.kind.name())
        .bind(&of.party.value)
        .bind(&of.list)
        .bind(&of.entry_id)
        .bind(&hash)
        .bind(self.now.micros())
        .fetch_one(self.sql())
        .await?;
        if standing > 0 {
            return Err(Refusal::Conflict("this match is suppressed already, or proposed to be").into());
        }
        let seq = self.next("suppressions").await?;
        let id = format!("SUP-{seq:06}");
        sqlx::query(
            "INSERT INTO suppressions (seq, suppression_id, case_id, state, party_kind, party_value, list, entry_id,
                                       entry_hash, listed_name, disposition, reason, expires_at, proposed_by, proposed_at)
             VALUES ($1, $2, $3, 'proposed', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(seq)
        .bind(&id)
        .bind(case_id)
        .bind(of.party.kind.name())
        .bind(&of.party.value)
        .bind(&of.list)
        .bind(&of.entry_id)
        .bind(&hash)
        .bind(&of.listed)
        .bind(disposition.code())
        .bind(reason)
        .bind(self.now.plus(Span::days(i64::from(*days))).micros())
        .bind(&actor.name)
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        let row = self.suppression(&id).await?.ok_or(ActError::NoSuppression)?;
        let decided_on = json!({ "reason": reason, "alerts": of.alerts });
        self.record("propose_suppression", &row, actor, &decided_on).await?;
        Ok(row)
    }

    /// The leaf of an act on a suppression, and its line in the case's timeline.
    async fn record(
        &mut self,
        act: &str,
        row: &SuppressionRow,
        actor: &Actor,
        said: &serde_json::Value,
    ) -> Result<(), StoreError> {
        let entry = Entry {
            kind: Kind::Act,
            act,
            actor: &actor.name,
            about: &row.suppression_id,
            case_id: Some(&row.case_id),
        };
        let leaf = self.leaf(entry, &json!({ "actor": actor, "act": said, "suppression": row })).await?;
        let told = json!({
            "suppression_id": row.suppression_id, "party": row.party_value, "list": row.list,
            "entry_id": row.entry_id, "reason": said["reason"],
        });
        self.tell(&row.case_id, &actor.name, act, &told, leaf).await
    }

    /// Keep the answer of a claim with what is done.
    async fn answer(
        &mut self,
        claim: Option<&Claim>,
        status: u16,
        row: &SuppressionRow,
    ) -> Result<(), StoreError> {
        match claim {
            Some(claim) => {
                self.keep_answer(claim, status, "application/json", &serde_json::to_vec(row)?).await
            }
            None => Ok(()),
        }
    }
}
