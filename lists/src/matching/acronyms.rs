//! Names that go by the first letters of their words: `PLA` for the People's Liberation Army.
//!
//! Owns which names do, and their letters. Three letters are anybody's: they stand only for armies, parties,
//! ministries and other bodies that are known by them; a company needs four.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::vocabulary::{self, Class};

/// Fewer letters are nobody's, more are no longer spoken.
const LETTERS: std::ops::RangeInclusive<usize> = 3..=8;
/// As many letters as a company needs that is no public body.
const COMPANY_LETTERS_MIN: usize = 4;

/// Words of bodies that are known by their letters.
const BODY_WORDS: &str = "academy agency army association authority bank brigade brigades bureau commission committee congress corps \
    council department federation force forces front government guard institute league liberation ministry movement \
    office organization party people peoples police republic resistance revolutionary society union university";

static BODIES: LazyLock<FxHashSet<&str>> = LazyLock::new(|| BODY_WORDS.split_whitespace().collect());

/// The first letters of a name of these words, and with the C of the company that it is.
pub(crate) fn of<'a>(
    words: impl Iterator<Item = (Class, &'a str)>,
    is_company: bool,
) -> impl Iterator<Item = String> {
    let mut letters = String::new();
    let (mut shared, mut body) = (false, false);
    for (class, word) in words {
        match class {
            Class::Particle => continue,
            Class::Word | Class::Generic | Class::Title if word.is_ascii() => {}
            _ => return Vec::new().into_iter(),
        }
        shared |= class == Class::Generic;
        body |= BODIES.contains(word);
        letters.extend(word.chars().next());
    }
    let least = if body { *LETTERS.start() } else { COMPANY_LETTERS_MIN };
    let company = is_company.then(|| format!("{letters}c"));
    let speaks = |letters: &String| {
        shared
            && letters.len() >= least
            && LETTERS.contains(&letters.len())
            // What is a word or a name is read as one.
            && vocabulary::class_of(letters) == Class::Word
            && vocabulary::commonness(letters) <= 0.0
    };
    let several = letters.len() > 2;
    let all = std::iter::once(letters).chain(company);
    all.filter(|l| several && speaks(l)).collect::<Vec<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(name: &str, is_company: bool) -> Vec<String> {
        of(name.split(' ').map(|w| (vocabulary::class_of(w), w)), is_company).collect()
    }

    #[test]
    fn bodies_go_by_three_letters_and_companies_by_four() {
        assert_eq!(letters("peoples liberation army", false), ["pla"]);
        assert_eq!(letters("heron shipping lines", false), Vec::<String>::new());
        assert_eq!(letters("heron gulf shipping lines", false), ["hgsl"]);
        assert_eq!(letters("national heron oil", true), ["nhoc"]);
        assert_eq!(letters("ministry of the interior and police", false), ["mip"]);
    }

    #[test]
    fn people_and_words_are_no_acronyms() {
        assert_eq!(letters("mahmoud latif ahmed", false), Vec::<String>::new());
        // Ali.
        assert_eq!(letters("army of liberation international", false), Vec::<String>::new());
        assert_eq!(letters("army liberation", false), Vec::<String>::new());
    }
}
