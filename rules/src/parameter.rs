//! Parameters: the numbers and lists that a company may move, each with its unit, its reason, its owner and
//! the range in which it may be moved; and the overlay file in which it does.

use std::{collections::BTreeMap, sync::Arc};

use rhai::Expr;
use serde::Deserialize;
use sluice_model::{Currency, Hash256, Money};

use crate::{
    Diagnostic,
    fields::Fields,
    place::{Place, Source, nearest},
    syntax::Block,
    tree::{Kind, Term},
    types::{Type, Unit},
};

/// A parameter with its value in force.
#[derive(Clone, Debug)]
pub(crate) struct Parameter {
    /// As the rule names it.
    pub name: String,
    /// The value, in minor units, seconds, a share, …
    pub term: Term,
    /// The unit as written: `HKD`, `hours`, `payers`.
    pub unit: String,
    /// Why this value.
    pub why: String,
    /// Who answers for it.
    pub owner: String,
    /// The least and the greatest value, in the same unit as the value.
    pub range: Option<(f64, f64)>,
    /// Where it is declared.
    pub at: Place,
}

/// A company's own values: `parameters.toml`.
#[derive(Debug, Default)]
pub(crate) struct Overlay {
    values: BTreeMap<(String, String), OverlaidValue>,
}

#[derive(Debug)]
struct OverlaidValue {
    path: String,
    text: Arc<str>,
    value: toml::Spanned<toml::Value>,
    why: String,
    owner: String,
    used: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OverlayEntry {
    value: toml::Spanned<toml::Value>,
    why: String,
    owner: String,
}

impl Overlay {
    /// Take in one `parameters.toml`.
    pub(crate) fn add(&mut self, source: &Source<'_>, found: &mut Vec<Diagnostic>) {
        let file: BTreeMap<String, BTreeMap<String, OverlayEntry>> = match toml::from_str(source.text) {
            Ok(file) => file,
            Err(error) => {
                let at = error.span().map(|span| source.place(span.start)).unwrap_or_default();
                found.push(source.error(at, error.message().to_owned()));
                return;
            }
        };
        let text: Arc<str> = source.text.into();
        for (rule, parameters) in file {
            for (name, entry) in parameters {
                let at = source.place(entry.value.span().start);
                for (field, given) in [("why", &entry.why), ("owner", &entry.owner)] {
                    if given.trim().is_empty() {
                        found.push(source.error(at, format!("{rule}.{name}: `{field}` is empty")));
                    }
                }
                let value = OverlaidValue {
                    path: source.path.to_owned(),
                    text: Arc::clone(&text),
                    value: entry.value,
                    why: entry.why,
                    owner: entry.owner,
                    used: false,
                };
                if self.values.insert((rule.clone(), name.clone()), value).is_some() {
                    found.push(
                        source.error(at, format!("{rule}.{name} is set in another parameter file too")),
                    );
                }
            }
        }
    }

    /// Put the company's values in place of the rule's own.
    pub(crate) fn apply(&mut self, rule: &str, parameters: &mut [Parameter], found: &mut Vec<Diagnostic>) {
        for ((_, name), overlaid) in self.values.iter_mut().filter(|((of, _), _)| of == rule) {
            overlaid.used = true;
            let source = Source { path: &overlaid.path, text: &overlaid.text };
            let at = source.place(overlaid.value.span().start);
            let names: Vec<String> = parameters.iter().map(|p| p.name.clone()).collect();
            let Some(parameter) = parameters.iter_mut().find(|p| p.name == *name) else {
                let message = format!("rule {rule} has no parameter `{name}`");
                let meant = nearest(name, names.iter().map(String::as_str));
                found.push(source.error(at, message).perhaps(meant));
                continue;
            };
            let literal = Literal::of_toml(overlaid.value.get_ref());
            match literal.and_then(|literal| literal.term(&parameter.unit, at)) {
                Some((term, amount)) if term.of == parameter.term.of => {
                    if let (Some((low, high)), Some(amount)) = (parameter.range, amount)
                        && !(low..=high).contains(&amount)
                    {
                        let message =
                            format!("{rule}.{name} is {amount}, outside of the rule's range {low} to {high}");
                        found.push(
                            source.error(at, message).help("a wider range is a change of the rule itself"),
                        );
                        continue;
                    }
                    parameter.term = term;
                    parameter.why.clone_from(&overlaid.why);
                    parameter.owner.clone_from(&overlaid.owner);
                }
                _ => found.push(source.error(
                    at,
                    format!("{rule}.{name} must be a value in {}, as in the rule", parameter.unit),
                )),
            }
        }
    }

