//! Whether the store is whole: SQLite's own check of its pages, and offsets without gaps.

use std::path::Path;

use rusqlite::Connection;

use crate::{
    LogError, Topic,
    embedded::store::{FILE, failed, open_reader, table},
};

/// The largest database that is read whole at a start: some seconds of a disk. Of a larger log only the newest offsets of
/// each partition are looked at, and a warning says so.
pub const READ_WHOLE_BYTES_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// The newest offsets looked at in a file that is larger: more than a torn tail reaches.
const NEWEST_OFFSETS: i64 = 100_000;

/// Look at the log in a folder.
pub(super) fn check(folder: &Path) -> Result<(), LogError> {
    let bytes = std::fs::metadata(folder.join(FILE)).map_err(|error| LogError::file(folder, &error))?.len();
    let whole = bytes <= READ_WHOLE_BYTES_MAX;
    if !whole {
        tracing::warn!(
            bytes,
            "the log is too large to be read whole at a start: its newest offsets are checked"
        );
    }
    let connection = open_reader(folder)?;
    let damaged = |what: String| LogError::Damaged { folder: folder.to_owned(), what };
    if whole && let Some(what) = pages(&connection).map_err(|error| failed(folder, error))? {
        return Err(damaged(what));
    }
    let newest = if whole { i64::MAX } else { NEWEST_OFFSETS };
    match gap(&connection, newest).map_err(|error| failed(folder, error))? {
        Some(what) => Err(damaged(what)),
        None => Ok(()),
    }
}

/// What SQLite finds wrong with its pages.
fn pages(connection: &Connection) -> rusqlite::Result<Option<String>> {
    // The first finding is enough to refuse.
    let found: String = connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
    // It may name a table and a page, never what is there.
    Ok((found != "ok").then_some(found))
}

/// The first partition whose offsets are not one after another, down to so many of the newest.
fn gap(connection: &Connection, newest: i64) -> rusqlite::Result<Option<String>> {
    let mut partitions = connection.prepare("SELECT topic, partition FROM partitions ORDER BY 1, 2")?;
    let rows = partitions.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
    for row in rows {
        let (name, index) = row?;
        let Some(topic) = Topic::ALL.into_iter().find(|topic| topic.name() == name) else { continue };
        let partition = topic.partition(index);
        let table = table(partition);
        let end: i64 = connection.query_row(
            &format!("SELECT coalesce(max(offset) + 1, 0) FROM {table}"),
            (),
            |row| row.get(0),
        )?;
        let from = end.saturating_sub(newest).max(0);
        let held: i64 = connection.query_row(
            &format!("SELECT count(*) FROM {table} WHERE offset >= ?1"),
            [from],
            |row| row.get(0),
        )?;
        if held != end - from {
            return Ok(Some(format!("{partition} holds {held} records of the offsets {from} to {end}")));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EmbeddedLog, Log, Record};

    /// Of a large log the newest offsets alone are looked at.
    #[test]
    fn a_gap_is_found_among_as_many_of_the_newest_as_are_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(folder.path()).unwrap();
        let records = (0..10).map(|_| Record::new("", Vec::new())).collect();
        log.append(Topic::Payments.partition(0), records).unwrap();
        drop(log);
        let file = Connection::open(folder.path().join(FILE)).unwrap();
        assert_eq!(gap(&file, 4), Ok(None));
        file.execute("DELETE FROM \"sluice.payments/0\" WHERE offset = 5", ()).unwrap();
        assert_eq!(gap(&file, 4), Ok(None), "it lies before them");
        let found = gap(&file, 5).unwrap().unwrap();
        assert_eq!(found, "sluice.payments/0 holds 4 records of the offsets 5 to 10");
    }
}
