//! Finds every listed name that can reach a threshold, without comparing all.
//!
//! A listed name scores only if a form of the query meets one of its forms. Forms that are near share a key with
//! at most so many letters deleted on either side, are equal, or stand together in the table of short forms: so
//! a look-up by deleted keys finds every form that may be met. From the forms follow the names; the scorer's
//! bound ([`best_possible`]) says which tokens of the query may be passed over because what remains could not
//! reach the threshold. What is found is a superset, and the scorer itself decides: the result is that of the
//! exhaustive scan by construction, and a property test and a run over real lists hold it to that.

use std::cell::RefCell;

use rustc_hash::{FxHashMap, FxHasher};
use smallvec::SmallVec;

use super::{
    scorer::{self, Pair, Run, Scoring, Side, best_possible},
    similarity::{self, Form, Kind, Sounds, consonant_edits_allowed, similarity},
    tokens::{Name, Token},
    vocabulary::{Class, LegalForms},
};

/// The names of many entries, made ready.
pub(crate) struct Index {
    forms: Vec<Form>,
    by_text: FxHashMap<Box<str>, SmallVec<[u32; 2]>>,
    /// Keys of single tokens' letters, with deletions, and of joined ones.
    letters: Deletions,
    letters_joined: Deletions,
    /// Consonants of letters, for queries in an abjad.
    consonants: Deletions,
    /// Consonants of listed abjad forms.
    abjads: Deletions,
    /// Form → the names that have it.
    postings: Lists,
    /// The same for names with an initial: those are never passed over.
    postings_initial: Lists,
    common_listed: f32,
    names: Vec<Listed>,
    tokens: Vec<Token>,
    spans: Vec<ListedSpan>,
    span_forms: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Listed {
    tokens: (u32, u8),
    spans: (u32, u8),
    legal: LegalForms,
}

#[derive(Clone, Copy)]
struct ListedSpan {
    run: Run,
    forms: (u32, u16),
}

/// How rare a word is on the lists is reckoned against at least so many names, so that a short list does not make
/// its own names common.
const NAMES_MIN: usize = 20_000;

impl Index {
    /// An index over names that have been read; they are known by their place.
    pub(crate) fn build(mut names: Vec<Name>, scoring: &Scoring) -> Self {
        let mut index = Self {
            forms: Vec::new(),
            by_text: FxHashMap::default(),
            letters: Deletions::default(),
            letters_joined: Deletions::default(),
            consonants: Deletions::default(),
            abjads: Deletions::default(),
            postings: Lists::default(),
            postings_initial: Lists::default(),
            common_listed: scoring.common_listed,
            names: Vec::with_capacity(names.len()),
            tokens: Vec::new(),
            spans: Vec::new(),
            span_forms: Vec::new(),
        };
        let weights = ListWeights::count(&names, scoring.common_listed);
        let (mut having, mut having_initial) = (Vec::new(), Vec::new());
        for (at, name) in names.iter_mut().enumerate() {
            weights.apply(name);
            let initial = name.tokens.iter().any(|t| t.class == Class::Initial);
            let tokens = (index.tokens.len() as u32, name.tokens.len() as u8);
            index.tokens.extend_from_slice(&name.tokens);
            let first_span = index.spans.len() as u32;
            for span in &mut name.spans {
                let run = Run::from(&*span);
                let first = index.span_forms.len() as u32;
                for form in span.forms.drain(..) {
                    let id = index.intern(form);
                    index.span_forms.push(id);
                    if initial { &mut having_initial } else { &mut having }.push((id, at as u32));
                }
                let forms = (first, (index.span_forms.len() as u32 - first) as u16);
                index.spans.push(ListedSpan { run, forms });
            }
            let spans = (first_span, (index.spans.len() as u32 - first_span) as u8);
            index.names.push(Listed { tokens, spans, legal: name.legal });
        }
        index.postings = Lists::build(having, index.forms.len());
        index.postings_initial = Lists::build(having_initial, index.forms.len());
        index.index_keys();
        index
    }

    fn intern(&mut self, form: Form) -> u32 {
        if let Some(ids) = self.by_text.get(form.text.as_str()) {
            let same = |id: &&u32| {
                let known = &self.forms[**id as usize];
                known.path == form.path && known.joined == form.joined
            };
            if let Some(id) = ids.iter().find(same) {
                return *id;
            }
        }
        let id = self.forms.len() as u32;
        self.by_text.entry(form.text.as_str().into()).or_default().push(id);
        self.forms.push(form);
        id
    }

