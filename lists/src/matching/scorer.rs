//! The score of two names: which tokens meet, and what the rest costs.
//!
//! Every token of either name ends in one of four places. It *meets* a token of the other name; or it stands
//! *against* one (both names have something left over: a contradiction); or it is *extra* (only the query has
//! it) or *missing* (only the listed name has it): an omission, which costs far less. The score is what met,
//! by weight and nearness, over what met and what all else costs, times a factor for each thing that speaks
//! against the match as a whole.
//!
//! Owns the formula; its constants are in `scoring`. Never looks at letters: nearness comes from `similarity`, whether by
//! comparing every form or through the index, and is the same on both ways.

use smallvec::SmallVec;

use super::{
    name::{Name, Part, Span, Token},
    scoring::Scoring,
    similarity::{self, MEETS_MIN, ONE_SLIP, similarity},
    vocabulary::{Class, LegalForms},
};

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

impl Name {
    /// What the formula needs of it.
    pub(crate) fn side(&self) -> Side<'_> {
        Side { tokens: &self.tokens, legal: self.legal }
    }
}

/// A pair that counts, and for how much.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct PairScore {
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
    pub pairs: SmallVec<[PairScore; 8]>,
    /// What is left of the query's and of the listed name's tokens, as masks.
    pub extra: u32,
    pub missing: u32,
    /// What the score is a share of.
    pub whole: f32,
    /// What slips of the pen earned of it.
    pub slips: f32,
    /// What contradictions and omissions cost of it.
    pub contradiction: f32,
    pub omission: f32,
    /// Whether the omission is the list's: the query says more.
    pub more_extra: bool,
    pub against: SmallVec<[(Against, f32); 2]>,
}

impl Outcome {
    /// Whether the two are one name, whole: every token met the same token, in whatever order is the same name. Titles
    /// are left out of names, and particles.
    pub(crate) fn is_whole(&self, query: Side<'_>, listed: Side<'_>) -> bool {
        let told = |tokens: &[Token], mask: u32| {
            tokens.iter().enumerate().any(|(i, token)| {
                mask & (1 << i) != 0 && !matches!(token.class, Class::Title | Class::Particle)
            })
        };
        !self.pairs.is_empty()
            && self.pairs.iter().all(|met| met.pair.nearness >= SAME)
            && self.against.iter().all(|(against, _)| *against == Against::Reordered)
            && !told(query.tokens, self.extra)
            && !told(listed.tokens, self.missing)
    }
}

/// How alike two single tokens are.
pub(crate) fn alike(query: &Name, q: usize, listed: &Name, n: usize) -> f32 {
    match (query.spans[q].forms.first(), listed.spans[n].forms.first()) {
        (Some(a), Some(b)) => similarity::alike(a, b),
        _ => 0.0,
    }
}

/// As near as the same letters are.
const SAME: f32 = 0.999;

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

impl Scoring {
    /// Between two values, by how much weight of names met.
    fn by_proof(&self, [little, enough]: [f32; 2], proof: f32) -> f32 {
        let [from, to] = self.proof;
        let share = ((proof - from) / (to - from).max(f32::EPSILON)).clamp(0.0, 1.0);
        little + (enough - little) * share
    }
}

fn is_name(class: Class) -> bool {
    matches!(class, Class::Word | Class::Syllable)
}

fn is_syllabic(tokens: &[Token]) -> bool {
    tokens.iter().any(|t| t.syllabic)
}

fn name_weight(tokens: &[Token], run: Run) -> f32 {
    tokens[run.range()].iter().filter(|t| is_name(t.class)).map(|t| t.weight).sum()
}

/// What is left over on one side.
struct Left {
    weight: f32,
    /// Of which syllables of a Chinese or Korean name are so much.
    syllables: f32,
    /// And what stands in brackets so much.
    aside: f32,
}

