//! Reading the file: every key is an argument's long name, every value one that the argument takes, or the line is named.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use clap::{Arg, ArgAction, Command};
use toml::de::{DeTable, DeValue};

use super::{CONFIG, SERVICES};
use crate::failure::Failure;

/// What is confirmed once, by who stands there, or is about one run: a file would say it for ever.
const NOT_IN_A_FILE: &[&str] = &[CONFIG, "accept-clock", "accept-loss", "json"];
/// The largest file: some dozens of keys with the longest paths.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Whether a file may say what an argument of that name is.
pub(super) fn may_have(name: &str) -> bool {
    !NOT_IN_A_FILE.contains(&name)
}

/// What a file says of one command.
#[derive(Debug)]
pub(crate) struct File {
    pub path: PathBuf,
    values: BTreeMap<String, Value>,
}

/// What a key says.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Value {
    text: String,
    line: usize,
}

impl File {
    /// What a file says of a command. Whatever is wrong with it is said at once, not the first alone.
    pub(super) fn read(path: &Path, command: &Command) -> Result<Self, Failure> {
        let failed = |what: String| Failure::user(format!("{}: {what}", path.display()));
        let bytes = fs::metadata(path).map_err(|error| failed(error.to_string()))?.len();
        if bytes > FILE_BYTES_MAX {
            return Err(failed(format!("{bytes} bytes, and {FILE_BYTES_MAX} are the most")));
        }
        let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let values = read(&text, command).map_err(|wrong| {
            let lines = wrong.iter().map(|(line, what)| format!("{}:{line}: {what}", path.display()));
            Failure::user(lines.collect::<Vec<_>>().join("\n"))
        })?;
        Ok(Self { path: path.to_owned(), values })
    }

    /// The line that says what an argument is, if one does.
    pub(super) fn line(&self, argument: &Arg) -> Option<usize> {
        Some(self.values.get(argument.get_long()?)?.line)
    }

    /// The command, with what the file says as its defaults.
    pub(super) fn as_defaults(&self, command: Command) -> Command {
        command.mut_args(|argument| match argument.get_long().and_then(|name| self.values.get(name)) {
            None => argument,
            Some(value) => argument.required(false).default_value(value.text.clone()),
        })
    }
}

/// What is wrong, and in which line.
type Wrong = Vec<(usize, String)>;

fn read(text: &str, command: &Command) -> Result<BTreeMap<String, Value>, Wrong> {
    let line_of =
        |span: Range<usize>| 1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count();
    let file = DeTable::parse(text)
        .map_err(|error| vec![(line_of(error.span().unwrap_or_default()), error.message().to_owned())])?;
    let (mut values, mut wrong) = (BTreeMap::new(), Wrong::new());
    for (name, table) in file.get_ref() {
        let line = line_of(name.span());
        let DeValue::Table(table) = table.get_ref() else {
            wrong.push((line, format!("{}: keys stand in a table, {}", name.get_ref(), tables())));
            continue;
        };
        if !SERVICES.contains(&name.get_ref().as_ref()) {
            wrong.push((line, format!("[{}] is no table of this file: {}", name.get_ref(), tables())));
        } else if name.get_ref() == command.get_name() {
            for (key, value) in table {
                let line = line_of(key.span());
                match value_of(command, key.get_ref(), value.get_ref()) {
                    Ok(text) => drop(values.insert(key.get_ref().to_string(), Value { text, line })),
                    Err(what) => wrong.push((line, format!("{}: {what}", key.get_ref()))),
                }
            }
        }
    }
    wrong.sort();
    if wrong.is_empty() { Ok(values) } else { Err(wrong) }
}

fn tables() -> String {
    SERVICES.iter().map(|name| format!("[{name}]")).collect::<Vec<_>>().join(" or ")
}

/// A value as a command line would have it.
fn value_of(command: &Command, key: &str, value: &DeValue<'_>) -> Result<String, String> {
    let argument =
        command.get_arguments().find(|argument| argument.get_long() == Some(key) && !argument.is_hide_set());
    let Some(argument) = argument else {
        return Err(format!("no such key: it is none of the arguments of `sluice {}`", command.get_name()));
    };
    if !may_have(key) {
        return Err("this is said on the command line, not in a file".to_owned());
    }
    let is_switch = matches!(argument.get_action(), ArgAction::SetTrue);
    let text = match (value, is_switch) {
        (DeValue::Boolean(value), true) => return Ok(value.to_string()),
        (_, true) => return Err("true or false is expected".to_owned()),
        (DeValue::String(text), false) => text.to_string(),
        (DeValue::Integer(number), false) if number.radix() == 10 => number.as_str().replace('_', ""),
        (_, false) => return Err("a text or a whole number is expected".to_owned()),
    };
    check(argument, &text).map(|()| text)
}

