//! Where the stages' snapshots are kept: some of them torn, lost, late, or under another name than they are.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sluice_log::{Log, LogError, Offset, Snapshots};

use super::{faults::Faults, history::StageId, log::SimLog, rng::Rng};

/// The snapshots of every stage.
pub(super) struct Shelf {
    log: Arc<SimLog>,
    state: Mutex<State>,
}

struct State {
    faults: Faults,
    rng: Rng,
    stored: BTreeMap<String, BTreeMap<Offset, Vec<u8>>>,
    /// To be stored after the next one.
    delayed: BTreeMap<String, (Offset, Vec<u8>)>,
    /// What was handed over that was not of the past for certain: whose, and of which offset.
    of_the_future: Vec<String>,
}

impl Shelf {
    /// An empty shelf.
    pub(super) fn new(log: Arc<SimLog>, rng: Rng) -> Self {
        let state = State {
            faults: Faults::NONE,
            rng,
            stored: BTreeMap::new(),
            delayed: BTreeMap::new(),
            of_the_future: Vec::new(),
        };
        Self { log, state: Mutex::new(state) }
    }

    /// From here on so much goes wrong.
    pub(super) fn set(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// What was handed over before what it stands for was committed.
    pub(super) fn of_the_future(&self) -> Vec<String> {
        self.state().of_the_future.clone()
    }

    /// Keep a snapshot under an offset that need not be its own.
    pub(super) fn store(&self, name: &str, offset: Offset, bytes: Vec<u8>) {
        self.state().store(name, offset, bytes);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn store(&mut self, name: &str, offset: Offset, bytes: Vec<u8>) {
        let stored = self.stored.entry(name.to_owned()).or_default();
        stored.insert(offset, bytes);
        if let Some((offset, older)) = self.delayed.remove(name) {
            stored.insert(offset, older);
        }
    }
}

impl Snapshots for Shelf {
    fn put(&self, name: &str, offset: Offset, mut bytes: Vec<u8>) -> Result<(), LogError> {
        let committed = match StageId::named(name) {
            Some(stage) => self.log.committed(stage.name(), stage.reads())?,
            None => 0,
        };
        let mut state = self.state();
        if offset > committed {
            state.of_the_future.push(format!("{name} at {offset}"));
        }
        let State { faults, rng, delayed, .. } = &mut *state;
        if rng.percent(faults.tear_snapshot) {
            let at = rng.below(bytes.len());
            if rng.percent(50) { bytes.truncate(at) } else { bytes[at] ^= 0x40 }
        }
        let label = if rng.percent(faults.mislabel_snapshot) {
            offset.saturating_sub(rng.below(MISLABELLED_BY) as Offset)
        } else {
            offset
        };
        if rng.percent(faults.delay_snapshot) {
            delayed.insert(name.to_owned(), (label, bytes));
        } else if !rng.percent(faults.lose_snapshot) {
            state.store(name, label, bytes);
        }
        Ok(())
    }

    fn offsets(&self, name: &str) -> Result<Vec<Offset>, LogError> {
        let state = self.state();
        Ok(state.stored.get(name).into_iter().flat_map(BTreeMap::keys).rev().copied().collect())
    }

    fn get(&self, name: &str, offset: Offset) -> Result<Vec<u8>, LogError> {
        let state = self.state();
        Ok(state.stored.get(name).and_then(|stored| stored.get(&offset)).cloned().unwrap_or_default())
    }

    fn prune(&self, _: &str, _: usize) -> Result<(), LogError> {
        Ok(())
    }
}

/// By how much the name of a snapshot may be wrong.
const MISLABELLED_BY: usize = 40;
