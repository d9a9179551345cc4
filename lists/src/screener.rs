//! The screener: an index over list versions, with its cache. What the core, the API and the shell call.
//!
//! Immutable and shared between threads. A result depends on the query, the versions and the settings alone; the
//! cache belongs to one screener, which has one set of versions and one of settings, so nothing in it can be
//! stale.

mod adjust;
mod event;
mod parties;
mod query;
mod sides;

use std::{
    collections::hash_map::Entry::{Occupied, Vacant},
    sync::Arc,
};

use moka::sync::Cache;
use rustc_hash::{FxBuildHasher, FxHashMap};
use sluice_model::{
    EntryKind, Hash256, ListMatch, ListSet, WhyNotScreened,
    identifier::{bic, bic_office},
};

pub use event::EventScreened;
pub use parties::{PartyQuery, each_party};
pub use query::{Query, Verified};

use crate::{
    Entry, IdentifierKind, ListVersion, NameQuality, Script, Topic,
    matching::{
        self, Scoring,
        explain::{self, reason, rounded},
        index::Index,
        name::Name,
        phrases::{LONG_WORD_LEN, Occurrence, Phrases, Text},
        scorer::Outcome,
        tokens,
        vocabulary::Class,
    },
};

/// The score from which names count as the same: the default for lists and for pairs. Chosen where precision and
/// recall balance on the development data; `sluice lists calibrate` shows what another would do.
pub const DEFAULT_THRESHOLD: f64 = 0.80;

/// Results that a screener keeps.
pub(crate) const CACHED_RESULTS_MAX: u64 = 100_000;

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

/// Words of a name beside which nobody hides: comparing them finds a listed name among them as well as looking for it
/// whole would. In names of more, and in those with numbers, whole listed names are looked for too.
const WORDS_COMPARED_WELL: usize = 4;