    /// Say which values belong to no rule.
    pub(crate) fn finish(&self, rules: &[&str], found: &mut Vec<Diagnostic>) {
        for ((rule, name), overlaid) in self.values.iter().filter(|(_, v)| !v.used) {
            let source = Source { path: &overlaid.path, text: &overlaid.text };
            let at = source.place(overlaid.value.span().start);
            let message = format!("{rule}.{name}: there is no rule {rule}");
            found.push(source.error(at, message).perhaps(nearest(rule, rules.iter().copied())));
        }
    }
}

/// A literal, in a rule or in an overlay.
enum Literal {
    Number(String, f64),
    Text(String),
    Texts(Vec<String>),
    Flag(bool),
}

impl Literal {
    fn of_expr(expr: &Expr) -> Option<Self> {
        Some(match expr {
            Expr::IntegerConstant(n, _) => Self::Number(n.to_string(), *n as f64),
            Expr::FloatConstant(n, _) => Self::Number(format!("{:?}", **n), **n),
            Expr::StringConstant(text, _) => Self::Text(text.to_string()),
            Expr::BoolConstant(value, _) => Self::Flag(*value),
            Expr::Array(items, _) => {
                let texts = items.iter().map(|item| match item {
                    Expr::StringConstant(text, _) => Some(text.to_string()),
                    _ => None,
                });
                Self::Texts(texts.collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    fn of_toml(value: &toml::Value) -> Option<Self> {
        Some(match value {
            toml::Value::Integer(n) => Self::Number(n.to_string(), *n as f64),
            toml::Value::Float(n) => Self::Number(format!("{n:?}"), *n),
            toml::Value::String(text) => Self::Text(text.clone()),
            toml::Value::Boolean(value) => Self::Flag(*value),
            toml::Value::Array(items) => {
                Self::Texts(items.iter().map(|i| i.as_str().map(str::to_owned)).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    /// The value in a unit, and the number as written.
    fn term(self, unit: &str, at: Place) -> Option<(Term, Option<f64>)> {
        let made = |kind, of, amount| Some((Term { kind, of, at }, amount));
        match self {
            Self::Text(text) if unit == "text" => made(Kind::Text(text.into()), Type::Text, None),
            Self::Flag(value) if unit == "yes or no" => made(Kind::Bool(value), Type::Bool, None),
            Self::Texts(texts) if unit == "list" => {
                made(Kind::Texts(texts.into_iter().map(Arc::from).collect()), Type::Texts, None)
            }
            Self::Number(written, n) => {
                if let Ok(currency) = unit.parse::<Currency>() {
                    let minor =
                        Money::parse(written.strip_suffix(".0").unwrap_or(&written), currency).ok()?.minor;
                    let of = Type::Number { unit: Unit::Money(currency), whole: true };
                    return made(Kind::Whole(minor), of, Some(n));
                }
                let whole = written.parse::<i64>().ok();
                let seconds = match unit {
                    "seconds" => Some(1),
                    "minutes" => Some(60),
                    "hours" => Some(3_600),
                    "days" => Some(86_400),
                    _ => None,
                };
                if let Some(seconds) = seconds {
                    return made(Kind::Whole(whole?.checked_mul(seconds)?), Type::SECONDS, Some(n));
                }
                match (unit, whole) {
                    ("percent", _) => made(
                        Kind::Decimal(n / 100.0),
                        Type::Number { unit: Unit::Share, whole: false },
                        Some(n),
                    ),
                    ("decimal", _) => made(Kind::Decimal(n), Type::DECIMAL, Some(n)),
                    ("text" | "list" | "yes or no", _) => None,
                    (_, Some(whole)) => made(Kind::Whole(whole), Type::WHOLE, Some(n)),
                    (_, None) => None,
                }
            }
            _ => None,
        }
    }
}

impl Parameter {
    /// Read `parameter name #{ … };`.
    pub(crate) fn read(source: &Source<'_>, block: &Block, found: &mut Vec<Diagnostic>) -> Option<Self> {
        const KNOWN: &[&str] = &["value", "unit", "why", "owner", "range"];
        let mut fields = Fields::of(source, "parameter", block, KNOWN, found);
        let at = Place::from(block.at);
        let why = fields.required_text("why");
        let owner = fields.required_text("owner");
        let unit = fields.required_text("unit");
        let value = fields.required("value")?;
        let (unit, why, owner) = (unit?, why?, owner?);
        let read = Literal::of_expr(value).and_then(|literal| literal.term(unit, at));
        let Some((term, amount)) = read else {
            fields.error_with(
                "value",
                format!("this is no value in {unit}"),
                "units: a currency, percent, seconds, minutes, hours, days, decimal, text, list, \"yes or no\", \
                 or what a whole number counts (payments, payers)",
            );
            return None;
        };
        let range = fields.range(amount);
        if let (Some((low, high)), Some(amount)) = (range, amount)
            && !(low..=high).contains(&amount)
        {
            fields.error("value", format!("{amount} is outside of the allowed range {low} to {high}"));
        }
        let (why, owner, unit) = (why.to_owned(), owner.to_owned(), unit.to_owned());
        Some(Self { name: block.name.clone(), term, unit, why, owner, range, at })
    }

    /// The hash of names and values.
    pub(crate) fn hash(all: &[Self]) -> Hash256 {
        let values: Vec<_> = all.iter().map(|p| (p.name.as_str(), p.term.to_string())).collect();
        Hash256::of_parts(values.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]))
    }
}

impl Fields<'_> {
    /// The range of a number: required of numbers, meaningless for anything else.
    fn range(&mut self, amount: Option<f64>) -> Option<(f64, f64)> {
        amount?;
        let expr = self.required("range")?;
        let number = |expr: &Expr| match expr {
            Expr::IntegerConstant(n, _) => Some(*n as f64),
            Expr::FloatConstant(n, _) => Some(**n),
            _ => None,
        };
        let range = match expr {
            Expr::Array(ends, _) => match ends.as_slice() {
                [low, high] => number(low).zip(number(high)).filter(|(low, high)| low <= high),
                _ => None,
            },
            _ => None,
        };
        if range.is_none() {
            self.error("range", "a range is a list of the least and the greatest value: [1, 10]");
        }
        range
    }
}
