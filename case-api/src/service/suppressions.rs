//! Suppressions: proposed from a case, approved or ended, and the control record by which the engine applies it.

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{Control, Hash256, Key};
use tokio::task::spawn_blocking;

use super::{ActError, Service, outcome};
use crate::{
    domain::{
        Act, Actor, CaseMatch, Closing, DispositionCode, Refusal, SuppressionAct, SuppressionProposal,
        SuppressionState, check_text, check_together, matches_of, next_suppression_state,
    },
    limits::{PAGE_MAX, SUPPRESSION_DAYS_DEFAULT},
    ports::PortError,
    store::{AlertFilter, Claim, Entry, Page, StoreError, SuppressionFilter, SuppressionRow, Tx},
};

/// A match of a case to be suppressed.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewSuppression {
    /// The case whose alert shows the match.
    pub case_id: String,
    /// Who was screened, as the match says.
    #[schema(value_type = Object)]
    pub party: Key,
    /// The list source.
    pub list: String,
    /// The entry.
    pub entry_id: String,
    /// `FP-NAME`, `FP-DOB` or `FP-COUNTRY`.
    pub disposition: DispositionCode,
    /// How the two differ.
    pub reason: String,
    /// For how many days, up to 365; 180 where it is not said.
    #[serde(default)]
    pub days: Option<u32>,
}

/// A suppression, and whether the engine applies it.
#[derive(Clone, Serialize, utoipa::ToSchema)]
pub(crate) struct SuppressionNow {
    /// The suppression.
    #[serde(flatten)]
    pub row: SuppressionRow,
    /// Whether it leaves its match out now: approved, its time not passed, the entry as it was.
    pub in_force: bool,
    /// Whether the entry is not, or no longer, what was looked at.
    pub entry_changed: bool,
    /// After an act that the engine has to apply: `delivered`, or `pending` while the log cannot be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<&'static str>,
}

impl Service {
    /// Suppressions, newest first, as they are on the active lists.
    pub(crate) async fn suppressions(
        &self,
        filter: &SuppressionFilter,
        page: Page,
    ) -> Result<(Vec<SuppressionNow>, Option<i64>), ActError> {
        let (rows, next) = self.store.suppressions(filter, page).await?;
        Ok((self.as_they_stand(rows).await?, next))
    }

    /// The matches of a case that may be suppressed, each party and entry once, as last seen.
    pub(crate) async fn case_matches(&self, case_id: &str) -> Result<Vec<CaseMatch>, StoreError> {
        let filter = AlertFilter { case_id: Some(case_id.to_owned()), ..AlertFilter::default() };
        let (alerts, _) = self.store.alerts(&filter, Page::first(PAGE_MAX)).await?;
        Ok(matches_of(alerts.into_iter().map(|stored| stored.alert)))
    }

