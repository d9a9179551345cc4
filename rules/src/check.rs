//! The checker: gives every expression a type and every name a meaning, or says where and why it cannot.
//!
//! A value that may be absent (an optional field, the mean of an empty window) must be guarded by
//! `has(…)` or given a fallback by `??` wherever it is read: so no rule says no for want of data unless its
//! author wrote that it should.

use std::{collections::BTreeSet, sync::Arc};

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};
use sluice_model::{Currency, Hash256};

use crate::{
    Diagnostic,
    interpret::{self, Read, Script},
    likeness::Likeness,
    limits,
    parameter::Parameter,
    place::{Place, Source, nearest},
    schema::{self, Schema},
    tree::{Comparison, Kind, Operator, Part, TableRef, Term},
    types::{Type, Unit},
};

/// A declared window, as expressions see it.
pub struct WindowName {
    /// As the rule names it.
    pub name: String,
    /// Into the plan's windows.
    pub slot: usize,
    /// What it yields.
    pub of: Type,
    /// Whether it may have no value.
    pub optional: bool,
    /// Where it is declared.
    pub at: Place,
}

/// What a rule's expressions have named.
#[derive(Default)]
pub struct Used {
    /// Parameters.
    pub parameters: BTreeSet<String>,
    /// Windows.
    pub windows: BTreeSet<String>,
    /// Reference tables.
    pub tables: BTreeSet<usize>,
    /// Whether list matches are read.
    pub screening: bool,
    /// Every field.
    pub fields: BTreeSet<String>,
}

/// What expressions may name.
pub struct Checker<'a> {
    /// The file.
    pub source: &'a Source<'a>,
    /// The fields.
    pub schema: Schema<'a>,
    /// The parameters.
    pub parameters: &'a [Parameter],
    /// The windows; none in a window's own filter.
    pub windows: &'a [WindowName],
    /// Helper functions.
    pub functions: &'a AST,
    /// What was named so far.
    pub used: &'a mut Used,
    /// What is wrong.
    pub found: &'a mut Vec<Diagnostic>,
    /// The fields and windows known to have a value here.
    pub known: Vec<String>,
    locals: Vec<(String, Type)>,
    calls: Vec<String>,
    in_script: usize,
}

