//! Why bytes are not an event.

use std::fmt;

/// Which kind of refusal; dead letters and metrics carry its name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Code {
    /// Not what the format or the canonical event allows.
    Malformed,
    /// Beyond a limit of `sluice_model::limits`, or of the format's own.
    TooLarge,
    /// Well-formed, and of a kind that Sluice does not read.
    Unsupported,
}

impl Code {
    /// The name, as dead letters carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why bytes are not an event. The message names the place and what was expected there, never what stood
/// there: it is free of personal data.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct DecodeError {
    code: Code,
    message: String,
}

impl DecodeError {
    /// An error of a kind, in words without personal data.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn malformed(message: impl Into<String>) -> Self {
        Self::new(Code::Malformed, message)
    }

    pub(crate) fn too_large(message: impl Into<String>) -> Self {
        Self::new(Code::TooLarge, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(Code::Unsupported, message)
    }

    /// The same error, said of a place.
    pub(crate) fn within(self, place: &str) -> Self {
        Self::new(self.code, format!("{place}: {}", self.message))
    }

    /// The kind's name: `malformed`, `too_large`, `unsupported`.
    pub const fn code(&self) -> &'static str {
        self.code.name()
    }
}

/// A line or row of a file that is not an event: where, why, and its bytes as they came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// The line it begins on, counted from 1.
    pub line: u64,
    /// The kind's name.
    pub code: &'static str,
    /// Why, without personal data.
    pub reason: String,
    /// The bytes as they came.
    pub original: Vec<u8>,
}

impl Refused {
    pub(crate) fn new(line: u64, error: DecodeError, original: &[u8]) -> Self {
        Self { line, code: error.code(), reason: error.message, original: original.to_vec() }
    }
}
