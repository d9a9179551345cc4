//! What the SQLite file holds, and how a group of transactions is written into it.
//!
//! Each partition is a table of its own, `"<topic>/<index>"`, with the offset as its row id: a record is always
//! written at the right edge of a tree, which is SQLite's cheapest insert.

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, ffi::SQLITE_IOERR_SHMSIZE, params};

use crate::{
    Append, Appended, LogError, Offset, Offsets, Partition, Topic, Transaction,
    embedded::ends_file::{EndsFile, LostTail},
};

pub(super) const FILE: &str = "log.sqlite";
/// What the file calls itself, for `file(1)` and for us: `SLCE`.
const APPLICATION_ID: i64 = 0x534c_4345;
/// The version of the tables below.
const FORMAT: i64 = 1;
/// Statements kept prepared: an insert for each partition in use, and a few more.
const STATEMENTS: usize = 64;
/// SQLite's page, in bytes.
const PAGE_BYTES: u64 = 4_096;
/// How long a connection waits for others. One process owns the folder.
const OTHERS_WAIT: Duration = Duration::from_secs(10);
/// How long beginning the WAL anew waits for readers: ours are done sooner, and the view of a backup lasts for minutes, for
/// which no commit may wait.
const READERS_WAIT: Duration = Duration::from_millis(100);

const TABLES: &str = "
CREATE TABLE partitions (topic TEXT NOT NULL, partition INTEGER NOT NULL, PRIMARY KEY (topic, partition)) STRICT;
CREATE TABLE consumers (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
    PRIMARY KEY (consumer, topic, partition)
) STRICT, WITHOUT ROWID;
";

/// Which log this is: drawn when the file is made, or when a version that draws one first opens it.
const IDENTITY: &str = "
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS identity (id TEXT NOT NULL) STRICT;
INSERT INTO identity SELECT lower(hex(randomblob(16))) WHERE NOT EXISTS (SELECT 1 FROM identity);
COMMIT;
";

/// The writer's connection.
pub(super) struct Store {
    folder: PathBuf,
    space_bytes_max: Option<u64>,
    connection: Connection,
    mark: EndsFile,
}

impl Store {
    pub(super) fn open(folder: &Path, space_bytes_max: Option<u64>) -> Result<Self, LogError> {
        let connection = connect(folder, space_bytes_max)?;
        let mark = EndsFile::open(folder)?;
        let store = Self { folder: folder.to_owned(), space_bytes_max, connection, mark };
        store.check_format()?;
        Ok(store)
    }

    /// Make the tables in a new file; refuse a file of another version.
    fn check_format(&self) -> Result<(), LogError> {
        let failed = |error| failed(&self.folder, error);
        let number = |pragma| self.connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let found = number("user_version").map_err(failed)?;
        if found == 0 && number("page_count").map_err(failed)? <= 1 {
            return self
                .connection
                .execute_batch(&format!(
                    "BEGIN; {TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT;"
                ))
                .map_err(failed);
        }
        if found != FORMAT || number("application_id").map_err(failed)? != APPLICATION_ID {
            return Err(LogError::Format { folder: self.folder.clone(), found, known: FORMAT });
        }
        Ok(())
    }

    /// Which log this is.
    pub(super) fn id(&self) -> Result<String, LogError> {
        let id = || {
            self.connection.execute_batch(IDENTITY)?;
            self.connection.query_row("SELECT id FROM identity", (), |row| row.get(0))
        };
        id().map_err(|error| failed(&self.folder, error))
    }

    /// The offset after the last record of every partition.
    pub(super) fn ends(&self) -> Result<HashMap<Partition, Offset>, LogError> {
        self.read_ends().map_err(|error| failed(&self.folder, error))
    }

