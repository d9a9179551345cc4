//! Writes snapshots to their store beside the engine, which goes on.

use std::{
    sync::{
        Arc,
        mpsc::{self, SyncSender, TrySendError},
    },
    thread::{self, JoinHandle},
};

use sluice_log::{Offset, Snapshots};

use crate::{RuntimeError, driver::ENGINE, limits::SNAPSHOTS_KEPT, telemetry::Telemetry};

/// A thread that keeps snapshots. Dropped, it keeps the one it was given and ends.
pub(crate) struct Saver {
    thread: Option<(SyncSender<Snapshot>, JoinHandle<()>)>,
}

/// The offset that a snapshot stands for, and its bytes.
type Snapshot = (Offset, Vec<u8>);

impl Saver {
    pub fn start(snapshots: Arc<dyn Snapshots>, telemetry: Telemetry) -> Result<Self, RuntimeError> {
        // One may wait; a snapshot that comes sooner than the disk takes them is left out.
        let (sender, receiver) = mpsc::sync_channel::<Snapshot>(1);
        let save = move |(offset, bytes): Snapshot| {
            let kept =
                snapshots.put(ENGINE, offset, &bytes).and_then(|()| snapshots.prune(ENGINE, SNAPSHOTS_KEPT));
            if let Err(error) = &kept {
                tracing::error!(%error, offset, "a snapshot could not be kept");
            }
            telemetry.snapshot(kept.is_ok().then_some(bytes.len()));
        };
        let thread = thread::Builder::new()
            .name("snapshots".into())
            .spawn(move || receiver.into_iter().for_each(save))
            .map_err(RuntimeError::Thread)?;
        Ok(Self { thread: Some((sender, thread)) })
    }

    /// Keep a snapshot, without waiting for it.
    pub fn save(&self, offset: Offset, bytes: Vec<u8>) {
        if let Some((sender, _)) = &self.thread
            && let Err(TrySendError::Full(_)) = sender.try_send((offset, bytes))
        {
            tracing::warn!(offset, "a snapshot was left out: the one before is still being written");
        }
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
