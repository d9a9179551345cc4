//! Connections for reading, used again.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    LogError, Offset, Partition, ReadLimit, StoredRecord,
    embedded::store::{failed, open_reader, table},
};

/// The most connections kept for the next read; more are opened when needed, and closed again.
const IDLE_MAX: usize = 8;

/// A pool of reading connections.
pub(super) struct Readers {
    folder: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), idle: Mutex::default() }
    }

    /// Close what is idle.
    pub(super) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The records of a range that are in the table, within the limit.
    pub(super) fn read(
        &self,
        partition: Partition,
        range: Range<Offset>,
        limit: ReadLimit,
    ) -> Result<Vec<StoredRecord>, LogError> {
        self.with(|connection| {
            let sql = format!(
                "SELECT offset, key, value FROM {} WHERE offset >= ?1 AND offset < ?2 ORDER BY offset LIMIT ?3",
                table(partition)
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let most = i64::try_from(limit.records.max(1)).unwrap_or(i64::MAX);
            let mut rows = statement.query(params![range.start, range.end, most])?;
            let (mut records, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let record = StoredRecord { offset: row.get(0)?, key: row.get(1)?, value: row.get(2)? };
                bytes += record.key.len() + record.value.len();
                if bytes > limit.bytes && !records.is_empty() {
                    break;
                }
                records.push(record);
            }
            Ok(records)
        })
    }

    /// The last records before `end`, oldest first.
    pub(super) fn newest(
        &self,
        partition: Partition,
        end: Offset,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, LogError> {
        self.with(|connection| {
            let sql = format!(
                "SELECT offset, key, value FROM {} WHERE offset < ?1 ORDER BY offset DESC LIMIT ?2",
                table(partition)
            );
            let mut statement = connection.prepare_cached(&sql)?;
            let most = i64::try_from(limit).unwrap_or(i64::MAX);
            let mut records = statement
                .query_map(params![end, most], |row| {
                    Ok(StoredRecord { offset: row.get(0)?, key: row.get(1)?, value: row.get(2)? })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            records.reverse();
            Ok(records)
        })
    }

    pub(super) fn committed(&self, consumer: &str, partition: Partition) -> Result<Offset, LogError> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT next FROM consumers WHERE consumer = ?1 AND topic = ?2 AND partition = ?3",
                )?
                .query_row(params![consumer, partition.topic.name(), partition.index], |row| row.get(0))
                .optional()
                .map(Option::unwrap_or_default)
        })
    }

    fn with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, LogError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = idle.map_or_else(|| open_reader(&self.folder), Ok)?;
        let answer = read(&connection).map_err(|error| failed(&self.folder, error))?;
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        Ok(answer)
    }
}
