//! The functions that every rule may call: one table for the checker, the interpreter, the messages and the guide.

use crate::{
    likeness::Likeness,
    tree::Part,
    types::{Type, Unit},
};

/// A function that rules may call.
#[derive(Debug)]
pub(crate) struct Function {
    /// As rules call it.
    pub name: &'static str,
    /// How to write it.
    pub usage: &'static str,
    /// What it yields, as the guide says it.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test compares the guide with it"))]
    pub about: &'static str,
    /// What it takes, in order.
    pub takes: &'static [Takes],
    /// What it yields; none where its arguments say so.
    pub yields: Option<Type>,
    /// What it does.
    pub does: Does,
}

/// What an argument must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Takes {
    /// A text.
    Text,
    /// A number.
    Number,
    /// A number or moment, of the unit of the other one.
    Ordered,
    /// A text or list.
    TextOrList,
    /// The name of a field or window.
    Name,
    /// A whole number, written out.
    Literal,
    /// The code of a currency, written out.
    Currency,
    /// A reference table.
    Table,
    /// The name of a table's column, written out.
    Column,
    /// A field that holds several texts.
    Texts,
    /// A reference table, or a parameter that is a list.
    TableOrList,
}

/// What a function does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Does {
    /// Whether there is a value.
    Has,
    /// The least of two.
    Least,
    /// The greatest of two.
    Greatest,
    /// Without its sign.
    Absolute,
    /// A literal, multiplied into the smallest unit of its type.
    Literal(i64),
    /// A literal in hundredths.
    Percent,
    /// The amount of the event in a currency.
    AmountIn,
    /// The cell of a reference table.
    Lookup,
    /// Whether any of several texts is listed.
    AnyIn,
    /// How alike two texts are.
    Likeness(Likeness),
    /// Whether a text has a part.
    Part(Part),
    /// A text in capitals.
    Upper,
    /// A text without capitals.
    Lower,
    /// How long a text or list is.
    Length,
}

/// The functions that rules may call.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function {
        name: "has",
        usage: "has(field)",
        about: "whether a field or window has a value",
        takes: &[Takes::Name],
        yields: Some(Type::Bool),
        does: Does::Has,
    },
    Function {
        name: "min",
        usage: "min(a, b)",
        about: "the lesser of two numbers or moments",
        takes: &[Takes::Ordered, Takes::Ordered],
        yields: None,
        does: Does::Least,
    },
    Function {
        name: "max",
        usage: "max(a, b)",
        about: "the greater of two numbers or moments",
        takes: &[Takes::Ordered, Takes::Ordered],
        yields: None,
        does: Does::Greatest,
    },
    Function {
        name: "abs",
        usage: "abs(a)",
        about: "a number without its sign",
        takes: &[Takes::Number],
        yields: None,
        does: Does::Absolute,
    },
    Function {
        name: "hkd",
        usage: "hkd(8000)",
        about: "an amount of HKD",
        takes: &[Takes::Literal],
        yields: Some(Type::HKD),
        does: Does::Literal(100),
    },
    Function {
        name: "percent",
        usage: "percent(80)",
        about: "a share",
        takes: &[Takes::Literal],
        yields: Some(Type::Number { unit: Unit::Share, whole: false }),
        does: Does::Percent,
    },
    Function {
        name: "minutes",
        usage: "minutes(30)",
        about: "a length of time",
        takes: &[Takes::Literal],
        yields: Some(Type::SECONDS),
        does: Does::Literal(60),
    },
    Function {
        name: "hours",
        usage: "hours(24)",
        about: "a length of time",
        takes: &[Takes::Literal],
        yields: Some(Type::SECONDS),
        does: Does::Literal(3_600),
    },
    Function {
        name: "days",
        usage: "days(7)",
        about: "a length of time",
        takes: &[Takes::Literal],
        yields: Some(Type::SECONDS),
        does: Does::Literal(86_400),
    },
    Function {
        name: "amount_in",
        usage: "amount_in(\"USD\")",
        about: "the amount in another currency at the rate of the day",
        takes: &[Takes::Currency],
        yields: None,
        does: Does::AmountIn,
    },
    Function {
        name: "lookup",
        usage: "lookup(table, row, \"column\")",
        about: "what a reference table says",
        takes: &[Takes::Table, Takes::Text, Takes::Column],
        yields: None,
        does: Does::Lookup,
    },
    Function {
        name: "any_in",
        usage: "any_in(countries, table)",
        about: "whether any of several texts is in a table or a list parameter",
        takes: &[Takes::Texts, Takes::TableOrList],
        yields: Some(Type::Bool),
        does: Does::AnyIn,
    },
    Function {
        name: Likeness::Texts.name(),
        usage: "likeness(a, b)",
        about: "how alike two texts are, 0 to 1 (Jaro–Winkler)",
        takes: &[Takes::Text, Takes::Text],
        yields: Some(Type::DECIMAL),
        does: Does::Likeness(Likeness::Texts),
    },
    Function {
        name: Likeness::Names.name(),
        usage: "name_likeness(a, b)",
        about: "the same of names, word by word: case, punctuation and order do not count, words too many count little",
        takes: &[Takes::Text, Takes::Text],
        yields: Some(Type::DECIMAL),
        does: Does::Likeness(Likeness::Names),
    },
    Function {
        name: "starts_with",
        usage: "starts_with(text, part)",
        about: "whether a text begins with a part",
        takes: &[Takes::Text, Takes::Text],
        yields: Some(Type::Bool),
        does: Does::Part(Part::Start),
    },
    Function {
        name: "ends_with",
        usage: "ends_with(text, part)",
        about: "whether a text ends with a part",
        takes: &[Takes::Text, Takes::Text],
        yields: Some(Type::Bool),
        does: Does::Part(Part::End),
    },
    Function {
        name: "contains",
        usage: "contains(text, part)",
        about: "whether a text has a part anywhere",
        takes: &[Takes::Text, Takes::Text],
        yields: Some(Type::Bool),
        does: Does::Part(Part::Anywhere),
    },
    Function {
        name: "to_upper",
        usage: "to_upper(text)",
        about: "a text in capital letters",
        takes: &[Takes::Text],
        yields: Some(Type::Text),
        does: Does::Upper,
    },
    Function {
        name: "to_lower",
        usage: "to_lower(text)",
        about: "a text in small letters",
        takes: &[Takes::Text],
        yields: Some(Type::Text),
        does: Does::Lower,
    },
    Function {
        name: "len",
        usage: "len(text)",
        about: "how many characters a text has, or entries a list",
        takes: &[Takes::TextOrList],
        yields: Some(Type::WHOLE),
        does: Does::Length,
    },
];

impl Function {
    /// The function that rules call so.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        FUNCTIONS.iter().find(|function| function.name == name)
    }
}

impl Does {
    /// What the function that rules call so does.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Function::named(name).map(|function| function.does)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::FUNCTIONS;

    #[test]
    fn the_guide_has_every_function() {
        let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/rules.md");
        let guide = fs::read_to_string(guide).unwrap();
        for function in FUNCTIONS {
            assert!(function.usage.starts_with(&format!("{}(", function.name)), "{}", function.usage);
            let row = format!("| `{}` | {} |\n", function.usage, function.about);
            assert!(guide.contains(&row), "docs/rules.md lacks: {row}");
        }
    }
}
