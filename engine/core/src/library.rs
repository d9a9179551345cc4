//! Content-addressed things that records name: list versions, and rules as they are compiled.

use std::sync::Arc;

use sluice_lists::Screener;
use sluice_model::{RuleBundle, Screening};
use sluice_rules::RuleSet;

/// What a record names cannot be had. The core then fails closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("list versions cannot be read: {0}")]
pub struct Unavailable(pub String);

/// Looks up content by its hash. The same hash always gives the same content, so that looking up is as pure as
/// computing.
pub trait Library: Send + Sync {
    /// The screener over exactly these list versions with these settings.
    fn screener(&self, screening: &Screening) -> Result<Arc<Screener>, Unavailable>;

    /// The bundle, compiled; `None` where it does not compile. A library that remembers by hash saves every
    /// stage of a process from compiling the same files.
    fn rules(&self, bundle: &RuleBundle) -> Option<Arc<RuleSet>> {
        RuleSet::compile(bundle).ok().map(Arc::new)
    }
}

/// A library without lists: for running without screening.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLists;

impl Library for NoLists {
    fn screener(&self, _: &Screening) -> Result<Arc<Screener>, Unavailable> {
        Err(Unavailable("no list library is configured".into()))
    }
}
