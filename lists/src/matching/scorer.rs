//! The score of two names: which tokens meet, and what the rest costs.
//!
//! Every token of either name ends in one of four places. It *meets* a token of the other name; or it stands
//! *against* one (both names have something left over: a contradiction); or it is *extra* (only the query has
//! it) or *missing* (only the listed name has it): an omission, which costs far less. The score is what met,
//! by weight and nearness, over what met and what all else costs, times a factor for each thing that speaks
//! against the match as a whole.
//!
//! Owns the formula and its constants. Never looks at letters: nearness comes from `similarity`, whether by
//! comparing every form or through the index, and is the same on both ways.

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{
    similarity::{MEETS_MIN, ONE_SLIP, similarity},
    tokens::{Name, Part, Span, Token},
    vocabulary::{Class, LegalForms},
};

/// The constants of the formula. The defaults were fitted on one half of the development data and checked on
/// the other (see `docs/screening.md`).
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Scoring {
    /// Forms less near than this do not meet.
    pub floor: f32,
    /// Joined or split tokens less near than this do not meet.
    pub floor_joined: f32,
    /// The power to which nearness is raised.
    pub steepness: f32,
    /// What a contradiction costs, for each unit of weight on the lighter side.
    pub contradiction: f32,
    /// How much of a contradiction is forgiven where the tokens are nearly alike (a slip of the pen), from 0 to 1.
    pub near_miss: f32,
    /// What an omission costs, for each unit of weight: where one token met, two, or more.
    pub omission: [f32; 3],
    /// How much more it costs when the query says more than the list.
    pub extra: f32,
    /// An initial that meets a name that begins with it.
    pub initial: f32,
    /// Father and son changed places.
    pub swapped: f32,
    /// The family name did not meet, where it is known which that is.
    pub family_differs: f32,
    /// The syllables of a Chinese or Korean name stand in another order.
    pub scrambled: f32,
    /// Both have numbers, and none agrees.
    pub numbers_differ: f32,
    /// Only one has a number.
    pub number_missing: f32,
    /// Both have legal forms, of different kinds.
    pub legal_forms_differ: f32,
    /// The tokens that met stand in another order.
    pub reordered: f32,
    /// Nothing met but words that any organisation may have in its name.
    pub generic_only: f32,
    /// What the commonest name loses of its weight, as far as is known in general.
    pub common: f32,
    /// What the commonest word on the lists loses.
    pub common_listed: f32,
    /// The weight of a word that many organisations have in their names.
    pub generic: f32,
    /// The weight of one syllable or character.
    pub syllable: f32,
}

impl Default for Scoring {
    fn default() -> Self {
        Self {
            floor: 0.70,
            floor_joined: 0.81,
            steepness: 1.38,
            contradiction: 1.6,
            near_miss: 0.85,
            omission: [0.76, 0.11, 0.11],
            extra: 1.05,
            initial: 0.85,
            swapped: 0.75,
            family_differs: 0.97,
            scrambled: 0.75,
            numbers_differ: 0.6,
            number_missing: 0.79,
            legal_forms_differ: 0.94,
            reordered: 0.97,
            generic_only: 0.6,
            common: 0.45,
            common_listed: 0.5,
            generic: 0.58,
            syllable: 0.5,
        }
    }
}

/// Two runs of tokens that may meet.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Pair {
    pub query: Run,
    pub listed: Run,
    pub nearness: f32,
}

/// Neighbouring tokens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Run {
    pub from: u8,
    pub len: u8,
}

impl Run {
    pub(crate) fn mask(self) -> u32 {
        ((1_u32 << self.len) - 1) << self.from
    }
    fn range(self) -> std::ops::Range<usize> {
        usize::from(self.from)..usize::from(self.from + self.len)
    }
}

impl From<&Span> for Run {
    fn from(span: &Span) -> Self {
        Self { from: span.from, len: span.len }
    }
}

/// One name, as far as the formula needs it.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a> {
    pub tokens: &'a [Token],
    pub legal: LegalForms,
}