    fn read_ends(&self) -> rusqlite::Result<HashMap<Partition, Offset>> {
        let mut ends = HashMap::new();
        let mut partitions = self.connection.prepare("SELECT topic, partition FROM partitions")?;
        let rows = partitions.query_map((), |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)))?;
        for row in rows {
            let (name, index) = row?;
            // A topic that this version does not know is left alone.
            let Some(topic) = Topic::ALL.into_iter().find(|topic| topic.name() == name) else { continue };
            let partition = topic.partition(index);
            let sql = format!("SELECT coalesce(max(offset) + 1, 0) FROM {}", table(partition));
            ends.insert(partition, self.connection.query_row(&sql, (), |row| row.get(0))?);
        }
        Ok(ends)
    }

    /// Write a group of transactions with one `fsync`. All of them or none; the offsets of each, in order.
    pub(super) fn write(&mut self, group: &[&Transaction], ends: &Ends) -> Result<Vec<Offsets>, LogError> {
        // A failure may leave a connection inside its transaction: it never serves again.
        if !self.connection.is_autocommit() {
            self.connection = connect(&self.folder, self.space_bytes_max)?;
        }
        let mut moved = BTreeMap::new();
        let written = self.try_write(group, ends, &mut moved).map_err(|error| failed(&self.folder, error))?;
        ends.advance(&moved);
        // Before anything is acknowledged: what was acknowledged is never beyond the mark.
        self.mark.write(&ends.all());
        Ok(written)
    }

    fn try_write(
        &mut self,
        group: &[&Transaction],
        ends: &Ends,
        moved: &mut BTreeMap<Partition, Offset>,
    ) -> rusqlite::Result<Vec<Offsets>> {
        // Dropped before `commit`, it rolls back.
        let sql = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut written = Vec::with_capacity(group.len());
        for transaction in group {
            let mut offsets = Vec::with_capacity(transaction.appends.len());
            for append in &transaction.appends {
                let next = match moved.entry(append.partition) {
                    Entry::Occupied(held) => held.into_mut(),
                    Entry::Vacant(free) => free.insert(ends.of(append.partition)),
                };
                let first = *next;
                if first == 0 {
                    create(&sql, append.partition)?;
                }
                *next = insert(&sql, append, first)?;
                offsets.push(Appended { after: first, offsets: (first..*next).collect() });
            }
            for commit in &transaction.commits {
                sql.prepare_cached(
                    "INSERT INTO consumers VALUES (?1, ?2, ?3, ?4) \
                     ON CONFLICT DO UPDATE SET next = excluded.next",
                )?
                .execute(params![
                    commit.consumer,
                    commit.partition.topic.name(),
                    commit.partition.index,
                    commit.next
                ])?;
            }
            written.push(offsets);
        }
        sql.commit()?;
        Ok(written)
    }

    /// Copy what the WAL holds into the file and begin the WAL anew. Whether it could: a reader of an older state keeps
    /// the WAL as it is.
    pub(super) fn restart_wal(&self) -> Result<bool, LogError> {
        let restart = || {
            self.connection.busy_timeout(READERS_WAIT)?;
            let is_busy = self.connection.query_row("PRAGMA wal_checkpoint(RESTART)", (), |row| row.get(0));
            self.connection.busy_timeout(OTHERS_WAIT)?;
            is_busy.map(|is_busy: bool| !is_busy)
        };
        restart().map_err(|error| failed(&self.folder, error))
    }

    /// What the mark beside the file knows and the file does not hold.
    pub(super) fn lost(&self, ends: &HashMap<Partition, Offset>) -> Vec<LostTail> {
        self.mark.lost(ends)
    }

    /// The folder the file is in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// A connection that writes.
fn connect(folder: &Path, space_bytes_max: Option<u64>) -> Result<Connection, LogError> {
    let open = || {
        let connection = Connection::open(folder.join(FILE))?;
        prepare(&connection, space_bytes_max)?;
        Ok(connection)
    };
    open().map_err(|error| failed(folder, error))
}

fn prepare(connection: &Connection, space_bytes_max: Option<u64>) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(OTHERS_WAIT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // FULL: a commit returns once the WAL is on disk. NORMAL would acknowledge what a power cut takes back.
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints have a thread of their own: see `checkpoints`.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    if let Some(bytes) = space_bytes_max {
        connection.pragma_update(
            None,
            "max_page_count",
            i64::try_from(bytes / PAGE_BYTES).unwrap_or(i64::MAX),
        )?;
    }
    Ok(())
}

fn create(sql: &Connection, partition: Partition) -> rusqlite::Result<()> {
    let table = table(partition);
    sql.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {table} (offset INTEGER PRIMARY KEY, key TEXT NOT NULL, value BLOB NOT NULL) STRICT"
    ))?;
    sql.execute(
        "INSERT OR IGNORE INTO partitions VALUES (?1, ?2)",
        params![partition.topic.name(), partition.index],
    )?;
    Ok(())
}

/// The offset after the last inserted.
fn insert(sql: &Connection, append: &Append, first: Offset) -> rusqlite::Result<Offset> {
    let statement = format!("INSERT INTO {} VALUES (?1, ?2, ?3)", table(append.partition));
    let mut statement = sql.prepare_cached(&statement)?;
    let mut next = first;
    for record in &append.records {
        statement.execute(params![next, record.key, record.value])?;
        next += 1;
    }
    Ok(next)
}

/// The quoted name of a partition's table.
pub(super) fn table(partition: Partition) -> String {
    format!("\"{partition}\"")
}

/// A connection that only reads the log.
pub(super) fn open_reader(folder: &Path) -> Result<Connection, LogError> {
    open_file(folder, &folder.join(FILE))
}

/// A connection that only reads a file of a folder.
pub(super) fn open_file(folder: &Path, file: &Path) -> Result<Connection, LogError> {
    let open = || {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(OTHERS_WAIT)?;
        Ok(connection)
    };
    open().map_err(|error| failed(folder, error))
}

/// A connection for checkpoints.
pub(super) fn open_checkpointer(folder: &Path) -> Result<Connection, LogError> {
    Connection::open(folder.join(FILE)).map_err(|error| failed(folder, error))
}

