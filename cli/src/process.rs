//! What the process is to whoever runs it: its log lines, and the signals that end it.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::failure::Failure;

/// Which log lines are wanted: a level, or targets with levels, `info,sluice_runtime=debug`.
const LOG_WANTED: &str = "SLUICE_LOG";

/// How a log line is written: for people, or as an object of JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum LogLines {
    Text,
    Json,
}

/// Log lines go to standard error, those that `SLUICE_LOG` asks for; with colour only where somebody looks at them.
pub(crate) fn write_log_lines(as_what: LogLines) -> Result<(), Failure> {
    let wanted = match std::env::var(LOG_WANTED) {
        Ok(wanted) => wanted.parse().map_err(|error| Failure::user(format!("{LOG_WANTED}: {error}")))?,
        Err(_) => Targets::new().with_default(tracing::Level::INFO),
    };
    let lines = tracing_subscriber::fmt::layer().with_writer(stderr).with_ansi(stderr().is_terminal());
    let lines = match as_what {
        LogLines::Text => lines.boxed(),
        LogLines::Json => {
            lines.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
    };
    // A second subscriber, in a test, is no reason to fail.
    let _ = tracing_subscriber::registry().with(lines).with(wanted).try_init();
    Ok(())
}

/// SIGINT and SIGTERM.
pub(crate) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    pub(crate) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
