//! The screener: an index over list versions, with its cache. What the core, the API and the shell call.
//!
//! Immutable and shared between threads. A result depends on the query, the versions and the settings alone; the
//! cache belongs to one screener, which has one set of versions and one of settings, so nothing in it can be
//! stale.

mod adjust;
mod parties;
mod query;

use std::{
    collections::hash_map::Entry::{Occupied, Vacant},
    sync::Arc,
};

use moka::sync::Cache;
use rustc_hash::{FxBuildHasher, FxHashMap};
use sluice_model::{Hash256, ListMatch, ListSet, PartyMatch, PaymentEvent};

pub use parties::{Asked, each_party};
pub use query::Query;

use crate::{
    Entry, ListVersion, NameQuality, Script, Topic,
    matching::{
        self, NAME_CHARS_MAX, Scoring,
        explain::{self, reason, rounded},
        index::Index,
        phrases::Phrases,
        scorer::Outcome,
        tokens,
    },
};

/// The score from which names count as the same: the default for lists and for pairs. Chosen where precision and
/// recall balance on the development data; `sluice lists calibrate` shows what another would do.
pub const DEFAULT_THRESHOLD: f64 = 0.80;

/// Results that a screener keeps.
pub const CACHED_RESULTS_MAX: u64 = 100_000;

/// A listed identifier shorter than this is compared with none.
const IDENTIFIER_LEN_MIN: usize = 5;

/// What screening runs with.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Settings {
    /// From 0 to 1; `None`: [`DEFAULT_THRESHOLD`].
    pub threshold: Option<f64>,
    /// The constants of the score.
    pub scoring: Scoring,
}

/// Why a party could not be screened. Never "no match": by policy the event is held or alerted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScreenError {
    /// A name that would be screened in part only.
    #[error("the name of the {role} is longer than {NAME_CHARS_MAX} characters")]
    NameTooLong {
        /// The party's part in the event.
        role: &'static str,
    },
}

/// An index over list versions.
pub struct Screener {
    lists: ListSet,
    versions: Vec<Arc<ListVersion>>,
    index: Index,
    /// Name in the index → where it stands.
    names: Vec<NameAt>,
    /// Identifier → the entries that have it.
    identifiers: FxHashMap<String, Vec<EntryAt>>,
    phrases: Phrases,
    threshold: f64,
    scoring: Scoring,
    cache: Cache<Query, Arc<[ListMatch]>, FxBuildHasher>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct EntryAt {
    version: u32,
    entry: u32,
}

#[derive(Clone, Copy)]
struct NameAt {
    entry: EntryAt,
    name: u32,
}

impl Screener {
    /// An index over these versions.
    pub fn build(versions: &[Arc<ListVersion>], settings: Settings) -> Self {
        let versions = versions.to_vec();
        let mut names = Vec::new();
        let mut identifiers: FxHashMap<String, Vec<EntryAt>> = FxHashMap::default();
        for (v, version) in versions.iter().enumerate() {
            for (e, entry) in version.entries().iter().enumerate() {
                // Known and trusted: no match, and no reason to leave one out.
                if entry.topics == [Topic::White] {
                    continue;
                }
                let at = EntryAt { version: v as u32, entry: e as u32 };
                names.extend((0..entry.names.len() as u32).map(|name| NameAt { entry: at, name }));
                for identifier in &entry.identifiers {
                    let key = identifier_key(&identifier.value);
                    if key.len() >= IDENTIFIER_LEN_MIN {
                        identifiers.entry(key).or_default().push(at);
                    }
                }
            }
        }
        names.shrink_to_fit();
        let listed = |at: &NameAt| {
            let entry = &versions[at.entry.version as usize].entries()[at.entry.entry as usize];
            (entry.kind, &entry.names[at.name as usize])
        };
        let read = |at: usize| {
            let (_, name) = listed(&names[at]);
            tokens::read(&name.text, name.script == Script::Telegraph, &settings.scoring)
        };
        let (index, phrases) = rayon::join(
            || Index::build(names.len(), read, &settings.scoring),
            || Phrases::build(names.iter().map(listed)),
        );
        Self {
            lists: versions.iter().map(|v| (v.source().to_owned(), v.hash())).collect(),
            index,
            phrases,
            names,
            identifiers,
            threshold: settings.threshold.unwrap_or(DEFAULT_THRESHOLD),
            scoring: settings.scoring,
            cache: Cache::builder().max_capacity(CACHED_RESULTS_MAX).build_with_hasher(FxBuildHasher),
            versions,
        }
    }

    /// The versions in force.
    pub fn lists(&self) -> &ListSet {
        &self.lists
    }

