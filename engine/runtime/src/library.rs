//! The core's library: screeners and compiled rules by their hash, made once and kept while they are used.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use sluice_core::{Library, Unavailable};
use sluice_list_store::StoreError;
use sluice_lists::{ListVersion, Screener, Settings};
use sluice_model::{Hash256, RuleBundle, Screening};
use sluice_rules::RuleSet;

use crate::limits::{RULE_SETS_KEPT, SCREENERS_KEPT};

/// Where screeners come from: reads list versions and indexes them.
pub type BuildScreener = dyn Fn(&Screening) -> Result<Screener, Unavailable> + Send + Sync;

/// Keeps what was built or compiled last.
pub struct CachingLibrary {
    build: Box<BuildScreener>,
    screeners: Kept<Screening, Screener>,
    rule_sets: Kept<Hash256, RuleSet>,
}

impl CachingLibrary {
    /// A library over a source of screeners.
    pub fn new(build: impl Fn(&Screening) -> Result<Screener, Unavailable> + Send + Sync + 'static) -> Self {
        Self {
            build: Box::new(build),
            screeners: Kept::new(SCREENERS_KEPT),
            rule_sets: Kept::new(RULE_SETS_KEPT),
        }
    }

    /// A library over list versions, each read by its hash.
    pub fn over(load: impl Fn(Hash256) -> Result<ListVersion, StoreError> + Send + Sync + 'static) -> Self {
        Self::new(move |screening| {
            let versions = screening.lists.values().map(|hash| load(*hash).map(Arc::new));
            let versions = versions.collect::<Result<Vec<_>, _>>().map_err(|e| Unavailable(e.to_string()))?;
            Ok(Screener::build(&versions, Settings { threshold: screening.threshold, ..Settings::default() }))
        })
    }

    /// A library without lists: screening that is asked for is not there, and the core fails closed.
    pub fn without_lists() -> Self {
        Self::new(|_| Err(Unavailable("no folder of lists is configured".to_owned())))
    }
}

impl Library for CachingLibrary {
    fn screener(&self, screening: &Screening) -> Result<Arc<Screener>, Unavailable> {
        // What a list says does not change with its age, nor with the policy for who has no name.
        let (lists, threshold) = (screening.lists.clone(), screening.threshold);
        let of = Screening { lists, threshold, ..Screening::default() };
        self.screeners.get_or(&of, || (self.build)(&of))
    }

    fn rules(&self, bundle: &RuleBundle) -> Option<Arc<RuleSet>> {
        self.rule_sets.get_or(&bundle.hash(), || RuleSet::compile(bundle)).ok()
    }
}

/// The things used last, newest last.
struct Kept<K, V> {
    most: usize,
    things: Mutex<VecDeque<(K, Arc<V>)>>,
}

impl<K: Clone + PartialEq, V> Kept<K, V> {
    fn new(most: usize) -> Self {
        Self { most, things: Mutex::default() }
    }

    /// The thing of a key. Held while it is made, so that two who ask at once do not make it twice.
    fn get_or<E>(&self, key: &K, make: impl FnOnce() -> Result<V, E>) -> Result<Arc<V>, E> {
        let mut things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        let found = things.iter().position(|(held, _)| held == key).and_then(|at| things.remove(at));
        let (key, thing) = match found {
            Some(found) => found,
            None => (key.clone(), Arc::new(make()?)),
        };
        things.push_back((key, Arc::clone(&thing)));
        if things.len() > self.most {
            things.pop_front();
        }
        Ok(thing)
    }
}