impl Left {
    fn of(tokens: &[Token], mask: u32) -> Self {
        let (mut weight, mut syllables, mut aside) = (0.0, 0.0, 0.0);
        for (_, token) in tokens.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0) {
            // An initial that meets nothing speaks louder than one that does.
            weight += if token.class == Class::Initial { token.weight * 2.0 } else { token.weight };
            syllables += if token.syllabic { token.weight } else { 0.0 };
            aside += if token.part == Part::Aside && !token.syllabic { token.weight } else { 0.0 };
        }
        Self { weight, syllables, aside }
    }
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
    let syllabic = is_syllabic(query.tokens) && is_syllabic(listed.tokens);
    let mut out = Outcome::default();
    take_best(query, listed, pairs, scoring, &mut out);
    let (mut weight, mut earned, mut proof) = (0.0, 0.0, 0.0);
    for met in &out.pairs {
        weight += met.weight;
        earned += met.earned;
        let names =
            name_weight(query.tokens, met.pair.query).min(name_weight(listed.tokens, met.pair.listed));
        proof += names.min(met.earned).min(scoring.proof_each);
    }
    let (extra, missing) = (Left::of(query.tokens, out.extra), Left::of(listed.tokens, out.missing));
    let both = extra.weight.min(missing.weight);
    out.more_extra = extra.weight > missing.weight;
    let Slips { forgiven, in_name } = slips(query, listed, &out, both, scoring, alike);
    out.contradiction = scoring.contradiction * (both - forgiven);
    out.slips = scoring.slip_earns * forgiven;
    // A Chinese or Korean name that met whole is proof enough, short as its syllables are.
    let whole_name = syllabic && extra.syllables + missing.syllables <= 0.0;
    let omission = if whole_name { scoring.omission[1] } else { scoring.by_proof(scoring.omission, proof) };
    let omitted = |left: &Left| {
        let omitted = left.weight - both;
        // Between two names of syllables one more makes another name; one from elsewhere before them does not.
        let syllables = if syllabic { left.syllables.min(omitted) } else { 0.0 };
        let rest = omitted - syllables;
        let aside = left.aside.min(rest) * (1.0 - scoring.aside);
        syllables * scoring.omitted_syllable.max(omission) + (rest - aside) * omission
    };
    out.omission = omitted(&extra) * scoring.extra + omitted(&missing);
    out.whole = weight + out.slips + out.contradiction + out.omission;
    // An initial alone is nobody.
    let by_initial = |m: &PairScore| {
        let class = |tokens: &[Token], run: Run| tokens[usize::from(run.from)].class;
        (class(query.tokens, m.pair.query) == Class::Initial)
            != (class(listed.tokens, m.pair.listed) == Class::Initial)
    };
    if weight <= 0.0 || out.pairs.iter().all(by_initial) {
        return out;
    }
    object(query, listed, proof, in_name, scoring, &mut out);
    let factor: f32 = out.against.iter().map(|(_, f)| f).product();
    out.score = (earned + out.slips) / out.whole * factor;
    out
}

/// The most that any listed name can score against a query of which only `matched` tokens can meet anything: the
/// bound on which the index rests. All that met met perfectly, and all else of the query is extra, or stands against
/// something so like it that it is forgiven as far as anything is.
pub(crate) fn best_possible(query: &[Token], matched: u32, scoring: &Scoring) -> f32 {
    let (mut weight, mut extra, mut proof) = (0.0, 0.0, 0.0);
    let (mut numbered, mut told) = (false, true);
    for (i, token) in query.iter().enumerate() {
        if matched & (1 << i) != 0 {
            weight += token.weight;
            proof += if is_name(token.class) { token.weight.min(scoring.proof_each) } else { 0.0 };
            numbered |= token.class == Class::Number;
        } else {
            extra += token.weight;
            told &= matches!(token.class, Class::Particle | Class::Title);
        }
    }
    if weight <= 0.0 {
        return 0.0;
    }
    let rates = Rates::least(query, &[], matched, proof, scoring);
    // Without a name in the query none can be one letter off.
    let shared = proof <= 0.0 && !numbered && !told && !query.iter().any(|t| is_name(t.class));
    let most = rates.best(weight, weight, 0.0, extra, scoring.extra);
    if shared { most * scoring.generic_only } else { most }
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
    let names = query.iter().enumerate().filter(|(i, t)| q_mask & (1 << i) != 0 && is_name(t.class));
    let proof = names.map(|(_, t)| t.weight.min(scoring.proof_each)).sum();
    let rates = Rates::least(query, listed, q_mask, proof, scoring);
    let earned = weight * nearest.powf(scoring.steepness);
    rates.best(weight, earned, extra.min(missing), extra.max(missing), scoring.extra.min(1.0))
}

/// The least that a unit of what is left over can cost, and the most that it can earn.
struct Rates {
    omission: f32,
    contradiction: f32,
    slip: f32,
}

impl Rates {
    /// Where no more than these tokens of the query met, with no more proof.
    fn least(query: &[Token], listed: &[Token], matched: u32, proof: f32, scoring: &Scoring) -> Self {
        let syllables_met = query.iter().enumerate().all(|(i, t)| !t.syllabic || matched & (1 << i) != 0);
        let by_proof = scoring.by_proof(scoring.omission, proof);
        let whole_name = is_syllabic(query) && syllables_met;
        let forgiven = scoring.near_miss * ONE_SLIP;
        let omission = if whole_name { by_proof.min(scoring.omission[1]) } else { by_proof };
        let aside = query.iter().chain(listed).any(|t| t.part == Part::Aside);
        Self {
            omission: if aside { omission * scoring.aside } else { omission },
            contradiction: scoring.contradiction * (1.0 - forgiven),
            slip: scoring.slip_earns * forgiven,
        }
    }

