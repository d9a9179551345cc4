//! What officers do to a case: the act, its evidence leaf, its control record and the stored answer, in one
//! transaction.

use serde::Serialize;
use serde_json::json;
use sluice_evidence::Kind;
use sluice_model::{AlertId, Control, EventTime, Freeze, Key, Release, Unfreeze};

use super::{ActError, Service, outcome, suppressions};
use crate::{
    domain::{
        Act, Actor, Case, CaseState, HoldState, Refusal, SuppressionProposal, freeze, next_state, release,
        still_held_by, unfreeze,
    },
    store::{Claim, Entry, StoreError, Tx},
};

/// What an act did.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ActOutcome {
    /// The case.
    pub case_id: String,
    /// The act.
    pub action: String,
    /// The case's state after it.
    pub state: CaseState,
    /// Its leaf in the evidence log.
    pub leaf: i64,
    /// For a release: the state of the hold (`proposed`, `cleared`).
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
struct Effect {
    control: Option<Control>,
    hold: Option<HoldState>,
    alerts: Vec<AlertId>,
    still_held_by: Vec<String>,
}

impl From<Control> for Effect {
    fn from(control: Control) -> Self {
        Self { control: Some(control), ..Self::default() }
    }
}

impl Service {
    /// Do an act, count it, and see its control record onto the log. A closing may propose to suppress the case's matches.
    pub(crate) async fn act(
        &self,
        case_id: &str,
        act: &Act,
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<ActOutcome, ActError> {
        let proposals = self.proposals_of(case_id, act).await?;
        let done = self.commit_act(case_id, act, &proposals, actor, claim).await;
        self.metrics.acts.with_label_values(&[act.kind().name(), outcome(&done)]).inc();
        let mut acted = done?;
        if let Some(seq) = acted.outbox {
            acted.control = Some(self.see_delivered(seq).await?.to_owned());
        }
        Ok(acted)
    }

    async fn commit_act(
        &self,
        case_id: &str,
        act: &Act,
        proposals: &[SuppressionProposal],
        actor: &Actor,
        claim: Option<&Claim>,
    ) -> Result<ActOutcome, ActError> {
        act.check_texts()?;
        let listed = match act {
            Act::Close(closing) if closing.disposition.is_true_match() => {
                Some(self.case_matches(case_id).await?.into_iter().map(|met| met.party).collect())
            }
            _ => None,
        };
        let mut tx = self.store.begin(self.now()).await?;
        let case = tx.case(case_id).await?.ok_or(ActError::NoCase)?;
        let state = next_state(case.state, act, &actor.roles)?.unwrap_or(case.state);
        let effect = effect(&mut tx, &case, act, actor).await?;
        tx.put_case(&case.after(act, state, tx.now)).await?;
        let leaf = record(&mut tx, &case, state, act, &effect, actor).await?;
        for proposal in proposals {
            suppressions::propose(&mut tx, case_id, proposal, actor).await?;
        }
        let mut outbox = tx.order(effect.control.as_ref()).await?;
        if let Some(parties) = &listed {
            outbox = suppressions::end_for_true_match(&mut tx, case_id, parties, actor).await?.or(outbox);
        }
        let acted = ActOutcome {
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
        tx.answer(claim, 200, &acted).await?;
        tx.commit().await?;
        Ok(acted)
    }
}

/// Do what the act does beside moving the case.
async fn effect(tx: &mut Tx<'_>, case: &Case, act: &Act, actor: &Actor) -> Result<Effect, ActError> {
    match act {
        Act::Assign { to: Some(to) } => {
            if !tx.active_user(to).await?.is_some_and(|user| user.roles().work_cases()) {
                return Err(Refusal::NothingToActOn("there is no such officer to assign to").into());
            }
            Ok(Effect::default())
        }
        Act::Freeze { key, .. } => order_freeze(tx, case, key.as_ref(), actor).await,
        Act::Unfreeze { key, frozen_at, .. } => end_freeze(tx, case, key.as_ref(), *frozen_at, actor).await,
        Act::Release { payment_id, alerts, .. } => {
            let_go(tx, case, payment_id.as_deref(), alerts.as_deref(), actor).await
        }
        Act::Close(closing) => {
            let holds = tx.holds_of_case(&case.case_id).await?;
            closing.check_funds(&holds, &tx.freezes_of_case(&case.case_id).await?)?;
            Ok(Effect::default())
        }
        _ => Ok(Effect::default()),
    }
}

async fn order_freeze(
    tx: &mut Tx<'_>,
    case: &Case,
    key: Option<&Key>,
    actor: &Actor,
) -> Result<Effect, ActError> {
    let key = freeze(case, &tx.freezes_of_case(&case.case_id).await?, key)?;
    tx.add_freeze(&case.case_id, &key, &actor.name).await?;
    Ok(Control::Freeze(Freeze { key, case_id: case.case_id.clone(), at: tx.now }).into())
}

async fn end_freeze(
    tx: &mut Tx<'_>,
    case: &Case,
    key: Option<&Key>,
    frozen_at: Option<EventTime>,
    actor: &Actor,
) -> Result<Effect, ActError> {
    let ever = tx.freezes_of_case(&case.case_id).await?;
    let ended = unfreeze(&ever, key, frozen_at)?;
    let key = ended.key().ok_or(StoreError::Corrupt("key kind"))?;
    tx.lift_freeze(ended.seq, &actor.name).await?;
    let frozen_at = Some(ended.frozen_at.0);
    Ok(Control::Unfreeze(Unfreeze { key, case_id: case.case_id.clone(), at: tx.now, frozen_at }).into())
}

async fn let_go(
    tx: &mut Tx<'_>,
    case: &Case,
    payment: Option<&str>,
    seen: Option<&[AlertId]>,
    actor: &Actor,
) -> Result<Effect, ActError> {
    let ever = tx.holds_of_case(&case.case_id).await?;
    let letting = release(&ever, payment, seen, actor)?;
    let mut alerts: Vec<AlertId> = Vec::with_capacity(letting.holds.len());
    for hold in letting.holds {
        match letting.state {
            HoldState::Cleared => tx.clear_hold(hold, &actor.name).await?,
            _ => tx.propose_release(hold, &actor.name).await?,
        }
        alerts.push(hold.because.parse().map_err(|_| StoreError::Corrupt("alert id"))?);
    }
    let still_held_by = still_held_by(&tx.holds_on(letting.payment).await?, &alerts);
    let (payment_id, case_id) = (letting.payment.to_owned(), case.case_id.clone());
    let order = Release { payment_id, case_id, at: tx.now, alerts: Some(alerts.clone()) };
    let control = (letting.state == HoldState::Cleared).then_some(Control::Release(order));
    Ok(Effect { control, hold: Some(letting.state), alerts, still_held_by })
}

/// The leaf of an act, and its line in the case's timeline.
async fn record(
    tx: &mut Tx<'_>,
    case: &Case,
    state: CaseState,
    act: &Act,
    effect: &Effect,
    actor: &Actor,
) -> Result<i64, StoreError> {
    let name = act.kind().name();
    let case_id = case.case_id.as_str();
    let entry =
        Entry { kind: Kind::Act, act: name, actor: &actor.name, about: case_id, case_id: Some(case_id) };
    let said = json!({
        "actor": actor, "act": act, "before": case.state, "after": state, "hold": effect.hold,
        "order": effect.control, "alerts": effect.alerts, "still_held_by": effect.still_held_by,
    });
    let leaf = tx.leaf(entry, &said).await?;
    let mut said = serde_json::to_value(act)?;
    if effect.hold.is_some() {
        said["alerts"] = json!(effect.alerts);
        said["still_held_by"] = json!(effect.still_held_by);
        said["hold"] = json!(effect.hold);
    }
    tx.note(case_id, &actor.name, name, &said, leaf).await?;
    Ok(leaf)
}
