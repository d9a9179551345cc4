//! Numbers of JSON that floating point would alter. They become texts, digit by digit, so that nobody who reads them
//! later alters them either.

use std::borrow::Cow;

use serde_json::Number;

/// JSON in which each number that has no exact place in 64 bits is a text.
pub(super) fn with_exact_numbers(json: &str) -> Cow<'_, str> {
    let mut altered = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(byte) = json.as_bytes().get(at) {
        match byte {
            b'"' => at = after_text(json, at),
            b'-' | b'0'..=b'9' => {
                let end =
                    json[at..].find(|c: char| !is_of_number(c)).map_or(json.len(), |length| at + length);
                let number = &json[at..end];
                if !is_exact(number) {
                    altered.extend([&json[kept..at], "\"", number, "\""]);
                    kept = end;
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    if kept == 0 {
        return Cow::Borrowed(json);
    }
    altered.push_str(&json[kept..]);
    Cow::Owned(altered)
}

/// Where the text that begins at `at` has ended.
fn after_text(json: &str, at: usize) -> usize {
    let mut is_escaped = false;
    for (place, byte) in json.bytes().enumerate().skip(at + 1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return place + 1,
            _ => {}
        }
    }
    json.len()
}

const fn is_of_number(c: char) -> bool {
    matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E')
}

/// Whether a whole number of 64 bits, or a floating-point number as it is written in JSON, is this number.
fn is_exact(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    // Of two shortest ways to write a float, only the one that is taken has the digits that were given.
    let written = number.parse().ok().and_then(Number::from_f64).map(|float| float.to_string());
    let written = written.and_then(|written| Decimal::parse(&written));
    written.is_some() && written == Decimal::parse(number)
}

/// A decimal number: its digits without zeros around them, and the power of ten of the last one.
#[derive(PartialEq)]
struct Decimal {
    is_negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let written = [whole, fraction].concat();
        let digits = written.trim_end_matches('0');
        let exponent: i64 = exponent.parse().ok()?;
        let trailing = i64::try_from(written.len() - digits.len()).ok()?;
        let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(trailing)?;
        let digits = digits.trim_start_matches('0').to_owned();
        let exponent = if digits.is_empty() { 0 } else { exponent };
        Some(Self { is_negative, digits, exponent })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_floating_point_would_alter_are_texts() {
        for number in [
            "0",
            "-0",
            "7",
            "-12",
            "1.5",
            "0.1",
            "1.50",
            "1e2",
            "1E+2",
            "-1.25e-3",
            "0.30000000000000004",
            "1e308",
            "9223372036854775807",
            "18446744073709551615",
            "5e-324",
            "0.000",
            "100000000000000000000",
        ] {
            assert_eq!(with_exact_numbers(number), number);
        }
        for number in [
            "12345678901234567890.123456789",
            "1e400",
            "-1e400",
            "1e-400",
            "0.1000000000000000055511151231257827",
            "9007199254740993.0",
            "18446744073709551617",
            "1e99999999999999999999",
        ] {
            assert_eq!(with_exact_numbers(number), format!("\"{number}\""));
        }
    }

    #[test]
    fn texts_and_what_stands_around_numbers_stay() {
        let json = r#"{"a 1e400":["1e400 \\\"1e400", 1e400 ,{"b":-1e400}],"c":[1e400],"d":null}"#;
        let exact = r#"{"a 1e400":["1e400 \\\"1e400", "1e400" ,{"b":"-1e400"}],"c":["1e400"],"d":null}"#;
        assert_eq!(with_exact_numbers(json), exact);
        assert_eq!(with_exact_numbers(exact), exact);
    }
}
