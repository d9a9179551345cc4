//! What the commands for Kafka say in a build that has none.

use std::process::ExitCode;

use crate::failure::Failure;

/// Whatever is said.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    _rest: Vec<String>,
}

/// Run the command.
pub(crate) fn run() -> Result<ExitCode, Failure> {
    Err(Failure::user("this build has no Kafka: build it with `--features full`"))
}
