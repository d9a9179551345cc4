//! What screening says of an event: whom it met, and what was not looked at.

use std::sync::Arc;

use sluice_core::Library;
use sluice_lists::{Query, Screener};
use sluice_model::{
    EventTime, Key, KeyKind, ListMatch, NotScreened, Party, PaymentEvent, Screening, Suppression, Unnamed,
    WhyNotScreened,
    limits::{DEDUPE_HORIZON, NAME_CHARS_MAX},
};

use super::features::Features;

/// What screening an event came to.
#[derive(Clone, Debug, Default)]
pub struct ScreeningResult {
    /// Role, name, and who it is, of everybody who met entries, with the entries.
    pub met: Vec<(String, String, Option<Key>, Vec<ListMatch>)>,
    /// What was not looked at.
    pub not: Vec<NotScreened>,
}

impl ScreeningResult {
    /// Whether all that the event says of a side was looked at.
    pub fn was_looked_at(&self, role: &str) -> bool {
        self.not.iter().all(|not| !not.role.is_empty() && not.role != role)
    }

    /// The best score.
    pub fn score(&self) -> f64 {
        self.met.iter().flat_map(|(.., hits)| hits).map(|hit| hit.score).fold(0.0, f64::max)
    }

    /// Who met what; nothing, where nobody met anything.
    pub fn entries(&self) -> Option<String> {
        let all = |(role, name, _, hits): &(String, String, Option<Key>, Vec<ListMatch>)| {
            let entries: Vec<_> = hits.iter().map(|hit| (hit.list.clone(), hit.entry_id.clone())).collect();
            format!("{role} {name} {entries:?}")
        };
        (!self.met.is_empty()).then(|| self.met.iter().map(all).collect())
    }
}

/// What screening runs against.
pub(super) struct Desk {
    library: Arc<dyn Library>,
    wanted: Screening,
    /// Absent where no list is wanted, or one cannot be read.
    pub screener: Option<Arc<Screener>>,
    suppressions: Vec<Suppression>,
}

/// One name of an event that is to be looked at.
pub(super) struct PartyQuery {
    /// The part that it plays.
    pub role: String,
    /// Who it is, where more than the name is known.
    pub party: Option<Key>,
    /// What is asked.
    pub query: Query,
}

impl Desk {
    /// No lists.
    pub(super) fn new(library: Arc<dyn Library>) -> Self {
        Self { library, wanted: Screening::default(), screener: None, suppressions: Vec::new() }
    }

    /// Screen against these from here on. What was in force, where it could be read.
    pub(super) fn change(&mut self, wanted: &Screening) -> Option<Arc<Screener>> {
        self.wanted = wanted.clone();
        let readable = if wanted.lists.is_empty() { None } else { self.library.screener(wanted).ok() };
        std::mem::replace(&mut self.screener, readable)
    }

    /// What is done with a side that has no name.
    pub(super) fn unnamed(&self) -> Unnamed {
        self.wanted.unnamed
    }

    /// A party is not an entry, from here on. The last word on both counts; what ended longer ago than the oldest event
    /// that may still come is forgotten.
    pub(super) fn suppress(&mut self, order: &Suppression, stream_time: EventTime) {
        self.unsuppress(order);
        self.suppressions.retain(|held| held.expires_at > stream_time.minus(DEDUPE_HORIZON));
        self.suppressions.push(order.clone());
    }

    /// It may be again.
    pub(super) fn unsuppress(&mut self, order: &Suppression) {
        self.suppressions.retain(|held| {
            (&held.party, &held.list, &held.entry_id) != (&order.party, &order.list, &order.entry_id)
        });
    }

    /// Whether a party was decided not to be an entry, as the entry is now, at a moment.
    pub(super) fn is_suppressed(&self, party: &Key, hit: &ListMatch, at: EventTime) -> bool {
        let entry = self.screener.as_ref().and_then(|s| s.entry_hash(&hit.list, &hit.entry_id));
        self.suppressions.iter().any(|held| {
            held.party == *party
                && (&held.list, &held.entry_id) == (&hit.list, &hit.entry_id)
                && at < held.expires_at
                && entry == Some(held.entry_hash)
        })
    }