/// A pair that was taken.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Met {
    pub pair: Pair,
    /// The weight that it carries.
    pub weight: f32,
    /// Of which it earned so much.
    pub earned: f32,
}

/// What speaks against a match as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Against {
    Swapped,
    FamilyDiffers,
    Scrambled,
    NumbersDiffer,
    NumberMissing,
    LegalFormsDiffer,
    Reordered,
    GenericOnly,
}

/// A score and how it came about.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Outcome {
    pub score: f32,
    pub met: SmallVec<[Met; 8]>,
    /// What is left of the query's and of the listed name's tokens, as masks.
    pub extra: u32,
    pub missing: u32,
    /// What the score is a share of.
    pub whole: f32,
    /// What contradictions and omissions cost of it.
    pub contradiction: f32,
    pub omission: f32,
    /// Whether the omission is the list's: the query says more.
    pub more_extra: bool,
    pub against: SmallVec<[(Against, f32); 2]>,
}

/// Every pair of runs whose forms are near enough, by comparing each with each; and initials.
pub(crate) fn pairs(query: &Name, listed: &Name, scoring: &Scoring) -> Vec<Pair> {
    let mut out = Vec::new();
    for q in &query.spans {
        for n in &listed.spans {
            if q.len > 1 && n.len > 1 {
                continue;
            }
            let best = q
                .forms
                .iter()
                .flat_map(|a| n.forms.iter().map(move |b| similarity(a, b)))
                .fold(0.0, f32::max);
            if best >= floor(q.len, n.len, scoring) {
                out.push(Pair { query: q.into(), listed: n.into(), nearness: best });
            }
        }
    }
    pair_initials(query.side(), listed.side(), &mut out, scoring);
    out
}

/// How near runs of these lengths must be to meet.
pub(crate) fn floor(query_len: u8, listed_len: u8, scoring: &Scoring) -> f32 {
    let floor = if query_len + listed_len > 2 { scoring.floor_joined } else { scoring.floor };
    floor.max(MEETS_MIN)
}

fn is_name(class: Class) -> bool {
    matches!(class, Class::Word | Class::Syllable)
}

/// The score of a query against a listed name. `alike` says how alike two single tokens are that did not meet.
pub(crate) fn score(
    query: Side<'_>,
    listed: Side<'_>,
    pairs: &[Pair],
    scoring: &Scoring,
    alike: impl Fn(usize, usize) -> f32,
) -> Outcome {
    if query.tokens.is_empty() || listed.tokens.is_empty() {
        return Outcome::default();
    }
    let mut out = Outcome::default();
    take_best(query, listed, pairs, scoring, &mut out);
    let (mut weight, mut earned, mut names) = (0.0, 0.0, 0);
    for met in &out.met {
        weight += met.weight;
        earned += met.earned;
        let first = query.tokens[usize::from(met.pair.query.from)].class;
        names +=
            usize::from(is_name(first) && is_name(listed.tokens[usize::from(met.pair.listed.from)].class));
    }
    let left = |tokens: &[Token], mask: u32| -> f32 {
        let left = tokens.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0);
        // An initial that meets nothing speaks louder than one that does.
        left.map(|(_, t)| if t.class == Class::Initial { t.weight * 2.0 } else { t.weight }).sum()
    };
    let (extra, missing) = (left(query.tokens, out.extra), left(listed.tokens, out.missing));
    let both = extra.min(missing);
    out.more_extra = extra > missing;
    let omission = scoring.omission[names.clamp(1, 3) - 1];
    out.contradiction = scoring.contradiction * (both - forgiven(query, listed, &out, both, scoring, alike));
    out.omission = omission * ((extra - both) * scoring.extra + (missing - both));
    out.whole = weight + out.contradiction + out.omission;
    // An initial alone is nobody.
    let by_initial = |m: &Met| {
        let class = |tokens: &[Token], run: Run| tokens[usize::from(run.from)].class;
        (class(query.tokens, m.pair.query) == Class::Initial)
            != (class(listed.tokens, m.pair.listed) == Class::Initial)
    };
    if weight <= 0.0 || out.met.iter().all(by_initial) {
        return out;
    }
    object(query, listed, names, scoring, &mut out);
    let factor: f32 = out.against.iter().map(|(_, f)| f).product();
    out.score = earned / out.whole * factor;
    out
}

