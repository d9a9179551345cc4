//! Topics of others: their records are taken in on threads of their own, each event on its payment's partition.
//!
//! What cannot be read becomes a dead letter that says where it stood; the partition goes on.

mod files;
mod records;
mod taking_in;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
    thread::{self, JoinHandle},
};

use sluice_core::Layout;
use sluice_log::{Log, LogError, SourceTopic, Topic};

use self::taking_in::{Progress, TakingIn};
use crate::{
    Clock, RuntimeError,
    guard::{self, Guard},
};

/// What is needed to take topics in.
pub struct SourceParts {
    /// The log that they are taken into.
    pub log: Arc<dyn Log>,
    /// Into how many partitions its topics are divided.
    pub layout: Layout,
    /// Stamps what is taken in.
    pub clock: Arc<dyn Clock>,
    /// Somebody has confirmed that the clock is right, however far it is from the log's last records.
    pub accept_clock: bool,
}

/// A topic that is taken in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// Its file's name.
    pub name: String,
    /// Its records that were taken in here.
    pub records: u64,
    /// Why it is not taken in at this moment.
    pub trouble: Option<String>,
}

/// The topics that this process takes in.
#[derive(Default)]
pub struct Sources {
    running: Mutex<Vec<(Arc<Progress>, JoinHandle<()>)>>,
}

impl Sources {
    /// Take in the topics that the files of a folder describe: `NAME.toml` says what is on one, and how it is read. `join`: become
    /// one of those that take in a topic, under a name.
    ///
    /// # Errors
    /// When a file cannot be used, the log cannot be read, or a thread cannot be started.
    pub fn start<T: SourceTopic>(
        parts: &SourceParts,
        folder: &Path,
        join: impl Fn(&str, &str) -> Result<T, LogError> + Clone + Send + 'static,
    ) -> Result<Self, RuntimeError> {
        let guard = Arc::new(guard(parts)?);
        let mut running = Vec::new();
        for (name, file) in files::read(folder)? {
            let progress = Arc::new(Progress::new(&name));
            let taking_in = TakingIn {
                name,
                file,
                log: Arc::clone(&parts.log),
                layout: parts.layout,
                guard: Arc::clone(&guard),
                progress: Arc::clone(&progress),
            };
            let join = join.clone();
            let thread = thread::Builder::new()
                .name(format!("source-{}", taking_in.name))
                .spawn(move || taking_in.go_on(|name, topic| join(name, topic)))
                .map_err(RuntimeError::Thread)?;
            running.push((progress, thread));
        }
        Ok(Self { running: Mutex::new(running) })
    }

    /// How far each topic has been taken in.
    pub fn progress(&self) -> Vec<Source> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().map(|(progress, _)| progress.now()).collect()
    }

    /// Take in no more.
    pub fn stop(&self) {
        let running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
        running.iter().for_each(|(progress, _)| progress.stopping.store(true, Ordering::Relaxed));
        for (progress, thread) in running {
            if thread.join().is_err() {
                tracing::error!(source = progress.source, "a source failed unexpectedly");
            }
        }
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The clock, held against the newest records of all partitions.
fn guard(parts: &SourceParts) -> Result<Guard, RuntimeError> {
    let newest = guard::newest_received_at(&*parts.log, parts.layout.partitions(Topic::Payments))?;
    Ok(Guard::new(Arc::clone(&parts.clock), newest, parts.accept_clock))
}
