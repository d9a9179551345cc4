//! What officers do to a case: the act, its evidence leaf, its control record and the stored answer, in one
//! transaction.

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{AlertId, Control, EventTime, Freeze, Key, KeyKind, Unfreeze};

use super::{Case, Claim, Entry, FreezeRow, HoldState, Proposal, Store, StoreError, Tx};
use crate::{
    domain::{Act, Actor, CaseState, Closing, Refusal, next_state, sla},
    limits::NOTE_CHARS_MAX,
};

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// No such case.
    #[error("there is no such case")]
    NoCase,
    /// No such suppression.
    #[error("there is no such suppression")]
    NoSuppression,
    /// No such configuration.
    #[error("there is no such configuration")]
    NoConfiguration,
    /// The domain refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for ActError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What an act did.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Acted {
    /// The case.
    pub case_id: String,
    /// The act.
    pub action: String,
    /// The case's state after it.
    pub state: CaseState,
    /// Its leaf in the evidence log.
    pub leaf: i64,
    /// For a release: where the hold stands (`proposed`, `cleared`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldState>,
    /// For a release: the alerts that were let go, or proposed to be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub alerts: Vec<AlertId>,
    /// For a release: the alerts that hold the payment all the same, in whatever case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub still_held_by: Vec<String>,
    /// Whether the engine has the change: `delivered`, or `pending` while the log cannot be reached. Absent for
    /// acts that the engine need not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
    /// The control record's place in the outbox.
    #[serde(skip)]
    pub outbox: Option<i64>,
}

/// What follows from an act beside the case's state.
#[derive(Default)]
pub(super) struct Effect {
    pub control: Option<Control>,
    pub hold: Option<HoldState>,
    pub alerts: Vec<AlertId>,
    pub still_held_by: Vec<String>,
}

impl Store {
    /// Do an act. With a claim, the answer is stored for its `Idempotency-Key` in the same transaction. A closing may
    /// bring proposals to suppress the case's matches.
    pub async fn act(
        &self,
        case_id: &str,
        act: &Act,
        proposals: &[Proposal],
        actor: &Actor,
        claim: Option<&Claim>,
        now: EventTime,
    ) -> Result<Acted, ActError> {
        check_texts(act)?;
        let listed = match act {
            Act::Close(closing) if closing.disposition.is_true_match() => {
                Some(self.case_matches(case_id).await?.into_iter().map(|met| met.party).collect())
            }
            _ => None,
        };
        let mut tx = self.begin(now).await?;
        let case = tx.case(case_id).await?.ok_or(ActError::NoCase)?;
        let next = next_state(case.state, act, &actor.roles)?;
        let effect = tx.effect(&case, act, actor).await?;
        let state = next.unwrap_or(case.state);
        tx.enter(&case, state, act).await?;

        let entry = Entry {
            kind: Kind::Act,
            act: act.kind().name(),
            actor: &actor.name,
            about: case_id,
            case_id: Some(case_id),
        };
        let said = json!({
            "actor": actor, "act": act, "before": case.state, "after": state, "hold": effect.hold,
            "order": effect.control, "alerts": effect.alerts, "still_held_by": effect.still_held_by,
        });
        let leaf = tx.leaf(entry, &said).await?;
        let mut told = serde_json::to_value(act).map_err(StoreError::from)?;
        if effect.hold.is_some() {
            told["alerts"] = json!(effect.alerts);
            told["still_held_by"] = json!(effect.still_held_by);
            told["hold"] = json!(effect.hold);
        }
        tx.tell(case_id, &actor.name, act.kind().name(), &told, leaf).await?;
        for proposal in proposals {
            tx.propose_suppression(case_id, proposal, actor).await?;
        }
        let mut outbox = match &effect.control {
            Some(control) => Some(tx.control(control).await?),
            None => None,
        };
        if let Some(parties) = &listed {
            outbox = tx.end_suppressions(case_id, parties, actor).await?.or(outbox);
        }
        let acted = Acted {
            case_id: case_id.to_owned(),
            action: act.kind().name().to_owned(),
            state,
            leaf,
            hold: effect.hold,
            alerts: effect.alerts,
            still_held_by: effect.still_held_by,
            control: outbox.map(|_| "pending".to_owned()),
            outbox,
        };
        if let Some(claim) = claim {
            tx.keep_answer(
                claim,
                200,
                "application/json",
                &serde_json::to_vec(&acted).map_err(StoreError::from)?,
            )
            .await?;
        }
        tx.commit().await?;
        Ok(acted)
    }
}

/// A text that must be given, and is not too long.
pub(super) fn check_text(text: &str) -> Result<(), Refusal> {
    let good = !text.trim().is_empty() && text.chars().count() <= NOTE_CHARS_MAX;
    if good { Ok(()) } else { Err(Refusal::BadText) }
}

fn check_texts(act: &Act) -> Result<(), Refusal> {
    let good = |text: &str| check_text(text).is_ok();
    match act {
        // A discriminator that is not needed may be left empty in a form.
        Act::Close(Closing { reason, .. }) if good(reason) => {
            let fits = act.texts().all(|text| text.chars().count() <= NOTE_CHARS_MAX);
            if fits { Ok(()) } else { Err(Refusal::BadText) }
        }
        _ if act.texts().all(good) => Ok(()),
        _ => Err(Refusal::BadText),
    }
}

