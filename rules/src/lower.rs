//! Lowering: a checked expression becomes native closures that read the event in place. What only the
//! interpreter can evaluate stays a script within; both give the same values and the same errors.

mod numbers;
mod words;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use sluice_model::WindowValue;

use self::numbers::constant;
pub(crate) use self::words::Words;
use crate::{
    EvalError,
    env::Env,
    functions::Compute,
    place::Place,
    reference::Cell,
    tree::{Comparison, Kind, Term},
    types::Type,
};

/// A value or an error; boxed, so that the value travels in registers.
pub(crate) type Out<T> = Result<T, Box<EvalError>>;

/// A lowered expression.
pub(crate) type Native<T> = Box<dyn Fn(&Env<'_>) -> Out<T> + Send + Sync>;

/// What the conditions of a rule came to, over all the cases of a test run.
#[derive(Debug, Default)]
pub(crate) struct Probes(pub Vec<Arc<Probe>>);

/// What one condition came to.
#[derive(Debug)]
pub(crate) struct Probe {
    /// Where it is.
    pub at: Place,
    /// Whether it ever held.
    pub met: AtomicBool,
    /// Whether it ever did not hold.
    pub unmet: AtomicBool,
}

/// Lowers terms, with probes where a test run asks for them.
#[derive(Default)]
pub(crate) struct Lowering<'a> {
    /// Where to note probes.
    pub probes: Option<&'a mut Probes>,
}

impl Lowering<'_> {
    /// A yes or no.
    pub(crate) fn truth(&mut self, term: &Term) -> Native<bool> {
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
            Kind::Call(_, Compute::Truth(test), a, b) => self.of_texts(*test, a, b),
            Kind::Script(script) => {
                let script = Arc::clone(script);
                Box::new(move |env| script.run(env)?.as_bool().map_err(|_| unfit()))
            }
            // Each by its name, so that a new kind of term, or of function, does not compile before it has its place.
            Kind::Whole(_)
            | Kind::Decimal(_)
            | Kind::Text(_)
            | Kind::Texts(_)
            | Kind::Window(_)
            | Kind::Arithmetic(..)
            | Kind::Negate(_)
            | Kind::Absolute(_)
            | Kind::Cell { .. }
            | Kind::Local
            | Kind::Call(_, Compute::Decimal(_) | Compute::Number(..), ..) => Box::new(|_| Err(unfit())),
        }
    }

    /// What a function computes from two texts.
    fn of_texts<T: 'static>(&mut self, compute: fn(&str, &str) -> T, a: &Term, b: &Term) -> Native<T> {
        let (a, b) = (Words::of(self, a), Words::of(self, b));
        Box::new(move |env| Ok(compute(&a.get(env)?, &b.get(env)?)))
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
            return Box::new(move |env| Ok(how.of_decimals(a(env)?, b)));
        }
        let b = self.decimal(b);
        Box::new(move |env| Ok(how.of_decimals(a(env)?, b(env)?)))
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

/// What the checker lets through always fits; if it did not, the rule fails rather than says no.
fn unfit() -> Box<EvalError> {
    Box::new(EvalError::Failed("a value is not of its checked type".to_owned()))
}
