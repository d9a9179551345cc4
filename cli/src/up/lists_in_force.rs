//! Keeps screening against what the folder of lists says, as far as that is not less than what is in force.
//!
//! Every version that is put in force is kept in the data folder too: a folder that is lost, or left out at a start, ends
//! no screening.

use std::{path::Path, sync::Arc};

use prometheus::{IntGaugeVec, Opts};
use sluice_case_api::CaseApi;
use sluice_core::Library;
use sluice_http::metrics::Registry;
use sluice_list_store::{ListVersions, Store, StoreError};
use sluice_model::{Control, EventTime, Hash256, Screening, Span, Unnamed};
use sluice_runtime::{CachingLibrary, Clock as _, Runtime, SystemClock, in_force};
use tokio::task::spawn_blocking;

use super::config_report::{ConfigReport, is_time_to_look};
use crate::{data::LISTS_IN_FORCE, failure::Failure};

/// What is configured here, as the case side records it.
const SCREENING: &str = "screening";

/// What the arguments say of screening.
pub(super) struct Lists {
    versions: Arc<ListVersions>,
    /// How old a list may be.
    age_max: Option<Span>,
    /// What is done with a payment that names nobody on one side.
    unnamed: Unnamed,
    ages: IntGaugeVec,
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
        folder: Option<Store>,
        data: &Path,
        (age_max, unnamed): (Option<Span>, Unnamed),
        registry: &Registry,
    ) -> Result<Self, Failure> {
        let kept = Store::create(data.join(LISTS_IN_FORCE)).map_err(super::user)?;
        let ages = Opts::new("sluice_lists_age_seconds", "How long ago a list was last known to be current");
        let ages = IntGaugeVec::new(ages, &["source"]).map_err(anyhow::Error::from)?;
        registry.register(Box::new(ages.clone())).map_err(anyhow::Error::from)?;
        Ok(Self { versions: Arc::new(ListVersions::new(folder, kept)), age_max, unnamed, ages })
    }

    /// Versions by their hash, from wherever they can still be read.
    pub(super) fn library(&self) -> CachingLibrary {
        let versions = Arc::clone(&self.versions);
        CachingLibrary::over(move |hash| versions.load(hash))
    }

    /// The folder, where one is named.
    pub(super) fn folder(&self) -> Option<&Store> {
        self.versions.folder()
    }

    /// What the arguments and the folder say.
    fn wanted(&self) -> Result<Screening, StoreError> {
        let mut wanted = Screening { age_max: self.age_max, unnamed: self.unnamed, ..Screening::default() };
        let Some(store) = self.folder() else { return Ok(wanted) };
        wanted.lists = store.active()?;
        for source in wanted.lists.keys() {
            if let Some(at) = store.checked_at(source)? {
                // A check under a clock that was ahead keeps no list fresh.
                wanted.checked_at.insert(source.clone(), at.min(SystemClock.now()));
            }
        }
        Ok(wanted)
    }

    /// Whether a version is less than the one before it, unless a person accepted it at its import.
    fn shrinks(&self, source: &str, before: Hash256, after: Hash256) -> bool {
        let (before, now) = (self.versions.entries(before), self.versions.entries(after));
        let is_accepted = now.is_some() && self.versions.was_accepted(source, after);
        !is_accepted && in_force::shrinks(before, now)
    }

    /// Keep what is to be in force, so that it outlives the folder.
    fn keep(&self, screening: &Screening) -> Result<(), StoreError> {
        screening.lists.values().try_for_each(|hash| self.versions.keep(*hash))
    }

    /// Look at the folder once and put in force what is not less.
    fn look(&self, runtime: &Runtime, library: &dyn Library) -> Look {
        let was = runtime.status().screening;
        let unreadable = |reason: String| Look {
            lost: vec![format!("the lists cannot be put in force: {reason}")],
            wish: None,
            changed: false,
        };
        let wanted = match self.wanted() {
            Ok(wanted) => wanted,
            Err(error) => return unreadable(error.to_string()),
        };
        let (applied, lost) = in_force::without_loss(&was, &wanted, |source, before, after| {
            self.shrinks(source, before, after)
        });
        let mut look = Look { wish: (!lost.is_empty()).then_some(wanted), lost, changed: false };
        let is_off = was.lists.is_empty() && applied.lists.is_empty();
        if !is_off && in_force::differs(&was, &applied) {
            match self.put_in_force(runtime, library, &applied) {
                Ok(changed) => look.changed = changed && was.lists != applied.lists,
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
            self.keep(screening).map_err(|error| error.to_string())?;
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
    configured: Arc<ConfigReport>,
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
        configured: &Arc<ConfigReport>,
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
            if let Err(error) = lists.keep(&in_force) {
                tracing::warn!(%error, "a list version that is in force is not in the folder any more");
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
        match self.cases.leads().await {
            Ok(true) => {}
            // Another process looks, or the next time tells.
            Ok(false) | Err(_) => return Look { lost: Vec::new(), wish: None, changed: false },
        }
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
        let old = in_force::old(&screening, now);
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
