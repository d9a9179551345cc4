//! Listed names in free text: a remittance line that names a party, a vessel, a place.
//!
//! A name is looked for as it stands and with the part before a comma last, after the same folding as names;
//! only names long enough not to be found by chance. Words are found whole; Chinese, which has no spaces, anywhere.
//! Never spells: one typo hides a name here, since free text compared loosely would name somebody in every line.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use sluice_model::EntryKind;

use super::{
    normalise::{self, Word},
    scripts::han,
    vocabulary::{self, Class},
};
use crate::{Name, NameQuality, Script};

/// Free text beyond this is not looked at.
pub(crate) const TEXT_CHARS_MAX: usize = 4_096;
/// Letters that a name of one word must have, and one of several.
const ONE_WORD_LEN_MIN: usize = 7;
const WORDS_LEN_MIN: usize = 8;
/// Chinese characters that a person's name must have, and another's. Shorter ones stand within other words.
const HAN_PERSON_LEN_MIN: usize = 3;
const HAN_LEN_MIN: usize = 4;

/// Finds listed names in text.
pub(crate) struct Phrases {
    automaton: Option<AhoCorasick>,
    /// Pattern → name.
    names: Vec<u32>,
}

impl Phrases {
    /// Of names in the order in which they are known to the index.
    pub(crate) fn build<'a>(names: impl Iterator<Item = (EntryKind, &'a Name)>) -> Self {
        let (mut patterns, mut owners) = (Vec::new(), Vec::new());
        for (at, (kind, name)) in names.enumerate() {
            for pattern in patterns_of(kind, name) {
                patterns.push(pattern);
                owners.push(at as u32);
            }
        }
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .match_kind(MatchKind::Standard)
            .build(&patterns)
            .ok();
        Self { automaton, names: owners }
    }

    /// The names found, with what was found.
    pub(crate) fn find(&self, text: &str) -> Vec<(u32, String)> {
        let Some(automaton) = &self.automaton else { return Vec::new() };
        let mut folded = String::from(" ");
        let text: Vec<char> = text.chars().take(TEXT_CHARS_MAX).collect();
        for part in text.chunks(normalise::NAME_CHARS_MAX) {
            for word in words(&part.iter().collect::<String>()) {
                folded.push_str(&word.text);
                folded.push(' ');
            }
        }
        let mut found: Vec<(u32, String)> = automaton
            .find_overlapping_iter(&folded)
            .map(|m| (self.names[m.pattern().as_usize()], folded[m.start()..m.end()].trim().to_owned()))
            .collect();
        found.sort();
        found.dedup_by_key(|(name, _)| *name);
        found
    }
}

/// Folded words, Chinese in simplified characters.
fn words(text: &str) -> Vec<Word> {
    let mut words = normalise::words(text);
    for word in words.iter_mut().filter(|word| word.script == Script::Han) {
        word.text = word.text.chars().map(|c| han::character(c).map_or(c, |known| known.folded)).collect();
    }
    words
}

