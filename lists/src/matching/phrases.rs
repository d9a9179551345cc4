//! Listed names in free text: a remittance line that names a party, a vessel, a place.
//!
//! A name is looked for as it stands and with the part before a comma last, after the same folding as names;
//! only names long enough not to be found by chance. Never spells: one typo hides a name here, since free text
//! compared loosely would name somebody in every line.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use sluice_model::EntryKind;

use super::{
    normalise,
    vocabulary::{self, Class},
};
use crate::{Name, NameQuality};

/// Free text beyond this is not looked at.
pub(crate) const TEXT_CHARS_MAX: usize = 4_096;
/// Letters that a name of one word must have, and one of several.
const ONE_WORD_LEN_MIN: usize = 7;
const WORDS_LEN_MIN: usize = 8;

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
        let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
        let lines: Vec<char> = text.chars().collect();
        for part in lines.chunks(normalise::NAME_CHARS_MAX) {
            for word in normalise::words(&part.iter().collect::<String>()) {
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

/// A name as it is looked for, with a space on either side so that it is found in whole words only.
fn patterns_of(kind: EntryKind, name: &Name) -> Vec<String> {
    let spaced = |text: &str| {
        let words: Vec<String> = normalise::words(text).into_iter().map(|w| w.text).collect();
        (words.join(" "), words.len())
    };
    let (plain, words) = spaced(&name.text);
    let named = normalise::words(&name.text)
        .iter()
        .filter(|w| {
            !w.text.is_ascii()
                || (vocabulary::class_of(&w.text) == Class::Word
                    && vocabulary::legal_form(&[w.text.as_str()]).is_none())
        })
        .count();
    let letters = plain.chars().filter(|c| *c != ' ').count();
    let latin = plain.is_ascii();
    let telling = match (words, latin) {
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
    if let Some((family, given)) = name.text.split_once(',') {
        patterns.push(format!(" {} {} ", spaced(given).0, spaced(family).0));
    }
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_are_found_in_any_order_and_parts_are_not() {
        let names = [
            (EntryKind::Person, Name::new("ZORKIN, Vasil", NameQuality::Primary)),
            (EntryKind::Vessel, Name::new("SILVER HERON", NameQuality::Primary)),
            (EntryKind::Person, Name::new("Vasil", NameQuality::Weak)),
        ];
        let phrases = Phrases::build(names.iter().map(|(k, n)| (*k, n)));
        let found = |text: &str| phrases.find(text).into_iter().map(|(n, _)| n).collect::<Vec<_>>();
        assert_eq!(found("freight m/v Silver Heron, voyage 7"), [1]);
        assert_eq!(found("for Vasil Zorkin's flat"), Vec::<u32>::new());
        assert_eq!(found("for Vasil Zorkin / flat"), [0]);
        assert_eq!(found("silver herons"), Vec::<u32>::new());
    }
}
