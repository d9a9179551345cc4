//! What the core needs to run the rules of one kind of key: which samples enter which stream, which windows
//! to read, and the judgement.

use std::{collections::BTreeMap, fmt, sync::Arc};

use sluice_model::{
    Action, Counted, Currency, EventTime, EventType, FailureCause, Hash256, KeyKind, Money, PaymentEvent,
    Severity, Span, StatusSet, WindowValue,
};

use crate::{
    EvalError, Facts, NO_WINDOWS, Windows,
    env::Env,
    lower::{Native, Words},
    reference::Reference,
    template::Writer,
    types::{Type, Unit},
    window::RoleFilter,
};

/// All that is watched on one kind of key. Streams and windows are shared between rules.
#[derive(Debug, Default)]
pub struct Plan {
    /// Samples by time: a filter and a value.
    pub streams: Vec<Stream>,
    /// What is read from the streams.
    pub windows: Vec<Window>,
    /// Rules, then typologies, then those of a candidate: what judgements and alerts name.
    pub rules: Vec<Rule>,
}

/// A filter and a value: which events leave a sample, and which.
#[derive(Debug)]
pub struct Stream {
    /// The hash of its definition: the state survives a change of rules that leaves it alone.
    pub id: Hash256,
    pub(crate) program: StreamProgram,
}

/// How a stream's samples are found.
pub(crate) struct StreamProgram {
    pub role: RoleFilter,
    pub statuses: StatusSet,
    pub events: EventTypes,
    pub filter: Option<Native<bool>>,
    pub value: SampleOf,
    pub reference: Arc<Reference>,
}

/// What a stream samples.
pub(crate) enum SampleOf {
    /// The event itself: 1.
    Event,
    /// A whole number.
    Number(Native<i64>),
    /// A text, by its hash.
    Text(Words),
}

/// Something measured over a stretch of a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Into [`Plan::streams`].
    pub stream: usize,
    /// What is measured.
    pub measure: Measure,
    /// Over which stretch.
    pub length: Length,
    /// Whether the event itself is left out.
    pub before: bool,
}

/// How far back a window reaches: (t − length, t] of event time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Length {
    /// A sliding span.
    Span(Span),
    /// From midnight at a fixed offset from UTC.
    Day {
        /// Hong Kong: 8.
        utc_offset_hours: i64,
    },
    /// From the first of January at a fixed offset from UTC.
    Year {
        /// Hong Kong: 8.
        utc_offset_hours: i64,
    },
    /// Since the key was first seen.
    Ever,
}

/// What a window measures. Empty windows: counts and sums are zero, everything else has no value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Measure {
    /// How many samples.
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Average,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// How many different values.
    Distinct,
    /// When the first came: seconds since 1970.
    First,
    /// When the last came: seconds since 1970.
    Last,
    /// Seconds since the previous sample.
    TimeSince,
    /// The sample standard deviation (n − 1); no value under two samples.
    StdDev,
    /// The middle value; the mean of the middle two.
    Median,
    /// The value at or below which this percentage of samples lies (nearest rank).
    Percentile(u8),
    /// The share of samples with `low ≤ value < high`, from 0 to 1.
    ShareWithin {
        /// In the stream's unit.
        low: i64,
        /// In the stream's unit.
        high: i64,
    },
    /// How many samples lie within ±`percent` of the event's own value.
    Similar {
        /// From 0 to 100.
        percent: i64,
    },
    /// How many samples equal the event's own value.
    Occurrences,
    /// How many different values were not seen before the window began.
    DistinctNew,
    /// The total of the busiest civil day, of the second busiest, …; no value where fewer days have samples.
    DayTotal {
        /// 1 for the busiest.
        rank: usize,
        /// Hong Kong: 8.
        utc_offset_hours: i64,
    },
    /// Chi-square of the first digits against Benford's law, 8 degrees of freedom.
    Benford,
}

/// A compiled rule or typology.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What the rule says of itself.
    pub meta: RuleMeta,
    /// The file it is in.
    pub file: String,
    /// The hash of its text, parameters' values included: the rule's version.
    pub content: Hash256,
    /// The hash of its text alone.
    pub source: Hash256,
    /// The hash of its parameters' values.
    pub parameters: Hash256,
    /// What the values of its windows count; a plain number where a window is not named here.
    pub units: BTreeMap<String, WindowUnit>,
    pub(crate) judge: Arc<Judge>,
}