/// The most that any listed name can score against a query of which only `matched` tokens can meet anything: the
/// bound on which the index rests. All that met met perfectly, and all else of the query is extra, or stands against
/// something so like it that it is forgiven as far as anything is.
pub(crate) fn best_possible(query: &[Token], matched: u32, scoring: &Scoring) -> f32 {
    let (mut weight, mut extra, mut names) = (0.0, 0.0, 0);
    for (i, token) in query.iter().enumerate() {
        if matched & (1 << i) != 0 {
            weight += token.weight;
            names += usize::from(is_name(token.class));
        } else {
            extra += token.weight;
        }
    }
    if weight <= 0.0 {
        return 0.0;
    }
    let (contradiction, omission) = least_costs(names, scoring);
    weight / (weight + contradiction.min(omission * scoring.extra) * extra)
}

/// The most that two names can score of which no more than these pairs meet: as above, but knowing what the listed
/// name has left over and how near the nearest are.
pub(crate) fn best_of(query: &[Token], listed: &[Token], pairs: &[Pair], scoring: &Scoring) -> f32 {
    let (mut q_mask, mut n_mask, mut nearest) = (0, 0, 0.0_f32);
    for pair in pairs {
        q_mask |= pair.query.mask();
        n_mask |= pair.listed.mask();
        nearest = nearest.max(pair.nearness);
    }
    let split = |tokens: &[Token], mask: u32| {
        let (mut met, mut left) = (0.0, 0.0);
        for (i, token) in tokens.iter().enumerate() {
            *(if mask & (1 << i) != 0 { &mut met } else { &mut left }) += token.weight;
        }
        (met, left)
    };
    let (q_met, extra) = split(query, q_mask);
    let (n_met, missing) = split(listed, n_mask);
    let weight: f32 = f32::min(q_met, n_met);
    if weight <= 0.0 {
        return 0.0;
    }
    let names = query.iter().enumerate().filter(|(i, t)| q_mask & (1 << i) != 0 && is_name(t.class)).count();
    let (contradiction, omission) = least_costs(names, scoring);
    let (of_extra, of_missing) = (omission * scoring.extra, omission);
    let dearest = f32::max(of_extra, of_missing);
    // More may be left over than this. Where omissions cost less than contradictions, that only costs more; else all
    // of it may as well be the cheaper.
    let cost = if contradiction >= dearest {
        let both = f32::min(extra, missing);
        contradiction * both + of_extra * (extra - both) + of_missing * (missing - both)
    } else {
        contradiction.min(of_extra).min(of_missing) * f32::max(extra, missing)
    };
    weight / (weight + cost) * nearest.powf(scoring.steepness)
}

/// The least that a unit of contradiction and of omission costs where so many names or fewer met.
fn least_costs(names: usize, scoring: &Scoring) -> (f32, f32) {
    let omission = scoring.omission[..names.clamp(1, 3)].iter().fold(f32::INFINITY, |a, b| a.min(*b));
    (scoring.contradiction * (1.0 - scoring.near_miss * ONE_SLIP), omission)
}

