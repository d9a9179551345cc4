//! Lowering: a checked expression becomes native closures that read the event in place. What only the
//! interpreter can evaluate stays a script within; both give the same values and the same errors.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sluice_model::{Currency, WindowValue};

use crate::{
    EvalError, Facts, Windows,
    interpret::Script,
    place::Place,
    reference::{Cell, Reference},
    schema::Field,
    tree::{Comparison, Kind, Operator, Part, Term},
    types::Type,
};

/// What an expression is evaluated in.
#[derive(Clone, Copy)]
pub struct Env<'a> {
    /// The event.
    pub facts: &'a Facts<'a>,
    /// The values of the plan's windows.
    pub windows: &'a dyn Windows,
    /// Tables and rates.
    pub reference: &'a Arc<Reference>,
}

/// A value or an error; boxed, so that the value travels in registers.
pub type Out<T> = Result<T, Box<EvalError>>;

/// A lowered expression.
pub type Native<T> = Box<dyn Fn(&Env<'_>) -> Out<T> + Send + Sync>;

/// What the conditions of a rule came to, over all the cases of a test run.
#[derive(Debug, Default)]
pub struct Probes(pub Vec<Arc<Probe>>);

/// What one condition came to.
#[derive(Debug)]
pub struct Probe {
    /// Where it stands.
    pub at: Place,
    /// Whether it was ever met.
    pub met: AtomicBool,
    /// Whether it was ever not met.
    pub unmet: AtomicBool,
}

/// Lowers terms, with probes where a test run asks for them.
#[derive(Default)]
pub struct Lowering<'a> {
    /// Where to note probes.
    pub probes: Option<&'a mut Probes>,
}

