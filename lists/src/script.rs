//! The script of a name: which writing system most of its letters are in.

use serde::{Deserialize, Serialize};
use unicode_script::{Script as Uax24, UnicodeScript};

/// The writing systems that lists use, and the telegraph codes that stand for Chinese characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are Unicode's own")]
pub enum Script {
    #[default]
    Latin,
    Cyrillic,
    Greek,
    Arabic,
    Hebrew,
    Han,
    /// Kana, or kanji with at least one kana.
    Kana,
    Hangul,
    Thai,
    Devanagari,
    Bengali,
    Burmese,
    Armenian,
    Georgian,
    Ethiopic,
    /// Chinese Commercial Codes: four digits for each character (`1728 4320`).
    Telegraph,
    /// Any other, or no letters at all.
    Other,
}

impl Script {
    const COUNT: usize = Self::Other as usize + 1;

    /// The script of most letters; a single kana makes it Japanese. Never [`Script::Telegraph`], which only a
    /// source can declare: digits alone do not say that they stand for characters.
    pub fn of(text: &str) -> Self {
        if text.bytes().all(|b| b.is_ascii()) {
            return if text.bytes().any(|b| b.is_ascii_alphabetic()) { Self::Latin } else { Self::Other };
        }
        let mut letters = [0_usize; Self::COUNT];
        for c in text.chars().filter(|c| c.is_alphabetic()) {
            letters[Self::of_letter(c) as usize] += 1;
        }
        if letters[Self::Kana as usize] > 0 {
            return Self::Kana;
        }
        let most = Self::ALL.into_iter().rev().max_by_key(|s| letters[*s as usize]);
        most.filter(|s| letters[*s as usize] > 0).unwrap_or(Self::Other)
    }

    /// Whether it is Latin, the script that needs no saying.
    pub fn is_latin(&self) -> bool {
        *self == Self::Latin
    }

    const ALL: [Self; Self::COUNT] = [
        Self::Latin,
        Self::Cyrillic,
        Self::Greek,
        Self::Arabic,
        Self::Hebrew,
        Self::Han,
        Self::Kana,
        Self::Hangul,
        Self::Thai,
        Self::Devanagari,
        Self::Bengali,
        Self::Burmese,
        Self::Armenian,
        Self::Georgian,
        Self::Ethiopic,
        Self::Telegraph,
        Self::Other,
    ];

    pub(crate) fn of_letter(c: char) -> Self {
        match c.script() {
            Uax24::Latin => Self::Latin,
            Uax24::Cyrillic => Self::Cyrillic,
            Uax24::Greek => Self::Greek,
            Uax24::Arabic => Self::Arabic,
            Uax24::Hebrew => Self::Hebrew,
            Uax24::Han => Self::Han,
            Uax24::Hiragana | Uax24::Katakana => Self::Kana,
            Uax24::Hangul => Self::Hangul,
            Uax24::Thai => Self::Thai,
            Uax24::Devanagari => Self::Devanagari,
            Uax24::Bengali => Self::Bengali,
            Uax24::Myanmar => Self::Burmese,
            Uax24::Armenian => Self::Armenian,
            Uax24::Georgian => Self::Georgian,
            Uax24::Ethiopic => Self::Ethiopic,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_letters_decide() {
        for (text, script) in [
            ("DOE, John", Script::Latin),
            ("Zoë Ångström", Script::Latin),
            ("陳大文 CHAN", Script::Latin),
            ("陳大文", Script::Han),
            ("山田 たろう", Script::Kana),
            ("Иван Петров", Script::Cyrillic),
            ("محمد", Script::Arabic),
            ("김철수", Script::Hangul),
            ("1728 4320", Script::Other),
            ("", Script::Other),
        ] {
            assert_eq!(Script::of(text), script, "{text}");
        }
    }
}
