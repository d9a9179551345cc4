//! Reading the map of a declaration: `#{ title: "…", value: 3 }`.

use rhai::{Expr, Ident, Position};

use crate::{
    Diagnostic,
    place::{Source, nearest},
    syntax::Block,
};

/// The entries of a declaration, and what is wrong with them.
pub(crate) struct Fields<'a> {
    /// The file.
    pub source: &'a Source<'a>,
    /// What is declared: "parameter `threshold`".
    pub what: String,
    /// Where.
    pub at: Position,
    entries: &'a [(Ident, Expr)],
    /// What is wrong.
    pub found: &'a mut Vec<Diagnostic>,
}

impl<'a> Fields<'a> {
    /// The entries of a block, each of a known name.
    pub(crate) fn of(
        source: &'a Source<'a>,
        word: &str,
        block: &'a Block,
        known: &[&str],
        found: &'a mut Vec<Diagnostic>,
    ) -> Self {
        let what = format!("{word} `{}`", block.name);
        Self::new(source, what, block.at, &block.entries, known, found)
    }

    /// Entries, each of a known name.
    pub(crate) fn new(
        source: &'a Source<'a>,
        what: String,
        at: Position,
        entries: &'a [(Ident, Expr)],
        known: &[&str],
        found: &'a mut Vec<Diagnostic>,
    ) -> Self {
        for (name, _) in entries {
            if !known.contains(&name.name.as_str()) {
                let diagnostic = source.error(name.pos, format!("{what} has no `{}`", name.name));
                found.push(match nearest(&name.name, known.iter().copied()) {
                    Some(meant) => diagnostic.perhaps(Some(meant)),
                    None => diagnostic.help(format!("it may say: {}", known.join(", "))),
                });
            }
        }
        Self { source, what, at, entries, found }
    }

    /// The expression of an entry.
    pub(crate) fn expr(&self, name: &str) -> Option<&'a Expr> {
        self.entries.iter().find(|(held, _)| held.name == name).map(|(_, expr)| expr)
    }

    /// Say that something is wrong with an entry, or with the whole where there is no such entry.
    pub(crate) fn error(&mut self, name: &str, message: impl Into<String>) {
        let at = self.expr(name).map_or(self.at, Expr::start_position);
        self.found.push(self.source.error(at, message));
    }

    /// The same, with what to do.
    pub(crate) fn error_with(&mut self, name: &str, message: impl Into<String>, help: impl Into<String>) {
        let at = self.expr(name).map_or(self.at, Expr::start_position);
        self.found.push(self.source.error(at, message).help(help));
    }

    /// The expression of an entry that must be there.
    pub(crate) fn required(&mut self, name: &str) -> Option<&'a Expr> {
        let expr = self.expr(name);
        if expr.is_none() {
            let message = format!("{} does not say its `{name}`", self.what);
            self.error(name, message);
        }
        expr
    }

    /// A text, if the entry is there.
    pub(crate) fn text(&mut self, name: &str) -> Option<&'a str> {
        match self.expr(name)? {
            Expr::StringConstant(text, _) => Some(text.as_str()),
            _ => {
                self.error(name, format!("`{name}` is a text in quotes"));
                None
            }
        }
    }

    /// A text that must be there and say something.
    pub(crate) fn required_text(&mut self, name: &str) -> Option<&'a str> {
        self.required(name)?;
        let text = self.text(name)?;
        if text.trim().is_empty() {
            self.error(name, format!("`{name}` is empty"));
            return None;
        }
        Some(text)
    }

    /// One of several words.
    pub(crate) fn word<T>(&mut self, name: &str, known: &[(&str, T)]) -> Option<T>
    where
        T: Copy,
    {
        let text = self.text(name)?;
        let found = known.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
            self.error_with(
                name,
                format!("unknown {name} {text:?}"),
                format!("write one of: {}", words.join(", ")),
            );
        }
        found
    }

    /// A yes or no, if the entry is there.
    pub(crate) fn flag(&mut self, name: &str) -> Option<bool> {
        match self.expr(name)? {
            Expr::BoolConstant(value, _) => Some(*value),
            _ => {
                self.error(name, format!("`{name}` is true or false"));
                None
            }
        }
    }

    /// A list of words, if the entry is there.
    pub(crate) fn words<T: Copy>(&mut self, name: &str, known: &[(&str, T)]) -> Option<Vec<T>> {
        let Expr::Array(items, _) = self.expr(name)? else {
            self.error(name, format!("`{name}` is a list: [\"…\", \"…\"]"));
            return None;
        };
        let mut all = Vec::new();
        for item in items {
            let text = if let Expr::StringConstant(text, _) = item { text.as_str() } else { "" };
            match known.iter().find(|(word, _)| *word == text) {
                Some((_, value)) => all.push(*value),
                None => {
                    let diagnostic =
                        self.source.error(item.start_position(), format!("unknown entry of `{name}`"));
                    let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
                    self.found.push(diagnostic.help(format!("write one of: {}", words.join(", "))));
                }
            }
        }
        Some(all)
    }
}