    /// The version of a list that is in force.
    pub fn version(&self, list: &str) -> Option<&Arc<ListVersion>> {
        self.versions.iter().find(|version| version.source() == list)
    }

    /// What it runs with.
    pub fn settings(&self) -> Settings {
        Settings { threshold: Some(self.threshold), scoring: self.scoring }
    }

    /// The threshold in force.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// How many names are screened against.
    pub fn name_count(&self) -> usize {
        self.index.len()
    }

    /// The content hash of an entry: a suppression ends when it changes.
    pub fn entry_hash(&self, list: &str, entry_id: &str) -> Option<Hash256> {
        self.version(list)?.entry(entry_id).map(Entry::hash)
    }

    /// Every entry that the query meets at or above the threshold, best first, from the cache where it is known.
    pub fn screen(&self, query: &Query) -> Vec<ListMatch> {
        self.screen_shared(query).to_vec()
    }

    /// The same, shared with the cache.
    pub fn screen_shared(&self, query: &Query) -> Arc<[ListMatch]> {
        if let Some(known) = self.cache.get(query) {
            return known;
        }
        // Accounts and documents that no entry has say nothing: one name under many of them is screened once.
        let telling =
            Query { identifiers: self.listed_identifiers(query).cloned().collect(), ..query.clone() };
        let shared = (telling != *query).then(|| self.cache.get(&telling)).flatten();
        let found = shared.unwrap_or_else(|| {
            let found: Arc<[ListMatch]> = self.screen_cold(&telling).into();
            self.cache.insert(telling, Arc::clone(&found));
            found
        });
        self.cache.insert(query.clone(), Arc::clone(&found));
        found
    }

    /// The same, past the cache.
    pub fn screen_cold(&self, query: &Query) -> Vec<ListMatch> {
        self.matches(query, |name, lowest| self.index.search(name, lowest))
    }

    /// The same, by comparing the query with every listed name: the oracle for the index.
    pub fn exhaustive(&self, query: &Query) -> Vec<ListMatch> {
        self.matches(query, |name, lowest| self.index.exhaustive(name, lowest))
    }

    fn matches(
        &self,
        query: &Query,
        search: impl Fn(&tokens::Name, f32) -> Vec<(u32, Outcome)>,
    ) -> Vec<ListMatch> {
        let mut name = tokens::read(&query.name, false, &self.scoring);
        self.index.weigh(&mut name);
        // Scores are rounded to four decimals: what rounds up to the threshold is at it.
        let lowest = (self.threshold - adjust::most_gained(query) - 1e-4).max(f64::MIN_POSITIVE) as f32;
        let mut best: FxHashMap<EntryAt, Hit> = FxHashMap::default();
        for entry in self.by_identifier(query) {
            best.insert(entry, Hit { name: 0, score: 1.0, outcome: None });
        }
        for (at, outcome) in search(&name, lowest) {
            let listed = self.names[at as usize];
            let (entry, quality) = self.listed(listed);
            let (score, _) = adjust::adjust(query, entry, quality, rounded(outcome.score));
            if score >= self.threshold {
                let hit = Hit { name: listed.name, score, outcome: Some((at, outcome)) };
                match best.entry(listed.entry) {
                    Vacant(place) => drop(place.insert(hit)),
                    Occupied(mut known) => known.get_mut().keep_better(hit),
                }
            }
        }
        let mut hits: Vec<(EntryAt, Hit)> = best.into_iter().collect();
        hits.sort_unstable_by(|(a, x), (b, y)| y.score.total_cmp(&x.score).then(a.cmp(b)));
        hits.into_iter().map(|(at, hit)| self.explained(query, &name, at, hit)).collect()
    }

    fn listed(&self, at: NameAt) -> (&Entry, NameQuality) {
        let entry = self.entry(at.entry);
        (entry, entry.names[at.name as usize].quality)
    }

    fn entry(&self, at: EntryAt) -> &Entry {
        &self.versions[at.version as usize].entries()[at.entry as usize]
    }

    fn by_identifier(&self, query: &Query) -> Vec<EntryAt> {
        query.identifiers.iter().flat_map(|identifier| self.having(identifier)).copied().collect()
    }

