//! The configuration file and `sluice config show`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

/// A command without what this process's own environment says of configuration.
fn sluice(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    for name in ["CONFIG", "DATABASE", "BROKERS", "NAMESPACE", "INSTANCE", "BROKER_CONFIG"] {
        command.env_remove(format!("SLUICE_{name}"));
    }
    command.args(arguments);
    command
}

fn ran(mut command: Command) -> Output {
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What `config show` prints.
fn shown(command: Command) -> String {
    let output = ran(command);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// A setting, as JSON.
fn setting(command: Command, name: &str) -> Value {
    let said: Value = serde_json::from_str(&shown(command)).unwrap();
    let settings = said["settings"].as_array().unwrap();
    settings
        .iter()
        .find(|setting| setting["name"] == name)
        .unwrap_or_else(|| panic!("{name}: {said}"))
        .clone()
}

fn file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("sluice.toml");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_value_comes_from_the_default_the_file_the_environment_or_a_flag() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "[up]\n\nlisten = \"127.0.0.1:1\"\nsnapshot-every = 5\nwatch-rules = true\ndatabase = \"postgres://a:secret@b/c\"\n",
    );
    let path = path.to_str().unwrap();
    let with = |arguments: &[&str]| {
        let whole = ["config", "show", "--json", "up", "--config", path];
        sluice(&[&whole, arguments].concat())
    };
    let of_file = |name, line| {
        let found = setting(with(&[]), name);
        assert_eq!(
            (&found["source"], &found["from"]),
            (&json!("file"), &json!(format!("{path}:{line}"))),
            "{found}"
        );
        found["value"].clone()
    };
    assert_eq!(of_file("listen", 3), "127.0.0.1:1");
    assert_eq!(of_file("snapshot-every", 4), "5");
    assert_eq!(of_file("watch-rules", 5), "true");
    assert_eq!(of_file("database", 6), Value::Null, "it holds a password");
    let default = setting(with(&[]), "unnamed");
    assert_eq!((&default["value"], &default["source"]), (&json!("hold"), &json!("default")));
    let default = setting(with(&[]), "data");
    assert_eq!(default["from"], "sluice-data, with --demo sluice-demo-data");
    assert_eq!(setting(with(&[]), "rules")["source"], "unset");

    let flag = setting(with(&["--listen", "127.0.0.1:2"]), "listen");
    assert_eq!((&flag["value"], &flag["source"]), (&json!("127.0.0.1:2"), &json!("flag")));
    let mut in_environment = with(&[]);
    in_environment.env("SLUICE_DATABASE", "postgres://a:other@b/c");
    let found = setting(in_environment, "database");
    assert_eq!((&found["source"], &found["from"]), (&json!("environment"), &json!("SLUICE_DATABASE")));
    // The environment names the file too, and nothing says what is secret.
    let mut named = sluice(&["config", "show"]);
    named.env("SLUICE_CONFIG", path).env("SLUICE_DATABASE", "postgres://a:other@b/c");
    let page = shown(named);
    assert!(page.contains("listen = \"127.0.0.1:1\"") && page.contains("not shown"), "{page}");
    assert!(!page.contains("secret") && !page.contains("other"), "{page}");
}

/// What is printed is a configuration file, and one that changes nothing.
#[test]
fn what_is_shown_can_be_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut services = vec![vec!["up", "--lists", "some \"lists\"", "--watch-rules"]];
    if cfg!(feature = "kafka") {
        services.push(vec!["engine", "--brokers", "one:9092,two:9092", "--instance", "1"]);
    }
    for line in services {
        let page = shown(sluice(&[&["config", "show"], &*line].concat()));
        let path = file(folder.path(), &page);
        let again = shown(sluice(&["config", "show", line[0], "--config", path.to_str().unwrap()]));
        let values = |page: &str| -> Vec<String> {
            let lines = page.lines().map(|line| line.split(" # ").next().unwrap().trim_end().to_owned());
            lines.filter(|line| !line.starts_with("# config")).collect()
        };
        assert_eq!(values(&page), values(&again));
    }
}

#[test]
fn what_is_wrong_is_named_by_file_and_line_and_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "[up]\nlistn = \"127.0.0.1:1\"\nlisten = 1\nunnamed = \"maybe\"\naccept-loss = true\n",
    );
    let name = path.to_str().unwrap();
    let data = folder.path().join("data");
    for line in [
        vec!["up", "--config", name, "--data", data.to_str().unwrap()],
        vec!["config", "show", "up", "--config", name],
    ] {
        let output = ran(sluice(&line));
        assert_eq!(output.status.code(), Some(1));
        let said = text(&output.stderr);
        for expected in [
            "sluice.toml:2: listn: no such key: it is none of the arguments of `sluice up`",
            "sluice.toml:3: listen: ",
            "sluice.toml:4: unnamed: hold, alert or accept",
            "sluice.toml:5: accept-loss: this is said on the command line, not in a file",
        ] {
            assert!(said.contains(expected), "{said}");
        }
    }
    assert!(!data.exists());
    let absent = ran(sluice(&["up", "--config", "absent.toml"]));
    assert_eq!(absent.status.code(), Some(1));
    assert!(text(&absent.stderr).contains("absent.toml"));
    let service = ran(sluice(&["config", "show", "replay"]));
    assert_eq!(service.status.code(), Some(1));
    let argument = ran(sluice(&["config", "show", "up", "--no-such-argument"]));
    assert_eq!(argument.status.code(), Some(1));
}

/// The example of the guide is a file that is read, all of it.
#[test]
fn the_example_of_the_guide_is_read() {
    let guide =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md")).unwrap();
    let example = guide.split("```toml config\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), example);
    let services: &[&str] = if cfg!(feature = "kafka") { &["up", "engine"] } else { &["up"] };
    for service in services {
        let page = shown(sluice(&["config", "show", "--json", service, "--config", path.to_str().unwrap()]));
        let said: Value = serde_json::from_str(&page).unwrap();
        let of_file = |setting: &&Value| setting["source"] == "file";
        let read = said["settings"].as_array().unwrap().iter().filter(of_file).count();
        let table =
            example.split("\n[").find(|table| table.trim_start_matches('[').starts_with(service)).unwrap();
        assert_eq!(read, table.lines().filter(|line| line.contains(" = ")).count(), "{service}");
    }
}
