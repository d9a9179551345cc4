//! A SQLite file as it stood at one moment, whoever writes it meanwhile: what a backup copies.
//!
//! A view is a transaction that reads. It takes no part in what it looks at, and holds up nobody: the WAL of a file grows as
//! long as a view of it is open.

use std::path::{Path, PathBuf};

use rusqlite::{
    Connection, OptionalExtension as _,
    backup::{Backup, StepResult},
    params,
};

use crate::{
    LogError, Offset, Partition,
    embedded::store::{FILE, failed, open_file},
};

/// How much is copied at a time: the rest of a step is not interrupted.
const PAGES_A_STEP: i32 = 1_024;

/// A SQLite file at one moment.
pub struct SqliteView {
    folder: PathBuf,
    connection: Connection,
}

impl SqliteView {
    /// The file as it stands now.
    pub fn open(file: &Path) -> Result<Self, LogError> {
        let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
        let connection = open_file(&folder, file)?;
        // A transaction sees the file as of its first look at it.
        connection
            .execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")
            .map_err(|error| failed(&folder, error))?;
        Ok(Self { folder, connection })
    }

    /// The one number that a statement asks for; 0 where it has no row.
    pub fn number(&self, sql: &str) -> Result<u64, LogError> {
        let number = self.connection.query_row(sql, (), |row| row.get(0)).optional();
        Ok(number.map_err(|error| failed(&self.folder, error))?.unwrap_or(0))
    }

    /// Copy it, whole, to a file that is not there yet.
    pub fn copy(&self, to: &Path) -> Result<(), LogError> {
        let folder = to.parent().unwrap_or(Path::new("."));
        let copied = || {
            let mut copy = Connection::open(to)?;
            // A copy that was cut short is thrown away: it needs no journal.
            copy.pragma_update(None, "journal_mode", "OFF")?;
            copy.pragma_update(None, "synchronous", "OFF")?;
            let backup = Backup::new(&self.connection, &mut copy)?;
            while backup.step(PAGES_A_STEP)? != StepResult::Done {}
            Ok(())
        };
        copied().map_err(|error| failed(folder, error))
    }
}

/// An embedded log at one moment.
pub struct LogView(SqliteView);

impl LogView {
    /// The log of a folder as it stands now, in use by a process or not.
    pub fn open(folder: &Path) -> Result<Self, LogError> {
        SqliteView::open(&folder.join(FILE)).map(Self)
    }

    /// As [`crate::Log::committed`].
    pub fn committed(&self, consumer: &str, partition: Partition) -> Result<Offset, LogError> {
        let committed = self.0.connection.query_row(
            "SELECT next FROM consumers WHERE consumer = ?1 AND topic = ?2 AND partition = ?3",
            params![consumer, partition.topic.name(), partition.index],
            |row| row.get(0),
        );
        Ok(committed.optional().map_err(|error| failed(&self.0.folder, error))?.unwrap_or(0))
    }

    /// Copy it, whole, to a folder that holds no log.
    pub fn copy(&self, to: &Path) -> Result<(), LogError> {
        std::fs::create_dir_all(to).map_err(|error| LogError::file(to, &error))?;
        self.0.copy(&to.join(FILE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EmbeddedLog, Log, ReadLimit, Record, Topic, Transaction};

    const PAYMENTS: Partition = Topic::Payments.partition(0);

    #[test]
    fn a_view_is_of_one_moment_and_so_is_its_copy() {
        let folder = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(&folder.path().join("log")).unwrap();
        let write = |value: &str, next| {
            let records = vec![Record::new("k", value)];
            log.transact(Transaction::append(PAYMENTS, records).commit("engine", PAYMENTS, next)).unwrap();
        };
        write("before", 1);
        let view = LogView::open(log.folder()).unwrap();
        write("after", 2);
        assert_eq!(view.committed("engine", PAYMENTS).unwrap(), 1);
        assert_eq!(view.committed("nobody", PAYMENTS).unwrap(), 0);
        let copy = folder.path().join("copy");
        view.copy(&copy).unwrap();
        drop(view);

        let copied = EmbeddedLog::open(&copy).unwrap();
        copied.check().unwrap();
        assert_eq!(copied.id(), log.id());
        let read = copied.read(PAYMENTS, 0, ReadLimit::records(10)).unwrap();
        assert_eq!(read.iter().map(|record| &*record.value).collect::<Vec<_>>(), [b"before"]);
        assert_eq!(copied.committed("engine", PAYMENTS).unwrap(), 1);
        assert_eq!(log.end(PAYMENTS).unwrap(), 2);
    }

    #[test]
    fn a_file_that_is_not_there_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        assert!(LogView::open(folder.path()).is_err());
        assert!(!folder.path().join(FILE).exists());
    }
}
