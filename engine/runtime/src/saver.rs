//! Writes snapshots to their store beside a stage, which goes on.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use sluice_log::{LogError, Offset, Snapshots};

use crate::{RuntimeError, limits::SNAPSHOTS_KEPT};

/// A store of the snapshots of one stage that keeps them on a thread of its own, and only the newest. One that comes sooner than
/// the store takes them replaces the one that waits. Dropped, it keeps the last and ends.
pub(crate) struct Saver {
    snapshots: Arc<dyn Snapshots>,
    waiting: Arc<Waiting>,
    thread: Option<JoinHandle<()>>,
}

/// Whose it is, the offset that it stands for, and its bytes.
type Snapshot = (String, Offset, Vec<u8>);

/// What is to be kept next.
#[derive(Default)]
struct Waiting {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: Option<Snapshot>,
    /// Nothing comes after it.
    is_last: bool,
}

impl Saver {
    /// `told` hears of each snapshot how many bytes were kept; `None`: it could not be.
    pub(crate) fn start(
        snapshots: Arc<dyn Snapshots>,
        told: impl Fn(Option<usize>) + Send + 'static,
    ) -> Result<Self, RuntimeError> {
        let waiting = Arc::new(Waiting::default());
        let (store, to_keep) = (Arc::clone(&snapshots), Arc::clone(&waiting));
        let thread = thread::Builder::new()
            .name("snapshots".into())
            .spawn(move || {
                while let Some(snapshot) = to_keep.take() {
                    told(keep(&*store, snapshot));
                }
            })
            .map_err(RuntimeError::Thread)?;
        Ok(Self { snapshots, waiting, thread: Some(thread) })
    }
}

/// Keep a snapshot, and forget those that are too many. How many bytes it has, where it was kept.
fn keep(store: &dyn Snapshots, (name, offset, bytes): Snapshot) -> Option<usize> {
    let size = bytes.len();
    if let Err(error) = store.put(&name, offset, bytes) {
        tracing::error!(%error, name, offset, "a snapshot could not be kept");
        return None;
    }
    if let Err(error) = store.prune(&name, SNAPSHOTS_KEPT) {
        tracing::warn!(%error, name, "older snapshots could not be removed");
    }
    Some(size)
}

impl Waiting {
    fn put(&self, snapshot: Snapshot) {
        if let Some((name, offset, _)) = self.lock().next.replace(snapshot) {
            tracing::warn!(name, offset, "a snapshot was left out: the one before is still being written");
        }
        self.changed.notify_one();
    }

    /// The next snapshot, once there is one. `None` when none will come.
    fn take(&self) -> Option<Snapshot> {
        let is_idle = |state: &mut State| state.next.is_none() && !state.is_last;
        let waited = self.changed.wait_while(self.lock(), is_idle);
        waited.unwrap_or_else(PoisonError::into_inner).next.take()
    }

    fn end(&self) {
        self.lock().is_last = true;
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Snapshots for Saver {
    /// Without waiting for it.
    fn put(&self, name: &str, offset: Offset, bytes: Vec<u8>) -> Result<(), LogError> {
        self.waiting.put((name.to_owned(), offset, bytes));
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
        self.waiting.end();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{self, Receiver, Sender};

    use super::*;

    /// A store that says what it is given and takes it when it is let.
    struct Slow {
        given: Sender<Offset>,
        lets: Mutex<Receiver<Result<(), LogError>>>,
    }

    impl Snapshots for Slow {
        fn put(&self, _: &str, offset: Offset, _: Vec<u8>) -> Result<(), LogError> {
            self.given.send(offset).unwrap();
            self.lets.lock().unwrap().recv().unwrap()
        }

        fn offsets(&self, _: &str) -> Result<Vec<Offset>, LogError> {
            Ok(Vec::new())
        }

        fn get(&self, _: &str, _: Offset) -> Result<Vec<u8>, LogError> {
            Err(LogError::Closed)
        }

        fn prune(&self, _: &str, _: usize) -> Result<(), LogError> {
            Err(LogError::Closed)
        }
    }

    #[test]
    fn whoever_hands_snapshots_over_waits_for_none_and_the_last_is_kept() {
        let ((given, gets), (lets, let_it)) = (mpsc::channel(), mpsc::channel());
        let (tells, told) = mpsc::channel();
        let slow = Arc::new(Slow { given, lets: Mutex::new(let_it) });
        let saver = Saver::start(slow, move |size| tells.send(size).unwrap()).unwrap();
        saver.put("stage", 1, vec![0; 1]).unwrap();
        assert_eq!(gets.recv().unwrap(), 1);
        // While the first is written: the second is left out, the last is not.
        saver.put("stage", 2, vec![0; 2]).unwrap();
        saver.put("stage", 3, vec![0; 3]).unwrap();
        lets.send(Err(LogError::Closed)).unwrap();
        lets.send(Ok(())).unwrap();
        drop(saver);
        assert_eq!(gets.iter().collect::<Vec<_>>(), [3]);
        assert_eq!(told.iter().collect::<Vec<_>>(), [None, Some(3)], "older ones that stay harm nobody");
    }
}
