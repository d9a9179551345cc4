//! Listed names in free text: a remittance line that names a party, a vessel, a place.
//!
//! A name is looked for as it stands and with the part before a comma last, after the same folding as names;
//! only names long enough not to be found by chance. Never spells: one typo hides a name here, since free text
//! compared loosely would name somebody in every line.

use std::hash::Hasher;

use rustc_hash::FxHasher;
use sluice_model::EntryKind;

use super::{
    normalise,
    tables::{self, Hashed},
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
    /// Hash of a phrase → the names that it may be.
    names: Hashed,
    /// The longest phrase has so many words.
    words_max: usize,
}

impl Phrases {
    /// Of names in the order in which they are known to the index.
    pub(crate) fn build<'a>(names: impl Iterator<Item = (EntryKind, &'a Name)>) -> Self {
        let (mut phrases, mut words_max) = (Vec::new(), 0);
        for (at, (kind, name)) in names.enumerate() {
            for phrase in phrases_of(kind, name) {
                if let Some((last, hash)) = hashes(phrase.split(' ')).enumerate().last() {
                    phrases.push((hash, at as u32));
                    words_max = words_max.max(last + 1);
                }
            }
        }
        Self { names: Hashed::build(phrases), words_max }
    }

    /// The names found, with what was found; `name` says what each is.
    pub(crate) fn find<'a>(
        &self,
        text: &str,
        name: impl Fn(u32) -> (EntryKind, &'a Name),
    ) -> Vec<(u32, String)> {
        let text: Vec<char> = text.chars().take(TEXT_CHARS_MAX).collect();
        let parts = text.chunks(normalise::NAME_CHARS_MAX).map(|part| part.iter().collect::<String>());
        let folded: Vec<String> = parts.flat_map(|p| normalise::words(&p)).map(|w| w.text).collect();
        let folded = folded.join(" ");
        let words: Vec<&str> = folded.split(' ').collect();
        let mut found = Vec::new();
        for from in 0..words.len() {
            let following = &words[from..words.len().min(from + self.words_max)];
            for (last, hash) in hashes(following.iter().copied()).enumerate() {
                for at in self.names.get(hash) {
                    let phrase = following[..=last].join(" ");
                    let (kind, name) = name(at);
                    if phrases_of(kind, name).contains(&phrase) {
                        found.push((at, phrase));
                    }
                }
            }
        }
        found.sort();
        found.dedup_by_key(|(name, _)| *name);
        found
    }
}

/// The hash of the first word, of the first two, and so on.
fn hashes<'a>(words: impl Iterator<Item = &'a str>) -> impl Iterator<Item = u32> {
    words.scan(FxHasher::default(), |hasher, word| {
        hasher.write(word.as_bytes());
        Some(tables::mixed(hasher))
    })
}

/// A name as it is looked for: words with a space between them.
fn phrases_of(kind: EntryKind, name: &Name) -> Vec<String> {
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
    let mut phrases = vec![plain];
    if let Some((family, given)) = name.text.split_once(',') {
        phrases.push(format!("{} {}", spaced(given).0, spaced(family).0));
    }
    phrases
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words() -> impl Strategy<Value = Vec<&'static str>> {
        let word =
            prop::sample::select(vec!["Vasil", "ZORKIN", "Silver Heron", "ALBATROSS", "of", "山茶", ","]);
        prop::collection::vec(word, 1..6)
    }

    proptest! {
        #[test]
        fn what_stands_in_the_text_is_found_and_nothing_else(
            names in prop::collection::vec(words(), 1..8),
            text in words(),
        ) {
            let names: Vec<Name> = names.iter().map(|n| Name::new(n.join(" "), NameQuality::Primary)).collect();
            let listed = |n: u32| (EntryKind::Vessel, &names[n as usize]);
            let count = names.len() as u32;
            let text = text.join(" ");
            let folded: Vec<String> = normalise::words(&text).into_iter().map(|w| w.text).collect();
            let folded = format!(" {} ", folded.join(" "));
            let stands = |n: &u32| {
                let (kind, name) = listed(*n);
                phrases_of(kind, name).iter().any(|phrase| folded.contains(&format!(" {phrase} ")))
            };
            let found = Phrases::build((0..count).map(listed)).find(&text, listed);
            prop_assert_eq!(
                found.into_iter().map(|(n, _)| n).collect::<Vec<_>>(),
                (0..count).filter(stands).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn whole_names_are_found_in_any_order_and_parts_are_not() {
        let names = [
            (EntryKind::Person, Name::new("ZORKIN, Vasil", NameQuality::Primary)),
            (EntryKind::Vessel, Name::new("SILVER HERON", NameQuality::Primary)),
            (EntryKind::Person, Name::new("Vasil", NameQuality::Weak)),
        ];
        let phrases = Phrases::build(names.iter().map(|(k, n)| (*k, n)));
        let found = |text: &str| {
            phrases
                .find(text, |n| (names[n as usize].0, &names[n as usize].1))
                .into_iter()
                .map(|(n, _)| n)
                .collect::<Vec<_>>()
        };
        assert_eq!(found("freight m/v Silver Heron, voyage 7"), [1]);
        assert_eq!(found("for Vasil Zorkin's flat"), Vec::<u32>::new());
        assert_eq!(found("for Vasil Zorkin / flat"), [0]);
        assert_eq!(found("silver herons"), Vec::<u32>::new());
    }
}
