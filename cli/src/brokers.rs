//! Which Kafka brokers a command works with.

use std::{collections::BTreeMap, fs, path::PathBuf};

use sluice_log::{LogError, kafka::KafkaOptions};

use crate::failure::Failure;

/// Arguments.
#[derive(clap::Args)]
pub(crate) struct Brokers {
    /// The Kafka brokers to begin with: HOST:PORT, several with commas between.
    #[arg(long, value_name = "HOST:PORT", env = "SLUICE_BROKERS")]
    brokers: String,
    /// What stands before the names of topics and groups, with a dot, where several installations share the brokers.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "",
        hide_default_value = true,
        env = "SLUICE_NAMESPACE"
    )]
    namespace: String,
    /// Settings of the Kafka client, one NAME=VALUE a line, such as security.protocol=SASL_SSL: keys and passwords are not
    /// for a command line.
    #[arg(long, value_name = "FILE", env = "SLUICE_BROKER_CONFIG")]
    broker_config: Option<PathBuf>,
}

impl Brokers {
    /// What the log is opened with, by a process of that name.
    pub(crate) fn options(&self, instance: &str) -> Result<KafkaOptions, Failure> {
        let mut options = KafkaOptions::new(&self.brokers, instance);
        self.namespace.clone_into(&mut options.namespace);
        if let Some(path) = &self.broker_config {
            let text = fs::read_to_string(path);
            let text = text.map_err(|error| Failure::user(format!("{}: {error}", path.display())))?;
            options.properties = properties(&text)
                .map_err(|line| Failure::user(format!("{}:{line}: say NAME=VALUE", path.display())))?;
        }
        Ok(options)
    }
}

/// The name of this process, the machine's where none is said.
pub(crate) fn instance(said: Option<&str>) -> String {
    let machine = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    said.map_or_else(machine, str::to_owned)
}

/// A failure of the log, by who can mend it.
pub(crate) fn failed(error: LogError) -> Failure {
    match error {
        LogError::Client { .. } | LogError::Lost { .. } | LogError::Closed => Failure::Internal(error.into()),
        error => Failure::User(error.into()),
    }
}

/// The settings that a file names; the number of the first line that is none.
fn properties(text: &str) -> Result<BTreeMap<String, String>, usize> {
    let lines = text.lines().map(str::trim).enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(index, line)| match line.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
            None => Err(index + 1),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_lines_of_names_and_values() {
        let read = properties("# SASL\nsasl.mechanism = PLAIN\n\nsasl.password=a=b\n");
        let expected = [("sasl.mechanism", "PLAIN"), ("sasl.password", "a=b")];
        assert_eq!(read, Ok(expected.map(|(n, v)| (n.to_owned(), v.to_owned())).into()));
        assert_eq!(properties("\nsasl.mechanism"), Err(2));
    }
}
