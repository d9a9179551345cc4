//! What a rule is and how it is evaluated, for people and for programs.

use std::fmt::Write;

use serde::Serialize;
use sluice_model::{Action, StatusSet};

use crate::{
    Length, Measure, RuleMeta, Speaks,
    check::Used,
    parameter::Parameter,
    place::Source,
    plan::{Judge, Plan, Rule},
    reference::Reference,
    template::{self, Piece, Template},
    tree::Term,
    window::{DeclaredWindow, RoleFilter},
};

/// What a compiled rule is.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Description {
    /// `R01`.
    pub id: String,
    /// For people.
    pub title: String,
    /// What it is for, in a sentence or two.
    pub about: String,
    /// The file.
    pub file: String,
    /// The kind of key.
    pub key: &'static str,
    /// `structuring`.
    pub typology: String,
    /// What a finding asks for.
    pub action: Action,
    /// What an error asks for.
    pub on_error: Action,
    /// How often it alerts.
    pub speaks: String,
    /// At which statuses a payment counts, once.
    pub statuses: Vec<&'static str>,
    /// Whether it alerts nobody.
    pub shadow: bool,
    /// Whether it is judged beside the rules in force, as what may follow them.
    pub candidate: bool,
    /// The parameters in force.
    pub parameters: Vec<DescribedParameter>,
    /// The windows.
    pub windows: Vec<DescribedWindow>,
    /// The condition with its parameters' values in it.
    pub condition: String,
    /// How the condition is evaluated.
    pub evaluated: Evaluation,
    /// The fields of the event that are read.
    pub fields: Vec<String>,
    /// The reference tables that are read.
    pub tables: Vec<String>,
    /// Whether list matches are read.
    pub screening: bool,
}

/// What a compiled typology is.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DescribedTypology {
    /// `T01`.
    pub id: String,
    /// For people.
    pub title: String,
    /// The file.
    pub file: String,
    /// The kind of key.
    pub key: &'static str,
    /// How often it alerts.
    pub speaks: String,
    /// What each of its rules weighs.
    pub weights: Vec<(String, i64)>,
    /// The sum from which on it alerts.
    pub alert_at: i64,
    /// The sum from which on it holds the payment.
    pub hold_at: Option<i64>,
}

impl DescribedTypology {
    pub(crate) fn of(rule: &Rule, plan: &Plan) -> Option<Self> {
        let Judge::Weights(program) = &*rule.judge else { return None };
        let weight = |(rule, weight): &(usize, i64)| Some((plan.rules.get(*rule)?.meta.id.clone(), *weight));
        Some(Self {
            id: rule.meta.id.clone(),
            title: rule.meta.title.clone(),
            file: rule.file.clone(),
            key: rule.meta.key.name(),
            speaks: speaks(rule.meta.speaks),
            weights: program.weights.iter().filter_map(weight).collect(),
            alert_at: program.alert_at,
            hold_at: program.hold_at,
        })
    }

    /// As text for a terminal.
    pub fn text(&self) -> String {
        let weights: Vec<_> = self.weights.iter().map(|(rule, weight)| format!("{rule} {weight}")).collect();
        let hold = self.hold_at.map_or_else(String::new, |at| format!(", holds from {at}"));
        format!(
            "{}  {}\n  weighs what rules find of each {} on one payment: {}\n  alerts from {}{hold}; speaks {}\n",
            self.id,
            self.title,
            self.key,
            weights.join(", "),
            self.alert_at,
            self.speaks
        )
    }
}

fn speaks(speaks: Speaks) -> String {
    match speaks {
        Speaks::Every => "every event".to_owned(),
        Speaks::Crossing => "on crossing".to_owned(),
        Speaks::OncePer(period) => format!("once per {period}"),
    }
}

/// A parameter in force.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DescribedParameter {
    /// As the rule names it.
    pub name: String,
    /// The value in force.
    pub value: String,
    /// Its unit.
    pub unit: String,
    /// The range in which it may be moved.
    pub range: Option<(f64, f64)>,
    /// Why this value.
    pub why: String,
    /// Who answers for it.
    pub owner: String,
}

/// A window and what it costs.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DescribedWindow {
    /// As the rule names it.
    pub name: String,
    /// What is measured, in words.
    pub measure: String,
    /// Which events enter.
    pub enters: String,
    /// Over which stretch.
    pub length: String,
    /// Whether the event itself is left out.
    pub before: bool,
    /// The stream's identity, shortened: windows of one stream share its samples.
    pub stream: String,
    /// How its filter and value are evaluated.
    pub evaluated: Evaluation,
    /// What an event costs.
    pub cost: &'static str,
    /// What a kept event costs.
    pub memory: &'static str,
}

