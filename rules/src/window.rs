//! Declared windows: what enters, what is measured, over which stretch of the key's past.

use rhai::{AST, Expr};
use sluice_model::{EventType, Hash256, KeyKind, Span, StatusSet, limits as model_limits};

use crate::{
    Diagnostic, EventTypes, Length, Measure,
    check::{Checker, Used},
    fields::Fields,
    parameter::Parameter,
    path,
    place::{Place, Source},
    schema::{HONG_KONG_OFFSET_HOURS, Schema},
    syntax::Block,
    tree::{Kind, Term},
    types::{Type, Unit},
};

/// A checked window.
#[derive(Clone, Debug)]
pub(crate) struct DeclaredWindow {
    /// As the rule names it.
    pub name: String,
    /// Where it is declared.
    pub at: Place,
    /// What enters.
    pub stream: StreamDefinition,
    /// What is measured.
    pub measure: Measure,
    /// Over which stretch.
    pub length: Length,
    /// Whether the event itself is left out.
    pub before: bool,
    /// What it yields.
    pub of: Type,
    /// Whether it may have no value.
    pub optional: bool,
}

/// What leaves a sample, and which.
#[derive(Clone, Debug)]
pub(crate) struct StreamDefinition {
    /// On which side the key must be.
    pub role: RoleFilter,
    /// At which status a payment counts.
    pub statuses: StatusSet,
    /// Which events.
    pub events: EventTypes,
    /// Under which condition.
    pub filter: Option<Term>,
    /// The sample; one for each event where there is none.
    pub value: Option<Term>,
}

/// On which side the key must be for an event to enter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RoleFilter {
    Debtor,
    Creditor,
    Either,
}

/// What a measure needs of its samples.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// The events themselves, whatever they sample.
    Events,
    /// Whole numbers.
    Numbers,
    /// Whole numbers or texts.
    Anything,
}

const MEASURES: &[(&str, Needs)] = &[
    ("count", Needs::Events),
    ("first_seen", Needs::Events),
    ("last_seen", Needs::Events),
    ("time_since", Needs::Events),
    ("sum", Needs::Numbers),
    ("average", Needs::Numbers),
    ("min", Needs::Numbers),
    ("max", Needs::Numbers),
    ("standard_deviation", Needs::Numbers),
    ("median", Needs::Numbers),
    ("percentile", Needs::Numbers),
    ("share_within", Needs::Numbers),
    ("similar", Needs::Numbers),
    ("day_total", Needs::Numbers),
    ("benford", Needs::Numbers),
    ("distinct", Needs::Anything),
    ("distinct_new", Needs::Anything),
    ("occurrences", Needs::Anything),
];

/// The last busiest day that a window may ask for: no sliding window holds more days.
const DAY_RANK_MAX: usize = 400;

const KNOWN: &[&str] = &[
    "measure", "of", "where", "role", "length", "before", "statuses", "events", "low", "high", "percent",
    "rank",
];

/// What a window is checked with.
pub(crate) struct Context<'a> {
    pub source: &'a Source<'a>,
    pub schema: Schema<'a>,
    pub parameters: &'a [Parameter],
    /// Helper functions.
    pub functions: &'a AST,
    /// What the rule counts unless the window says otherwise.
    pub statuses: StatusSet,
    /// Which events the rule counts unless the window says otherwise.
    pub events: EventTypes,
    /// Whether nothing is to be lowered.
    pub interpreted: bool,
}

impl<'a> Context<'a> {
    /// What checks a window's expressions, which see no window.
    fn checker(&self, used: &'a mut Used, found: &'a mut Vec<Diagnostic>) -> Checker<'a> {
        Checker::new(self.source, self.schema, self.parameters, &[], self.functions, used, found)
    }
}

