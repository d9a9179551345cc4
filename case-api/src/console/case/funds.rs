//! What a case holds and has frozen, and what of it may be released or ended.

use sluice_model::{Key, KeyKind};

use super::super::shell::{Shell, When, short};
use crate::domain::{Case, Hold, HoldState, OrderedFreeze};

pub(crate) struct HoldView {
    pub hold: Hold,
    pub at: When,
    pub waits: bool,
    pub state: &'static str,
    pub alert: String,
    pub by: String,
}

/// A payment that may be released.
pub(crate) struct HeldView {
    pub payment: String,
    pub label: String,
}

/// A freeze that may be ended: what the form sends, and what it shows.
pub(crate) struct FrozenView {
    pub value: String,
    pub label: String,
}

pub(crate) struct FreezeView {
    pub freeze: OrderedFreeze,
    pub at: When,
    pub lifted: Option<When>,
}

/// The payments that may be released, those that wait first, each with how many alerts hold it and what is proposed.
pub(crate) fn held(holds: &[Hold]) -> Vec<HeldView> {
    let mut held: Vec<HeldView> = Vec::new();
    for waits in [true, false] {
        for hold in holds.iter().filter(|h| h.may_be_released() && h.waits() == waits) {
            if held.iter().any(|known| known.payment == hold.payment_id) {
                continue;
            }
            let of: Vec<&Hold> =
                holds.iter().filter(|h| h.may_be_released() && h.payment_id == hold.payment_id).collect();
            let mut proposed = of.iter().filter(|h| h.state == HoldState::Proposed).peekable();
            let by = proposed.peek().and_then(|h| h.proposed_by.clone()).unwrap_or_default();
            let label = match (of.len(), proposed.count()) {
                (1, 0) if !waits => format!("{} (refused)", hold.payment_id),
                (all, 0) if !waits => format!("{} (refused by {all} alerts)", hold.payment_id),
                (1, 0) => hold.payment_id.clone(),
                (all, 0) => format!("{} (held by {all} alerts)", hold.payment_id),
                (all, part) => format!("{}: what {by} proposed ({part} of {all} alerts)", hold.payment_id),
            };
            held.push(HeldView { payment: hold.payment_id.clone(), label });
        }
    }
    held
}

pub(crate) fn frozen(freeze: &OrderedFreeze, shell: &Shell) -> FrozenView {
    FrozenView {
        value: format!("{}|{}:{}", freeze.frozen_at, freeze.key_kind, freeze.key_value),
        label: format!(
            "{} {}, {} by {}",
            freeze.key_kind,
            freeze.key_value,
            shell.when(freeze.frozen_at).short(),
            freeze.frozen_by
        ),
    }
}

/// What a freeze would most likely be of: the alert's own key, or for a payment's its first subject.
pub(crate) fn freeze_key(key: &Key, case: &Case) -> (String, String) {
    if key.kind == KeyKind::Payment {
        (KeyKind::Customer.name().to_owned(), case.subjects.first().cloned().unwrap_or_default())
    } else {
        (key.kind.name().to_owned(), key.value.clone())
    }
}

impl HoldView {
    pub(crate) fn new(hold: Hold, shell: &Shell) -> Self {
        let state = match hold.state {
            HoldState::Held => "held",
            HoldState::Proposed => "release proposed",
            HoldState::Cleared => "cleared",
            HoldState::Released => "released",
            HoldState::Rejected => "rejected",
        };
        let by = hold.cleared_by.clone().or_else(|| hold.proposed_by.clone()).unwrap_or_default();
        let alert = short(&hold.because);
        Self { at: shell.when(hold.held_at), waits: hold.waits(), state, alert, by, hold }
    }
}

impl FreezeView {
    pub(crate) fn new(freeze: OrderedFreeze, shell: &Shell) -> Self {
        Self { at: shell.when(freeze.frozen_at), lifted: freeze.lifted_at.map(|at| shell.when(at)), freeze }
    }
}
