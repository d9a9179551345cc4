//! Every customer, counterparty and institution that events named: whom a new list version is compared with.
//!
//! A party is kept as it was screened, once for each name and set of facts, packed, until it has not been seen for
//! [`PARTY_KNOWN_FOR`]. A pure function of the events, like everything here.

use std::{collections::HashMap, convert::Infallible};

use rayon::prelude::*;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};
use sluice_lists::{Query, each_party, rescreen::KnownParty};
use sluice_model::{EventTime, Hash256, Key, KeyKind, PaymentEvent, Span};

/// Parties of one home, by name: 150 MB or so. A larger company spreads its payments over more homes.
pub const PARTIES_MAX: usize = if cfg!(test) { 3 } else { 1_000_000 };
/// A party is known for so long after it was last seen: as far as windows reach.
pub const PARTY_KNOWN_FOR: Span = Span::days(400);

/// The parties seen by one home.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Parties {
    known: HashMap<u128, PartyRecord, FxBuildHasher>,
    /// The stream's day on which old ones were last forgotten.
    tidied: i64,
    /// Sightings for which there was no room. Told with every rescreening: they were not compared.
    left_out: u64,
    /// Reused between parties.
    #[serde(skip)]
    packing: Vec<u8>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct PartyRecord {
    /// The stream's day on which it was last seen.
    seen: i64,
    /// Who, and what is asked of a screener.
    packed: Box<[u8]>,
}

impl Parties {
    /// Remember everybody whom an event names.
    pub fn meet(&mut self, event: &PaymentEvent, stream_time: EventTime) {
        let day = day(stream_time);
        let met: Result<(), Infallible> = each_party(event, |asked| {
            let query = asked.query;
            // Who is known by name alone is a party of that name.
            let who = asked.party.unwrap_or_else(|| Key { kind: KeyKind::Party, value: query.name.clone() });
            self.remember(&who, &query, day);
            Ok(())
        });
        let Ok(()) = met;
    }

    fn remember(&mut self, who: &Key, query: &Query, day: i64) {
        // What cannot be packed cannot be: texts, numbers and dates.
        self.packing.clear();
        let Ok(packed) = postcard::to_extend(&(who, query), std::mem::take(&mut self.packing)) else {
            return;
        };
        let id = content_id(&packed);
        self.packing = packed;
        if let Some(known) = self.known.get_mut(&id) {
            known.seen = day;
            return;
        }
        if self.known.len() >= PARTIES_MAX && self.tidied != day {
            self.tidied = day;
            let oldest = day - PARTY_KNOWN_FOR.micros() / Span::days(1).micros();
            self.known.retain(|_, known| known.seen > oldest);
        }
        if self.known.len() >= PARTIES_MAX {
            self.left_out += 1;
            return;
        }
        self.known.insert(id, PartyRecord { seen: day, packed: self.packing.as_slice().into() });
    }

    /// Sightings for which there was no room.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Each party that was seen lately enough, under each of its names.
    pub fn at(&self, stream_time: EventTime) -> impl ParallelIterator<Item = KnownParty<Key>> {
        let oldest = day(stream_time.minus(PARTY_KNOWN_FOR));
        self.known.par_iter().filter(move |(_, known)| known.seen > oldest).filter_map(|(_, known)| {
            let (id, query) = postcard::from_bytes(&known.packed).ok()?;
            Some(KnownParty { id, query })
        })
    }
}

fn day(at: EventTime) -> i64 {
    at.micros().div_euclid(Span::days(1).micros())
}

/// 128 bits of SHA-256: nobody can make two parties share them, and so hide one behind the other.
fn content_id(packed: &[u8]) -> u128 {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Hash256::of(packed).0[..16]);
    u128::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use sluice_model::Party;

    use super::*;

    /// Somebody pays, so many days after the first.
    fn meet(parties: &mut Parties, name: &str, days: i64) {
        let at = EventTime::from_micros(0).plus(Span::days(1_000 + days));
        let mut event = PaymentEvent::new(name.to_owned(), at);
        event.debtor = Some(Party { name: Some(name.to_owned()), ..Party::default() });
        parties.meet(&event, at);
    }

    #[test]
    fn whoever_finds_no_room_is_told_of_and_room_comes_with_those_not_seen_for_long() {
        let mut parties = Parties::default();
        (0..).zip(["Pia", "Tariq", "Amara"]).for_each(|(day, name)| meet(&mut parties, name, day));
        assert_eq!((parties.known.len(), parties.left_out()), (PARTIES_MAX, 0));
        for n in 1..=2 {
            meet(&mut parties, "Vasil", 399);
            assert_eq!((parties.known.len(), parties.left_out()), (PARTIES_MAX, n), "nobody is that old");
        }
        meet(&mut parties, "Pia", 399);
        // Tariq was last seen 400 days before.
        meet(&mut parties, "Vasil", 401);
        assert_eq!((parties.known.len(), parties.left_out()), (PARTIES_MAX, 2));
        meet(&mut parties, "Lam", 401);
        assert_eq!(parties.left_out(), 3);
    }
}
