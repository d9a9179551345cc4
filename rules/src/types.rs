//! The types of the rule language: numbers that carry a unit, texts, moments, lists, tables.

use std::{fmt, sync::Arc};

use sluice_model::Currency;

/// What a number counts. Numbers of different units neither compare nor add.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    /// Nothing: a plain number.
    Plain,
    /// A share of something: a plain number between 0 and 1 that reads as a percentage.
    Share,
    /// Minor units of a currency.
    Money(Currency),
    /// Seconds.
    Seconds,
}

/// The type of an expression.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Type {
    /// Yes or no.
    Bool,
    /// Any text.
    Text,
    /// A text of a closed vocabulary.
    Choice(&'static [&'static str]),
    /// A number: whole (64 bits) or decimal.
    Number {
        /// What it counts.
        unit: Unit,
        /// Whether it is held as a whole number.
        whole: bool,
    },
    /// A moment: seconds since 1970.
    Moment,
    /// Several texts.
    Texts,
    /// A reference table, by its place.
    Table(usize),
    /// Several values, inside a script.
    List(Arc<Type>),
    /// No value: what a statement leaves.
    Nothing,
}

impl Unit {
    /// Whether numbers of the two units compare and add.
    pub(crate) fn agrees_with(self, other: Self) -> bool {
        self.dimension() == other.dimension()
    }

    /// The unit without what only says how to print it.
    fn dimension(self) -> Self {
        if self == Self::Share { Self::Plain } else { self }
    }
}

impl Type {
    /// A plain whole number.
    pub(crate) const WHOLE: Self = Self::Number { unit: Unit::Plain, whole: true };
    /// A plain decimal number.
    pub(crate) const DECIMAL: Self = Self::Number { unit: Unit::Plain, whole: false };
    /// A length of time in whole seconds.
    pub(crate) const SECONDS: Self = Self::Number { unit: Unit::Seconds, whole: true };
    /// Minor units of HKD.
    pub(crate) const HKD: Self = Self::Number { unit: Unit::Money(Currency::HKD), whole: true };

    /// Whether it is a text, of whatever vocabulary.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Choice(_))
    }

    /// Whether values of the two types compare.
    pub(crate) fn compares_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number { unit: a, .. }, Self::Number { unit: b, .. }) => a.agrees_with(*b),
            (a, b) if a.is_text() && b.is_text() => true,
            (a, b) => a == b && matches!(a, Self::Bool | Self::Moment),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("a yes or no"),
            Self::Text | Self::Choice(_) => f.write_str("a text"),
            Self::Number { unit: Unit::Plain, .. } => f.write_str("a number"),
            Self::Number { unit: Unit::Share, .. } => f.write_str("a share"),
            Self::Number { unit: Unit::Money(currency), .. } => write!(f, "an amount of {currency}"),
            Self::Number { unit: Unit::Seconds, .. } => f.write_str("a length of time"),
            Self::Moment => f.write_str("a moment"),
            Self::Texts => f.write_str("a list of texts"),
            Self::Table(_) => f.write_str("a reference table"),
            Self::List(of) => write!(f, "a list, each {of}"),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}
