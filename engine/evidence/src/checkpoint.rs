//! Checkpoints: what a log says of itself at one size, as C2SP tlog-checkpoint v1.0.0 writes it.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use sluice_model::Hash256;

/// The size and root of a log. Written as three lines: origin, size, root in base64.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The log's name: its signer's key name.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash256,
}

/// A text is not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a checkpoint: an origin, a size and a root in base64, each on its line, are expected")]
pub struct CheckpointError;

impl Checkpoint {
    /// Read a checkpoint's text, without signatures. Extension lines are permitted by the standard and ignored.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError)?.split('\n');
        let mut line = || lines.next().filter(|l| !l.is_empty()).ok_or(CheckpointError);
        let (origin, size_text, root) = (line()?, line()?, line()?);
        if lines.any(str::is_empty) {
            return Err(CheckpointError);
        }
        let size: u64 = size_text.parse().map_err(|_| CheckpointError)?;
        let root = STANDARD.decode(root).ok().and_then(|r| r.try_into().ok()).ok_or(CheckpointError)?;
        if size.to_string() != size_text {
            return Err(CheckpointError); // a sign or leading zeros: a second spelling of the same size
        }
        Ok(Self { origin: origin.to_owned(), size, root: Hash256(root) })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, STANDARD.encode(self.root.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let checkpoint = Checkpoint { origin: "log.example".into(), size: 8, root: Hash256([9; 32]) };
        assert_eq!(Checkpoint::parse(&checkpoint.to_string()), Ok(checkpoint.clone()));
        assert_eq!(Checkpoint::parse(&format!("{checkpoint}an extension\n")), Ok(checkpoint));
    }

    #[test]
    fn other_spellings_are_refused() {
        let root = STANDARD.encode([0; 32]);
        for text in [
            format!("o\n08\n{root}\n"),
            format!("o\n+8\n{root}\n"),
            format!("o\n8\n{root}"),
            format!("\n8\n{root}\n"),
            format!("o\n8\n{root}\n\n"),
            "o\n8\nAAAA\n".to_owned(),
            String::new(),
        ] {
            assert_eq!(Checkpoint::parse(&text), Err(CheckpointError), "{text:?}");
        }
    }
}