    fn index_keys(&mut self) {
        let (mut letters, mut joined, mut consonants, mut abjads) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (id, form) in self.forms.iter().enumerate() {
            let id = id as u32;
            match form.path.kind() {
                Kind::Letters => {
                    let keys = if form.joined { &mut joined } else { &mut letters };
                    deletions(&form.key, form.edits(), &mut |hash| keys.push((hash, id)));
                    let skeleton = form.consonants();
                    deletions(&skeleton, consonant_edits_allowed(skeleton.len()), &mut |h| {
                        consonants.push((h, id))
                    });
                }
                Kind::Abjad => {
                    let edits = consonant_edits_allowed(form.key.len());
                    deletions(&form.key, edits, &mut |hash| abjads.push((hash, id)));
                }
                Kind::Exact => {}
            }
        }
        self.letters = Deletions::build(letters);
        self.letters_joined = Deletions::build(joined);
        self.consonants = Deletions::build(consonants);
        self.abjads = Deletions::build(abjads);
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// What the scorer needs of a listed name.
    pub(crate) fn side(&self, name: u32) -> Side<'_> {
        let listed = &self.names[name as usize];
        let (from, len) = listed.tokens;
        Side { tokens: &self.tokens[from as usize..][..usize::from(len)], legal: listed.legal }
    }

    /// Gives the query's tokens the weights that they have among the listed names.
    pub(crate) fn weigh(&self, query: &mut Name) {
        for (token, span) in query.tokens.iter_mut().zip(&query.spans) {
            if token.class == Class::Word {
                let text = span.forms.first().map_or("", |f| f.text.as_str());
                let names = self.by_text.get(text).map_or(0, |ids| {
                    let count =
                        |id: &u32| self.postings.get(*id).len() + self.postings_initial.get(*id).len();
                    ids.iter().filter(|id| !self.forms[**id as usize].joined).map(count).sum()
                });
                token.weight = token.weight.min(list_weight(names, self.len(), self.common_listed));
            }
        }
    }

    /// Every name that scores at least `threshold`, with its score, by comparing the query with each.
    pub(crate) fn exhaustive(&self, query: &Name, threshold: f32, scoring: &Scoring) -> Vec<(u32, f32)> {
        let all = 0..self.names.len() as u32;
        let scored = all.map(|name| {
            let pairs = self.pairs_compared(query, name, scoring);
            (name, self.score(query, name, pairs, scoring).score)
        });
        scored.filter(|(_, s)| *s >= threshold && *s > 0.0).collect()
    }

    /// The outcome for one name, for its explanation.
    pub(crate) fn outcome(&self, query: &Name, name: u32, scoring: &Scoring) -> scorer::Outcome {
        self.score(query, name, self.pairs_compared(query, name, scoring), scoring)
    }

    fn score(&self, query: &Name, name: u32, pairs: Vec<Pair>, scoring: &Scoring) -> scorer::Outcome {
        let spans = self.spans_of(name);
        let first_form = |n: usize| spans.get(n).and_then(|s| self.forms_of(s).first());
        let alike = |q: usize, n: usize| match (query.spans[q].forms.first(), first_form(n)) {
            (Some(a), Some(b)) => similarity::alike(a, &self.forms[*b as usize]),
            _ => 0.0,
        };
        scorer::score(query.side(), self.side(name), pairs, scoring, alike)
    }

    fn pairs_compared(&self, query: &Name, name: u32, scoring: &Scoring) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for span in self.spans_of(name) {
            for q in &query.spans {
                if q.len > 1 && span.run.len > 1 {
                    continue;
                }
                let near = |a: &Form| {
                    let listed =
                        self.forms_of(span).iter().map(|id| similarity(a, &self.forms[*id as usize]));
                    listed.fold(0.0, f32::max)
                };
                let nearness = q.forms.iter().map(near).fold(0.0, f32::max);
                if nearness >= scorer::floor(q.len, span.run.len, scoring) {
                    pairs.push(Pair { query: q.into(), listed: span.run, nearness });
                }
            }
        }
        pairs
    }

    fn spans_of(&self, name: u32) -> &[ListedSpan] {
        let (from, len) = self.names[name as usize].spans;
        &self.spans[from as usize..][..usize::from(len)]
    }

