//! What `--help` says of every command, in golden files.

use std::{fmt::Write as _, process::Command};

fn help(command: &[String]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sluice")).args(command).arg("--help").output().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands below one, as its help lists them.
fn below(help: &str) -> Vec<String> {
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

/// The help of a command, then that of each below it.
fn whole(command: &[String], into: &mut String) {
    let help = help(command);
    writeln!(into, "$ sluice {}\n\n{help}", [command, &["--help".to_owned()]].concat().join(" ")).unwrap();
    for name in below(&help) {
        whole(&[command, &[name]].concat(), into);
    }
}

#[test]
fn the_help_of_every_command_is_golden() {
    let top = help(&[]);
    let commands = below(&top);
    assert!(commands.len() > 5, "{commands:?}");
    insta::with_settings!({prepend_module_to_snapshot => false, omit_expression => true}, {
        insta::assert_snapshot!("help", top);
        // A build without Kafka says of these that it has none.
        let is_there = |command: &String| cfg!(feature = "kafka") || !["engine", "api", "topics"].contains(&command.as_str());
        for command in commands.into_iter().filter(is_there) {
            let mut text = String::new();
            whole(std::slice::from_ref(&command), &mut text);
            insta::assert_snapshot!(format!("help_{command}"), text.trim_end());
        }
    });
}
