//! Moving what the WAL holds into the file, off the writer's path.
//!
//! A checkpoint syncs the file, which takes as long as many commits. SQLite by itself would do it inside the
//! commit that crosses a threshold; here a thread of its own copies while the writer goes on. Only beginning
//! the WAL anew needs the writer, and then there is little left to copy.

use std::{
    path::Path,
    sync::mpsc::{self, SyncSender},
    thread::{self, JoinHandle},
};

use rusqlite::Connection;

use crate::{
    LogError,
    embedded::store::{Store, open_checkpointer},
};

/// How much is written between two copies.
const COPY_BYTES: usize = 4 * 1024 * 1024;
/// How much is written before the WAL begins anew. Bounds its size on disk and the time to open after a crash.
const RESTART_BYTES: usize = 64 * 1024 * 1024;
/// What the WAL takes for a commit beside the records themselves: a few pages.
const COMMIT_BYTES: usize = 16 * 1024;

/// Counts what is written and has it copied in time.
pub(super) struct Checkpoints {
    since_copy: usize,
    since_restart: usize,
    copier: Option<(SyncSender<()>, JoinHandle<()>)>,
}

impl Checkpoints {
    pub(super) fn start(folder: &Path) -> Result<Self, LogError> {
        let connection = open_checkpointer(folder)?;
        // One signal may wait: a copy that begins later copies more.
        let (sender, receiver) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("log-checkpoints".into())
            .spawn(move || receiver.iter().for_each(|()| copy(&connection)))
            .map_err(|error| LogError::storage(folder, error))?;
        Ok(Self { since_copy: 0, since_restart: 0, copier: Some((sender, thread)) })
    }

    /// A group was written.
    pub(super) fn written(&mut self, bytes: usize, store: &Store) {
        self.since_copy += bytes + COMMIT_BYTES;
        self.since_restart += bytes + COMMIT_BYTES;
        if self.since_restart >= RESTART_BYTES {
            self.since_restart = 0;
            match store.restart_wal() {
                Ok(true) => {}
                Ok(false) => tracing::debug!("a reader, such as a backup, keeps the log's WAL growing"),
                Err(error) => {
                    tracing::warn!(%error, "a checkpoint of the log failed and will be tried again")
                }
            }
        } else if self.since_copy >= COPY_BYTES
            && let Some((copier, _)) = &self.copier
        {
            self.since_copy = 0;
            // A full channel: a copy is already asked for.
            let _ = copier.try_send(());
        }
    }
}

fn copy(connection: &Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(())) {
        tracing::warn!(%error, "a checkpoint of the log failed and will be tried again");
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        if let Some((sender, copier)) = self.copier.take() {
            drop(sender);
            let _ = copier.join();
        }
    }
}