    /// Propose to suppress one match, if the case shows it.
    pub(crate) async fn propose_suppression(
        &self,
        wanted: NewSuppression,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<SuppressionNow, ActError> {
        let case_id = wanted.case_id;
        if self.store.case(&case_id).await?.is_none() {
            return Err(ActError::NoCase);
        }
        let is_wanted = |of: &CaseMatch| {
            of.party == wanted.party && of.list == wanted.list && of.entry_id == wanted.entry_id
        };
        let shown = self.case_matches(&case_id).await?.into_iter().find(is_wanted);
        let of = shown.ok_or(Refusal::NothingToActOn("no alert of this case shows that match"))?;
        let proposal = SuppressionProposal {
            entry_hash: self.entry_seen(&of).await?,
            of,
            disposition: wanted.disposition,
            reason: wanted.reason,
            days: wanted.days.unwrap_or(SUPPRESSION_DAYS_DEFAULT),
        };
        let mut tx = self.store.begin(self.now()).await?;
        let row = propose(&mut tx, &case_id, &proposal, actor).await?;
        tx.answer(claim, 201, &row).await?;
        tx.commit().await?;
        self.against_lists(row, None).await
    }

    /// What a closing proposes to suppress: every match of the case that may be.
    pub(super) async fn proposals_of(
        &self,
        case_id: &str,
        act: &Act,
    ) -> Result<Vec<SuppressionProposal>, ActError> {
        let Act::Close(Closing { disposition, discriminator, suppress_days: Some(days), .. }) = act else {
            return Ok(Vec::new());
        };
        let shown = self.case_matches(case_id).await?;
        check_together(&shown)?;
        let mut proposals = Vec::with_capacity(shown.len());
        for of in shown {
            proposals.push(SuppressionProposal {
                entry_hash: self.entry_seen(&of).await?,
                of,
                disposition: *disposition,
                reason: discriminator.clone().unwrap_or_default(),
                days: *days,
            });
        }
        Ok(proposals)
    }

    /// The content of the entry that the match was of, if it is still so.
    async fn entry_seen(&self, of: &CaseMatch) -> Result<Hash256, ActError> {
        let (catalogue, of) = (Arc::clone(&self.ports.catalogue), of.clone());
        let read = spawn_blocking(move || {
            let seen = catalogue.entry_hash(&of.list, Some(&of.version), &of.entry_id)?;
            Ok::<_, PortError>((seen, catalogue.entry_hash(&of.list, None, &of.entry_id)?))
        });
        match read.await?? {
            (Some(seen), Some(active)) if seen == active => Ok(seen),
            _ => {
                Err(Refusal::Conflict("the entry has changed since this match: look at it as it is now")
                    .into())
            }
        }
    }

    /// Approve or end a suppression, count it, and see its control record onto the log.
    pub(crate) async fn act_on_suppression(
        &self,
        id: &str,
        act: &SuppressionAct,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<SuppressionNow, ActError> {
        let done = self.commit_suppression(id, act, actor, claim).await;
        self.metrics.acts.with_label_values(&[act.name(), outcome(&done)]).inc();
        let row = done?;
        let control = match row.outbox {
            Some(seq) => Some(self.see_delivered(seq).await?),
            None => None,
        };
        self.against_lists(row, control).await
    }

    async fn commit_suppression(
        &self,
        id: &str,
        act: &SuppressionAct,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<SuppressionRow, ActError> {
        if let SuppressionAct::Revoke { reason } = act {
            check_text(reason)?;
        }
        let mut tx = self.store.begin(self.now()).await?;
        let row = tx.suppression(id).await?.ok_or(ActError::NoSuppression)?;
        let own = row.proposed_by == actor.name;
        let next = next_suppression_state(row.state, act, &actor.roles, own)?;
        if next == SuppressionState::Approved && !row.is_current(tx.now) {
            return Err(Refusal::Conflict("its time has passed: propose it anew").into());
        }
        let row = change(&mut tx, &row, act, next, actor).await?;
        tx.answer(claim, 200, &row).await?;
        tx.commit().await?;
        Ok(row)
    }

    async fn against_lists(
        &self,
        row: SuppressionRow,
        control: Option<&'static str>,
    ) -> Result<SuppressionNow, ActError> {
        let now = self.as_they_stand(vec![row]).await?.pop().ok_or(ActError::NoSuppression)?;
        Ok(SuppressionNow { control, ..now })
    }

    /// The rows as they are on the active lists.
    async fn as_they_stand(&self, rows: Vec<SuppressionRow>) -> Result<Vec<SuppressionNow>, ActError> {
        let (catalogue, at) = (Arc::clone(&self.ports.catalogue), self.now());
        let read = spawn_blocking(move || {
            let now = |row: SuppressionRow| {
                let active = catalogue.entry_hash(&row.list, None, &row.entry_id)?;
                let entry_changed = active.map(|hash| hash.to_string()).as_ref() != Some(&row.entry_hash);
                let approved = row.state == SuppressionState::Approved;
                let in_force = approved && row.is_current(at) && !entry_changed;
                Ok(SuppressionNow { row, in_force, entry_changed, control: None })
            };
            rows.into_iter().map(now).collect::<Result<Vec<_>, PortError>>()
        });
        Ok(read.await??)
    }
}

/// Write a proposal. One on the same party and entry that is current already is enough.
pub(super) async fn propose(
    tx: &mut Tx<'_>,
    case_id: &str,
    proposal: &SuppressionProposal,
    actor: &Actor,
) -> Result<SuppressionRow, ActError> {
    proposal.check(actor, tx.is_suppressed(proposal).await?)?;
    let id = tx.add_suppression(case_id, proposal, &actor.name).await?;
    let row = tx.suppression(&id).await?.ok_or(ActError::NoSuppression)?;
    let decided_on = json!({ "reason": proposal.reason, "alerts": proposal.of.alerts });
    record(tx, "propose_suppression", &row, actor, &decided_on).await?;
    Ok(row)
}

/// A case found that these parties are listed: nothing stays suppressed of them, nor what the case
/// itself proposed. The place of the last control record, if any.
pub(super) async fn end_for_true_match(
    tx: &mut Tx<'_>,
    case_id: &str,
    parties: &BTreeSet<Key>,
    actor: &Actor,
) -> Result<Option<i64>, ActError> {
    let act = SuppressionAct::Revoke { reason: format!("{case_id} found a true match") };
    let mut last = None;
    for row in tx.standing_suppressions().await?.iter().filter(|row| row.concerns(case_id, parties)) {
        let ended = change(tx, row, &act, SuppressionState::Revoked, actor).await?;
        last = ended.outbox.or(last);
    }
    Ok(last)
}

/// Write what became of a suppression, with its evidence, and have the engine apply it.
async fn change(
    tx: &mut Tx<'_>,
    before: &SuppressionRow,
    act: &SuppressionAct,
    next: SuppressionState,
    actor: &Actor,
) -> Result<SuppressionRow, ActError> {
    let id = &before.suppression_id;
    tx.put_suppression(id, act, next, &actor.name).await?;
    let mut row = tx.suppression(id).await?.ok_or(ActError::NoSuppression)?;
    record(tx, act.name(), &row, actor, &json!(act)).await?;
    let was_applied = before.state == SuppressionState::Approved;
    let control = match act {
        SuppressionAct::Approve => Some(Control::Suppress(row.order()?)),
        SuppressionAct::Revoke { .. } if was_applied => Some(Control::Unsuppress(row.order()?)),
        SuppressionAct::Revoke { .. } => None,
    };
    row.outbox = tx.order(control.as_ref()).await?;
    Ok(row)
}

/// The leaf of an act on a suppression, and its line in the case's timeline.
async fn record(
    tx: &mut Tx<'_>,
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
    let leaf = tx.leaf(entry, &json!({ "actor": actor, "act": said, "suppression": row })).await?;
    let said = json!({
        "suppression_id": row.suppression_id, "party": row.party_value, "list": row.list,
        "entry_id": row.entry_id, "reason": said["reason"],
    });
    tx.note(&row.case_id, &actor.name, act, &said, leaf).await
}
