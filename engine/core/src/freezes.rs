//! Which keys are frozen, and by which cases. A key thaws when every case that froze it has ended its freeze.
//!
//! A frozen key is looked for on everybody whom an event names, in whatever part: a customer, an account or the proxy
//! that stands for it, a name, an institution.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_model::{EventTime, Freeze, Key, KeyKind, Party, PaymentEvent, Unfreeze, identifier};

/// The keys that are frozen now, each with the cases that froze it and when each did so last.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Freezes(BTreeMap<KeyKind, BTreeMap<String, Cases>>);

type Cases = BTreeMap<String, EventTime>;

impl Freezes {
    /// Freeze a key for a case.
    pub(crate) fn freeze(&mut self, order: &Freeze) {
        let cases = self.0.entry(order.key.kind).or_default().entry(frozen_as(&order.key)).or_default();
        let newest = cases.entry(order.case_id.clone()).or_insert(order.at);
        *newest = order.at.max(*newest);
    }

    /// End a case's freeze of a key, unless the case froze it again since the freeze that the officer saw.
    pub(crate) fn unfreeze(&mut self, order: &Unfreeze) {
        let Some(keys) = self.0.get_mut(&order.key.kind) else { return };
        let value = frozen_as(&order.key);
        let Some(cases) = keys.get_mut(&value) else { return };
        cases.retain(|case, at| *case != order.case_id || order.frozen_at.is_some_and(|seen| *at > seen));
        if cases.is_empty() {
            keys.remove(&value);
        }
    }

    /// The first frozen key that an event touches, with the first of the cases that froze it.
    pub(crate) fn touched(&self, event: &PaymentEvent) -> Option<(Key, &str)> {
        self.0.iter().find_map(|(kind, keys)| {
            values(event, *kind).find_map(|value| {
                let (case, _) =
                    keys.get(&frozen_as(&Key { kind: *kind, value: value.to_owned() }))?.first_key_value()?;
                Some((Key { kind: *kind, value: value.to_owned() }, case.as_str()))
            })
        })
    }
}

/// How a key is looked up: as events carry it, in small letters, since a freeze that bites once too often is the lesser
/// evil; a name with single blanks, a BIC with or without its head office.
fn frozen_as(key: &Key) -> String {
    match key.kind {
        KeyKind::Party if key.value.trim().contains(char::is_whitespace) => identifier::name(&key.value),
        KeyKind::Party => identifier::name(&identifier::bic(&key.value)),
        _ => key.normalised().value.to_lowercase(),
    }
}

/// Every value that an event has for a kind of key, whoever has it.
fn values(event: &PaymentEvent, kind: KeyKind) -> Box<dyn Iterator<Item = &str> + '_> {
    let related = event.related_parties.iter().map(|related| &related.party);
    let everybody = event.debtor.iter().chain(&event.creditor).chain(&event.intermediaries).chain(related);
    match kind {
        KeyKind::Customer => Box::new(everybody.filter_map(|p| p.customer_id.as_deref())),
        KeyKind::Account => Box::new(everybody.flat_map(accounts)),
        KeyKind::Party => Box::new(everybody.flat_map(names)),
        KeyKind::Payment | KeyKind::Card | KeyKind::Device | KeyKind::Merchant | KeyKind::Ip => {
            Box::new(event.keys(kind).into_iter().map(|(value, _)| value))
        }
    }
}

/// The account, and the proxy that stands for one.
fn accounts(party: &Party) -> impl Iterator<Item = &str> {
    party.account.as_deref().into_iter().chain(party.proxy.as_ref().map(|proxy| proxy.id.as_str()))
}

/// The names of a party and of its institution, and the institution's BIC.
fn names(party: &Party) -> impl Iterator<Item = &str> {
    let names = [&party.name, &party.name_local, &party.agent_bic, &party.agent_name];
    names.into_iter().filter_map(|name| name.as_deref())
}