    /// Those of the query's identifiers that some entry has.
    fn listed_identifiers<'q>(&self, query: &'q Query) -> impl Iterator<Item = &'q String> {
        query.identifiers.iter().filter(|identifier| !self.having(identifier).is_empty())
    }

    /// The entries that have an identifier. One too short is compared with none.
    fn having(&self, identifier: &str) -> &[EntryAt] {
        self.identifiers.get(&identifier_key(identifier)).map_or(&[], Vec::as_slice)
    }

    fn explained(&self, query: &Query, name: &tokens::Name, at: EntryAt, hit: Hit) -> ListMatch {
        let entry = self.entry(at);
        let mut reasons = Vec::new();
        if let Some((in_index, outcome)) = &hit.outcome {
            let listed = &entry.names[hit.name as usize];
            let mut read = tokens::read(&listed.text, listed.script == Script::Telegraph, &self.scoring);
            read.tokens = self.index.side(*in_index).tokens.into();
            reasons = explain::reasons(name, &read, outcome);
            reasons.extend(adjust::adjust(query, entry, listed.quality, rounded(outcome.score)).1);
        }
        if self.by_identifier(query).contains(&at) {
            reasons.insert(0, reason("identifier", "an identifier of the entry".to_owned(), 1.0));
        }
        self.list_match(at, hit.name, hit.score, reasons)
    }

    fn list_match(
        &self,
        at: EntryAt,
        name: u32,
        score: f64,
        reasons: Vec<sluice_model::Reason>,
    ) -> ListMatch {
        let version = &self.versions[at.version as usize];
        let entry = self.entry(at);
        ListMatch {
            score,
            list: version.source().to_owned(),
            version: version.hash().to_string(),
            entry_id: entry.id.clone(),
            name: entry.names.get(name as usize).map_or_else(String::new, |n| n.text.clone()),
            reasons,
        }
    }

    /// Every party of an event: debtor, creditor, their institutions, intermediaries, related parties, and the
    /// names of listed parties in its free text. Only parties that met something are given.
    ///
    /// # Errors
    /// Where a party cannot be screened whole; it then counts as anything but clear.
    pub fn screen_event(&self, event: &PaymentEvent) -> Result<Vec<PartyMatch>, ScreenError> {
        let mut found = Vec::new();
        each_party(event, |asked| {
            if asked.query.is_too_long() {
                return Err(ScreenError::NameTooLong { role: asked.kind });
            }
            let matches = self.screen_shared(&asked.query);
            if !matches.is_empty() {
                found.push(PartyMatch {
                    role: asked.role.to_owned(),
                    name: asked.query.name,
                    party: asked.party,
                    matches: matches.to_vec(),
                });
            }
            Ok(())
        })?;
        for (role, text) in [("remittance", &event.remittance), ("purpose", &event.purpose)] {
            if let Some(text) = text {
                self.screen_text(role, text, &mut found);
            }
        }
        Ok(found)
    }

    /// Listed names in free text.
    pub fn screen_text(&self, role: &str, text: &str, found: &mut Vec<PartyMatch>) {
        let mut matches: Vec<ListMatch> = Vec::new();
        for (at, phrase) in self.phrases.find(text) {
            let listed = self.names[at as usize];
            let score = phrases_score(self.listed(listed).1);
            let why = reason("phrase", format!("the text names {phrase}"), score);
            let hit = self.list_match(listed.entry, listed.name, score, vec![why]);
            if score >= self.threshold
                && !matches.iter().any(|m| m.list == hit.list && m.entry_id == hit.entry_id)
            {
                matches.push(hit);
            }
        }
        if !matches.is_empty() {
            found.push(PartyMatch {
                role: role.to_owned(),
                name: text.chars().take(NAME_CHARS_MAX).collect(),
                party: None,
                matches,
            });
        }
    }
}

/// The best that an entry scored so far.
struct Hit {
    name: u32,
    score: f64,
    /// The name in the index, and how it scored before adjustments; none where only an identifier met.
    outcome: Option<(u32, Outcome)>,
}

impl Hit {
    /// Keeps the better; of equals the name that stands first. An identifier's word is final, but the name that
    /// also met is shown.
    fn keep_better(&mut self, other: Self) {
        let better = other.score > self.score
            || (other.score >= self.score && (self.outcome.is_none() || other.name < self.name));
        if self.outcome.is_none() {
            *self = Self { score: self.score.max(other.score), ..other };
        } else if better {
            *self = other;
        }
    }
}

fn phrases_score(quality: NameQuality) -> f64 {
    if quality == NameQuality::Weak { 0.85 } else { 0.95 }
}

/// Letters and digits alone, in capitals; a BIC without the three letters that mean the head office.
fn identifier_key(text: &str) -> String {
    let key: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    match key.strip_suffix("XXX") {
        Some(bic) if bic.len() == 8 => bic.to_owned(),
        _ => key,
    }
}

/// Scores a pair of names without a list.
pub fn score_pair(query: &str, listed: &str, scoring: &Scoring) -> (f64, Vec<sluice_model::Reason>) {
    matching::score_pair(query, listed, scoring)
}