/// How much of a contradiction is a slip of the pen: what is left over on either side, most alike first.
fn forgiven(
    query: Side<'_>,
    listed: Side<'_>,
    out: &Outcome,
    both: f32,
    scoring: &Scoring,
    alike: impl Fn(usize, usize) -> f32,
) -> f32 {
    // Where nothing met there is no name to have slipped in.
    if both <= 0.0 || out.met.is_empty() {
        return 0.0;
    }
    let left = |tokens: &[Token], mask: u32| -> SmallVec<[usize; 8]> {
        let telling = |c: Class| matches!(c, Class::Word | Class::Generic | Class::Syllable);
        tokens
            .iter()
            .enumerate()
            .filter(|(i, t)| mask & (1 << i) != 0 && telling(t.class))
            .map(|(i, _)| i)
            .collect()
    };
    let (mut extra, mut missing) = (left(query.tokens, out.extra), left(listed.tokens, out.missing));
    let mut sum = 0.0;
    for _ in 0..extra.len().min(missing.len()).min(NEAR_MISSES_MAX) {
        let mut best = (NEAR_MISS_MIN, 0, 0);
        for (i, q) in extra.iter().enumerate() {
            for (j, n) in missing.iter().enumerate() {
                let near = alike(*q, *n).min(ONE_SLIP);
                if near > best.0 {
                    best = (near, i, j);
                }
            }
        }
        if best.0 <= NEAR_MISS_MIN {
            break;
        }
        let (q, n) = (extra.swap_remove(best.1), missing.swap_remove(best.2));
        sum += query.tokens[q].weight.min(listed.tokens[n].weight) * best.0 * scoring.near_miss;
    }
    sum.min(both * scoring.near_miss)
}

/// Less alike than this, two tokens are two names.
const NEAR_MISS_MIN: f32 = 0.35;
/// More slips than this are none.
const NEAR_MISSES_MAX: usize = 2;

/// Initials meet what begins with them: adds those pairs.
pub(crate) fn pair_initials(query: Side<'_>, listed: Side<'_>, pairs: &mut Vec<Pair>, scoring: &Scoring) {
    let initial = |t: &Token| t.class == Class::Initial;
    if !query.tokens.iter().any(initial) && !listed.tokens.iter().any(initial) {
        return;
    }
    for (i, q) in query.tokens.iter().enumerate() {
        for (j, n) in listed.tokens.iter().enumerate() {
            let one = (initial(q) && n.class == Class::Word) || (initial(n) && q.class == Class::Word);
            if one && q.mark == n.mark {
                let run = |at: usize| Run { from: at as u8, len: 1 };
                pairs.push(Pair { query: run(i), listed: run(j), nearness: scoring.initial });
            }
        }
    }
}

/// Whether it is known which token is the family name, on either side, and none met what may be one.
fn family_differs(query: Side<'_>, listed: Side<'_>, out: &Outcome) -> bool {
    let family =
        |tokens: &[Token]| tokens.iter().any(|t| t.part == Part::Family && t.class != Class::Particle);
    let (known_query, known_listed) = (family(query.tokens), family(listed.tokens));
    if !known_query && !known_listed {
        return false;
    }
    let parts = |tokens: &[Token], run: Run| {
        let telling = tokens[run.range()].iter().filter(|t| t.class != Class::Particle);
        telling.fold((false, false), |(family, given), t| {
            (family || t.part == Part::Family, given || t.part == Part::Given)
        })
    };
    let met = out.met.iter().any(|m| {
        let (q_family, q_given) = parts(query.tokens, m.pair.query);
        let (n_family, n_given) = parts(listed.tokens, m.pair.listed);
        (q_family && (n_family || !n_given)) || (n_family && !q_given)
    });
    let left = |tokens: &[Token], mask: u32| {
        tokens.iter().enumerate().any(|(i, t)| mask & (1 << i) != 0 && is_name(t.class))
    };
    // Where nothing is left over on one side, what met may well be family and given name in the other order.
    !met && left(query.tokens, out.extra) && left(listed.tokens, out.missing)
}

