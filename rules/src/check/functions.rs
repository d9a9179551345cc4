//! The functions that rules may call.

use std::sync::Arc;

use rhai::{Expr, Position};
use sluice_model::Currency;

use super::{Checker, joined};
use crate::{
    likeness::Likeness,
    limits, path,
    place::{Place, nearest},
    schema,
    tree::{Kind, Part, Read, TableRef, Term},
    types::{Type, Unit},
};

/// The functions that rules may call, with how to write them.
pub(super) const FUNCTIONS: &[(&str, &str)] = &[
    ("has", "has(field)"),
    ("min", "min(a, b)"),
    ("max", "max(a, b)"),
    ("abs", "abs(a)"),
    ("hkd", "hkd(8000)"),
    ("percent", "percent(80)"),
    ("minutes", "minutes(30)"),
    ("hours", "hours(24)"),
    ("days", "days(7)"),
    ("amount_in", "amount_in(\"USD\")"),
    ("lookup", "lookup(table, row, \"column\")"),
    ("any_in", "any_in(countries, table)"),
    ("likeness", "likeness(a, b)"),
    ("name_likeness", "name_likeness(a, b)"),
    ("starts_with", "starts_with(text, part)"),
    ("ends_with", "ends_with(text, part)"),
    ("contains", "contains(text, part)"),
    ("to_upper", "to_upper(text)"),
    ("to_lower", "to_lower(text)"),
    ("len", "len(text)"),
];

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
        let place = Place::from(expr.start_position());
        let made = |kind, of| Some(Term { kind, of, at: place });
        match (name, args) {
            ("has", [what]) => self.has(what, place),
            ("hkd", [n]) => self.constant(n, Type::HKD, 100, place),
            ("minutes", [n]) => self.constant(n, Type::SECONDS, 60, place),
            ("hours", [n]) => self.constant(n, Type::SECONDS, 3_600, place),
            ("days", [n]) => self.constant(n, Type::SECONDS, 86_400, place),
            ("percent", [Expr::IntegerConstant(n, _)]) => {
                made(Kind::Decimal(*n as f64 / 100.0), Type::Number { unit: Unit::Share, whole: false })
            }
            ("min" | "max", [a, b]) => {
                let (left, right) = (self.term(a)?, self.term(b)?);
                if !matches!(left.of, Type::Number { .. } | Type::Moment) || !left.of.compares_with(&right.of)
                {
                    self.error(at, format!("`{name}` does not fit {} and {}", left.of, right.of));
                    return None;
                }
                let of = joined(&left.of, &right.of);
                let (a, b) = (Box::new(left), Box::new(right));
                made(if name == "min" { Kind::Least(a, b) } else { Kind::Greatest(a, b) }, of)
            }
            ("abs", [a]) => {
                let term = self.term(a)?;
                let of = term.of.clone();
                if !matches!(of, Type::Number { .. }) {
                    self.error(a.start_position(), format!("`abs` takes a number, and this is {of}"));
                    return None;
                }
                made(Kind::Absolute(Box::new(term)), of)
            }
            ("amount_in", [Expr::StringConstant(code, position)]) => match code.parse::<Currency>() {
                Ok(currency) => {
                    let field = schema::amount_in(currency);
                    let of = field.of.clone();
                    made(Kind::Field(field), of)
                }
                Err(_) => {
                    self.error(*position, format!("`{code}` is not a currency of ISO 4217"));
                    None
                }
            },
            ("lookup", [table, row, column]) => self.lookup(table, row, column, place),
            ("any_in", [values, list]) => self.any_in(values, list, place),
            ("likeness" | "name_likeness", [a, b]) => {
                let how = if name == "likeness" { Likeness::Texts } else { Likeness::Names };
                let (a, b) = (self.text(a)?, self.text(b)?);
                made(Kind::Likeness(how, Box::new(a), Box::new(b)), Type::DECIMAL)
            }
            ("starts_with" | "ends_with" | "contains", [text, part]) => {
                let (text, part) = (self.text(text)?, self.text(part)?);
                let how = match name {
                    "starts_with" => Part::Start,
                    "ends_with" => Part::End,
                    _ => Part::Anywhere,
                };
                made(Kind::Part(how, Box::new(text), Box::new(part)), Type::Bool)
            }
            ("to_upper" | "to_lower", [text]) => {
                self.text(text)?;
                self.script(expr, Type::Text)
            }
            ("len", [text]) => {
                let term = self.term(text)?;
                if !term.of.is_text() && !matches!(term.of, Type::List(_) | Type::Texts) {
                    self.error(
                        text.start_position(),
                        format!("`len` takes a text or list, and this is {}", term.of),
                    );
                    return None;
                }
                self.script(expr, Type::WHOLE)
            }
            (name, args) => self.helper(expr, name, args, at),
        }
    }

    pub(super) fn text(&mut self, expr: &Expr) -> Option<Term> {
        let term = self.term(expr)?;
        if term.of.is_text() {
            return Some(term);
        }
        self.error(expr.start_position(), format!("this must be a text, and is {}", term.of));
        None
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
        let (table, row) = (self.table(table), self.text(row));
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