    fn forms_of(&self, span: &ListedSpan) -> &[u32] {
        &self.span_forms[span.forms.0 as usize..][..usize::from(span.forms.1)]
    }

    /// Every name that scores at least `threshold`, with its score.
    pub(crate) fn search(&self, query: &Name, threshold: f32, scoring: &Scoring) -> Vec<(u32, f32)> {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.make_room(self.forms.len(), self.names.len());
            scratch.runs.extend(query.spans.iter().map(Run::from));
            self.find_forms(query, scoring, scratch);
            self.find_names(query, threshold, scoring, scratch);
            let mut found = Vec::new();
            let reach = Reach::new(query, threshold, scoring);
            let touched = std::mem::take(&mut scratch.touched);
            for name in &touched {
                let mask = scratch.masks[*name as usize] | scratch.assumed;
                if !reach.possible(mask) {
                    continue;
                }
                let pairs = self.pairs_found(*name, scoring, scratch);
                let score = self.score(query, *name, pairs, scoring).score;
                if score >= threshold && score > 0.0 {
                    found.push((*name, score));
                }
            }
            scratch.touched = touched;
            scratch.clear();
            found
        })
    }

    /// Notes every listed form that a form of the query meets.
    fn find_forms(&self, query: &Name, scoring: &Scoring, scratch: &mut Scratch) {
        let mut candidates = std::mem::take(&mut scratch.candidates);
        for (at, span) in query.spans.iter().enumerate() {
            for form in &span.forms {
                candidates.clear();
                self.candidates(form, &mut candidates);
                candidates.sort_unstable();
                candidates.dedup();
                // Loads that do not wait for each other bring the forms near before they are compared.
                let lens = candidates
                    .iter()
                    .map(|id| self.forms[*id as usize].sounds.len() + self.forms[*id as usize].others.len());
                scratch.loaded = lens.fold(scratch.loaded, |a, b| a ^ b);
                for id in &candidates {
                    let listed = &self.forms[*id as usize];
                    let near = similarity(form, listed);
                    if near >= scorer::floor(span.len, 1 + u8::from(listed.joined), scoring) {
                        scratch.note(*id, at as u8, near);
                    }
                }
            }
        }
        scratch.candidates = candidates;
    }

    fn candidates(&self, form: &Form, out: &mut Vec<u32>) {
        let same = |text: &str| self.by_text.get(text).map_or(&[][..], |ids| ids.as_slice());
        out.extend_from_slice(same(&form.text));
        match form.path.kind() {
            Kind::Letters => {
                for other in form.others {
                    out.extend_from_slice(same(other));
                }
                // Joined never meets joined; and a joined form is looked at with one edit at most.
                deletions(&form.key, form.edits(), &mut |hash| self.letters.get(hash, out));
                if !form.joined {
                    deletions(&form.key, form.edits().min(1), &mut |hash| self.letters_joined.get(hash, out));
                }
                if !self.abjads.is_empty() {
                    let key = form.consonants();
                    deletions(&key, consonant_edits_allowed(key.len()), &mut |hash| {
                        self.abjads.get(hash, out)
                    });
                }
            }
            Kind::Abjad => deletions(&form.key, consonant_edits_allowed(form.key.len()), &mut |hash| {
                self.consonants.get(hash, out);
                self.abjads.get(hash, out);
            }),
            Kind::Exact => {}
        }
    }

    /// Notes every name that has a noted form, and which of the query's tokens it meets; tokens without which the
    /// threshold cannot be reached go first, and the others are passed over.
    fn find_names(&self, query: &Name, threshold: f32, scoring: &Scoring, scratch: &mut Scratch) {
        let count = query.tokens.len();
        let mut costs: SmallVec<[(usize, usize); 8]> = (0..count).map(|token| (0, token)).collect();
        for met in &scratch.met {
            let run = Run::from(&query.spans[usize::from(met.span)]);
            let names = self.postings.get(met.form).len();
            for token in run.from..run.from + run.len {
                costs[usize::from(token)].0 += names;
            }
        }
        costs.sort_unstable();
        let mut left = if count == 32 { u32::MAX } else { (1_u32 << count) - 1 };
        let mut walked = 0_u32;
        let mut names_walked = 0;
        for (cost, token) in costs {
            let free = query.tokens[token].class == Class::Initial;
            let enough = best_possible(&query.tokens, left, scoring) + ROUNDING < threshold;
            if free || (enough && names_walked + cost > NAMES_WALKED_FREELY) {
                continue;
            }
            left &= !(1 << token);
            walked |= 1 << token;
            names_walked += cost;
        }
        scratch.assumed = left;
        let met = std::mem::take(&mut scratch.met);
        for m in &met {
            let mask = Run::from(&query.spans[usize::from(m.span)]).mask();
            if mask & walked != 0 {
                for name in self.postings.get(m.form) {
                    scratch.touch(*name, mask);
                }
            }
            for name in self.postings_initial.get(m.form) {
                scratch.touch(*name, u32::MAX);
            }
        }
        scratch.met = met;
    }

    fn pairs_found(&self, name: u32, scoring: &Scoring, scratch: &Scratch) -> Vec<Pair> {
        let mut pairs: Vec<Pair> = Vec::with_capacity(8);
        for span in self.spans_of(name) {
            let first = pairs.len();
            for form in self.forms_of(span) {
                let mut next = scratch.heads[*form as usize];
                while next != 0 {
                    let met = scratch.met[next as usize - 1];
                    next = met.next;
                    let query = scratch.runs[usize::from(met.span)];
                    let fits = (query.len == 1 || span.run.len == 1)
                        && met.nearness >= scorer::floor(query.len, span.run.len, scoring);
                    if !fits {
                        continue;
                    }
                    match pairs[first..].iter_mut().find(|p| p.query == query) {
                        Some(pair) => pair.nearness = pair.nearness.max(met.nearness),
                        None => pairs.push(Pair { query, listed: span.run, nearness: met.nearness }),
                    }
                }
            }
        }
        pairs
    }
}