/// Takes the heaviest pairs first, each token once.
fn take_best(query: Side<'_>, listed: Side<'_>, pairs: &[Pair], scoring: &Scoring, out: &mut Outcome) {
    let weight = |tokens: &[Token], run: Run| -> f32 { tokens[run.range()].iter().map(|t| t.weight).sum() };
    let mut ranked: SmallVec<[Met; 16]> = pairs
        .iter()
        .map(|pair| {
            let weight = weight(query.tokens, pair.query).min(weight(listed.tokens, pair.listed));
            Met { pair: *pair, weight, earned: weight * pair.nearness.powf(scoring.steepness) }
        })
        .collect();
    // Equal values are told apart by place, so that the order in which pairs were found does not show. A father
    // meets a father first.
    let father = |m: &Met| {
        let f = |tokens: &[Token], run: Run| tokens[usize::from(run.from)].father;
        f(query.tokens, m.pair.query) == f(listed.tokens, m.pair.listed)
    };
    let near = |m: &Met| m.pair.query.from.abs_diff(m.pair.listed.from);
    ranked.sort_unstable_by(|a, b| {
        let places = |m: &Met| (m.pair.query, m.pair.listed);
        b.earned
            .total_cmp(&a.earned)
            .then_with(|| father(b).cmp(&father(a)))
            .then_with(|| near(a).cmp(&near(b)))
            .then_with(|| places(a).cmp(&places(b)))
    });
    let all = |tokens: &[Token]| ((1_u64 << tokens.len()) - 1) as u32;
    (out.extra, out.missing) = (all(query.tokens), all(listed.tokens));
    for met in ranked {
        let (q, n) = (met.pair.query.mask(), met.pair.listed.mask());
        if out.extra & q == q && out.missing & n == n {
            out.extra &= !q;
            out.missing &= !n;
            out.met.push(met);
        }
    }
}

/// Collects what speaks against the match as a whole.
fn object(query: Side<'_>, listed: Side<'_>, names: usize, scoring: &Scoring, out: &mut Outcome) {
    let token = |tokens: &[Token], run: Run| tokens[usize::from(run.from)];
    let (mut to_father, mut from_father) = (false, false);
    for met in &out.met {
        let q = token(query.tokens, met.pair.query);
        let n = token(listed.tokens, met.pair.listed);
        to_father |= is_name(q.class) && !q.father && n.father;
        from_father |= is_name(n.class) && q.father && !n.father;
    }
    if to_father && from_father {
        out.against.push((Against::Swapped, scoring.swapped));
    }

    let numbers = |tokens: &[Token]| -> SmallVec<[u32; 2]> {
        tokens.iter().filter(|t| t.class == Class::Number).map(|t| t.mark).collect()
    };
    let (q, n) = (numbers(query.tokens), numbers(listed.tokens));
    if !q.is_empty() && !n.is_empty() && !q.iter().any(|x| n.contains(x)) {
        out.against.push((Against::NumbersDiffer, scoring.numbers_differ));
    } else if q.is_empty() != n.is_empty() {
        out.against.push((Against::NumberMissing, scoring.number_missing));
    }

    if query.legal != 0 && listed.legal != 0 && query.legal & listed.legal == 0 {
        out.against.push((Against::LegalFormsDiffer, scoring.legal_forms_differ));
    }

    if family_differs(query, listed, out) {
        out.against.push((Against::FamilyDiffers, scoring.family_differs));
    }

    let mut order: SmallVec<[(u8, u8); 8]> =
        out.met.iter().map(|m| (m.pair.query.from, m.pair.listed.from)).collect();
    order.sort_unstable();
    // The family name may stand first or last: one step back is that; more, among syllables, is another name.
    let syllables = out.met.iter().filter(|m| {
        let syllable = |t: Token| t.class == Class::Syllable;
        syllable(token(query.tokens, m.pair.query)) || syllable(token(listed.tokens, m.pair.listed))
    });
    match order.windows(2).filter(|w| w[0].1 > w[1].1).count() {
        0 => {}
        2.. if syllables.count() > 2 => out.against.push((Against::Scrambled, scoring.scrambled)),
        _ => out.against.push((Against::Reordered, scoring.reordered)),
    }

    let told = |tokens: &[Token], mask: u32| {
        tokens
            .iter()
            .enumerate()
            .all(|(i, t)| mask & (1 << i) == 0 || matches!(t.class, Class::Particle | Class::Title))
    };
    let complete = told(query.tokens, out.extra) && told(listed.tokens, out.missing);
    let numbered = out.met.iter().any(|m| token(query.tokens, m.pair.query).class == Class::Number);
    if names == 0 && !complete && !numbered {
        out.against.push((Against::GenericOnly, scoring.generic_only));
    }
}
