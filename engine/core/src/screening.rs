//! Screening as the home does it: what is in force, what officers have suppressed, and what a failure means.

use std::{collections::BTreeMap, sync::Arc};

use sluice_lists::Screener;
use sluice_model::{ListSet, Party, PartyMatch, PaymentEvent, Screening, Suppression};

use crate::{Library, wire::Screened};

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
    /// By party, then by list and entry.
    suppressions: BTreeMap<String, Vec<Suppression>>,
}

impl ScreeningDesk {
    /// No lists yet.
    pub fn new(library: Arc<dyn Library>) -> Self {
        Self {
            library,
            wanted: Screening::default(),
            lists: Arc::default(),
            in_force: InForce::Off,
            suppressions: BTreeMap::new(),
        }
    }

    /// Screen against these versions from here on.
    pub fn change(&mut self, screening: &Screening) {
        self.wanted = screening.clone();
        self.lists = Arc::new(screening.lists.clone());
        self.in_force = match self.library.screener(screening) {
            _ if screening.lists.is_empty() => InForce::Off,
            Ok(screener) => InForce::On(screener),
            Err(_) => InForce::Unreadable,
        };
    }

    /// Where versions are looked up.
    pub fn library(&self) -> Arc<dyn Library> {
        Arc::clone(&self.library)
    }

    /// What was asked for.
    pub fn wanted(&self) -> &Screening {
        &self.wanted
    }

    /// A known false positive from here on.
    pub fn suppress(&mut self, suppression: &Suppression) {
        let held = self.suppressions.entry(suppression.party.clone()).or_default();
        held.retain(|s| (&s.list, &s.entry_id) != (&suppression.list, &suppression.entry_id));
        held.push(suppression.clone());
    }

    /// Every suppression, for a snapshot.
    pub fn suppressions(&self) -> impl Iterator<Item = &Suppression> {
        self.suppressions.values().flatten()
    }

    /// Screen every party of an event. Reads only what is in force: the same for the same event until the next
    /// control record, so that a batch may be screened in parallel.
    pub fn screen(&self, event: &PaymentEvent) -> Screened {
        let (matches, failed) = match &self.in_force {
            InForce::Off => (Vec::new(), false),
            InForce::Unreadable => (Vec::new(), true),
            InForce::On(screener) => match screener.screen_event(event) {
                Ok(mut matches) => {
                    self.leave_out_suppressed(screener, event, &mut matches);
                    (matches, false)
                }
                Err(_) => (Vec::new(), true),
            },
        };
        Screened { lists: Arc::clone(&self.lists), matches, failed }
    }

    fn leave_out_suppressed(&self, screener: &Screener, event: &PaymentEvent, matches: &mut Vec<PartyMatch>) {
        if self.suppressions.is_empty() {
            return;
        }
        for party in matches.iter_mut() {
            let Some(held) = self.suppressions.get(party_of(event, party)) else { continue };
            party.matches.retain(|hit| {
                !held.iter().any(|s| {
                    s.list == hit.list
                        && s.entry_id == hit.entry_id
                        && s.expires_at > event.occurred_at
                        && screener.entry_hash(&hit.list, &hit.entry_id) == Some(s.entry_hash)
                })
            });
        }
        matches.retain(|party| !party.matches.is_empty());
    }
}

/// What a suppression binds: the customer's id, or the name of a party that is no customer.
fn party_of<'a>(event: &'a PaymentEvent, hit: &'a PartyMatch) -> &'a str {
    let side: Option<&Party> = match hit.role.as_str() {
        "debtor" => event.debtor.as_ref(),
        "creditor" => event.creditor.as_ref(),
        _ => None,
    };
    side.and_then(|p| p.customer_id.as_deref()).unwrap_or(&hit.name)
}