/// The bound and the score are sums of the same weights in another order.
const ROUNDING: f32 = 1e-4;

/// So many names are looked at even for tokens that could be passed over: it saves scoring.
const NAMES_WALKED_FREELY: usize = 1_000;

/// How often each word stands on the lists.
struct ListWeights {
    common_listed: f32,
    names: usize,
    counts: FxHashMap<String, u32>,
}

fn list_weight(having: usize, names: usize, common_listed: f32) -> f32 {
    let all = (names.max(NAMES_MIN) as f32).ln();
    1.0 - common_listed * (1.0 + having as f32).ln() / all
}

impl ListWeights {
    fn count(names: &[Name], common_listed: f32) -> Self {
        let mut counts = FxHashMap::default();
        for name in names {
            for (i, span) in name.spans.iter().enumerate().take(name.tokens.len()) {
                if name.tokens[i].class == Class::Word {
                    // What `Index::weigh` will count: names that have the form, once each.
                    let seen = name.spans[..i]
                        .iter()
                        .any(|s| s.forms.first().map(|f| &f.text) == span.forms.first().map(|f| &f.text));
                    if !seen && let Some(form) = span.forms.first() {
                        *counts.entry(form.text.clone()).or_insert(0) += 1;
                    }
                }
            }
        }
        Self { common_listed, names: names.len(), counts }
    }

    fn apply(&self, name: &mut Name) {
        for (i, token) in name.tokens.iter_mut().enumerate() {
            if token.class == Class::Word {
                let having =
                    name.spans[i].forms.first().and_then(|f| self.counts.get(&f.text)).copied().unwrap_or(0);
                token.weight = token.weight.min(list_weight(having as usize, self.names, self.common_listed));
            }
        }
    }
}

/// Whether a set of met tokens can reach the threshold, worked out once for each set.
struct Reach<'a> {
    query: &'a [Token],
    threshold: f32,
    scoring: &'a Scoring,
    known: SmallVec<[bool; 256]>,
}

impl<'a> Reach<'a> {
    fn new(query: &'a Name, threshold: f32, scoring: &'a Scoring) -> Self {
        let query = &query.tokens[..];
        let sets = if query.len() <= 8 { 1_u32 << query.len() } else { 0 };
        let known = (0..sets).map(|set| best_possible(query, set, scoring) + ROUNDING >= threshold).collect();
        Self { query, threshold, scoring, known }
    }

    fn possible(&self, mask: u32) -> bool {
        if self.known.is_empty() {
            return best_possible(self.query, mask, self.scoring) + ROUNDING >= self.threshold;
        }
        self.known[mask as usize & (self.known.len() - 1)]
    }
}

