//! From words in any script to forms that can be compared: own rules for Cyrillic, Arabic and Hebrew letters,
//! Chinese characters and Hangul; a general transliteration for the rest.
//!
//! Owns the romanisations and nothing else: how near two forms are is told in `similarity`.

pub(crate) mod abjad;
pub(crate) mod cyrillic;
pub(crate) mod han;
pub(crate) mod hangul;

/// The way from a word as written to a form: shown in explanations.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Path {
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
}

impl Path {
    /// As an officer reads it; empty for Latin, which needs no saying.
    pub fn label(self) -> &'static str {
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
        }
    }
}
