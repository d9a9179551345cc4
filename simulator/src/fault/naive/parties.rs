//! Every party that was met, so that a new list is compared with all of them.

use std::collections::BTreeMap;

use sluice_core::PARTY_KNOWN_FOR;
use sluice_lists::{Query, Screener};
use sluice_model::{EventTime, Key, KeyKind, PaymentEvent, Span};

use super::{
    desk::{self, Desk},
    features::Features,
};

/// Who was met under which name, and on which day of the stream last.
#[derive(Default)]
pub(super) struct Parties(Vec<(Key, Query, i64)>);

impl Parties {
    /// Remember everybody whom an event names. Who is known by name alone is a party of that name.
    pub(super) fn meet(&mut self, event: &PaymentEvent, stream_time: EventTime) {
        let today = day(stream_time);
        for asked in desk::asked(event) {
            let name = asked.query.name.clone();
            let who = asked.party.unwrap_or(Key { kind: KeyKind::Party, value: name });
            match self.0.iter_mut().find(|(held, query, _)| *held == who && *query == asked.query) {
                Some((.., seen)) => *seen = today,
                None => self.0.push((who, asked.query, today)),
            }
        }
    }

    /// Who of those seen in the last 400 days meets an entry that is new or changed since the lists before; once for each
    /// party and entry. Lists that could not be read, or were asked with a higher threshold, compared nobody.
    pub(super) fn compare(
        &self,
        before: Option<&Screener>,
        desk: &Desk,
        stream_time: EventTime,
        features: &Features,
    ) -> Vec<String> {
        let Some(screener) = desk.screener.as_deref() else { return Vec::new() };
        let before = before.filter(|before| before.threshold() <= screener.threshold());
        let oldest = day(stream_time.minus(PARTY_KNOWN_FOR));
        let mut met: BTreeMap<(Key, String, String), i64> = BTreeMap::new();
        for (who, query, seen) in self.0.iter().filter(|(.., seen)| *seen > oldest) {
            for hit in screener.screen(query) {
                let entry =
                    |of: &Screener| of.version(&hit.list).and_then(|v| v.entry(&hit.entry_id).cloned());
                let is_known = before.is_some_and(|before| entry(before) == entry(screener));
                if !is_known && !desk.is_suppressed(who, &hit, stream_time) {
                    met.insert((who.clone(), hit.list, hit.entry_id), *seen);
                }
            }
        }
        for seen in met.values() {
            features.met("rescreening: met");
            if day(stream_time) - seen > 30 {
                features.met("rescreening: met after 30 days");
            }
        }
        met.into_keys().map(|(who, list, entry)| line(&who, &list, &entry)).collect()
    }
}

/// A known party that meets an entry, as a line.
pub(super) fn line(who: &Key, list: &str, entry: &str) -> String {
    format!("known party {} meets {list} {entry}", super::words::name(who))
}

fn day(at: EventTime) -> i64 {
    at.micros().div_euclid(Span::days(1).micros())
}
