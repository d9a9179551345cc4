//! `sluice config show`: what a service would run with, and where each value comes from. What it prints is a configuration
//! file.

use std::{ffi::OsString, io::Write as _, path::Path, process::ExitCode};

use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, parser::ValueSource};
use serde::Serialize;

use super::{File, Matched, SERVICES, Unparsed, matched};
use crate::{Cli, failure::Failure};

/// Subcommands.
#[derive(clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Print all that a service would run with, and where each value comes from: a default, the file, the environment or
    /// the command line. What is printed is a configuration file.
    Show(Show),
}

/// Arguments of `show`.
#[derive(clap::Args)]
pub(crate) struct Show {
    /// As one line of JSON.
    #[arg(long)]
    json: bool,
    /// The service and its arguments, as they would be given: `up --config sluice.toml --listen 127.0.0.1:9000`.
    #[arg(value_name = "SERVICE", default_value = "up", trailing_var_arg = true, allow_hyphen_values = true, num_args = 1..)]
    line: Vec<OsString>,
}

/// An argument and what it is.
#[derive(Serialize)]
struct Setting {
    name: String,
    /// `None`: it has none, or it is not shown.
    value: Option<String>,
    source: Source,
    /// Where exactly: the line of the file, the variable, or what a default comes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    secret: bool,
    #[serde(skip)]
    is_text: bool,
}

/// Where a value comes from.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Source {
    Default,
    File,
    Environment,
    Flag,
    Unset,
}

/// Run the command.
pub(crate) fn run(command: Subcommand) -> Result<ExitCode, Failure> {
    let Subcommand::Show(show) = command;
    let service = show.line[0].to_string_lossy().into_owned();
    if !SERVICES.contains(&&*service) {
        let services = SERVICES.join(" or ");
        return Err(Failure::user(format!("`{service}` is no service: {services} is expected")));
    }
    let line = [OsString::from("sluice")].into_iter().chain(show.line).collect();
    let Matched { matches, command, file } = match matched(Cli::command(), line) {
        Ok(matched) => matched,
        Err(Unparsed::File(failure)) => return Err(failure),
        Err(Unparsed::Clap(error)) => {
            error.print()?;
            return Ok(ExitCode::from(u8::from(error.use_stderr())));
        }
    };
    let (Some((_, matches)), Some(command)) = (matches.subcommand(), command.find_subcommand(&service))
    else {
        return Err(Failure::user("no service is named"));
    };
    print(&show_all(command, matches, file.as_ref()), &service, file.as_ref(), show.json)?;
    Ok(ExitCode::SUCCESS)
}

fn show_all(command: &Command, matches: &ArgMatches, file: Option<&File>) -> Vec<Setting> {
    let shown =
        command.get_arguments().filter(|argument| argument.get_long().is_some() && !argument.is_hide_set());
    shown.filter_map(|argument| setting(argument, matches, file)).collect()
}

fn setting(argument: &Arg, matches: &ArgMatches, file: Option<&File>) -> Option<Setting> {
    let name = argument.get_long()?;
    let id = argument.get_id().as_str();
    // What asks for something else is no setting.
    if matches!(
        argument.get_action(),
        ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
    ) {
        return None;
    }
    let line = file.and_then(|file| file.line(argument));
    let (source, from) = match (matches.value_source(id), line) {
        (None, _) => match described_default(argument) {
            Some(described) => (Source::Default, Some(described)),
            None => (Source::Unset, None),
        },
        (Some(ValueSource::DefaultValue), None) => (Source::Default, None),
        (Some(ValueSource::DefaultValue), Some(line)) => {
            (Source::File, file.map(|file| format!("{}:{line}", file.path.display())))
        }
        (Some(ValueSource::EnvVariable), _) => {
            (Source::Environment, argument.get_env().map(|name| name.to_string_lossy().into_owned()))
        }
        (Some(_), _) => (Source::Flag, None),
    };
    // Whoever keeps a value out of the help keeps it out of here.
    let secret = argument.is_hide_env_values_set();
    let raw = matches.get_raw(id).and_then(|mut values| values.next());
    let value = raw.map(|value| value.to_string_lossy().into_owned()).filter(|_| !secret);
    let is_text = !matches!(argument.get_action(), ArgAction::SetTrue);
    Some(Setting { name: name.to_owned(), value, source, from, secret, is_text })
}

/// What the help says of a default that is worked out at the start.
fn described_default(argument: &Arg) -> Option<String> {
    let help = argument.get_help()?.to_string();
    let (_, described) = help.rsplit_once("[default: ")?;
    Some(described.trim_end_matches(']').to_owned())
}

fn print(settings: &[Setting], service: &str, file: Option<&File>, json: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let path = file.map(|file| &*file.path);
    if json {
        let path = path.map(Path::to_string_lossy);
        let said = serde_json::json!({"service": service, "file": path, "settings": settings});
        return writeln!(out, "{said}");
    }
    writeln!(out, "[{service}]")?;
    for setting in settings {
        let (line, comment) = (setting.line(), setting.comment());
        writeln!(out, "{line:<44} # {comment}")?;
    }
    Ok(())
}

impl Setting {
    /// A line of a file; a comment where there is nothing to say, or where a file may not say it.
    fn line(&self) -> String {
        let Self { name, value, .. } = self;
        match value {
            Some(value) if self.is_text => {
                let line = format!("{name} = {}", toml::Value::String(value.clone()));
                if super::file::may_have(name) { line } else { format!("# {line}") }
            }
            Some(value) if super::file::may_have(name) => format!("{name} = {value}"),
            Some(value) => format!("# {name} = {value}"),
            None => format!("# {name}"),
        }
    }

    fn comment(&self) -> String {
        let from = self.from.as_deref().map(|from| format!(": {from}")).unwrap_or_default();
        let source = match self.source {
            Source::Default => "default",
            Source::File => "file",
            Source::Environment => "environment",
            Source::Flag => "flag",
            Source::Unset => "not set",
        };
        let hidden = if self.secret && self.source != Source::Unset { ", not shown" } else { "" };
        format!("{source}{from}{hidden}")
    }
}
