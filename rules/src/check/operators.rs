//! Operators: which types they take, and what comes of them.

use std::sync::Arc;

use rhai::{Expr, FnCallExpr, Position};
use sluice_model::Currency;

use super::{Checker, joined};
use crate::{
    functions::CONTAINS,
    place::{Place, nearest},
    tree::{Comparison, Kind, Operator, Term},
    types::{Type, Unit},
};

impl Checker<'_> {
    /// An operator, a function of ours, or a helper function.
    pub(super) fn call(&mut self, expr: &Expr, call: &FnCallExpr, at: Position) -> Option<Term> {
        let place = Place::from(expr.start_position());
        match (call.name.as_str(), call.args.as_slice()) {
            ("!", [inner]) => {
                let inner = self.truth(inner)?;
                Some(Term { kind: Kind::Not(Box::new(inner)), of: Type::Bool, at: place })
            }
            ("-", [inner]) => self.negative(inner, place),
            ("contains", [list, value]) => self.membership(expr, list, value),
            (sign, [a, b]) if call.is_operator_call() => {
                if let Some(how) = Comparison::of(sign) {
                    return self.comparison(how, a, b, at, place);
                }
                if let Some(how) = Operator::of(sign) {
                    return self.arithmetic(how, a, b, at, place);
                }
                self.error(at, format!("`{sign}` has no place in a rule"));
                None
            }
            (name, args) => self.function(expr, name, args, at),
        }
    }

    pub(super) fn negative(&mut self, inner: &Expr, at: Place) -> Option<Term> {
        let term = self.term(inner)?;
        let of = term.of.clone();
        match (&of, &term.kind) {
            (Type::Number { .. }, Kind::Whole(n)) => {
                Some(Term { kind: Kind::Whole(n.checked_neg()?), of, at })
            }
            (Type::Number { .. }, Kind::Decimal(n)) => Some(Term { kind: Kind::Decimal(-n), of, at }),
            (Type::Number { .. }, _) => Some(Term { kind: Kind::Negate(Box::new(term)), of, at }),
            _ => {
                self.error(inner.start_position(), format!("only a number has a negative, and this is {of}"));
                None
            }
        }
    }

    pub(super) fn comparison(
        &mut self,
        how: Comparison,
        a: &Expr,
        b: &Expr,
        at: Position,
        place: Place,
    ) -> Option<Term> {
        let (left, right) = (self.term(a), self.term(b));
        let (left, right) = (left?, right?);
        let ordered = !matches!(how, Comparison::Equal | Comparison::NotEqual);
        if !left.of.compares_with(&right.of) {
            let message = format!("this compares {} with {}", left.of, right.of);
            match conversion(&left, &right) {
                Some(help) => self.error_with(at, message, help),
                None => self.error(at, message),
            }
            return None;
        }
        if ordered && (left.of.is_text() || left.of == Type::Bool) {
            self.error_with(at, format!("{} has no order", left.of), "compare it with `==`, `!=` or `in`");
            return None;
        }
        self.vocabulary(&left, &right, b.start_position());
        self.vocabulary(&right, &left, a.start_position());
        Some(Term { kind: Kind::Compare(how, Box::new(left), Box::new(right)), of: Type::Bool, at: place })
    }

    /// A text compared with a field of a closed vocabulary must be of it.
    pub(super) fn vocabulary(&mut self, field: &Term, constant: &Term, at: Position) {
        if let (Type::Choice(words), Kind::Text(text)) = (&field.of, &constant.kind)
            && !words.contains(&text.as_ref())
        {
            let diagnostic = self.source.error(at, format!("it is never {text:?}"));
            let diagnostic = match nearest(text, words.iter().copied()) {
                Some(meant) => diagnostic.perhaps(Some(meant)),
                None => diagnostic.help(format!("it is one of: {}", words.join(", "))),
            };
            self.found.push(diagnostic);
        }
    }

    pub(super) fn arithmetic(
        &mut self,
        how: Operator,
        a: &Expr,
        b: &Expr,
        at: Position,
        place: Place,
    ) -> Option<Term> {
        let (left, right) = (self.term(a), self.term(b));
        let (left, right) = (left?, right?);
        let Some(of) = result_of(how, &left.of, &right.of) else {
            let message = format!("`{}` does not fit {} and {}", how.sign(), left.of, right.of);
            match conversion(&left, &right) {
                Some(help) => self.error_with(at, message, help),
                None => self.error(at, message),
            }
            return None;
        };
        if how == Operator::Divide && matches!(right.kind, Kind::Whole(0)) {
            self.error(b.start_position(), "this divides by zero");
            return None;
        }
        Some(Term { kind: Kind::Arithmetic(how, Box::new(left), Box::new(right)), of, at: place })
    }

    /// `value in list`.
    pub(super) fn membership(&mut self, expr: &Expr, list: &Expr, value: &Expr) -> Option<Term> {
        let at = Place::from(value.start_position());
        let held = self.term(value);
        let made = |kind| Some(Term { kind, of: Type::Bool, at });
        if let Expr::Array(items, _) = list {
            let items: Vec<_> = items.iter().map(|item| (item.start_position(), self.term(item))).collect();
            let held = held?;
            let mut terms = Vec::new();
            for (position, item) in items {
                let item = item?;
                let whole = |t: &Type| t.is_text() || matches!(t, Type::Number { whole: true, .. });
                if !item.of.compares_with(&held.of) || !whole(&item.of) || !whole(&held.of) {
                    self.error(
                        position,
                        format!("the list holds {} where {} is looked for", item.of, held.of),
                    );
                    return None;
                }
                self.vocabulary(&held, &item, position);
                terms.push(item);
            }
            return made(Kind::OneOf(Box::new(held), terms));
        }
        let (list, held) = (self.term(list)?, held?);
        match (&list.of, &list.kind) {
            _ if !held.of.is_text() => {}
            (Type::Table(table), _) => return made(Kind::OnTable(Box::new(held), self.table_ref(*table))),
            (Type::Texts, Kind::Texts(texts)) => {
                let all = texts.iter().map(|t| Term { kind: Kind::Text(Arc::clone(t)), of: Type::Text, at });
                return made(Kind::OneOf(Box::new(held), all.collect()));
            }
            (Type::Texts, Kind::Field(field)) => {
                if let Kind::Text(text) = &held.kind {
                    return made(Kind::AnyOf(field.clone(), [Arc::clone(text)].into()));
                }
            }
            (Type::List(of), _) if of.is_text() => return self.script(expr, Type::Bool),
            (of, _) if of.is_text() => {
                return made(Kind::Call("contains", CONTAINS, Box::new(list), Box::new(held)));
            }
            _ => {}
        }
        let message = format!("{} cannot be looked for in {}", held.of, list.of);
        self.error(value.start_position(), message);
        None
    }
}

