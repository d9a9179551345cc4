//! Finds every listed name that can reach a threshold, without comparing all.
//!
//! A listed name scores only if a form of the query meets one of its forms; `forms` finds those. From the forms
//! follow the names; the scorer's bound ([`best_possible`]) says which tokens of the query may be passed over
//! because what remains could not reach the threshold. What is found is a superset, and the scorer itself decides:
//! the result is that of the exhaustive scan by construction, and a property test and a run over real lists hold it
//! to that.

mod build;
mod forms;
mod tables;

use std::cell::RefCell;

use smallvec::SmallVec;

use self::{
    forms::{Forms, Near},
    tables::Lists,
};
use super::{
    name::{Name, Token},
    scorer::{self, Outcome, Pair, Run, Side, best_possible},
    scoring::Scoring,
    similarity::{self, Form, similarity},
    vocabulary::{Class, LegalForms},
};

/// The names of many entries, made ready.
pub(crate) struct Index {
    forms: Forms,
    /// Form → the names that have it.
    postings: Lists,
    /// The same for names with an initial: those are never passed over.
    postings_initial: Lists,
    scoring: Scoring,
    names: Vec<Listed>,
    tokens: Vec<Token>,
    /// Name after name: single tokens first, in order, then joined ones.
    name_forms: Vec<ListedForm>,
}

/// Where the parts of a name begin, and how many there are.
#[derive(Clone, Copy)]
struct Listed {
    tokens: u32,
    forms: u32,
    form_count: u32,
    legal: LegalForms,
    token_count: u8,
}

/// A form of a run of a name's tokens.
#[derive(Clone, Copy)]
struct ListedForm {
    form: u32,
    run: Run,
}

/// How rare a word is on the lists is reckoned against at least so many names, so that a short list does not make
/// its own names common.
const NAMES_MIN: usize = 20_000;

