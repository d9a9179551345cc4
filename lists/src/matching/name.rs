//! A name as the scorer sees it: tokens with their part, weight and forms, and the legal forms set aside. How one is read
//! is `tokens`' business, what two of them are to each other `scorer`'s.

use smallvec::SmallVec;

use super::{
    numbers,
    similarity::Form,
    vocabulary::{Class, LegalForms},
};

/// What the scorer needs of a token besides its forms.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Token {
    /// The share that it has in the name.
    pub weight: f32,
    /// The part that it plays.
    pub class: Class,
    /// Whether it names the father: it follows `bin`, `ibn`.
    pub father: bool,
    /// Which part of a person's name it is, where the spelling tells.
    pub part: Part,
    /// The first letter, for initials; for numbers the number, and whether it is in Roman numerals.
    pub mark: u32,
    /// Whether it is one or two syllables of a Chinese or Korean name, in whatever letters.
    pub syllabic: bool,
}

/// Marks a number that is written in Roman numerals.
pub(super) const ROMAN: u32 = 1 << 31;

impl Token {
    /// The number that a number is.
    pub(crate) fn number(&self) -> u32 {
        self.mark & !ROMAN
    }

    /// Whether two numbers are Roman numerals that differ by one stroke.
    pub(crate) fn one_stroke_from(&self, other: &Self) -> bool {
        let roman = |token: &Self| token.class == Class::Number && token.mark & ROMAN != 0;
        roman(self) && roman(other) && numbers::one_stroke(self.number(), other.number())
    }
}

/// The parts of a person's name: told by a comma, or by how Chinese and Korean names are divided; and what stands
/// in brackets in any name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Part {
    #[default]
    Unknown,
    Family,
    Given,
    /// A branch, a maiden name, a nickname: what many leave out.
    Aside,
}

/// A run of tokens and the ways in which it may be written.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    pub from: u8,
    pub len: u8,
    pub forms: SmallVec<[Form; 1]>,
}

/// A name, read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Name {
    pub tokens: SmallVec<[Token; 6]>,
    /// Single tokens first, in order; then joined ones.
    pub spans: SmallVec<[Span; 8]>,
    /// The tokens as they are shown.
    pub shown: SmallVec<[String; 6]>,
    /// The legal forms that it has.
    pub legal: LegalForms,
    /// Whether something of it is not in the tokens: it is longer than the limit.
    pub cut: bool,
    /// Whether something of it cannot be read at all, or nothing of it can be compared.
    pub unreadable: bool,
}
