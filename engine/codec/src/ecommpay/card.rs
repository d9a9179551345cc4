//! Numbers of cards, which are never kept.

use std::borrow::Cow;

/// The digits that a card's number may have (ISO/IEC 7812).
const PAN_DIGITS: std::ops::RangeInclusive<usize> = 12..=19;
/// How much of it stays: the issuer's part, and the last four.
const BIN_DIGITS: usize = 6;
const LAST_DIGITS: usize = 4;

/// A number as it may be kept: one that may be a card's loses its middle.
pub(super) fn masked(number: &str) -> Cow<'_, str> {
    let digits: String = number.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    let is_pan =
        PAN_DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && luhn(&digits);
    if !is_pan {
        return Cow::Borrowed(number);
    }
    let kept = |at: usize| at < BIN_DIGITS || at + LAST_DIGITS >= digits.len();
    digits.chars().enumerate().map(|(at, digit)| if kept(at) { digit } else { '*' }).collect()
}

/// Whether a number is a card's, of which the middle is not told.
pub(super) fn is_masked(number: &str) -> bool {
    number.contains(['*', 'X', 'x', '•']) && bin(number).is_some()
}

/// The issuer's part of a masked number.
pub(super) fn bin(number: &str) -> Option<&str> {
    number.get(..BIN_DIGITS).filter(|bin| bin.bytes().all(|b| b.is_ascii_digit()))
}

/// The check of ISO/IEC 7812: every second digit from the right doubled, the digits of all of it a multiple of ten.
fn luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .zip([false, true].into_iter().cycle())
        .map(|(byte, doubled)| {
            let digit = u32::from(byte - b'0') * if doubled { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_loses_its_middle() {
        assert_eq!(masked("4242424242424242"), "424242******4242");
        assert_eq!(masked("4242 4242-4242 4242"), "424242******4242");
        assert_eq!(masked("378282246310005"), "378282*****0005");
        for kept in ["424242******4242", "4242424242424241", "012345678901", "HK-123", "", "85291234567"] {
            assert_eq!(masked(kept), kept);
        }
        assert!(is_masked("424242******4242") && !is_masked("FOXBANK123") && !is_masked("123456"));
        assert_eq!(bin("4242"), None);
    }
}