/// What screening says of a query.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Answer {
    /// Every entry that it meets at or above the threshold, best first.
    pub matches: Vec<ListMatch>,
    /// Why that is not all: the name was not compared whole, or cannot be. Never "no match": by policy the event is
    /// held or alerted. A query without a name is compared by its identifiers alone, and says nothing of a name.
    pub why: Option<WhyNotScreened>,
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
    /// What the branches of an institution share of their BICs → the entries that have one.
    offices: FxHashMap<String, Vec<EntryAt>>,
    phrases: Phrases,
    threshold: f64,
    scoring: Scoring,
    cache: Cache<Query, Arc<Answer>, FxBuildHasher>,
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
        let mut offices: FxHashMap<String, Vec<EntryAt>> = FxHashMap::default();
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
                    if let Some(office) = bic_office(&key).filter(|_| identifier.kind == IdentifierKind::Bic)
                    {
                        offices.entry(office.to_owned()).or_default().push(at);
                    }
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
            offices,
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
        self.answer(query).matches.clone()
    }

    /// The same with what keeps it from being all, shared with the cache.
    pub fn answer(&self, query: &Query) -> Arc<Answer> {
        if !query.is_kept() {
            return Arc::new(self.answer_cold(query));
        }
        if let Some(known) = self.cache.get(query) {
            return known;
        }
        // Accounts and documents that no entry has say nothing: one name under many of them is screened once.
        let telling =
            Query { identifiers: self.listed_identifiers(query).cloned().collect(), ..query.clone() };
        let shared = (telling != *query).then(|| self.cache.get(&telling)).flatten();
        let found = shared.unwrap_or_else(|| {
            let found = Arc::new(self.answer_cold(&telling));
            self.cache.insert(telling, Arc::clone(&found));
            found
        });
        self.cache.insert(query.clone(), Arc::clone(&found));
        found
    }

    /// The same, past the cache.
    pub fn answer_cold(&self, query: &Query) -> Answer {
        self.compare(query, |name, lowest| self.index.search(name, lowest))
    }

    /// The matches alone, past the cache.
    pub fn screen_cold(&self, query: &Query) -> Vec<ListMatch> {
        self.answer_cold(query).matches
    }

    /// The same, by comparing the query with every listed name: the oracle for the index.
    pub fn exhaustive(&self, query: &Query) -> Vec<ListMatch> {
        self.compare(query, |name, lowest| self.index.exhaustive(name, lowest)).matches
    }

    fn compare(&self, query: &Query, search: impl Fn(&Name, f32) -> Vec<(u32, Outcome)>) -> Answer {
        let mut name = tokens::read(&query.name, false, &self.scoring);
        self.index.weigh(&mut name);
        // Scores are rounded to four decimals: what rounds up to the threshold is at it.
        let lowest = (self.threshold - adjust::most_gained(query) - 1e-4).max(f64::MIN_POSITIVE) as f32;
        let mut best: FxHashMap<EntryAt, Hit> = FxHashMap::default();
        for entry in self.by_identifier(query) {
            best.insert(entry, Hit { name: 0, score: 1.0, how: How::Identifier });
        }
        let mut take = |entry: EntryAt, hit: Hit| match best.entry(entry) {
            Vacant(place) => drop(place.insert(hit)),
            Occupied(mut known) => known.get_mut().keep_better(hit),
        };
        for (at, outcome) in search(&name, lowest) {
            let listed = self.names[at as usize];
            let (score, _) = self.adjusted(query, &name, at, &outcome);
            if score >= self.threshold {
                take(listed.entry, Hit { name: listed.name, score, how: How::Name(at, outcome) });
            }
        }
        let mut whole = true;
        if let Some(anybody) = self.looked_for_whole(&name) {
            let search = self.phrases.find(&[Text { text: &query.name, is_name: true }]);
            whole &= search.whole;
            for found in search.found {
                let listed = self.names[found.name as usize];
                let (score, reasons) = self.phrase_adjusted(query, &found);
                if score >= self.threshold && (anybody || self.entry(listed.entry).kind == EntryKind::Person)
                {
                    take(listed.entry, Hit { name: listed.name, score, how: How::Phrase(reasons) });
                }
            }
        }
        let mut hits: Vec<(EntryAt, Hit)> = best.into_iter().collect();
        hits.sort_unstable_by(|(a, x), (b, y)| y.score.total_cmp(&x.score).then(a.cmp(b)));
        let why = why_not(&query.name, &name).or((!whole).then_some(WhyNotScreened::TooLong));
        Answer {
            matches: hits.into_iter().map(|(at, hit)| self.explained(query, &name, at, hit)).collect(),
            why,
        }
    }

    /// Whether whole listed names are to be looked for in a name: those of anybody, or of persons alone. A number beside
    /// the name of a vessel makes another vessel, beside that of a person an address.
    fn looked_for_whole(&self, name: &Name) -> Option<bool> {
        let joined = |word: &String| word.chars().nth(LONG_WORD_LEN).is_some();
        let long = name.cut || name.tokens.len() > WORDS_COMPARED_WELL || name.shown.iter().any(joined);
        let numbered = name.tokens.iter().any(|token| token.class == Class::Number);
        (long || numbered).then_some(long)
    }

    /// The score of a name in the index with what is known beside it, and the steps of that.
    fn adjusted(
        &self,
        query: &Query,
        name: &Name,
        at: u32,
        outcome: &Outcome,
    ) -> (f64, Vec<sluice_model::Reason>) {
        let (entry, quality) = self.listed(self.names[at as usize]);
        let whole = || outcome.is_whole(name.side(), self.index.side(at));
        adjust::adjust(query, entry, quality, rounded(outcome.score), self.threshold, whole)
    }

    /// The same for a whole name that was found in a longer one.
    fn phrase_adjusted(&self, query: &Query, found: &Occurrence) -> (f64, Vec<sluice_model::Reason>) {
        let (entry, quality) = self.listed(self.names[found.name as usize]);
        let score = self.phrase_score(quality);
        let mut reasons = vec![reason("phrase", format!("the name has {} in it", found.phrase), score)];
        // Its quality is in the score already.
        let (score, steps) =
            adjust::adjust(query, entry, NameQuality::Primary, score, self.threshold, || true);
        reasons.extend(steps);
        (score, reasons)
    }

    /// What a whole name scores that was found in a text: a name that tells somebody is a match at any threshold.
    fn phrase_score(&self, quality: NameQuality) -> f64 {
        if quality == NameQuality::Weak { PHRASE_WEAK } else { PHRASE.max(self.threshold) }
    }

    /// A whole name in a text as a match, where it is one.
    fn phrase_match(&self, found: &Occurrence) -> Option<ListMatch> {
        let listed = self.names[found.name as usize];
        let score = self.phrase_score(self.listed(listed).1);
        let why = reason("phrase", format!("the text names {}", found.phrase), score);
        (score >= self.threshold).then(|| self.list_match(listed.entry, listed.name, score, vec![why]))
    }

    fn listed(&self, at: NameAt) -> (&Entry, NameQuality) {
        let entry = self.entry(at.entry);
        (entry, entry.names[at.name as usize].quality)
    }

    fn entry(&self, at: EntryAt) -> &Entry {
        &self.versions[at.version as usize].entries()[at.entry as usize]
    }

    fn by_identifier(&self, query: &Query) -> Vec<EntryAt> {
        query.identifiers.iter().flat_map(|identifier| self.having(identifier)).collect()
    }

    /// Those of the query's identifiers that some entry has.
    fn listed_identifiers<'q>(&self, query: &'q Query) -> impl Iterator<Item = &'q String> {
        query.identifiers.iter().filter(|identifier| self.having(identifier).next().is_some())
    }

    /// The entries that have an identifier, or the BIC of another branch. One too short is compared with none.
    fn having(&self, identifier: &str) -> impl Iterator<Item = EntryAt> {
        let key = identifier_key(identifier);
        let branches = bic_office(&key).and_then(|office| self.offices.get(office));
        self.identifiers.get(&key).into_iter().chain(branches).flatten().copied()
    }

    fn explained(&self, query: &Query, name: &Name, at: EntryAt, hit: Hit) -> ListMatch {
        let mut reasons = match &hit.how {
            How::Identifier => Vec::new(),
            How::Phrase(reasons) => reasons.clone(),
            How::Name(in_index, outcome) => {
                let listed = &self.entry(at).names[hit.name as usize];
                let mut read = tokens::read(&listed.text, listed.script == Script::Telegraph, &self.scoring);
                read.tokens = self.index.side(*in_index).tokens.into();
                let mut reasons = explain::reasons(name, &read, outcome);
                reasons.extend(self.adjusted(query, name, *in_index, outcome).1);
                reasons
            }
        };
        if let Some(text) = shared_identifier(query, self.entry(at)) {
            reasons.insert(0, reason("identifier", text, 1.0));
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
}

/// A whole listed name in a text, by how much it says.
const PHRASE: f64 = 0.95;
const PHRASE_WEAK: f64 = 0.85;

/// The best that an entry scored so far.
struct Hit {
    name: u32,
    score: f64,
    how: How,
}

/// How an entry was met.
enum How {
    /// By an identifier only.
    Identifier,
    /// By a name in the index, as it scored before adjustments.
    Name(u32, Outcome),
    /// By a whole name within a longer one, for these reasons.
    Phrase(Vec<sluice_model::Reason>),
}

impl Hit {
    /// Keeps the better; of equals the name that stands first. An identifier's word is final, but the name that
    /// also met is shown.
    fn keep_better(&mut self, other: Self) {
        let by_identifier = matches!(self.how, How::Identifier);
        let better = other.score > self.score
            || (other.score >= self.score && (by_identifier || other.name < self.name));
        if by_identifier {
            *self = Self { score: self.score.max(other.score), ..other };
        } else if better {
            *self = other;
        }
    }
}

/// Letters and digits alone, in capitals; a BIC without the three letters that mean the head office.
fn identifier_key(text: &str) -> String {
    let key: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    bic(&key).into_owned()
}

/// Which identifier of an entry the query has, in words: the same one before that of another branch.
fn shared_identifier(query: &Query, entry: &Entry) -> Option<String> {
    let keys: Vec<String> = query.identifiers.iter().map(|identifier| identifier_key(identifier)).collect();
    let listed = || entry.identifiers.iter().map(|listed| (listed, identifier_key(&listed.value)));
    if let Some((same, _)) = listed().find(|(_, key)| key.len() >= IDENTIFIER_LEN_MIN && keys.contains(key)) {
        return Some(match same.kind {
            IdentifierKind::Bic => format!("the BIC {} of the entry", same.value),
            IdentifierKind::Lei => format!("the LEI {} of the entry", same.value),
            _ => "an identifier of the entry".to_owned(),
        });
    }
    listed().filter(|(listed, _)| listed.kind == IdentifierKind::Bic).find_map(|(listed, key)| {
        let office = bic_office(&key)?;
        let branch = keys.iter().find(|key| bic_office(key) == Some(office))?;
        Some(format!("the BIC {branch}: another branch of the entry's {}", listed.value))
    })
}

/// Why a name cannot be screened, or not whole: nothing where it can, and where there is none.
pub fn why_not_screened(name: &str) -> Option<WhyNotScreened> {
    why_not(name, &tokens::read(name, false, &Scoring::default()))
}

fn why_not(name: &str, read: &Name) -> Option<WhyNotScreened> {
    match read {
        _ if name.is_empty() => None,
        read if read.cut => Some(WhyNotScreened::TooLong),
        read if read.unreadable => Some(WhyNotScreened::Unreadable),
        _ => None,
    }
}

/// Scores a pair of names without a list.
pub fn score_pair(query: &str, listed: &str, scoring: &Scoring) -> (f64, Vec<sluice_model::Reason>) {
    matching::score_pair(query, listed, scoring)
}