impl Tx<'_> {
    async fn case(&mut self, case_id: &str) -> Result<Option<Case>, StoreError> {
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

    /// Do what the act does beside moving the case.
    async fn effect(&mut self, case: &Case, act: &Act, actor: &Actor) -> Result<Effect, ActError> {
        match act {
            Act::Assign { to: Some(to) } => {
                if !self.can_take_cases(to).await? {
                    return Err(Refusal::NothingToActOn("there is no such officer to assign to").into());
                }
                Ok(Effect::default())
            }
            Act::Freeze { key, .. } => self.freeze(case, key.as_ref(), actor).await,
            Act::Unfreeze { key, frozen_at, .. } => {
                self.unfreeze(case, key.as_ref(), *frozen_at, actor).await
            }
            Act::Release { payment_id, alerts, .. } => {
                self.release(case, payment_id.as_deref(), alerts.as_deref(), actor).await
            }
            Act::Close(closing) => self.check_funds(case, closing).await,
            _ => Ok(Effect::default()),
        }
    }

    async fn freeze(&mut self, case: &Case, key: Option<&Key>, actor: &Actor) -> Result<Effect, ActError> {
        let key = match key {
            Some(key) => key.clone(),
            None => default_key(case).ok_or(Refusal::NothingToActOn("say which key is to be frozen"))?,
        };
        if !freezable(key.kind) || key.value.is_empty() {
            return Err(Refusal::NothingToActOn(
                "a payment is held, not frozen: freeze a customer or account",
            )
            .into());
        }
        let standing = self.standing_freezes(&case.case_id).await?;
        if standing.iter().any(|f| f.is_of(&key)) {
            return Err(Refusal::NothingToActOn("this case has already frozen that key").into());
        }
        self.add_freeze(&case.case_id, &key, &actor.name).await?;
        let control = Control::Freeze(Freeze { key, case_id: case.case_id.clone(), at: self.now });
        Ok(Effect { control: Some(control), ..Effect::default() })
    }

    /// End the freeze that was seen. The engine keeps rejecting for another case that froze the same key.
    async fn unfreeze(
        &mut self,
        case: &Case,
        key: Option<&Key>,
        frozen_at: Option<EventTime>,
        actor: &Actor,
    ) -> Result<Effect, ActError> {
        let ever = self.freezes_of_case(&case.case_id).await?;
        let of_key = |f: &&FreezeRow| key.is_none_or(|key| f.is_of(key));
        let mut found = ever.iter().filter(|f| f.stands()).filter(of_key);
        let (Some(freeze), None) = (found.next(), found.next()) else {
            return Err(Refusal::NothingToActOn("say which freeze of this case is to end").into());
        };
        let key = freeze.key().ok_or(StoreError::Corrupt("key kind"))?;
        let only = ever.iter().filter(|f| f.is_of(&key)).count() == 1;
        match frozen_at {
            Some(seen) if seen != freeze.frozen_at.0 => {
                let since = "this key was frozen again since: look at the freeze that stands now";
                return Err(Refusal::Conflict(since).into());
            }
            None if !only => {
                let which =
                    "this case has frozen that key more than once: name in frozen_at the freeze that ends";
                return Err(Refusal::NamesTooLittle(which).into());
            }
            _ => {}
        }
        self.lift_freeze(freeze.seq, &actor.name).await?;
        let frozen_at = Some(freeze.frozen_at.0);
        let end = Unfreeze { key, case_id: case.case_id.clone(), at: self.now, frozen_at };
        Ok(Effect { control: Some(Control::Unfreeze(end)), ..Effect::default() })
    }

    /// A case that found nothing leaves nobody's money behind.
    async fn check_funds(&mut self, case: &Case, closing: &Closing) -> Result<Effect, ActError> {
        if !closing.disposition.leaves_funds_held() {
            if !self.standing_holds(&case.case_id).await?.is_empty() {
                return Err(Refusal::FundsHeld("a held payment").into());
            }
            if !self.standing_freezes(&case.case_id).await?.is_empty() {
                return Err(Refusal::FundsHeld("a freeze").into());
            }
        }
        Ok(Effect::default())
    }

    /// Write the case's new state, and what the act says of it.
    async fn enter(&mut self, case: &Case, state: CaseState, act: &Act) -> Result<(), StoreError> {
        let moved = state != case.state;
        let due = if moved {
            sla(state, case.screening).map(|span| self.now.plus(span).micros())
        } else {
            case.due_at
        };
        let assignee = match act {
            Act::Assign { to } => to.as_deref(),
            // Whoever takes it next is somebody else.
            Act::Escalate { .. } | Act::Return { .. } | Act::Reopen { .. } => None,
            _ => case.assignee.as_deref(),
        };
        let (disposition, closed_at) = match act {
            Act::Close(closing) => (Some(closing.disposition.code()), Some(self.now.micros())),
            Act::Reopen { .. } => (None, None),
            _ => (case.disposition.as_deref(), case.closed_at),
        };
        sqlx::query(
            "UPDATE cases SET state = $2, assignee = $3, due_at = $4, disposition = $5, closed_at = $6, updated_at = $7
             WHERE case_id = $1",
        )
        .bind(&case.case_id)
        .bind(state.name())
        .bind(assignee)
        .bind(due)
        .bind(disposition)
        .bind(closed_at)
        .bind(self.now.micros())
        .execute(self.sql())
        .await?;
        Ok(())
    }
}

/// What a case is about, as a key: its first subject is a customer id unless it says what else it is.
fn default_key(case: &Case) -> Option<Key> {
    let subject = case.subjects.first()?;
    let named = subject.split_once(':').and_then(|(kind, value)| Some((KeyKind::from_name(kind)?, value)));
    let (kind, value) = named.unwrap_or((KeyKind::Customer, subject));
    Some(Key { kind, value: value.to_owned() })
}

/// A payment is held, never frozen.
const fn freezable(kind: KeyKind) -> bool {
    !matches!(kind, KeyKind::Payment)
}
