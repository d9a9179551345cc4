//! The configuration file: `--config FILE` or `SLUICE_CONFIG`. It has a table for each command that runs a service, and its keys are the
//! long names of that command's arguments, so that names, defaults, checks and help stand in one place: the arguments.
//!
//! A value of the file takes the place of the argument's default. The environment and the command line override it, as they do
//! a default.

mod file;
mod show;

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgMatches, Command};

use self::file::File;
pub(crate) use self::show::{Subcommand, run};
use crate::failure::Failure;

/// The commands that read it.
const SERVICES: &[&str] = &["up", "engine", "api"];
/// The argument that names the file.
const CONFIG: &str = "config";

/// Where the configuration file is.
#[derive(clap::Args)]
pub(crate) struct ConfigFile {
    /// The file that says what is not said here: a table for each command, with the names of its arguments as keys
    /// (docs/operations.md). `sluice config show` says what comes of it.
    #[arg(long, value_name = "FILE", env = "SLUICE_CONFIG")]
    config: Option<PathBuf>,
}

/// Why a command line cannot be carried out.
pub(crate) enum Unparsed {
    /// In the words of the arguments' parser: an error, or help that was asked for.
    Clap(clap::Error),
    /// The file is wrong.
    File(Failure),
}

/// What was asked of a service, and the file that had a say in it.
pub(crate) struct Matched {
    pub matches: ArgMatches,
    pub command: Command,
    pub file: Option<File>,
}

/// Parse a command line, with what the configuration file says where it says nothing.
pub(crate) fn parse<C: clap::CommandFactory + clap::FromArgMatches>(
    line: Vec<OsString>,
) -> Result<C, Unparsed> {
    let Matched { mut matches, .. } = matched(C::command(), line)?;
    C::from_arg_matches_mut(&mut matches).map_err(|error| Unparsed::Clap(error.format(&mut C::command())))
}

/// As [`parse`], but not yet made into arguments.
fn matched(command: Command, line: Vec<OsString>) -> Result<Matched, Unparsed> {
    let (command, file) = match named(&command, &line) {
        None => (command, None),
        Some((service, path)) => {
            let of_service = command.find_subcommand(service).cloned().unwrap_or_default();
            let file = File::read(&path, &of_service).map_err(Unparsed::File)?;
            (command.mut_subcommand(service, |service| file.as_defaults(service)), Some(file))
        }
    };
    let matches = command.clone().try_get_matches_from(line).map_err(Unparsed::Clap)?;
    Ok(Matched { matches, command, file })
}

/// The service that is asked for, and the file that its command line or the environment names.
fn named(command: &Command, line: &[OsString]) -> Option<(&'static str, PathBuf)> {
    // What else is wrong with the line is said once the file is read: it may be what mends it.
    let matches = command.clone().ignore_errors(true).try_get_matches_from(line).ok()?;
    let (name, matches) = matches.subcommand()?;
    let service = SERVICES.iter().find(|service| **service == name)?;
    let path = matches.try_get_one::<PathBuf>(CONFIG).ok()??;
    Some((service, path.clone()))
}
