//! Screening as the home does it: what is in force, what officers have suppressed, and what a failure means.

use std::sync::Arc;

use sluice_lists::Screener;
use sluice_model::{EventTime, ListSet, NotScreened, PaymentEvent, Screening, WhyNotScreened};

use crate::{Library, suppressions::Suppressions, wire::Screened};

/// What screening is in force.
#[derive(Clone)]
enum InForce {
    /// No list was ever configured: screening is off, and everything that shows state says so.
    Off,
    /// These versions.
    On(Arc<Screener>),
    /// Configured but unreadable: closed. Every event is held as not screened.
    Unreadable,
}

/// The screening state of a home.
#[derive(Clone)]
pub struct ScreeningDesk {
    library: Arc<dyn Library>,
    wanted: Screening,
    /// The wanted versions, shared by every event that is screened under them.
    lists: Arc<ListSet>,
    in_force: InForce,
    suppressions: Suppressions,
}

impl ScreeningDesk {
    /// No lists yet.
    pub fn new(library: Arc<dyn Library>) -> Self {
        Self {
            library,
            wanted: Screening::default(),
            lists: Arc::default(),
            in_force: InForce::Off,
            suppressions: Suppressions::default(),
        }
    }

    /// Screen against these versions from here on. What was in force before: the parties known by now were
    /// compared with it.
    pub fn change(&mut self, screening: &Screening) -> Option<Arc<Screener>> {
        self.wanted = screening.clone();
        self.lists = Arc::new(screening.lists.clone());
        let in_force = match self.library.screener(screening) {
            _ if screening.lists.is_empty() => InForce::Off,
            Ok(screener) => InForce::On(screener),
            Err(_) => InForce::Unreadable,
        };
        match std::mem::replace(&mut self.in_force, in_force) {
            InForce::On(before) => Some(before),
            InForce::Off | InForce::Unreadable => None,
        }
    }

    /// What is in force, where it can be read.
    pub fn screener(&self) -> Option<&Arc<Screener>> {
        match &self.in_force {
            InForce::On(screener) => Some(screener),
            InForce::Off | InForce::Unreadable => None,
        }
    }

    /// The wanted versions, shared.
    pub fn lists(&self) -> &Arc<ListSet> {
        &self.lists
    }

    /// Where versions are looked up.
    pub fn library(&self) -> Arc<dyn Library> {
        Arc::clone(&self.library)
    }

    /// What was asked for.
    pub fn wanted(&self) -> &Screening {
        &self.wanted
    }

    /// The known false positives.
    pub fn suppressions(&self) -> &Suppressions {
        &self.suppressions
    }

    /// The known false positives, to be changed. What a screener keeps in its cache is what the lists say;
    /// suppressed matches are left out of each answer, so that no answer outlives a suppression.
    pub fn suppressions_mut(&mut self) -> &mut Suppressions {
        &mut self.suppressions
    }

    /// Whether a list in force was last known to be current longer before this moment than it may be.
    fn is_too_old(&self, at: EventTime) -> bool {
        let Some(age_max) = self.wanted.age_max else { return false };
        self.lists.keys().any(|list| {
            self.wanted.checked_at.get(list).is_none_or(|checked_at| at > checked_at.plus(age_max))
        })
    }

    /// Screen every party of an event. Reads only what is in force: the same for the same event until the next
    /// control record, so that a batch may be screened in parallel.
    pub fn screen(&self, event: &PaymentEvent) -> Screened {
        let whole = |why| vec![NotScreened { role: String::new(), why }];
        let (matches, not_screened) = match &self.in_force {
            InForce::Off => (Vec::new(), Vec::new()),
            InForce::Unreadable => (Vec::new(), whole(WhyNotScreened::ListsUnreadable)),
            InForce::On(screener) => match screener.screen_event(event) {
                Ok(mut matches) => {
                    self.suppressions.leave_out(&mut matches, event.occurred_at, screener);
                    (matches, Vec::new())
                }
                Err(_) => (Vec::new(), whole(WhyNotScreened::TooLong)),
            },
        };
        let mut not_screened = not_screened;
        if self.is_too_old(event.occurred_at) {
            not_screened.extend(whole(WhyNotScreened::ListsTooOld));
        }
        Screened {
            lists: Arc::clone(&self.lists),
            suppressions: self.suppressions.version(),
            matches,
            not_screened,
        }
    }
}