/// The type of `a how b`, if the two fit.
fn result_of(how: Operator, a: &Type, b: &Type) -> Option<Type> {
    use Operator::{Add, Divide, Multiply, Remainder, Subtract};
    use Type::{Moment, Number};
    Some(match (how, a, b) {
        (Subtract, Moment, Moment) => Type::SECONDS,
        (Add | Subtract, Moment, Number { unit: Unit::Seconds, whole: true }) => Moment,
        (Add | Subtract, Number { unit: x, .. }, Number { unit: y, .. }) if x.agrees_with(*y) => joined(a, b),
        (Remainder, Number { unit: x, whole: true }, Number { unit: y, whole: true })
            if x.agrees_with(*y) =>
        {
            joined(a, b)
        }
        (Multiply, Number { unit: x, whole: p }, Number { unit: y, whole: q }) => {
            let unit = match (x, y) {
                (Unit::Plain | Unit::Share, Unit::Plain | Unit::Share) => Unit::Plain,
                (unit, Unit::Plain | Unit::Share) | (Unit::Plain | Unit::Share, unit) => *unit,
                _ => return None,
            };
            Number { unit, whole: *p && *q }
        }
        (Divide, Number { unit: x, .. }, Number { unit: y, .. }) if x.agrees_with(*y) => Type::DECIMAL,
        (Divide, Number { unit, .. }, Number { unit: Unit::Plain | Unit::Share, .. }) => {
            Number { unit: *unit, whole: false }
        }
        _ => return None,
    })
}

/// What to write where a plain number is used with an amount or a length of time.
fn conversion(a: &Term, b: &Term) -> Option<String> {
    let (number, unit) = match (&a.of, &b.of) {
        (Type::Number { unit: Unit::Plain, .. }, Type::Number { unit, .. }) => (a, *unit),
        (Type::Number { unit, .. }, Type::Number { unit: Unit::Plain, .. }) => (b, *unit),
        (Type::Number { .. }, Type::Text | Type::Choice(_))
        | (Type::Text | Type::Choice(_), Type::Number { .. }) => {
            return Some("a text is in quotes, a number is not".to_owned());
        }
        _ => return None,
    };
    let literal = if let Kind::Whole(n) = number.kind { n } else { 8_000 };
    match unit {
        Unit::Money(Currency::HKD) => {
            Some(format!("write `hkd({literal})`, or declare a parameter with `unit: \"HKD\"`"))
        }
        Unit::Money(currency) => Some(format!("declare a parameter with `unit: \"{currency}\"`")),
        Unit::Seconds => {
            Some(format!("write `hours({literal})`, or declare a parameter with `unit: \"hours\"`"))
        }
        Unit::Plain | Unit::Share => None,
    }
}