impl Index {
    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// What the scorer needs of a listed name.
    pub(crate) fn side(&self, name: u32) -> Side<'_> {
        let listed = &self.names[name as usize];
        let tokens = &self.tokens[listed.tokens as usize..][..usize::from(listed.token_count)];
        Side { tokens, legal: listed.legal }
    }

    /// Gives the query's tokens the weights that they have among the listed names.
    pub(crate) fn weigh(&self, query: &mut Name) {
        for (token, span) in query.tokens.iter_mut().zip(&query.spans) {
            if token.class == Class::Word {
                let text = span.forms.first().map_or("", |f| f.text.as_str());
                let single = self.forms.with_text(text).filter(|id| !self.forms.is_joined(*id));
                let names =
                    single.map(|id| self.postings.get(id).len() + self.postings_initial.get(id).len()).sum();
                token.weight = token.weight.min(list_weight(names, self.len(), self.scoring.common_listed));
            }
        }
    }

    /// Every name that scores at least `threshold`, and how, by comparing the query with each.
    pub(crate) fn exhaustive(&self, query: &Name, threshold: f32) -> Vec<(u32, Outcome)> {
        let all = 0..self.names.len() as u32;
        let scored = all.map(|name| (name, self.score(query, name, &self.pairs_compared(query, name))));
        scored.filter(|(_, outcome)| reaches(outcome, threshold)).collect()
    }

    fn score(&self, query: &Name, name: u32, pairs: &[Pair]) -> Outcome {
        let alike = |q: usize, n: usize| match (query.spans[q].forms.first(), self.first_form(name, n)) {
            (Some(a), Some(b)) => similarity::alike(a, self.forms.get(b)),
            _ => 0.0,
        };
        scorer::score(query.side(), self.side(name), pairs, &self.scoring, alike)
    }

    fn pairs_compared(&self, query: &Name, name: u32) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for listed in self.forms_of(name) {
            for q in query.spans.iter().filter(|q| may_meet(Run::from(*q), listed.run)) {
                let near = |a: &Form| similarity(a, self.forms.get(listed.form));
                let nearness = q.forms.iter().map(near).fold(0.0, f32::max);
                self.pair(Pair { query: q.into(), listed: listed.run, nearness }, &mut pairs);
            }
        }
        scorer::pair_initials(query.side(), self.side(name), &mut pairs, &self.scoring);
        pairs
    }

    /// Notes that two runs meet, where they are near enough.
    fn pair(&self, new: Pair, pairs: &mut Vec<Pair>) {
        if new.nearness < scorer::floor(new.query.len, new.listed.len, &self.scoring) {
            return;
        }
        match pairs.iter_mut().find(|p| (p.listed, p.query) == (new.listed, new.query)) {
            Some(pair) => pair.nearness = pair.nearness.max(new.nearness),
            None => pairs.push(new),
        }
    }

    /// The form in which a single token is written.
    fn first_form(&self, name: u32, token: usize) -> Option<u32> {
        let single = Run { from: token as u8, len: 1 };
        self.forms_of(name).iter().find(|listed| listed.run == single).map(|listed| listed.form)
    }

    fn forms_of(&self, name: u32) -> &[ListedForm] {
        let listed = &self.names[name as usize];
        &self.name_forms[listed.forms as usize..][..listed.form_count as usize]
    }

    /// Every name that scores at least `threshold`, and how.
    pub(crate) fn search(&self, query: &Name, threshold: f32) -> Vec<(u32, Outcome)> {
        SCRATCH.with_borrow_mut(|scratch| {
            scratch.make_room(self.forms.len(), self.names.len());
            scratch.runs.extend(query.spans.iter().map(Run::from));
            for (at, span) in query.spans.iter().enumerate() {
                for form in &span.forms {
                    self.forms.near(form, span.len, |near| scratch.note(near, at as u8));
                }
            }
            self.find_names(query, threshold, scratch);
            let mut found = Vec::new();
            let reach = Reach::new(query, threshold, &self.scoring);
            let mut pairs = std::mem::take(&mut scratch.pairs);
            for name in &scratch.touched {
                if !reach.possible(scratch.masks[*name as usize] | scratch.assumed) {
                    continue;
                }
                self.pairs_found(query, *name, scratch, &mut pairs);
                let best = scorer::best_of(&query.tokens, self.side(*name).tokens, &pairs, &self.scoring);
                if best + ROUNDING < threshold {
                    continue;
                }
                let outcome = self.score(query, *name, &pairs);
                if reaches(&outcome, threshold) {
                    found.push((*name, outcome));
                }
            }
            scratch.pairs = pairs;
            scratch.clear();
            found
        })
    }

    /// Notes every name that has a noted form, and which of the query's tokens it meets; tokens without which the
    /// threshold cannot be reached go first, and the others are passed over.
    fn find_names(&self, query: &Name, threshold: f32, scratch: &mut Scratch) {
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
            let enough = best_possible(&query.tokens, left, &self.scoring) + ROUNDING < threshold;
            let freely = NAMES_WALKED_FREELY.max(names_walked * WALKED_FOR_ONE_SCORED);
            if free || (enough && names_walked + cost > freely) {
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

    fn pairs_found(&self, asked: &Name, name: u32, scratch: &Scratch, pairs: &mut Vec<Pair>) {
        pairs.clear();
        for listed in self.forms_of(name) {
            let mut next = scratch.heads[listed.form as usize];
            while next != 0 {
                let met = scratch.met[next as usize - 1];
                next = met.next;
                let query = scratch.runs[usize::from(met.span)];
                if may_meet(query, listed.run) {
                    self.pair(Pair { query, listed: listed.run, nearness: met.nearness }, pairs);
                }
            }
        }
        scorer::pair_initials(asked.side(), self.side(name), pairs, &self.scoring);
    }
}

/// Joined tokens never meet joined ones.
fn may_meet(query: Run, listed: Run) -> bool {
    query.len == 1 || listed.len == 1
}

fn reaches(outcome: &Outcome, threshold: f32) -> bool {
    outcome.score >= threshold && outcome.score > 0.0
}

/// The bound and the score are sums of the same weights in another order.
const ROUNDING: f32 = 1e-4;

/// So many names are looked at even for tokens that could be passed over: it saves scoring.
const NAMES_WALKED_FREELY: usize = 1_000;
/// Looking at so many names takes less time than scoring one.
const WALKED_FOR_ONE_SCORED: usize = 30;

/// What the commonness of a word on the lists leaves of its weight, where so many of the names have it.
fn list_weight(having: usize, names: usize, common_listed: f32) -> f32 {
    let all = (names.max(NAMES_MIN) as f32).ln();
    1.0 - common_listed * (1.0 + having as f32).ln() / all
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
    met: Vec<MetForm>,
    /// Form → its newest entry in `met`, from 1.
    heads: Vec<u32>,
    /// Query span → run.
    runs: Vec<Run>,
    /// Name → the query's tokens that it meets.
    masks: Vec<u32>,
    touched: Vec<u32>,
    pairs: Vec<Pair>,
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

    fn note(&mut self, Near { form, nearness }: Near, span: u8) {
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
