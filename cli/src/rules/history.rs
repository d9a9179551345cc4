//! The past that rule sets are compared over: a file of events, or the log of a data folder.

use std::{fs, io, path::Path, path::PathBuf, sync::Arc};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use sluice_log::{EmbeddedLog, Log, Partition, ReadLimit, StoredRecord};
use sluice_model::{PaymentEvent, PaymentRecord};
use sluice_runtime::{PAYMENTS, Read};

use crate::{
    failure::Failure,
    source::{Events, Source},
};

/// Bytes read from a file at a time.
const READ_BUFFER_BYTES: usize = 1 << 20;
/// Records read from a log at a time.
const LOG_BATCH_RECORDS: usize = 4_096;

/// What happened, and what of it is known to be laundering.
#[derive(clap::Args)]
pub(crate) struct History {
    /// History: NDJSON, an ISO 20022 document, SWIFT MT messages, or CSV with a mapping.
    #[arg(long, value_name = "FILE", required_unless_present = "log")]
    events: Option<PathBuf>,
    /// History: the payments log of a data folder whose process does not run.
    #[arg(long, value_name = "DATA", conflicts_with_all = ["events", "mapping", "zone"])]
    log: Option<PathBuf>,
    #[command(flatten)]
    source: Source,
    /// Labelled transactions (CSV: alert_id, alert_type, orig_acct, bene_acct, tran_timestamp): says precision and
    /// recall.
    #[arg(long, value_name = "FILE.csv")]
    pub groups: Option<PathBuf>,
}

impl History {
    /// The events, and a bar that shows how much of them has been read.
    pub(crate) fn open(&self) -> Result<(Events, ProgressBar), Failure> {
        match (&self.events, &self.log) {
            (_, Some(data)) => of_log(data),
            (Some(path), None) => self.of_file(path),
            (None, None) => Err(Failure::user("say which history: --events FILE or --log DATA")),
        }
    }

    fn of_file(&self, path: &Path) -> Result<(Events, ProgressBar), Failure> {
        let named = || self.unreadable();
        let file = fs::File::open(path).with_context(named).map_err(Failure::User)?;
        let bar = bar(file.metadata().map_or(0, |about| about.len()));
        let reader = io::BufReader::with_capacity(READ_BUFFER_BYTES, bar.wrap_read(file));
        Ok((self.source.events(reader, path)?, bar))
    }

    /// What to say when it could not be read.
    pub(crate) fn unreadable(&self) -> String {
        let path = self.events.as_ref().or(self.log.as_ref());
        format!("failed to read {}", path.map(|path| path.display().to_string()).unwrap_or_default())
    }
}

fn bar(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {percent:>3}% {eta}") {
        bar.set_style(style);
    }
    bar
}

/// The events that a log holds, in their order; what officers ordered in between is left out.
fn of_log(data: &Path) -> Result<(Events, ProgressBar), Failure> {
    let folder = data.join("log");
    if !folder.is_dir() {
        return Err(Failure::user(format!("{} is no data folder: it holds no log", data.display())));
    }
    let log = EmbeddedLog::open(&folder).map_err(|error| Failure::User(error.into()))?;
    let bar = bar(log.end(PAYMENTS)?);
    let progress = bar.clone();
    let read_on = move |next| {
        progress.set_position(next);
        true
    };
    Ok((Box::new(events_of(Arc::new(log), PAYMENTS, 0, read_on)), bar))
}

/// The events of a partition of payments from an offset on, for as long as `read_on` says so, asked before each batch.
pub(crate) fn events_of(
    log: Arc<dyn Log>,
    payments: Partition,
    from: u64,
    mut read_on: impl FnMut(u64) -> bool + Send,
) -> impl Iterator<Item = Read> + Send {
    let mut next = from;
    let batches = std::iter::from_fn(move || {
        if !read_on(next) {
            return None;
        }
        let stored = match log.read(payments, next, ReadLimit::records(LOG_BATCH_RECORDS)) {
            Ok(stored) => stored,
            Err(error) => return Some(vec![Err(io::Error::other(error))]),
        };
        next = stored.last()?.offset + 1;
        let event = |stored: &StoredRecord| match serde_json::from_slice(&stored.value) {
            Ok(PaymentRecord::Event(record)) => Some(Ok(Ok(PaymentEvent::clone(&record.event)))),
            Ok(PaymentRecord::Control(_)) => None,
            // The parser's own words may quote the record.
            Err(_) => Some(Err(io::Error::other(format!("record {} cannot be read", stored.offset)))),
        };
        Some(stored.iter().filter_map(event).collect::<Vec<Read>>())
    });
    batches.flatten()
}
