//! How alike two names are, from 0 to 1: by Jaro–Winkler, word by word. Case, punctuation and the order of words do not
//! count, words too many count little.

use crate::limits::NAME_WORDS_MAX;

/// Words less alike than this are other words: `Tai` and `Tak`, `Chan` and `Cheung` are.
const SAME_WORD: f64 = 0.85;
/// What the name with more letters weighs, against the other's whole: an English name before the Chinese one, a
/// branch behind the company's, make no other person.
const LONGER_WEIGHS: f64 = 0.25;

/// The letters of each name that are in words which the other has too, as shares of its letters.
pub(crate) fn name_likeness(a: &str, b: &str) -> f64 {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let (mut shorter, mut longer) = (words(&a), words(&b));
    // Every tie is broken, so that it does not matter which of the two comes first.
    if (letters(&shorter), shorter.len(), &shorter) > (letters(&longer), longer.len(), &longer) {
        std::mem::swap(&mut shorter, &mut longer);
    }
    let (all_short, all_long) = (letters(&shorter), letters(&longer));
    if all_short == 0.0 {
        return 0.0;
    }
    let (mut short, mut long) = (0.0, 0.0);
    // Long words choose first, so that an initial does not take the word that another one is.
    shorter.sort_by_key(|word| std::cmp::Reverse(word.chars().count()));
    for word in shorter {
        let likes = longer.iter().map(|other| of_words(word, other));
        let best = likes.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((at, alike)) = best.filter(|(_, alike)| *alike >= SAME_WORD) {
            short += alike * letters(&[word]);
            long += alike * letters(&[longer.swap_remove(at)]);
        }
    }
    (1.0 - LONGER_WEIGHS) * short / all_short + LONGER_WEIGHS * long / all_long
}

/// An initial is like every word that it begins.
fn of_words(a: &str, b: &str) -> f64 {
    let initial = |a: &str, b: &str| a.chars().count() == 1 && b.starts_with(a);
    if initial(a, b) || initial(b, a) { 1.0 } else { strsim::jaro_winkler(a, b) }
}

/// Legal forms, as they are shortened.
const FORMS: &[(&str, &str)] =
    &[("ltd", "limited"), ("co", "company"), ("corp", "corporation"), ("inc", "incorporated")];

fn words(name: &str) -> Vec<&str> {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let whole = |word| FORMS.iter().find(|(short, _)| *short == word).map_or(word, |(_, whole)| *whole);
    words.map(whole).take(NAME_WORDS_MAX).collect()
}

fn letters(words: &[&str]) -> f64 {
    words.iter().map(|word| word.chars().count()).sum::<usize>() as f64
}

#[cfg(test)]
mod tests {
    use super::name_likeness;

    #[test]
    fn a_name_is_the_same_in_any_order_case_and_punctuation() {
        assert!(name_likeness("CHAN Tai-Man", "Tai Man Chan") > 0.999);
        assert!(name_likeness("陳大文", " 陳大文 ") > 0.999);
        assert!(strsim::jaro_winkler("CHAN Tai Man", "Tai Man Chan") < 0.8);
    }

    #[test]
    fn more_words_initials_and_slips_make_no_other_name() {
        for (a, b) in [
            ("CHAN Tai Man", "Christopher CHAN Tai Man"),
            ("CHAN T. M.", "CHAN Tai Man"),
            ("CHAN T** M**", "CHAN Tai Man"),
            ("CHAN Taiman", "CHAN Tai Man"),
            ("WONG Mei Ling", "WONG Mei Lin"),
            ("Swift Pay Limited", "SWIFT PAY LTD"),
            ("Swift Pay Limited", "Swift Pay Limited, Hong Kong Branch"),
        ] {
            assert!(name_likeness(a, b) >= 0.8, "{a} and {b}: {}", name_likeness(a, b));
            assert_eq!(name_likeness(a, b).to_bits(), name_likeness(b, a).to_bits(), "{a} and {b}");
        }
    }

    #[test]
    fn relatives_and_rivals_are_others() {
        for (a, b) in [
            ("CHAN Tai Man", "WONG Mei Ling"),
            ("CHAN Tai Man", "CHEUNG Tai Ming"),
            ("WONG Mei Ling", "WONG Mei Yan"),
            ("Swift Pay Limited", "Quick Pay Limited"),
            ("陳大文", "陳大明"),
            ("", "CHAN Tai Man"),
            ("", ""),
        ] {
            assert!(name_likeness(a, b) < 0.8, "{a} and {b}: {}", name_likeness(a, b));
        }
    }
}
