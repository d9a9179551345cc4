//! How a file of events is read: the arguments, and the events.

use std::{
    fs,
    io::{self, BufRead},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver},
    thread::{self, JoinHandle},
};

use anyhow::Context;
use sluice_codec::{FileEvents, Mapping, Refused, Whole, Zone};
use sluice_model::PaymentEvent;
use sluice_runtime::Read;

use crate::failure::Failure;

/// One event after another.
pub(crate) type Events = Box<dyn Iterator<Item = Read> + Send>;

/// Events of a document that wait until they are asked for: so many are read while those before are judged.
const EVENTS_AHEAD_MAX: usize = 256;

/// How a file of events is read.
#[derive(clap::Args)]
pub(crate) struct Source {
    /// Which column of a CSV file is what.
    #[arg(long, value_name = "FILE.toml")]
    mapping: Option<PathBuf>,
    /// Where times of ISO 20022 and SWIFT MT without an offset are at home: a name of the IANA database. A mapping has
    /// its own.
    #[arg(long, value_name = "NAME", default_value_t, conflicts_with = "mapping")]
    zone: Zone,
}

impl Source {
    /// The mapping, where one is named.
    pub(crate) fn mapping(&self) -> Result<Option<Mapping>, Failure> {
        let Some(path) = &self.mapping else { return Ok(None) };
        let named = || format!("failed to read mapping {}", path.display());
        let text = fs::read_to_string(path).with_context(named).map_err(Failure::User)?;
        Mapping::parse(&text).with_context(named).map(Some).map_err(Failure::User)
    }

    /// The events of the file that stands at `path`.
    pub(crate) fn events<R: BufRead + Send + 'static>(
        &self,
        reader: R,
        path: &Path,
    ) -> Result<Events, Failure> {
        match self.mapping()? {
            Some(mapping) => Ok(Box::new(mapping.rows(reader).context(UNFIT).map_err(Failure::User)?)),
            None => {
                let named = || format!("failed to read {}", path.display());
                let size = fs::metadata(path).with_context(named).map_err(Failure::User)?.len();
                match FileEvents::of(reader, size).with_context(named).map_err(Failure::User)? {
                    FileEvents::Lines(lines) => Ok(Box::new(lines)),
                    FileEvents::Whole(whole) => Ok(Box::new(Aside::read(whole, self.zone.clone()))),
                }
            }
        }
    }
}

/// The events of a document, which another thread reads.
struct Aside {
    events: Receiver<Result<PaymentEvent, Refused>>,
    reader: Option<JoinHandle<()>>,
}

impl Aside {
    fn read(whole: Whole, zone: Zone) -> Self {
        let (sender, events) = mpsc::sync_channel(EVENTS_AHEAD_MAX);
        let reader = thread::spawn(move || {
            whole.each(&zone, |one| match sender.send(one) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            });
        });
        Self { events, reader: Some(reader) }
    }
}

impl Iterator for Aside {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        if let Ok(one) = self.events.recv() {
            return Some(Ok(one));
        }
        let ended = self.reader.take()?.join();
        ended.err().map(|_| Err(io::Error::other("the file was not read to its end")))
    }
}

/// What is said of a file without the columns that its mapping names.
pub(crate) const UNFIT: &str = "the file does not fit its mapping";
