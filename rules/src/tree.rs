//! A checked expression: every name resolved, every type known, parameters replaced by their values.

use std::{fmt, sync::Arc};

use rhai::{AST, ImmutableString};
use sluice_model::Money;

use crate::{
    EvalError,
    functions::Compute,
    place::Place,
    schema::Field,
    types::{Type, Unit},
};

/// A checked expression.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    /// What it is.
    pub kind: Kind,
    /// What it yields.
    pub of: Type,
    /// Where it is.
    pub at: Place,
}

/// The kinds of expression.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A constant.
    Bool(bool),
    /// A constant, in its type's unit.
    Whole(i64),
    /// A constant.
    Decimal(f64),
    /// A constant.
    Text(Arc<str>),
    /// A constant list.
    Texts(Arc<[Arc<str>]>),
    /// A field of the event.
    Field(Field),
    /// The value of the rule's n-th window.
    Window(usize),
    /// Whether a field or window has a value.
    Has(Box<Term>),
    /// A field's or window's value, or another where there is none.
    Else(Box<Term>, Box<Term>),
    /// Negation.
    Not(Box<Term>),
    /// All hold, asked in order until one does not.
    And(Vec<Term>),
    /// One holds, asked in order until one does.
    Or(Vec<Term>),
    Compare(Comparison, Box<Term>, Box<Term>),
    Arithmetic(Operator, Box<Term>, Box<Term>),
    /// The negative.
    Negate(Box<Term>),
    /// Whether a value is one of several.
    OneOf(Box<Term>, Vec<Term>),
    /// Whether a text is on a reference table.
    OnTable(Box<Term>, TableRef),
    /// Whether any of several texts is on a reference table.
    AnyOnTable(Field, TableRef),
    /// Whether any of several texts is one of a list.
    AnyOf(Field, Arc<[Arc<str>]>),
    /// The value in a row and column of a reference table.
    Cell {
        /// Which table.
        table: TableRef,
        /// Which row.
        row: Box<Term>,
        /// Which column.
        column: TableRef,
    },
    /// One or the other.
    If(Box<Term>, Box<Term>, Box<Term>),
    /// Without its sign.
    Absolute(Box<Term>),
    /// What the function of this name computes from two values.
    Call(&'static str, Compute, Box<Term>, Box<Term>),
    /// What only the interpreter evaluates.
    Script(Arc<Script>),
    /// A variable inside a script: never reached from outside of one.
    Local,
}

/// A piece of a rule for the interpreter.
pub(crate) struct Script {
    /// Its text, as Rhai holds it.
    pub ast: AST,
    /// Its variables.
    pub reads: Vec<(ImmutableString, Read)>,
    /// The hash of the file and the place: the identity of what it does.
    pub identity: String,
}

/// What a variable of a script means.
#[derive(Clone, Debug)]
pub(crate) enum Read {
    /// A field, window or constant; it fails where it has no value.
    Value(Term),
    /// The same, or `()` where it has no value: for `??`.
    Optional(Term),
    /// Whether it has a value: for `has`.
    Presence(Term),
    /// A reference table.
    Table(usize),
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "script {}", self.identity)
    }
}

/// A table of the reference data, or a column of a table: where it is, and its name, which is what
/// identifies it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct TableRef {
    /// Its place among the others.
    pub index: usize,
    /// Its name.
    pub name: Arc<str>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Arithmetic operators. Division is decimal, always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Comparison {
    /// Every comparison.
    pub(crate) const ALL: [Self; 6] =
        [Self::Equal, Self::NotEqual, Self::Less, Self::LessOrEqual, Self::Greater, Self::GreaterOrEqual];

    /// The comparison that a sign means.
    pub(crate) fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "==" => Self::Equal,
            "!=" => Self::NotEqual,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::Greater,
            ">=" => Self::GreaterOrEqual,
            _ => return None,
        })
    }

    /// Its sign.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Decimals are equal when they differ by no more than their representation does: 80 % of HK$20,000.00 is
    /// HK$16,000.00, whatever binary fractions make of it. What is lowered and the interpreter compare by it alike.
    pub(crate) fn of_decimals(self, a: f64, b: f64) -> bool {
        let scale = if a * b == 0.0 { 1.0 } else { a.abs().max(b.abs()) };
        let difference = (a - b) / scale;
        match self {
            Self::Equal => difference.abs() <= f64::EPSILON,
            Self::NotEqual => difference.abs() > f64::EPSILON,
            Self::Less => difference < -f64::EPSILON,
            Self::LessOrEqual => difference <= f64::EPSILON,
            Self::Greater => difference > f64::EPSILON,
            Self::GreaterOrEqual => difference >= -f64::EPSILON,
        }
    }
}