/// How an expression is evaluated.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Evaluation {
    /// Whether all of it is native.
    pub native: bool,
    /// The places, line and column, that the interpreter evaluates.
    pub interpreted: Vec<(usize, usize)>,
}

impl Evaluation {
    fn of<'a>(terms: impl IntoIterator<Item = &'a Term>) -> Self {
        fn scripts(term: &Term, into: &mut Vec<(usize, usize)>) {
            if matches!(term.kind, crate::tree::Kind::Script(_)) {
                into.push((term.at.line, term.at.column));
            }
            term.children().into_iter().for_each(|child| scripts(child, into));
        }
        let mut interpreted = Vec::new();
        terms.into_iter().for_each(|term| scripts(term, &mut interpreted));
        Self { native: interpreted.is_empty(), interpreted }
    }

    fn words(&self) -> String {
        if self.native {
            return "native".to_owned();
        }
        let places: Vec<_> =
            self.interpreted.iter().map(|(line, column)| format!("{line}:{column}")).collect();
        format!("native, but interpreted at {}", places.join(", "))
    }
}

impl Description {
    #[expect(clippy::too_many_arguments, reason = "it gathers what the compiler knows, once")]
    pub(crate) fn new(
        source: &Source<'_>,
        meta: &RuleMeta,
        about: String,
        parameters: &[Parameter],
        windows: &[DeclaredWindow],
        slots: &[usize],
        condition: &Term,
        reason: &Template,
        used: &Used,
        reference: &Reference,
    ) -> Self {
        let values = reason.pieces.iter().filter_map(|piece| match piece {
            Piece::Value(term, _) => Some(term),
            Piece::Text(_) => None,
        });
        let mut text = condition.to_string();
        for (window, slot) in windows.iter().zip(slots) {
            text = text.replace(&format!("window #{slot}"), &window.name);
        }
        Self {
            id: meta.id.clone(),
            title: meta.title.clone(),
            about,
            file: source.path.to_owned(),
            key: meta.key.name(),
            typology: meta.typology.clone(),
            action: meta.action,
            on_error: meta.on_error,
            speaks: speaks(meta.speaks),
            statuses: statuses(meta.statuses),
            shadow: meta.shadow,
            candidate: false,
            parameters: parameters.iter().map(DescribedParameter::of).collect(),
            windows: windows.iter().map(|w| DescribedWindow::of(w, meta)).collect(),
            condition: text,
            evaluated: Evaluation::of(std::iter::once(condition).chain(values)),
            fields: used.fields.iter().cloned().collect(),
            tables: used.tables.iter().map(|t| reference.tables[*t].name.clone()).collect(),
            screening: used.screening,
        }
    }

    /// As text for a terminal.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let shadow = if self.shadow { "  (shadow: alerts nobody)" } else { "" };
        let _ = writeln!(out, "{}  {}{shadow}", self.id, self.title);
        if !self.about.is_empty() {
            let _ = writeln!(out, "    {}", self.about);
        }
        let _ = writeln!(
            out,
            "  watches each {}, judged when a payment is first {}",
            self.key,
            self.statuses.join(" or ")
        );
        let action = format!("{:?}", self.action).to_lowercase();
        let on_error = format!("{:?}", self.on_error).to_lowercase();
        let _ = writeln!(out, "  asks for: {action}, speaks {}; on an error: {on_error}", self.speaks);
        if !self.parameters.is_empty() {
            let _ = writeln!(out, "  parameters");
        }
        for p in &self.parameters {
            let range = p.range.map_or_else(String::new, |(low, high)| format!(", may be {low} to {high}"));
            let _ = writeln!(out, "    {} = {} ({}{range}; {})", p.name, p.value, p.unit, p.owner);
            let _ = writeln!(out, "        {}", p.why);
        }
        if !self.windows.is_empty() {
            let _ = writeln!(out, "  windows");
        }
        for w in &self.windows {
            let before = if w.before { ", without the event itself" } else { "" };
            let _ = writeln!(out, "    {} = {} over {}{before}", w.name, w.measure, w.length);
            let _ = writeln!(out, "        enters: {}", w.enters);
            let _ = writeln!(
                out,
                "        stream {}, {}; {}; {}",
                w.stream,
                w.evaluated.words(),
                w.cost,
                w.memory
            );
        }
        let _ = writeln!(out, "  condition ({})", self.evaluated.words());
        let _ = writeln!(out, "    {}", self.condition);
        if !self.tables.is_empty() {
            let _ = writeln!(out, "  reference tables: {}", self.tables.join(", "));
        }
        if self.screening {
            let _ = writeln!(
                out,
                "  reads list matches: fails, by its policy, where a party could not be screened"
            );
        }
        out
    }
}

