//! The forms of a word, and how forms are compared: by sounds, by consonants, or as they stand.

use super::{
    super::{scripts::Path, vocabulary},
    distance::edits,
    sounds::{Sounds, consonants, key, sounds},
};

/// One way in which a word may be written: what is compared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Form {
    /// Lower-case ASCII letters and digits, one Chinese character, or the letters of an abjad.
    pub text: String,
    /// Where it comes from.
    pub path: Path,
    /// The sounds of the text; empty for forms that are compared as they stand.
    pub sounds: Sounds,
    /// The coarse skeleton.
    pub key: Sounds,
    /// Whether it is several tokens written as one.
    pub joined: bool,
    /// Other names by which its bearer may go, from the table of short forms.
    pub others: &'static [&'static str],
}

/// A form, wherever its parts are kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormRef<'a> {
    pub text: &'a str,
    pub path: Path,
    pub sounds: &'a [u8],
    pub key: &'a [u8],
    pub joined: bool,
    pub others: &'static [&'static str],
}

impl<'a> From<&'a Form> for FormRef<'a> {
    fn from(form: &'a Form) -> Self {
        let Form { text, path, sounds, key, joined, others } = form;
        Self { text, path: *path, sounds, key, joined: *joined, others }
    }
}

/// How forms of a path are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// By sounds.
    Letters,
    /// By consonants, against letters or another abjad.
    Abjad,
    /// As it stands.
    Exact,
}

impl Path {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Latin | Self::Cyrillic | Self::Transliterated | Self::Kana => Kind::Letters,
            Self::Abjad => Kind::Abjad,
            _ => Kind::Exact,
        }
    }

    /// Whether it is how a Chinese character is read.
    pub(super) fn sounds_a_character(self) -> bool {
        matches!(self, Self::Pinyin | Self::WadeGiles | Self::Cantonese)
    }

    /// Whether a form is what somebody might have written, not what is written.
    pub(super) fn is_guess(self) -> bool {
        matches!(self, Self::Elsewhere | Self::Acronym)
    }
}

impl Form {
    /// A token's form.
    pub(crate) fn new(path: Path, text: String) -> Self {
        let others = if path.kind() == Kind::Letters { vocabulary::other_names(&text) } else { &[] };
        Self { others, ..Self::of(path, text, false) }
    }

    /// The form of several tokens written as one.
    pub(crate) fn joined(path: Path, text: String) -> Self {
        Self::of(path, text, true)
    }

    fn of(path: Path, text: String, joined: bool) -> Self {
        let (sounds, key) = match path.kind() {
            Kind::Letters => {
                let sounds = sounds(&text);
                let key = key(&sounds);
                (sounds, key)
            }
            Kind::Abjad => (Sounds::from_slice(text.as_bytes()), consonants(text.as_bytes())),
            Kind::Exact => (Sounds::new(), Sounds::new()),
        };
        Self { text, path, sounds, key, joined, others: &[] }
    }
}

impl FormRef<'_> {
    /// How many edits of its key are looked at.
    pub(crate) fn edits(self) -> usize {
        edits(self.key, self.joined)
    }

    /// The skeleton under which letters meet an abjad.
    pub(crate) fn consonants(self) -> Sounds {
        match self.path.kind() {
            Kind::Letters => consonants(self.sounds),
            _ => Sounds::from_slice(self.key),
        }
    }
}
