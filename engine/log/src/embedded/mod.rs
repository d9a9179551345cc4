//! The log in one SQLite file, for one process.
//!
//! One thread writes. Whoever waits for durability shares its `fsync` with everybody else who waits at that
//! moment: the writer takes all that is queued, commits it as one SQLite transaction, then answers each. Readers
//! have connections of their own and never wait for the writer (WAL).

mod check;
mod checkpoints;
mod ends_file;
mod lock;
mod reader;
mod store;
mod view;
mod writer;

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, mpsc, mpsc::SyncSender},
    thread::JoinHandle,
    time::Duration,
};

pub use check::READ_WHOLE_BYTES_MAX;
pub use ends_file::LostTail;
pub use view::{LogView, SqliteView};

use crate::{
    Claim, Done, Log, LogError, Offset, Partition, ReadLimit, StoredRecord, Transaction,
    embedded::{
        lock::FolderLock,
        reader::Readers,
        store::{Ends, Store},
        writer::Request,
    },
    queue::{self, Queue},
    record::check_sizes,
};

/// The largest record: the largest document as a dead letter, in hexadecimal where it is not UTF-8.
const RECORD_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What may be chosen about an embedded log.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddedOptions {
    /// The most transactions that wait for the writer before [`LogError::Busy`].
    pub queue_transactions_max: usize,
    /// The most bytes that wait for the writer before [`LogError::Busy`].
    pub queue_bytes_max: usize,
    /// The most space the log may take on disk before [`LogError::Full`]; `None`: what the disk has.
    pub space_bytes_max: Option<u64>,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            queue_transactions_max: queue::TRANSACTIONS_MAX,
            queue_bytes_max: queue::BYTES_MAX,
            space_bytes_max: None,
        }
    }
}

/// The log in one SQLite file. Dropping it writes what is queued and closes it.
pub struct EmbeddedLog {
    folder: PathBuf,
    id: String,
    queue: Queue,
    writer: Option<(SyncSender<Request>, JoinHandle<()>)>,
    readers: Readers,
    ends: Arc<Ends>,
    lost: Vec<LostTail>,
    /// Held as long as anything above is open.
    _lock: FolderLock,
}

impl EmbeddedLog {
    /// Open the log in a folder, which is made where there is none.
    pub fn open(folder: &Path) -> Result<Self, LogError> {
        Self::open_with(folder, EmbeddedOptions::default())
    }

    /// Open the log in a folder with other limits than the documented ones.
    pub fn open_with(folder: &Path, options: EmbeddedOptions) -> Result<Self, LogError> {
        fs::create_dir_all(folder).map_err(|error| LogError::file(folder, &error))?;
        let lock = FolderLock::take(folder)?;
        let store = Store::open(folder, options.space_bytes_max)?;
        let id = store.id()?;
        let ends = store.ends()?;
        let lost = store.lost(&ends);
        let ends = Arc::new(Ends::new(ends));
        let queue = Queue::new(options.queue_bytes_max);
        let writer = writer::start(store, Arc::clone(&ends), queue.clone(), options.queue_transactions_max)?;
        Ok(Self {
            folder: folder.to_owned(),
            id,
            queue,
            writer: Some(writer),
            readers: Readers::new(folder),
            ends,
            lost,
            _lock: lock,
        })
    }

    /// The folder it lives in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which log it is: 32 random hexadecimal digits, the same at every start and in every copy of the folder.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What had been acknowledged when the log was last open and was not there when it was opened. Whoever goes on all
    /// the same begins at the ends that there are: the first record that is written accepts them.
    pub fn lost(&self) -> &[LostTail] {
        &self.lost
    }

    /// Look whether the store is whole: its pages in order, no offset left out. [`LogError::Damaged`] when not.
    pub fn check(&self) -> Result<(), LogError> {
        check::check(&self.folder)
    }

    fn sender(&self) -> Result<&SyncSender<Request>, LogError> {
        self.writer.as_ref().map(|(sender, _)| sender).ok_or(LogError::Closed)
    }
}

impl Log for EmbeddedLog {
    fn submit(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        check_sizes(&transaction, RECORD_BYTES_MAX)?;
        self.queue.try_send(self.sender()?, transaction, done)
    }

    fn submit_waiting(&self, transaction: Transaction, done: Done) -> Result<(), LogError> {
        check_sizes(&transaction, RECORD_BYTES_MAX)?;
        self.queue.send(self.sender()?, transaction, done)
    }

    fn read(
        &self,
        partition: Partition,
        from: Offset,
        limit: ReadLimit,
    ) -> Result<Vec<StoredRecord>, LogError> {
        let end = self.ends.of(partition);
        if from >= end {
            return Ok(Vec::new());
        }
        self.readers.read(partition, from..end, limit)
    }

    fn newest(&self, partition: Partition, limit: usize) -> Result<Vec<StoredRecord>, LogError> {
        match self.ends.of(partition) {
            0 => Ok(Vec::new()),
            end => self.readers.newest(partition, end, limit),
        }
    }

    fn bounds(&self, partition: Partition) -> Result<Range<Offset>, LogError> {
        // Nothing is taken off the front.
        Ok(0..self.ends.of(partition))
    }

    fn wait(&self, partition: Partition, from: Offset, timeout: Duration) -> Result<bool, LogError> {
        Ok(self.ends.wait(partition, from, timeout))
    }

    fn committed(&self, consumer: &str, partition: Partition) -> Result<Offset, LogError> {
        self.readers.committed(consumer, partition)
    }

    fn claim(&self, consumer: &str, partition: Partition) -> Result<Claim, LogError> {
        let (told, answer) = mpsc::sync_channel(1);
        let claim = Request::Claim { consumer: consumer.to_owned(), partition, told };
        self.sender()?.send(claim).map_err(|_| LogError::Closed)?;
        answer.recv().map_err(|_| LogError::Closed)
    }

    fn release(&self, claim: &Claim) -> Result<(), LogError> {
        self.sender()?.send(Request::Release(claim.clone())).map_err(|_| LogError::Closed)
    }
}

impl Drop for EmbeddedLog {
    fn drop(&mut self) {
        // A reader that closed last would leave the WAL behind: it may write nothing.
        self.readers.close();
        if let Some((sender, writer)) = self.writer.take() {
            drop(sender);
            // A writer that panicked has already answered everybody by dropping their requests.
            let _ = writer.join();
        }
    }
}
