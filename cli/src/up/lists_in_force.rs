//! Keeps screening against what the folder of lists says, as far as that is not less than what is in force.
//!
//! Every version that is put in force is kept in the data folder too: a folder that is lost, or left out at a start, ends
//! no screening.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use prometheus::{IntGaugeVec, Opts, Registry};
use sluice_case_api::CaseApi;
use sluice_core::Library;
use sluice_list_store::Store;
use sluice_lists::{Screener, Settings};
use sluice_model::{Control, EventTime, Hash256, Screening, Span, Unnamed};
use sluice_runtime::{CachingLibrary, Clock as _, Runtime, SystemClock};
use tokio::task::spawn_blocking;

use super::configured::{self, Configured, is_time_to_look};
use crate::failure::Failure;

/// Where versions are kept that are in force, below the data folder.
const KEPT: &str = "lists-in-force";
/// What is configured here, as the case side records it.
const SCREENING: &str = "screening";

/// What the arguments say of screening.
pub(super) struct Lists {
    /// The folder, where one is named.
    pub folder: Option<(PathBuf, Store)>,
    kept: Store,
    /// How old a list may be.
    pub age_max: Option<Span>,
    /// What is done with a payment that names nobody on one side.
    pub unnamed: Unnamed,
    ages: IntGaugeVec,
    /// How many entries versions have that were counted: reading one costs as much as indexing it.
    counted: Mutex<HashMap<Hash256, usize>>,
}

/// What a look at the folder came to.
struct Look {
    /// What may not be applied.
    lost: Vec<String>,
    /// What two persons would have to approve; `None` where it cannot even be read.
    wish: Option<Screening>,
    /// Whether something was put in force.
    changed: bool,
}

impl Lists {
    /// Over a folder, if there is one, and the versions kept in the data folder.
    pub(super) fn new(
        folder: Option<(PathBuf, Store)>,
        data: &Path,
        (age_max, unnamed): (Option<Span>, Unnamed),
        registry: &Registry,
    ) -> Result<Self, Failure> {
        let kept = Store::create(data.join(KEPT)).map_err(super::user)?;
        let ages = Opts::new("sluice_lists_age_seconds", "How long ago a list was last known to be current.");
        let ages = IntGaugeVec::new(ages, &["source"]).map_err(anyhow::Error::from)?;
        registry.register(Box::new(ages.clone())).map_err(anyhow::Error::from)?;
        Ok(Self { folder, kept, age_max, unnamed, ages, counted: Mutex::default() })
    }

    /// Versions by their hash, from wherever they can still be read.
    pub(super) fn library(&self) -> CachingLibrary {
        let (kept, folder) = (self.kept.clone(), self.folder.as_ref().map(|(_, store)| store.clone()));
        CachingLibrary::new(move |screening| {
            let load = |hash: &Hash256| match (kept.load(*hash), &folder) {
                (Ok(version), _) => Ok(Arc::new(version)),
                (Err(_), Some(store)) => store.load(*hash).map(Arc::new),
                (Err(error), None) => Err(error),
            };
            let versions: Result<Vec<_>, _> = screening.lists.values().map(load).collect();
            let versions = versions.map_err(|error| sluice_core::Unavailable(error.to_string()))?;
            Ok(Screener::build(&versions, Settings { threshold: screening.threshold, ..Settings::default() }))
        })
    }

    /// What the arguments and the folder say.
    fn wanted(&self) -> Result<Screening, String> {
        let mut wanted = Screening { age_max: self.age_max, unnamed: self.unnamed, ..Screening::default() };
        let Some((_, store)) = &self.folder else { return Ok(wanted) };
        wanted.lists = store.active().map_err(|error| error.to_string())?;
        for source in wanted.lists.keys() {
            if let Some(at) = store.checked_at(source).map_err(|error| error.to_string())? {
                // A check under a clock that was ahead keeps no list fresh.
                wanted.checked_at.insert(source.clone(), at.min(SystemClock.now()));
            }
        }
        Ok(wanted)
    }

    /// Whether a version is less than the one before it, unless a person accepted it at its import.
    fn shrinks(&self, source: &str, before: Hash256, after: Hash256) -> bool {
        let Some((_, store)) = &self.folder else { return true };
        let accepted = store.history(source).is_ok_and(|history| {
            history.iter().rfind(|arrival| arrival.version == after).is_some_and(|a| !a.accepted.is_empty())
        });
        let (before, after) = (self.entries(before, store), self.entries(after, store));
        !(accepted && after.is_some()) && configured::shrinks(before, after)
    }

    /// How many entries a version has, if it can be read.
    fn entries(&self, hash: Hash256, store: &Store) -> Option<usize> {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = counted.get(&hash) {
            return Some(*entries);
        }
        let read = self.kept.load(hash).or_else(|_| store.load(hash));
        let entries = read.ok()?.entries().len();
        counted.insert(hash, entries);
        Some(entries)
    }

    /// Keep what is to be in force, so that it outlives the folder.
    fn keep(&self, screening: &Screening) -> Result<(), String> {
        let Some((_, store)) = &self.folder else { return Ok(()) };
        let keep = |hash: &Hash256| self.kept.keep(*hash, store).map_err(|error| error.to_string());
        screening.lists.values().try_for_each(keep)
    }

