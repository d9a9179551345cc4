//! What can go wrong, by who can mend it: exit codes and messages follow from the kind.

use std::process::ExitCode;

/// A command that did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The user can mend it: a wrong path, a malformed file. Exit code 1.
    User(anyhow::Error),
    /// The command ran and found something: a failed check, an evidence bundle that does not hold. Exit code 2.
    Finding(String),
    /// Sluice is at fault, or the machine is. Exit code 3.
    Internal(anyhow::Error),
}

impl Failure {
    /// A user error with a message.
    pub(crate) fn user(message: impl Into<String>) -> Self {
        Self::User(anyhow::anyhow!(message.into()))
    }

    /// Print the message on standard error; the exit code of the kind.
    #[expect(clippy::print_stderr, reason = "this is where the program speaks of failures")]
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::User(error) => {
                eprintln!("error: {}", chain(&error));
                ExitCode::from(1)
            }
            Self::Finding(text) => {
                eprintln!("{text}");
                ExitCode::from(2)
            }
            Self::Internal(error) => {
                eprintln!("internal error: {}", chain(&error));
                ExitCode::from(3)
            }
        }
    }
}

/// An error and its causes. Some say their cause themselves: it is said once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.contains(&cause) {
            text += if text.is_empty() { "" } else { ": " };
            text += &cause;
        }
    }
    text
}

/// Whatever a library reports is internal unless said otherwise.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let error: anyhow::Error = Err::<(), _>(std::io::Error::other("no such host"))
            .map_err(|error| anyhow::Error::new(error).context("the database failed: no such host"))
            .context("up")
            .unwrap_err();
        assert_eq!(chain(&error), "up: the database failed: no such host");
        assert_eq!(chain(&anyhow::anyhow!("inner").context("outer")), "outer: inner");
    }
}
