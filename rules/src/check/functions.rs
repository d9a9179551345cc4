//! Calls of the functions that every rule may call: whether the arguments fit, and what comes of them.

use std::sync::Arc;

use rhai::{Expr, Position};
use sluice_model::Currency;

use super::{Checker, joined};
use crate::{
    functions::{Compute, Does, Function, Takes},
    limits, path,
    place::{Place, nearest},
    schema,
    tree::{Kind, Read, TableRef, Term},
    types::{Type, Unit},
};

impl Checker<'_> {
    pub(super) fn list(&mut self, expr: &Expr, items: &[Expr]) -> Option<Term> {
        if items.len() > limits::LIST_ENTRIES_MAX {
            let message =
                format!("a list may hold {} entries; this one has {}", limits::LIST_ENTRIES_MAX, items.len());
            self.error_with(expr.start_position(), message, "put it into a reference table");
            return None;
        }
        let mut of = None;
        for item in items {
            let term = self.term(item)?;
            match &of {
                Some(first) if !term.of.compares_with(first) => {
                    self.error(
                        item.start_position(),
                        format!("the list holds {first}, and this is {}", term.of),
                    );
                    return None;
                }
                _ => of = Some(term.of),
            }
        }
        let Some(of) = of else {
            self.error(expr.start_position(), "an empty list holds nothing to compare");
            return None;
        };
        self.script(expr, Type::List(Arc::new(of)))
    }

    pub(super) fn function(&mut self, expr: &Expr, name: &str, args: &[Expr], at: Position) -> Option<Term> {
        let Some(function) = Function::named(name) else { return self.helper(expr, name, args, at) };
        let place = Place::from(expr.start_position());
        match (&function.does, args) {
            (Does::Has, [what]) => self.has(what, place),
            (Does::Literal(of, factor), [n]) => self.constant(n, of.clone(), *factor, place),
            (Does::Percent, [Expr::IntegerConstant(n, _)]) => {
                let of = Type::Number { unit: Unit::Share, whole: false };
                Some(Term { kind: Kind::Decimal(*n as f64 / 100.0), of, at: place })
            }
            (Does::AmountIn, [Expr::StringConstant(code, position)]) => {
                self.amount_in(code, *position, place)
            }
            (Does::Lookup, [table, row, column]) => self.lookup(table, row, column, place),
            (Does::AnyIn, [values, list]) => self.any_in(values, list, place),
            (Does::Absolute, [n]) => {
                let n = self.argument(name, Takes::Number, n)?;
                Some(Term { of: n.of.clone(), kind: Kind::Absolute(Box::new(n)), at: place })
            }
            (Does::Compute(compute), [a, b]) => {
                let (a, b, of) = self.operands(name, *compute, a, b, at)?;
                let kind = Kind::Call(function.name, *compute, Box::new(a), Box::new(b));
                Some(Term { kind, of, at: place })
            }
            (Does::Interpreted(takes, of), [value]) => {
                self.argument(name, *takes, value)?;
                self.script(expr, of.clone())
            }
            (
                Does::Has
                | Does::Literal(..)
                | Does::Percent
                | Does::AmountIn
                | Does::Lookup
                | Does::AnyIn
                | Does::Absolute
                | Does::Compute(_)
                | Does::Interpreted(..),
                _,
            ) => self.helper(expr, name, args, at),
        }
    }

    /// What a function computes from, and the type of what comes of it.
    fn operands(
        &mut self,
        name: &str,
        compute: Compute,
        a: &Expr,
        b: &Expr,
        at: Position,
    ) -> Option<(Term, Term, Type)> {
        let of = match compute {
            Compute::Truth(_) => Type::Bool,
            Compute::Decimal(_) => Type::DECIMAL,
            Compute::Number(..) => {
                let (a, b) = (self.term(a)?, self.term(b)?);
                if !matches!(a.of, Type::Number { .. } | Type::Moment) || !a.of.compares_with(&b.of) {
                    self.error(at, format!("`{name}` does not fit {} and {}", a.of, b.of));
                    return None;
                }
                let of = joined(&a.of, &b.of);
                return Some((a, b, of));
            }
        };
        Some((self.argument(name, Takes::Text, a)?, self.argument(name, Takes::Text, b)?, of))
    }

    /// An argument that is an expression like any other.
    fn argument(&mut self, name: &str, takes: Takes, expr: &Expr) -> Option<Term> {
        let term = self.term(expr)?;
        let wanted = match (takes, &term.of) {
            (Takes::Text, of) if !of.is_text() => {
                self.error(expr.start_position(), format!("this must be a text, and is {of}"));
                return None;
            }
            (Takes::Number, of) if !matches!(of, Type::Number { .. }) => "a number",
            (Takes::TextOrList, of) if !of.is_text() && !matches!(of, Type::List(_) | Type::Texts) => {
                "a text or list"
            }
            _ => return Some(term),
        };
        self.error(expr.start_position(), format!("`{name}` takes {wanted}, and this is {}", term.of));
        None
    }

    /// The amount of the event in a currency.
    fn amount_in(&mut self, code: &str, position: Position, at: Place) -> Option<Term> {
        let Ok(currency) = code.parse::<Currency>() else {
            self.error(position, format!("`{code}` is not a currency of ISO 4217"));
            return None;
        };
        let field = schema::amount_in(currency);
        Some(Term { of: field.of.clone(), kind: Kind::Field(field), at })
    }

    pub(super) fn has(&mut self, what: &Expr, at: Place) -> Option<Term> {
        let found = path::path_of(what).and_then(|(path, _)| Some((self.resolve(&path)?, path)));
        match found {
            Some((Read::Value(term), path)) if term.presence().is_some() => {
                if !self.may_be_absent(&path) {
                    self.found.push(
                        self.source
                            .error(what.start_position(), format!("`{path}` always has a value"))
                            .warning(),
                    );
                }
                Some(Term { kind: Kind::Has(Box::new(term)), of: Type::Bool, at })
            }
            Some(_) => {
                self.error(what.start_position(), "this always has a value");
                None
            }
            None => {
                match path::path_of(what) {
                    Some((path, position)) => self.unknown(&path, position),
                    None => self.error(what.start_position(), "`has` takes a field or a window"),
                }
                None
            }
        }
    }

    /// A literal with a unit: `hkd(8000)`, `hours(24)`.
    pub(super) fn constant(&mut self, expr: &Expr, of: Type, factor: i64, at: Place) -> Option<Term> {
        let value = match expr {
            Expr::IntegerConstant(n, _) => n.checked_mul(factor),
            _ => None,
        };
        if value.is_none() {
            self.error_with(
                expr.start_position(),
                "a plain whole number belongs here",
                "for anything that may change, declare a parameter",
            );
        }
        Some(Term { kind: Kind::Whole(value?), of, at })
    }

    pub(super) fn table(&mut self, expr: &Expr) -> Option<usize> {
        let term = self.term(expr)?;
        match term.of {
            Type::Table(table) => Some(table),
            of => {
                let names: Vec<_> = self.schema.reference.tables.iter().map(|t| t.name.as_str()).collect();
                let help = format!("the tables are: {}", names.join(", "));
                self.error_with(
                    expr.start_position(),
                    format!("this must be a reference table, and is {of}"),
                    help,
                );
                None
            }
        }
    }

    pub(super) fn table_ref(&self, index: usize) -> TableRef {
        TableRef { index, name: self.schema.reference.tables[index].name.as_str().into() }
    }

    pub(super) fn lookup(&mut self, table: &Expr, row: &Expr, column: &Expr, at: Place) -> Option<Term> {
        let (table, row) = (self.table(table), self.argument("lookup", Takes::Text, row));
        let (table, row) = (table?, row?);
        let columns = &self.schema.reference.tables[table].columns;
        let Expr::StringConstant(name, position) = column else {
            self.error(column.start_position(), "the column is named by a plain text");
            return None;
        };
        match columns.iter().position(|(held, _)| *held == **name) {
            Some(column) => {
                let of = columns[column].1.clone();
                let column = TableRef { index: column, name: name.as_str().into() };
                Some(Term {
                    kind: Kind::Cell { table: self.table_ref(table), row: Box::new(row), column },
                    of,
                    at,
                })
            }
            None => {
                let message =
                    format!("table `{}` has no column `{name}`", self.schema.reference.tables[table].name);
                let meant = nearest(name, columns.iter().map(|(n, _)| n.as_str()));
                self.found.push(self.source.error(*position, message).perhaps(meant));
                None
            }
        }
    }

    pub(super) fn any_in(&mut self, values: &Expr, list: &Expr, at: Place) -> Option<Term> {
        let (values_term, list_term) = (self.term(values), self.term(list));
        let (held, list_term) = (values_term?, list_term?);
        let Kind::Field(field) = held.kind else {
            self.error_with(
                values.start_position(),
                "`any_in` looks through a field that holds several texts",
                "write `any_in(countries, …)`, or `value in …` for one value",
            );
            return None;
        };
        let kind = match (&held.of, &list_term.of, list_term.kind) {
            (Type::Texts, Type::Table(table), _) => Kind::AnyOnTable(field, self.table_ref(*table)),
            (Type::Texts, _, Kind::Texts(texts)) => Kind::AnyOf(field, texts),
            _ => {
                self.error(
                    list.start_position(),
                    "`any_in` looks in a reference table or a parameter that is a list",
                );
                return None;
            }
        };
        Some(Term { kind, of: Type::Bool, at })
    }
}
