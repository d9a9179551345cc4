//! Numbers as names write them: in words, misspelt as people misspell them, as ordinals, in Roman numerals.

/// The number that a word spells.
pub(crate) fn spelled(word: &str) -> Option<u32> {
    let known = |table: &[(&str, u32)], word: &str| table.iter().find(|(w, _)| *w == word).map(|(_, n)| *n);
    known(&UNITS, word).or_else(|| known(&OTHERS, word)).or_else(|| {
        // `fortyfour`.
        let (tens, rest) = TENS.iter().find_map(|(tens, n)| Some((n, word.strip_prefix(tens)?)))?;
        if rest.is_empty() { Some(*tens) } else { Some(tens + known(&UNITS, rest)?) }
    })
}

/// Whether a word is digits alone.
pub(crate) fn is_digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
}

/// The number that a Roman numeral stands for. I, V, X and XI are letters and names as well: what they are is told
/// by the word `before`, where that is a word that companies share (`Fund V`).
pub(crate) fn roman(word: &str, after_shared_word: bool) -> Option<u32> {
    let at = ROMAN.iter().position(|numeral| *numeral == word)?;
    (after_shared_word || !matches!(word, "v" | "x" | "xi")).then_some(at as u32 + 2)
}

/// Whether two Roman numerals differ by one stroke: a slip of the pen, or the next of a series.
pub(crate) fn one_stroke(a: u32, b: u32) -> bool {
    let numeral =
        |n: u32| n.checked_sub(2).and_then(|at| ROMAN.get(at as usize)).copied().unwrap_or_default();
    let (short, long) = if numeral(a).len() < numeral(b).len() { (a, b) } else { (b, a) };
    let (short, long) = (numeral(short), numeral(long));
    let without = |at: usize| long[..at].chars().chain(long[at + 1..].chars());
    !short.is_empty() && long.match_indices('i').any(|(at, _)| without(at).eq(short.chars()))
}

/// From two to twenty.
const ROMAN: [&str; 19] = [
    "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii", "xiii", "xiv", "xv", "xvi", "xvii",
    "xviii", "xix", "xx",
];

const UNITS: [(&str, u32); 20] = [
    ("one", 1),
    ("two", 2),
    ("three", 3),
    ("four", 4),
    ("five", 5),
    ("six", 6),
    ("seven", 7),
    ("eight", 8),
    ("nine", 9),
    ("first", 1),
    ("second", 2),
    ("third", 3),
    ("fourth", 4),
    ("fifth", 5),
    ("sixth", 6),
    ("seventh", 7),
    ("eighth", 8),
    ("ninth", 9),
    ("eigth", 8),
    ("nineth", 9),
];

const TENS: [(&str, u32); 13] = [
    ("twenty", 20),
    ("thirty", 30),
    ("forty", 40),
    ("fourty", 40),
    ("fifty", 50),
    ("fivty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("eigthy", 80),
    ("ninety", 90),
    ("ninty", 90),
    ("thirthy", 30),
];

const OTHERS: [(&str, u32); 30] = [
    ("ten", 10),
    ("eleven", 11),
    ("twelve", 12),
    ("thirteen", 13),
    ("fourteen", 14),
    ("forteen", 14),
    ("fifteen", 15),
    ("fiveteen", 15),
    ("sixteen", 16),
    ("seventeen", 17),
    ("eighteen", 18),
    ("eightteen", 18),
    ("nineteen", 19),
    ("tenth", 10),
    ("eleventh", 11),
    ("twelfth", 12),
    ("twelveth", 12),
    ("twelth", 12),
    ("thirteenth", 13),
    ("fourteenth", 14),
    ("fifteenth", 15),
    ("sixteenth", 16),
    ("seventeenth", 17),
    ("eighteenth", 18),
    ("nineteenth", 19),
    ("twentieth", 20),
    ("thirtieth", 30),
    ("fortieth", 40),
    ("fourtieth", 40),
    ("fiftieth", 50),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_words_and_as_they_are_misspelt() {
        for (word, number) in [
            ("forty", Some(40)),
            ("fourty", Some(40)),
            ("fortyfour", Some(44)),
            ("twentyfirst", Some(21)),
            ("nineth", Some(9)),
            ("seventeenth", Some(17)),
            ("fortynight", None),
            ("stone", None),
        ] {
            assert_eq!(spelled(word), number, "{word}");
        }
    }

    #[test]
    fn single_letters_are_numerals_only_after_a_word_that_companies_share() {
        assert_eq!((roman("viii", false), roman("v", false), roman("v", true)), (Some(8), None, Some(5)));
        assert_eq!((roman("xi", false), roman("xi", true)), (None, Some(11)));
    }

    #[test]
    fn a_stroke_more_or_less_is_one_stroke() {
        for (a, b) in [(7, 8), (8, 7), (4, 5), (5, 6), (9, 10), (12, 13), (2, 3)] {
            assert!(one_stroke(a, b), "{a} {b}");
        }
        for (a, b) in [(8, 9), (3, 4), (7, 9), (5, 10), (6, 11), (1, 2), (7, 7), (40, 41)] {
            assert!(!one_stroke(a, b), "{a} {b}");
        }
    }
}
