//! How often each thing that the model describes came up: a repertoire that never drives a feature proves nothing of
//! it.

use std::{cell::RefCell, collections::BTreeMap};

/// What came up in one simulation, and how often.
#[derive(Clone, Debug, Default)]
pub struct Features(RefCell<BTreeMap<&'static str, usize>>);

impl Features {
    /// It came up.
    pub fn met(&self, feature: &'static str) {
        debug_assert!(FEATURES.contains(&feature), "{feature} is not among the features");
        *self.0.borrow_mut().entry(feature).or_default() += 1;
    }

    /// What came up.
    pub fn all(&self) -> Vec<&'static str> {
        self.0.borrow().keys().copied().collect()
    }
}

/// Everything that the repertoire must drive.
pub const FEATURES: &[&str] = &[
    "dedupe: duplicate",
    "dedupe: duplicate more than two days later",
    "dedupe: conflict",
    "dedupe: too old",
    "dedupe: let in late with a reason",
    "dedupe: far future",
    "dedupe: id forgotten",
    "stream time: set back",
    "past: next status",
    "past: sparse event",
    "past: amount rises",
    "past: currency changes",
    "past: another debtor or creditor name",
    "past: another intermediary or related party",
    "past: another fact",
    "past: said again since another",
    "past: another type of event",
    "past: another payment of the same id",
    "past: refunded or disputed",
    "past: captured again",
    "past: goes on after its end",
    "past: forgotten",
    "freeze: bites",
    "freeze: by another than debtor and creditor account",
    "freeze: ended",
    "freeze: newer one kept",
    "freeze: of another case kept",
    "screening: lists unreadable",
    "screening: lists too old",
    "screening: unnamed accepted",
    "screening: unnamed alerted",
    "screening: unnamed held",
    "screening: unnamed, named before",
    "screening: unreadable name",
    "screening: name too long",
    "screening: intermediary or related party met",
    "screening: match suppressed",
    "screening: listed, no money moves",
    "screening: not screened, no money moves",
    "rescreening: met",
    "rescreening: met after 30 days",
    "rules: prepared and abandoned",
    "rules: do not compile",
    "rules: taken over",
    "rules: taken over with other windows",
    "rules: keys asked for prepared rules alone",
    "rules: no rate for a currency",
    "rules: profile read",
    "rules: older profile refused",
    "windows: difference taken",
    "windows: late event",
    "windows: completed by a late event",
    "windows: amount taken back",
    "windows: sample at the edge",
    "often: silenced within the period",
    "often: silenced while the condition holds",
    "often: harder speaks all the same",
    "quarantine: judges on",
    "quarantine: failure left out on a key",
    "quarantine: lifted",
    "gather: decided",
    "gather: asked again",
    "gather: held by an earlier event",
    "gather: several alerts",
    "gather: a hold is forgotten",
    "release: of all",
    "release: of some, others hold",
    "release: of none",
    "release: of what does not hold",
    "release: names nothing",
    "deadline: before the decision",
    "deadline: after the decision",
    "deadline: again",
    "deadline: holds what comes next",
    "deadline: without the event",
    "deadline: nobody waited",
];
