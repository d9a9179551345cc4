//! The case database of a data folder as it stood at one moment, whoever writes it meanwhile: what a backup copies.

use std::path::Path;

use sluice_log::{LogError, LogView, SqliteView};

use super::places::{LEAVES, MARKS, OUTBOX};

/// The case database at one moment.
pub struct CasesView(SqliteView);

impl CasesView {
    /// The file as it stands now.
    pub fn open(file: &Path) -> Result<Self, LogError> {
        SqliteView::open(file).map(Self)
    }

    /// Whether all that the log knows of this database is in it. What it knows of the log is in a view of the log that was
    /// opened later.
    pub fn holds_what_is_known_to(&self, log: &LogView) -> Result<bool, LogError> {
        let outbox = self.0.number("SELECT COALESCE(MAX(seq), -1) + 1 FROM outbox")?;
        Ok(log.committed(LEAVES, MARKS)? <= self.leaves()? && log.committed(OUTBOX, MARKS)? <= outbox)
    }

    /// How many leaves of evidence it has.
    pub fn leaves(&self) -> Result<u64, LogError> {
        self.0.number("SELECT size FROM head")
    }

    /// Copy it, whole, to a file that is not there yet.
    pub fn copy(&self, to: &Path) -> Result<(), LogError> {
        self.0.copy(to)
    }
}
