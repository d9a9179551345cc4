//! Screening as the home does it: what is in force, what officers have suppressed, and what a failure means.

use std::sync::Arc;

use sluice_lists::{EventScreened, Screener};
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
pub(crate) struct ScreeningDesk {
    library: Arc<dyn Library>,
    wanted: Screening,
    /// The wanted versions, shared by every event that is screened under them.
    lists: Arc<ListSet>,
    in_force: InForce,
    suppressions: Suppressions,
}

impl ScreeningDesk {
    /// No lists yet.
    pub(crate) fn new(library: Arc<dyn Library>) -> Self {
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
    pub(crate) fn change(&mut self, screening: &Screening) -> Option<Arc<Screener>> {
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
    pub(crate) fn screener(&self) -> Option<&Arc<Screener>> {
        match &self.in_force {
            InForce::On(screener) => Some(screener),
            InForce::Off | InForce::Unreadable => None,
        }
    }

    /// The wanted versions, shared.
    pub(crate) fn lists(&self) -> &Arc<ListSet> {
        &self.lists
    }

    /// Where versions are looked up.
    pub(crate) fn library(&self) -> Arc<dyn Library> {
        Arc::clone(&self.library)
    }

    /// What was asked for.
    pub(crate) fn wanted(&self) -> &Screening {
        &self.wanted
    }

    /// The known false positives.
    pub(crate) fn suppressions(&self) -> &Suppressions {
        &self.suppressions
    }

    /// The known false positives, to be changed. What a screener keeps in its cache is what the lists say;
    /// suppressed matches are left out of each answer, so that no answer outlives a suppression.
    pub(crate) fn suppressions_mut(&mut self) -> &mut Suppressions {
        &mut self.suppressions
    }

    /// Whether a list in force was last known to be current longer before this moment than it may be.
    fn is_too_old(&self, at: EventTime) -> bool {
        let Some(age_max) = self.wanted.age_max else { return false };
        self.lists.keys().any(|list| {
            self.wanted.checked_at.get(list).is_none_or(|checked_at| at > checked_at.plus(age_max))
        })
    }

    /// Screen every party and text of an event, and say what was not screened: nothing where screening is off. Reads
    /// only what is in force: the same for the same event until the next control record, so that a batch may be
    /// screened in parallel. What is done about a side without a name is for whoever knows the payment's past.
    pub(crate) fn screen(&self, event: &PaymentEvent) -> Screened {
        let whole = |why| NotScreened { role: String::new(), why };
        let (matches, not_screened) = match &self.in_force {
            InForce::Off => (Vec::new(), Vec::new()),
            InForce::Unreadable => (Vec::new(), vec![whole(WhyNotScreened::ListsUnreadable)]),
            InForce::On(screener) => {
                let EventScreened { mut matches, mut not_screened } = screener.screen_event(event);
                self.suppressions.leave_out(&mut matches, event.occurred_at, screener);
                if self.is_too_old(event.occurred_at) {
                    // What an old list says still holds; what it does not say, nobody knows.
                    not_screened.push(whole(WhyNotScreened::ListsTooOld));
                }
                (matches, not_screened)
            }
        };
        Screened {
            lists: Arc::clone(&self.lists),
            suppressions: self.suppressions.version(),
            matches,
            not_screened,
        }
    }
}

#[cfg(test)]
mod tests {
    use sluice_lists::{Entry, ListVersion, Settings};
    use sluice_model::{EntryKind, Party, Span};

    use super::*;
    use crate::library::Unavailable;

    /// One version, under whatever name it is asked for.
    struct One(Arc<Screener>);

    impl Library for One {
        fn screener(&self, _: &Screening) -> Result<Arc<Screener>, Unavailable> {
            Ok(Arc::clone(&self.0))
        }
    }

    fn screener() -> Arc<Screener> {
        let entries = vec![Entry::new("1", EntryKind::Person, "ZORKIN, Vasil")];
        Arc::new(Screener::build(&[Arc::new(ListVersion::new("own", entries).unwrap())], Settings::default()))
    }

    fn payment(at: EventTime) -> PaymentEvent {
        let named = |name: &str| Some(Party { name: Some(name.into()), ..Party::default() });
        PaymentEvent {
            debtor: named("Pia Halvorsen"),
            creditor: named("Vasil Zorkin"),
            ..PaymentEvent::new("E".into(), at)
        }
    }

    fn told(desk: &ScreeningDesk, event: &PaymentEvent) -> Vec<(String, WhyNotScreened)> {
        desk.screen(event).not_screened.into_iter().map(|n| (n.role, n.why)).collect()
    }

    #[test]
    fn a_party_that_is_not_screened_is_named_and_the_others_are_screened() {
        let screener = screener();
        let mut desk = ScreeningDesk::new(Arc::new(One(Arc::clone(&screener))));
        let mut event = payment(EventTime::from_micros(0));
        event.debtor = Some(Party { name: Some("x".repeat(600)), ..Party::default() });
        assert_eq!(
            (told(&desk, &event), desk.screen(&event).matches.len()),
            (Vec::new(), 0),
            "screening is off"
        );
        desk.change(&Screening { lists: screener.lists().clone(), ..Screening::default() });
        assert_eq!(told(&desk, &event), [("debtor".to_owned(), WhyNotScreened::TooLong)]);
        assert_eq!(desk.screen(&event).matches[0].role, "creditor");
    }

    #[test]
    fn a_list_beyond_its_age_screens_nothing_whole() {
        let screener = screener();
        let mut desk = ScreeningDesk::new(Arc::new(One(Arc::clone(&screener))));
        let checked = EventTime::from_micros(0);
        desk.change(&Screening {
            lists: screener.lists().clone(),
            checked_at: [("own".to_owned(), checked)].into(),
            age_max: Some(Span::days(2)),
            ..Screening::default()
        });
        let (last, over) = (checked.plus(Span::days(2)), EventTime::from_micros(Span::days(2).micros() + 1));
        assert_eq!(told(&desk, &payment(last)), []);
        assert_eq!(told(&desk, &payment(over)), [(String::new(), WhyNotScreened::ListsTooOld)]);
        assert_eq!(desk.screen(&payment(over)).matches.len(), 1, "what it says still stands");
        desk.change(&Screening { age_max: None, ..desk.wanted().clone() });
        assert_eq!(told(&desk, &payment(over)), []);
    }
}