/// A name as it is looked for: with a space on either side, so that it is found in whole words only; in Chinese
/// without.
fn patterns_of(kind: EntryKind, name: &Name) -> Vec<String> {
    let words = words(&name.text);
    let joined = |words: &[Word], between: &str| {
        words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(between)
    };
    if !words.is_empty() && words.iter().all(|word| word.script == Script::Han) {
        let plain = joined(&words, "");
        let least = if kind == EntryKind::Person { HAN_PERSON_LEN_MIN } else { HAN_LEN_MIN };
        return if plain.chars().count() >= least { vec![plain] } else { Vec::new() };
    }
    let plain = joined(&words, " ");
    let named = words
        .iter()
        .filter(|w| {
            !w.text.is_ascii()
                || (vocabulary::class_of(&w.text) == Class::Word
                    && vocabulary::legal_form(&[w.text.as_str()]).is_none())
        })
        .count();
    let letters = plain.chars().filter(|c| *c != ' ').count();
    let latin = plain.is_ascii();
    let telling = match (words.len(), latin) {
        (0, _) => false,
        (1, true) => {
            letters >= ONE_WORD_LEN_MIN
                && kind != EntryKind::Person
                && name.quality != NameQuality::Weak
                && named == 1
                && vocabulary::commonness(&plain) <= 0.0
        }
        (_, true) => letters >= WORDS_LEN_MIN && named >= if kind == EntryKind::Person { 2 } else { 1 },
        (1, false) => letters >= 4,
        (_, false) => letters >= 6,
    };
    if !telling {
        return Vec::new();
    }
    let mut patterns = vec![format!(" {plain} ")];
    let (given, family): (Vec<Word>, Vec<Word>) = words.into_iter().partition(|word| word.after_comma);
    if !given.is_empty() && !family.is_empty() {
        patterns.push(format!(" {} {} ", joined(&given, " "), joined(&family, " ")));
    }
    patterns
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spoken() -> impl Strategy<Value = Vec<&'static str>> {
        let word =
            prop::sample::select(vec!["Vasil", "ZORKIN", "Silver Heron", "ALBATROSS", "of", "山茶花", ","]);
        prop::collection::vec(word, 1..6)
    }

    proptest! {
        #[test]
        fn what_stands_in_the_text_is_found_and_nothing_else(
            names in prop::collection::vec(spoken(), 1..8),
            text in spoken(),
        ) {
            let names: Vec<Name> = names.iter().map(|n| Name::new(n.join(" "), NameQuality::Primary)).collect();
            let listed = |n: u32| (EntryKind::Vessel, &names[n as usize]);
            let count = names.len() as u32;
            let text = text.join(" ");
            let folded: Vec<String> = words(&text).into_iter().map(|w| w.text).collect();
            let folded = format!(" {} ", folded.join(" "));
            let stands = |n: &u32| {
                let (kind, name) = listed(*n);
                patterns_of(kind, name).iter().any(|pattern| folded.contains(pattern))
            };
            let found = Phrases::build((0..count).map(listed)).find(&text);
            prop_assert_eq!(
                found.into_iter().map(|(n, _)| n).collect::<Vec<_>>(),
                (0..count).filter(stands).collect::<Vec<_>>()
            );
        }
    }

    fn found(names: &[(EntryKind, Name)], text: &str) -> Vec<u32> {
        let phrases = Phrases::build(names.iter().map(|(kind, name)| (*kind, name)));
        phrases.find(text).into_iter().map(|(n, _)| n).collect()
    }

    #[test]
    fn whole_names_are_found_in_any_order_and_parts_are_not() {
        let names = [
            (EntryKind::Person, Name::new("ZORKIN, Vasil", NameQuality::Primary)),
            (EntryKind::Vessel, Name::new("SILVER HERON", NameQuality::Primary)),
            (EntryKind::Person, Name::new("Vasil", NameQuality::Weak)),
        ];
        assert_eq!(found(&names, "freight m/v Silver Heron, voyage 7"), [1]);
        assert_eq!(found(&names, "for Vasil Zorkin's flat"), Vec::<u32>::new());
        assert_eq!(found(&names, "for Vasil Zorkin / flat"), [0]);
        assert_eq!(found(&names, "silver herons"), Vec::<u32>::new());
    }

    #[test]
    fn chinese_names_are_found_anywhere_and_in_either_script() {
        let names = [
            (EntryKind::Person, Name::new("陳大文", NameQuality::Primary)),
            (EntryKind::Organisation, Name::new("山茶", NameQuality::Primary)),
        ];
        for text in ["代付陳大文先生貨款", "陈大文", "INV 7 陳大文 CHAN"] {
            assert_eq!(found(&names, text), [0], "{text}");
        }
        assert_eq!(found(&names, "陳大民的山茶"), Vec::<u32>::new());
    }
}
