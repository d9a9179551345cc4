//! What each payment has been through, so that it counts once in a window however many events it has.

#[expect(deprecated, reason = "the stable SipHasher is wanted: its output is specified")]
use std::hash::SipHasher;
use std::{
    collections::{BTreeMap, HashMap},
    hash::{Hash, Hasher},
};

use serde::{Deserialize, Serialize};
use sluice_model::{EventTime, PaymentEvent, Span, StatusSet, limits::PAYMENT_HORIZON};

use crate::dedupe::id_hash;

/// Payments are forgotten a day of stream time at a time.
const BUCKET: Span = Span::days(1);

/// The payments of the last [`PAYMENT_HORIZON`] since their latest event.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Payments {
    held: HashMap<u128, Held, rustc_hash::FxBuildHasher>,
    by_day: BTreeMap<i64, Vec<u128>>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Held {
    statuses: StatusSet,
    /// A hash of everything that is screened.
    parties: u64,
    /// The bucket in which it will be looked at again.
    day: i64,
}

/// A payment's past, as one of its events meets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Past {
    /// The statuses that the payment had before this event.
    pub prior: StatusSet,
    /// Whether this event names other parties than the one before: what was screened then is not what is paid now.
    pub parties_changed: bool,
}

impl Payments {
    /// The past of this event's payment; the event itself is remembered.
    pub fn feel(&mut self, event: &PaymentEvent, stream_time: EventTime) -> Past {
        let id = id_hash(event.payment_id());
        let day = stream_time.micros().div_euclid(BUCKET.micros());
        let parties = parties_hash(event);
        let before = self.held.get(&id).copied();
        let prior = before.map_or(StatusSet::EMPTY, |held| held.statuses);
        let latest = before.map_or(day, |held| held.day.max(day));
        self.held.insert(id, Held { statuses: prior.with(event.status), parties, day: latest });
        if before.is_none_or(|held| held.day < day) {
            self.by_day.entry(day).or_default().push(id);
        }
        self.forget(stream_time);
        Past { prior, parties_changed: before.is_some_and(|held| held.parties != parties) }
    }

    fn forget(&mut self, stream_time: EventTime) {
        let oldest = stream_time.minus(PAYMENT_HORIZON).micros().div_euclid(BUCKET.micros());
        while let Some(bucket) = self.by_day.first_entry().filter(|bucket| *bucket.key() < oldest) {
            let day = *bucket.key();
            for id in bucket.remove() {
                // A later event moved the payment to a later bucket, where it is looked at again.
                if self.held.get(&id).is_some_and(|held| held.day <= day) {
                    self.held.remove(&id);
                }
            }
        }
    }
}

fn parties_hash(event: &PaymentEvent) -> u64 {
    #[expect(deprecated, reason = "the stable SipHasher is wanted: its output is specified")]
    let mut hasher = SipHasher::new();
    (&event.debtor, &event.creditor, &event.intermediaries, &event.related_parties, &event.remittance)
        .hash(&mut hasher);
    hasher.finish()
}