impl Lowering<'_> {
    /// A yes or no.
    pub fn truth(&mut self, term: &Term) -> Native<bool> {
        let inner = self.bare_truth(term);
        let compound = matches!(term.kind, Kind::And(_) | Kind::Or(_) | Kind::Not(_) | Kind::Bool(_));
        match &mut self.probes {
            Some(probes) if !compound => {
                let probe = Arc::new(Probe {
                    at: term.at,
                    met: AtomicBool::new(false),
                    unmet: AtomicBool::new(false),
                });
                probes.0.push(Arc::clone(&probe));
                Box::new(move |env| {
                    let value = inner(env)?;
                    (if value { &probe.met } else { &probe.unmet }).store(true, Ordering::Relaxed);
                    Ok(value)
                })
            }
            _ => inner,
        }
    }

    fn bare_truth(&mut self, term: &Term) -> Native<bool> {
        match &term.kind {
            Kind::Bool(value) => {
                let value = *value;
                Box::new(move |_| Ok(value))
            }
            Kind::Field(field) => {
                let field = field.clone();
                Box::new(move |env| field.truth(env.facts)?.ok_or_else(|| Box::new(field.missing())))
            }
            Kind::Has(what) => presence(what),
            Kind::Else(value, other) => {
                let (has, value, other) = (presence(value), self.truth(value), self.truth(other));
                Box::new(move |env| if has(env)? { value(env) } else { other(env) })
            }
            Kind::Not(inner) => {
                let inner = self.truth(inner);
                Box::new(move |env| Ok(!inner(env)?))
            }
            Kind::And(all) => {
                let all: Box<[_]> = all.iter().map(|t| self.truth(t)).collect();
                Box::new(move |env| {
                    for part in &all {
                        if !part(env)? {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                })
            }
            Kind::Or(all) => {
                let all: Box<[_]> = all.iter().map(|t| self.truth(t)).collect();
                Box::new(move |env| {
                    for part in &all {
                        if part(env)? {
                            return Ok(true);
                        }
                    }
                    Ok(false)
                })
            }
            Kind::Compare(how, a, b) => self.comparison(*how, a, b),
            Kind::OneOf(value, all) => self.one_of(value, all),
            Kind::OnTable(value, table) => {
                let (value, table) = (Words::of(self, value), table.index);
                Box::new(move |env| {
                    Ok(env.reference.tables[table].holds(&value.get(env)?, env.facts.event.occurred_at)?)
                })
            }
            Kind::AnyOnTable(field, table) => {
                let (field, table) = (field.clone(), table.index);
                Box::new(move |env| {
                    let at = env.facts.event.occurred_at;
                    Ok(field.any_text(env.facts, |text| env.reference.tables[table].holds(text, at))?)
                })
            }
            Kind::AnyOf(field, texts) => {
                let (field, texts) = (field.clone(), Arc::clone(texts));
                Box::new(move |env| {
                    Ok(field.any_text(env.facts, |text| Ok(texts.iter().any(|t| t.as_ref() == text)))?)
                })
            }
            Kind::If(condition, a, b) => {
                let (condition, a, b) = (self.truth(condition), self.truth(a), self.truth(b));
                Box::new(move |env| if condition(env)? { a(env) } else { b(env) })
            }
            Kind::Part(part, text, piece) => {
                let (part, text, piece) = (*part, Words::of(self, text), Words::of(self, piece));
                Box::new(move |env| {
                    let (text, piece) = (text.get(env)?, piece.get(env)?);
                    Ok(match part {
                        Part::Start => text.starts_with(piece.as_ref()),
                        Part::End => text.ends_with(piece.as_ref()),
                        Part::Anywhere => text.contains(piece.as_ref()),
                    })
                })
            }
            Kind::Script(script) => {
                let script = Arc::clone(script);
                Box::new(move |env| script.run(env)?.as_bool().map_err(|_| unfit()))
            }
            _ => Box::new(|_| Err(unfit())),
        }
    }

    fn comparison(&mut self, how: Comparison, a: &Term, b: &Term) -> Native<bool> {
        let whole = |t: &Term| matches!(t.of, Type::Number { whole: true, .. } | Type::Moment);
        if let (Kind::Field(field), Kind::Text(text)) = (&a.kind, &b.kind)
            && let Some(plain) = field.plain_text()
        {
            let (missing, text, equal) = (field.missing(), Arc::clone(text), how != Comparison::NotEqual);
            return Box::new(move |env| match plain.get(env.facts) {
                Some(held) => Ok((held == &*text) == equal),
                None => Err(Box::new(missing.clone())),
            });
        }
        if a.of.is_text() {
            let (a, b) = (Words::of(self, a), Words::of(self, b));
            return match how {
                Comparison::NotEqual => Box::new(move |env| Ok(a.get(env)? != b.get(env)?)),
                _ => Box::new(move |env| Ok(a.get(env)? == b.get(env)?)),
            };
        }
        if a.of == Type::Bool {
            let (a, b) = (self.truth(a), self.truth(b));
            return match how {
                Comparison::NotEqual => Box::new(move |env| Ok(a(env)? != b(env)?)),
                _ => Box::new(move |env| Ok(a(env)? == b(env)?)),
            };
        }
        if whole(a) && whole(b) {
            if let Kind::Whole(constant) = b.kind {
                return whole_against(how, self.whole(a), constant);
            }
            return compared(how, self.whole(a), self.whole(b));
        }
        let a = self.decimal(a);
        if let Some(b) = constant(b) {
            return Box::new(move |env| Ok(compare_decimals(how, a(env)?, b)));
        }
        let b = self.decimal(b);
        Box::new(move |env| Ok(compare_decimals(how, a(env)?, b(env)?)))
    }

    fn one_of(&mut self, value: &Term, all: &[Term]) -> Native<bool> {
        if value.of.is_text() {
            let value = Words::of(self, value);
            let all: Box<[_]> = all.iter().map(|t| Words::of(self, t)).collect();
            return Box::new(move |env| {
                let value = value.get(env)?;
                for item in &all {
                    if item.get(env)? == value {
                        return Ok(true);
                    }
                }
                Ok(false)
            });
        }
        let value = self.whole(value);
        let all: Box<[_]> = all.iter().map(|t| self.whole(t)).collect();
        Box::new(move |env| {
            let value = value(env)?;
            for item in &all {
                if item(env)? == value {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// A whole number, a moment, an amount.
    pub fn whole(&mut self, term: &Term) -> Native<i64> {
        match &term.kind {
            Kind::Whole(n) => {
                let n = *n;
                Box::new(move |_| Ok(n))
            }
            Kind::Field(field) if field.is_amount() => {
                let field = field.clone();
                Box::new(move |env| match &env.facts.event.amount {
                    Some(money) if money.currency == Currency::HKD => Ok(money.minor),
                    _ => field.whole(env.facts, env.reference)?.ok_or_else(|| Box::new(field.missing())),
                })
            }
            Kind::Field(field) => {
                let field = field.clone();
                Box::new(move |env| {
                    field.whole(env.facts, env.reference)?.ok_or_else(|| Box::new(field.missing()))
                })
            }
            Kind::Window(window) => {
                let (window, missing) = (*window, term.missing());
                Box::new(move |env| match env.windows.value(window) {
                    WindowValue::Int(n) => Ok(n),
                    WindowValue::Float(n) => Ok(n.round() as i64),
                    WindowValue::Nothing(()) => Err(Box::new(missing.clone())),
                })
            }
            Kind::Else(value, other) => {
                let (has, value, other) = (presence(value), self.whole(value), self.whole(other));
                Box::new(move |env| if has(env)? { value(env) } else { other(env) })
            }
            Kind::If(condition, a, b) => {
                let (condition, a, b) = (self.truth(condition), self.whole(a), self.whole(b));
                Box::new(move |env| if condition(env)? { a(env) } else { b(env) })
            }
            Kind::Arithmetic(how, a, b) => {
                let (how, a, b) = (*how, self.whole(a), self.whole(b));
                Box::new(move |env| whole_arithmetic(how, a(env)?, b(env)?))
            }
            Kind::Negate(a) => {
                let a = self.whole(a);
                Box::new(move |env| a(env)?.checked_neg().ok_or_else(overflow))
            }
            Kind::Absolute(a) => {
                let a = self.whole(a);
                Box::new(move |env| a(env)?.checked_abs().ok_or_else(overflow))
            }
            Kind::Least(a, b) => {
                let (a, b) = (self.whole(a), self.whole(b));
                Box::new(move |env| Ok(a(env)?.min(b(env)?)))
            }
            Kind::Greatest(a, b) => {
                let (a, b) = (self.whole(a), self.whole(b));
                Box::new(move |env| Ok(a(env)?.max(b(env)?)))
            }
            Kind::Cell { .. } => {
                let cell = cell(self, term);
                Box::new(move |env| match cell(env)? {
                    Cell::Whole(n) => Ok(n),
                    _ => Err(unfit()),
                })
            }
            Kind::Script(script) => {
                let script = Arc::clone(script);
                Box::new(move |env| script.run(env)?.as_int().map_err(|_| unfit()))
            }
            _ => Box::new(|_| Err(unfit())),
        }
    }

    /// A decimal number; a whole one counts as such.
    pub fn decimal(&mut self, term: &Term) -> Native<f64> {
        if matches!(term.of, Type::Number { whole: true, .. } | Type::Moment) {
            let whole = self.whole(term);
            return Box::new(move |env| Ok(whole(env)? as f64));
        }
        match &term.kind {
            Kind::Decimal(n) => {
                let n = *n;
                Box::new(move |_| Ok(n))
            }
            Kind::Field(field) => {
                let field = field.clone();
                Box::new(move |env| field.decimal(env.facts)?.ok_or_else(|| Box::new(field.missing())))
            }
            Kind::Window(window) => {
                let (window, missing) = (*window, term.missing());
                Box::new(move |env| match env.windows.value(window) {
                    WindowValue::Int(n) => Ok(n as f64),
                    WindowValue::Float(n) => Ok(n),
                    WindowValue::Nothing(()) => Err(Box::new(missing.clone())),
                })
            }
            Kind::Else(value, other) => {
                let (has, value, other) = (presence(value), self.decimal(value), self.decimal(other));
                Box::new(move |env| if has(env)? { value(env) } else { other(env) })
            }
            Kind::If(condition, a, b) => {
                let (condition, a, b) = (self.truth(condition), self.decimal(a), self.decimal(b));
                Box::new(move |env| if condition(env)? { a(env) } else { b(env) })
            }
            Kind::Arithmetic(how, a, b) => {
                if let Some(n) = constant(term) {
                    return Box::new(move |_| Ok(n));
                }
                let (how, a, b) = (*how, self.decimal(a), self.decimal(b));
                Box::new(move |env| decimal_arithmetic(how, a(env)?, b(env)?))
            }
            Kind::Negate(a) => {
                let a = self.decimal(a);
                Box::new(move |env| Ok(-a(env)?))
            }
            Kind::Absolute(a) => {
                let a = self.decimal(a);
                Box::new(move |env| Ok(a(env)?.abs()))
            }
            Kind::Least(a, b) => {
                let (a, b) = (self.decimal(a), self.decimal(b));
                Box::new(move |env| Ok(a(env)?.min(b(env)?)))
            }
            Kind::Greatest(a, b) => {
                let (a, b) = (self.decimal(a), self.decimal(b));
                Box::new(move |env| Ok(a(env)?.max(b(env)?)))
            }
            Kind::Likeness(how, a, b) => {
                let (how, a, b) = (*how, Words::of(self, a), Words::of(self, b));
                Box::new(move |env| Ok(how.of(&a.get(env)?, &b.get(env)?)))
            }
            Kind::Cell { .. } => {
                let cell = cell(self, term);
                Box::new(move |env| match cell(env)? {
                    Cell::Whole(n) => Ok(n as f64),
                    Cell::Decimal(n) => Ok(n),
                    Cell::Text(_) => Err(unfit()),
                })
            }
            Kind::Script(script) => {
                let script = Arc::clone(script);
                Box::new(move |env| {
                    let value = script.run(env)?;
                    value.as_float().or_else(|_| value.as_int().map(|n| n as f64)).map_err(|_| unfit())
                })
            }
            _ => Box::new(|_| Err(unfit())),
        }
    }
}

/// A text, borrowed from the event or the rule where it can be.
pub enum Words {
    /// A constant.
    Constant(Arc<str>),
    /// A field.
    Field(Field),
    /// A value, where there is one, or another.
    Else(Native<bool>, Box<[Self; 2]>),
    /// What a table says.
    Cell(Native<Cell>),
    /// What the interpreter makes.
    Script(Arc<Script>),
    /// Nothing of the kind.
    Unfit,
}

impl Words {
    /// Lower a text.
    pub fn of(lowering: &mut Lowering<'_>, term: &Term) -> Self {
        match &term.kind {
            Kind::Text(text) => Self::Constant(Arc::clone(text)),
            Kind::Field(field) => Self::Field(field.clone()),
            Kind::Else(value, other) => {
                Self::Else(presence(value), Box::new([Self::of(lowering, value), Self::of(lowering, other)]))
            }
            Kind::If(condition, a, b) => Self::Else(
                lowering.truth(condition),
                Box::new([Self::of(lowering, a), Self::of(lowering, b)]),
            ),
            Kind::Cell { .. } => Self::Cell(cell(lowering, term)),
            Kind::Script(script) => Self::Script(Arc::clone(script)),
            _ => Self::Unfit,
        }
    }

    /// The text for one event.
    pub fn get<'a>(&'a self, env: &Env<'a>) -> Out<Cow<'a, str>> {
        match self {
            Self::Constant(text) => Ok(Cow::Borrowed(text)),
            Self::Field(field) => field.text(env.facts)?.ok_or_else(|| Box::new(field.missing())),
            Self::Else(choice, texts) => texts[usize::from(!choice(env)?)].get(env),
            Self::Cell(cell) => match cell(env)? {
                Cell::Text(text) => Ok(Cow::Owned(text)),
                _ => Err(unfit()),
            },
            Self::Script(script) => script.run(env)?.into_string().map(Cow::Owned).map_err(|_| unfit()),
            Self::Unfit => Err(unfit()),
        }
    }
}

fn presence(term: &Term) -> Native<bool> {
    match &term.kind {
        Kind::Field(field) if field.plain_text().is_some() => {
            let plain = field.plain_text();
            Box::new(move |env| Ok(plain.is_some_and(|plain| plain.get(env.facts).is_some())))
        }
        Kind::Field(field) => {
            let field = field.clone();
            Box::new(move |env| Ok(field.present(env.facts)?))
        }
        Kind::Window(window) => {
            let window = *window;
            Box::new(move |env| Ok(!matches!(env.windows.value(window), WindowValue::Nothing(()))))
        }
        _ => Box::new(|_| Ok(true)),
    }
}

fn cell(lowering: &mut Lowering<'_>, term: &Term) -> Native<Cell> {
    let Kind::Cell { table, row, column } = &term.kind else { return Box::new(|_| Err(unfit())) };
    let (table, row, column) = (table.index, Words::of(lowering, row), column.index);
    Box::new(move |env| {
        let at = env.facts.event.occurred_at;
        Ok(env.reference.tables[table].cell(&row.get(env)?, column, at)?.clone())
    })
}

/// The commonest comparison, with a constant, without a call for the constant.
fn whole_against(how: Comparison, a: Native<i64>, b: i64) -> Native<bool> {
    match how {
        Comparison::Equal => Box::new(move |env| Ok(a(env)? == b)),
        Comparison::NotEqual => Box::new(move |env| Ok(a(env)? != b)),
        Comparison::Less => Box::new(move |env| Ok(a(env)? < b)),
        Comparison::LessOrEqual => Box::new(move |env| Ok(a(env)? <= b)),
        Comparison::Greater => Box::new(move |env| Ok(a(env)? > b)),
        Comparison::GreaterOrEqual => Box::new(move |env| Ok(a(env)? >= b)),
    }
}

/// The value of what is made of parameters and literals alone.
fn constant(term: &Term) -> Option<f64> {
    match &term.kind {
        Kind::Whole(n) => Some(*n as f64),
        Kind::Decimal(n) => Some(*n),
        Kind::Arithmetic(how, a, b) if !matches!(term.of, Type::Number { whole: true, .. }) => {
            decimal_arithmetic(*how, constant(a)?, constant(b)?).ok()
        }
        _ => None,
    }
}

/// Decimals are equal when they differ by no more than their representation does: 80 % of HK$20,000.00 is
/// HK$16,000.00, whatever binary fractions make of it. The interpreter compares by the same function.
pub fn compare_decimals(how: Comparison, a: f64, b: f64) -> bool {
    let scale = if a * b == 0.0 { 1.0 } else { a.abs().max(b.abs()) };
    let difference = (a - b) / scale;
    match how {
        Comparison::Equal => difference.abs() <= f64::EPSILON,
        Comparison::NotEqual => difference.abs() > f64::EPSILON,
        Comparison::Less => difference < -f64::EPSILON,
        Comparison::LessOrEqual => difference <= f64::EPSILON,
        Comparison::Greater => difference > f64::EPSILON,
        Comparison::GreaterOrEqual => difference >= -f64::EPSILON,
    }
}

fn compared<T: PartialOrd + 'static>(how: Comparison, a: Native<T>, b: Native<T>) -> Native<bool> {
    match how {
        Comparison::Equal => Box::new(move |env| Ok(a(env)? == b(env)?)),
        Comparison::NotEqual => Box::new(move |env| Ok(a(env)? != b(env)?)),
        Comparison::Less => Box::new(move |env| Ok(a(env)? < b(env)?)),
        Comparison::LessOrEqual => Box::new(move |env| Ok(a(env)? <= b(env)?)),
        Comparison::Greater => Box::new(move |env| Ok(a(env)? > b(env)?)),
        Comparison::GreaterOrEqual => Box::new(move |env| Ok(a(env)? >= b(env)?)),
    }
}

fn whole_arithmetic(how: Operator, a: i64, b: i64) -> Out<i64> {
    match how {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Remainder if b == 0 => return Err(Box::new(EvalError::DivisionByZero)),
        Operator::Remainder => a.checked_rem(b),
        Operator::Divide => return Err(unfit()),
    }
    .ok_or_else(overflow)
}

fn decimal_arithmetic(how: Operator, a: f64, b: f64) -> Out<f64> {
    Ok(match how {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide if b == 0.0 => return Err(Box::new(EvalError::DivisionByZero)),
        Operator::Divide => a / b,
        Operator::Remainder => return Err(unfit()),
    })
}

fn overflow() -> Box<EvalError> {
    Box::new(EvalError::Overflow)
}

/// What the checker lets through always fits; if it did not, the rule fails rather than says no.
fn unfit() -> Box<EvalError> {
    Box::new(EvalError::Failed("a value is not of its checked type".to_owned()))
}
