//! The checker: gives every expression a type and every name a meaning, or says where and why it cannot.
//!
//! A value that may be absent (an optional field, the mean of an empty window) must be guarded by
//! `has(…)` or given a fallback by `??` wherever it is read: so no rule says no for want of data unless its
//! author wrote that it should.

mod functions;
mod names;
mod operators;
mod scripts;

use std::collections::BTreeSet;

use rhai::{AST, Expr, Position};

use crate::{
    Diagnostic,
    parameter::Parameter,
    path,
    place::{Place, Source},
    schema::Schema,
    tree::{Kind, Read, Term},
    types::{Type, Unit},
};

/// A declared window, as expressions see it.
pub(crate) struct WindowName {
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
pub(crate) struct Used {
    pub parameters: BTreeSet<String>,
    pub windows: BTreeSet<String>,
    pub tables: BTreeSet<usize>,
    /// Whether list matches are read.
    pub screening: bool,
    /// Every field.
    pub fields: BTreeSet<String>,
}

/// What expressions may name.
pub(crate) struct Checker<'a> {
    pub source: &'a Source<'a>,
    pub schema: Schema<'a>,
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

impl<'a> Checker<'a> {
    /// A checker that knows nothing to be present yet.
    pub(crate) fn new(
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
    pub(crate) fn truth(&mut self, expr: &Expr) -> Option<Term> {
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
    pub(crate) fn term(&mut self, expr: &Expr) -> Option<Term> {
        let at = Place::from(expr.start_position());
        let made = |kind, of| Some(Term { kind, of, at });
        match expr {
            Expr::BoolConstant(value, _) => made(Kind::Bool(*value), Type::Bool),
            Expr::IntegerConstant(n, _) => made(Kind::Whole(*n), Type::WHOLE),
            Expr::FloatConstant(n, _) => made(Kind::Decimal(**n), Type::DECIMAL),
            Expr::StringConstant(text, _) => made(Kind::Text(text.as_str().into()), Type::Text),
            Expr::InterpolatedString(parts, _) => {
                self.in_script += 1;
                // Every part is looked at, so that every error is reported.
                let unsound = parts.iter().filter(|part| self.term(part).is_none()).count();
                self.in_script -= 1;
                if unsound == 0 { self.script(expr, Type::Text) } else { None }
            }
            Expr::Variable(..) => self.name(expr),
            Expr::Dot(pair, ..) => match path::method_call(pair) {
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
            if let Some(Read::Value(term)) = path::path_of(part).and_then(|(path, _)| self.resolve(&path)) {
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