/// What one search notes; kept by each thread, so that a search allocates next to nothing.
#[derive(Default)]
struct Scratch {
    candidates: Vec<u32>,
    /// Of no meaning: what the loads ahead come to.
    loaded: usize,
    met: Vec<MetForm>,
    /// Form → its newest entry in `met`, from 1.
    heads: Vec<u32>,
    /// Query span → run.
    runs: Vec<Run>,
    /// Name → the query's tokens that it meets.
    masks: Vec<u32>,
    touched: Vec<u32>,
    /// The tokens that were passed over: they count as met until the scorer says otherwise.
    assumed: u32,
}

#[derive(Clone, Copy)]
struct MetForm {
    form: u32,
    nearness: f32,
    next: u32,
    span: u8,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Scratch {
    fn make_room(&mut self, forms: usize, names: usize) {
        if self.heads.len() < forms {
            self.heads.resize(forms, 0);
        }
        if self.masks.len() < names {
            self.masks.resize(names, 0);
        }
    }

    fn note(&mut self, form: u32, span: u8, nearness: f32) {
        let next = self.heads[form as usize];
        self.met.push(MetForm { form, nearness, next, span });
        self.heads[form as usize] = self.met.len() as u32;
    }

    fn touch(&mut self, name: u32, mask: u32) {
        let noted = &mut self.masks[name as usize];
        if *noted == 0 {
            self.touched.push(name);
        }
        *noted |= mask;
    }

    fn clear(&mut self) {
        for met in self.met.drain(..) {
            self.heads[met.form as usize] = 0;
        }
        for name in self.touched.drain(..) {
            self.masks[name as usize] = 0;
        }
        self.runs.clear();
    }
}

/// Lists of numbers, one for each form.
#[derive(Default)]
struct Lists {
    starts: Vec<u32>,
    items: Vec<u32>,
}

impl Lists {
    fn build(mut pairs: Vec<(u32, u32)>, keys: usize) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut starts = vec![0; keys + 1];
        for (key, _) in &pairs {
            starts[*key as usize + 1] += 1;
        }
        for i in 0..keys {
            starts[i + 1] += starts[i];
        }
        Self { starts, items: pairs.into_iter().map(|(_, item)| item).collect() }
    }

    fn get(&self, key: u32) -> &[u32] {
        let key = key as usize;
        &self.items[self.starts[key] as usize..self.starts[key + 1] as usize]
    }
}

/// From a key with letters deleted, by its hash, to the forms that have it.
#[derive(Default)]
struct Deletions {
    /// Where the hashes that begin with these bits stand.
    starts: Vec<u32>,
    items: Vec<(u32, u32)>,
    shift: u32,
}

impl Deletions {
    fn build(mut items: Vec<(u32, u32)>) -> Self {
        items.sort_unstable();
        items.dedup();
        items.shrink_to_fit();
        let bits = (items.len().max(2).ilog2()).min(22);
        let shift = 32 - bits;
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for (hash, _) in &items {
            starts[(hash >> shift) as usize + 1] += 1;
        }
        for i in 0..1 << bits {
            starts[i + 1] += starts[i];
        }
        Self { starts, items, shift }
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn get(&self, hash: u32, out: &mut Vec<u32>) {
        if self.items.is_empty() {
            return;
        }
        let bucket = (hash >> self.shift) as usize;
        let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        out.extend(self.items[range].iter().filter(|(h, _)| *h == hash).map(|(_, id)| *id));
    }
}

/// The hashes of a key with up to `edits` (0, 1 or 2) letters deleted. Two keys within so many edits share one.
fn deletions(key: &Sounds, edits: usize, each: &mut impl FnMut(u32)) {
    each(hash(key.iter().copied()));
    if edits == 0 {
        return;
    }
    let without = |i: usize, j: usize| {
        key.iter().enumerate().filter(move |(at, _)| *at != i && *at != j).map(|(_, c)| *c)
    };
    for i in 0..key.len() {
        each(hash(without(i, i)));
        if edits > 1 {
            for j in i + 1..key.len() {
                each(hash(without(i, j)));
            }
        }
    }
}

fn hash(bytes: impl Iterator<Item = u8>) -> u32 {
    use std::hash::Hasher;
    let mut hasher = FxHasher::default();
    let (mut word, mut filled) = (0_u64, 0);
    for byte in bytes {
        word = word << 8 | u64::from(byte);
        filled += 1;
        if filled % 8 == 0 {
            hasher.write_u64(word);
            word = 0;
        }
    }
    hasher.write_u64(word ^ filled << 56);
    (hasher.finish().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) as u32
}
