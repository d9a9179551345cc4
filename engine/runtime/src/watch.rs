//! Keeps in force what folders say: a saved rule, a list that was imported. What is broken is refused and told,
//! and the last good set stays.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use sluice_core::Library;
use sluice_list_store::Store;
use sluice_model::{ListSet, RuleBundle, Screening};
use sluice_rules::RuleSet;

use crate::{Fingerprint, Runtime, RuntimeError, fingerprint, limits::FOLDERS_LOOKED_AT_EVERY, read_rules};

/// What came of a change in a folder.
#[derive(Clone, Debug)]
pub enum Change {
    /// These rules are in force now.
    Rules(Arc<RuleBundle>),
    /// These list versions are screened against now.
    Lists(ListSet),
    /// What the folder holds was not put in force, and why.
    Refused {
        /// The folder.
        folder: PathBuf,
        /// Every reason.
        reason: String,
    },
}

/// Looks at a folder until it is dropped.
pub struct Watch {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Stop {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Watch {
    /// Put rules in force whenever the folder's files change. `seen`: the files that are in force already.
    pub fn rules(
        runtime: Arc<Runtime>,
        folder: PathBuf,
        seen: Fingerprint,
        tell: impl Fn(Change) + Send + 'static,
    ) -> Result<Self, RuntimeError> {
        let read = {
            let folder = folder.clone();
            move || fingerprint(&folder).map_err(|error| error.to_string())
        };
        Self::start("rules-watch", Ok(seen), read, move |now| {
            match now.clone().and_then(|_| put_rules_in_force(&runtime, &folder)) {
                Ok(change) => change.into_iter().for_each(&tell),
                Err(reason) => {
                    runtime.config_failed();
                    tell(Change::Refused { folder: folder.clone(), reason });
                }
            }
        })
    }

    /// Screen against the active versions of a folder whenever they change. `seen`: what is in force already.
    pub fn lists(
        runtime: Arc<Runtime>,
        folder: PathBuf,
        store: Store,
        library: Arc<dyn Library>,
        seen: ListSet,
        tell: impl Fn(Change) + Send + 'static,
    ) -> Result<Self, RuntimeError> {
        let read = move || store.active().map_err(|error| error.to_string());
        Self::start("lists-watch", Ok(seen), read, move |now| {
            let change = now.clone().and_then(|lists| screen_against(&runtime, &*library, lists));
            tell(change.unwrap_or_else(|reason| {
                runtime.config_failed();
                Change::Refused { folder: folder.clone(), reason }
            }));
        })
    }

    /// Look again and again; act when what is read differs from what was read last, an error included: it is
    /// told once.
    fn start<T: PartialEq + Send + 'static>(
        name: &str,
        mut last: T,
        mut read: impl FnMut() -> T + Send + 'static,
        mut act: impl FnMut(&T) + Send + 'static,
    ) -> Result<Self, RuntimeError> {
        let stop = Arc::new(Stop::default());
        let is_stopped = Arc::clone(&stop);
        let look = move || {
            while !is_stopped.within_a_look() {
                let now = read();
                if now != last {
                    act(&now);
                    last = now;
                }
            }
        };
        let thread =
            thread::Builder::new().name(name.to_owned()).spawn(look).map_err(RuntimeError::Thread)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

/// Compile what a folder holds and put it in force. Nothing to tell where it is in force already.
fn put_rules_in_force(runtime: &Runtime, folder: &Path) -> Result<Option<Change>, String> {
    let bundle = read_rules(folder).map_err(|error| error.to_string())?;
    RuleSet::compile(&bundle).map_err(|diagnostics| diagnostics.to_string())?;
    let was_put = runtime.put_rules_in_force(&bundle).map_err(|error| error.to_string())?;
    Ok(was_put.then(|| Change::Rules(bundle.into())))
}

/// Read and index the versions, then have them screened against: what cannot be read is never in force.
fn screen_against(runtime: &Runtime, library: &dyn Library, lists: ListSet) -> Result<Change, String> {
    // Other lists, under the policies that are in force.
    let screening = Screening { lists: lists.clone(), ..runtime.status().screening.clone() };
    if !lists.is_empty() {
        library.screener(&screening).map_err(|error| error.to_string())?;
    }
    runtime.screen_against(screening).map_err(|error| error.to_string())?;
    Ok(Change::Lists(lists))
}

impl Stop {
    /// Wait as long as between two looks. Whether the watch is to stop.
    fn within_a_look(&self) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(asked, FOLDERS_LOOKED_AT_EVERY, |asked| !*asked);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.stop.asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
