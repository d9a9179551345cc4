//! Rescreening: what a new list version means for parties already known. Only entries that are new or changed
//! are compared, so that a million parties against a day's changes takes seconds.

use std::{
    collections::{BTreeMap, HashSet},
    hash::{BuildHasher, Hash},
    sync::Arc,
};

use rayon::prelude::*;
use rustc_hash::FxBuildHasher;
use sluice_model::ListMatch;

use crate::{Entry, ListVersion, Query, Screener, Settings, VersionError};

/// How much lower than the threshold a party may score against the changes alone and still be compared with the
/// whole list: how rare a word is is reckoned anew there, and moves a score by less than this.
pub const MARGIN: f64 = 0.10;

/// A known party, under one of its names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KnownParty<Id> {
    /// Who it is.
    pub id: Id,
    /// Its name, and what else is known.
    pub query: Query,
}

/// A known party that meets a new or changed entry.
#[derive(Clone, PartialEq, Debug)]
pub struct Rescreened<Id> {
    /// Who it is.
    pub party: Id,
    /// The name under which it was compared.
    pub name: String,
    /// What it met, as the whole new version scores it.
    pub hit: ListMatch,
}

/// What a rescreening found.
#[derive(Clone, PartialEq, Debug)]
pub struct Rescreening<Id> {
    /// Parties compared.
    pub checked: usize,
    /// Entries that were new or changed.
    pub entries: usize,
    /// Those that met one: by party, then by entry, each pair once with its best score.
    pub hits: Vec<Rescreened<Id>>,
}

/// The entries of `new` that are not in `old` as they are.
pub fn changed_entries<'a>(old: Option<&ListVersion>, new: &'a ListVersion) -> Vec<&'a Entry> {
    let known = |entry: &Entry| old.and_then(|v| v.entry(&entry.id)) == Some(entry);
    new.entries().iter().filter(|e| !known(e)).collect()
}

/// Compares known parties with what changed between two versions of a list. The changes alone, at a lower threshold
/// by [`MARGIN`], say who comes into question; `screener`, which holds the new version, says what each match is.
///
/// # Errors
/// Never for entries of a version that was built; the type says so for those put together by hand.
pub fn rescreen<Id: Ord + Hash + Send + Sync + Clone>(
    old: Option<&ListVersion>,
    new: &ListVersion,
    screener: &Screener,
    parties: impl ParallelIterator<Item = KnownParty<Id>>,
) -> Result<Rescreening<Id>, VersionError> {
    let changed = changed_entries(old, new);
    let entries = changed.len();
    let delta = ListVersion::new(new.source(), changed.into_iter().cloned().collect())?;
    let lowest = (screener.threshold() - MARGIN).max(0.0);
    let settings = Settings { threshold: Some(lowest), ..screener.settings() };
    let delta_screener = Screener::build(&[Arc::new(delta.clone())], settings);
    let hasher = FxBuildHasher;
    let (checked, met): (HashSet<u64, FxBuildHasher>, Vec<Vec<Rescreened<Id>>>) = parties
        .map(|KnownParty { id, query }| {
            let who = hasher.hash_one(&id);
            // Nobody comes into question: most parties end here.
            if entries == 0 || delta_screener.screen_cold(&query).is_empty() {
                return (who, Vec::new());
            }
            let is_changed =
                |hit: &ListMatch| hit.list == new.source() && delta.entry(&hit.entry_id).is_some();
            let hits = screener.screen_cold(&query).into_iter().filter(is_changed);
            let found = |hit| Rescreened { party: id.clone(), name: query.name.clone(), hit };
            (who, hits.map(found).collect())
        })
        .unzip();
    let mut best: BTreeMap<(Id, String), Rescreened<Id>> = BTreeMap::new();
    for found in met.into_iter().flatten() {
        let place = (found.party.clone(), found.hit.entry_id.clone());
        // The better score; of equals the name that stands first, so that the order of parties does not matter.
        let better = |known: &Rescreened<Id>| {
            found.hit.score.total_cmp(&known.hit.score).then_with(|| known.name.cmp(&found.name)).is_gt()
        };
        if best.get(&place).is_none_or(better) {
            best.insert(place, found);
        }
    }
    Ok(Rescreening { checked: checked.len(), entries, hits: best.into_values().collect() })
}

