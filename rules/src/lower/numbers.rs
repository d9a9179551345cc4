//! Numbers: whole ones (moments and amounts among them) and decimals.

use std::sync::Arc;

use sluice_model::{Currency, WindowValue};

use super::{Lowering, Native, Out, cell, presence, unfit};
use crate::{
    EvalError,
    functions::Compute,
    reference::Cell,
    tree::{Kind, Operator, Term},
    types::Type,
};

impl Lowering<'_> {
    /// A whole number, a moment, an amount.
    pub(crate) fn whole(&mut self, term: &Term) -> Native<i64> {
        match &term.kind {
            Kind::Whole(n) => {
                let n = *n;
                Box::new(move |_| Ok(n))
            }
            Kind::Field(field) if field.is_amount() => {
                let field = field.clone();
                Box::new(move |env| match &env.facts.amount {
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
            Kind::Call(_, Compute::Number(whole, _), a, b) => {
                of_numbers(*whole, self.whole(a), self.whole(b))
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
    pub(crate) fn decimal(&mut self, term: &Term) -> Native<f64> {
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
            Kind::Call(_, Compute::Number(_, decimal), a, b) => {
                of_numbers(*decimal, self.decimal(a), self.decimal(b))
            }
            Kind::Call(_, Compute::Decimal(measure), a, b) => self.of_texts(*measure, a, b),
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

/// What a function computes from two numbers.
fn of_numbers<T: 'static>(compute: fn(T, T) -> T, a: Native<T>, b: Native<T>) -> Native<T> {
    Box::new(move |env| Ok(compute(a(env)?, b(env)?)))
}

/// The value of what is made of parameters and literals alone.
pub(super) fn constant(term: &Term) -> Option<f64> {
    match &term.kind {
        Kind::Whole(n) => Some(*n as f64),
        Kind::Decimal(n) => Some(*n),
        Kind::Arithmetic(how, a, b) if !matches!(term.of, Type::Number { whole: true, .. }) => {
            decimal_arithmetic(*how, constant(a)?, constant(b)?).ok()
        }
        _ => None,
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