/// What a window's value counts, for whoever shows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WindowUnit {
    /// Minor units of a currency.
    Money(Currency),
    /// Seconds.
    Seconds,
    /// Seconds since 1970.
    Moment,
}

impl WindowUnit {
    /// A plain number has none.
    pub(crate) fn of(yielded: &Type) -> Option<Self> {
        match yielded {
            Type::Moment => Some(Self::Moment),
            Type::Number { unit: Unit::Money(currency), .. } => Some(Self::Money(*currency)),
            Type::Number { unit: Unit::Seconds, .. } => Some(Self::Seconds),
            _ => None,
        }
    }
}

impl fmt::Display for WindowUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(currency) => f.write_str(currency.code()),
            Self::Seconds => f.write_str("seconds"),
            Self::Moment => f.write_str("moment"),
        }
    }
}

/// How a rule comes to its finding.
pub(crate) enum Judge {
    /// By its own condition.
    Condition(ConditionProgram),
    /// By the findings of other rules on the same event.
    Weights(WeightsProgram),
}

pub(crate) struct ConditionProgram {
    pub condition: Native<bool>,
    pub reason: Writer,
    /// The declared windows: name, and place in [`Plan::windows`].
    pub windows: Vec<(String, usize)>,
    /// The streams under them.
    pub streams: Vec<usize>,
    pub reference: Arc<Reference>,
}

pub(crate) struct WeightsProgram {
    /// Rule, by its place in [`Plan::rules`], and weight.
    pub weights: Vec<(usize, i64)>,
    pub alert_at: i64,
    pub hold_at: Option<i64>,
}

/// What a rule says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleMeta {
    /// `R01`.
    pub id: String,
    /// For people.
    pub title: String,
    /// What it watches.
    pub key: KeyKind,
    /// How grave a finding is.
    pub severity: Severity,
    /// What a finding asks for.
    pub action: Action,
    /// What an error asks for: [`Action::Alert`] or [`Action::Hold`].
    pub on_error: Action,
    /// The pattern that it looks for: `structuring`.
    pub typology: String,
    /// Where the rule comes from.
    pub regulation: Vec<Regulation>,
    /// How often it alerts.
    pub speaks: Speaks,
    /// At which status a payment is judged and counted, once.
    pub statuses: StatusSet,
    /// Which events are judged.
    pub events: EventTypes,
    /// Whether it only records what it would have done.
    pub shadow: bool,
    /// Whether it is judged beside the rules in force, as what may follow them; in shadow, then.
    pub candidate: bool,
}

/// A provision, paper or practice behind a rule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Regulation {
    /// What it says.
    pub text: String,
    /// Where it is.
    pub source: String,
    /// As of when: `YYYY-MM-DD`.
    pub date: String,
}

/// How often a rule alerts on one key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Speaks {
    /// On every event for which the condition holds.
    Every,
    /// When the condition becomes true after it was not.
    Crossing,
    /// At most once in a period.
    OncePer(Span),
}

/// A small set of event types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct EventTypes(pub(crate) u16);

impl EventTypes {
    /// No type.
    pub const EMPTY: Self = Self(0);

    /// This set and one more.
    #[must_use]
    pub const fn with(self, event_type: EventType) -> Self {
        Self(self.0 | 1 << event_type as u16)
    }

    /// Whether the type is in the set.
    pub const fn has(self, event_type: EventType) -> bool {
        self.0 & (1 << event_type as u16) != 0
    }
}

/// What an event leaves in streams: which stream, and the sample; in the streams' order. See [`Plan::admit`].
pub type Samples = Vec<(usize, i64)>;

/// Samples that a payment left and that are to go: stream, time and value.
pub type RemovedSamples = Vec<(usize, EventTime, i64)>;

/// The streams that failed on an event, with the reason; see [`Plan::admit`].
pub type Failures = Vec<(usize, EvalError)>;

/// What one rule says of one event.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// Into [`Plan::rules`].
    pub rule: usize,
    /// What it found.
    pub finding: Finding,
}