impl DescribedParameter {
    fn of(parameter: &Parameter) -> Self {
        Self {
            name: parameter.name.clone(),
            value: template::written(&parameter.term, &parameter.unit),
            unit: parameter.unit.clone(),
            range: parameter.range,
            why: parameter.why.clone(),
            owner: parameter.owner.clone(),
        }
    }
}

impl DescribedWindow {
    fn of(window: &DeclaredWindow, meta: &RuleMeta) -> Self {
        let stream = &window.stream;
        let role = match stream.role {
            RoleFilter::Debtor => format!("events in which the {} pays", meta.key.name()),
            RoleFilter::Creditor => format!("events in which the {} is paid", meta.key.name()),
            RoleFilter::Either => "every event".to_owned(),
        };
        let filter = stream.filter.as_ref().map_or_else(String::new, |filter| format!(", where {filter}"));
        let of = stream.value.as_ref().map_or_else(String::new, |value| format!(" of {value}"));
        let (name, cost, memory) = cost(window.measure);
        Self {
            name: window.name.clone(),
            measure: format!("{name}{of}"),
            enters: format!("{role}, first {}{filter}", statuses(stream.statuses).join(" or ")),
            length: match window.length {
                Length::Span(span) => span.to_string(),
                Length::Day { .. } => "the calendar day in Hong Kong".to_owned(),
                Length::Year { .. } => "the calendar year in Hong Kong".to_owned(),
                Length::Ever => "all time".to_owned(),
            },
            before: window.before,
            stream: stream.id(meta.key).short(),
            evaluated: Evaluation::of(stream.filter.iter().chain(&stream.value)),
            cost,
            memory,
        }
    }
}

/// The measure in words, and what it costs an event and a kept event.
fn cost(measure: Measure) -> (String, &'static str, &'static str) {
    const RUNNING: &str = "constant per event";
    const QUEUE: &str = "constant per event, amortised";
    const COUNTED: &str = "one look-up per event";
    const ORDERED: &str = "logarithmic per event";
    const DAYS: &str = "a pass over the window's days per event";
    const SAMPLE: &str = "16 bytes per event kept";
    const MORE: &str = "up to 48 bytes per event kept";
    let (name, cost, memory) = match measure {
        Measure::Count => ("count", RUNNING, SAMPLE),
        Measure::Sum => ("sum", RUNNING, SAMPLE),
        Measure::Average => ("average", RUNNING, SAMPLE),
        Measure::StdDev => ("standard deviation", RUNNING, SAMPLE),
        Measure::First => ("when the first came", RUNNING, "one moment per key"),
        Measure::Last => ("when the last came", RUNNING, "one moment per key"),
        Measure::TimeSince => ("time since the one before", RUNNING, "one moment per key"),
        Measure::Min => ("least", QUEUE, SAMPLE),
        Measure::Max => ("greatest", QUEUE, SAMPLE),
        Measure::Distinct => ("number of different values", COUNTED, MORE),
        Measure::DistinctNew => ("number of values not seen before", COUNTED, MORE),
        Measure::Occurrences => ("how often its own value came", COUNTED, MORE),
        Measure::Median => ("median", ORDERED, MORE),
        Measure::Benford => ("chi-square of first digits", RUNNING, SAMPLE),
        Measure::Percentile(percent) => return (format!("{percent}th percentile"), ORDERED, MORE),
        Measure::DayTotal { rank, .. } => {
            return (format!("total on the day of rank {rank} by total"), DAYS, SAMPLE);
        }
        Measure::ShareWithin { low, high } => {
            return (format!("share within {low} to under {high}"), RUNNING, SAMPLE);
        }
        Measure::Similar { percent } => {
            return (format!("how many within ±{percent}% of its own value"), ORDERED, MORE);
        }
    };
    (name.to_owned(), cost, memory)
}

fn statuses(set: StatusSet) -> Vec<&'static str> {
    set.iter().map(|s| s.name()).collect()
}
