//! Known false positives: which entry which party is known not to be. Each binds party, list, entry and the entry's
//! content, and ends in event time, when the entry changes, or when officers end it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sluice_lists::Screener;
use sluice_model::{EventTime, Hash256, Key, ListMatch, PartyMatch, Suppression, limits::DEDUPE_HORIZON};

/// The suppressions in force, and their version.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Suppressions {
    /// Those of each party.
    held: BTreeMap<Key, Vec<Suppression>>,
    version: Option<Hash256>,
}

impl Suppressions {
    /// The digest of every order ever applied, in its place: homes that applied the same orders have the same version,
    /// whatever each has forgotten since. `None` before the first.
    pub(crate) fn version(&self) -> Option<Hash256> {
        self.version
    }

    /// Leave out these matches from here on. The last word on a party and an entry counts. What ended longer ago
    /// than the oldest event that may still come is forgotten.
    pub(crate) fn suppress(&mut self, order: &Suppression, stream_time: EventTime) {
        self.applied(b"suppress", order);
        self.remove(order);
        let oldest = stream_time.minus(DEDUPE_HORIZON);
        self.held.retain(|_, held| {
            held.retain(|s| s.expires_at > oldest);
            !held.is_empty()
        });
        self.held.entry(order.party.normalised()).or_default().push(order.clone());
    }

    /// Show these matches again.
    pub(crate) fn unsuppress(&mut self, order: &Suppression) {
        self.applied(b"unsuppress", order);
        self.remove(order);
    }

    fn applied(&mut self, act: &[u8], order: &Suppression) {
        let Suppression { party, list, entry_id, entry_hash, reason, approver, expires_at } = order;
        self.version = Some(Hash256::of_parts([
            b"sluice/suppressions/v1".as_slice(),
            &self.version.unwrap_or_default().0,
            act,
            party.kind.name().as_bytes(),
            party.value.as_bytes(),
            list.as_bytes(),
            entry_id.as_bytes(),
            &entry_hash.0,
            reason.as_bytes(),
            approver.as_bytes(),
            &expires_at.micros().to_be_bytes(),
        ]));
    }

    fn remove(&mut self, order: &Suppression) {
        let party = order.party.normalised();
        let Some(held) = self.held.get_mut(&party) else { return };
        held.retain(|s| (&s.list, &s.entry_id) != (&order.list, &order.entry_id));
        if held.is_empty() {
            self.held.remove(&party);
        }
    }

    /// Whether officers have decided, for this moment and this content of the entry, that the party is not it.
    pub(crate) fn covers(&self, party: &Key, hit: &ListMatch, at: EventTime, screener: &Screener) -> bool {
        self.held.get(party).is_some_and(|held| {
            held.iter().any(|s| {
                s.list == hit.list
                    && s.entry_id == hit.entry_id
                    && at < s.expires_at
                    && screener.entry_hash(&hit.list, &hit.entry_id) == Some(s.entry_hash)
            })
        })
    }

    /// Leave out what is suppressed at a moment.
    pub(crate) fn leave_out(&self, matches: &mut Vec<PartyMatch>, at: EventTime, screener: &Screener) {
        if self.held.is_empty() {
            return;
        }
        matches.retain_mut(|found| {
            // A name in free text, or a party that is known by its name alone, is nobody in particular.
            if let Some(party) = &found.party {
                found.matches.retain(|hit| !self.covers(party, hit, at, screener));
            }
            !found.matches.is_empty()
        });
    }
}