    /// The best score where at least `both` stands against something and `left` is left over on the fuller side, of
    /// which what stands alone costs `alone` times the rate of omission. More may be left over than that.
    fn best(&self, weight: f32, earned: f32, both: f32, left: f32, alone: f32) -> f32 {
        let slip_whole = self.slip + self.contradiction;
        // So that more of anything left over never raises the score.
        let earned = earned.max(weight * self.slip / slip_whole.max(f32::MIN_POSITIVE));
        let score = |both: f32| {
            let omitted = self.omission * alone * (left - both);
            (earned + self.slip * both) / (weight + slip_whole * both + omitted)
        };
        // A fraction of two sums is largest at one end.
        score(both).max(score(left))
    }
}

/// The slips of the pen among what is left over on either side.
#[derive(Default)]
struct Slips {
    /// How much of the contradiction they are.
    forgiven: f32,
    /// Whether a name is one letter off: what that earns is as good as a name that met.
    in_name: bool,
}

/// Finds them, most alike first.
fn slips(
    query: Side<'_>,
    listed: Side<'_>,
    out: &Outcome,
    both: f32,
    scoring: &Scoring,
    alike: impl Fn(usize, usize) -> f32,
) -> Slips {
    let mut slips = Slips::default();
    // Where nothing met there is no name to have slipped in.
    if both <= 0.0 || out.pairs.is_empty() {
        return slips;
    }
    let left = |tokens: &[Token], mask: u32| -> SmallVec<[usize; 8]> {
        let telling = |c: Class| !matches!(c, Class::Title | Class::Particle | Class::Initial);
        tokens
            .iter()
            .enumerate()
            .filter(|(i, t)| mask & (1 << i) != 0 && telling(t.class))
            .map(|(i, _)| i)
            .collect()
    };
    let near = |q: usize, n: usize| {
        let (query, listed) = (&query.tokens[q], &listed.tokens[n]);
        match (query.class, listed.class) {
            (Class::Number, Class::Number) if query.one_stroke_from(listed) => ONE_SLIP,
            (Class::Number, _) | (_, Class::Number) => 0.0,
            // Between syllables a slip makes another name.
            _ if query.syllabic && listed.syllabic => 0.0,
            _ => alike(q, n).min(ONE_SLIP),
        }
    };
    let (mut extra, mut missing) = (left(query.tokens, out.extra), left(listed.tokens, out.missing));
    for _ in 0..extra.len().min(missing.len()).min(NEAR_MISSES_MAX) {
        let mut best = (NEAR_MISS_MIN, 0, 0);
        for (i, q) in extra.iter().enumerate() {
            for (j, n) in missing.iter().enumerate() {
                let near = near(*q, *n);
                if near > best.0 {
                    best = (near, i, j);
                }
            }
        }
        if best.0 <= NEAR_MISS_MIN {
            break;
        }
        let (q, n) = (extra.swap_remove(best.1), missing.swap_remove(best.2));
        let (query, listed) = (&query.tokens[q], &listed.tokens[n]);
        slips.forgiven += query.weight.min(listed.weight) * best.0 * scoring.near_miss;
        slips.in_name |= best.0 >= ONE_SLIP && is_name(query.class) && is_name(listed.class);
    }
    slips.forgiven = slips.forgiven.min(both * scoring.near_miss);
    slips
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
    let met = out.pairs.iter().any(|m| {
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

/// Whether a pair may be taken. Syllables are so short that the next one is near: alone among syllables, and several
/// written as one, they meet only if they are spellings of one.
fn may_meet(query: Side<'_>, listed: Side<'_>, pair: &Pair, scoring: &Scoring) -> bool {
    let made = |tokens: &[Token], run: Run| tokens[run.range()].iter().all(|t| t.syllabic);
    let (q, n) = (made(query.tokens, pair.query), made(listed.tokens, pair.listed));
    if q && n {
        let several = pair.query.len > 1 || pair.listed.len > 1;
        return pair.nearness >= if several { SYLLABLES_TOGETHER } else { scoring.floor_syllable };
    }
    let several = (q && pair.query.len > 1) || (n && pair.listed.len > 1);
    !several || pair.nearness >= AS_ONE_WORD
}

/// Two syllables written as one differ less by a letter than one does: `Mingfu` is not `Ming Fai`.
const SYLLABLES_TOGETHER: f32 = 0.92;

/// Syllables of one name that are one word of another, which is none of syllables, are written the same: by consonants
/// alone any two syllables are some Arabic name.
const AS_ONE_WORD: f32 = 0.97;

/// Takes the heaviest pairs first, each token once.
fn take_best(query: Side<'_>, listed: Side<'_>, pairs: &[Pair], scoring: &Scoring, out: &mut Outcome) {
    let weight = |tokens: &[Token], run: Run| -> f32 { tokens[run.range()].iter().map(|t| t.weight).sum() };
    let mut ranked: SmallVec<[PairScore; 16]> = pairs
        .iter()
        .filter(|pair| may_meet(query, listed, pair, scoring))
        .map(|pair| {
            let weight = weight(query.tokens, pair.query).min(weight(listed.tokens, pair.listed));
            PairScore { pair: *pair, weight, earned: weight * pair.nearness.powf(scoring.steepness) }
        })
        .collect();
    // Equal values are told apart by place, so that the order in which pairs were found does not show. A father
    // meets a father first.
    let father = |m: &PairScore| {
        let f = |tokens: &[Token], run: Run| tokens[usize::from(run.from)].father;
        f(query.tokens, m.pair.query) == f(listed.tokens, m.pair.listed)
    };
    let near = |m: &PairScore| m.pair.query.from.abs_diff(m.pair.listed.from);
    ranked.sort_unstable_by(|a, b| {
        let places = |m: &PairScore| (m.pair.query, m.pair.listed);
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
            out.pairs.push(met);
        }
    }
}

/// Whether syllables that met stand in an order that no family name put first or last explains: going round, more
/// than one step leads back, or the family of one is known to be a given name of the other.
fn scrambled(query: Side<'_>, listed: Side<'_>, order: &[(u8, u8)]) -> bool {
    let syllable = |(q, n): &&(u8, u8)| {
        query.tokens[usize::from(*q)].syllabic && listed.tokens[usize::from(*n)].syllabic
    };
    let places: SmallVec<[u8; 8]> = order.iter().filter(syllable).map(|(_, n)| *n).collect();
    let back = |i: usize| places[i] > places[(i + 1) % places.len()];
    let family_given = |(q, n): &&(u8, u8)| {
        let parts = (query.tokens[usize::from(*q)].part, listed.tokens[usize::from(*n)].part);
        matches!(parts, (Part::Family, Part::Given) | (Part::Given, Part::Family))
    };
    let exchanged = order.iter().filter(syllable).any(|pair| family_given(&pair));
    places.len() > 2 && (exchanged || (0..places.len()).filter(|i| back(*i)).count() > 1)
}

/// Collects what speaks against the match as a whole.
fn object(
    query: Side<'_>,
    listed: Side<'_>,
    proof: f32,
    slip_in_name: bool,
    scoring: &Scoring,
    out: &mut Outcome,
) {
    let token = |tokens: &[Token], run: Run| tokens[usize::from(run.from)];
    let (mut to_father, mut from_father) = (false, false);
    for met in &out.pairs {
        let q = token(query.tokens, met.pair.query);
        let n = token(listed.tokens, met.pair.listed);
        to_father |= is_name(q.class) && !q.father && n.father;
        from_father |= is_name(n.class) && q.father && !n.father;
    }
    if to_father && from_father {
        out.against.push((Against::Swapped, scoring.swapped));
    }

    let numbers = |tokens: &[Token]| -> SmallVec<[Token; 2]> {
        tokens.iter().filter(|t| t.class == Class::Number).copied().collect()
    };
    let (q, n) = (numbers(query.tokens), numbers(listed.tokens));
    let any = |alike: fn(&Token, &Token) -> bool| q.iter().any(|q| n.iter().any(|n| alike(q, n)));
    if !q.is_empty() && !n.is_empty() && !any(|q, n| q.number() == n.number()) {
        let all_met: f32 = out.pairs.iter().map(|m| m.earned).sum();
        let proof = if any(Token::one_stroke_from) { f32::MAX } else { all_met };
        out.against.push((Against::NumbersDiffer, scoring.by_proof(scoring.numbers_differ, proof)));
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
        out.pairs.iter().map(|m| (m.pair.query.from, m.pair.listed.from)).collect();
    order.sort_unstable();
    if order.windows(2).any(|w| w[0].1 > w[1].1) {
        let reordered = if scrambled(query, listed, &order) {
            (Against::Scrambled, scoring.scrambled)
        } else {
            (Against::Reordered, scoring.reordered)
        };
        out.against.push(reordered);
    }

    let told = |tokens: &[Token], mask: u32| {
        tokens
            .iter()
            .enumerate()
            .all(|(i, t)| mask & (1 << i) == 0 || matches!(t.class, Class::Particle | Class::Title))
    };
    let complete = told(query.tokens, out.extra) && told(listed.tokens, out.missing);
    let numbered = out.pairs.iter().any(|m| token(query.tokens, m.pair.query).class == Class::Number);
    if proof <= 0.0 && !complete && !numbered && !slip_in_name {
        out.against.push((Against::GenericOnly, scoring.generic_only));
    }
}