/// SQLite's error, by what the caller can do about it.
pub(super) fn failed(folder: &Path, error: rusqlite::Error) -> LogError {
    let folder = folder.to_owned();
    let (code, extended) = error.sqlite_error().map(|error| (error.code, error.extended_code)).unzip();
    match code {
        Some(ErrorCode::DiskFull) => LogError::Full { folder },
        // The index of the WAL grows by what the disk still gives: SQLite reports that with a code of its own.
        _ if extended == Some(SQLITE_IOERR_SHMSIZE) => LogError::Full { folder },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            LogError::Damaged { folder, what: error.to_string() }
        }
        _ => LogError::storage(&folder, error),
    }
}

/// Where each partition ends; wakes those who wait for more.
pub(super) struct Ends {
    ends: Mutex<HashMap<Partition, Offset>>,
    moved: Condvar,
}

impl Ends {
    pub(super) fn new(ends: HashMap<Partition, Offset>) -> Self {
        Self { ends: Mutex::new(ends), moved: Condvar::new() }
    }

    pub(super) fn of(&self, partition: Partition) -> Offset {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).get(&partition).copied().unwrap_or(0)
    }

    fn all(&self) -> BTreeMap<Partition, Offset> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.iter().map(|(partition, end)| (*partition, *end)).collect()
    }

    fn advance(&self, moved: &BTreeMap<Partition, Offset>) {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).extend(moved);
        self.moved.notify_all();
    }

    pub(super) fn wait(&self, partition: Partition, from: Offset, timeout: Duration) -> bool {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let is_short = |ends: &mut HashMap<_, _>| ends.get(&partition).is_none_or(|end| *end <= from);
        let (_ends, waited) =
            self.moved.wait_timeout_while(ends, timeout, is_short).unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Record;

    /// No test has a power cut to give; this is the setting that survives one.
    #[test]
    fn what_is_acknowledged_is_synced_by_every_connection_that_writes() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), None).unwrap();
        let settings = |connection: &Connection| {
            let text =
                |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, String>(0)).unwrap();
            let number =
                |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0)).unwrap();
            (number("synchronous"), text("journal_mode"))
        };
        const FULL: i64 = 2;
        assert_eq!(settings(&store.connection), (FULL, "wal".to_owned()));
        // The one that follows a failed one too.
        store.connection.execute_batch("BEGIN").unwrap();
        let ends = Ends::new(HashMap::new());
        let one = Transaction::append(Topic::Payments.partition(0), vec![Record::new("k", "v")]);
        store.write(&[&one], &ends).unwrap();
        assert_eq!(settings(&store.connection), (FULL, "wal".to_owned()));
    }

    #[test]
    fn a_connection_left_inside_a_transaction_never_serves_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), None).unwrap();
        let ends = Ends::new(HashMap::new());
        let payments = Topic::Payments.partition(0);
        let one = Transaction::append(payments, vec![Record::new("k", "v")]);
        store.write(&[&one], &ends).unwrap();
        store.connection.execute_batch("BEGIN; DELETE FROM \"sluice.payments/0\"").unwrap();
        assert_eq!(store.write(&[&one], &ends).unwrap(), [[Appended { after: 1, offsets: vec![1] }]]);
        assert_eq!(store.ends().unwrap()[&payments], 2, "what it had begun is not kept");
    }

    /// A backup reads for minutes, and beginning the WAL anew must not wait for it.
    #[test]
    fn the_wal_goes_on_under_a_reader_and_begins_anew_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path(), None).unwrap();
        let ends = Ends::new(HashMap::new());
        let one = Transaction::append(Topic::Payments.partition(0), vec![Record::new("k", "v")]);
        store.write(&[&one], &ends).unwrap();
        let reader = open_reader(folder.path()).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM consumers").unwrap();
        store.write(&[&one], &ends).unwrap();
        assert!(!store.restart_wal().unwrap());
        store.write(&[&one], &ends).unwrap();
        reader.execute_batch("COMMIT").unwrap();
        assert!(store.restart_wal().unwrap());
    }

    #[test]
    fn a_database_of_another_program_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let other = Connection::open(folder.path().join(FILE)).unwrap();
        other.execute_batch("CREATE TABLE other (a)").unwrap();
        assert!(matches!(Store::open(folder.path(), None), Err(LogError::Format { found: 0, .. })));
        let tables: i64 =
            other.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0)).unwrap();
        assert_eq!(tables, 1);
    }

    /// No test has a disk whose last blocks go to the index of the WAL.
    #[test]
    fn an_index_of_the_wal_that_cannot_grow_is_a_full_disk() {
        let error =
            rusqlite::ffi::Error { code: ErrorCode::SystemIoFailure, extended_code: SQLITE_IOERR_SHMSIZE };
        let error = rusqlite::Error::SqliteFailure(error, None);
        assert!(matches!(failed(Path::new("log"), error), LogError::Full { .. }));
    }
}