impl DeclaredWindow {
    /// Read `window name #{ … };`.
    pub(crate) fn read(
        context: &Context<'_>,
        block: &Block,
        used: &mut Used,
        found: &mut Vec<Diagnostic>,
    ) -> Option<Self> {
        let mut fields = Fields::of(context.source, "window", block, KNOWN, found);
        fields.required("measure");
        let words: Vec<(&str, usize)> =
            MEASURES.iter().enumerate().map(|(i, (word, _))| (*word, i)).collect();
        let measure = fields.word("measure", &words).map(|i| MEASURES[i]);
        let role = fields.expr("role").map_or(Some(RoleFilter::Either), |_| {
            fields.word(
                "role",
                &[
                    ("debtor", RoleFilter::Debtor),
                    ("creditor", RoleFilter::Creditor),
                    ("either", RoleFilter::Either),
                ],
            )
        });
        let before = fields.flag("before").unwrap_or(false);
        let length = length(&mut fields, context, used);
        let statuses = statuses(&mut fields).unwrap_or(context.statuses);
        let events = events(&mut fields).unwrap_or(context.events);
        let (filter_expr, value_expr) = (fields.expr("where"), fields.expr("of"));

        let mut checker = context.checker(used, fields.found);
        let filter = filter_expr.map(|expr| checker.truth(expr));
        if let Some(Some(filter)) = &filter {
            filter.implied(true, &mut checker.known);
        }
        let value = value_expr.map(|expr| checker.term(expr));
        let whole =
            |checker: &mut Checker<'_>, expr: Option<&Expr>, term: Option<Option<Term>>| match (expr, term) {
                (Some(expr), Some(Some(term))) if context.interpreted => {
                    Some(Some(checker.interpreted(expr, term)))
                }
                (_, term) => term,
            };
        let filter = whole(&mut checker, filter_expr, filter);
        let value = whole(&mut checker, value_expr, value);
        let mut fields = Fields::of(context.source, "window", block, KNOWN, found);
        let (word, needs) = measure?;
        let value_type = match (needs, &value) {
            (Needs::Events, None) => Type::WHOLE,
            (_, None) => {
                let help = "for example `of: amount` or `of: counterparty.account`";
                fields.error_with("of", format!("`{word}` does not say what it is `of`"), help);
                return None;
            }
            (_, Some(value)) => value.as_ref()?.of.clone(),
        };
        let is_number = matches!(value_type, Type::Number { whole: true, .. });
        if !is_number && (needs == Needs::Numbers || !value_type.is_text()) {
            fields.error("of", format!("`{word}` does not fit {value_type}"));
            return None;
        }
        let unit = if let Type::Number { unit, .. } = value_type { unit } else { Unit::Plain };
        let (measure, of, optional) = measured(word, unit, &mut fields, context, used)?;
        Some(Self {
            name: block.name.clone(),
            at: block.at.into(),
            stream: StreamDefinition {
                role: role?,
                statuses,
                events,
                filter: filter.map_or(Some(None), |f| f.map(Some))?,
                value: value.flatten(),
            },
            measure,
            length: length?,
            before,
            of,
            optional,
        })
    }
}

/// The measure of that name, what it yields, and whether it may have no value.
fn measured(
    word: &str,
    unit: Unit,
    fields: &mut Fields<'_>,
    context: &Context<'_>,
    used: &mut Used,
) -> Option<(Measure, Type, bool)> {
    let whole = Type::Number { unit, whole: true };
    let decimal = Type::Number { unit, whole: false };
    Some(match word {
        "count" => (Measure::Count, Type::WHOLE, false),
        "sum" => (Measure::Sum, whole, false),
        "average" => (Measure::Average, decimal, true),
        "min" => (Measure::Min, whole, true),
        "max" => (Measure::Max, whole, true),
        "distinct" => (Measure::Distinct, Type::WHOLE, false),
        "distinct_new" => (Measure::DistinctNew, Type::WHOLE, false),
        "occurrences" => (Measure::Occurrences, Type::WHOLE, false),
        "first_seen" => (Measure::First, Type::Moment, true),
        "last_seen" => (Measure::Last, Type::Moment, true),
        "time_since" => (Measure::TimeSince, Type::SECONDS, true),
        "standard_deviation" => (Measure::StdDev, decimal, true),
        "median" => (Measure::Median, decimal, true),
        "benford" => (Measure::Benford, Type::DECIMAL, true),
        "percentile" => {
            let percent = constant(fields, "percent", Unit::Plain, context, used)?;
            let Some(percent) = u8::try_from(percent).ok().filter(|p| (1..=99).contains(p)) else {
                fields.error("percent", "a percentile lies between 1 and 99");
                return None;
            };
            (Measure::Percentile(percent), whole, true)
        }
        "day_total" => {
            let rank = constant(fields, "rank", Unit::Plain, context, used)?;
            let Some(rank) = usize::try_from(rank).ok().filter(|rank| (1..=DAY_RANK_MAX).contains(rank))
            else {
                fields.error("rank", format!("a day's rank lies between 1 and {DAY_RANK_MAX}"));
                return None;
            };
            (Measure::DayTotal { rank, utc_offset_hours: HONG_KONG_OFFSET_HOURS }, whole, true)
        }
        "similar" => {
            let percent = constant(fields, "percent", Unit::Plain, context, used)?;
            if !(0..=100).contains(&percent) {
                fields.error("percent", "similar amounts lie within 0 to 100 percent");
                return None;
            }
            (Measure::Similar { percent }, Type::WHOLE, false)
        }
        _ => {
            let low = constant(fields, "low", unit, context, used);
            let high = constant(fields, "high", unit, context, used);
            let (low, high) = (low?, high?);
            if low >= high {
                fields.error("low", "the band's lower end is not below its upper end");
                return None;
            }
            (Measure::ShareWithin { low, high }, Type::Number { unit: Unit::Share, whole: false }, true)
        }
    })
}

