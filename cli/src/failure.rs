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
                eprintln!("error: {error:#}");
                ExitCode::from(1)
            }
            Self::Finding(text) => {
                eprintln!("{text}");
                ExitCode::from(2)
            }
            Self::Internal(error) => {
                eprintln!("internal error: {error:#}");
                ExitCode::from(3)
            }
        }
    }
}

/// Whatever a library reports is internal unless said otherwise.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}