    /// Screen an event. Nothing is looked at where the lists cannot be read. Each name is otherwise, but one that is too
    /// long or has nothing in it to compare; and where a list is older than its limit when the event occurs, nothing
    /// counts as looked at all the same. A side of a payment that has no name at all is told too.
    pub(super) fn screen(&self, event: &PaymentEvent, features: &Features) -> ScreeningResult {
        if self.wanted.lists.is_empty() {
            return ScreeningResult::default();
        }
        let mut screened = ScreeningResult::default();
        let whole = |why| NotScreened { role: String::new(), why };
        let Some(screener) = &self.screener else {
            features.met("screening: lists unreadable");
            screened.not.push(whole(WhyNotScreened::ListsUnreadable));
            return screened;
        };
        if self.is_too_old(event.occurred_at) {
            features.met("screening: lists too old");
            screened.not.push(whole(WhyNotScreened::ListsTooOld));
        }
        for PartyQuery { role, party, query } in asked(event) {
            let why = if query.name.chars().count() > NAME_CHARS_MAX {
                features.met("screening: name too long");
                Some(WhyNotScreened::TooLong)
            } else if is_unreadable(&query.name) {
                features.met("screening: unreadable name");
                Some(WhyNotScreened::Unreadable)
            } else {
                None
            };
            if let Some(why) = why {
                screened.not.push(NotScreened { role, why });
                continue;
            }
            let mut hits = screener.screen(&query);
            let before = hits.len();
            hits.retain(|hit| {
                party.as_ref().is_none_or(|party| !self.is_suppressed(party, hit, event.occurred_at))
            });
            if hits.len() < before {
                features.met("screening: match suppressed");
            }
            if !hits.is_empty() {
                if !matches!(role.as_str(), "debtor" | "creditor") {
                    features.met("screening: intermediary or related party met");
                }
                screened.met.push((role, query.name, party, hits));
            }
        }
        if event.event_type.moves_money() {
            for (role, side) in [("debtor", &event.debtor), ("creditor", &event.creditor)] {
                let named = side.as_ref().is_some_and(|p| p.name.is_some() || p.name_local.is_some());
                if !named {
                    let not = NotScreened { role: role.to_owned(), why: WhyNotScreened::Unnamed };
                    screened.not.push(not);
                }
            }
        }
        screened
    }

    /// Whether a list was last known to be current too long before; never, is too long.
    fn is_too_old(&self, at: EventTime) -> bool {
        let Some(age_max) = self.wanted.age_max else { return false };
        let checked = |list| self.wanted.checked_at.get(list);
        self.wanted.lists.keys().any(|list| checked(list).is_none_or(|at_last| at > at_last.plus(age_max)))
    }
}

/// A name is there, and nothing of it can be compared.
fn is_unreadable(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_alphanumeric)
}

/// Every name of an event: of both sides with their institutions, of intermediaries, of related parties. Who has no
/// name is looked up by account or document.
pub(super) fn asked(event: &PaymentEvent) -> Vec<PartyQuery> {
    let mut asked = Vec::new();
    for (role, side) in [("debtor", &event.debtor), ("creditor", &event.creditor)] {
        if let Some(party) = side {
            names(role, party, &mut asked);
            institution(&format!("{role}_agent"), party, &mut asked);
        }
    }
    for party in &event.intermediaries {
        names("intermediary", party, &mut asked);
        institution("intermediary", party, &mut asked);
    }
    for related in &event.related_parties {
        names(&related.role, &related.party, &mut asked);
    }
    asked
}

fn names(role: &str, party: &Party, asked: &mut Vec<PartyQuery>) {
    let key = |kind, value: &Option<String>| value.clone().map(|value| Key { kind, value });
    let who = key(KeyKind::Customer, &party.customer_id).or(key(KeyKind::Account, &party.account));
    let mut names: Vec<&str> =
        [&party.name, &party.name_local].into_iter().filter_map(|name| name.as_deref()).collect();
    if names.is_empty() && (party.account.is_some() || party.id_number.is_some()) {
        names.push("");
    }
    for name in names {
        let query = Query::party(party, name);
        asked.push(PartyQuery { role: role.to_owned(), party: who.clone(), query });
    }
}

fn institution(role: &str, party: &Party, asked: &mut Vec<PartyQuery>) {
    if party.agent_name.is_none() && party.agent_bic.is_none() {
        return;
    }
    let name = party.agent_name.clone().unwrap_or_default();
    let identifiers = party.agent_bic.iter().cloned().collect();
    let who = party.agent_bic.clone().map(|value| Key { kind: KeyKind::Party, value });
    let query = Query { name, identifiers, ..Query::default() };
    asked.push(PartyQuery { role: role.to_owned(), party: who, query });
}
