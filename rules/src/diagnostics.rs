//! What `check` has to say about a rule: where, what, and what to write instead.

use std::fmt;

use serde::Serialize;
use sluice_model::RuleBundle;

/// How much a diagnostic matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gravity {
    /// The rule set loads; somebody should look.
    Warning,
    /// The rule set does not load.
    Error,
}

/// One thing found, with its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostic {
    /// Whether the set loads all the same.
    pub gravity: Gravity,
    /// The file, as the bundle names it.
    pub file: String,
    /// From 1; 0 where the whole file is meant.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// How many characters are meant.
    pub width: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// All that was found: never one at a time.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Whether the rule set must not load.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.gravity == Gravity::Error)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        self.help.as_ref().map_or(Ok(()), |help| write!(f, " ({help})"))
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, diagnostic) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            diagnostic.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl Diagnostic {
    /// The same, with what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, with what was probably meant, if anything is near enough.
    #[must_use]
    pub fn perhaps(self, meant: Option<&str>) -> Self {
        match meant {
            Some(meant) => self.help(format!("did you mean `{meant}`?")),
            None => self,
        }
    }

    /// The same, as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.gravity = Gravity::Warning;
        self
    }
}

impl Diagnostics {
    /// As a terminal shows it: the line, a caret under what is meant, and what to do.
    pub fn render(&self, bundle: &RuleBundle) -> String {
        let mut out = String::new();
        for diagnostic in &self.0 {
            let Diagnostic { gravity, file, line, column, width, message, help } = diagnostic;
            let gravity = match gravity {
                Gravity::Error => "error",
                Gravity::Warning => "warning",
            };
            out.push_str(&format!("{gravity}: {message}\n"));
            let text = bundle.files.iter().find(|f| f.path == *file).map_or("", |f| f.text.as_str());
            match line.checked_sub(1).and_then(|n| text.lines().nth(n)) {
                Some(shown) => {
                    let margin = " ".repeat(line.to_string().len());
                    // Tabs count as one character in a column: keep them, so that the caret is under its word.
                    let lead: String = shown
                        .chars()
                        .take(column.saturating_sub(1))
                        .map(|c| if c == '\t' { '\t' } else { ' ' })
                        .collect();
                    out.push_str(&format!(
                        "{margin} ┌ {file}:{line}:{column}\n{margin} │\n{line} │ {shown}\n"
                    ));
                    out.push_str(&format!("{margin} │ {lead}{}\n", "^".repeat((*width).max(1))));
                }
                None => out.push_str(&format!("  ┌ {file}\n")),
            }
            if let Some(help) = help {
                out.push_str(&format!("  = help: {help}\n"));
            }
            out.push('\n');
        }
        out
    }
}
