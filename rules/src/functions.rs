//! The functions that every rule may call: one table for the checker, lowering, the interpreter, the messages and the
//! guide.

use crate::{likeness::name_likeness, types::Type};

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
    /// What it does.
    pub does: Does,
}

/// What a function does, and with what arguments. "Written out" is a constant in the rule's text.
#[derive(Debug)]
pub(crate) enum Does {
    /// Whether the field or window of this name has a value.
    Has,
    /// A whole number, written out, multiplied into the smallest unit of this type.
    Literal(Type, i64),
    /// A whole number of hundredths, written out.
    Percent,
    /// The amount of the event in the currency of this code, written out.
    AmountIn,
    /// What a reference table says in a row, in the column of this name, written out.
    Lookup,
    /// Whether any text of a field is in a reference table, or in a parameter that is a list.
    AnyIn,
    /// A number without its sign.
    Absolute,
    /// What is computed from two values.
    Compute(Compute),
    /// Interpreted only: Rhai's own function of the name, from one value to a value of this type.
    Interpreted(Takes, Type),
}

/// What is computed from two values, by what comes of it: lowered rules call it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compute {
    /// Whether something holds of two texts.
    Truth(fn(&str, &str) -> bool),
    /// A decimal number, from two texts.
    Decimal(fn(&str, &str) -> f64),
    /// A number or moment, from two of its unit: where they are whole, and where they are decimal.
    Number(fn(i64, i64) -> i64, fn(f64, f64) -> f64),
}

/// What an argument must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Takes {
    Text,
    Number,
    TextOrList,
}

/// What `part in text` means, too.
pub(crate) const CONTAINS: Compute = Compute::Truth(|text, part| text.contains(part));

/// The functions that rules may call.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function {
        name: "has",
        usage: "has(field)",
        about: "whether a field or window has a value",
        does: Does::Has,
    },
    Function {
        name: "min",
        usage: "min(a, b)",
        about: "the lesser of two numbers or moments",
        does: Does::Compute(Compute::Number(i64::min, f64::min)),
    },
    Function {
        name: "max",
        usage: "max(a, b)",
        about: "the greater of two numbers or moments",
        does: Does::Compute(Compute::Number(i64::max, f64::max)),
    },
    Function { name: "abs", usage: "abs(a)", about: "a number without its sign", does: Does::Absolute },
    Function {
        name: "hkd",
        usage: "hkd(8000)",
        about: "an amount of HKD",
        does: Does::Literal(Type::HKD, 100),
    },
    Function { name: "percent", usage: "percent(80)", about: "a share", does: Does::Percent },
    Function {
        name: "minutes",
        usage: "minutes(30)",
        about: "a length of time",
        does: Does::Literal(Type::SECONDS, 60),
    },
    Function {
        name: "hours",
        usage: "hours(24)",
        about: "a length of time",
        does: Does::Literal(Type::SECONDS, 3_600),
    },
    Function {
        name: "days",
        usage: "days(7)",
        about: "a length of time",
        does: Does::Literal(Type::SECONDS, 86_400),
    },
    Function {
        name: "amount_in",
        usage: "amount_in(\"USD\")",
        about: "the amount in another currency at the rate of the day",
        does: Does::AmountIn,
    },
    Function {
        name: "lookup",
        usage: "lookup(table, row, \"column\")",
        about: "what a reference table says",
        does: Does::Lookup,
    },
    Function {
        name: "any_in",
        usage: "any_in(countries, table)",
        about: "whether any of several texts is in a table or a list parameter",
        does: Does::AnyIn,
    },
    Function {
        name: "likeness",
        usage: "likeness(a, b)",
        about: "how alike two texts are, 0 to 1 (Jaro–Winkler)",
        does: Does::Compute(Compute::Decimal(strsim::jaro_winkler)),
    },
    Function {
        name: "name_likeness",
        usage: "name_likeness(a, b)",
        about: "the same of names, word by word: case, punctuation and order do not count, words too many count little",
        does: Does::Compute(Compute::Decimal(name_likeness)),
    },
    Function {
        name: "starts_with",
        usage: "starts_with(text, part)",
        about: "whether a text begins with a part",
        does: Does::Compute(Compute::Truth(|text, part| text.starts_with(part))),
    },
    Function {
        name: "ends_with",
        usage: "ends_with(text, part)",
        about: "whether a text ends with a part",
        does: Does::Compute(Compute::Truth(|text, part| text.ends_with(part))),
    },
    Function {
        name: "contains",
        usage: "contains(text, part)",
        about: "whether a text has a part anywhere",
        does: Does::Compute(CONTAINS),
    },
    Function {
        name: "to_upper",
        usage: "to_upper(text)",
        about: "a text in capital letters",
        does: Does::Interpreted(Takes::Text, Type::Text),
    },
    Function {
        name: "to_lower",
        usage: "to_lower(text)",
        about: "a text in small letters",
        does: Does::Interpreted(Takes::Text, Type::Text),
    },
    Function {
        name: "len",
        usage: "len(text)",
        about: "how many characters a text has, or entries a list",
        does: Does::Interpreted(Takes::TextOrList, Type::WHOLE),
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
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        Function::named(name).map(|function| &function.does)
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