/// A condition that holds, or could not be evaluated.
#[derive(Clone, PartialEq, Debug)]
pub struct Finding {
    /// How grave.
    pub severity: Severity,
    /// What it asks for.
    pub action: Action,
    /// In words.
    pub reason: String,
    /// The declared windows' values.
    pub windows: BTreeMap<String, WindowValue>,
    /// Whose fault it is where the condition could not be evaluated, and the rule's failure policy applies. A typology's is
    /// its members', the rule's own before the input's.
    pub error: Option<FailureCause>,
}

impl Stream {
    /// The sample that the event leaves, if it enters: minor units of HKD, a count of 1, or a stable 64-bit
    /// hash of a text.
    pub fn admit(&self, facts: &Facts<'_>) -> Result<Option<i64>, EvalError> {
        let (program, status) = (&self.program, facts.event.status);
        if !self.is_for(facts) || !program.statuses.has(status) {
            return Ok(None);
        }
        if program.statuses.counts(status, facts.past.prior) {
            return self.sample(facts);
        }
        match facts.past.counted {
            Some(counted) => self.difference(facts, counted),
            None => Ok(None),
        }
    }

    /// What a payment that counted before adds where its amount rises: the difference of a number that let the earlier
    /// amount in, and nothing to a count; the whole where the filter lets it in only now.
    fn difference(&self, facts: &Facts<'_>, counted: Money) -> Result<Option<i64>, EvalError> {
        // What could not be evaluated then did not enter.
        let then = self.sample(&Facts { amount: Some(counted), ..*facts }).unwrap_or(None);
        let now = self.sample(facts)?;
        Ok(match (then, now, &self.program.value) {
            (None, now, _) => now,
            (Some(then), Some(now), SampleOf::Number(_)) => now.checked_sub(then).filter(|more| *more > 0),
            _ => None,
        })
    }

    /// The samples of a number that the payment left, where the event ends it before any money moved and does not itself
    /// count. A sample that the filter does not let in as the event tells the payment stays: a count of attempts, and
    /// what an event that says little cannot tell.
    fn taken_back(&self, facts: &Facts<'_>) -> Vec<(EventTime, i64)> {
        let program = &self.program;
        let is_number = matches!(program.value, SampleOf::Number(_));
        if !is_number || !self.is_for(facts) || program.statuses.has(facts.event.status) {
            return Vec::new();
        }
        let mut before = None;
        let counted = facts.past.uncounted.iter().filter(|counted| program.statuses.has(counted.status));
        let samples = counted.filter_map(|Counted { at, worth, .. }| {
            let event = PaymentEvent { occurred_at: *at, ..facts.event.clone() };
            let of = |amount| self.sample(&Facts { event: &event, amount: Some(amount), ..*facts });
            let then = before.replace(*worth).and_then(|worth| of(worth).ok().flatten());
            let now = of(*worth).ok().flatten()?;
            Some((*at, then.map_or(Some(now), |then| now.checked_sub(then))?))
        });
        samples.collect()
    }

    /// Whether it takes events of this type, and the key is on its side.
    fn is_for(&self, facts: &Facts<'_>) -> bool {
        let is_on_its_side = match self.program.role {
            RoleFilter::Either => true,
            RoleFilter::Debtor => facts.role.is_debtor(),
            RoleFilter::Creditor => facts.role.is_creditor(),
        };
        is_on_its_side && self.program.events.has(facts.event.event_type)
    }

    /// The sample of an event that counts, if the filter lets it in.
    fn sample(&self, facts: &Facts<'_>) -> Result<Option<i64>, EvalError> {
        let program = &self.program;
        let env = Env { facts, windows: &NO_WINDOWS, reference: &program.reference };
        if let Some(filter) = &program.filter
            && !filter(&env).map_err(|e| *e)?
        {
            return Ok(None);
        }
        match &program.value {
            SampleOf::Event => Ok(Some(1)),
            SampleOf::Number(value) => value(&env).map(Some).map_err(|e| *e),
            SampleOf::Text(words) => words.get(&env).map(|text| Some(hash_of_text(&text))).map_err(|e| *e),
        }
    }
}

/// A hash of a text that is the same on every machine and in every version: window state holds it.
fn hash_of_text(text: &str) -> i64 {
    use std::hash::Hasher;
    #[expect(deprecated, reason = "the stable SipHasher is wanted: its output is specified")]
    let mut hasher = std::hash::SipHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish().cast_signed()
}

