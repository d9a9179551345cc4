//! One topic, taken in on a thread.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use sluice_codec::topic::SourceFile;
use sluice_core::{Home, Layout, Stage};
use sluice_log::{Log, LogError, Partition, ReadLimit, SourceTopic, Topic};
use sluice_model::Control;

use super::{Source, records};
use crate::{
    RuntimeError,
    guard::Guard,
    limits::{
        COMMIT_RETRY_AFTER, SOURCE_AHEAD_LOOKED_AT_EVERY, SOURCE_AHEAD_RECORDS_MAX, SOURCE_BATCH_BYTES_MAX,
        SOURCE_BATCH_RECORDS_MAX, SOURCE_WAIT,
    },
    orders::Orders,
};

/// A topic, and what it is taken into.
pub(super) struct TakingIn {
    pub name: String,
    pub file: SourceFile,
    pub log: Arc<dyn Log>,
    pub layout: Layout,
    pub guard: Arc<Guard>,
    pub progress: Arc<Progress>,
}

/// What the thread and whoever asks about it share.
pub(super) struct Progress {
    pub source: String,
    /// Whether it is to end.
    pub stopping: AtomicBool,
    records: AtomicU64,
    trouble: Mutex<Option<String>>,
}

impl Progress {
    pub(super) fn new(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            stopping: AtomicBool::new(false),
            records: AtomicU64::new(0),
            trouble: Mutex::default(),
        }
    }

    pub(super) fn now(&self) -> Source {
        Source {
            name: self.source.clone(),
            records: self.records.load(Ordering::Relaxed),
            trouble: self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    fn set_trouble(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

impl TakingIn {
    /// Take the topic in until it is to end: anew after whatever goes wrong.
    pub(super) fn go_on<T: SourceTopic>(&self, join: impl Fn(&str, &str) -> Result<T, LogError>) {
        while !self.progress.is_stopping() {
            let joined = join(&self.name, &self.file.topic).map_err(RuntimeError::from);
            if let Err(error) = joined.and_then(|topic| self.take_in(topic)) {
                tracing::error!(%error, source = self.name, "a source cannot go on");
                self.progress.set_trouble(Some(error.to_string()));
                thread::sleep(COMMIT_RETRY_AFTER);
            }
        }
    }

    fn take_in(&self, mut topic: impl SourceTopic) -> Result<(), RuntimeError> {
        let limit = ReadLimit { records: SOURCE_BATCH_RECORDS_MAX, bytes: SOURCE_BATCH_BYTES_MAX };
        let mut looked_at: Option<Duration> = None;
        let mut orders = Orders::new(Arc::clone(&self.log));
        let mut has_rules = false;
        while !self.progress.is_stopping() {
            if !has_rules {
                has_rules = orders.more()?.iter().any(|order| matches!(order, Control::Activate { .. }));
            }
            if !has_rules {
                self.progress.set_trouble(Some(RuntimeError::NoRules.to_string()));
                topic.stay(SOURCE_WAIT)?;
                continue;
            }
            let now = self.guard.elapsed();
            if looked_at.is_none_or(|at| now.saturating_sub(at) >= SOURCE_AHEAD_LOOKED_AT_EVERY) {
                if let Some((partition, ahead)) = self.far_ahead()? {
                    self.progress.set_trouble(Some(format!(
                        "waits for the engines, which have {ahead} records of {partition} before them"
                    )));
                    topic.stay(SOURCE_WAIT)?;
                    continue;
                }
                looked_at = Some(now);
            }
            let read = topic.read(limit, SOURCE_WAIT)?;
            if !read.is_empty() {
                let received_at = self.guard.stamp()?;
                topic.commit(&records::transaction(&self.file, &read, received_at, &self.layout)?)?;
                self.progress.records.fetch_add(read.len() as u64, Ordering::Relaxed);
            }
            self.progress.set_trouble(None);
        }
        Ok(())
    }

    /// A partition of payments whose home is further behind than it may be, and by how much.
    fn far_ahead(&self) -> Result<Option<(Partition, u64)>, RuntimeError> {
        for index in 0..self.layout.partitions(Topic::Payments) {
            let partition = Topic::Payments.partition(index);
            let lag = self.log.lag(Home::NAME, partition)?;
            if lag > SOURCE_AHEAD_RECORDS_MAX {
                return Ok(Some((partition, lag)));
            }
        }
        Ok(None)
    }
}