/// A number that a measure needs: a literal or a parameter, in the unit of the samples. A parameter in
/// percent counts as its number of percent.
fn constant(
    fields: &mut Fields<'_>,
    name: &str,
    unit: Unit,
    context: &Context<'_>,
    used: &mut Used,
) -> Option<i64> {
    let expr = fields.required(name)?;
    let mut checker = context.checker(used, fields.found);
    let term = checker.term(expr)?;
    match (&term.kind, &term.of) {
        (Kind::Whole(n), Type::Number { unit: held, .. }) if held.agrees_with(unit) => Some(*n),
        (Kind::Decimal(share), Type::Number { unit: Unit::Share, .. }) if unit == Unit::Plain => {
            Some((share * 100.0).round() as i64)
        }
        _ => {
            let wanted = Type::Number { unit, whole: true };
            fields.error(name, format!("`{name}` must be {wanted}: a number, or a parameter"));
            None
        }
    }
}

/// How far a window reaches: "24h", "day", "year", "ever" or a parameter.
fn length(fields: &mut Fields<'_>, context: &Context<'_>, used: &mut Used) -> Option<Length> {
    let expr = fields.required("length")?;
    let utc_offset_hours = HONG_KONG_OFFSET_HOURS;
    let span = match expr {
        Expr::StringConstant(text, _) => match text.as_str() {
            "day" => return Some(Length::Day { utc_offset_hours }),
            "year" => return Some(Length::Year { utc_offset_hours }),
            "ever" => return Some(Length::Ever),
            text => text.parse::<Span>().ok(),
        },
        other => {
            let parameter =
                path::path_of(other).and_then(|(name, _)| context.parameters.iter().find(|p| p.name == name));
            match parameter.map(|p| (&p.name, &p.term.kind, &p.term.of)) {
                Some((name, Kind::Whole(seconds), Type::Number { unit: Unit::Seconds, .. })) => {
                    used.parameters.insert(name.clone());
                    Some(Span::seconds(*seconds))
                }
                _ => None,
            }
        }
    };
    let Some(span) = span else {
        fields.error_with(
            "length",
            "this is no length of time",
            "write \"15m\", \"24h\", \"7d\", \"day\", \"year\", \"ever\", or a parameter in minutes, hours or days",
        );
        return None;
    };
    if !(model_limits::WINDOW_LENGTH_MIN..=model_limits::WINDOW_LENGTH_MAX).contains(&span) {
        let (low, high) = (model_limits::WINDOW_LENGTH_MIN, model_limits::WINDOW_LENGTH_MAX);
        fields.error("length", format!("a window is between {low} and {high} long"));
        return None;
    }
    Some(Length::Span(span))
}

/// The statuses that a declaration counts, if it says so.
pub(crate) fn statuses(fields: &mut Fields<'_>) -> Option<StatusSet> {
    let known: Vec<_> = sluice_model::PaymentStatus::ALL.iter().map(|s| (s.name(), *s)).collect();
    Some(fields.words("statuses", &known)?.into_iter().collect())
}

/// The event types that a declaration counts, if it says so.
pub(crate) fn events(fields: &mut Fields<'_>) -> Option<EventTypes> {
    let known = EventType::ALL.map(|sort| (sort.name(), sort));
    Some(fields.words("events", &known)?.into_iter().fold(EventTypes::EMPTY, EventTypes::with))
}

impl StreamDefinition {
    /// The identity of the stream: a hash of what it means, not of how it is written.
    pub(crate) fn id(&self, key: KeyKind) -> Hash256 {
        let statuses: Vec<_> = self.statuses.iter().map(|s| s.name()).collect();
        let parts = [
            "sluice/stream/v1".to_owned(),
            key.name().to_owned(),
            format!("{:?}", self.role),
            statuses.join(","),
            self.events.bits().to_string(),
            self.filter.as_ref().map_or_else(String::new, Term::to_string),
            self.value.as_ref().map_or_else(String::new, Term::to_string),
        ];
        Hash256::of_parts(parts.iter().map(String::as_bytes))
    }
}