impl Plan {
    /// The samples that the event leaves; a stream that fails takes none, and is named in `failures` for
    /// [`Plan::judge`].
    pub fn admit(&self, facts: &Facts<'_>, samples: &mut Samples, failures: &mut Failures) {
        samples.clear();
        failures.clear();
        for (i, stream) in self.streams.iter().enumerate() {
            match stream.admit(facts) {
                Ok(Some(sample)) => samples.push((i, sample)),
                Ok(None) => {}
                Err(error) => failures.push((i, error)),
            }
        }
    }

    /// The samples that are to go, since the event ends its payment before any money moved.
    pub fn taken_back(&self, facts: &Facts<'_>) -> RemovedSamples {
        if facts.past.uncounted.is_empty() {
            return Vec::new();
        }
        let of = |(i, stream): (usize, &Stream)| {
            stream.taken_back(facts).into_iter().map(move |(at, value)| (i, at, value))
        };
        self.streams.iter().enumerate().flat_map(of).collect()
    }

    /// What the rules say of the event, each of them: none is ever left out. Windows are read as far as conditions and
    /// reasons reach them. A rule whose expression, or whose window's stream, fails is judged by its failure policy:
    /// never silently no.
    pub fn judge(
        &self,
        facts: &Facts<'_>,
        windows: &dyn Windows,
        failures: &[(usize, EvalError)],
        out: &mut Vec<Judgement>,
    ) {
        let from = out.len();
        for (index, rule) in self.rules.iter().enumerate() {
            if !rule.meta.judges(facts) {
                continue;
            }
            let finding = match rule.judge.as_ref() {
                Judge::Condition(program) => rule.finding(program, facts, windows, failures),
                Judge::Weights(program) => rule.weighed(program, &self.rules, &out[from..]),
            };
            out.extend(finding.map(|finding| Judgement { rule: index, finding }));
        }
    }

    /// What one rule with a condition says of the event.
    pub fn judge_one(
        &self,
        rule: usize,
        facts: &Facts<'_>,
        windows: &dyn Windows,
        failures: &[(usize, EvalError)],
    ) -> Option<Finding> {
        let rule = self.rules.get(rule).filter(|rule| rule.meta.judges(facts))?;
        match rule.judge.as_ref() {
            Judge::Condition(program) => rule.finding(program, facts, windows, failures),
            Judge::Weights(_) => None,
        }
    }

    /// The windows of a rule with a condition that is asked at any time: none of its windows leaves out the event that is
    /// judged, or measures from it.
    pub fn slots_at_any_time(&self, rule: usize) -> Option<Vec<usize>> {
        let Judge::Condition(program) = self.rules.get(rule)?.judge.as_ref() else { return None };
        let slots: Vec<usize> = program.windows.iter().map(|(_, slot)| *slot).collect();
        let is_free = |slot: &usize| {
            let window = &self.windows[*slot];
            !window.before && window.measure != Measure::TimeSince
        };
        (!slots.is_empty() && slots.iter().all(is_free)).then_some(slots)
    }

    /// Weigh the findings of an event once more, after some were added.
    pub fn weigh_again(&self, facts: &Facts<'_>, judgements: &mut Vec<Judgement>) {
        judgements.retain(|judgement| !self.rules[judgement.rule].is_typology());
        for (index, rule) in self.rules.iter().enumerate() {
            if let Judge::Weights(program) = rule.judge.as_ref()
                && rule.meta.judges(facts)
            {
                let finding = rule.weighed(program, &self.rules, judgements);
                judgements.extend(finding.map(|finding| Judgement { rule: index, finding }));
            }
        }
        judgements.sort_by_key(|judgement| judgement.rule);
    }
}

impl Plan {
    /// Judge the rules of a candidate that differ, in shadow; its windows begin with this plan's. The ids of those that
    /// differ.
    pub(crate) fn judge_beside(&mut self, candidate: Self) -> Vec<String> {
        self.streams.extend(candidate.streams.into_iter().skip(self.streams.len()));
        self.windows = candidate.windows;
        let (mut places, mut differ) = (Vec::new(), Vec::new());
        for rule in candidate.rules {
            let same = |held: &Rule| held.meta.id == rule.meta.id && held.content == rule.content;
            let place = self.rules.iter().position(same).unwrap_or(self.rules.len());
            if place == self.rules.len() {
                differ.push(rule.meta.id.clone());
                self.rules.push(rule.beside(&places));
            }
            places.push(place);
        }
        differ
    }
}

