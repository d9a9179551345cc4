//! Reasons: text with values in it, each written with its unit, so that words and behaviour cannot drift.

use rhai::Expr;
use sluice_model::{Currency, Money};

use crate::{
    Diagnostic, EvalError,
    check::Checker,
    env::Env,
    lower::{Lowering, Native, Words},
    tree::Term,
    types::{Type, Unit},
};

/// A checked reason.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// In order.
    pub pieces: Vec<Piece>,
}

/// A stretch of a reason.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// As written.
    Text(String),
    /// A value, with the unit of the parameter that it is, if it is one.
    Value(Term, Option<String>),
}

/// A lowered reason.
pub(crate) struct Writer {
    pieces: Vec<Result<String, Native<String>>>,
}

impl Template {
    /// Read what follows `reason`.
    pub(crate) fn read(checker: &mut Checker<'_>, expr: &Expr) -> Option<Self> {
        let parts = match expr {
            Expr::StringConstant(text, _) => {
                return Some(Self { pieces: vec![Piece::Text(text.to_string())] });
            }
            Expr::InterpolatedString(parts, _) => parts,
            other => {
                let diagnostic: Diagnostic = checker
                    .source
                    .error(other.start_position(), "a reason is a text between backticks")
                    .help("write: reason `${payments} payments …`;");
                checker.found.push(diagnostic);
                return None;
            }
        };
        let mut pieces = Vec::new();
        for part in parts {
            pieces.push(match part {
                Expr::StringConstant(text, _) => Piece::Text(text.to_string()),
                value => {
                    // `${x}` is a block of one expression.
                    let unit = crate::path::path_of(unwrapped(value)).and_then(|(name, _)| {
                        checker.parameters.iter().find(|p| p.name == name).map(|p| p.unit.clone())
                    });
                    Piece::Value(checker.term(value)?, unit)
                }
            });
        }
        Some(Self { pieces })
    }

    /// Lower the values.
    pub(crate) fn lower(&self) -> Writer {
        let mut lowering = Lowering::default();
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Text(text) => Ok(text.clone()),
            Piece::Value(term, unit) => Err(spoken(&mut lowering, term, unit.as_deref())),
        });
        Writer { pieces: pieces.collect() }
    }
}

fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Stmt(block) => match block.as_ref().as_ref() {
            [rhai::Stmt::Expr(inner)] => inner,
            _ => expr,
        },
        _ => expr,
    }
}

impl Writer {
    /// The reason for one event. A value that cannot be read is reported as missing: the finding remains.
    pub(crate) fn write(&self, env: &Env<'_>) -> String {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Ok(written) => text.push_str(written),
                Err(value) => match value(env) {
                    Ok(value) => text.push_str(&value),
                    Err(_) => text.push_str("(no value)"),
                },
            }
        }
        text
    }
}

/// A closure that writes a value with its unit.
fn spoken(lowering: &mut Lowering<'_>, term: &Term, unit: Option<&str>) -> Native<String> {
    let unit = unit.map(str::to_owned);
    match term.of {
        Type::Bool => {
            let truth = lowering.truth(term);
            Box::new(move |env| Ok(if truth(env)? { "yes" } else { "no" }.to_owned()))
        }
        Type::Number { unit: Unit::Money(currency), .. } => {
            let amount = lowering.decimal(term);
            Box::new(move |env| Ok(money(amount(env)?, currency)))
        }
        Type::Number { unit: Unit::Seconds, .. } => {
            let seconds = lowering.decimal(term);
            Box::new(move |env| Ok(duration(seconds(env)?, unit.as_deref())))
        }
        Type::Number { unit: Unit::Share, .. } => {
            let share = lowering.decimal(term);
            Box::new(move |env| Ok(format!("{}%", plain(share(env)? * 100.0))))
        }
        Type::Number { whole: true, .. } => {
            let number = lowering.whole(term);
            Box::new(move |env| Ok(number(env)?.to_string()))
        }
        Type::Number { .. } => {
            let number = lowering.decimal(term);
            Box::new(move |env| Ok(plain(number(env)?)))
        }
        Type::Moment => {
            let moment = lowering.whole(term);
            Box::new(move |env| Ok(local(moment(env)?)))
        }
        _ if term.of.is_text() => {
            let words = Words::of(lowering, term);
            Box::new(move |env| words.get(env).map(std::borrow::Cow::into_owned))
        }
        _ => Box::new(|_| Err(Box::new(EvalError::Failed("not a value that can be written".to_owned())))),
    }
}

/// A parameter's value as a reason would write it.
pub(crate) fn written(term: &Term, unit: &str) -> String {
    use crate::tree::Kind;
    match (&term.kind, &term.of) {
        (Kind::Whole(n), Type::Number { unit: Unit::Money(currency), .. }) => money(*n as f64, *currency),
        (Kind::Whole(n), Type::Number { unit: Unit::Seconds, .. }) => duration(*n as f64, Some(unit)),
        (Kind::Decimal(n), Type::Number { unit: Unit::Share, .. }) => format!("{}%", plain(n * 100.0)),
        _ => term.to_string(),
    }
}

/// `HK$7,800.00`, `USD 10,000.00`: whole minor units, rounded.
fn money(minor: f64, currency: Currency) -> String {
    let money = Money::new(minor.round() as i64, currency);
    let text = money.decimal();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').map_or((digits, ""), |(w, f)| (w, f));
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
    match currency {
        Currency::HKD => format!("{sign}HK${grouped}{fraction}"),
        _ => format!("{currency} {sign}{grouped}{fraction}"),
    }
}

/// `24 hours`, `7 days`: in the parameter's own unit, or the largest that divides it.
fn duration(seconds: f64, unit: Option<&str>) -> String {
    const UNITS: [(&str, f64); 4] =
        [("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0), ("seconds", 1.0)];
    let own = UNITS.iter().find(|(name, _)| Some(*name) == unit);
    let (name, length) = *own
        .or_else(|| {
            UNITS.iter().find(|(_, length)| (seconds % length).abs() < f64::EPSILON && seconds >= *length)
        })
        .unwrap_or(if seconds >= 172_800.0 { &UNITS[0] } else { &UNITS[2] });
    let count = seconds / length;
    let name = if (count - 1.0).abs() < f64::EPSILON { &name[..name.len() - 1] } else { name };
    format!("{} {name}", plain(count))
}

/// Up to two decimals, none where there are none.
fn plain(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Hong Kong's date and time.
fn local(seconds: i64) -> String {
    let offset = crate::schema::HONG_KONG_OFFSET_HOURS * 3_600;
    match jiff::Timestamp::from_second(seconds.saturating_add(offset)) {
        Ok(moment) => jiff::tz::Offset::UTC.to_datetime(moment).strftime("%Y-%m-%d %H:%M").to_string(),
        Err(_) => seconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_people_write_them() {
        assert_eq!(money(123_456_789.0, Currency::HKD), "HK$1,234,567.89");
        assert_eq!(money(-50.0, Currency::HKD), "-HK$0.50");
        assert_eq!(money(1_000_000.0, Currency::USD), "USD 10,000.00");
        assert_eq!(duration(86_400.0, Some("hours")), "24 hours");
        assert_eq!(duration(86_400.0, None), "1 day");
        assert_eq!(duration(5_400.0, None), "90 minutes");
        assert_eq!(plain(0.8 * 100.0), "80");
        assert_eq!(plain(2.345), "2.35");
        assert_eq!(local(0), "1970-01-01 08:00");
    }
}
