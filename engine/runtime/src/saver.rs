//! Writes snapshots to their store beside the engine, which goes on.

use std::{
    sync::{
        Arc,
        mpsc::{self, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
};

use sluice_log::{LogError, Offset, Snapshots};

use crate::{RuntimeError, limits::SNAPSHOTS_KEPT, telemetry::Telemetry};

/// A store of snapshots that keeps them on a thread of its own, and only the newest. Dropped, it keeps the one it was given
/// and ends.
pub(crate) struct Saver {
    snapshots: Arc<dyn Snapshots>,
    thread: Option<(SyncSender<Snapshot>, JoinHandle<()>)>,
}

/// Whose it is, the offset that it stands for, and its bytes.
type Snapshot = (String, Offset, Vec<u8>);

impl Saver {
    pub(crate) fn start(snapshots: Arc<dyn Snapshots>, telemetry: Telemetry) -> Result<Self, RuntimeError> {
        // One may wait; a snapshot that comes sooner than the disk takes them is left out.
        let (sender, receiver) = mpsc::sync_channel::<Snapshot>(1);
        let store = Arc::clone(&snapshots);
        let save = move |(name, offset, bytes): Snapshot| {
            let size = bytes.len();
            let kept = store.put(&name, offset, bytes).and_then(|()| store.prune(&name, SNAPSHOTS_KEPT));
            if let Err(error) = &kept {
                tracing::error!(%error, offset, "a snapshot could not be kept");
            }
            telemetry.snapshot(kept.is_ok().then_some(size));
        };
        let thread = thread::Builder::new()
            .name("snapshots".into())
            .spawn(move || receiver.into_iter().for_each(save))
            .map_err(RuntimeError::Thread)?;
        Ok(Self { snapshots, thread: Some((sender, thread)) })
    }
}

impl Snapshots for Saver {
    /// Without waiting for it.
    fn put(&self, name: &str, offset: Offset, bytes: Vec<u8>) -> Result<(), LogError> {
        if let Some((sender, _)) = &self.thread
            && let Err(TrySendError::Full(_)) = sender.try_send((name.to_owned(), offset, bytes))
        {
            tracing::warn!(offset, "a snapshot was left out: the one before is still being written");
        }
        Ok(())
    }

    fn offsets(&self, name: &str) -> Result<Vec<Offset>, LogError> {
        self.snapshots.offsets(name)
    }

    fn get(&self, name: &str, offset: Offset) -> Result<Vec<u8>, LogError> {
        self.snapshots.get(name, offset)
    }

    fn prune(&self, name: &str, keep: usize) -> Result<(), LogError> {
        self.snapshots.prune(name, keep)
    }
}

impl Drop for Saver {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.thread.take() {
            drop(sender);
            let _ = thread.join();
        }
    }
}
