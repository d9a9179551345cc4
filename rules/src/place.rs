//! Files, and places in them.

use rhai::Position;

use crate::{Diagnostic, Gravity};

/// A file of the bundle and what was found in it.
pub(crate) struct Source<'a> {
    /// As the bundle names it.
    pub path: &'a str,
    /// The file's text.
    pub text: &'a str,
}

/// A place in a file: line and column from 1; 0 where the whole file is meant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Place {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

impl From<Position> for Place {
    fn from(at: Position) -> Self {
        Self { line: at.line().unwrap_or(0), column: at.position().unwrap_or(0) }
    }
}

impl Source<'_> {
    /// An error at a place.
    pub(crate) fn error(&self, at: impl Into<Place>, message: impl Into<String>) -> Diagnostic {
        let at = at.into();
        Diagnostic {
            gravity: Gravity::Error,
            file: self.path.to_owned(),
            line: at.line,
            column: at.column,
            width: self.width(at),
            message: message.into(),
            help: None,
        }
    }

    /// The place of a byte offset.
    pub(crate) fn place(&self, offset: usize) -> Place {
        let before = &self.text[..offset.min(self.text.len())];
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        Place { line: before.matches('\n').count() + 1, column: before[start..].chars().count() + 1 }
    }

    /// How many characters the word, text or sign at a place has.
    fn width(&self, at: Place) -> usize {
        let Some(line) = at.line.checked_sub(1).and_then(|n| self.text.lines().nth(n)) else { return 0 };
        let rest: Vec<char> = line.chars().skip(at.column.saturating_sub(1)).collect();
        let word = |c: &char| c.is_alphanumeric() || *c == '_' || *c == '.';
        match rest.first() {
            Some('"') => rest.iter().skip(1).position(|c| *c == '"').map_or(1, |i| i + 2),
            Some(c) if word(c) => rest.iter().take_while(|c| word(c)).count(),
            Some(c) if "<>=!&|".contains(*c) => rest.iter().take_while(|c| "<>=!&|".contains(**c)).count(),
            Some(_) => 1,
            None => 0,
        }
    }
}

/// The known word nearest to a word, if any is near enough to be meant.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Two names further apart than this were hardly meant for each other.
    const LIKENESS_MIN: f64 = 0.75;
    known
        .into_iter()
        .map(|known_word| (strsim::jaro_winkler(word, known_word), known_word))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known_word)| known_word)
}