    /// Look at the folder once and put in force what is not less.
    fn look(&self, runtime: &Runtime, library: &dyn Library) -> Look {
        let in_force = runtime.status().screening;
        let unreadable = |reason: String| Look {
            lost: vec![format!("the lists cannot be put in force: {reason}")],
            wish: None,
            changed: false,
        };
        let wanted = match self.wanted() {
            Ok(wanted) => wanted,
            Err(reason) => return unreadable(reason),
        };
        let (applied, lost) = configured::without_loss(&in_force, &wanted, |source, before, after| {
            self.shrinks(source, before, after)
        });
        let mut look = Look { wish: (!lost.is_empty()).then_some(wanted), lost, changed: false };
        let is_off = in_force.lists.is_empty() && applied.lists.is_empty();
        if !is_off && configured::differs(&in_force, &applied) {
            match self.put_in_force(runtime, library, &applied) {
                Ok(changed) => look.changed = changed && in_force.lists != applied.lists,
                Err(reason) => return unreadable(reason),
            }
        }
        look
    }

    fn put_in_force(
        &self,
        runtime: &Runtime,
        library: &dyn Library,
        screening: &Screening,
    ) -> Result<bool, String> {
        if !screening.lists.is_empty() {
            self.keep(screening)?;
            // Read and indexed before it is in force: what cannot be read never is.
            library.screener(screening).map_err(|error| error.to_string())?;
        }
        runtime.screen_against(screening.clone()).map_err(|error| error.to_string())
    }

    /// Tell how old the lists are that are screened against.
    fn report_ages(&self, screening: &Screening, now: EventTime) {
        for (source, at) in &screening.checked_at {
            let seconds = now.since(*at).micros() / Span::seconds(1).micros();
            self.ages.with_label_values(&[source.as_str()]).set(seconds);
        }
    }
}

/// One task that looks at the folder from the start of the process to its end.
pub(super) struct Keeper {
    lists: Arc<Lists>,
    runtime: Arc<Runtime>,
    library: Arc<dyn Library>,
    configured: Arc<Configured>,
    cases: CaseApi,
    /// What the case side recorded last.
    recorded: Option<(Vec<String>, Option<Screening>)>,
}

impl Keeper {
    /// Over a running engine.
    pub(super) fn new(
        lists: Arc<Lists>,
        runtime: &Arc<Runtime>,
        library: &Arc<dyn Library>,
        configured: &Arc<Configured>,
        cases: &CaseApi,
    ) -> Self {
        let (runtime, library, configured) =
            (Arc::clone(runtime), Arc::clone(library), Arc::clone(configured));
        Self { lists, runtime, library, configured, cases: cases.clone(), recorded: None }
    }

    /// The first look, before anything is served. Where nothing was ever in force, a folder that cannot be read is the
    /// user's to mend.
    pub(super) async fn begin(&mut self) -> Result<(), Failure> {
        let (runtime, lists) = (Arc::clone(&self.runtime), Arc::clone(&self.lists));
        let kept = spawn_blocking(move || {
            let in_force = runtime.wait_until_live()?.screening;
            // A data folder of an older version keeps nothing yet.
            if let Err(reason) = lists.keep(&in_force) {
                tracing::warn!(reason, "a list version that is in force is not in the folder any more");
            }
            Ok::<_, sluice_runtime::RuntimeError>(in_force)
        });
        let in_force = kept.await??;
        let look = self.look().await;
        if let Some(reason) = look.lost.first().filter(|_| look.wish.is_none() && in_force.lists.is_empty()) {
            return Err(Failure::user(reason.clone()));
        }
        Ok(())
    }

    /// Look again and again until `stop` is ready.
    pub(super) async fn run(mut self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        while is_time_to_look(&mut stop).await {
            self.look().await;
        }
    }

    async fn look(&mut self) -> Look {
        let (lists, runtime, library) =
            (Arc::clone(&self.lists), Arc::clone(&self.runtime), Arc::clone(&self.library));
        let looked = spawn_blocking(move || lists.look(&runtime, &*library)).await;
        let look = looked.unwrap_or_else(|error| Look {
            lost: vec![format!("the lists could not be looked at: {error}")],
            wish: None,
            changed: false,
        });
        let (screening, now) = (self.runtime.status().screening, SystemClock.now());
        self.lists.report_ages(&screening, now);
        let old = configured::old(&screening, now);
        if old != self.configured.now().old {
            old.iter().for_each(|list| tracing::warn!("{list}"));
        }
        self.configured.update(|now| {
            now.screening.clone_from(&look.lost);
            now.old = old;
        });
        if look.changed {
            tracing::info!(sources = screening.lists.len(), "list versions are in force");
        }
        if let Err(error) = self.record(&look).await {
            tracing::warn!(%error, "what the folder of lists says could not be written down; trying again");
        }
        look
    }

    /// Leaves of what changed and of what may not.
    async fn record(&mut self, look: &Look) -> Result<(), sluice_case_api::store::StoreError> {
        let state = (look.lost.clone(), look.wish.clone());
        let is_first = self.recorded.is_none();
        if look.changed || is_first {
            self.cases.record_lists().await?;
        }
        if self.recorded.as_ref() == Some(&state) {
            return Ok(());
        }
        if look.lost.is_empty() {
            self.cases.configuration_is_whole(SCREENING).await?;
        } else {
            self.runtime.config_failed();
            tracing::error!(lost = ?look.lost, "less is configured than is in force: it is not applied");
            let order = look.wish.clone().map(Control::Screening);
            self.cases.configuration_is_less(SCREENING, &look.lost, order.as_ref()).await?;
        }
        self.recorded = Some(state);
        Ok(())
    }
}
