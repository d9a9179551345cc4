//! Which keys are frozen.

use sluice_model::{EventTime, Freeze, Key, KeyKind, Party, PaymentEvent, Unfreeze};

use super::features::Features;

/// Every freeze that stands: one for each key and case, ordered last at that time.
#[derive(Debug, Default)]
pub(super) struct Freezes(Vec<(Key, String, EventTime)>);

impl Freezes {
    /// A case freezes a key.
    pub(super) fn freeze(&mut self, order: &Freeze) {
        let key = one_way(&order.key);
        let held = self.0.iter_mut().find(|(held, case, _)| *held == key && *case == order.case_id);
        match held {
            Some((_, _, at)) => *at = order.at.max(*at),
            None => self.0.push((key, order.case_id.clone(), order.at)),
        }
    }

    /// A case ends its freeze, unless it froze the key again since the freeze that is named.
    pub(super) fn unfreeze(&mut self, order: &Unfreeze, features: &Features) {
        let key = one_way(&order.key);
        let before = self.0.len();
        self.0.retain(|(held, case, at)| {
            let named = *held == key && *case == order.case_id;
            let is_newer = order.frozen_at.is_some_and(|seen| *at > seen);
            if named && is_newer {
                features.met("freeze: newer one kept");
            }
            !named || is_newer
        });
        if self.0.len() < before {
            features.met("freeze: ended");
            if self.0.iter().any(|(held, ..)| *held == key) {
                features.met("freeze: of another case kept");
            }
        }
    }

    /// Whether an event touches a frozen key: anybody's whom it names, in whatever part, or its device, card or
    /// merchant.
    pub(super) fn is_touched(&self, event: &PaymentEvent, features: &Features) -> bool {
        let touched = keys(event);
        let bites = |(key, ..): &&(Key, String, EventTime)| touched.contains(key);
        let Some((key, ..)) = self.0.iter().find(bites) else { return false };
        features.met("freeze: bites");
        let of_a_side = |party: &Option<Party>| {
            key.kind == KeyKind::Account
                && party.as_ref().and_then(|p| p.account.as_deref()) == Some(&key.value)
        };
        if !of_a_side(&event.debtor) && !of_a_side(&event.creditor) {
            features.met("freeze: by another than debtor and creditor account");
        }
        true
    }
}

/// Every key that an event touches.
fn keys(event: &PaymentEvent) -> Vec<Key> {
    let mut keys = vec![(KeyKind::Payment, Some(event.payment_id().to_owned()))];
    let mut everybody: Vec<&Party> = [&event.debtor, &event.creditor].into_iter().flatten().collect();
    everybody.extend(&event.intermediaries);
    everybody.extend(event.related_parties.iter().map(|related| &related.party));
    for party in everybody {
        keys.push((KeyKind::Customer, party.customer_id.clone()));
        keys.push((KeyKind::Account, party.account.clone()));
        keys.push((KeyKind::Account, party.proxy.as_ref().map(|proxy| proxy.id.clone())));
        for name in [&party.name, &party.name_local, &party.agent_name, &party.agent_bic] {
            keys.push((KeyKind::Party, name.clone()));
        }
    }
    let device = event.device.as_ref();
    keys.push((KeyKind::Device, device.and_then(|d| d.id.clone())));
    keys.push((KeyKind::Ip, device.and_then(|d| d.ip.clone())));
    keys.push((KeyKind::Card, event.card.as_ref().and_then(|c| c.token.clone())));
    keys.push((KeyKind::Merchant, event.merchant.as_ref().and_then(|m| m.id.clone())));
    let known = keys.into_iter().filter_map(|(kind, value)| Some(Key { kind, value: value? }));
    known.map(|key| one_way(&key)).collect()
}

/// One way of writing for what the simulation writes in several: accounts in capitals without blanks, names and BICs in
/// small letters.
fn one_way(key: &Key) -> Key {
    let Key { kind, value } = key;
    let value = match kind {
        KeyKind::Account => value.split_whitespace().collect::<String>().to_uppercase(),
        KeyKind::Party => value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(),
        _ => value.trim().to_owned(),
    };
    Key { kind: *kind, value }
}
