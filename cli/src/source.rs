//! How a file of events is read: the arguments, and the events.

use std::{
    fs,
    io::BufRead,
    path::{Path, PathBuf},
};

use anyhow::Context;
use sluice_codec::{Mapping, Zone, file_events};
use sluice_runtime::Read;

use crate::failure::Failure;

/// One event after another.
pub(crate) type Events = Box<dyn Iterator<Item = Read> + Send>;

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
            None => file_events(reader, &self.zone)
                .with_context(|| format!("failed to read {}", path.display()))
                .map_err(Failure::User),
        }
    }
}

/// What is said of a file without the columns that its mapping names.
pub(crate) const UNFIT: &str = "the file does not fit its mapping";
