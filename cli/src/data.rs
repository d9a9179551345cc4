//! What lies where in the data folder of `sluice up`.

/// Where everything lies when nothing is said.
pub(crate) const DATA: &str = "sluice-data";
/// The log.
pub(crate) const LOG: &str = "log";
/// The engine's snapshots.
pub(crate) const SNAPSHOTS: &str = "snapshots";
/// The case database.
pub(crate) const CASES: &str = "cases.sqlite";
/// List versions that were put in force.
pub(crate) const LISTS_IN_FORCE: &str = "lists-in-force";
/// A demonstration's list.
pub(crate) const DEMO_LISTS: &str = "lists";
/// The secret that signs evidence.
pub(crate) const KEY: &str = "evidence.key";

/// Whether an entry of the data folder is one that Sluice makes.
pub(crate) fn is_ours(name: &str) -> bool {
    [LOG, SNAPSHOTS, DEMO_LISTS, LISTS_IN_FORCE, KEY].contains(&name) || name.starts_with(CASES)
}