impl Rule {
    /// The rule in shadow. `places`: where the rules before it went.
    fn beside(mut self, places: &[usize]) -> Self {
        if let Judge::Weights(program) = self.judge.as_ref() {
            let weights = program.weights.iter().map(|(rule, weight)| (places[*rule], *weight)).collect();
            self.judge = Arc::new(Judge::Weights(WeightsProgram { weights, ..*program }));
        }
        (self.meta.shadow, self.meta.candidate) = (true, true);
        self
    }

    /// The attributes of events that the set's reference declares, where the rule has a condition that may read them.
    pub(crate) fn declared_attributes(&self) -> Option<&BTreeMap<String, Type>> {
        match self.judge.as_ref() {
            Judge::Condition(program) => Some(&program.reference.attributes),
            Judge::Weights(_) => None,
        }
    }

    /// Whether it weighs the findings of other rules.
    pub fn is_typology(&self) -> bool {
        matches!(self.judge.as_ref(), Judge::Weights(_))
    }

    fn finding(
        &self,
        program: &ConditionProgram,
        facts: &Facts<'_>,
        windows: &dyn Windows,
        failures: &[(usize, EvalError)],
    ) -> Option<Finding> {
        let env = &Env { facts, windows, reference: &program.reference };
        let failed = failures.iter().find(|(stream, _)| program.streams.contains(stream));
        let met = match failed {
            Some((_, error)) => Err(error.clone()),
            None => (program.condition)(env).map_err(|error| *error),
        };
        let (action, reason, error) = match met {
            Ok(false) => return None,
            Ok(true) => (self.meta.action, program.reason.write(env), None),
            Err(error) => (self.meta.on_error, self.failure(&error), Some(error.cause())),
        };
        let named = |(name, slot): &(String, usize)| (name.clone(), env.windows.value(*slot));
        let windows = program.windows.iter().map(named).collect();
        Some(Finding { severity: self.meta.severity, action, reason, windows, error })
    }

    fn failure(&self, error: &EvalError) -> String {
        format!("{} could not be judged: {error}", self.meta.title)
    }

    /// The finding of a typology. A member that could not be judged counts as found, and its harder action
    /// stays: a softer finding never lowers a harder one.
    fn weighed(&self, program: &WeightsProgram, rules: &[Self], judgements: &[Judgement]) -> Option<Finding> {
        // A rule in shadow alerts nobody, through a typology neither.
        let counts = |rule: usize| self.meta.shadow || !rules[rule].meta.shadow;
        let met = |rule: usize| judgements.iter().find(|j| j.rule == rule && counts(rule));
        let members: Vec<_> =
            program.weights.iter().filter_map(|(rule, weight)| Some((met(*rule)?, *weight))).collect();
        let score: i64 = members.iter().map(|(_, weight)| weight).sum();
        if score < program.alert_at {
            return None;
        }
        let own = if program.hold_at.is_some_and(|at| score >= at) { Action::Hold } else { Action::Alert };
        let parts: Vec<_> =
            members.iter().map(|(j, weight)| format!("{} ({weight})", rules[j.rule].meta.id)).collect();
        let reason =
            format!("{}: score {score} of {} from {}", self.meta.title, program.alert_at, parts.join(", "));
        Some(Finding {
            severity: members.iter().map(|(j, _)| j.finding.severity).fold(self.meta.severity, Ord::max),
            action: members.iter().map(|(j, _)| j.finding.action).fold(own, Ord::max),
            reason,
            windows: members.iter().flat_map(|(j, _)| j.finding.windows.clone()).collect(),
            error: members.iter().filter_map(|(j, _)| j.finding.error).max(),
        })
    }
}

impl fmt::Debug for StreamProgram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("compiled")
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("compiled")
    }
}

impl RuleMeta {
    /// Whether the event is one that the rule judges: of its types, and at a status that it judges.
    pub fn judges(&self, facts: &Facts<'_>) -> bool {
        self.events.has(facts.event.event_type) && self.statuses.judges(facts.event.status, facts.past)
    }
}
