//! The natural order of texts, in which ecommpay sorts what it signs: digits in a row compare as numbers.

/// What a text is compared by, piece by piece.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Piece<'a> {
    /// A byte; of digits in a row, `1`, or `0` where they begin with a zero: they come first.
    byte: u8,
    /// How many digits; the more, the larger. Nothing where they begin with a zero: they compare as a fraction's.
    len: usize,
    digits: &'a [u8],
}

/// The pieces of a text. Blanks do not count, nor do zeros before a number at the beginning.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut rest = text.as_bytes();
    while let [b'0', b'0'..=b'9', ..] = rest {
        rest = rest.get(1..).unwrap_or_default();
    }
    let mut pieces = Vec::new();
    while let Some((&first, after)) = rest.split_first() {
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, after_digits) = rest.split_at(count);
        if count > 0 {
            let is_fraction = first == b'0';
            let (byte, len) = if is_fraction { (b'0', 0) } else { (b'1', count) };
            pieces.push(Piece { byte, len, digits });
            rest = after_digits;
        } else {
            if !first.is_ascii_whitespace() {
                pieces.push(Piece { byte: first, len: 0, digits: &[] });
            }
            rest = after;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_compare_as_numbers() {
        let sorted = ["a", "a:0", "a:01", "a:1", "a:2", "a:10", "a:10:b", "a:11", "aB", "a_", "ab", "b"];
        for pair in sorted.windows(2) {
            assert!(pieces(pair[0]) < pieces(pair[1]), "{pair:?}");
        }
        assert_eq!(pieces("007"), pieces("7"));
        assert_eq!(pieces("a b"), pieces("ab"));
    }
}
