//! From words in any script to forms that can be compared: own rules for Cyrillic, Arabic and Hebrew letters,
//! Chinese characters and Hangul; a general transliteration for the rest.
//!
//! Owns the romanisations and nothing else: how near two forms are is told in `similarity`.

pub(crate) mod abjad;
pub(crate) mod cyrillic;
pub(crate) mod han;
pub(crate) mod hangul;
pub(crate) mod kana;
pub(crate) mod latin;

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::vocabulary;

/// Every syllable of a Chinese or Korean name as any romanisation in use writes it.
static SYLLABLES: LazyLock<FxHashSet<String>> = LazyLock::new(|| {
    let elsewhere = OTHER_SYLLABLES.split_whitespace().map(str::to_owned);
    han::all_spellings().chain(hangul::all_spellings()).chain(elsewhere).collect()
});

/// How Macau, and Hokkien and Teochew families of South-East Asia, spell what no table of ours romanises.
const OTHER_SYLLABLES: &str = "chio chao ieong leong cheong kuok kuan lao sio tou vai vong fong seng weng keng meng \
    teo teoh goh koh chua tay yeo yeoh toh quek kwek loh khoo cheah chew ong heng seah sia soh chng phua png kee \
    ooi beh boey chin chong foo gan hoon kwa lian liew neo ngoh pang phang seow siow soon tham thong tio wee yap yeap";

/// Whether a Latin word may be one syllable of a Chinese or Korean name.
pub(crate) fn is_syllable(word: &str) -> bool {
    SYLLABLES.contains(word)
}

/// Whether it may be two, written as one: `Taiman`, `Xiaoping`. Given names of Europe come apart likewise (`Martin`).
pub(crate) fn is_two_syllables(word: &str) -> bool {
    vocabulary::commonness(word) <= 0.0
        && vocabulary::other_names(word).is_empty()
        && word.len() >= TWO_SYLLABLES_LEN_MIN
        && word.is_ascii()
        && (2..=word.len() - 2).any(|at| is_syllable(&word[..at]) && is_syllable(&word[at..]))
}

/// Families of two syllables.
pub(crate) fn is_double_family(word: &str) -> bool {
    matches!(
        word,
        "ouyang"
            | "auyeung"
            | "szeto"
            | "situ"
            | "sima"
            | "szema"
            | "shangguan"
            | "zhuge"
            | "huangfu"
            | "namgung"
    )
}

/// Shorter words that come apart into two syllables are mostly other peoples' names (`Ali`, `Sara`).
const TWO_SYLLABLES_LEN_MIN: usize = 5;

/// The way from a word as written to a form: shown in explanations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Path {
    Latin,
    Cyrillic,
    Transliterated,
    Abjad,
    Han,
    Pinyin,
    WadeGiles,
    Cantonese,
    /// A Mandarin syllable in Latin letters, as other romanisations would have it.
    Elsewhere,
    Hangul,
    /// Japanese syllables.
    Kana,
    /// The first letters of several words.
    Acronym,
}

impl Path {
    /// As an officer reads it; empty for Latin, which needs no saying.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Latin => "",
            Self::Cyrillic => "Cyrillic romanised",
            Self::Transliterated => "transliterated",
            Self::Abjad => "consonants of the Arabic or Hebrew spelling",
            Self::Han => "Chinese characters, simplified",
            Self::Pinyin => "Mandarin pinyin",
            Self::WadeGiles => "Mandarin Wade-Giles",
            Self::Cantonese => "Cantonese romanised",
            Self::Elsewhere => "pinyin as Cantonese or Wade-Giles would have it",
            Self::Hangul => "Korean romanised",
            Self::Kana => "kana romanised",
            Self::Acronym => "first letters of the words",
        }
    }
}