/// The functions that rules may call, with how to write them.
const FUNCTIONS: &[(&str, &str)] = &[
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

impl<'a> Checker<'a> {
    /// A checker that knows nothing to be present yet.
    pub fn new(
        source: &'a Source<'a>,
        schema: Schema<'a>,
        parameters: &'a [Parameter],
        windows: &'a [WindowName],
        functions: &'a AST,
        used: &'a mut Used,
        found: &'a mut Vec<Diagnostic>,
    ) -> Self {
        Self {
            source,
            schema,
            parameters,
            windows,
            functions,
            used,
            found,
            known: Vec::new(),
            locals: Vec::new(),
            calls: Vec::new(),
            in_script: 0,
        }
    }

    /// Check an expression that must be a yes or no.
    pub fn truth(&mut self, expr: &Expr) -> Option<Term> {
        let term = self.term(expr)?;
        if term.of == Type::Bool {
            return Some(term);
        }
        self.error(expr.start_position(), format!("this must be a yes or no, and is {}", term.of));
        None
    }

    fn error(&mut self, at: Position, message: impl Into<String>) {
        self.found.push(self.source.error(at, message));
    }

    fn error_with(&mut self, at: Position, message: impl Into<String>, help: impl Into<String>) {
        self.found.push(self.source.error(at, message).help(help));
    }

    /// Check an expression.
    pub fn term(&mut self, expr: &Expr) -> Option<Term> {
        let at = Place::from(expr.start_position());
        let made = |kind, of| Some(Term { kind, of, at });
        match expr {
            Expr::BoolConstant(value, _) => made(Kind::Bool(*value), Type::Bool),
            Expr::IntegerConstant(n, _) => made(Kind::Whole(*n), Type::WHOLE),
            Expr::FloatConstant(n, _) => made(Kind::Decimal(**n), Type::DECIMAL),
            Expr::StringConstant(text, _) => made(Kind::Text(text.as_str().into()), Type::Text),
            Expr::InterpolatedString(parts, _) => {
                self.in_script += 1;
                // Every part is looked at, so that every error is told.
                let unsound = parts.iter().filter(|part| self.term(part).is_none()).count();
                self.in_script -= 1;
                if unsound == 0 { self.script(expr, Type::Text) } else { None }
            }
            Expr::Variable(..) => self.name(expr),
            Expr::Dot(pair, ..) => match interpret::method_call(pair) {
                Some((receiver, Expr::MethodCall(call, at))) => {
                    let mut args = vec![receiver];
                    args.extend(call.args.iter().cloned());
                    self.function(expr, &call.name, &args, at)
                }
                _ => self.name(expr),
            },
            Expr::And(all, _) => self.chain(all, true, at),
            Expr::Or(all, _) => self.chain(all, false, at),
            Expr::Coalesce(all, _) => self.fallback(all, at),
            Expr::FnCall(call, at) => self.call(expr, call, *at),
            Expr::Stmt(block) => self.block_expression(expr, block.as_ref().as_ref()),
            Expr::Array(items, _) => self.list(expr, items),
            other => {
                self.error(other.start_position(), "this has no place in a rule");
                None
            }
        }
    }

    /// `a && b`, `a || b`: what is known after one part holds while the next is read.
    fn chain(&mut self, parts: &[Expr], all: bool, at: Place) -> Option<Term> {
        let depth = self.known.len();
        let mut terms = Vec::with_capacity(parts.len());
        for part in parts {
            if let Some(term) = self.truth(part) {
                term.implied(all, &mut self.known);
                terms.push(term);
            }
        }
        self.known.truncate(depth);
        let kind = if all { Kind::And } else { Kind::Or };
        (terms.len() == parts.len()).then_some(Term { kind: kind(terms), of: Type::Bool, at })
    }

    /// `a ?? b`.
    fn fallback(&mut self, parts: &[Expr], at: Place) -> Option<Term> {
        let (last, optional) = parts.split_last()?;
        let mut made = self.term(last)?;
        for part in optional.iter().rev() {
            let depth = self.known.len();
            if let Some(Read::Value(term)) =
                interpret::path_of(part).and_then(|(path, _)| self.resolve(&path))
            {
                self.known.extend(term.presence());
            }
            let term = self.term(part);
            self.known.truncate(depth);
            let term = term?;
            if term.presence().is_none() && !matches!(term.kind, Kind::Local) {
                self.error_with(
                    part.start_position(),
                    "this always has a value",
                    "only a field or window may be absent: leave the `??` out",
                );
                return None;
            }
            if !term.of.compares_with(&made.of) {
                let message = format!("the field is {}, its fallback {}", term.of, made.of);
                self.error(last.start_position(), message);
                return None;
            }
            let of = joined(&term.of, &made.of);
            made = Term { kind: Kind::Else(Box::new(term), Box::new(made)), of, at };
        }
        Some(made)
    }

    /// A name: a local variable, parameter, window, field or table.
    fn name(&mut self, expr: &Expr) -> Option<Term> {
        let Some((path, position)) = interpret::path_of(expr) else {
            self.error(expr.start_position(), "this has no place in a rule");
            return None;
        };
        let at = Place::from(position);
        if let Some((_, of)) = self.locals.iter().rev().find(|(name, _)| *name == path) {
            return Some(Term { kind: Kind::Local, of: of.clone(), at });
        }
        match self.resolve(&path) {
            Some(Read::Value(mut term)) => {
                term.at = at;
                let guarded = term.presence().is_none_or(|name| self.known.contains(&name));
                if self.may_be_absent(&path) && !guarded {
                    self.error_with(
                        position,
                        format!("`{path}` may be absent, and the rule does not say what then"),
                        format!("guard it, `has({path}) && …`, or give a fallback, `{path} ?? …`"),
                    );
                }
                Some(term)
            }
            Some(Read::Table(table)) => Some(Term { kind: Kind::Local, of: Type::Table(table), at }),
            _ => {
                self.unknown(&path, position);
                None
            }
        }
    }

    fn may_be_absent(&self, path: &str) -> bool {
        let window = self.windows.iter().find(|w| w.name == path);
        window.map_or_else(|| self.schema.field(path).is_some_and(|f| f.optional), |w| w.optional)
    }

    /// What a path stands for, and that it was named.
    fn resolve(&mut self, path: &str) -> Option<Read> {
        if !self.calls.is_empty() || self.locals.iter().any(|(name, _)| name == path) {
            return None;
        }
        if let Some(parameter) = self.parameters.iter().find(|p| p.name == path) {
            self.used.parameters.insert(path.to_owned());
            return Some(Read::Value(parameter.term.clone()));
        }
        if let Some(window) = self.windows.iter().find(|w| w.name == path) {
            self.used.windows.insert(path.to_owned());
            let kind = Kind::Window(window.slot);
            return Some(Read::Value(Term { kind, of: window.of.clone(), at: Place::default() }));
        }
        if let Some(field) = self.schema.field(path) {
            self.used.screening |= path.starts_with("screening.");
            self.used.fields.insert(path.to_owned());
            let of = field.of.clone();
            return Some(Read::Value(Term { kind: Kind::Field(field), of, at: Place::default() }));
        }
        let table = self.schema.reference.tables.iter().position(|t| t.name == path)?;
        self.used.tables.insert(table);
        Some(Read::Table(table))
    }

    fn unknown(&mut self, path: &str, at: Position) {
        if !self.calls.is_empty() {
            let help = "a helper function sees only what it is given: hand the value over as an argument";
            self.error_with(at, format!("`{path}` is unknown here"), help);
            return;
        }
        if Schema::is_root(path) {
            let example = self.schema.paths().into_iter().find(|p| p.starts_with(&format!("{path}.")));
            let help = format!("name one of its fields, such as `{}`", example.unwrap_or_default());
            self.error_with(at, format!("`{path}` is several fields"), help);
            return;
        }
        let paths = self.schema.paths();
        let names = paths
            .iter()
            .map(String::as_str)
            .chain(self.parameters.iter().map(|p| p.name.as_str()))
            .chain(self.windows.iter().map(|w| w.name.as_str()))
            .chain(self.schema.reference.tables.iter().map(|t| t.name.as_str()));
        let message = format!("no event has a field `{path}`, and no parameter or window is called so");
        let diagnostic = self.source.error(at, message);
        let diagnostic = match self.schema.why_not(path) {
            Some(why) => diagnostic.help(why),
            None => diagnostic.perhaps(nearest(path, names)),
        };
        self.found.push(diagnostic);
    }

    /// An operator, a function of ours, or a helper function.
    fn call(&mut self, expr: &Expr, call: &FnCallExpr, at: Position) -> Option<Term> {
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

    fn negative(&mut self, inner: &Expr, at: Place) -> Option<Term> {
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

    fn comparison(
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
    fn vocabulary(&mut self, field: &Term, constant: &Term, at: Position) {
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

    fn arithmetic(&mut self, how: Operator, a: &Expr, b: &Expr, at: Position, place: Place) -> Option<Term> {
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
    fn membership(&mut self, expr: &Expr, list: &Expr, value: &Expr) -> Option<Term> {
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
                return made(Kind::Part(Part::Anywhere, Box::new(list), Box::new(held)));
            }
            _ => {}
        }
        let message = format!("{} cannot be looked for in {}", held.of, list.of);
        self.error(value.start_position(), message);
        None
    }

    fn list(&mut self, expr: &Expr, items: &[Expr]) -> Option<Term> {
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

    fn function(&mut self, expr: &Expr, name: &str, args: &[Expr], at: Position) -> Option<Term> {
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

    fn text(&mut self, expr: &Expr) -> Option<Term> {
        let term = self.term(expr)?;
        if term.of.is_text() {
            return Some(term);
        }
        self.error(expr.start_position(), format!("this must be a text, and is {}", term.of));
        None
    }

    fn has(&mut self, what: &Expr, at: Place) -> Option<Term> {
        let found = interpret::path_of(what).and_then(|(path, _)| Some((self.resolve(&path)?, path)));
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
                match interpret::path_of(what) {
                    Some((path, position)) => self.unknown(&path, position),
                    None => self.error(what.start_position(), "`has` takes a field or a window"),
                }
                None
            }
        }
    }

    /// A literal with a unit: `hkd(8000)`, `hours(24)`.
    fn constant(&mut self, expr: &Expr, of: Type, factor: i64, at: Place) -> Option<Term> {
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

    fn table(&mut self, expr: &Expr) -> Option<usize> {
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

    fn table_ref(&self, index: usize) -> TableRef {
        TableRef { index, name: self.schema.reference.tables[index].name.as_str().into() }
    }

    fn lookup(&mut self, table: &Expr, row: &Expr, column: &Expr, at: Place) -> Option<Term> {
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

    fn any_in(&mut self, values: &Expr, list: &Expr, at: Place) -> Option<Term> {
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

    /// A helper function of the file, checked with the types that it is given.
    fn helper(&mut self, expr: &Expr, name: &str, args: &[Expr], at: Position) -> Option<Term> {
        let Some(function) = self.functions.shared_lib().get_script_fn(name, args.len()) else {
            if let Some((_, usage)) = FUNCTIONS.iter().find(|(known, _)| *known == name) {
                self.error_with(at, format!("`{name}` is not called so"), format!("write `{usage}`"));
            } else {
                let own: Vec<String> = self.functions.iter_functions().map(|f| f.name.to_owned()).collect();
                let names = FUNCTIONS.iter().map(|(n, _)| *n).chain(own.iter().map(String::as_str));
                let message = format!("no function `{name}` takes {} arguments", args.len());
                self.found.push(self.source.error(at, message).perhaps(nearest(name, names)));
            }
            return None;
        };
        if self.calls.iter().any(|held| held == name) {
            self.error_with(
                at,
                format!("`{name}` calls itself"),
                "a rule's helper functions must come to an end",
            );
            return None;
        }
        let mut given = Vec::new();
        for arg in args {
            given.push(self.term(arg)?.of);
        }
        let names = function.params.iter().map(ToString::to_string);
        let body = self.body(name, args.len());
        let outer = std::mem::replace(&mut self.locals, names.zip(given).collect());
        self.calls.push(name.to_owned());
        self.in_script += 1;
        let of = self.statements(&body);
        self.in_script -= 1;
        self.calls.pop();
        self.locals = outer;
        self.script(expr, of?)
    }

    /// The statements of a helper function. Rhai names the type of a body nowhere, but walks it.
    fn body(&self, name: &str, arguments: usize) -> Vec<Stmt> {
        let mut function = self.functions.clone();
        function.retain_functions(|_, _, held, parameters| held == name && parameters == arguments);
        let mut statements = Vec::new();
        function.walk(&mut |path: &[ASTNode<'_>]| {
            if let [ASTNode::Stmt(statement)] = path {
                statements.push((*statement).clone());
            }
            true
        });
        statements
    }

    /// `{ … }` or `if … { … } else { … }` as a value.
    fn block_expression(&mut self, expr: &Expr, statements: &[Stmt]) -> Option<Term> {
        match statements {
            [Stmt::Expr(inner)] => self.term(inner),
            [Stmt::FnCall(call, at)] => self.term(&Expr::FnCall(call.clone(), *at)),
            [Stmt::If(flow, _)] if !flow.branch.as_ref().is_empty() => {
                let at = Place::from(expr.start_position());
                let condition = self.truth(&flow.expr)?;
                let depth = self.known.len();
                condition.implied(true, &mut self.known);
                let yes = self.block_expression(&Expr::Stmt(Box::new(flow.body.clone())), flow.body.as_ref());
                self.known.truncate(depth);
                condition.implied(false, &mut self.known);
                let no =
                    self.block_expression(&Expr::Stmt(Box::new(flow.branch.clone())), flow.branch.as_ref());
                self.known.truncate(depth);
                let (yes, no) = (yes?, no?);
                if !yes.of.compares_with(&no.of) {
                    let message = format!("one way this is {}, the other way {}", yes.of, no.of);
                    self.error(expr.start_position(), message);
                    return None;
                }
                let of = joined(&yes.of, &no.of);
                Some(Term { kind: Kind::If(Box::new(condition), Box::new(yes), Box::new(no)), of, at })
            }
            _ => {
                self.in_script += 1;
                let of = self.statements(statements);
                self.in_script -= 1;
                self.script(expr, of?)
            }
        }
    }

    /// The type of the last of several statements.
    fn statements(&mut self, statements: &[Stmt]) -> Option<Type> {
        let (locals, known) = (self.locals.len(), self.known.len());
        let mut of = Some(Type::Nothing);
        for statement in statements {
            let next = self.statement(statement);
            of = of.and(next);
        }
        self.locals.truncate(locals);
        self.known.truncate(known);
        of
    }

    fn statement(&mut self, statement: &Stmt) -> Option<Type> {
        match statement {
            Stmt::Noop(_) | Stmt::BreakLoop(None, ..) => Some(Type::Nothing),
            Stmt::Expr(expr) => Some(self.term(expr)?.of),
            Stmt::FnCall(call, at) => Some(self.term(&Expr::FnCall(call.clone(), *at))?.of),
            Stmt::Block(block) => self.statements(block.as_ref().as_ref()),
            Stmt::Return(Some(expr), ..) => Some(self.term(expr)?.of),
            Stmt::Var(parts, ..) => {
                let (name, value, _) = parts.as_ref();
                let of = self.term(value)?.of;
                self.declare(name, of)
            }
            Stmt::Assignment(parts) => {
                let (place, value) = (&parts.1.lhs, &parts.1.rhs);
                let known = interpret::path_of(place).and_then(|(path, _)| {
                    self.locals.iter().rev().find(|(n, _)| *n == path).map(|(_, of)| of.clone())
                });
                let Some(known) = known else {
                    self.error(place.start_position(), "only a variable made by `let` can be changed");
                    return None;
                };
                let of = self.term(value)?.of;
                if !of.compares_with(&known) || joined(&of, &known) != known {
                    self.error(value.start_position(), format!("the variable is {known}, and this is {of}"));
                    return None;
                }
                Some(Type::Nothing)
            }
            Stmt::If(flow, _) => {
                let condition = self.truth(&flow.expr)?;
                let depth = self.known.len();
                condition.implied(true, &mut self.known);
                let yes = self.statements(flow.body.as_ref());
                self.known.truncate(depth);
                condition.implied(false, &mut self.known);
                let no = self.statements(flow.branch.as_ref());
                self.known.truncate(depth);
                let (yes, no) = (yes?, no?);
                Some(if yes.compares_with(&no) { joined(&yes, &no) } else { Type::Nothing })
            }
            Stmt::For(parts, at) => {
                let (name, counter, flow) = parts.as_ref();
                let of = match self.term(&flow.expr)?.of {
                    Type::Texts => Type::Text,
                    Type::List(of) => of.as_ref().clone(),
                    other => {
                        self.error(*at, format!("`for` goes through a list, and this is {other}"));
                        return None;
                    }
                };
                let depth = self.locals.len();
                self.declare(name, of)?;
                if let Some(counter) = counter {
                    self.declare(counter, Type::WHOLE)?;
                }
                let body = self.statements(flow.body.as_ref());
                self.locals.truncate(depth);
                body.map(|_| Type::Nothing)
            }
            Stmt::While(_, at) | Stmt::Do(_, _, at) => {
                self.error_with(
                    *at,
                    "this loop may never end",
                    "go through a list with `for item in list { … }`",
                );
                None
            }
            other => {
                self.error_with(
                    other.position(),
                    "this has no place in a rule",
                    "write let, if, for over a list, or an expression",
                );
                None
            }
        }
    }

    /// A local variable, whose name must not mean anything else.
    fn declare(&mut self, name: &rhai::Ident, of: Type) -> Option<Type> {
        if self.calls.is_empty() && self.resolve(&name.name).is_some() {
            self.error_with(
                name.pos,
                format!("`{}` already means something", name.name),
                "take another name",
            );
            return None;
        }
        self.locals.push((name.name.to_string(), of));
        Some(Type::Nothing)
    }

    /// A term for the interpreter; inside a script, only its type matters.
    fn script(&mut self, expr: &Expr, of: Type) -> Option<Term> {
        let at = Place::from(expr.start_position());
        if self.in_script > 0 {
            return Some(Term { kind: Kind::Local, of, at });
        }
        let file = Hash256::of(self.source.text.as_bytes()).short();
        let identity = format!("{file}:{}:{}", at.line, at.column);
        let functions = self.functions;
        let script = Script::new(expr, functions, identity, &mut |path| self.resolve(path));
        Some(Term { kind: Kind::Script(Arc::new(script)), of, at })
    }

    /// A checked expression as one script, however much of it could be lowered: to compare with.
    pub fn interpreted(&mut self, expr: &Expr, term: Term) -> Term {
        let Term { of, at, .. } = term;
        let functions = self.functions;
        let identity = format!("interpreted:{}:{}", at.line, at.column);
        let script = Script::new(expr, functions, identity, &mut |path| self.resolve(path));
        Term { kind: Kind::Script(Arc::new(script)), of, at }
    }
}

/// The type that values of two comparable types share.
fn joined(a: &Type, b: &Type) -> Type {
    match (a, b) {
        (Type::Number { unit: x, whole: p }, Type::Number { unit: y, whole: q }) => {
            Type::Number { unit: if x == y { *x } else { Unit::Plain }, whole: *p && *q }
        }
        (a, b) if a == b => a.clone(),
        (a, _) if a.is_text() => Type::Text,
        (a, _) => a.clone(),
    }
}

/// The type of `a how b`, if the two fit.
fn result_of(how: Operator, a: &Type, b: &Type) -> Option<Type> {
    use Operator::{Add, Divide, Multiply, Remainder, Subtract};
    use Type::{Moment, Number};
    Some(match (how, a, b) {
        (Subtract, Moment, Moment) => Type::SECONDS,
        (Add | Subtract, Moment, Number { unit: Unit::Seconds, whole: true }) => Moment,
        (Add | Subtract, Number { unit: x, .. }, Number { unit: y, .. }) if x.meets(*y) => joined(a, b),
        (Remainder, Number { unit: x, whole: true }, Number { unit: y, whole: true }) if x.meets(*y) => {
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
        (Divide, Number { unit: x, .. }, Number { unit: y, .. }) if x.meets(*y) => Type::DECIMAL,
        (Divide, Number { unit, .. }, Number { unit: Unit::Plain | Unit::Share, .. }) => {
            Number { unit: *unit, whole: false }
        }
        _ => return None,
    })
}

/// What to write where a plain number meets an amount or a length of time.
fn conversion(a: &Term, b: &Term) -> Option<String> {
    let (number, unit) = match (&a.of, &b.of) {
        (Type::Number { unit: Unit::Plain, .. }, Type::Number { unit, .. }) => (a, *unit),
        (Type::Number { unit, .. }, Type::Number { unit: Unit::Plain, .. }) => (b, *unit),
        (Type::Number { .. }, Type::Text | Type::Choice(_))
        | (Type::Text | Type::Choice(_), Type::Number { .. }) => {
            return Some("a text stands in quotes, a number does not".to_owned());
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
