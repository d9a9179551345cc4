//! What a rule watches: kinds of keys, and the keys that an event touches.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use crate::{Party, PaymentEvent, Role};

/// The kinds of key a rule may watch. `Payment` rules run at the payment's home and need no window.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is the field it names")]
pub enum KeyKind {
    Payment,
    Customer,
    Account,
    Card,
    Device,
    Merchant,
    Ip,
    Party,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Payment,
        Self::Customer,
        Self::Account,
        Self::Card,
        Self::Device,
        Self::Merchant,
        Self::Ip,
        Self::Party,
    ];

    /// The lower-case name, as rules and alerts write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payment => "payment",
            Self::Customer => "customer",
            Self::Account => "account",
            Self::Card => "card",
            Self::Device => "device",
            Self::Merchant => "merchant",
            Self::Ip => "ip",
            Self::Party => "party",
        }
    }

    /// The kind of that lower-case name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }
}

/// One thing that is watched: a customer, an account, a device. `value` is the field's own text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct Key {
    /// What sort of thing it is.
    pub kind: KeyKind,
    /// The field's own text: the customer id, the account number.
    pub value: String,
}

impl Party {
    /// Who the party is, where more than its name is known: the customer, else the account.
    pub fn identity(&self) -> Option<Key> {
        known(KeyKind::Customer, self.customer_id.as_deref())
            .or_else(|| known(KeyKind::Account, self.account.as_deref()))
    }

    /// Who the party's institution is, where more than its name is known: a party of that BIC.
    pub fn institution(&self) -> Option<Key> {
        known(KeyKind::Party, self.agent_bic.as_deref())
    }
}

fn known(kind: KeyKind, value: Option<&str>) -> Option<Key> {
    value.filter(|value| !value.is_empty()).map(|value| Key { kind, value: value.to_owned() })
}

impl PaymentEvent {
    /// The values that this event has for a kind of key, each once, with the roles it plays there:
    /// an account that is on both sides is one key with two roles.
    pub fn keys(&self, kind: KeyKind) -> Keys<'_> {
        let sides = |of: fn(&Party) -> Option<&str>| {
            [
                (self.debtor.as_ref().and_then(of), Role::DEBTOR),
                (self.creditor.as_ref().and_then(of), Role::CREDITOR),
            ]
        };
        let one = |value| [(value, Role::NONE), (None, Role::NONE)];
        let found = match kind {
            KeyKind::Payment => one(Some(self.payment_id())),
            KeyKind::Customer => sides(|p| p.customer_id.as_deref()),
            KeyKind::Account => sides(|p| p.account.as_deref()),
            KeyKind::Party => sides(|p| p.name.as_deref().or(p.name_local.as_deref())),
            KeyKind::Card => one(self.card.as_ref().and_then(|c| c.token.as_deref())),
            KeyKind::Device => one(self.device.as_ref().and_then(|d| d.id.as_deref())),
            KeyKind::Ip => one(self.device.as_ref().and_then(|d| d.ip.as_deref())),
            KeyKind::Merchant => one(self.merchant.as_ref().and_then(|m| m.id.as_deref())),
        };
        let mut keys = Keys::new();
        for (value, role) in found {
            let Some(value) = value.filter(|v| !v.is_empty()) else { continue };
            add_key(&mut keys, value, role);
        }
        keys
    }
}

/// The values of one kind of key, each once, with the roles that it plays.
pub type Keys<'a> = SmallVec<[(&'a str, Role); 2]>;

/// A value that plays a role; one that is there already plays this one too.
pub fn add_key<'a>(keys: &mut Keys<'a>, value: &'a str, role: Role) {
    match keys.iter_mut().find(|(held, _)| *held == value) {
        Some((_, roles)) => *roles = roles.and(role),
        None => keys.push((value, role)),
    }
}