/// Whether the argument takes the value: as the command line is asked.
fn check(argument: &Arg, text: &str) -> Result<(), String> {
    let alone = Arg::new(argument.get_id().clone())
        .long("value")
        .value_parser(argument.get_value_parser().clone())
        .require_equals(true);
    let line = [OsString::from(format!("--value={text}"))];
    let tried = Command::new("").no_binary_name(true).arg(alone).try_get_matches_from(line);
    tried.map(drop).map_err(|error| {
        // The first paragraph says what is expected; the value itself is not repeated.
        let said = error.to_string();
        let expected =
            said.lines().next().unwrap_or_default().rsplit_once("': ").map(|(_, why)| why.to_owned());
        let values = said.lines().find_map(|line| line.trim().strip_prefix("[possible values: "));
        match (expected, values) {
            (Some(expected), _) => expected,
            (None, Some(values)) => format!("one of {} is expected", values.trim_end_matches(']')),
            (None, None) => "not a value that it takes".to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, builder::PossibleValuesParser, value_parser};

    use super::*;

    fn command() -> Command {
        let number = Arg::new("count").long("count").value_parser(value_parser!(u64));
        let switch = Arg::new("watch").long("watch").action(ArgAction::SetTrue);
        let format = Arg::new("log").long("log").value_parser(PossibleValuesParser::new(["text", "json"]));
        let asked = Arg::new("accept_loss").long("accept-loss").action(ArgAction::SetTrue);
        Command::new("up").args([number, switch, format, asked, Arg::new("url").long("url")])
    }

    fn values(text: &str) -> Result<Vec<(String, String, usize)>, Wrong> {
        let read = read(text, &command())?.into_iter();
        Ok(read.map(|(key, value)| (key, value.text, value.line)).collect())
    }

    #[test]
    fn keys_are_the_long_names_of_arguments() {
        let text =
            "# A comment.\n[engine]\nwhatever = 1.5\n\n[up]\ncount = 1_000\nwatch = true\nurl = \"a\"\n";
        let expected = [("count", "1000", 6), ("url", "a", 8), ("watch", "true", 7)];
        let expected = expected.map(|(key, text, line)| (key.to_owned(), text.to_owned(), line));
        assert_eq!(values(text).unwrap(), expected);
        assert_eq!(values("").unwrap(), []);
    }

    #[test]
    fn everything_that_is_wrong_is_named_with_its_line() {
        let text = "[up]\ncount = \"many\"\nwatch = 1\nlog = \"xml\"\nother = 1\naccept-loss = true\nurl = [1]\n[topics]\n";
        let wrong = values(text).unwrap_err();
        let lines: Vec<String> = wrong.iter().map(|(line, what)| format!("{line}: {what}")).collect();
        assert_eq!(
            lines,
            [
                "2: count: invalid digit found in string",
                "3: watch: true or false is expected",
                "4: log: one of text, json is expected",
                "5: other: no such key: it is none of the arguments of `sluice up`",
                "6: accept-loss: this is said on the command line, not in a file",
                "7: url: a text or a whole number is expected",
                "8: [topics] is no table of this file: [up] or [engine] or [api]",
            ]
        );
        let top = values("count = 1\n").unwrap_err();
        assert_eq!(top, [(1, "count: keys stand in a table, [up] or [engine] or [api]".to_owned())]);
        assert_eq!(values("[up]\n\ncount = = 1\n").unwrap_err()[0].0, 3);
        assert_eq!(values("[up]\ncount = 1\ncount = 2\n").unwrap_err()[0].0, 3);
    }

    /// A key that a file may not have is an argument's name as it is.
    #[test]
    fn what_is_not_said_in_a_file_is_an_argument_of_a_service() {
        let sluice = crate::Cli::command();
        let services: Vec<&Command> =
            SERVICES.iter().filter_map(|name| sluice.find_subcommand(name)).collect();
        for name in NOT_IN_A_FILE {
            let has = |service: &&Command| {
                service.get_arguments().any(|argument| argument.get_long() == Some(name))
            };
            assert!(services.iter().any(has), "{name}");
        }
    }
}