impl Operator {
    /// The operator that a sign means.
    pub(crate) fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "+" => Self::Add,
            "-" => Self::Subtract,
            "*" => Self::Multiply,
            "/" => Self::Divide,
            "%" => Self::Remainder,
            _ => return None,
        })
    }

    /// Its sign.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl Term {
    /// The terms directly below.
    pub(crate) fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Has(a) | Kind::Not(a) | Kind::Negate(a) | Kind::Absolute(a) | Kind::OnTable(a, _) => {
                vec![a]
            }
            Kind::Cell { row, .. } => vec![row],
            Kind::Else(a, b)
            | Kind::Compare(_, a, b)
            | Kind::Arithmetic(_, a, b)
            | Kind::Call(_, _, a, b) => vec![a, b],
            Kind::If(a, b, c) => vec![a, b, c],
            Kind::And(all) | Kind::Or(all) => all.iter().collect(),
            Kind::OneOf(a, all) => std::iter::once(a.as_ref()).chain(all).collect(),
            _ => Vec::new(),
        }
    }

    /// The error of a field or window that has no value.
    pub(crate) fn missing(&self) -> EvalError {
        match &self.kind {
            Kind::Field(field) => field.missing(),
            _ => EvalError::Missing(self.to_string()),
        }
    }

    /// The name by which a field or window is known to have a value.
    pub(crate) fn presence(&self) -> Option<String> {
        match &self.kind {
            Kind::Field(field) => Some(field.path.clone()),
            Kind::Window(window) => Some(format!("window {window}")),
            _ => None,
        }
    }

    /// The fields and windows that have a value when this term is `truth`.
    pub(crate) fn implied(&self, truth: bool, into: &mut Vec<String>) {
        match &self.kind {
            Kind::Has(what) if truth => into.extend(what.presence()),
            Kind::Not(what) => what.implied(!truth, into),
            Kind::And(all) if truth => all.iter().for_each(|t| t.implied(true, into)),
            Kind::Or(all) if !truth => all.iter().for_each(|t| t.implied(false, into)),
            _ => {}
        }
    }

    /// Whether it is one indivisible whole when printed inside another.
    fn is_atom(&self) -> bool {
        !matches!(
            self.kind,
            Kind::And(_)
                | Kind::Or(_)
                | Kind::Compare(..)
                | Kind::Arithmetic(..)
                | Kind::OneOf(..)
                | Kind::Else(..)
        )
    }
}

/// A term inside another, in brackets where it needs them.
struct Inner<'a>(&'a Term);

impl fmt::Display for Inner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_atom() { write!(f, "{}", self.0) } else { write!(f, "({})", self.0) }
    }
}

/// How a function's name is printed. These three must stay: streams with such filters are identified by them.
fn printed(name: &str) -> &str {
    match name {
        "starts_with" => "Start",
        "ends_with" => "End",
        "contains" => "Anywhere",
        name => name,
    }
}

/// One to one with what is evaluated: equal text, equal meaning. The identity of streams is a hash of it.
impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let join = |f: &mut fmt::Formatter<'_>, terms: &[Self], sign: &str| {
            terms.iter().enumerate().try_for_each(|(i, term)| {
                if i > 0 {
                    write!(f, " {sign} ")?;
                }
                write!(f, "{}", Inner(term))
            })
        };
        match &self.kind {
            Kind::Bool(value) => write!(f, "{value}"),
            Kind::Whole(n) => match self.of {
                Type::Number { unit: Unit::Money(currency), .. } => write!(f, "{}", Money::new(*n, currency)),
                Type::Number { unit: Unit::Seconds, .. } => write!(f, "{n}s"),
                _ => write!(f, "{n}"),
            },
            Kind::Decimal(n) => write!(f, "{n:?}"),
            Kind::Text(text) => write!(f, "{text:?}"),
            Kind::Texts(texts) => write!(f, "{texts:?}"),
            Kind::Field(field) => f.write_str(&field.path),
            Kind::Window(n) => write!(f, "window #{n}"),
            Kind::Has(what) => write!(f, "has({what})"),
            Kind::Else(a, b) => write!(f, "{a} ?? {}", Inner(b)),
            Kind::Not(a) => write!(f, "!{}", Inner(a)),
            Kind::And(all) => join(f, all, "&&"),
            Kind::Or(all) => join(f, all, "||"),
            Kind::Compare(sign, a, b) => write!(f, "{} {} {}", Inner(a), sign.sign(), Inner(b)),
            Kind::Arithmetic(sign, a, b) => write!(f, "{} {} {}", Inner(a), sign.sign(), Inner(b)),
            Kind::Negate(a) => write!(f, "-{}", Inner(a)),
            Kind::OneOf(a, all) => {
                write!(f, "{} in [", Inner(a))?;
                join(f, all, ",")?;
                f.write_str("]")
            }
            Kind::OnTable(a, table) => write!(f, "{} in {}", Inner(a), table.name),
            Kind::AnyOnTable(field, table) => write!(f, "any_in({}, {})", field.path, table.name),
            Kind::AnyOf(field, texts) => write!(f, "any_in({}, {texts:?})", field.path),
            Kind::Cell { table, row, column } => {
                write!(f, "lookup({}, {row}, {:?})", table.name, column.name)
            }
            Kind::If(a, b, c) => write!(f, "if {a} {{ {b} }} else {{ {c} }}"),
            Kind::Absolute(a) => write!(f, "abs({a})"),
            Kind::Call(name, _, a, b) => write!(f, "{}({a}, {b})", printed(name)),
            Kind::Script(script) => write!(f, "script {}", script.identity),
            Kind::Local => f.write_str("local"),
        }
    }
}