#[cfg(test)]
mod tests {
    use sluice_model::EntryKind;

    use super::*;

    fn version(names: &[(&str, &str)]) -> Arc<ListVersion> {
        let entries = names.iter().map(|(id, name)| Entry::new(*id, EntryKind::Person, *name)).collect();
        Arc::new(ListVersion::new("test", entries).unwrap())
    }

    fn party(id: &'static str, name: &str) -> KnownParty<&'static str> {
        KnownParty { id, query: Query::name(name) }
    }

    #[test]
    fn only_new_and_changed_entries_are_met() {
        let old = version(&[("1", "ZORKIN, Vasil"), ("2", "HALVORSEN, Pia")]);
        let new = version(&[("1", "ZORKIN, Vasil"), ("2", "HALVORSEN, Pia Marit"), ("3", "OKONJO, Tariq")]);
        let parties = [
            party("C-1", "Vasil Zorkin"),
            party("C-2", "Pia Halvorsen"),
            party("C-2", "Pia M Halvorsen"),
            party("C-3", "Tariq Okonjo"),
            party("C-4", "Nobody"),
        ];
        let screener = Screener::build(&[Arc::clone(&new)], Settings::default());
        let compare =
            |old: Option<&ListVersion>| rescreen(old, &new, &screener, parties.par_iter().cloned()).unwrap();
        let done = compare(Some(&old));
        assert_eq!((done.checked, done.entries), (4, 2), "two names of one party are one party");
        let met: Vec<_> = done.hits.iter().map(|h| (h.party, h.hit.entry_id.as_str())).collect();
        assert_eq!(met, [("C-2", "2"), ("C-3", "3")]);
        assert!(done.hits.iter().all(|h| h.hit.version == new.hash().to_string()));
        assert_eq!(compare(Some(&new)).entries, 0);
        assert_eq!(compare(None).hits.len(), 3);
    }

    /// The rarity of words differs between the changes and the whole; what is found and how it scores does not.
    #[test]
    fn it_finds_what_screening_against_the_whole_list_finds() {
        let listed: Vec<(String, String)> = ["Ivan", "Omar", "Wei", "Maria", "Ahmed", "Jose"]
            .iter()
            .flat_map(|given| ["Petrov", "Khan", "Zhang", "Silva", "Hassan"].map(|family| (family, *given)))
            .enumerate()
            .map(|(i, (family, given))| (i.to_string(), format!("{family}, {given}")))
            .collect();
        let entries: Vec<(&str, &str)> = listed.iter().map(|(i, n)| (i.as_str(), n.as_str())).collect();
        let (old, new) = (version(&entries[..24]), version(&entries));
        let screener = Screener::build(&[Arc::clone(&new)], Settings::default());
        let names =
            ["Jose Silva", "Petrov", "Hose Sylva", "Jose Maria Silva", "Khan Jose", "Omar Khan", "Wei Zhan"];
        for name in names {
            let asked = [party("C", name)];
            let done = rescreen(Some(&old), &new, &screener, asked.par_iter().cloned()).unwrap();
            let mut expected: Vec<(String, f64)> = screener
                .screen(&Query::name(name))
                .into_iter()
                .filter(|hit| old.entry(&hit.entry_id).is_none())
                .map(|hit| (hit.entry_id, hit.score))
                .collect();
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            let found: Vec<_> = done.hits.into_iter().map(|h| (h.hit.entry_id, h.hit.score)).collect();
            assert_eq!(found, expected, "{name}");
        }
    }
}
